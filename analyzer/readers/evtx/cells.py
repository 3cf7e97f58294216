"""Reads the placed values of one table: each column once for the whole block, whatever templates it came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import numpy as np

from analyzer.readers.evtx.columns import Piece
from analyzer.readers.evtx.dictionary import encode, read
from analyzer.readers.evtx.gather import factorize
from analyzer.readers.evtx.numerals import numbers, text_of

if TYPE_CHECKING:
    from analyzer.readers.evtx.gather import I64, U8, Flags


@dataclass(slots=True)
class Work:
    """The rows of one table in a block: records (rows,), and packed values (rows,) per column."""

    records: I64
    texts: dict[str, I64] = field(default_factory=dict)
    numbers: dict[str, I64] = field(default_factory=dict)
    extras: list[tuple[I64, dict[str, I64]]] = field(default_factory=list)  # rows (m,), name -> packed values (m,)

    def place(self, rows: I64, name: str, found: I64, *, numeric: bool) -> None:
        """Put packed values (m,) into a column, at these rows (m,)."""
        columns = self.numbers if numeric else self.texts
        column = columns.get(name)
        if column is None:
            column = columns[name] = np.zeros(len(self.records), dtype=np.int64)
        column[rows] = found


def read_columns(block: U8, work: Work, careful: Flags) -> Piece:
    """Read the columns of one table; marks the records whose values must be read with care."""
    piece = Piece(len(work.records))
    for name, found in work.numbers.items():
        result = numbers(block, found)
        piece.numbers[name] = (result.number, result.missing)
        careful[work.records[result.careful]] = True
    for name, found in work.texts.items():
        codes, texts, odd = _read_texts(block, found)
        piece.texts[name] = (codes, texts)
        careful[work.records[odd]] = True
    if work.extras:
        piece.extra = _read_extras(block, work, careful)
    return piece


def _read_texts(block: U8, found: I64) -> tuple[I64, list[str], I64]:
    """Return codes (n,), distinct texts, and the rows that must be read with care."""
    encoded = encode(block, found)
    texts, bad = read(block, encoded.packed, text_of)
    odd = encoded.unsure
    if bad.any():
        odd = np.union1d(odd, np.flatnonzero(bad[encoded.codes] & (encoded.codes >= 0)))
    if None not in texts and "" not in texts and "-" not in texts:
        return encoded.codes, cast("list[str]", texts), odd
    codes: list[int] = []
    kept: list[str] = []
    for text in texts:
        missing = text in (None, "", "-")
        codes.append(-1 if missing else len(kept))
        if not missing:
            kept.append(str(text))
    return np.array([*codes, -1], dtype=np.int64)[encoded.codes], kept, odd


def _read_extras(block: U8, work: Work, careful: Flags) -> tuple[I64, list[dict[str, str]]]:
    """Return for each row the code of what it keeps beside its columns, and the distinct dicts."""
    codes = np.full(len(work.records), -1, dtype=np.int64)
    dicts: list[dict[str, str]] = []
    for rows, extras in work.extras:
        key = np.zeros(len(rows), dtype=np.int64)
        columns: list[tuple[str, I64, list[str]]] = []
        for name, found in extras.items():
            own, texts, odd = _read_texts(block, found)
            careful[work.records[rows[odd]]] = True
            columns.append((name, own, texts))
            key, _ = factorize((key << 32) | (own + 1))
        key, first = factorize(key)
        mine = []
        for row in first.tolist():
            kept = {name: texts[own[row]] for name, own, texts in columns if own[row] >= 0}
            mine.append(len(dicts) if kept else -1)
            if kept:
                dicts.append(kept)
        codes[rows] = np.array(mine, dtype=np.int64)[key]
    return codes, dicts
