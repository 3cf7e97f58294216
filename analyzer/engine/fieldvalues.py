"""What a flow's record says of the fields that conditions are about (REFERENCE Appendix B), one reading per field.

A field that is not listed here is in no record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analyzer.engine.addresses import Addresses
from analyzer.engine.flows import FORWARD, INBOUND, OUTBOUND, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from analyzer.engine.flows import FlowArrays

TUNNEL: Final = 131  # interface type (IANA ifType)
_TYPE_SHIFT: Final = np.uint64(48)  # NET_LUID: 24 bits reserved, 24 bits index, 16 bits type (ifdef.h)


class Numbers(NamedTuple):
    """``values`` int64 or uint64, ``known`` bool; both of shape (n,)."""

    values: NDArray[np.int64] | NDArray[np.uint64]
    known: NDArray[np.bool_]


def _plain(values: NDArray[np.int64]) -> Numbers:
    return Numbers(values, values != UNKNOWN)


def _going(flows: FlowArrays, direction: int) -> NDArray[np.bool_]:
    out: NDArray[np.bool_] = flows.direction == direction
    return out


def _direction(flows: FlowArrays) -> Numbers:
    """Return 0 outbound, 1 inbound; a forwarded packet is neither."""
    known = (flows.direction == OUTBOUND) | (flows.direction == INBOUND)
    return Numbers(flows.direction.astype(np.int64), known)


def _index(direction: int | None) -> Callable[[FlowArrays], Numbers]:
    """Read the interface's index: the record names the one that the packet came by or was to leave by."""

    def read(flows: FlowArrays) -> Numbers:
        known = flows.interface_index != UNKNOWN
        return Numbers(flows.interface_index, known if direction is None else known & _going(flows, direction))

    return read


def _luid(direction: int) -> Callable[[FlowArrays], Numbers]:
    def read(flows: FlowArrays) -> Numbers:
        return Numbers(flows.interface_luid, (flows.interface_luid != 0) & _going(flows, direction))

    return read


def _interface_type(direction: int) -> Callable[[FlowArrays], Numbers]:
    """Read the interface's type out of its LUID."""

    def read(flows: FlowArrays) -> Numbers:
        values = (flows.interface_luid >> _TYPE_SHIFT).astype(np.int64)
        return Numbers(values, (values != 0) & _going(flows, direction))

    return read


def _tunnel_type(direction: int) -> Callable[[FlowArrays], Numbers]:
    """Only that an interface is no tunnel (type 0) follows from its LUID."""

    def read(flows: FlowArrays) -> Numbers:
        kind = flows.interface_luid >> _TYPE_SHIFT
        known = (kind != 0) & (kind != TUNNEL) & _going(flows, direction)
        return Numbers(np.zeros(len(flows), dtype=np.int64), known)

    return read


def _local_type(flows: FlowArrays) -> Numbers:
    """Read the type of the local address: that of an outbound packet is the host's own."""
    return _plain(flows.local.types(_going(flows, OUTBOUND)))


def _destination_type(flows: FlowArrays) -> Numbers:
    return _plain(_destination(flows).types(np.zeros(len(flows), dtype=bool)))


def _choose(flows: FlowArrays, first: Addresses, second: Addresses, *, first_where: NDArray[np.bool_]) -> Addresses:
    """Take ``first`` where flagged, else ``second``; of an unknown direction neither."""
    family = np.where(first_where, first.family, second.family)
    return Addresses(
        np.where(flows.direction == UNKNOWN, np.int8(0), family),
        np.where(first_where, first.high, second.high),
        np.where(first_where, first.low, second.low),
    )


def _source(flows: FlowArrays) -> Addresses:
    """Return the packet's source; of a forwarded one the local side is the one that the record names first."""
    return _choose(flows, flows.remote, flows.local, first_where=_going(flows, INBOUND))


def _destination(flows: FlowArrays) -> Addresses:
    return _choose(flows, flows.local, flows.remote, first_where=_going(flows, INBOUND))


def _port(flows: FlowArrays, *, source: bool) -> Numbers:
    inbound = _going(flows, INBOUND)
    local = inbound != source
    values = np.where(local, flows.local_port, flows.remote_port)
    return Numbers(values, (values != UNKNOWN) & (flows.direction != UNKNOWN))


