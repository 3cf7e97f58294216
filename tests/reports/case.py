"""Hand-made results for the tests of the pages: a rich one, a tiny one, an empty one, a large one, a hostile one.

Names, addresses (documentation ranges) and identities are invented; nothing here was computed from a log.
"""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from analyzer.model import (
    Analysis,
    Answer,
    CitedFilter,
    Condition,
    Coverage,
    Evidence,
    FilterRef,
    Finding,
    Grade,
    InputFile,
    Kind,
    KindCount,
    Marker,
    Pairing,
    Problem,
    Program,
    Remedy,
    ServiceOutcome,
    ServiceUse,
    Timeline,
    TimelineSeries,
    Verdict,
)

TOOL = {"name": "wfp-analyzer", "version": "0.1.0"}
KINDS: tuple[Kind, ...] = get_args(Kind)
GRADES: tuple[Grade, ...] = get_args(Grade)
START = datetime(2026, 3, 4, 8, 12, 31, tzinfo=UTC)
SVCHOST = r"\device\harddiskvolume3\windows\system32\svchost.exe"
DROPPED = ("stealth", "quarantine", "boot-time", "ipsec")
SERVICES = {
    "BITS": "S-1-5-80-864916184-135290571-3087830041-1716922880-4237303741",
    "CryptSvc": "S-1-5-80-242729624-280608522-2219052887-3187409060-2225943459",
    "wuauserv": "S-1-5-80-1014140700-3308905587-3330345912-272242898-93311788",
    "wlidsvc": "S-1-5-80-2952724807-2252311773-3412998076-2712868122-780978283",
}
PROGRAMS = (
    SVCHOST,
    r"\device\harddiskvolume3\program files\example corp\updater\example updater service.exe",
    r"\device\harddiskvolume3\users\ada\appdata\local\packages\contoso.viewer_8wekyb3d8bbwe\localcache\viewer.exe",
    "System",
    r"\device\harddiskvolume3\windows\system32\dns.exe",
)


