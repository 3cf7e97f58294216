"""The redaction's options as a command takes them, and the text of its key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.redaction_options import chosen

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from analyzer.redaction import Choice, Key


def redaction_of(others: dict[str, Any]) -> tuple[Choice | None, Path | None]:
    """Take the options of the redaction out of the others."""
    key: Path | None = others.pop("redaction_key")
    return chosen(redact=others.pop("redact"), keep_addresses=others.pop("keep_addresses"), redaction_key=key), key


def with_key(output: Path, key: Path | None) -> tuple[Path, ...]:
    """Return what is written: the output, and the key where it is wanted."""
    return (output,) if key is None else (output, key)


def key_texts(key: Key | None, target: Path | None) -> list[Iterable[str]]:
    """Return the text of the redaction's key, where it is wanted."""
    if key is None or target is None:
        return []
    from reports.document import key_json  # noqa: PLC0415 - help can't wait for it

    return [[key_json(key)]]
