"""What has to be equal for an audit event and a net event to be one decision, in one form for both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from analyzer.addressing import ICMP
from analyzer.engine.addresses import parse_address
from analyzer.markers import nanoseconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

LOCAL_LAYERS: Final = range(36, 44)  # bind and listen: there is no remote side (REFERENCE, Appendix A)


def audit_keys(events: pd.DataFrame) -> pd.DataFrame:
    """Return the keys of oriented audit events, n rows: see :func:`_keys`."""
    return _keys(
        events["action"].eq("permit").to_numpy(),
        events,
        ("protocol", "filter_rtid", "layer_rtid", "ether_type"),
        ("local_address", "remote_address", "local_raw_port", "remote_raw_port"),
        ("source_mac", "destination_mac"),
    )


def net_keys(netevents: pd.DataFrame) -> pd.DataFrame:
    """Return the keys of net events (``frames.NETEVENTS``), n rows: see :func:`_keys`."""
    out = _keys(
        netevents["decision"].eq("permit").to_numpy(),
        netevents,
        ("protocol", "filter_id", "layer_id", "ether_type"),
        ("local_address", "remote_address", "local_port", "remote_port"),
        ("local_mac", "remote_mac"),
    )
    out["usable"] &= netevents["decision"].notna().to_numpy()
    return out


def _keys(
    permit: NDArray[np.bool_],
    frame: pd.DataFrame,
    names: tuple[str, str, str, str],
    ends: tuple[str, str, str, str],
    macs: tuple[str, str],
) -> pd.DataFrame:
    """Return what has to be equal, and ``time`` (ns) and ``usable`` (bool): whether the record names enough to compare.

    Endpoints are unordered: which of them is local is not certain in every audit event, and the layer tells the rest.
    """
    protocol, filter_id, layer, ether = (numbers(frame[name]) for name in names)
    near_port, far_port = numbers(frame[ends[2]]), numbers(frame[ends[3]])
    local_only = np.isin(layer, list(LOCAL_LAYERS))
    near = _texts(frame[ends[0]], frame[macs[0]])
    far = _texts(frame[ends[1]], frame[macs[1]])
    far[local_only] = ""
    far_port = np.where(local_only, 0, far_port)
    # For ICMP the "ports" are type and code, whichever side is which.
    icmp = np.isin(protocol, ICMP)
    swap = np.array(near > far, dtype=bool) | ((near == far) & (near_port > far_port))
    ports = np.where(icmp, near_port > far_port, swap)
    return pd.DataFrame(
        {
            "permit": permit,
            "protocol": protocol,
            "filter": filter_id,
            "layer": layer,
            "ether": ether,
            "low": np.where(swap, far, near),
            "high": np.where(swap, near, far),
            "low_port": np.where(ports, far_port, near_port),
            "high_port": np.where(ports, near_port, far_port),
            "time": nanoseconds(frame["time"]),
            "usable": (near != "")
            & frame["time"].notna().to_numpy()
            & frame[names[1]].notna().to_numpy()
            & frame[names[2]].notna().to_numpy(),
        }
    )


def numbers(column: pd.Series) -> NDArray[np.uint64]:
    """Return numbers with 0 for missing: an unset port is printed as 0 by one record and left out by the other."""
    return column.to_numpy(dtype="uint64", na_value=0)


def _texts(addresses: pd.Series, macs: pd.Series) -> NDArray[np.object_]:
    """Return addresses in their shortest form, else hardware addresses, else an empty text."""
    out = texts(addresses, _canonical)
    rest = out == ""
    if rest.any():
        out[rest] = texts(macs, lambda text: text.lower().replace(":", "-"))[rest]
    return out


def texts(column: pd.Series, read: Callable[[str], str]) -> NDArray[np.object_]:
    """Return the texts of a category column after ``read``, an empty text where missing."""
    table = [read(str(text)) for text in column.cat.categories]
    out: NDArray[np.object_] = np.array([*table, ""], dtype=object)[column.cat.codes.to_numpy()]
    return out


def _canonical(text: str) -> str:
    address = parse_address(text)
    return text.lower() if address is None else str(address)
