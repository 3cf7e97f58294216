"""Direction and the local side of each event, calibrated on the log itself.

The field names of an event do not say which address is local (REFERENCE 1.4 and 12): an inbound 5156/5157 has the
local side in Source up to Windows 8.1 / Server 2012 R2 and in Dest from Windows 10 / Server 2016 on, an inbound 5152
always in Dest. So each computer is calibrated on its own records; where that stays open, the order is *uncertain*.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from analyzer.engine.addresses import parse_address
from analyzer.wfp import codes, events, layers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

ICMP: Final = (1, 58)
MAC_EVENTS: Final = (5150, 5151)
PORT_EVENTS: Final = (5154, 5155, 5158, 5159)
PACKET_EVENTS: Final = (5152, 5153)
CONNECTION_EVENTS: Final = (5156, 5157)
DIRECTIONS: Final = ("inbound", "outbound", "forward")
BROADCAST: Final = ipaddress.IPv4Address("255.255.255.255")


def action_of(event_id: int) -> str:
    """Return block, drop or permit (``reports/schemas``)."""
    return "drop" if event_id in events.DROP else "permit" if event_id in events.PERMIT else "block"


def _map_distinct(column: pd.Series, table: Mapping[int, str]) -> pd.Series:
    """Map a number column through a small table; what is not in it becomes missing."""
    numbers, distinct = pd.factorize(column)
    found = [table.get(int(number)) for number in distinct]
    names = sorted({name for name in found if name is not None})
    places = np.array([*(-1 if name is None else names.index(name) for name in found), -1])
    mapped = pd.Categorical.from_codes(places[numbers], categories=pd.Index(names, dtype="str"))
    return pd.Series(mapped, index=column.index)


class _Sorts:
    """What each distinct address is, as bool arrays over the categories that both sides share."""

    def __init__(self, categories: pd.Index) -> None:
        parsed = [parse_address(str(text)) for text in categories]
        # Multicast and broadcast can only be the destination of a packet.
        self.group = np.array([a is not None and (a.is_multicast or a == BROADCAST) for a in parsed], dtype=bool)
        # The mask of a subnet is not recorded; nearly every broadcast address of one ends in 255.
        self.subnet = np.array([a is not None and a.version == 4 and a.packed[-1] == 255 for a in parsed], dtype=bool)
        self.loopback = np.array([a is not None and a.is_loopback for a in parsed], dtype=bool)
        self.nobody = np.array([a is None or a.is_unspecified for a in parsed], dtype=bool)


class _Side:
    """One address column as codes over the categories that both sides share."""

    def __init__(self, column: pd.Series, categories: pd.Index) -> None:
        mapping = categories.get_indexer(column.cat.categories)
        self.codes = np.append(mapping, -1)[column.cat.codes.to_numpy()]

    def among(self, flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tell for each row whether its address is flagged; a missing address never is."""
        out: NDArray[np.bool_] = np.append(flags, False)[self.codes]
        return out


