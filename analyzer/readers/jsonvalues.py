"""Values of JSON objects that were made of events, however a converter wrote elements, attributes and texts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from analyzer.readers.eventelement import NoEventError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Object = dict[str, Any]

MAX_DEPTH: Final = 32  # objects inside each other that are looked into


def loaded(text: str) -> object:
    """Return the value of a text of JSON, None where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def scalar(value: object) -> str | None:
    """Return a value as text, as the binary reader writes it; None for null and for what has no text of its own."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, dict):
        return scalar(value.get("#text"))
    return None


def first(item: Object, keys: Sequence[str]) -> str | None:
    """Return the text of the first of these keys that has one."""
    for key in keys:
        if key in item and (text := scalar(item[key])):
            return text
    return None


def attribute(parent: Object, element: str, name: str) -> str | None:
    """Return an attribute of an element, however the attributes are written."""
    inner = parent.get(element)
    places = [parent.get(f"{element}_attributes")]
    if isinstance(inner, dict):
        places += [inner.get("#attributes"), {name: inner.get(f"@{name}")}, inner]
    for found in places:
        if isinstance(found, dict) and (text := scalar(found.get(name))) is not None:
            return text
    return None


def fields(value: object, name: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield the named values below a value: lists are repeats of one name, objects have names of their own.

    Raises
    ------
    NoEventError
        When objects lie too deep inside each other.
    """
    if depth > MAX_DEPTH:
        raise NoEventError(f"has more than {MAX_DEPTH} objects inside each other")
    if isinstance(value, dict):
        label = value.get("@Name")
        own = label if isinstance(label, str) else name
        for key, inner in value.items():
            if key == "#text":
                yield from fields(inner, own, depth + 1)
            elif key[:1] != "@" and key != "#attributes" and not key.endswith("_attributes"):
                yield from fields(inner, key, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from fields(inner, name, depth + 1)
    else:
        yield name, scalar(value) or ""


def undotted(item: Object) -> Object:
    """Return an object whose dotted keys (``winlog.event_id``) are objects inside objects."""
    out: Object = {}
    for key, value in item.items():
        parts = key.split(".", MAX_DEPTH)
        here = out
        for part in parts[:-1]:
            inner = here.setdefault(part, {})
            if not isinstance(inner, dict):
                break
            here = inner
        else:
            here[parts[-1]] = value
    return out
