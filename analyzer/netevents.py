"""Net events as events: the frame that ``addressing.orient`` would give, made of decisions that no audit log has.

A net event names its local and its remote side and its user; it has no event id, no record id and no computer. Its
place is its number in the file (``netevents.xml, entry 17``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from analyzer import frames
from analyzer.addressing import ICMP
from analyzer.flows import group_numbers
from analyzer.wfp import layers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

NO_EVENT_ID: Final = 0  # `event_id` of a net event in frames; null in the outputs
SOURCE: Final = "netevent"
_MAC: Final = "CLASSIFY_DROP_MAC"
_PLACE: Final = frozenset({"input", "entry", "line"})
_FLOWS: Final = ("inbound", "outbound", "forward")
# Column of an audit event -> the net event's column of the same meaning.
_SAME: Final[dict[str, str]] = {
    "input": "input",
    "offset": "entry",
    "time": "time",
    "application": "application",
    "process_id": "process_id",
    "protocol": "protocol",
    "interface_index": "interface_index",
    "event_origin": "origin",
    "filter_rtid": "filter_id",
    "layer_rtid": "layer_id",
    "is_loopback": "is_loopback",
    "ether_type": "ether_type",
    "media_type": "media_type",
    "interface_type": "interface_type",
    "vlan_tag": "vlan_tag",
}
_AS_TEXT: Final = ("original_profile", "current_profile")  # audit events have them as text


def gather(parts: Sequence[tuple[pd.DataFrame, pd.DataFrame]]) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, int]]:
    """Put the net events and the terminating filters of several files into two frames.

    A ticket may hold one net event in two files (``netevents.xml`` and a capture): it is kept once, in the first of
    them. Returns both frames and, by file, how many were left out as such repeats.
    """
    events = frames.concat([part[0] for part in parts], frames.NETEVENTS)
    starts = np.cumsum([0, *(len(part[0]) for part in parts)])
    moved = [
        part[1].assign(netevent_row=part[1]["netevent_row"] + start) for part, start in zip(parts, starts, strict=False)
    ]
    filters = frames.concat(moved, frames.NETEVENT_FILTERS)
    again = _repeated(events)
    if not again.any():
        return events, filters, {}
    counts = {str(name): int(count) for name, count in events.loc[again, "input"].value_counts().items() if count}
    position = np.where(again, -1, np.cumsum(~again) - 1)
    filters = filters.assign(netevent_row=position[filters["netevent_row"].to_numpy()])
    filters = filters[filters["netevent_row"] >= 0].reset_index(drop=True)
    return events[~again].reset_index(drop=True), filters, counts


def _repeated(events: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell which net events an earlier file has too: equal in all that is recorded, and as often."""
    if events["input"].nunique() < 2:
        return np.zeros(len(events), dtype=bool)
    content = [name for name, dtype in frames.NETEVENTS.items() if name not in _PLACE and dtype != frames.OBJECT]
    number = group_numbers(events, tuple(content))
    file = events["input"].cat.codes.to_numpy()
    keys = pd.DataFrame({"number": number, "time": events["time"].notna().to_numpy()})
    keys["nth"] = pd.Series(number).groupby([number, file]).cumcount().to_numpy()
    out: NDArray[np.bool_] = (keys.duplicated().to_numpy() & keys["time"].to_numpy()).astype(bool)
    return out


def place(entry: int) -> str:
    """Return how evidence cites a net event of a file: ``entry 17``."""
    return f"entry {entry}"


def layer_symbols(netevents: pd.DataFrame, layer_names: Mapping[int, str] | None = None) -> pd.Series:
    """Return the layer of each net event (category), by ids that are the same everywhere and by a dump's own."""
    names = {**(layer_names or {}), **layers.SYMBOL_BY_ID}
    return netevents["layer_id"].map(names).astype("category")


def directions(netevents: pd.DataFrame, layer: pd.Series) -> NDArray[np.object_]:
    """Return inbound, outbound, forward or None: as the layer implies, else as printed (REFERENCE 1.4)."""
    implied = layer.map({name: layers.direction(name) for name in layer.cat.categories}).astype(object)
    printed = netevents["direction"].astype(object)
    said = implied.where(implied.notna(), printed)
    out: NDArray[np.object_] = said.where(said.isin(_FLOWS), None).to_numpy(dtype=object)
    return out