def orient(
    frame: pd.DataFrame,
    *,
    own_addresses: Mapping[str | None, frozenset[str]] | None = None,
    layer_names: Mapping[int, str] | None = None,
) -> pd.DataFrame:
    """Add action, layer, direction, endpoints and ``endpoint_order`` to a ``wfp`` frame.

    Parameters
    ----------
    frame : events of ``frames.EVENT_SCHEMAS["wfp"]``.
    own_addresses : computer -> addresses known from elsewhere to be its own (a state that names the host).
    layer_names : run-time layer id -> symbol, for ids that differ between Windows versions (82 and up).

    Returns
    -------
    A new frame with ``action, layer, direction, local_address, remote_address`` (category), ``local_port,
    remote_port, icmp_type, icmp_code, local_raw_port, remote_raw_port`` (UInt64), ``source_mac, destination_mac``
    (category), ``endpoint_order`` (category: certain, uncertain).
    """
    out = frame.copy(deep=False)
    event_id = out["event_id"].to_numpy()
    out["action"] = pd.Categorical(
        [action_of(int(i)) for i in np.unique(event_id)], categories=["block", "drop", "permit"]
    ).take(np.searchsorted(np.unique(event_id), event_id))
    # A dump names the ids that differ between builds; it cannot rename those that are the same everywhere.
    out["layer"] = _map_distinct(out["layer_rtid"], {**(layer_names or {}), **layers.SYMBOL_BY_ID})
    by_layer = _direction_codes(out["layer"], _flow_direction)
    by_code = _direction_codes(out["direction_code"], codes.event_direction)
    direction: NDArray[np.int8] = np.where(by_layer >= 0, by_layer, by_code)
    direction[np.isin(event_id, PORT_EVENTS)] = -1
    conflict = (by_layer >= 0) & (by_code >= 0) & (by_layer != by_code)
    out["direction"] = pd.Categorical.from_codes(direction, categories=pd.Index(DIRECTIONS, dtype="str"))

    local_is_source, certain = _local_side(out, direction, conflict, own_addresses or {})
    return _endpoints(out, local_is_source, certain)


def _direction_codes(column: pd.Series, read: Callable[[str], str | None]) -> NDArray[np.int8]:
    """Return the position in ``DIRECTIONS`` of what each text means, -1 for what means none of them."""
    said = [read(str(text)) for text in column.cat.categories]
    table = [DIRECTIONS.index(word) if word in DIRECTIONS else -1 for word in said]
    out: NDArray[np.int8] = np.array([*table, -1], dtype=np.int8)[column.cat.codes.to_numpy()]
    return out


def _flow_direction(layer: str) -> str | None:
    """Return inbound, outbound or forward; bind and listen layers have no direction of a packet."""
    said = layers.direction(layer)
    return said if said in DIRECTIONS else None


