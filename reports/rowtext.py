"""Rows of the page's tables as CSV, for the buttons that copy them: made here, so that no script has to know how.

Each line begins with a number, so that none of them can end the PowerShell text (``@' … '@``) that it is put into.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reports import cells

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.model import CitedFilter, Program, ServiceUse, Verdict

FLOW_KEYS: Final = (
    *("flow", "action", "kind", "grade", "computer", "application", "services", "direction", "protocol"),
    *("local_address", "remote_address", "service_port", "layer", "filter_id", "filter_name", "records", "attempts"),
    *("first", "last", "record_ids"),
)
FILTER_KEYS: Final = (
    *("filter_id", "filter_key", "name", "action", "kind", "provider", "sublayer", "layer", "weight", "origin"),
    *("rule_id", "conditions", "blocks", "drops", "permits", "state"),
)
_COUNTS: Final = ("blocks", "attempts", "drops", "permits", "flows")
PROGRAM_KEYS: Final = ("number", "computer", "application", *_COUNTS, "kinds", "first", "last")
SERVICE_KEYS: Final = ("number", "computer", "services", "application", *_COUNTS, "kinds", "first", "last")
LONGEST: Final = 2000  # characters of one value: a line is there to be pasted


def header(keys: Sequence[str]) -> str:
    """Return the first line of a table."""
    return ",".join(keys)


def _line(values: Iterable[object]) -> str:
    return ",".join(cells.field(value[:LONGEST] if isinstance(value, str) else value) for value in values)


def flow(number: int, item: Verdict) -> str:
    """Return a flow as a line."""
    used = item.filter
    return _line(
        (
            *(number, item.action, item.kind, item.grade, item.computer, item.application, item.services),
            *(item.direction, item.protocol, item.local_address, item.remote_address, item.service_port, item.layer),
            *((None, None) if used is None else (used.filter_id, used.name)),
            *(item.count, item.attempts, item.first, item.last, item.record_ids[:10]),
        )
    )


def filter_(item: CitedFilter) -> str:
    """Return a cited filter as a line."""
    one = item.filter
    words = tuple(condition.words[:LONGEST] for condition in item.conditions[:60])
    return _line(
        (
            *(one.filter_id, one.filter_key, one.name, one.action, item.kind, one.provider, one.sublayer, one.layer),
            *(one.weight, one.origin, one.rule_id, words, item.blocks, item.drops, item.permits, item.input),
        )
    )


def program(number: int, item: Program) -> str:
    """Return a program as a line."""
    return _line((number, item.computer, item.application, *_counted(item)))


def service(number: int, item: ServiceUse) -> str:
    """Return a service as a line."""
    return _line((number, item.computer, item.services, item.application, *_counted(item)))


def _counted(item: Program | ServiceUse) -> tuple[object, ...]:
    kinds = tuple(f"{kind} {count}" for kind, count in item.kinds)
    return item.blocks, item.attempts, item.drops, item.permits, item.flows, kinds, item.first, item.last
