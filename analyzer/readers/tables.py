"""Tables as Windows' own tools and PowerShell write them: any encoding, CSV of any separator, JSON of any wrapping.

``Export-Csv`` may write a ``#TYPE`` line and takes the separator of the region; ``ConvertTo-Json`` of Windows
PowerShell 5 wraps lists as ``{"value": [...], "Count": n}``. One bad row costs one row; nothing here raises on
content, and work and memory are bounded.
"""

from __future__ import annotations

import csv
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from analyzer import frames

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from analyzer.readers.stateproblems import Problems

MAX_ROWS: Final = 500_000
MAX_LINE: Final = 1_000_000  # characters
_MAX_JOINED: Final = 50  # lines of one quoted field
_MAX_DAMAGED: Final = 1000  # rows after which quoted fields are no longer looked for on later lines
_MAX_BROKEN: Final = 200  # damaged JSON objects after which the rest is not looked at
_WINDOW: Final = 256 * 1024  # characters in which the end of a damaged JSON object is looked for
_SEPARATORS: Final = ",;\t"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: where it begins, and its cells."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """One object of a list: where it begins, and its fields by lower-case name."""

    line: int
    fields: Mapping[str, Any]


# --------------------------------------------------------------------------------------------------------------
# CSV


def read_rows(text: str, problems: Problems) -> list[Row]:
    """Split CSV into rows; the separator is the one that the first row has most of. Blank lines are left out."""
    lines = text.split("\n")
    start = _first(lines)
    separator = _separator(lines[start]) if start < len(lines) else ","
    rows: list[Row] = []
    at = damaged = 0
    at = start
    while at < len(lines):
        line = lines[at]
        number, at = at + 1, at + 1
        if not line.strip():
            continue
        if len(rows) >= MAX_ROWS:
            problems.add("lost", f"line {number}", f"has more than {MAX_ROWS:,} rows: the rest was not read")
            break
        cells, used = _cells(lines, number - 1, separator, join=damaged < _MAX_DAMAGED)
        if cells is None:
            damaged += 1
            problems.add("lost", f"line {number}", "a row whose quotes do not close, or that is too long: left out")
            continue
        at += used
        if at >= len(lines) and rows and len(cells) < len(rows[0].cells):  # no line end behind it
            problems.add("lost", f"line {number}", "the last row is cut off: left out")
            break
        rows.append(Row(number, tuple(cells)))
    return rows


def _first(lines: Sequence[str]) -> int:
    """Return where the table begins: behind blank lines, PowerShell's ``#TYPE`` and Excel's ``sep=``."""
    at = 0
    while at < len(lines) and (not lines[at].strip() or lines[at].lstrip("\ufeff").startswith(("#TYPE ", "sep="))):
        at += 1
    return at


def _separator(line: str) -> str:
    outside = re.sub(r'"[^"]*"', "", line)
    return max(_SEPARATORS, key=outside.count)


def _cells(lines: Sequence[str], at: int, separator: str, *, join: bool) -> tuple[list[str] | None, int]:
    """Return the cells of the row that begins at this line, and how many further lines it takes."""
    line = lines[at]
    if len(line) > MAX_LINE:
        return None, 0
    if '"' not in line:
        return line.split(separator), 0
    text, used = line, 0
    while True:
        if used == 0 or '"' in lines[at + used]:
            try:
                return next(csv.reader([text], delimiter=separator, strict=True)), used
            except csv.Error as error:
                if "unexpected end of data" not in str(error):
                    break
        used += 1
        if not join or used > _MAX_JOINED or at + used >= len(lines) or len(text) > MAX_LINE:
            return None, 0
        text = f"{text}\n{lines[at + used]}"
    try:  # quotes inside a field that nobody doubled: the lenient reading of this one line
        return (next(csv.reader([line], delimiter=separator)), 0) if line.count('"') % 2 == 0 else (None, 0)
    except (csv.Error, StopIteration):
        return None, 0


def cells_of(line: str) -> list[str]:
    """Return the cells of one line by itself, for a look at what a file is; none where its quotes do not close."""
    return _cells([line], 0, _separator(line), join=False)[0] or []


def named(rows: Sequence[Row], problems: Problems) -> list[Record]:
    """Turn rows below a header into records; empty cells are left out. A row of another length is told.

    One with more cells is left out: which of them a separator too many cut in two is not known.
    """
    if not rows:
        return []
    header = [cell.strip().lower() for cell in rows[0].cells]
    out = []
    for row in rows[1:]:
        if any(cell.strip() for cell in row.cells[len(header) :]):
            what = f"a row has {len(row.cells)} cells, the header {len(header)}: left out"
            problems.add("lost", f"line {row.line}", what, group="rows that are longer than the header")
            continue
        if len(row.cells) < len(header):
            what = f"a row has {len(row.cells)} cells, the header {len(header)}"
            problems.add("doubtful", f"line {row.line}", what, group="rows that are shorter than the header")
        pairs = zip(header, row.cells, strict=False)
        out.append(Record(row.line, {name: cell for name, cell in pairs if name and cell.strip()}))
    return out


# --------------------------------------------------------------------------------------------------------------
# JSON


def read_objects(text: str, problems: Problems) -> list[Record]:
    """Return the objects of a JSON array, of one object, of PowerShell's wrapper, or of JSON lines."""
    return [Record(line, _lowered(item)) for line, item in _objects(text, problems)]


