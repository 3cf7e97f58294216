"""The handbook's entries on findings that are more than one kind. Sources: `docs/sources.md`, by section."""

from __future__ import annotations

from typing import Final

from reports.handbook.entry import Entry

_ENTRIES: Final[tuple[Entry, ...]] = (
    Entry(
        "service-sid",
        "A service connects without its service SID",
        "A rule for a service becomes a filter that only a token with that service's SID passes. Some services act "
        "for the logged-on user and connect with the user's token. Then the rule is there, and does not match, and "
        "the outbound default blocks. Windows Update, BITS, the certificate service and the account sign-in service "
        "are known for it.",
        "`svchost.exe` was blocked by the outbound default, and the state holds an allow filter that fits the "
        "connection in everything but the token. Process creation events and lists of services tell which service "
        "the process held. A net event of the same connection tells the user of the token: where that is not the "
        "service's account, the finding is proven.",
        (
            (
                "The remedy is a rule for `svchost.exe` without a service, for the ports that were seen, "
                "limited to the accounts that are used. The report writes it."
            ),
            (
                "Check the look-alikes first: a service without a SID (`sc qsidtype NAME`), a rule that names "
                "the display name instead of the short name, a rule of another profile."
            ),
            (
                "To raise likely to proven: `netsh wfp show netevents file=netevents.xml` right after the failure, and "
                "`Get-CimInstance Win32_Service | Export-Csv services.csv`."
            ),
        ),
        (
            (
                "The remedy is wider than the rule: any service in `svchost.exe` under these accounts may then "
                "use these ports."
            ),
            "Where several services share one process, several stay possible: the report lists them all.",
            "Likely and possible are meant as they stand: an audit event names neither user nor service.",
        ),
        "5.1-5.6, 12",
    ),
    Entry(
        "service-sid-unchecked",
        "Whether a service SID is the cause cannot be told",
        "`svchost.exe` was blocked by the outbound default, and the allow filters of that time are not in what was "
        "handed in.",
        "There is no state that can belong to these blocks.",
        (
            "Reproduce the failure, and take the state right after it.",
            "With it, take `tasklist /svc /fo csv` and the net events: they tell service and user.",
        ),
        ("This is a gap in the evidence, not a weak finding.",),
        "5.5",
    ),
    Entry(
        "rule-not-in-force",
        "An allow rule for this traffic exists and makes no filter",
        "A rule was exported that would have allowed what was blocked. Windows does not enforce it.",
        "The exported rules are compared with the blocked flows, and with the filters of the state. Why a rule makes "
        "no filter is told by the rule itself (disabled, could not be applied, of another profile) or by the policy "
        "(local rules are not merged).",
        (
            "Read the reason in the finding: each has its own remedy.",
            "A rule of another profile: is the network's profile the right one? `Get-NetConnectionProfile`.",
            "A rule that policy does not merge belongs into the Group Policy that governs the machine.",
        ),
        (
            "Outbound allow rules make no filter at all while the outbound default allows: this is no fault.",
            "An export of rules is of its own time; a rule may have been changed in between.",
        ),
        "12",
    ),
    Entry(
        "auditing-off",
        "Auditing was off",
        "The machine did not record blocks in the time of the log. That none is there says nothing.",
        "By the exported audit policy, by events that tell of a change of auditing (4719), and by what the log holds.",
        (
            (
                "Turn on failure auditing of Filtering Platform Connection and Packet Drop with the commands in the "
                "finding, reproduce, and collect again."
            ),
            "Put auditing back afterwards: `auditpol /restore /file:audit-before.csv`.",
        ),
        ("Group Policy may switch it again at its next refresh.",),
        "7",
    ),
    Entry(
        "auditing-partly-off",
        "Auditing was on only part of the time",
        "Blocks were recorded in a part of the time. Silence counts for that part only.",
        "By events 4719 in the log, and by the exported audit policy.",
        ("Did the failure happen while auditing was on? The section on coverage shows the time.",),
        ("A block outside that time leaves no event.",),
        "7",
    ),
    Entry(
        "state-does-not-fit",
        "The state is not of this machine or time",
        "Run-time ids were looked up only in states that cannot speak for these blocks.",
        "Each state is tied to a log by time, boot markers, names, addresses, volumes and ids that agree; here ties "
        "are missing or something contradicts. The finding lists what.",
        ("Ask for a state of the same machine, taken right after the failure and before any change.",),
        ("A run-time id that is found in such a state anyway proves nothing, and is not used.",),
        "1.5, 12",
    ),
    Entry(
        "state-disagrees",
        "The state does not decide as Windows recorded",
        "The filters of the state, taken by the platform's own rules, lead to other decisions than the log records.",
        "Flows of the log are decided again by the filters of the state, and compared with what Windows did.",
        (
            "Was a rule, profile or network changed between the blocks and the state?",
            "Ask for a state of the same machine, taken right after the failure.",
        ),
        ("What an event or a net event says itself stands. Only what rests on this state alone is trusted less.",),
        "4.1",
    ),
    Entry(
        "log-cleared",
        "The audit log was cleared",
        "Somebody or something emptied the Security log in the time that is covered (event 1102).",
        "By the event itself.",
        ("Who cleared it stands in the event. Archived copies may hold what was before.",),
        ("Silence before that time proves nothing.",),
        "1.6",
    ),
    Entry(
        "audit-changed",
        "The audit policy was changed",
        "Auditing was switched in the time that is covered (event 4719).",
        "By the event itself.",
        ("Coverage shows what that means for blocks and drops.",),
        ("Blocks before or after may not have been recorded.",),
        "1.6, 7",
    ),
    Entry(
        "log-full",
        "The Security log was full",
        "Windows had no room for further events (event 1104).",
        "By the event itself.",
        ("Enlarge the log or save it at once after the failure: dropped packets fill it within minutes.",),
        ("Events after that time were lost until there was room.",),
        "1.6, 8",
    ),
)

FINDINGS: Final[dict[str, Entry]] = {entry.key: entry for entry in _ENTRIES}
