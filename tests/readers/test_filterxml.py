"""The XML of single filters is as in the state, bounded, and never cut inside a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.readers import filterxml
from analyzer.readers.filterxml import filter_xml
from analyzer.readers.wfpstate import read_state

if TYPE_CHECKING:
    from pathlib import Path


def test_every_filter_of_a_shipped_state_has_its_xml(root: Path) -> None:
    path = root / "samples" / "ticket-a-win11" / "wfpstate.xml"
    ids = [int(item) for item in read_state(path, "s").filters["filter_id"]]
    found = filter_xml(path, ids)
    assert found
    plain = path.read_text("utf-8-sig")
    for number, text in found.items():
        assert f"<filterId>{number}</filterId>" in text
        assert text.startswith("<item>")
        assert text.endswith("</item>")
        assert all(line.strip() in plain for line in text.splitlines())


def test_filters_that_are_not_there_are_not_made_up(root: Path) -> None:
    path = root / "samples" / "ticket-a-win11" / "wfpstate.xml"
    assert filter_xml(path, [1]) == {}
    assert filter_xml(path, []) == {}


def test_a_long_filter_is_cut_between_its_elements_and_says_so(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "wfpstate.xml"
    secret = "quillfeather" * 20
    name = f"<displayData><name>{secret}</name></displayData>"
    item = f"<item><filterKey>{{0}}</filterKey>{name}<filterId>1</filterId></item>"
    path.write_text(f"<wfpstate><layers><item><filters>{item}</filters></item></layers></wfpstate>", "utf-8")
    for longest in range(20, 300, 7):
        monkeypatch.setattr(filterxml, "LONGEST", longest)
        text = filter_xml(path, [1])[1]
        assert secret in text or "quill" not in text
        assert "more characters -->" in text or text.endswith("</item>")


def test_all_filters_together_are_bounded(root: Path, monkeypatch) -> None:
    path = root / "samples" / "ticket-a-win11" / "wfpstate.xml"
    ids = [int(item) for item in read_state(path, "s").filters["filter_id"]]
    monkeypatch.setattr(filterxml, "MOST", 5_000)
    found = filter_xml(path, ids)
    assert 0 < sum(map(len, found.values())) <= 5_000


def test_a_damaged_state_gives_what_can_be_read_and_a_hostile_one_nothing(tmp_path: Path, root: Path) -> None:
    whole = (root / "samples" / "ticket-a-win11" / "wfpstate.xml").read_bytes()
    cut = tmp_path / "cut.xml"
    cut.write_bytes(whole[: len(whole) // 2])
    ids = [int(item) for item in read_state(cut, "s").filters["filter_id"]]
    assert filter_xml(cut, ids[:20])
    bomb = tmp_path / "bomb.xml"
    bomb.write_text('<!DOCTYPE x [<!ENTITY a "b">]><wfpstate><filterId>1</filterId></wfpstate>', "utf-8")
    assert filter_xml(bomb, [1]) == {}
