"""The ends of the help pages: examples and exit codes."""

from __future__ import annotations

from typing import Final

EXIT_CODES: Final = """\b
Exit codes:
  0    done
  2    wrong usage: an option, an input that can't be opened, an output that exists or can't be written
  3    done, but something was lost (with --strict nothing is written)
  4    nothing usable in the inputs
  10   a condition of --fail-on holds
  130  interrupted, nothing half-written stays"""


def _examples(*lines: str) -> str:
    """Return lines of a help page that keep their form (click marks such a block with a backspace), and exit codes."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines), "", EXIT_CODES])


GROUP_EXAMPLES: Final = _examples(
    "wfp-analyzer report security.evtx wfpstate.xml",
    "wfp-analyzer report ticket-4711/ -o ticket-4711.html --json ticket-4711.json",
    "wfp-analyzer events security.evtx wfpstate.xml -o events.jsonl",
    "wfp-analyzer filters wfpstate.xml -o filters.jsonl",
    "wfp-analyzer explain security.evtx wfpstate.xml --record 4711",
    "wfp-analyzer diff before/wfpstate.xml after/wfpstate.xml --traffic security.evtx -o review.html",
    "wfp-analyzer propose ticket-4711/ -o rules.ps1",
)
REPORT_EXAMPLES: Final = _examples(
    "wfp-analyzer report security.evtx wfpstate.xml",
    "wfp-analyzer report ticket-4711/ -o ticket-4711.html --json ticket-4711.json --force",
    "wfp-analyzer report ticket-4711.zip --remote-port 443 --application svchost.exe --from 2026-03-04T10:00Z",
    "wfp-analyzer report ticket-4711/ --timezone Europe/Berlin --markdown ticket.md --actions ACTIONS.csv",
    "wfp-analyzer report ticket-4711/ --redact --redaction-key key.json -o for-others.html",
)
EVENTS_EXAMPLES: Final = _examples(
    "wfp-analyzer events security.evtx wfpstate.xml --format jsonl -o events.jsonl",
    "wfp-analyzer events ticket-4711/ --format xlsx -o events.xlsx",
    "wfp-analyzer events ticket-4711/ --format timesketch --redact -o timeline.csv",
    "wfp-analyzer events ticket-4711/ | jq -r 'select(.action == \"block\") | .application' | sort | uniq -c",
)
FILTERS_EXAMPLES: Final = _examples(
    "wfp-analyzer filters wfpstate.xml -o filters.jsonl",
    "wfp-analyzer filters wfpstate.xml --format csv -o filters.csv",
    "wfp-analyzer filters wfpstate.xml | jq 'select(.action == \"block\") | {filter_id, name, kind}'",
)
EXPLAIN_EXAMPLES: Final = _examples(
    "wfp-analyzer explain security.evtx wfpstate.xml --record 4711",
    "wfp-analyzer explain ticket-4711/ --filter 70001 -o why.html --json why.json",
    "wfp-analyzer explain wfpstate.xml --application svchost.exe --service wuauserv --protocol tcp --remote-port 443",
)
DIFF_EXAMPLES: Final = _examples(
    "wfp-analyzer diff before/wfpstate.xml after/wfpstate.xml -o review.html",
    "wfp-analyzer diff before/wfpstate.xml after/wfpstate.xml --traffic security.evtx --fail-on newly-blocked",
    "wfp-analyzer diff ticket-before.zip ticket-after.zip --json diff.json --force",
    "wfp-analyzer diff monday/ friday/ --json - | jq -r '.changes[].words'",
)
PROPOSE_EXAMPLES: Final = _examples(
    "wfp-analyzer propose ticket-4711/ --application notesync.exe -o rules.ps1",
    "wfp-analyzer propose security.evtx wfpstate.xml --merge any-address --json proposal.json",
    "wfp-analyzer propose ticket-4711/ --what-if rules.ps1",
)
