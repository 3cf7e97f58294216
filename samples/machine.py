"""Builds the filter engine's state of one machine: run-time ids, keys, origins, effective weights."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from samples import windows
from samples.state import (
    EMPTY,
    Condition,
    Context,
    Endpoint,
    Filter,
    Layer,
    Provider,
    Session,
    State,
    SubLayer,
    Weight,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

BUILT_IN: Final = "f" * 16  # provider data of filters that no rule made
MAX: Final = 2**64 - 1

# The low bits of effective weights by layer and field, read off a real Windows 11 state; a filter's weight is its
# class in the top four bits and the bits of its fields.
_BITS: Final[dict[str, dict[str, int]]] = {
    "ALE_AUTH_CONNECT": {
        "ALE_APP_ID": 0x2000000000,
        "ALE_PACKAGE_ID": 0x2000000000,
        "ALE_USER_ID": 0x1000000000,
        "IP_PROTOCOL": 0x3800000000000,
        "IP_REMOTE_PORT": 0x1C000000000,
        "IP_LOCAL_PORT": 0x400000000000,
        "IP_REMOTE_ADDRESS": 0x1000000000000,
        "ORIGINAL_PROFILE_ID": 0x700,
        "CURRENT_PROFILE_ID": 0xF0,
        "FLAGS": 0x4,
    },
    "ALE_AUTH_RECV_ACCEPT": {
        "ALE_APP_ID": 0x8000000000,
        "ALE_PACKAGE_ID": 0x8000000000,
        "ALE_USER_ID": 0x4000000000,
        "IP_PROTOCOL": 0x6000000000000,
        "IP_LOCAL_PORT": 0x1000000000000,
        "ORIGINAL_ICMP_TYPE": 0x1000000000000,
        "IP_REMOTE_PORT": 0x70000000000,
        "IP_REMOTE_ADDRESS": 0x80000000000000,
        "ALE_SIO_FIREWALL_SYSTEM_PORT": 0x400000000,
        "ORIGINAL_PROFILE_ID": 0x380,
        "CURRENT_PROFILE_ID": 0x78,
        "FLAGS": 0x4,
    },
    "ALE_AUTH_LISTEN": {
        "ALE_APP_ID": 0x80,
        "ALE_USER_ID": 0x40,
        "IP_LOCAL_PORT": 0x3FFFFF00,
        "FLAGS": 0x20,
    },
    "ALE_RESOURCE_ASSIGNMENT": {
        "ALE_APP_ID": 0x1000000000,
        "ALE_USER_ID": 0x800000000,
        "IP_LOCAL_PORT": 0xFFF000000000000,
        "IP_PROTOCOL": 0x3FE000000000,
        "FLAGS": 0x100000,
    },
}
_OTHER_BITS: Final = {"FLAGS": 0x4000000, "NEXTHOP_INTERFACE_PROFILE_ID": 0x4, "ARRIVAL_INTERFACE_PROFILE_ID": 0x4}


def effective_weight(layer: str, weight: Weight, conditions: Sequence[Condition]) -> int:
    """Return the weight that the engine would give: as given for UINT64, else class and fields."""
    kind, value = weight
    if kind == "UINT64":
        return value or 0
    bits = _BITS.get(layer.removesuffix("_DISCARD").removesuffix("_V4").removesuffix("_V6"), _OTHER_BITS)
    total = (value or 0) << 60 if kind == "UINT8" else 0
    for condition in conditions:
        total |= bits.get(condition.field, 0)
    return total


@dataclass(frozen=True, slots=True)
class Draft:
    """A filter before it has a run-time id. ``key`` and ``effective`` are made up when not given."""

    name: str
    layer: str
    action: str
    conditions: Sequence[Condition] = ()
    sublayer: str = windows.WF
    provider: str | None = windows.WF
    weight: Weight = EMPTY
    data: str | None = BUILT_IN
    origin: str | None = None
    flags: Sequence[str] = ()
    callout: str | None = None
    description: str = ""
    key: str | None = None
    effective: int | None = None


class Machine:
    """One machine's state under construction. ``seed`` makes its random-looking keys."""

    def __init__(self, seed: str, *, windows11: bool, first_id: int) -> None:
        self.seed = seed
        self.windows11 = windows11
        self.next_id = first_id
        self.filters: dict[int, Filter] = {}
        self.contexts: dict[str, Context] = {}
        self.providers: list[Provider] = []
        self.sublayers: list[SubLayer] = []
        self.sessions: list[Session] = []
        self.endpoints: list[Endpoint] = []
        self._rule = 0x2C00
        self._keys = 0

    def guid(self) -> str:
        """Return the next key: fixed by the seed, of the shape of a random one."""
        self._keys += 1
        value = uuid.uuid5(uuid.NAMESPACE_URL, f"{self.seed}/{self._keys}").int
        return "{" + str(uuid.UUID(int=value, version=4)) + "}"

    def rule_data(self) -> str:
        """Return provider data for a new rule: one number for all filters of one rule."""
        self._rule += 1
        return self._rule.to_bytes(8, "little").hex()

    def skip(self, count: int) -> None:
        """Leave out run-time ids, as filters that came and went do."""
        self.next_id += count

    def context(self, origin: str) -> str:
        """Return the key of the context that stores this origin."""
        if origin not in self.contexts:
            number = 9223372036854775810 + len(self.contexts)
            self.contexts[origin] = Context(self.guid(), origin, number)
        return self.contexts[origin].key

    def add(self, draft: Draft) -> int:
        """Add one filter and return its run-time id. Origins are written on Windows 11 alone."""
        filter_id = self.next_id
        self.next_id += 1
        named = list(draft.flags)
        context = None
        if draft.origin is not None and self.windows11:
            context = self.context(draft.origin)
            early = [flag for flag in named if flag in {"BOOTTIME", "PERSISTENT"}]
            late = [flag for flag in named if flag not in early]
            named = [*early, "HAS_PROVIDER_CONTEXT", *late, "HAS_FILTER_ORIGIN"]
        effective = draft.effective
        if effective is None:
            effective = effective_weight(draft.layer, draft.weight, draft.conditions)
        self.filters[filter_id] = Filter(
            filter_id,
            draft.key or self.guid(),
            draft.name,
            draft.description,
            tuple(named),
            self._symbol(draft.provider, windows.WSH_PROVIDER_GUID),
            draft.data,
            draft.layer,
            self._symbol(draft.sublayer, windows.WSH_SUBLAYER_GUID) or draft.sublayer,
            draft.weight,
            tuple(draft.conditions),
            draft.action,
            draft.callout,
            context,
            effective,
        )
        return filter_id

    def _symbol(self, word: str | None, older: str) -> str | None:
        """Return the GUID of service hardening where Windows 10 knows no symbol for it (REFERENCE 9)."""
        return older if word == windows.WSH and not self.windows11 else word

    def state(self, time: str) -> State:
        """Return the dump at a time, filters in the order of their ids."""
        numbers = {key: 20 + index for index, key in enumerate(k for row in windows.CALLOUTS.values() for k, _ in row)}
        layers = [
            Layer(
                number,
                symbol,
                windows.layer_name(symbol),
                tuple((key, name, numbers[key]) for key, name in windows.CALLOUTS.get(symbol, ())),
            )
            for number, symbol in windows.layers(windows11=self.windows11)
        ]
        return State(
            time,
            self.windows11,
            layers,
            [self.filters[number] for number in sorted(self.filters)],
            self.providers,
            self.sublayers,
            sorted(self.contexts.values(), key=lambda item: item.context_id),
            self.endpoints,
            self.sessions,
        )


