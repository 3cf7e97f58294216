"""The printed lists of services: ``sc queryex`` and ``tasklist /svc``.

Both are localized. Of ``sc``'s blocks the order of the lines and the numbers are used, never a label: the name (and
the display name) stand at the margin, then follow, indented, type, state, two exit codes, checkpoint, wait hint,
process id, flags. Of ``tasklist`` the three columns are used; a process without services shows a word ("N/A", "Nicht
zutreffend") that the idle process and System give away, since they never host one.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from typing import TYPE_CHECKING, Final, TypeAlias

from analyzer.readers import tables

if TYPE_CHECKING:
    from analyzer.readers.stateproblems import Problems

Found: TypeAlias = dict[str, object]

# winsvc.h, SERVICE_STATUS_PROCESS.dwCurrentState
STATES: Final[dict[int, str]] = {
    1: "stopped",
    2: "start-pending",
    3: "stop-pending",
    4: "running",
    5: "continue-pending",
    6: "pause-pending",
    7: "paused",
}
_SHARE: Final = 0x20  # winsvc.h, SERVICE_WIN32_SHARE_PROCESS
_WIN32: Final = 0x30  # ... or SERVICE_WIN32_OWN_PROCESS; others are drivers
_TYPE, _STATE, _PID = 0, 1, 6  # positions among the indented lines

_BLANKS: Final = " \t\xa0"
_MAX_LABEL: Final = 61  # characters
# What a service accepts stands in parentheses, on lines of its own.
_CONTINUED: Final = re.compile(r"\s*(?:\(.{0,200}|.{0,200}\))\s*")
_LEADING_HEX: Final = re.compile(r"([0-9a-fA-F]{1,8})(?:\s|$)")
_LEADING_NUMBER: Final = re.compile(r"(\d{1,10})(?:\s|$)")
# Type and state, one line after the other: `20  WIN32_SHARE_PROCESS`, `4  RUNNING`. The constants are not localized.
_SC: Final = re.compile(
    r"^[ \t\xa0]+[^\s:][^:\n]{0,60}:[ \t\xa0]*[0-9a-fA-F]{1,4}[ \t\xa0]{2,}\S[^\n]*\n"
    r"[ \t\xa0]+[^\s:][^:\n]{0,60}:[ \t\xa0]*[1-7][ \t\xa0]{2,}[A-Z_]{4,}",
    re.MULTILINE,
)


def is_sc(head: str) -> bool:
    """Tell ``sc query`` and ``sc queryex`` by the first two indented lines of a block."""
    return _SC.search(head) is not None


def read_sc(text: str, problems: Problems) -> list[Found]:
    """Read the blocks of ``sc queryex``. Drivers are left out; ``sc query`` shows no process ids, which is told."""
    out: list[Found] = []
    without_pid = 0
    margin: list[tuple[int, str]] = []
    fields: list[str] = []

    def close() -> None:
        nonlocal without_pid
        if margin and fields and len(out) < tables.MAX_ROWS:
            row = _sc_block(margin, fields, problems)
            if row is not None:
                out.append(row)
                without_pid += len(fields) == _PID
        margin.clear()
        fields.clear()

    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            close()
        elif (labelled := _labelled(line)) is None:
            _tell_line(number, line, problems)
        elif labelled[0]:
            fields.append(labelled[1])
        else:
            if fields:  # the blank line between two blocks got lost
                close()
            margin.append((number, labelled[1]))
    if margin and not fields and not text.endswith("\n"):
        problems.add("lost", f"line {margin[0][0]}", "the last block of sc is cut off: left out")
    close()
    if without_pid:
        what = f"{without_pid:,} services are listed without a process id (sc query): sc queryex prints it"
        problems.add("note", None, what)
    return out


def _labelled(line: str) -> tuple[bool, str] | None:
    """Return whether a line's label is indented, and its value; None for a line that is no label with a value."""
    label, colon, value = line.partition(":")
    name = label.strip(_BLANKS)
    if not colon or not name or name[0].isspace() or len(name) > _MAX_LABEL or len(line) > tables.MAX_LINE:
        return None
    return label[0] in _BLANKS, value.strip()


def _tell_line(number: int, line: str, problems: Problems) -> None:
    """Tell a line that is no label with a value, unless it goes on with the one before."""
    if len(line) > tables.MAX_LINE:
        problems.add("lost", f"line {number}", "a line is too long: left out")
    elif not _CONTINUED.fullmatch(line):
        what = "a line that is no label with a value: left out"
        problems.add("doubtful", f"line {number}", what, group="lines that are no label with a value")


