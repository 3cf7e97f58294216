"""CSV: events, filters, and the columns that Timesketch wants.

RFC 4180: commas, quotes where a field needs them, CR LF. UTF-8 without a byte order mark, which many readers take for a
part of the first column's name; for Excel, which wants one, there is ``xlsx``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from reports import cells, text, words
from reports.columns import Column, Pieces, Style, batches, pieces, utc
from reports.table import event_columns, filter_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.model import Analysis

END: Final = "\r\n"
STYLE: Final = Style("", cells.field)
# Source: Timesketch, "Import from JSON or CSV": its mandatory fields.
TIMESKETCH: Final = ("message", "datetime", "timestamp_desc")
_ACTIONS: Final = {"block": "blocked", "drop": "dropped", "permit": "permitted"}


def event_csv(analysis: Analysis) -> Iterator[str]:
    """Yield the events as CSV, many lines at a time."""
    columns, rows = event_columns(analysis)
    yield from _table([column.name for column in columns], [pieces(column, STYLE) for column in columns], rows)


def filter_csv(analysis: Analysis) -> Iterator[str]:
    """Yield the filters as CSV, many lines at a time."""
    columns, rows = filter_columns(analysis)
    yield from _table([column.name for column in columns], [pieces(column, STYLE) for column in columns], rows)


def _table(header: Sequence[str], columns: Sequence[Pieces], rows: int) -> Iterator[str]:
    yield ",".join(header) + END
    for batch in batches(columns, rows):
        yield "".join(",".join(row) + END for row in batch)


# --------------------------------------------------------------------------------------------------------------
# Timesketch


def untimed(analysis: Analysis) -> int:
    """Return how many events carry no time: a timeline can't hold them."""
    return 0 if analysis.events is None else int(analysis.events["time"].isna().sum())


def timesketch(analysis: Analysis) -> Iterator[str]:
    """Yield the events as Timesketch imports them: a message, a time, what the time means, and all columns."""
    columns, rows = event_columns(analysis)
    header = [*TIMESKETCH, *(column.name for column in columns)]
    yield ",".join(header) + END
    if not rows or analysis.events is None:
        return
    made = [_messages(columns), _datetimes(analysis), _descriptions(columns)]
    for batch in batches([*made, *(pieces(column, STYLE) for column in columns)], rows):
        yield "".join(",".join(row) + END for row in batch if row[1])


def _datetimes(analysis: Analysis) -> Pieces:
    """Return times in ISO 8601 with microseconds and offset, all in one form: the importer's pandas wants that."""
    assert analysis.events is not None  # noqa: S101 - asked before
    moments = utc(analysis.events["time"])

    def texts(start: int, stop: int) -> list[str]:
        part = np.datetime_as_string(moments[start:stop], unit="us").tolist()
        return ["" if item == "NaT" else f"{item}+00:00" for item in part]

    return texts


def _descriptions(columns: Sequence[Column]) -> Pieces:
    """Say what happened at the time: the event's title, or what a net event tells."""
    found = {column.name: column for column in columns}
    ids, actions = (pieces(found[name], STYLE) for name in ("event_id", "action"))
    net = "Net event: {}".format
    return lambda start, stop: [
        cells.quoted(words.EVENTS.get(event_id, event_id) if event_id else net(_ACTIONS.get(action, action)))
        for event_id, action in zip(ids(start, stop), actions(start, stop), strict=True)
    ]


_PLAIN: Final = Style("", lambda value: cells.shown(value) or "")


def _program(value: object) -> str:
    return text.split_path(cells.shown(value) or "")[1]


def _messages(columns: Sequence[Column]) -> Pieces:
    """Say an event in one line: what, who, from where to where, and what decided."""
    found = {column.name: column for column in columns}
    parts = ("action", "direction", "protocol", "local_address", "local_port", "remote_address", "remote_port", "kind")
    read = [pieces(found[name], _PLAIN) for name in (*parts, "grade", "filter_id", "filter_name")]
    read.append(pieces(found["application"], Style("", _program)))

    def texts(start: int, stop: int) -> list[str]:
        return [_message(_Said(*row)) for row in zip(*(column(start, stop) for column in read), strict=True)]

    return texts


class _Said(NamedTuple):
    action: str
    direction: str
    protocol: str
    local: str
    local_port: str
    remote: str
    remote_port: str
    kind: str
    grade: str
    filter_id: str
    filter_name: str
    program: str


def _message(row: _Said) -> str:
    number = words.PROTOCOLS.get(int(row.protocol), f"protocol {row.protocol}") if row.protocol else ""
    near, far = _end(row.local, row.local_port), _end(row.remote, row.remote_port)
    ends = f"{near} to {far}" if near and far else near or far
    what = (_ACTIONS.get(row.action, row.action).capitalize(), row.direction, number, row.program, ends)
    why = f"{row.kind} ({row.grade})" if row.kind else ""
    cause = f"filter {row.filter_id} {row.filter_name}".rstrip() if row.filter_id else ""
    said = ", ".join(part for part in (" ".join(filter(None, what)), why, cause) if part)
    return cells.quoted(cells.harmless(said))


def _end(address: str, port: str) -> str:
    if not address:
        return f"port {port}" if port else ""
    return f"[{address}]:{port}" if port and ":" in address else f"{address}:{port}" if port else address
