"""The service-SID diagnosis of a process whose services are known: no service that it did not host is named for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from analyzer.cli import main
from analyzer.diagnose.service_outcome import FlowEvidence, rule
from analyzer.wfp import services as wfp_services
from tests.core.test_service_proven import LINE, Case, listed, permit, started

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.model import Finding

BITS, CRYPT = (wfp_services.service_sid(name) for name in ("BITS", "CryptSvc"))
FOR_BITS, FOR_CRYPT = permit(BITS, number=70100), permit(CRYPT, number=70101)
FOR_ALL = permit(wfp_services.ALL_SERVICES_SID, number=70102)
NETWORK = r"NT AUTHORITY\NetworkService"


def shared(*names: str, **more: object) -> Case:
    """A process that a list shows with these services, when the list was taken."""
    return Case(**{"process": (), "lists": (listed(NETWORK, *names, pid=4242),), **more})


def named(finding: Finding) -> list[tuple[str | None, tuple[int, ...]]]:
    return [(item.name, item.permits) for item in finding.services or ()]


def test_a_shared_process_is_possible_for_the_services_that_it_hosted_alone():
    finding = shared("CryptSvc", "LanmanWorkstation", filters=(FOR_BITS, FOR_CRYPT)).finding()
    assert finding.confidence == "possible"
    assert named(finding) == [("CryptSvc", (70101,))]
    assert finding.title.startswith("CryptSvc may have connected")
    assert "BITS" not in finding.summary
    assert 70100 not in {item.filter_id for item in finding.evidence}


def test_an_allow_filter_for_all_services_is_one_for_each_that_it_hosted():
    finding = shared("CryptSvc", "LanmanWorkstation", filters=(FOR_BITS, FOR_ALL)).finding()
    assert finding.confidence == "possible"
    assert named(finding) == [("CryptSvc", (70102,)), ("LanmanWorkstation", (70102,))]


def test_one_service_that_is_only_possible_is_named_alone():
    rival = permit("S-1-1-0", number=70200)  # everybody
    finding = Case(filters=(FOR_BITS, FOR_CRYPT, rival)).finding()
    assert finding.confidence == "possible"
    assert named(finding) == [("BITS", (70100,))]


def test_a_process_of_unknown_services_is_possible_for_each_with_such_a_filter():
    unknown = started(LINE.partition(" -s")[0])
    finding = Case(process=(unknown,), lists=(), filters=(FOR_BITS, FOR_CRYPT)).finding()
    assert [name for name, _ in named(finding)] == ["BITS", "CryptSvc"]


def test_other_services_known_for_the_events_time_are_not_this():
    """A newer build's net event lists the service SIDs of the token: what the process hosted at that very time."""
    evidence = FlowEvidence(permits={BITS: (1,)}, services=("CryptSvc", "wuauserv"), grade="origin", state_fits="yes")
    outcome = rule(evidence)
    assert outcome.confidence == "not-this"
    assert "CryptSvc and wuauserv" in outcome.why


def test_a_list_alone_does_not_clear_a_shared_process():
    """Services come and go in a shared process: one that stopped since is in no list."""
    finding = shared("CryptSvc", "LanmanWorkstation", filters=(FOR_BITS,)).finding()
    assert (finding.id, finding.confidence) == ("service-sid-unchecked", "possible")
    assert "CryptSvc and LanmanWorkstation when the list was taken" in finding.summary


@pytest.mark.parametrize(
    ("user", "alias"),
    [("S-1-5-20", "NS"), ("S-1-5-21-1111111111-2222222222-3333333333-1001", "IU"), ("S-1-5-18", "SY")],
)
def test_the_remedy_allows_the_account_that_a_net_event_shows(user, alias):
    finding = shared("CryptSvc", "LanmanWorkstation", filters=(FOR_CRYPT,), nets=({"user": user},)).finding()
    assert finding.remedy is not None
    assert f"(A;;CC;;;{alias})" in finding.remedy.commands[0]


def test_the_shipped_ticket_names_no_service_of_another_process(root: Path, tmp_path: Path):
    out = tmp_path / "g.json"
    assert (
        main(["report", str(root / "samples/ticket-g-services"), "-o", str(tmp_path / "g.html"), "--json", str(out)])
        == 0
    )
    found = [item for item in json.loads(out.read_text())["findings"] if item["id"] == "service-sid"]
    assert {item["confidence"]: [s["name"] for s in item["services"]] for item in found} == {
        "proven": ["BITS"],
        "possible": ["CryptSvc"],
    }