def _sc_block(margin: list[tuple[int, str]], fields: list[str], problems: Problems) -> Found | None:
    line, name = margin[0]
    place = f"line {line}"
    kind = _LEADING_HEX.match(fields[_TYPE])
    state = _LEADING_NUMBER.match(fields[_STATE]) if len(fields) > _STATE else None
    if not name or kind is None or state is None or len(fields) < _PID:
        what = "a block of sc has no name, type or state, or is cut off: left out"
        problems.add("lost", place, what, group="damaged blocks of sc")
        return None
    number = int(kind[1], 16)
    if not number & _WIN32:
        return None  # a driver
    pid = _LEADING_NUMBER.match(fields[_PID]) if len(fields) > _PID else None
    if pid is None and len(fields) > _PID:
        what = f"the process id of {name[:80]} is no number: left unknown"
        problems.add("doubtful", place, what, group="process ids that are no numbers")
    return {
        "line": line,
        "source": "service-list",
        "service": name,
        "display_name": margin[1][1] or None if len(margin) > 1 else None,
        "process_id": (int(pid[1]) or None) if pid else None,  # 0: not running
        "shared": bool(number & _SHARE),
        "state": STATES.get(int(state[1])),
    }


# --------------------------------------------------------------------------------------------------------------
# tasklist /svc

_RULER: Final = re.compile(r"(={10,}) (={8}) (={10,})\s*")
# Shown for processes without services, where the list itself does not give it away.
_NOTHING: Final = frozenset({"n/a", "nicht zutreffend", "non disponible", "non applicable", "n/d", "k.a.", "-"})


def is_tasklist(head: str) -> bool:
    """Tell ``tasklist /svc`` by three columns with a process id in the middle, or by the table's ruler."""
    if any(_RULER.fullmatch(line) for line in head.split("\n", 12)[:12]):
        return True
    lines = [line for line in head.split("\n", 12)[:12] if line.strip()][:8]
    lines = list(itertools.takewhile(lambda line: len(line) <= 8192, lines))  # damage may follow
    if len(lines) < 2:
        return False
    rows = [tables.cells_of(line) for line in lines]
    three = [row for row in rows if len(row) == 3]
    numbered = [row for row in three if row[1].strip().isdecimal()]
    # Other lists have three columns as well: one of the first processes is idle or System, or is a program.
    usual = any(row[1].strip() in ("0", "4") or row[0].strip().lower().endswith(".exe") for row in numbered)
    return usual and 2 * len(three) > len(rows) and 2 * len(numbered) >= len(rows) - 1


def read_tasklist(text: str, problems: Problems) -> list[Found]:
    """Read ``tasklist /svc`` as CSV or as a table."""
    lines = text.split("\n")
    ruler = next((at for at, line in enumerate(lines[:12]) if _RULER.fullmatch(line)), None)
    rows = _csv_rows(text, problems) if ruler is None else _table_rows(lines, ruler, problems)
    nothing = _nothing(rows)
    out: list[Found] = []
    for line, image, pid, services in rows:
        names = [name.strip() for name in services.split(",") if name.strip()]
        if len(names) == 1 and names[0].lower() in nothing:
            names = []
        if pid == 0:  # the idle process: not a process
            continue
        base: Found = {"line": line, "source": "tasklist", "process_id": pid, "image": image, "state": "running"}
        if names:
            out.extend({**base, "service": name} for name in names)
        else:
            out.append({**base, "state": None})
    return out


def _nothing(rows: list[tuple[int, str, int, str]]) -> frozenset[str]:
    """Return the words that stand for "no services": System's, and those that several programs share."""
    shown = {services.strip().lower() for _, _, pid, services in rows if pid in (0, 4) and "," not in services}
    seen = {(image.lower(), services.strip().lower()) for _, image, _, services in rows if "," not in services}
    shared = Counter(services for _, services in seen)
    return _NOTHING | shown | {word for word, count in shared.items() if count > 2}


def _csv_rows(text: str, problems: Problems) -> list[tuple[int, str, int, str]]:
    out = []
    rows = tables.read_rows(text, problems)
    for at, row in enumerate(rows):
        pid = tables.number_of(row.cells[1]) if len(row.cells) == 3 else None
        if pid is not None and pid < 2**32:
            out.append((row.line, row.cells[0].strip(), pid, row.cells[2]))
        elif at:  # the first is the header
            what = "a row of tasklist has no process id in its second of three columns: left out"
            problems.add("lost", f"line {row.line}", what, group="damaged rows of tasklist")
    return out


def _table_rows(lines: list[str], ruler: int, problems: Problems) -> list[tuple[int, str, int, str]]:
    """Read the table by the columns of its ruler; names of services go on below, at the third column."""
    found = _RULER.fullmatch(lines[ruler])
    first, second = (found.end(1), found.end(2)) if found else (25, 34)
    out: list[tuple[int, str, int, str]] = []
    for number, line in enumerate(lines[ruler + 1 :], ruler + 2):
        if not line.strip():
            continue
        pid = tables.number_of(line[first:second])
        image = line[:first].strip()
        if pid is not None and pid < 2**32 and image:
            out.append((number, image, pid, line[second:].strip()))
        elif out and not line[:second].strip():
            start, name, owner, services = out[-1]
            if len(services) < tables.MAX_LINE:
                out[-1] = (start, name, owner, f"{services} {line[second:].strip()}")
        else:
            what = "a row of tasklist has no process id in its column: left out"
            problems.add("lost", f"line {number}", what, group="damaged rows of tasklist")
    return out