def at(minutes: float) -> str:
    """Return a time of the invented log as the result document writes it."""
    return (START + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.%f") + "7Z"


def ref(number: int, name: str | None = "Default Outbound", **more: Any) -> FilterRef:
    """Return a filter of the invented state."""
    values: dict[str, Any] = {
        "filter_key": "{5f2a1c11-0000-4000-8000-00000000beef}",
        "provider": "MPSSVC_WF",
        "sublayer": "MPSSVC_WF",
        "layer": "ALE_AUTH_CONNECT_V4",
        "action": "block",
        "origin": "Default Outbound",
        "rule_id": None,
        "weight": 9223372036854777840,
    }
    return FilterRef(filter_id=number, name=name, **{**values, **more})


def verdict(**more: Any) -> Verdict:
    """Return one flow; every value can be given."""
    values: dict[str, Any] = {
        "kind": "default-outbound",
        "grade": "snapshot",
        "action": "block",
        "computer": "client-01.example.test",
        "application": SVCHOST,
        "services": None,
        "direction": "outbound",
        "protocol": 6,
        "local_address": "192.0.2.21",
        "remote_address": "203.0.113.80",
        "service_port": 443,
        "layer": "ALE_AUTH_CONNECT_V4",
        "filter": ref(71234),
        "count": 12,
        "attempts": 3,
        "first": at(1),
        "last": at(30),
        "record_ids": (48211, 48212, 48213),
        "reasons": (
            "The event's own origin is Default Outbound.",
            "Filter 71234 has the same layer, blocks, and its profile condition fits.",
            "The state was saved 2 min 10 s after the last event, with no boot between.",
        ),
        "event_ids": (5157,),
        "event_origin": "Default Outbound",
        "filter_rtid": 71234,
        "process_ids": (1044, 2816),
        "client_ports": 9,
        "state": "wfpstate.xml",
    }
    return Verdict(**{**values, **more})


def _verdicts() -> tuple[Verdict, ...]:
    """Give every kind once, every grade, ICMP, IPv6, an uncertain order, a permit and two computers."""
    rows = [
        verdict(grade="origin", count=212, attempts=48),
        verdict(grade="origin", count=96, attempts=24, service_port=80, remote_address="198.51.100.7"),
    ]
    for i, kind in enumerate(KINDS):
        drop = kind in DROPPED
        grade = GRADES[i % len(GRADES)]
        known = kind not in ("no-filter", "unresolved") and grade not in ("contradicted", "none")
        rows.append(_row(i, kind, drop, grade, known))
    rows.append(
        verdict(
            kind=None,
            grade="id-only",
            action="permit",
            filter=ref(70001, "Default Outbound", action="permit", origin=None, weight=3458764513820540928),
            filter_rtid=70001,
            count=1803,
            attempts=1803,
            computer="server-02.example.test",
            event_ids=(5156, 5158),
            reasons=("The state holds the id; nothing ties this computer's log to it.",),
        )
    )
    return tuple(rows)


def _row(i: int, kind: Kind, drop: bool, grade: Grade, known: bool) -> Verdict:
    return verdict(
        kind=kind,
        grade=grade,
        action="drop" if drop else "block",
        application=None if kind == "stealth" else PROGRAMS[i % len(PROGRAMS)],
        direction=("outbound", "inbound", "forward", None)[i % 4],
        protocol=(6, 17, 1, 58, 2, 99)[i % 6],
        icmp_type=8 if i % 6 == 2 else None,
        icmp_code=0 if i % 6 == 2 else None,
        service_port=None if i % 6 in (2, 3) else 5355,
        local_address="2001:db8:1f:ace0::21" if i % 3 == 1 else "192.0.2.21",
        remote_address="2001:db8:ffff:ffff:ffff:ffff:ffff:9" if i % 3 == 1 else "203.0.113.9",
        layer=("ALE_AUTH_RECV_ACCEPT_V4", "INBOUND_TRANSPORT_V6_DISCARD", "MADE_UP_LAYER_V4")[i % 3],
        filter=ref(72000 + i, f"A filter of kind {kind}") if known else None,
        filter_rtid=0 if kind == "no-filter" else 72000 + i,
        count=4 + i * 3,
        attempts=1 + i,
        event_ids=(5152,) if drop else (5031,) if grade == "event" else (5157,),
        event_origin=None,
        endpoint_order="uncertain" if i % 5 == 0 else "certain",
        services=("DoSvc", "wuauserv") if i == 3 else None,
        rule_maker="Group Policy" if kind == "explicit-rule" else None,
        first=at(i * 2),
        last=at(i * 2 + (0 if i % 2 else 25)),
        record_ids=tuple(range(50000 + i * 20, 50000 + i * 20 + min(10, 4 + i * 3))),
    )


def _cited() -> tuple[CitedFilter, ...]:
    conditions = (
        Condition("ORIGINAL_PROFILE_ID", "EQUAL", "1", "1", "the connection began in the public profile"),
        Condition("CURRENT_PROFILE_ID", "EQUAL", "1", "1", "the interface is in the public profile now"),
    )
    permit = (
        Condition("ALE_APP_ID", "EQUAL", SVCHOST, "5c006400", f"program is {SVCHOST}"),
        Condition(
            "ALE_USER_ID",
            "EQUAL",
            "O:SYG:SYD:(A;;CCRC;;;" + SERVICES["BITS"] + ")",
            "O:SYG:SYD:(A;;CCRC;;;" + SERVICES["BITS"] + ")",
            "the connection's token carries the identity of service BITS (" + SERVICES["BITS"] + ")",
        ),
        Condition("IP_PROTOCOL", "EQUAL", "6", "6", "protocol is TCP"),
        Condition("IP_REMOTE_PORT", "EQUAL", "443", "443", "remote port is 443"),
    )
    rows = [
        CitedFilter(
            ref(71234),
            "wfpstate.xml",
            ("HAS_PROVIDER_CONTEXT", "HAS_FILTER_ORIGIN"),
            conditions,
            "default-outbound",
            "origin",
            "The filter's own origin is Default Outbound and it blocks.",
            308,
            0,
            0,
            xml="<item>\n    <filterKey>{5f2a1c11-0000-4000-8000-00000000beef}</filterKey>\n"
            "    <displayData>\n        <name>Default Outbound</name>\n    </displayData>\n"
            "    <filterId>71234</filterId>\n</item>",
        ),
        *(
            CitedFilter(
                ref(71300 + i, f"Example: {name} outbound", action="permit", origin=None, weight=10376293541461622784),
                "wfpstate.xml",
                ("INDEXED",),
                permit,
                None,
                None,
                "",
                0,
                0,
                0,
            )
            for i, name in enumerate(SERVICES)
        ),
    ]
    for i, kind in enumerate(KINDS):
        if kind not in ("no-filter", "unresolved"):
            rows.append(
                CitedFilter(
                    ref(72000 + i, f"A filter of kind {kind}", weight=i, origin=None),
                    "wfpstate.xml",
                    (),
                    conditions if i % 2 else (),
                    kind,
                    ("origin", "key", "shape", "name")[i % 4],  # type: ignore[arg-type]
                    "Provider, sublayer, layer and weight are those of this kind.",
                    4 + i * 3,
                    i % 4,
                    0,
                )
            )
    return tuple(rows)


def _findings() -> tuple[Finding, ...]:
    ports = "TCP 80, 443"
    return (
        Finding(
            id="service-sid",
            title="Rules for single services do not let Windows Update and three others out",
            severity="high",
            confidence="likely",
            count=308,
            summary="svchost.exe was blocked 308 times by the outbound default although allow rules for BITS, "
            "CryptSvc, wuauserv and wlidsvc are in force. Those rules match only a token that carries the "
            "service's identity.",
            evidence=(
                Evidence(
                    "svchost.exe to 203.0.113.80, TCP 443, blocked by Default Outbound.", "Security.evtx", 48211, 71234
                ),
                Evidence(
                    "svchost.exe to 198.51.100.7, TCP 80, blocked by Default Outbound.", "Security.evtx", 48377, 71234
                ),
                *(
                    Evidence(
                        f"Allow filter {71300 + i} for {name} matches in all but the user id.",
                        "wfpstate.xml",
                        None,
                        71300 + i,
                    )
                    for i, name in enumerate(SERVICES)
                ),
                Evidence("Process 1044 was started as svchost.exe -k netsvcs -p -s BITS.", "Security.evtx", 48102),
                Evidence("The state blocks outgoing traffic by default in the public profile.", "wfpstate.xml"),
            ),
            remedy=Remedy(
                "Add one allow rule for svchost.exe without a service, limited to these ports and to the user accounts "
                "under which the four services connect.",
                (
                    (
                        'New-NetFirewallRule -DisplayName "svchost for services under user accounts" '
                        "-Direction Outbound -Action Allow "
                        '-Program "%SystemRoot%\\System32\\svchost.exe" -Protocol TCP -RemotePort 80,443 '
                        '-LocalUser "D:(A;;CC;;;IU)(A;;CC;;;SY)(A;;CC;;;LS)(A;;CC;;;NS)"'
                    ),
                    'Get-NetFirewallRule -DisplayName "svchost for services under user accounts" | Format-List',
                ),
                f"Every service inside svchost.exe may then reach any address at {ports} under these accounts, not "
                "only the four that need it.",
            ),
            collect_next=(
                "netsh wfp show netevents, right after the failure: its user id shows which token connected.",
                "tasklist /svc /fo csv at the time of the failure.",
                "sc qsidtype BITS, and the same for the other three.",
            ),
            services=tuple(
                ServiceOutcome(name, sid, outcome, permits, why)  # type: ignore[arg-type]
                for (name, sid), outcome, permits, why in zip(
                    (*SERVICES.items(), (None, "S-1-5-80-1-2-3-4-5")),
                    ("likely", "possible", "proven", "possible", "not-this"),
                    ((71300,), (71301,), (71302, 99999), (71303,), ()),
                    (
                        "Process 1044 held this service alone.",
                        "Its allow filter fits port 80 and 443; which process it ran in is not known.",
                        "",
                        "Its allow filter fits port 443.",
                        "No allow filter for it fits these ports.",
                    ),
                    strict=True,
                )
            ),
            kind="default-outbound",
            rationale=(
                "The blocker is the outbound default: no filter of greater weight matched.",
                (
                    "For each of the four services an allow filter of greater weight stands in the same layer and "
                    "sublayer and matches program, protocol, port and profile."
                ),
                "The only condition that remains is the service's identity, so the connecting token did not carry it.",
            ),
            lookalikes=(
                "The service has the SID type none: no rule for it can ever match.",
                "Service hardening: the blocker would be a filter of sublayer WSH.",
                "A rule for another profile, or at another layer, makes no filter here.",
            ),
        ),
        Finding(
            id="stealth-noise",
            title="Most drops are scans of closed ports",
            severity="info",
            confidence="proven",
            count=31,
            summary="31 packets were dropped because nothing listened. Nothing needs to be done.",
            evidence=(Evidence("Origin Stealth in every event.", "Security.evtx", 50080),),
            kind="stealth",
        ),
        Finding(
            id="quarantine-burst",
            title="A change of network held one interface for four seconds",
            severity="low",
            confidence="possible",
            count=22,
            summary="22 blocks within four seconds of a change of profile.",
            kind="quarantine",
            remedy=Remedy("Nothing, unless it comes back."),
        ),
        Finding(
            id="third-party",
            title="A product's filter keeps its own program from the network",
            severity="medium",
            confidence="not-this",
            count=34,
            summary="Looked at and ruled out.",
            collect_next=("The product's own log.",),
        ),
    )


def _timeline(bins: int = 48, step: int = 75) -> Timeline:
    starts = tuple(at(i * step / 60) for i in range(bins))
    series = []
    for i, kind in enumerate(KINDS):
        drop = kind in DROPPED
        counts = tuple(
            (1 + (i * 7 + n * 5) % 9 if (n + i * 3) % (6 + i) == 0 else 0) + (14 if i == 0 and 8 <= n < 14 else 0)
            for n in range(bins)
        )
        series.append(TimelineSeries(kind, "drop" if drop else "block", counts))
    return Timeline(at(0), at(bins * step / 60), step, starts, tuple(series))


def _programs() -> tuple[Program, ...]:
    return tuple(
        Program(
            "client-01.example.test" if i % 2 == 0 else "server-02.example.test",
            name,
            308 // (i + 1),
            72 // (i + 1),
            i * 11,
            i * 402,
            1 + i,
            tuple((KINDS[(i + n) % 16], 20 - n) for n in range(1 + i % 4)),
            at(i),
            at(i + 20),
        )
        for i, name in enumerate((*PROGRAMS, None))
    )


def _services() -> tuple[ServiceUse, ...]:
    row = next(item for item in _verdicts() if item.services)
    kinds = ((row.kind, row.count),) if row.kind else ()
    return (
        ServiceUse(
            row.computer, row.services or (), row.application, row.count, 2, 0, 3, 1, kinds, row.first, row.last
        ),
        ServiceUse("server-02.example.test", ("Dnscache",), SVCHOST, 1, 1, 0, 0, 1, kinds, row.first, None),
    )


def _answer(sentence: str) -> Answer:
    return Answer(
        sentence=sentence,
        trust="Log and state belong together: the state was saved 2 min 10 s after the last event, no boot lies "
        "between, and five distinct filter ids fit in layer, action and conditions.",
        blocks=761,
        drops=126,
        permits=1803,
        block_attempts=214,
        kinds=tuple(
            KindCount(
                kind,
                "drop" if kind in DROPPED else "block",
                308 if i == 0 else 4 + (16 - i) * 3,
                72 if i == 0 else 17 - i,
                1 + i % 5,
            )
            for i, kind in enumerate(KINDS)
        ),
    )


def rich() -> Analysis:
    """Return a result with every kind, grade, severity, outcome and section."""
    return Analysis(
        tool=TOOL,
        command=("report", "ticket", "-o", "report.html"),
        inputs=(
            InputFile(
                "Security.evtx",
                "evtx",
                21041152,
                "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                at(90),
                "client-01.example.test",
                at(-30),
                at(62),
                48211,
                2690,
            ),
            InputFile(
                "server/archive of last week/Security-server-02-exported-by-the-customer.evtx",
                "evtx",
                1118208,
                "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
                at(95),
                "server-02.example.test",
                at(5),
                at(40),
                1803,
                1803,
            ),
            InputFile(
                "wfpstate.xml",
                "wfpstate",
                3120411,
                "fd61a03af4f77d870fc21e05e7e80678095c92d808cfb3b5c279ee04c74aca13",
                at(64),
                "client-01.example.test",
                at(64.2),
                at(64.2),
            ),
            InputFile("notes.txt", "unknown", 812, None, at(96)),
        ),
        problems=(
            Problem(
                "Security.evtx",
                "offset 1118208",
                "lost",
                "The chunk's checksum does not fit; 91 records of it could not be read.",
            ),
            Problem(
                "Security.evtx",
                "offset 69632, record 48390",
                "doubtful",
                "The record's checksum does not fit; its values were read.",
            ),
            Problem("wfpstate.xml", "line 4127", "doubtful", "The application id holds an odd number of bytes."),
            Problem("notes.txt", None, "note", "This is none of the files that can be read."),
            Problem(None, None, "note", "No net events were handed in."),
        ),
        coverage=Coverage(
            first=at(-30),
            last=at(62),
            gaps=({"input": "Security.evtx", "after_id": 48389, "before_id": 48481, "why": "damaged chunk"},),
            by_event_id={"5031": 4, "5152": 126, "5156": 1500, "5157": 757, "5158": 303},
            audit_policy=None,
            state_time=at(64.2),
            state_fits="yes",
            why="The state was saved 2 min 10 s after the last event, with no boot between.",
            pairings=(
                Pairing(
                    "client-01.example.test",
                    "wfpstate.xml",
                    at(64.2),
                    "yes",
                    (
                        "A session of the state is of a user of CLIENT-01.",
                        "Five distinct ids of the log fit layer, action and conditions.",
                    ),
                    (),
                ),
                Pairing(
                    "server-02.example.test",
                    "wfpstate.xml",
                    at(64.2),
                    "no",
                    (),
                    ("The state's sessions name CLIENT-01.", "Filter 70002 of the log has another layer in the state."),
                ),
            ),
            markers=(
                Marker(at(3), "client-01.example.test", "Windows started", 4608, "Security.evtx", 48001),
                Marker(
                    at(17),
                    "client-01.example.test",
                    "A firewall rule was added: Example: BITS outbound",
                    4946,
                    "Security.evtx",
                    48300,
                ),
                Marker(at(17.4), "client-01.example.test", "A firewall rule was changed", 4947, "Security.evtx", 48301),
                Marker(at(45), "server-02.example.test", "The security log was cleared", 1102, "Security.evtx", 12),
                Marker(at(-20), "client-01.example.test", "The audit policy was changed", 4719, "Security.evtx", None),
            ),
        ),
        verdicts=_verdicts(),
        findings=_findings(),
        answer=_answer(
            "Windows blocked 761 connections; 308 of them because the outbound default refused svchost.exe, "
            "although allow rules for four of its services are in force."
        ),
        timeline=_timeline(),
        programs=_programs(),
        services=_services(),
        cited=_cited(),
        agreement=None,
    )


def tiny() -> Analysis:
    """Return a log with one event and no state."""
    one = verdict(
        filter=None,
        filter_rtid=66210,
        grade="none",
        kind="unresolved",
        count=1,
        attempts=1,
        first=at(0),
        last=at(0),
        record_ids=(7,),
        reasons=("No state was handed in, and the event carries no origin.",),
        state=None,
        event_origin=None,
        client_ports=1,
        process_ids=(4,),
    )
    return Analysis(
        tool=TOOL,
        command=(),
        inputs=(InputFile("one.evtx", "evtx", 69632, "ab" * 32, at(9), "client-01", at(0), at(0), 1, 1),),
        problems=(),
        coverage=Coverage(at(0), at(0), by_event_id={"5157": 1}, why="No state was handed in."),
        verdicts=(one,),
        findings=(),
        answer=Answer(
            "One connection was blocked; what blocked it is not in the log.",
            "There is no state to ask.",
            1,
            0,
            0,
            1,
            (KindCount("unresolved", "block", 1, 1, 1),),
        ),
        timeline=Timeline(at(0), at(0), 1, (at(0),), (TimelineSeries("unresolved", "block", (1,)),)),
        programs=(Program("client-01", SVCHOST, 1, 1, 0, 0, 1, (("unresolved", 1),), at(0), at(0)),),
        cited=(),
    )


def empty() -> Analysis:
    """Return the result of nothing usable."""
    return Analysis(
        tool=TOOL,
        command=(),
        inputs=(),
        problems=(),
        coverage=Coverage(),
        verdicts=(),
        findings=(),
        answer=Answer("No event 5031 or 5150 to 5159 was found.", "", 0, 0, 0, 0, ()),
        timeline=Timeline(None, None, 60, (), ()),
        programs=(),
        cited=(),
    )


def large(flows: int = 5000) -> Analysis:
    """Return a result with very many flows, filters, programs, bins, markers and problems."""
    base = rich()
    rows = tuple(
        verdict(
            kind=KINDS[i % 16],
            filter=ref(80000 + i),
            filter_rtid=80000 + i,
            remote_address=f"203.0.113.{i % 250}",
            service_port=i,
        )
        for i in range(flows)
    )
    cited = tuple(dataclasses.replace(base.cited[0], filter=ref(80000 + i)) for i in range(flows))
    programs = tuple(
        dataclasses.replace(base.programs[0], application=rf"\device\harddiskvolume3\bin\{i}.exe") for i in range(flows)
    )
    markers = tuple(Marker(at(i), "client-01", "Policy was reloaded", 4954, "Security.evtx", i) for i in range(600))
    problems = tuple(
        Problem("Security.evtx", f"offset {i}", "lost", "A record could not be read.") for i in range(flows)
    )
    return dataclasses.replace(
        base,
        verdicts=rows,
        cited=cited,
        programs=programs,
        problems=problems,
        timeline=_timeline(bins=1440),
        coverage=dataclasses.replace(base.coverage, markers=markers),
    )


def poisoned(poison: str) -> Analysis:
    """Return the rich result with the poison put into every text that can come from evidence."""
    fixed = {
        "kind",
        "grade",
        "action",
        "severity",
        "confidence",
        "outcome",
        "state_fits",
        "fits",
        "kind_evidence",
        "endpoint_order",
    }
    times = {"first", "last", "time", "state_time", "modified", "bins"}

    def poisoned_value(value: Any, name: str) -> Any:
        if name in fixed | times or name in {"tool", "kinds", "by_event_id", "direction"}:
            return value
        if isinstance(value, str):
            return poison + value
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return dataclasses.replace(
                value, **{f.name: poisoned_value(getattr(value, f.name), f.name) for f in dataclasses.fields(value)}
            )
        if isinstance(value, tuple):
            return tuple(poisoned_value(item, name) for item in value)
        if isinstance(value, dict):
            return {key: poisoned_value(item, "") for key, item in value.items()}
        return value

    base = rich()
    names = [
        f.name
        for f in dataclasses.fields(base)
        if f.name not in {"tool", "schema_version", "events", "filters", "timeline"}
    ]
    return dataclasses.replace(base, **{name: poisoned_value(getattr(base, name), name) for name in names})
