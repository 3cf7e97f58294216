"""``proven`` of the service-SID diagnosis: each ingredient is needed, and the text names the net event and the user."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from analyzer import diagnose, frames
from analyzer.readers.netevents import read_netevents_blocks
from analyzer.wfp import events as wfp_events
from analyzer.wfp import services as wfp_services
from samples.neteventswriter import NetEvent, write_netevents
from tests.core import core_build as build

if TYPE_CHECKING:
    import pandas as pd

    from analyzer.model import Finding

USER = "S-1-5-21-1111111111-2222222222-3333333333-1001"
NETWORK = "S-1-5-20"
BITS = wfp_services.service_sid("BITS")
OWN = {"users": [(USER, rf"{build.HOST}\someone")]}
LINE = r"C:\Windows\System32\svchost.exe -k netsvcs -p -s BITS"
DEFAULT = build.flt(70001)


def permit(sid: str = BITS, *more: Any, number: int = 70100) -> dict[str, Any]:
    tests = (build.app(build.SVCHOST), build.service(sid), build.eq("IP_REMOTE_PORT", 443), *more)
    return build.flt(number, "permit", tests=tests)


def started(line: str | None = LINE, **more: Any) -> dict[str, Any]:
    return {"process_id": 4242, "command_line": line, "s": -10, **more}


def listed(account: str | None = "LocalSystem", *names: str, pid: int | None = None) -> pd.DataFrame:
    """A list of services of Win32_Service."""
    rows = [
        {"input": "services.csv", "source": "service-list", "computer": build.HOST, "service": name}
        | {"account": account, "process_id": pid, "image": "svchost.exe"}
        for name in names or ("BITS",)
    ]
    return frames.build({key: [row.get(key) for row in rows] for key in frames.SERVICES}, frames.SERVICES)


def net(*rows: dict[str, Any]) -> tuple[str, Any]:
    """Net events that are the twins of the blocked svchost events; ``s`` is the time in seconds."""
    made = []
    for row in rows:
        time = build.stamp(row.pop("s", 0)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        made.append(NetEvent(**{"time": time, "user": USER, **row}))
    return "netevents.xml", read_netevents_blocks([write_netevents(made)], "netevents.xml")


EVENT = {"application": build.SVCHOST, "event_origin": "Default Outbound", "s": 0.2}


@dataclasses.dataclass
class Case:
    """A ticket; what it holds by default is all that ``proven`` needs."""

    events: tuple[dict[str, Any], ...] = ({},)
    nets: tuple[dict[str, Any], ...] = ({},)
    process: tuple[dict[str, Any], ...] = dataclasses.field(default_factory=lambda: (started(),))
    lists: tuple[pd.DataFrame, ...] = dataclasses.field(default_factory=lambda: (listed(),))
    filters: tuple[dict[str, Any], ...] = dataclasses.field(default_factory=lambda: (permit(),))
    lasting: dict[str, Any] = dataclasses.field(default_factory=lambda: dict(OWN))
    host: tuple[dict[str, Any], ...] = ()

    def judge(self) -> build.Result:
        return build.judge(
            build.wfp(*({**EVENT, **row} for row in self.events)),
            build.state("state.xml", DEFAULT, *self.filters, **self.lasting),
            nets=[net(*map(dict, self.nets))] if self.nets else [],
            lists=self.lists,
            process=build.processes(*self.process),
            host=build.host_events(*self.host),
        )

    def findings(self) -> list[Finding]:
        made = self.judge()
        context = diagnose.Context(
            made.events, made.book, made.fits, made.marks, made.changes, made.watch, known=made.known
        )
        every = [item.finding for item in diagnose.run(context).found]
        return [finding for finding in every if finding.id.startswith("service-sid")]

    def finding(self) -> Finding:
        (found,) = self.findings()
        return found


def test_all_of_it_is_proven():
    finding = Case().finding()
    assert finding.confidence == "proven"
    assert [(s.name, s.outcome, s.permits) for s in finding.services or ()] == [("BITS", "proven", (70100,))]


def test_the_text_names_the_net_event_and_the_user():
    finding = Case().finding()
    (cited,) = [item for item in finding.evidence if item.input == "netevents.xml"]
    assert "entry 1" in cited.text
    assert USER in cited.text
    assert "record 1 of log.evtx" in cited.text
    assert any(f"token of {USER}, not of its own account (S-1-5-18)" in item.text for item in finding.evidence)
    assert finding.title == "BITS connected with the token of another account, so the allow rule did not match"


def test_sysmon_proves_as_4688_does():
    own = started(event_id=1, provider=wfp_events.SYSMON)
    assert Case(process=(own,)).finding().confidence == "proven"


def test_the_state_may_tell_the_kind():
    finding = Case(events=({"event_origin": None},)).finding()
    assert finding.confidence == "proven"


def test_a_net_event_may_tell_the_kind():
    case = Case(events=({"event_origin": None},), nets=({"origin": "Default Outbound"},))
    assert case.judge().one()["grade"] in {"netevent", "snapshot"}
    assert case.finding().confidence == "proven"


def test_another_service_account_is_no_own_token_either():
    assert Case(nets=({"user": "S-1-5-18"},), lists=(listed(r"NT AUTHORITY\NetworkService"),)).finding().confidence == (
        "proven"
    )


def test_an_account_that_was_measured_needs_no_list():
    own = started(LINE.replace("BITS", "DoSvc"))
    case = Case(process=(own,), lists=(), filters=(permit(wfp_services.service_sid("DoSvc")),))
    assert case.finding().confidence == "proven"


SHORT: dict[str, tuple[dict[str, Any], str]] = {
    "no net event": ({"nets": ()}, "likely"),
    "a net event of another connection": ({"nets": ({"local_port": 50009},)}, "likely"),
    "a net event of another time": ({"nets": ({"s": 60},)}, "likely"),
    "a net event without a user": (
        {"nets": ({"flags": ("IP_PROTOCOL_SET", "LOCAL_ADDR_SET", "REMOTE_ADDR_SET", "LOCAL_PORT_SET")},)},
        "likely",
    ),
    "a null user": ({"nets": ({"user": "S-1-0-0"},)}, "likely"),
    "two net events for one event": ({"nets": ({}, {"s": 0.1})}, "likely"),
    "the account of the service is not known": ({"lists": ()}, "likely"),
    "a localized account": ({"lists": (listed(r"NT-AUTORITÄT\Netzwerkdienst"),)}, "likely"),
    "an account that may be a user's": ({"lists": (listed(r"EXAMPLE\agent"),)}, "likely"),
    "lists that name two accounts": (
        {"lists": (listed(), listed(r"NT AUTHORITY\NetworkService").assign(input="other.csv"))},
        "likely",
    ),
    "a service that runs as a user": ({"lists": (listed(r".\agent"),)}, "possible"),
    "the service is known at capture time alone": ({"process": (), "lists": (listed(pid=4242),)}, "likely"),
    "the service is not known": ({"process": ()}, "possible"),
    "a shared host": ({"process": (started(LINE.partition(" -s")[0]),)}, "possible"),
    "a shared host that a list shows": (
        {"process": (), "lists": (listed("LocalSystem", "BITS", "wuauserv", pid=4242),)},
        "possible",
    ),
    "the process ended before": ({"process": (started(), {"event_id": 4689, "process_id": 4242, "s": -5})}, "possible"),
    "no permit for the service": ({"filters": ()}, "not-this"),
    "a permit for another service": ({"filters": (permit(wfp_services.service_sid("CryptSvc")),)}, "not-this"),
    "a permit with a condition that cannot be told": (
        {"filters": (permit(BITS, build.eq("IP_LOCAL_INTERFACE", 1234)),)},
        "possible",
    ),
    "a state of unknown host": ({"lasting": {}}, "possible"),
    "Windows started between": ({"host": ({"event_id": 4608, "s": 30},)}, "possible"),
    "the service's own account": ({"nets": ({"user": "S-1-5-18"},)}, "not-this"),
}


@pytest.mark.parametrize("case", SHORT)
def test_what_is_short_of_proven(case):
    change, expected = SHORT[case]
    found = Case(**change).findings()
    # A net event that matches nothing is a block of its own, of a process that nothing names.
    assert found[0].confidence == expected
    assert {finding.confidence for finding in found[1:]} <= {"possible"}


def test_a_per_user_service_is_never_proven():
    name = "WpnUserService_1a2b3"
    case = Case(
        process=(started(LINE.replace("BITS", name)),),
        lists=(listed("LocalSystem", name),),
        filters=(permit(wfp_services.service_sid(name)),),
    )
    assert case.finding().confidence == "possible"


def test_an_event_without_its_net_event_stays_likely_beside_one_that_is_proven():
    found = Case(events=({}, {"source_port": 50002, "s": 5}), nets=({},)).findings()
    assert [(finding.confidence, finding.count) for finding in found] == [("proven", 1), ("likely", 1)]


def test_own_and_other_token_are_findings_of_their_own():
    rows = ({}, {"source_port": 50002, "s": 5})
    found = Case(events=rows, nets=({}, {"local_port": 50002, "user": "S-1-5-18", "s": 4.8})).findings()
    assert [finding.confidence for finding in found] == ["proven", "not-this"]


def test_likely_asks_for_the_account_where_the_token_is_known():
    finding = Case(lists=()).finding()
    assert any(USER in item.text and "nothing tells the account" in item.text for item in finding.evidence)
    assert any("Win32_Service" in step for step in finding.collect_next)


# Net events alone


ALONE = {"process_id": 4242, "origin": "Default Outbound"}


def alone(*rows: dict[str, Any], **more: Any) -> Case:
    """A ticket whose audit log holds one permit of another program, so that the host is known; net events block."""
    other = {"event_id": 5156, "application": build.PROGRAM, "event_origin": None, "source_port": 50099, "s": 9}
    return Case(**{"events": (other,), "nets": rows or (ALONE,), **more})


def test_net_events_alone_are_suspects_but_never_proven():
    case = alone()
    assert case.judge().events["source"].tolist() == ["netevent", "audit"]
    found = case.findings()
    assert found
    assert {finding.confidence for finding in found} <= {"possible", "likely"}
    assert any(USER in item.text and "entry 1" in item.text for item in found[0].evidence)


# Names


def test_a_list_names_a_service_sid_that_is_not_built_in():
    name = "ExampleAgentSvc"
    sid = wfp_services.service_sid(name)
    case = Case(process=(), filters=(permit(sid),), lists=(listed(None, name),))
    finding = case.finding()
    assert [service.name for service in finding.services or ()] == [name]
    assert any(f"is for the service {name}" in item.text for item in finding.evidence)