def _local_side(
    frame: pd.DataFrame,
    direction: NDArray[np.int8],
    conflict: NDArray[np.bool_],
    own_addresses: Mapping[str | None, frozenset[str]],
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return two bool arrays: local side is Source; that is certain."""
    event_id = frame["event_id"].to_numpy()
    categories = frame["source_address"].cat.categories.union(frame["dest_address"].cat.categories)
    source, dest = _Side(frame["source_address"], categories), _Side(frame["dest_address"], categories)
    sorts = _Sorts(categories)
    is_port = np.isin(event_id, PORT_EVENTS)
    inbound, outbound = direction == DIRECTIONS.index("inbound"), direction == DIRECTIONS.index("outbound")
    packet_in = inbound & np.isin(event_id, PACKET_EVENTS) & ~conflict

    local_is_source = np.ones(len(frame), dtype=bool)
    certain = is_port | (outbound & ~conflict) | packet_in
    local_is_source[packet_in] = False
    open_rows = ~certain & np.isin(event_id, (*PACKET_EVENTS, *CONNECTION_EVENTS))

    host_codes = frame["computer"].cat.codes.to_numpy()
    for host in np.unique(host_codes):
        rows = host_codes == host
        name = frame["computer"].cat.categories[host] if host >= 0 else None
        own = _own(rows & certain, local_is_source, (source, dest), sorts)
        group = sorts.group | (sorts.subnet & ~own)
        own |= categories.isin(list(own_addresses.get(name, ())))
        todo = np.flatnonzero(rows & open_rows)
        if not len(todo):
            continue
        s_group, d_group = source.among(group)[todo], dest.among(group)[todo]
        s_own, d_own = source.among(own)[todo], dest.among(own)[todo]
        # A group address is a packet's destination: for an inbound packet that is the local side.
        is_inbound = inbound[todo]
        votes_source = (is_inbound & s_group & ~d_group) | (s_own & ~d_own & ~s_group & ~d_group)
        votes_dest = (is_inbound & d_group & ~s_group) | (d_own & ~s_own & ~s_group & ~d_group)
        decided = votes_source | votes_dest
        local_is_source[todo] = ~votes_dest
        certain[todo] = decided
        # What the decided connections of this host show holds for its undecided ones, if they all show the same.
        voters = is_inbound & np.isin(event_id[todo], CONNECTION_EVENTS) & ~conflict[todo]
        source_first = int((votes_source & voters).sum())
        dest_first = int((votes_dest & voters).sum()) + _writes_new_fields(frame, rows)
        if bool(source_first) != bool(dest_first):
            rest = todo[voters & ~decided]
            local_is_source[rest] = bool(source_first)
            certain[rest] = True
    return local_is_source, certain


def _writes_new_fields(frame: pd.DataFrame, rows: NDArray[np.bool_]) -> int:
    """Return 1 if this host's events have fields that only Windows 10 successors write (REFERENCE 1.2), else 0."""
    own = frame.loc[rows, ["event_origin", "interface_index"]]
    return int(own["event_origin"].notna().any() or own["interface_index"].notna().any())


def _own(
    rows: NDArray[np.bool_], local_is_source: NDArray[np.bool_], sides: tuple[_Side, _Side], sorts: _Sorts
) -> NDArray[np.bool_]:
    """Flag the addresses that these rows, whose order is certain, show to be the host's own."""
    own = np.zeros(len(sorts.group), dtype=bool)
    for side, wanted in zip(sides, (True, False), strict=True):
        found = side.codes[rows & (local_is_source == wanted)]
        own[np.unique(found[found >= 0])] = True
    # Every loopback address is the host's own: both sides of such a connection are, so neither gives a vote.
    flagged: NDArray[np.bool_] = (own & ~sorts.group & ~sorts.nobody) | sorts.loopback
    return flagged


def _pick(frame: pd.DataFrame, first: str, second: str, choose: NDArray[np.bool_]) -> pd.Series:
    """Take ``first`` where chosen, else ``second``; text stays category, numbers stay UInt64."""
    a, b = frame[first], frame[second]
    if isinstance(a.dtype, pd.CategoricalDtype):
        categories = a.cat.categories.union(b.cat.categories)
        picked = np.where(choose, _Side(a, categories).codes, _Side(b, categories).codes)
        return pd.Series(pd.Categorical.from_codes(picked, categories=categories), index=frame.index)
    return a if choose.all() else a.where(choose, b)


def _only(column: pd.Series, rows: NDArray[np.bool_]) -> pd.Series:
    """Keep the values of these rows; the others become missing. Mostly it is all of them or none."""
    return column if rows.all() else column.where(rows)


def _endpoints(frame: pd.DataFrame, local_is_source: NDArray[np.bool_], certain: NDArray[np.bool_]) -> pd.DataFrame:
    """Write the endpoint columns; for ICMP the "ports" are type and code (REFERENCE 1.2)."""
    out = frame
    mac = out["event_id"].isin(MAC_EVENTS).to_numpy()
    out["source_mac"], out["destination_mac"] = _only(out["source_address"], mac), _only(out["dest_address"], mac)
    out["local_address"] = _only(_pick(out, "source_address", "dest_address", local_is_source), ~mac)
    out["remote_address"] = _only(_pick(out, "dest_address", "source_address", local_is_source), ~mac)
    out["local_raw_port"] = _pick(out, "source_port", "dest_port", local_is_source)
    out["remote_raw_port"] = _pick(out, "dest_port", "source_port", local_is_source)
    icmp = out["protocol"].isin(ICMP).to_numpy(dtype=bool)
    out["local_port"], out["remote_port"] = _only(out["local_raw_port"], ~icmp), _only(out["remote_raw_port"], ~icmp)
    out["icmp_type"], out["icmp_code"] = _only(out["local_raw_port"], icmp), _only(out["remote_raw_port"], icmp)
    # 5031 and MAC events name no two endpoints, so there is no order to be unsure of.
    settled = certain | mac | (out["event_id"] == 5031).to_numpy()
    out["endpoint_order"] = pd.Categorical(["certain", "uncertain"]).take(np.where(settled, 0, 1))
    return out
