"""Bad input at the level of the command, for every kind of file that is read: one table of kinds and of damage.

Exit codes by the contract; what is wrong is said with file and place; all the rest is read; nothing is raw, nothing
hangs, and no traceback is seen. What single readers say is tested with them.
"""

from __future__ import annotations

import json
import random
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import kind_files
import pytest
from kind_files import KINDS, PLAIN, Kind

from analyzer.cli import main
from samples.neteventswriter import write_cab, write_netevents, write_wfpdiag

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECONDS: Final = 60  # a bound against endless loops, no measurement
BASE: Final = "base.xml"  # a sound log beside the damaged file
RUBBISH: Final = random.Random(7).randbytes(300)
DEEP: Final = 200_000
HUGE: Final = 5_000_000
LETTER: Final = "Käse"
HOSTILE: Final = (
    "\x1b[31mred\x1b[0m\x07",
    "\u202egpj.exe\u2066",
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "'><img src=x onerror=alert(1)>",
    "%s%n{{7*7}}",
)
RAW: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")

# --------------------------------------------------------------------------------------------------------------
# Damage


def sound(kind: Kind, text: str = PLAIN) -> bytes:
    return kind.make([text] * kind.items)


def inside(kind: Kind, data: bytes) -> int:
    """Return a place inside a text of the middle of the file; in an archive some place of its data."""
    if kind.encoding is None:
        return len(data) * 6 // 10
    marker = PLAIN.encode("utf-16-le" if kind.encoding == "utf-16" else "utf-8")
    found = [match.start() for match in re.finditer(re.escape(marker), data)]
    return found[len(found) * 6 // 10] + 2


def truncated(kind: Kind) -> bytes:
    data = sound(kind)
    return data[: inside(kind, data)]


def rubbish(kind: Kind) -> bytes:
    data = sound(kind)
    at = inside(kind, data)
    return data[:at] + RUBBISH + data[at:]


def hole(kind: Kind) -> bytes:
    """A file system that lost power leaves NULs."""
    data = sound(kind)
    at = inside(kind, data)
    return data[:at] + bytes(64) + data[at + 64 :] if kind.encoding is None else data[:at] + bytes(64) + data[at:]


def text_of(kind: Kind, data: bytes) -> str:
    return data.decode("utf-16" if kind.encoding == "utf-16" else "utf-8-sig")


def rewritten(kind: Kind, change: Callable[[str], bytes], text: str = PLAIN) -> bytes:
    """Change the text of a file; of an archive, that of a member."""
    if kind is KINDS["cabinet"]:
        inner = write_wfpdiag(kind_files.net_events([text] * kind.items))
        return write_cab({"wfpdiag.xml": change(inner.decode("utf-8-sig"))})
    if kind is KINDS["zip"]:
        inner = write_netevents(kind_files.net_events([text] * kind.items))
        return kind_files.zipped({"netevents.xml": change(inner.decode("utf-8-sig"))})
    return change(text_of(kind, sound(kind, text)))


def ansi(kind: Kind) -> bytes:
    return rewritten(kind, lambda text: text.encode("cp1252"), LETTER)


def wide(kind: Kind) -> bytes:
    """UTF-16 without a byte order mark, as redirections and editors leave it."""
    return rewritten(kind, lambda text: text.encode("utf-16-le"), LETTER)


def deep(kind: Kind) -> bytes:
    def change(text: str) -> bytes:
        encoding = kind.encoding or "utf-8"
        middle = text.index("\n", len(text) // 2) + 1
        if kind.xml or kind.encoding is None:
            nest = "<a>" * DEEP + "</a>" * DEEP
        elif kind.name.endswith(".jsonl"):
            nest = "[" * DEEP + "\n" + '{"a":' * DEEP + "1" + "}" * DEEP + "\n"
        elif kind.name.endswith(".json"):
            middle = text.index('"Name"', middle)
            nest = f'"Deep": {"[" * DEEP}{"]" * DEEP}, '
        elif kind.name.endswith(".reg"):
            nest = "[HKEY_LOCAL_MACHINE\\" + "a\\" * DEEP + 'a]\r\n"x"="y"\r\n'
        else:
            nest = '"' * (DEEP + 1) + "\r\n" + "," * DEEP + "\r\n"
        return (text[:middle] + nest + text[middle:]).encode(encoding)

    return rewritten(kind, change)


def huge(kind: Kind) -> bytes:
    middle = kind.items // 2
    return kind.make([*[PLAIN] * middle, "x" * HUGE, *[PLAIN] * (kind.items - middle - 1)])


def hostile(kind: Kind) -> bytes:
    return kind.make([HOSTILE[number % len(HOSTILE)] for number in range(kind.items)])


# --------------------------------------------------------------------------------------------------------------
# The table


@dataclass(frozen=True)
class Damage:
    """What is done to a file; the exit codes that may follow; how many of its items are read in any case.

    ``told``: file and place are said; ``lost`` of the items may be missing.
    """

    make: Callable[[Kind], bytes]
    codes: frozenset[int]
    lost: float
    told: bool = True


BOTH: Final = frozenset({0, 3})
DAMAGES: Final[dict[str, Damage]] = {
    "truncated": Damage(truncated, frozenset({3}), 0.67),
    "rubbish in the middle": Damage(rubbish, BOTH, 0.34),
    "a hole of NULs": Damage(hole, BOTH, 0.34),
    "in an ANSI code page": Damage(ansi, frozenset({0}), 0, told=False),
    "in UTF-16 without a mark": Damage(wide, frozenset({0}), 0, told=False),
    "deep nesting": Damage(deep, BOTH, 0.34),
    "a huge field": Damage(huge, BOTH, 0.34, told=False),
    "hostile texts": Damage(hostile, frozenset({0}), 0, told=False),
}
# What differs: the blocks of a cabinet, and the members of a zip, stand or fall as a whole.
DIFFERENT: Final[dict[tuple[str, str], Damage]] = {
    ("cabinet", "rubbish in the middle"): Damage(rubbish, frozenset({3}), 0.67),
    ("cabinet", "a hole of NULs"): Damage(hole, frozenset({3}), 0.67),
    # What stands below a damaged name of a key is of nobody.
    ("registry", "deep nesting"): Damage(deep, frozenset({3}), 0.67),
}


class Desk:
    """The command in a folder of its own, with a sound log beside the damaged file."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capture = capture
        self.err = ""
        (folder / BASE).write_bytes(kind_files.event_xml(["base.exe"] * 3))

    def run(self, *arguments: object) -> int:
        begun = time.monotonic()
        code = main([str(item) for item in arguments])
        assert time.monotonic() - begun < SECONDS
        out, self.err = self.capture.readouterr()
        assert "Traceback" not in out + self.err
        assert "internal error" not in self.err
        assert RAW.search(out + self.err) is None
        return code

    def report(self, name: str, data: bytes) -> tuple[int, dict[str, Any]]:
        """Report on the file and the sound log; all of the latter is in the result, and the page is whole."""
        (self.folder / name).write_bytes(data)
        page, document = self.folder / "out.html", self.folder / "out.json"
        code = self.run("report", self.folder / name, self.folder / BASE, "-o", page, "--json", document, "--force")
        assert code in (0, 3), self.err
        text = page.read_text("utf-8")
        assert text.rstrip().endswith("</html>")
        assert RAW.search(text) is None
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        result = json.loads(document.read_text("utf-8"))
        base = next(item for item in result["inputs"] if item["name"] == BASE)
        assert (base["records"], base["events"]) == (3, 3)
        assert sum(v["count"] for v in result["verdicts"] if (v["application"] or "").endswith("base.exe")) == 3
        return code, result


def of_file(result: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the problems of a file and, for an archive, of its members."""
    return [item for item in result["problems"] if (item["input"] or "").startswith(name)]


def items(result: dict[str, Any], kind: Kind) -> int:
    """Return how many of its items were read. Of exported events the events count: a lost record is one as well."""
    mine = [item for item in result["inputs"] if item["name"].startswith(kind.name)]
    column = "events" if kind.told in ("eventxml", "eventjson") else "records"
    return sum(item[column] or 0 for item in mine) - kind.more


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys)


@pytest.mark.parametrize("name", KINDS)
def test_a_sound_file_is_read_whole_and_in_silence(desk: Desk, name: str) -> None:
    kind = KINDS[name]
    code, result = desk.report(kind.name, sound(kind))
    assert (code, items(result, kind)) == (0, kind.items)
    assert {item["kind"] for item in result["inputs"] if item["name"] == kind.name} == {kind.told}
    assert not [item for item in of_file(result, kind.name) if item["severity"] != "note"]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", KINDS)
def test_damage_costs_what_it_hit_and_is_said(desk: Desk, name: str, damage: str) -> None:
    kind, row = KINDS[name], DIFFERENT.get((name, damage), DAMAGES[damage])
    code, result = desk.report(kind.name, row.make(kind))
    assert code in row.codes
    read = items(result, kind)
    assert read >= int(kind.items * (1 - row.lost))
    said = of_file(result, kind.name)
    lost = [item for item in said if item["severity"] == "lost"]
    assert bool(lost) == (code == 3)
    if read < kind.items:
        assert lost
    if row.told:
        assert any(item["place"] for item in said if item["severity"] != "note"), said
    for item in lost:
        assert item["input"].partition("/")[0] == kind.name


@pytest.mark.parametrize("name", ["Winlogbeat", "NXLog", "Win32_Service JSON", "rules JSON"])
def test_half_a_surrogate_pair(desk: Desk, name: str) -> None:
    kind = KINDS[name]
    data = sound(kind, "SURROGATE")
    spelled = text_of(kind, data).replace("SURROGATE", "\\ud800x").encode(kind.encoding or "")
    code, result = desk.report(kind.name, spelled)
    assert (code, items(result, kind)) == (0, kind.items)


NONE_OF_OURS: Final[dict[str, tuple[bytes, str]]] = {
    "empty": (b"", "an empty file"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "a picture"),
    "a page": (b"<!DOCTYPE html><html><body>not found</body></html>", "root element html"),
    "a note": (b"just a note\r\n" * 50, "text that is not XML"),
    "binary": (bytes(range(256)) * 200, "binary data"),
}


@pytest.mark.parametrize("what", NONE_OF_OURS)
@pytest.mark.parametrize("ending", sorted({kind.name.partition(".")[2] for kind in KINDS.values()}))
def test_another_file_with_this_ending(desk: Desk, ending: str, what: str) -> None:
    """Files are told by their content: a named one that is none of ours is lost; alone it leaves nothing to do."""
    data, words = NONE_OF_OURS[what]
    name = f"evidence.{ending}"
    code, result = desk.report(name, data)
    assert code == 3
    (said,) = of_file(result, name)
    assert said["severity"] == "lost"
    assert words in said["what"]
    target = desk.folder / "alone.html"
    assert desk.run("report", desk.folder / name, "-o", target) == 4
    assert name in desk.err
    assert not target.exists()


@pytest.mark.parametrize("name", KINDS)
def test_strict_writes_nothing_when_something_was_lost(desk: Desk, name: str) -> None:
    kind = KINDS[name]
    (desk.folder / kind.name).write_bytes(truncated(kind))
    target = desk.folder / "strict.html"
    assert desk.run("report", desk.folder / kind.name, desk.folder / BASE, "-o", target, "--strict") == 3
    assert not target.exists()
