"""What a dump of the filter engine holds: plain data, as ``statewriter`` prints it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

Weight = tuple[str, int | None]  # ("EMPTY", None), ("UINT8", 9), ("UINT64", 2**64 - 1)
EMPTY: Final[Weight] = ("EMPTY", None)


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition: field and match without prefix, value type without ``FWP_``, value as the dump prints it.

    A range has a value ``(low, high)`` and the type of its ends in ``kind``.
    """

    field: str
    match: str
    kind: str
    value: str | int | tuple[str | int, str | int]


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter with everything that the dump prints of it; names without prefix."""

    filter_id: int
    key: str
    name: str
    description: str
    flags: tuple[str, ...]
    provider: str | None
    provider_data: str | None
    layer: str
    sublayer: str
    weight: Weight
    conditions: tuple[Condition, ...]
    action: str
    callout: str | None
    context: str | None
    effective: int


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer with its filters and callouts (key, name, id)."""

    layer_id: int
    symbol: str
    name: str
    callouts: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider; ``persistent`` sets its only flag."""

    key: str
    name: str
    description: str = ""
    service: str = ""
    persistent: bool = False


@dataclass(frozen=True, slots=True)
class SubLayer:
    """One sublayer."""

    key: str
    name: str
    weight: int
    provider: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """A provider context that stores a filter origin."""

    key: str
    origin: str
    context_id: int


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One connected endpoint."""

    endpoint_id: int
    local: str
    remote: str
    protocol: int
    local_port: int
    remote_port: int
    application: str


@dataclass(frozen=True, slots=True)
class Session:
    """One session of the filter engine."""

    key: str
    process_id: int
    sid: str
    user: str
    kernel: bool
    name: str = ""
    dynamic: bool = False


@dataclass(slots=True)
class State:
    """A whole dump. ``time`` is printed as is; ``windows11`` chooses roots and line ends."""

    time: str
    windows11: bool
    layers: list[Layer] = field(default_factory=list)
    filters: list[Filter] = field(default_factory=list)
    providers: list[Provider] = field(default_factory=list)
    sublayers: list[SubLayer] = field(default_factory=list)
    contexts: list[Context] = field(default_factory=list)
    endpoints: list[Endpoint] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
