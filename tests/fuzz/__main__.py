"""A mutation fuzzer for the reader of event logs: ``make fuzz``, or from the
project's folder ``PYTHONPATH=. python tests/fuzz --seed 1 --mutants 200000``.

It damages small logs, cut from real ones and made ones, reads them in both ways, and looks for: an exception, a
mutant that takes more than 1 s of processor time, memory beyond 600 MiB, a row of an unchanged chunk that changed or
is missing, a problem reported in an unchanged chunk, a change under a checksum that is not reported, and any
difference between columns and the careful way. Chunks are independent of each other; a file holds up to 20 changed
ones between unchanged ones, and each counts as a mutant. Equal seeds make equal mutants where the real logs are equal.

``--replay FILE.json`` reads a saved finding again, each of its mutants alone too. The exit code is 1 with findings.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from fuzz_run import Run, replay


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mutants", type=int, default=200_000)
    parser.add_argument("--minutes", type=float, help="end after so many minutes, whatever was reached")
    parser.add_argument(
        "--both-each", type=int, default=1, metavar="N", help="read every Nth file in both ways, the others in columns"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="worker processes")
    parser.add_argument("--findings", type=Path, default=Path("build/fuzz"), help="the folder where findings are kept")
    parser.add_argument("--replay", type=Path, metavar="FILE.json", help="read a finding again")
    return parser.parse_args()


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    chosen = arguments()
    if chosen.replay:
        recipe = json.loads(chosen.replay.read_text("utf-8"))
        findings = replay(recipe["seed"], recipe["number"])
        say("\n".join(findings) or "nothing is wrong any more")
        return 1 if findings else 0
    begin = time.monotonic()
    run = Run(chosen.seed, chosen.mutants, chosen.findings, minutes=chosen.minutes, both_each=chosen.both_each)
    try:
        run.work(chosen.jobs, say, every=20)
    except KeyboardInterrupt:
        say("interrupted")
    for finding in run.sums.findings:
        say(finding)
    say(f"seed {chosen.seed}: {run.sums.line(time.monotonic() - begin)}")
    if run.sums.findings:
        say(f"kept in {chosen.findings}; read one again with --replay")
    return 1 if run.sums.findings else 0


if __name__ == "__main__":
    sys.exit(main())
