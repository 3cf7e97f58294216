"""The result of a comparison as JSON text; names and value sets are fixed by ``reports/schemas/diff.schema.json``."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from reports.document import text_of
from reports.jsontext import whole

if TYPE_CHECKING:
    from analyzer.reviewmodel import Review

KEYS: Final = (
    *("schema_version", "tool", "command", "summary", "sides", "inputs", "problems"),
    *("changes", "defaults", "replay", "exposure", "limits"),
)


def review_json(review: Review) -> str:
    """Return the document as indented JSON text with a final line end."""
    names = [item.name for item in dataclasses.fields(review)]
    order = (*KEYS, *(name for name in names if name not in KEYS))
    document = {name: getattr(review, name) for name in order}
    return text_of(document | {"command": [whole(text) for text in review.command]})
