"""The columns of a file's tables while they grow block by block, and the frames that they become.

A block gives one ``Piece`` per table. Texts come as codes and the block's own distinct texts, and are renumbered by
those of the file; a column that a block lacks is missing there and costs no memory until the end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from analyzer import frames

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.readers.evtx.gather import I64, Flags
    from analyzer.wfp.events import Table

    Codes = NDArray[np.signedinteger[Any]]
    Unsigned = NDArray[np.unsignedinteger[Any]]

_CODES: Final = ((127, np.int8), (32767, np.int16), (2**31 - 1, np.int32))  # signed: -1 is missing
_NUMBERS: Final = ((2**8 - 1, np.uint8), (2**16 - 1, np.uint16), (2**32 - 1, np.uint32), (2**64 - 1, np.uint64))


@dataclass(slots=True)
class Piece:
    """The rows of one table in one block; all arrays have the shape (rows,).

    ``plain`` are complete integer columns (``time`` in nanoseconds since 1970), ``numbers`` are (value, is missing),
    ``texts`` are (code, distinct texts) with -1 for missing, ``extra`` is (code, distinct dicts) or None.
    """

    rows: int
    plain: dict[str, I64] = field(default_factory=dict)
    numbers: dict[str, tuple[Unsigned, Flags | None]] = field(default_factory=dict)
    texts: dict[str, tuple[Codes, list[str]]] = field(default_factory=dict)
    extra: tuple[Codes, list[dict[str, str]]] | None = None

    def shrink(self) -> None:
        """Store numbers and codes in the smallest type that holds them, and flags that are all False as None."""
        for name, (values, missing) in self.numbers.items():
            kind = _smallest(int(values.max(initial=0)), _NUMBERS)
            flags = missing if missing is not None and missing.any() else None
            self.numbers[name] = values.astype(kind, copy=False), flags
        for name, (codes, texts) in self.texts.items():
            self.texts[name] = codes.astype(_smallest(len(texts), _CODES), copy=False), texts


def _smallest(most: int, kinds: tuple[tuple[int, type[Any]], ...]) -> type[Any]:
    """Return the first type that holds a number."""
    return next(kind for limit, kind in kinds if most <= limit)


class _Texts:
    """One text column: the distinct texts of the file, and per block (rows, codes or None)."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}
        self.parts: list[tuple[int, NDArray[Any] | None]] = []

    def add(self, rows: int, part: tuple[Codes, list[str]] | None) -> None:
        if part is None:
            self.parts.append((rows, None))
            return
        codes, texts = part
        known = self.known
        numbers = [known.setdefault(text, len(known)) for text in texts]
        # the last place of the table is where code -1 leads
        self.parts.append((rows, np.array([*numbers, -1], dtype=_smallest(len(known), _CODES)).take(codes)))

    def build(self, total: int) -> pd.Categorical:
        codes: Codes = np.full(total, -1, dtype=_smallest(len(self.known), _CODES))
        _fill(codes, self.parts)
        categories = pd.Index(list(self.known), dtype="str")
        self.known.clear()
        return pd.Categorical.from_codes(codes, categories=categories, validate=False)


class _Numbers:
    """One column of ``UInt64``: per block (rows, values or None, is missing or None where all or none is)."""

    def __init__(self) -> None:
        self.parts: list[tuple[int, Unsigned | None, Flags | None]] = []

    def add(self, rows: int, part: tuple[Unsigned, Flags | None] | None) -> None:
        self.parts.append((rows, *(part or (None, None))))

    def build(self, total: int) -> pd.arrays.IntegerArray:
        values = np.zeros(total, dtype=np.uint64)
        missing = np.zeros(total, dtype=bool)
        at = 0
        for number, (rows, part, flags) in enumerate(self.parts):
            if part is None:
                missing[at : at + rows] = True
            else:
                values[at : at + rows] = part
            if flags is not None:
                missing[at : at + rows] = flags
            self.parts[number] = rows, None, None
            at += rows
        return pd.arrays.IntegerArray(values, missing)


def _fill(out: NDArray[Any], parts: list[tuple[int, NDArray[Any] | None]]) -> None:
    """Put the parts one behind another and drop them."""
    at = 0
    for number, (rows, part) in enumerate(parts):
        if part is not None:
            out[at : at + rows] = part
            parts[number] = (rows, None)
        at += rows


class TableColumns:
    """All columns of one table of one file."""

    def __init__(self, table: Table, name: str) -> None:
        self._schema = frames.EVENT_SCHEMAS[table]
        self._name = name
        self._rows = 0
        self._plain: dict[str, list[tuple[int, Any]]] = {}
        self._texts = {column: _Texts() for column, dtype in self._schema.items() if dtype == frames.TEXT}
        self._numbers = {column: _Numbers() for column, dtype in self._schema.items() if dtype == frames.NUMBER}
        self._extras: list[tuple[int, tuple[Codes, list[dict[str, str]]] | None]] = []

    def add(self, piece: Piece) -> None:
        """Append the rows of a block."""
        if not piece.rows:
            return
        self._rows += piece.rows
        for column, values in piece.plain.items():
            self._plain.setdefault(column, []).append((piece.rows, values))
        for column, texts in self._texts.items():
            texts.add(piece.rows, piece.texts.get(column))
        for column, numbers in self._numbers.items():
            numbers.add(piece.rows, piece.numbers.get(column))
        self._extras.append((piece.rows, piece.extra))

    def build(self) -> pd.DataFrame:
        """Return the frame; the columns are empty afterwards."""
        if not self._rows:
            return frames.empty(self._schema)
        out: dict[str, Any] = {}
        for column, dtype in self._schema.items():
            if column == "input":
                codes = np.zeros(self._rows, dtype=np.int8)
                out[column] = pd.Categorical.from_codes(codes, categories=pd.Index([self._name], dtype="str"))
            elif dtype == frames.TEXT:
                out[column] = self._texts[column].build(self._rows)
            elif dtype == frames.NUMBER:
                out[column] = self._numbers[column].build(self._rows)
            elif dtype == frames.OBJECT:
                out[column] = self._build_extra()
            else:
                out[column] = self._build_plain(column, dtype)
        return pd.DataFrame(out, copy=False)

    def _build_plain(self, column: str, dtype: str) -> Any:
        values = np.empty(self._rows, dtype=np.int64 if dtype == frames.TIME else dtype)
        _fill(values, self._plain.pop(column))
        return pd.DatetimeIndex(values.view("datetime64[ns]")).tz_localize("UTC") if dtype == frames.TIME else values

    def _build_extra(self) -> NDArray[Any]:
        out = np.full(self._rows, None, dtype=object)
        at = 0
        for rows, part in self._extras:
            if part is not None:
                codes, dicts = part
                distinct = np.full(len(dicts) + 1, None, dtype=object)
                distinct[:-1] = dicts
                out[at : at + rows] = distinct[codes]
            at += rows
        self._extras.clear()
        return out
