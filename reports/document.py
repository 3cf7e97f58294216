"""The result document as JSON text: the dataclasses of the model made plain, in one pass.

Order of keys and value sets are fixed by ``reports/schemas/report.schema.json``. Texts that say nothing are null, and
so are layers, sublayers and providers that are no names for anything.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

import orjson

from reports.jsontext import SYMBOLS, safe, scalar, symbol, whole

if TYPE_CHECKING:
    from analyzer.model import Analysis

REPORT_KEYS: Final = (
    "schema_version",
    "tool",
    "command",
    "inputs",
    "problems",
    "coverage",
    "verdicts",
    "findings",
    "agreement",
)  # what pages need besides comes after these
_FRAMES: Final = frozenset({"events", "filters"})
_APART: Final = frozenset({"explanations", "proposal"})  # in a document of their own
_AS_IS: Final = frozenset({int, bool, float, type(None)})


def report_json(analysis: Analysis) -> str:
    """Return the result document as indented JSON text with a final line end.

    Raises
    ------
    TypeError
        Where the result holds something that JSON has no form for: a mistake of this program.
    """
    names = [item.name for item in dataclasses.fields(analysis) if item.name not in _FRAMES | _APART]
    order = (*REPORT_KEYS, *(name for name in names if name not in REPORT_KEYS))
    return _text(analysis, order)


def explanation_json(analysis: Analysis) -> str:
    """Return the explanations, and what they rest on, as indented JSON text with a final line end."""
    return _text(analysis, ("schema_version", "tool", "command", "inputs", "problems", "explanations"))


def _text(analysis: Analysis, names: Iterable[str]) -> str:
    document = {name: getattr(analysis, name) for name in names}
    return text_of(document | {"command": [whole(text) for text in analysis.command]})


def text_of(document: Mapping[str, Any]) -> str:
    """Return a result document as indented JSON text with a final line end; ``command`` is written as it is."""
    made = {name: value if name == "command" else _plain(value) for name, value in document.items()}
    return safe(orjson.dumps(made, option=orjson.OPT_INDENT_2).decode()) + "\n"


def key_json(key: Mapping[str, Any]) -> str:
    """Return the key of a redaction as indented JSON text with a final line end."""
    return safe(orjson.dumps(_spelled(key), option=orjson.OPT_INDENT_2).decode()) + "\n"


def _spelled(value: Any) -> Any:
    """Return dicts, lists and whole texts, nothing left out."""
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, Mapping):
        return {whole(str(key)): _spelled(item) for key, item in value.items()}
    return [_spelled(item) for item in value] if isinstance(value, (list, tuple)) else value


@cache
def _names(kind: Hashable) -> tuple[tuple[str, bool], ...] | None:
    """Return a dataclass's field names, each with whether it holds a symbol; None for other types."""
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
        return None
    return tuple((item.name, item.name in SYMBOLS) for item in dataclasses.fields(kind))


def _plain(value: Any) -> Any:
    """Return dicts, lists, numbers, texts and None for a value of the model."""
    kind = type(value)
    if kind in _AS_IS:
        return value
    if kind is str:
        return None if value in ("", "-") else value if value.isascii() else whole(value)
    if kind is tuple or kind is list:
        return [_plain(item) for item in value]
    names = _names(cast("Hashable", kind))
    if names is not None:
        return {name: _symbol(getattr(value, name)) if sym else _plain(getattr(value, name)) for name, sym in names}
    if isinstance(value, Mapping):
        return {whole(str(key)): _symbol(item) if key in SYMBOLS else _plain(item) for key, item in value.items()}
    return scalar(value)


def _symbol(value: Any) -> Any:
    return _plain(value) if dataclasses.is_dataclass(value) else symbol(value)
