"""Rows of event tables: named fields into the cells of their columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer import frames
from analyzer.readers.evtx import values
from analyzer.wfp.events import EVENTS

if TYPE_CHECKING:
    from analyzer.wfp.events import EventSpec

MISSING: Final = frozenset({"", "-"})


class RowForm:
    """How the fields of one event go into the columns of its table."""

    def __init__(self, spec: EventSpec) -> None:
        columns = list(frames.EVENT_SCHEMAS[spec.table])
        self.width = len(columns)
        self.extra = columns.index("extra")
        self.columns = {item.name.lower(): (columns.index(item.column), item.type != "text") for item in spec.fields}

    def start(self) -> Row:
        """Return an empty row."""
        return Row(self)


class Row:
    """One row while it is filled.

    Names are compared without case. What has no column goes to ``extra``, and so does a name's second value
    (``Data``, then ``Data#2``) and a text in a number's place.
    """

    __slots__ = ("_form", "_seen", "cells")

    def __init__(self, form: RowForm) -> None:
        self._form = form
        self._seen: dict[str, int] = {}  # name without case -> how often it came
        self.cells: list[object] = [None] * form.width

    def put(self, name: str, kind: int, data: bytes) -> None:
        """Put a typed value.

        Raises
        ------
        values.BadValueError
            When its bytes do not fit its type.
        """
        key = name.lower()
        column = self._form.columns.get(key)
        if column is not None and column[1] and key not in self._seen:
            number = values.integer(kind, data)
            if number is not None and number >= 0:
                self._seen[key] = 1
                self.cells[column[0]] = number
                return
        self.put_text(name, values.text(kind, data))

    def put_text(self, name: str, text: str) -> None:
        """Put a text; ``""`` and ``"-"`` are missing."""
        key = name.lower()
        count = self._seen[key] = self._seen.get(key, 0) + 1
        if text in MISSING:
            return
        column = self._form.columns.get(key)
        if column is None or count > 1:
            self._keep(name if count == 1 else f"{name}#{count}", text)
            return
        position, numeric = column
        if not numeric:
            self.cells[position] = text
            return
        number = values.number_of_text(text)
        if number is None:
            self._keep(name, text)
        else:
            self.cells[position] = number

    def put_raw(self, name: str, data: bytes) -> None:
        """Keep bytes that are no value of their type, as hex text in ``extra``."""
        key = name.lower()
        count = self._seen[key] = self._seen.get(key, 0) + 1
        self._keep(name if count == 1 else f"{name}#{count}", data.hex().upper())

    def _keep(self, name: str, text: str) -> None:
        """Keep a text in ``extra``."""
        extra = self.cells[self._form.extra]
        if not isinstance(extra, dict):
            extra = self.cells[self._form.extra] = {}
        extra[name] = text


FORMS: Final[dict[tuple[str, int], RowForm]] = {
    (spec.provider, spec.event_id): RowForm(spec) for spec in EVENTS.values()
}
