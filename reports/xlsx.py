"""Excel workbooks, written row by row: memory does not grow with them.

Everything is text or a number, never a formula and never a link. Numbers of more than 15 digits, which Excel would
round, are text. Beside the exact time (text) stands a date that Excel can count with, in UTC. A sheet ends at 1,048,576
rows: what is more goes on in the next one.
"""

from __future__ import annotations

import tempfile
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from reports import cells, text
from reports.columns import BATCH, Column, Style, pieces, utc
from reports.table import NUMBERS, event_columns, filter_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from analyzer.model import Analysis

    Read = Callable[[int, int], Sequence[Any]]

MOST_ROWS: Final = 1_048_576  # of a sheet, header and all: Excel specifications and limits
LONGEST: Final = 32_767  # characters of a cell
EXACT: Final = 10**15  # Excel keeps 15 digits
DATE: Final = "time_utc"
_BLOCK: Final = 1 << 20
_EPOCH: Final = np.datetime64("1899-12-30", "ns")  # day 0 of Excel's calendar from March 1900 on
_DAY: Final = 86_400_000_000_000
_WIDE: Final = {"time": 28, DATE: 22, "computer": 24, "input": 24, "application": 60, "reasons": 60, "conditions": 60}
_USUAL: Final = 16


def event_xlsx(analysis: Analysis) -> Iterator[bytes]:
    """Yield the events as a workbook."""
    return _file("events", *event_columns(analysis), analysis)


def filter_xlsx(analysis: Analysis) -> Iterator[bytes]:
    """Yield the filters as a workbook."""
    return _file("filters", *filter_columns(analysis), analysis)


def sheets(rows: int) -> int:
    """Return how many sheets so many rows need."""
    return max(1, -(-rows // (MOST_ROWS - 1)))


def _file(title: str, columns: list[Column], rows: int, analysis: Analysis) -> Iterator[bytes]:
    xlsxwriter: Any = import_module("xlsxwriter")  # an extra, which has no types
    with tempfile.TemporaryFile() as stream:
        plain = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        with xlsxwriter.Workbook(stream, {"constant_memory": True, "use_zip64": True, **plain}) as book:
            readers = [reader for column in columns for reader in _readers(column)]
            styles = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss.000"})
            for number in range(sheets(rows)):
                start = number * (MOST_ROWS - 1)
                sheet = book.add_worksheet(title if not number else f"{title} {number + 1}")
                _sheet(sheet, readers, (start, min(start + MOST_ROWS - 1, rows)), styles)
            _about(book.add_worksheet("about"), analysis)
        stream.seek(0)
        while block := stream.read(_BLOCK):
            yield block


def _sheet(
    sheet: Any, readers: Sequence[tuple[str, str, Read]], rows: tuple[int, int], styles: tuple[Any, Any]
) -> None:
    bold, date = styles
    sheet.freeze_panes(1, 0)
    for place, (name, _, _) in enumerate(readers):
        sheet.set_column(place, place, _WIDE.get(name, _USUAL), date if name == DATE else None)
        sheet.write_string(0, place, name, bold)
    first, last = rows
    sheet.autofilter(0, 0, max(last - first, 1), len(readers) - 1)
    for start in range(first, last, BATCH):
        stop = min(start + BATCH, last)
        columns = [(place, kind, read(start, stop)) for place, (_, kind, read) in enumerate(readers)]
        for offset in range(stop - start):
            row = start - first + offset + 1
            for place, kind, values in columns:
                value = values[offset]
                if value is None or value == "":
                    continue
                if kind == "text":
                    sheet.write_string(row, place, value)
                elif kind == "number" and value < EXACT:
                    sheet.write_number(row, place, value)
                elif kind == "number":
                    sheet.write_string(row, place, str(value))
                else:
                    sheet.write_number(row, place, value, date)


def _readers(column: Column) -> Iterator[tuple[str, str, Read]]:
    """Yield name, kind (text, number, date) and values of what a column becomes."""
    if column.key in NUMBERS:
        yield column.name, "number", _numbers(column)
        return
    texts = pieces(column, Style("", lambda value: _clipped(cells.shown(value) or "")))
    yield column.name, "text", lambda start, stop: list(texts(start, stop))
    if column.key == "time":
        yield DATE, "date", _dates(column)


def _numbers(column: Column) -> Read:
    series = column.series
    if series is None:
        return lambda start, stop: [None] * (stop - start)
    if column.rows is not None:
        distinct = [None if pd.isna(value) else int(value) for value in series.tolist()] + [None]
        rows = column.rows
        return lambda start, stop: [distinct[row] for row in rows[start:stop].tolist()]
    missing = series.isna().to_numpy(dtype=bool)
    numbers = series.fillna(0).to_numpy(dtype=np.uint64)
    return lambda start, stop: [
        None if gone else value
        for value, gone in zip(numbers[start:stop].tolist(), missing[start:stop].tolist(), strict=True)
    ]


def _dates(column: Column) -> Read:
    """Return days since 1899-12-30 in UTC; None for what Excel has no date for."""
    if column.series is None:
        return lambda start, stop: [None] * (stop - start)
    moments = utc(column.series)

    def days(start: int, stop: int) -> list[float | None]:
        part = moments[start:stop]
        found = ((part - _EPOCH) / np.timedelta64(1, "ns") / _DAY).tolist()
        return [None if gone or day < 61 else day for day, gone in zip(found, np.isnat(part).tolist(), strict=True)]

    return days


def _clipped(value: str) -> str:
    return value if len(value) <= LONGEST else text.clip(value, LONGEST - 60)


def _about(sheet: Any, analysis: Analysis) -> None:
    sheet.set_column(0, 1, 40)
    rows = [
        ("made by", f"{analysis.tool.get('name', '')} {analysis.tool.get('version', '')}".strip()),
        ("times", f"UTC; {DATE} is rounded to what Excel can hold, time is exact"),
        ("lists", f"items are parted by “{cells.BETWEEN.strip()}”"),
    ]
    if analysis.selection is not None:
        rows.append(("only a part", analysis.selection.sentence))
    if analysis.redaction is not None:
        rows.append(("redacted", analysis.redaction.sentence))
    rows.extend(("input", item.name) for item in analysis.inputs)
    for place, (name, value) in enumerate(rows):
        sheet.write_string(place, 0, name)
        sheet.write_string(place, 1, _clipped(cells.shown(value) or ""))