def equal(field: str, kind: str, value: str | int) -> Condition:
    """Return an EQUAL condition."""
    return Condition(field, "EQUAL", kind, value)


def application(path: str) -> Condition:
    """Return the condition for a program by its device path."""
    return equal("ALE_APP_ID", "BYTE_BLOB_TYPE", path)


def user(sddl: str) -> Condition:
    """Return the condition for the connecting token."""
    return equal("ALE_USER_ID", "SECURITY_DESCRIPTOR_TYPE", sddl)


def protocol(number: int) -> Condition:
    """Return the condition for an IP protocol."""
    return equal("IP_PROTOCOL", "UINT8", number)


def local_port(number: int) -> Condition:
    """Return the condition for one local port."""
    return equal("IP_LOCAL_PORT", "UINT16", number)


def remote_port(number: int) -> Condition:
    """Return the condition for one remote port."""
    return equal("IP_REMOTE_PORT", "UINT16", number)


def remote_range(low: str, high: str) -> Condition:
    """Return the condition for a range of remote addresses."""
    return Condition("IP_REMOTE_ADDRESS", "RANGE", "BYTE_ARRAY16_TYPE" if ":" in low else "UINT32", (low, high))


def profile(number: int) -> list[Condition]:
    """Return both profile conditions."""
    return [equal("ORIGINAL_PROFILE_ID", "UINT32", number), equal("CURRENT_PROFILE_ID", "UINT32", number)]


def flags(match: str, value: int) -> Condition:
    """Return a condition on the classify flags: match is ALL_SET or NONE_SET."""
    return Condition("FLAGS", f"FLAGS_{match}", "UINT32", value)