def to_events(
    netevents: pd.DataFrame, *, layer_names: Mapping[int, str] | None = None, computer: str | None = None
) -> pd.DataFrame:
    """Return the decisions among net events as oriented events.

    Parameters
    ----------
    netevents : ``frames.NETEVENTS``, n rows; types that decide nothing (IKE failures, packet arrivals) are left out.
    layer_names : run-time layer id -> symbol, for ids that differ between Windows versions (82 and up).
    computer : the host, where something else tells it; net events do not.

    Returns
    -------
    All columns of ``frames.EVENT_SCHEMAS["wfp"]`` and all that :func:`analyzer.addressing.orient` adds, with
    ``event_id`` :data:`NO_EVENT_ID`, ``record_id`` missing and ``offset`` the entry; and ``source`` (category:
    netevent), ``entry`` (int64), ``netevent_row`` (int64, position in ``netevents``), ``user_sid``, ``user_source``,
    ``package_sid``, ``service_sids`` (category).
    """
    rows = np.flatnonzero(netevents["decision"].notna().to_numpy())
    part = netevents.iloc[rows].reset_index(drop=True)
    layer = layer_symbols(part, layer_names)
    direction = directions(part, layer)
    out = _recorded(part, direction, computer)
    out["action"] = _actions(part, layer)
    out["layer"] = layer
    out["direction"] = pd.Categorical(direction, categories=list(_FLOWS))
    _endpoints(out, part)
    out["source"] = _constant(SOURCE, len(part))
    out["entry"] = part["entry"]
    out["netevent_row"] = rows.astype(np.int64)
    for name in ("user_sid", "package_sid", "service_sids"):
        out[name] = part[name]
    out["user_source"] = out["source"].where(part["user_sid"].notna())
    return out


def _constant(text: str, count: int) -> pd.Categorical:
    return pd.Categorical.from_codes(np.zeros(count, dtype=np.int8), categories=pd.Index([text], dtype="str"))


def _recorded(part: pd.DataFrame, direction: NDArray[np.object_], computer: str | None) -> pd.DataFrame:
    """Return the columns of an audit event; source and destination are the packet's."""
    count = len(part)
    schema = frames.EVENT_SCHEMAS["wfp"]
    given: dict[str, object] = {name: part[column] for name, column in _SAME.items()}
    # Profile 0 is "none" and stands where none was known, too: it must not contradict a filter of one profile.
    given |= {name: part[name].mask(part[name] == 0).astype("str").astype("category") for name in _AS_TEXT}
    given |= {"event_id": np.full(count, NO_EVENT_ID, dtype=np.int32), "version": np.zeros(count, dtype=np.int32)}
    if computer is not None:
        given["computer"] = _constant(computer, count)
    inbound = direction == "inbound"
    mac = _is_mac(part)
    near, far = (_address(part, side, mac) for side in ("local", "remote"))
    given["source_address"], given["dest_address"] = _choose(far, near, inbound), _choose(near, far, inbound)
    given["source_port"] = part["remote_port"].where(inbound, part["local_port"])
    given["dest_port"] = part["local_port"].where(inbound, part["remote_port"])
    missing = {name: dtype for name, dtype in schema.items() if name not in given}
    empty = frames.build(dict.fromkeys(missing, [None] * count), missing)
    return pd.DataFrame({name: given[name] if name in given else empty[name] for name in schema})


def _is_mac(part: pd.DataFrame) -> NDArray[np.bool_]:
    out: NDArray[np.bool_] = (part["type"] == _MAC).to_numpy(dtype=bool)
    return out


def _address(part: pd.DataFrame, side: str, mac: NDArray[np.bool_]) -> pd.Series:
    """Return one side's address; at MAC layers the hardware address, as 5150 has it."""
    return _choose(part[f"{side}_mac"], part[f"{side}_address"], mac)


def _choose(first: pd.Series, second: pd.Series, choose: NDArray[np.bool_]) -> pd.Series:
    """Take ``first`` where chosen, else ``second``; both are categories."""
    categories = first.cat.categories.union(second.cat.categories)
    codes = np.where(
        choose, first.cat.set_categories(categories).cat.codes, second.cat.set_categories(categories).cat.codes
    )
    return pd.Series(pd.Categorical.from_codes(codes, categories=categories), index=first.index)


def _actions(part: pd.DataFrame, layer: pd.Series) -> pd.Categorical:
    """Net-event drops at ALE layers block a connection or a socket, all others a packet (``reports/schemas``)."""
    at_ale = np.array([layers.is_ale(name) for name in layer.cat.categories] + [False], dtype=bool)
    drop = (part["decision"] == "drop").to_numpy(dtype=bool)
    codes = np.where(~drop, 2, np.where(at_ale[layer.cat.codes.to_numpy()], 0, 1))
    return pd.Categorical.from_codes(codes, categories=pd.Index(["block", "drop", "permit"], dtype="str"))


def _endpoints(out: pd.DataFrame, part: pd.DataFrame) -> None:
    """Write the endpoint columns; for ICMP the "ports" are type and code (REFERENCE 6)."""
    mac = _is_mac(part)
    icmp = part["protocol"].isin(ICMP).to_numpy(dtype=bool)
    out["source_mac"], out["destination_mac"] = out["source_address"].where(mac), out["dest_address"].where(mac)
    out["local_address"], out["remote_address"] = part["local_address"].mask(mac), part["remote_address"].mask(mac)
    out["local_raw_port"], out["remote_raw_port"] = part["local_port"], part["remote_port"]
    out["local_port"], out["remote_port"] = part["local_port"].mask(icmp), part["remote_port"].mask(icmp)
    out["icmp_type"], out["icmp_code"] = part["local_port"].where(icmp), part["remote_port"].where(icmp)
    # The header names its sides itself, so there is no order to be unsure of.
    out["endpoint_order"] = pd.Categorical(["certain", "uncertain"]).take(np.zeros(len(part), dtype=np.intp))
