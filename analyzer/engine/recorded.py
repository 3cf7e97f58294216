"""Events as flows: what the records of a packet or connection say that a filter's conditions ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from analyzer.engine import endings, token_table
from analyzer.engine.addresses import LOW64, Addresses, addresses
from analyzer.engine.endings import NOTHING_TOLD
from analyzer.engine.flows import FORWARD, INBOUND, OUTBOUND, UNKNOWN, FlowArrays, Texts
from analyzer.wfp import codes, flags, layers

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from analyzer.engine.token_table import AccountOf

EMBEDDED_LAYERS: Final = tuple(
    f"{direction}BOUND_ICMP_ERROR_V{family}{end}"
    for direction in ("IN", "OUT")
    for family in (4, 6)
    for end in ("", "_DISCARD")
)
BIND_LAYERS: Final = ("ALE_RESOURCE_ASSIGNMENT_V4", "ALE_RESOURCE_ASSIGNMENT_V6")
PROFILE_WORDS: Final = {"none": 0, "public": 1, "private": 2, "domain": 3}
TRUE_WORDS: Final = frozenset({"true", "1", "yes"})
FALSE_WORDS: Final = frozenset({"false", "0", "no"})
DIRECTIONS: Final = {"outbound": OUTBOUND, "inbound": INBOUND, "forward": FORWARD}
# What is set on loopback traffic alone (REFERENCE 4.2).
_LOOPBACK_ONLY: Final = np.uint32(sum(bit for bit, name in flags.CONDITION_FLAGS.items() if name.endswith("LOOPBACK")))
_LOOPBACK: Final = np.uint32(flags.LOOPBACK)
_WILDCARD: Final = np.uint32(next(bit for bit, name in flags.CONDITION_FLAGS.items() if name == "WILDCARD_BIND"))


def from_events(
    events: pd.DataFrame, *, account: AccountOf | None = None, assume_own_token: bool = False
) -> FlowArrays:
    """Build the arrays from oriented events (:func:`analyzer.addressing.orient`), n rows.

    Parameters
    ----------
    events : of what later steps add, ``user_sid, package_sid, services, interface_luid`` and the ``net_`` columns of
        :mod:`analyzer.netjoin` are used where they are there, and so is ``ending`` (:mod:`analyzer.engine.endings`).
    account : tells the account that a process' services run under, from (computer, names of the services).
    assume_own_token : take every connection's token for its process's own, outside app containers, where the records
        do not say otherwise: for "would it match if …", never for what is told as seen.
    """
    local, remote = addresses(events["local_address"]), addresses(events["remote_address"])
    loopback = _loopback(events, local, remote)
    layer = _texts(events["layer"], str)
    # Measured: at the ICMP-error layers events carry zeros, or protocol, ports and addresses of the embedded packet.
    embedded = _among(layer, EMBEDDED_LAYERS)
    near = Addresses(np.where(embedded, np.int8(0), local.family), local.high, local.low)
    far = Addresses(np.where(embedded, np.int8(0), remote.family), remote.high, remote.low)
    flags_set, flags_clear = _flags(loopback, _among(layer, BIND_LAYERS), local)
    package, token, tokens = token_table.of_events(events, loopback, account=account, assume_own_token=assume_own_token)
    return FlowArrays(
        layer=layer,
        application=_texts(events["application"], str.lower),
        protocol=np.where(embedded, UNKNOWN, numbers(events["protocol"])),
        direction=_direction(events),
        local=near,
        remote=far,
        local_port=np.where(embedded, UNKNOWN, numbers(events["local_raw_port"])),
        remote_port=np.where(embedded, UNKNOWN, numbers(events["remote_raw_port"])),
        order_certain=(events["endpoint_order"] == "certain").to_numpy(dtype=bool),
        flags_set=flags_set,
        flags_clear=flags_clear,
        original_profile=_profiles(events, "original_profile"),
        current_profile=_profiles(events, "current_profile"),
        interface_index=_interface(events),
        interface_luid=_luids(events),
        package=package,
        token=token,
        tokens=tokens,
        ether_type=_optional(events, "ether_type"),
        source_mac=_macs(events, "source_mac"),
        destination_mac=_macs(events, "destination_mac"),
        endings=endings.coded(events[endings.COLUMN].tolist()) if endings.COLUMN in events.columns else NOTHING_TOLD,
    )


def numbers(column: pd.Series) -> NDArray[np.int64]:
    """Return a nullable number column as int64 with ``UNKNOWN`` for missing or absurdly large values."""
    filled = column.to_numpy(dtype="uint64", na_value=np.uint64(LOW64))
    return np.where(filled > np.uint64(2**62), np.int64(UNKNOWN), filled.astype(np.int64))


def _optional(events: pd.DataFrame, name: str) -> NDArray[np.int64]:
    if name not in events.columns:
        return np.full(len(events), UNKNOWN, dtype=np.int64)
    return numbers(events[name].astype("UInt64"))


def _category(column: pd.Series) -> pd.Series:
    return column if isinstance(column.dtype, pd.CategoricalDtype) else column.astype("category")


def _texts(column: pd.Series, read: Callable[[str], str]) -> Texts:
    """Code a text column; ``read`` may bring several texts to one."""
    as_category = _category(column)
    names: dict[str, int] = {}
    table = [names.setdefault(read(str(text)), len(names)) for text in as_category.cat.categories]
    codes_ = np.array([*table, -1], dtype=np.int32)[as_category.cat.codes.to_numpy()]
    return Texts(codes_, names)


def _among(column: Texts, wanted: tuple[str, ...]) -> NDArray[np.bool_]:
    table = np.array([*(name in wanted for name in column.places), False], dtype=bool)
    out: NDArray[np.bool_] = table[column.codes]
    return out


def _by_category(column: pd.Series, read: Callable[[str], int], missing: int, dtype: Any) -> NDArray[Any]:
    """Apply ``read`` to each distinct text of a category column."""
    as_category = _category(column)
    table = np.array([*(read(str(text)) for text in as_category.cat.categories), missing], dtype=dtype)
    return table[as_category.cat.codes.to_numpy()]


def _profile(text: str) -> int:
    """Read a profile id; the raw text form is unconfirmed (REFERENCE 11, item 5), so unknown words stay unknown."""
    word = text.strip().lower()
    if word.isascii() and word.isdigit() and len(word) == 1:
        return int(word)
    return PROFILE_WORDS.get(word, UNKNOWN)


def _profiles(events: pd.DataFrame, name: str) -> NDArray[np.int64]:
    """Return the event's profile; where it names none, the net event's of the same decision."""
    own: NDArray[np.int64] = _by_category(events[name], _profile, UNKNOWN, np.int64)
    other = _optional(events, f"net_{name}")
    # A net event's 0 stands where no profile was known, too.
    return np.where((own == UNKNOWN) & (other > 0), other, own)


def _truth(text: str) -> int:
    word = text.strip().lower()
    return 1 if word in TRUE_WORDS else -1 if word in FALSE_WORDS else 0


def _loopback(events: pd.DataFrame, local: Addresses, remote: Addresses) -> NDArray[np.int8]:
    """Tell loopback traffic: 1 yes, 0 cannot tell, -1 no."""
    said = _by_category(events["is_loopback"], _truth, 0, np.int8)
    inside = local.equal(remote) | local.loopback() | remote.loopback()
    # Two different addresses may both be the host's own, and then the packet loops back: that cannot be told.
    own = events["remote_address"].isin(events["local_address"].dropna().unique()).to_numpy()
    both = (local.family != 0) & (remote.family != 0)
    return np.where(said != 0, said, np.where(inside, 1, np.where(both & ~own, -1, 0))).astype(np.int8)


def _flags(
    loopback: NDArray[np.int8], binds: NDArray[np.bool_], local: Addresses
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Return the bits that are set and those that are clear; most are never recorded."""
    wildcard = binds & local.unspecified()
    named = binds & (local.family != 0) & ~wildcard
    nothing = np.uint32(0)
    on = np.where(loopback == 1, _LOOPBACK, nothing) | np.where(wildcard, _WILDCARD, nothing)
    off = np.where(loopback == -1, _LOOPBACK_ONLY, nothing) | np.where(named, _WILDCARD, nothing)
    return on.astype(np.uint32), off.astype(np.uint32)