def _objects(text: str, problems: Problems) -> Iterator[tuple[int, dict[str, Any]]]:
    decoder = json.JSONDecoder()
    budget = 4 * len(text) + _WINDOW
    at, line, counted, found, broken = 0, 1, 0, 0, 0
    opened = text.lstrip("\ufeff \t\n")[:1] == "["
    while (start := _OBJECT.search(text, at)) is not None:
        at = start.start()
        line, counted = line + text.count("\n", counted, at), at
        if found >= MAX_ROWS:
            problems.add("lost", f"line {line}", f"has more than {MAX_ROWS:,} objects: the rest was not read")
            return
        wrapper = _WRAPPER.match(text, at)
        if wrapper is not None:
            at, opened = wrapper.end(), True
            continue
        try:
            item, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            budget -= _WINDOW // 4 + max(0, getattr(error, "pos", at) - at)
            problems.add("lost", f"line {line}", "a JSON object is damaged: left out", group="damaged JSON objects")
            end = _resync(text, at)
            budget -= 0 if end is None else end - at
            broken += 1
            if end is None or budget < 0 or broken > _MAX_BROKEN:
                problems.add("lost", f"line {line}", "what follows the damaged object was not read")
                return
            at = end
            continue
        found += 1
        yield line, item
    if opened and found and "]" not in text[at:]:
        line += text.count("\n", counted)
        problems.add("lost", f"line {line}", "the list has no end: it may have been cut off between two objects")


_OBJECT: Final = re.compile(r"\{")
_WRAPPER: Final = re.compile(r'\{\s*"value"\s*:\s*\[(?=\s*[\{\]])')
_TOKEN: Final = re.compile(r'"(?:[^"\\\n]++|\\.)*+"?|[{}]')  # a text that does not close ends with its line
_INDENT: Final = re.compile(r"[ \t]*\Z")


def _resync(text: str, start: int) -> int | None:
    """Return where to go on behind a damaged object: at the next one of equal indent, or behind its closing brace."""
    edge = min(len(text), start + _WINDOW)
    begin = text.rfind("\n", 0, start) + 1
    ends = []
    if _INDENT.match(text, begin, start) and start - begin < 200:
        following = text.find("\n" + text[begin : start + 1], start)
        if following >= 0:
            ends.append(following)
            edge = min(edge, following)
    depth = 0
    for token in _TOKEN.finditer(text, start, edge):
        depth += {"{": 1, "}": -1}.get(token[0], 0)
        if depth == 0 and token[0] == "}":
            ends.append(token.end())
            break
    return min(ends) if ends else None


def _lowered(item: dict[str, Any]) -> dict[str, Any]:
    return {str(key).lower(): unwrap(value) for key, value in item.items()}


def unwrap(value: Any) -> Any:
    """Take a value out of the wrappers of Windows PowerShell 5: ``{value, Count}`` and ``{value, Value}``."""
    if isinstance(value, dict) and value and {str(key).lower() for key in value} <= {"value", "count"}:
        return value.get("Value", value.get("value"))
    return value


# --------------------------------------------------------------------------------------------------------------
# Either


def read_records(text: str, problems: Problems) -> list[Record]:
    """Return the objects of a JSON file or the rows of a CSV file, by property name in lower case."""
    if is_json(text):
        return read_objects(text, problems)
    return named(read_rows(text, problems), problems)


def is_json(text: str) -> bool:
    """Tell whether a text begins as a JSON object or array does."""
    return text.lstrip("\ufeff \t\n")[:1] in ("{", "[")


_KEY: Final = re.compile(r'"(\w{1,60})"\s*:')


def property_names(head: str) -> frozenset[str]:
    """Return the names, in lower case, of a JSON list's properties or of a CSV's columns, seen in its beginning."""
    if is_json(head):
        return frozenset(name.lower() for name in _KEY.findall(head[:32768]))
    lines = head.split("\n")
    start = _first(lines)
    if start >= len(lines) or len(lines[start]) > 8192:
        return frozenset()
    cells = _cells(lines, start, _separator(lines[start]), join=False)[0] or []
    return frozenset(cell.strip().lower() for cell in cells)


# --------------------------------------------------------------------------------------------------------------
# Values


def text_of(value: Any) -> str | None:
    """Return a value as text without outer blanks; empty and null are None."""
    if value is None or isinstance(value, (dict, list)):
        return None
    text = str(value).strip()
    if not text.isascii():  # JSON can spell half a surrogate pair
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text or None


def number_of(value: Any) -> int | None:
    """Return a value as a whole number of at most 64 bits, or None."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    text = text_of(value)
    if text is None or len(text) > 20 or not text.isascii() or not text.isdecimal():
        return None
    number = int(text)
    return number if number < 2**64 else None


# --------------------------------------------------------------------------------------------------------------
# Frames


def frame(rows: Sequence[Mapping[str, object]], schema: Mapping[str, str], name: str) -> pd.DataFrame:
    """Return rows as a frame of a schema; what a row does not hold is missing, ``input`` is the file's name."""
    columns: dict[str, list[object]] = {column: [row.get(column) for row in rows] for column in schema}
    columns["input"] = [name] * len(rows)
    return frames.build(columns, schema)