def _only(addresses: Addresses, family: int) -> Addresses:
    return Addresses(np.where(addresses.family == family, addresses.family, np.int8(0)), addresses.high, addresses.low)


NUMBERS: Final[dict[str, Callable[[FlowArrays], Numbers]]] = {
    "IP_PROTOCOL": lambda flows: _plain(flows.protocol),
    "IP_LOCAL_PORT": lambda flows: _plain(flows.local_port),
    "IP_REMOTE_PORT": lambda flows: _plain(flows.remote_port),
    "ICMP_TYPE": lambda flows: _plain(flows.local_port),  # alias names of the ports (`fwpmu.h`)
    "ICMP_CODE": lambda flows: _plain(flows.remote_port),
    "IP_SOURCE_PORT": lambda flows: _port(flows, source=True),
    "IP_DESTINATION_PORT": lambda flows: _port(flows, source=False),
    "IP_LOCAL_ADDRESS_TYPE": _local_type,
    "IP_DESTINATION_ADDRESS_TYPE": _destination_type,
    "ORIGINAL_PROFILE_ID": lambda flows: _plain(flows.original_profile),
    "CURRENT_PROFILE_ID": lambda flows: _plain(flows.current_profile),
    "DIRECTION": _direction,
    "INTERFACE_INDEX": _index(None),
    "ARRIVAL_INTERFACE_INDEX": _index(INBOUND),
    "NEXTHOP_INTERFACE_INDEX": _index(OUTBOUND),
    "IP_ARRIVAL_INTERFACE": _luid(INBOUND),
    "IP_NEXTHOP_INTERFACE": _luid(OUTBOUND),
    "ARRIVAL_INTERFACE_TYPE": _interface_type(INBOUND),
    "NEXTHOP_INTERFACE_TYPE": _interface_type(OUTBOUND),
    "ARRIVAL_TUNNEL_TYPE": _tunnel_type(INBOUND),
    "NEXTHOP_TUNNEL_TYPE": _tunnel_type(OUTBOUND),
    "ETHER_TYPE": lambda flows: _plain(flows.ether_type),
}
ADDRESSES: Final[dict[str, Callable[[FlowArrays], Addresses]]] = {
    "IP_LOCAL_ADDRESS": lambda flows: flows.local,
    "IP_REMOTE_ADDRESS": lambda flows: flows.remote,
    "IP_LOCAL_ADDRESS_V4": lambda flows: _only(flows.local, 4),
    "IP_LOCAL_ADDRESS_V6": lambda flows: _only(flows.local, 6),
    "IP_REMOTE_ADDRESS_V4": lambda flows: _only(flows.remote, 4),
    "IP_REMOTE_ADDRESS_V6": lambda flows: _only(flows.remote, 6),
    "IP_SOURCE_ADDRESS": _source,
    "IP_DESTINATION_ADDRESS": _destination,
}
MACS: Final[dict[str, Callable[[FlowArrays], NDArray[np.int64]]]] = {
    "MAC_SOURCE_ADDRESS": lambda flows: flows.source_mac,
    "MAC_DESTINATION_ADDRESS": lambda flows: flows.destination_mac,
    "MAC_LOCAL_ADDRESS": lambda flows: _mac(flows, local=True),
    "MAC_REMOTE_ADDRESS": lambda flows: _mac(flows, local=False),
}
# Readings that change with the order of the two endpoints.
ENDPOINT_FIELDS: Final = frozenset(
    {name for name in (*NUMBERS, *ADDRESSES) if name.startswith(("IP_LOCAL_A", "IP_LOCAL_P", "IP_REMOTE_"))}
    | {"ICMP_TYPE", "ICMP_CODE", "IP_DESTINATION_ADDRESS_TYPE"}
    | {name for name in (*NUMBERS, *ADDRESSES) if name.startswith(("IP_SOURCE_", "IP_DESTINATION_"))}
)


def _mac(flows: FlowArrays, *, local: bool) -> NDArray[np.int64]:
    """Return the hardware address of one side; the packet's source is local where it goes out."""
    outbound = _going(flows, OUTBOUND)
    values = np.where(outbound == local, flows.source_mac, flows.destination_mac)
    out: NDArray[np.int64] = np.where(outbound | _going(flows, INBOUND), values, UNKNOWN)
    return out


__all__ = ["ADDRESSES", "ENDPOINT_FIELDS", "FORWARD", "MACS", "NUMBERS", "Numbers"]