def _direction(events: pd.DataFrame) -> NDArray[np.int8]:
    """Return the direction where layer and event do not speak against each other (REFERENCE 1.4)."""
    by_layer = _by_category(events["layer"], lambda name: DIRECTIONS.get(layers.direction(name) or "", -1), -1, np.int8)
    told = events["direction"]
    by_event = _by_category(told, lambda word: DIRECTIONS.get(word, -1), -1, np.int8)
    code = np.full(len(events), -1, dtype=np.int8)
    if "direction_code" in events.columns:
        read = codes.event_direction
        code = _by_category(events["direction_code"], lambda text: DIRECTIONS.get(read(text) or "", -1), -1, np.int8)
    conflict = (by_layer >= 0) & (code >= 0) & (by_layer != code)
    out: NDArray[np.int8] = np.where(conflict, np.int8(UNKNOWN), by_event)
    return out


def _interface(events: pd.DataFrame) -> NDArray[np.int64]:
    """Return the interface's index, the event's own or its net event's; 0 is no interface."""
    own, other = _optional(events, "interface_index"), _optional(events, "net_interface_index")
    found = np.where(own > 0, own, other)
    return np.where(found > 0, found, UNKNOWN)


def _luids(events: pd.DataFrame) -> NDArray[np.uint64]:
    if "interface_luid" not in events.columns:
        return np.zeros(len(events), dtype=np.uint64)
    return np.asarray(events["interface_luid"].astype("UInt64").to_numpy(dtype="uint64", na_value=0), dtype=np.uint64)


def mac(text: str) -> int:
    """Return a hardware address as a number, or ``UNKNOWN``."""
    digits = text.strip().replace("-", "").replace(":", "")
    if len(digits) != 12 or not digits.isascii() or not digits.isalnum():
        return UNKNOWN
    try:
        return int(digits, 16)
    except ValueError:
        return UNKNOWN


def _macs(events: pd.DataFrame, name: str) -> NDArray[np.int64]:
    if name not in events.columns:
        return np.full(len(events), UNKNOWN, dtype=np.int64)
    out: NDArray[np.int64] = _by_category(events[name], mac, UNKNOWN, np.int64)
    return out
