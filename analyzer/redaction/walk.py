"""The result document with labels in it: every text of every part, told by the name of its field where that matters."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Hashable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
import pandas as pd

from analyzer.model import Condition
from analyzer.redaction import filterxml
from analyzer.redaction.collect import strings, texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.model import Analysis
    from analyzer.redaction.text import Redactor

# Fields that hold words of this program, numbers as text, times, hashes: nothing of them can name anybody.
VERBATIM: Final = frozenset(
    {
        *("kind", "kind_evidence", "grade", "action", "direction", "severity", "confidence", "fits", "state_fits"),
        *("sha256", "modified", "first", "last", "time", "state_time", "bins", "endpoint_order", "outcome"),
        *("blocks", "drops", "success", "failure", "field", "match", "filter_key", "guid", "tool", "version"),
        *("services_source", "user_source"),
    }
)
# Fields that hold a symbol of the platform or a GUID; what damage made of one is a text as any other.
SYMBOLS: Final = frozenset({"layer", "sublayer", "provider", "flags"})
_SYMBOL: Final = re.compile(r"[A-Z][A-Z0-9_]*|\{[0-9a-f-]{36}\}")
# Fields that hold a word of this program here, and what was recorded there.
WORDS: Final = {"recorded": frozenset({"yes", "no", "unknown"})}
XML: Final = "xml"
HOSTS: Final = frozenset({"computer"})
# Condition fields whose raw value is a number or bytes: REFERENCE 4.2.
_ADDRESS_WORD: Final = "ADDRESS"


def said(analysis: Any) -> Iterator[str]:
    """Yield every text of the result that may hold something to hide."""
    if isinstance(analysis, str):
        yield analysis
    elif dataclasses.is_dataclass(analysis):
        for item in dataclasses.fields(analysis):
            value = getattr(analysis, item.name)
            if item.name == XML:
                yield from filterxml.texts(value or "")
            elif item.name not in VERBATIM and item.name != "command":
                yield from said(value)
    elif isinstance(analysis, pd.DataFrame):
        for column in analysis:
            if column not in VERBATIM:
                yield from texts(analysis[column])
    elif isinstance(analysis, Mapping):
        yield from (text for value in analysis.values() for text in said(value))
    elif isinstance(analysis, (tuple, list)):
        yield from (text for value in analysis for text in said(value))
    else:
        yield from strings(analysis)


def rewrite(analysis: Analysis, redactor: Redactor) -> Analysis:
    """Return the result with labels."""
    return cast("Analysis", _Rewriter(redactor).value(analysis))


class _Rewriter:
    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def value(self, value: Any, name: str = "") -> Any:
        if isinstance(value, str):
            return self._of(name)(value)
        if isinstance(value, (tuple, list)):
            return type(value)(self.value(item, name) for item in value)
        if isinstance(value, Mapping):
            return {key: self.value(item, str(key)) for key, item in value.items()}
        if isinstance(value, pd.DataFrame):
            return self._frame(value)
        return self._dataclass(value)

    def _dataclass(self, value: Any) -> Any:
        if isinstance(value, Condition):
            return self._condition(value)
        fields = _fields(cast("Hashable", type(value)))
        changed = {item: self.value(getattr(value, item), item) for item in fields}
        return dataclasses.replace(value, **changed) if fields else value

    def _of(self, name: str) -> Callable[[str], str]:
        if name in VERBATIM:
            return str
        if name in WORDS:
            return lambda text: text if text in WORDS[name] else self._redactor.text(text)
        if name == XML:
            return lambda text: filterxml.rewrite(text, self._redactor.text)
        if name in SYMBOLS:
            return lambda text: text if _SYMBOL.fullmatch(text) else self._redactor.text(text)
        return self._redactor.host if name in HOSTS else self._redactor.text

    def _condition(self, condition: Condition) -> Condition:
        value, raw = self._pair(condition.field, condition.value, condition.raw)
        return dataclasses.replace(condition, value=value, raw=raw, words=self._redactor.text(condition.words))

    def _pair(self, field: str, value: str | None, raw: str | None) -> tuple[str, str]:
        """Return value and raw value; an address may be raw as a number, which can't be told from others."""
        shown = self._redactor.text(value or "")
        numeric = _ADDRESS_WORD in field and shown != value
        return shown, shown if numeric else self._redactor.text(raw or "")

    # -------------------------------------------------------------------------------------------- frames

    def _frame(self, frame: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame(
            {
                name: frame[name] if name in VERBATIM else self._conditions(frame[name]) if name == "conditions"
                else self._column(frame[name], str(name))
                for name in frame
            },
            index=frame.index,
        )  # fmt: skip

    def _column(self, column: pd.Series, name: str) -> pd.Series:
        one = self._of(name)
        if isinstance(column.dtype, pd.CategoricalDtype):
            new = [one(str(text)) for text in column.cat.categories]
            codes, distinct = pd.factorize(np.array(new, dtype=object))
            moved = np.append(codes, -1)[column.cat.codes.to_numpy()]
            return pd.Series(
                pd.Categorical.from_codes(moved, categories=pd.Index(distinct, dtype="str")), index=column.index
            )
        if isinstance(column.dtype, pd.StringDtype):
            return column.map({text: one(text) for text in column.dropna().unique()}).astype(column.dtype)
        if column.dtype == object:
            return self._objects(column, name)
        return column

    def _objects(self, column: pd.Series, name: str) -> pd.Series:
        known: dict[Any, Any] = {}
        out = np.empty(len(column), dtype=object)
        for place, value in enumerate(column):
            try:
                new = known.get(value)
                if new is None and value is not None:
                    new = known[value] = self.value(value, name)
            except TypeError:  # a dict or list inside has no hash
                new = self.value(value, name)
            out[place] = new
        return pd.Series(out, index=column.index)

    def _conditions(self, column: pd.Series) -> pd.Series:
        out = np.empty(len(column), dtype=object)
        for place, items in enumerate(column):
            out[place] = items if items is None else tuple(self._packed(item) for item in items)
        return pd.Series(out, index=column.index)

    def _packed(self, item: Mapping[str, str | None]) -> dict[str, str | None]:
        value, raw = self._pair(item.get("field") or "", item.get("value"), item.get("raw"))
        changed = {"value": value if item.get("value") is not None else None}
        changed["raw"] = raw if item.get("raw") is not None else None
        return {**{key: self.value(text, key) for key, text in item.items()}, **changed}


@cache
def _fields(kind: Hashable) -> tuple[str, ...]:
    """Return the names of a dataclass's fields; none for other types."""
    return tuple(getattr(kind, "__dataclass_fields__", ()))
