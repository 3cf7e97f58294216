"""What a flow's record says of a field, as text for people."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.engine.fieldvalues import ADDRESSES, MACS, NUMBERS
from analyzer.engine.flows import UNKNOWN
from analyzer.wfp import flags, sids, values

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.engine.addresses import Addresses
    from analyzer.engine.flows import FlowArrays
    from analyzer.engine.tokens import Token


def _address(addresses: Addresses) -> str | None:
    family = int(addresses.family[0])
    if not family:
        return None
    number = (int(addresses.high[0]) << 64) | int(addresses.low[0])
    return str(ipaddress.IPv4Address(number) if family == 4 else ipaddress.IPv6Address(number))


def _token(token: Token) -> str | None:
    """Say what is known of a token."""
    if token.user is None:
        return None
    said = sids.sid_words(token.user)
    return said if token.user in said else f"{said} ({token.user})"


def _number(one: FlowArrays, field: str) -> str | None:
    found = NUMBERS[field](one)
    if not found.known[0]:
        return None
    number = int(found.values[0])
    word = values.number_words(field, number)
    return str(number) if word is None else f"{number} ({word})"


def _mac(number: int) -> str | None:
    return None if number == UNKNOWN else number.to_bytes(6, "big").hex("-")


def _flags(one: FlowArrays) -> str | None:
    """Say which flags are set and which are not, as far as that is known."""
    on = flags.flag_names(int(one.flags_set[0]), flags.CONDITION_FLAGS)
    off = flags.flag_names(int(one.flags_clear[0]), flags.CONDITION_FLAGS)
    said = [*on, *(f"not {name}" for name in off)]
    return ", ".join(said) or None


_SPECIAL: Final[dict[str, Callable[[FlowArrays], str | None]]] = {
    "ALE_APP_ID": lambda one: one.application.at(0),
    "ALE_PACKAGE_ID": lambda one: one.package.at(0),
    "ALE_USER_ID": lambda one: _token(one.tokens[int(one.token[0])]),
    "FLAGS": _flags,
}


def recorded_value(flows: FlowArrays, at: int, field: str) -> str | None:
    """Return what the record of one flow says of a condition's field, or None where it says nothing.

    Parameters
    ----------
    at : the flow's row.
    field : symbol without FWPM_CONDITION_.
    """
    one = flows if len(flows) == 1 else flows.take(np.array([at], dtype=np.intp))
    if field in NUMBERS:
        return _number(one, field)
    if field in ADDRESSES:
        return _address(ADDRESSES[field](one))
    if field in MACS:
        return _mac(int(MACS[field](one)[0]))
    special = _SPECIAL.get(field)
    return None if special is None else special(one)
