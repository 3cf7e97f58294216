"""What a block's record tells of filters that it does not name, as the proof of a proposal uses it."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from analyzer import pipeline
from analyzer.engine import endings
from analyzer.proposalmodel import Proof, RuleSpec
from analyzer.propose import ending
from analyzer.propose import propose as proposing
from tests.places import ROOT

if TYPE_CHECKING:
    import pandas as pd

    from analyzer.applied import Case
    from analyzer.proposalmodel import Proposal
    from analyzer.review.sides import Snapshot

SAMPLES = ROOT / "samples"
Call = tuple["pd.DataFrame", "Snapshot", "Case", "str | None"]


@cache
def proposal(name: str, given: tuple[RuleSpec, ...] | None = None) -> Proposal:
    wanted = proposing.Wanted(given=given, source=None if given is None else "rules.json")
    found = pipeline.analyze([SAMPLES / name], wanted=wanted).proposal
    assert found is not None
    return found


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    """What is asked of :func:`with_endings` while a ticket is worked out."""
    out: list[Call] = []

    def heard(*arguments: Any) -> pd.DataFrame:
        out.append(arguments)
        return real(*arguments)

    real = ending.with_endings
    monkeypatch.setattr(ending, "with_endings", heard)
    pipeline.analyze([SAMPLES / "ticket-a-win11"], wanted=proposing.Wanted())
    return out


def proofs(name: str) -> dict[str, tuple[int, int, int]]:
    return {
        item.rule.name: (item.proof.passes, item.proof.still_blocked, item.proof.cannot_tell)
        for item in proposal(name).rules
        if item.proof is not None
    }


def test_a_program_of_its_own_would_pass_although_no_record_names_its_package() -> None:
    assert proofs("ticket-a-win11")["Allow notesync.exe outbound TCP 443,8443"] == (2, 0, 0)


def test_a_rule_for_users_stays_open_where_no_record_names_the_user() -> None:
    (item,) = (
        item for item in proposal("ticket-a-win11").rules if item.rule.name == "Allow svchost.exe outbound TCP 80"
    )
    assert item.rule.local_user is not None
    assert item.proof is not None
    assert (item.proof.passes, item.proof.cannot_tell) == (0, item.flows)


def test_a_block_of_a_lower_sublayer_may_still_follow() -> None:
    """The Teredo filters ask for the interface's type, and stand below the firewall's."""
    assert proofs("ticket-a-win11")["Allow labserver.exe inbound TCP 8080"] == (0, 0, 2)


def test_the_review_of_all_rules_knows_it_too() -> None:
    (review,) = proposal("ticket-a-win11").reviews
    assert review.replay is not None
    found = sum(item.proof.passes for item in proposal("ticket-a-win11").rules if item.proof is not None)
    assert review.replay.newly_allowed == found > 0


def test_rules_to_try_are_told_by_it_too() -> None:
    (notes,) = (item.rule for item in proposal("ticket-a-win11").rules if "notesync" in item.rule.name)
    (review,) = proposal("ticket-a-win11", (notes,)).reviews
    assert review.replay is not None
    assert review.replay.newly_allowed == 2
    other = dataclasses.replace(notes, name="another port", remote_ports=("1",))
    (review,) = proposal("ticket-a-win11", (other,)).reviews
    assert review.replay is not None
    assert review.replay.newly_allowed == 0


def tied(call: Call, **change: Any) -> int:
    """How many events tell something, with the case or the events changed."""
    events, side, case, computer = call
    events = change.pop("events", events)
    found = ending.with_endings(events, side, dataclasses.replace(case, **change), computer)[endings.COLUMN]
    return sum(isinstance(item, endings.Ending) for item in found)


def test_only_filters_that_are_tied_to_the_state_tell_anything(calls: list[Call]) -> None:
    call = calls[0]
    events, side, case, _ = call
    assert tied(call) > 0
    unsure = [dataclasses.replace(fit, pairing=dataclasses.replace(fit.pairing, fits="unknown")) for fit in case.fits]
    assert tied(call, fits=tuple(unsure)) == 0  # the id alone
    assert tied(call, watch={}) == 0  # nobody knows what lies between the event and the state
    assert tied(call, events=events.assign(filter_row=np.int64(-1))) == 0  # contradicted
    assert tied(call, events=events.assign(state=np.int64(-1))) == 0  # the log's own history alone
    zero = events.assign(filter_rtid=events["filter_rtid"].where(events["filter_rtid"].isna(), 0))
    assert tied(call, events=zero) == 0
    assert side.book.snapshots[0].name == side.name


def test_a_state_that_contradicts_the_record_tells_nothing(calls: list[Call]) -> None:
    """The filter is said to block what it can't meet: whatever the record means, it is not this state."""
    call = calls[0]
    events = call[0]
    other = events.assign(layer=events["layer"].astype("object").where(events["layer"].isna(), "IPFORWARD_V4"))
    assert tied(call, events=other) == 0


def test_the_proof_without_what_records_tell_is_no_surer(calls: list[Call], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "with_endings", lambda events, *_: events)
    plain = pipeline.analyze([SAMPLES / "ticket-a-win11"], wanted=proposing.Wanted()).proposal
    assert plain is not None
    for one, two in zip(plain.rules, proposal("ticket-a-win11").rules, strict=True):
        assert one.rule == two.rule
        assert isinstance(one.proof, Proof)
        assert isinstance(two.proof, Proof)
        assert one.proof.passes <= two.proof.passes
        assert one.proof.still_blocked <= two.proof.still_blocked
