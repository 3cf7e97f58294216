"""Flows: events that ask for the same, folded; and attempts: equal records that one refused attempt makes.

A flow is computer, application, direction, protocol, local and remote address, layer and the port of the serving
side; the client's ephemeral port is left out (``reports/schemas``). One refused TCP attempt is retried and logs 4 to 5
equal records, stealth drops come in pairs with ids X and X+2 (REFERENCE 12), so attempts do not look at the filter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from analyzer.folding import codes_of, number
from analyzer.markers import NO_TIME, nanoseconds

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A refused TCP connect is sent again after 3 and 6 s at most (21 s in all), so equal records further apart are new.
ATTEMPT_GAP_NS: Final = 21_000_000_000

# A suppressed ICMP error is recorded within a millisecond of the packet; the tolerance is for coarse time stamps.
ERROR_GAP_NS: Final = 50_000_000
PACKET_LAYERS: Final = ("INBOUND_TRANSPORT_V4_DISCARD", "INBOUND_TRANSPORT_V6_DISCARD")
ERROR_LAYERS: Final = ("OUTBOUND_ICMP_ERROR_V4", "OUTBOUND_ICMP_ERROR_V6")

PERMITTED_BIND: Final = 5158
DYNAMIC_PORTS: Final = 49152  # where Windows begins to hand out client ports by default (RFC 6335)

FLOW_KEYS: Final = (
    "computer",
    "application",
    "direction",
    "protocol",
    "local_address",
    "remote_address",
    "layer",
    "service_port",
    "icmp_type",
    "icmp_code",
)
VERDICT_KEYS: Final = (  # beside the flow
    "flow",
    "action",
    "kind",
    "grade",
    "filter_row",
    "state",
    "event_origin",
    "filter_rtid",
    "service_key",
)
ATTEMPT_KEYS: Final = (
    "computer",
    "event_id",
    "process_id",
    "application",
    "direction",
    "protocol",
    "source_address",
    "source_port",
    "dest_address",
    "dest_port",
    "layer_rtid",
)


def service_port(events: pd.DataFrame) -> pd.Series:
    """Return the port of the serving side: the remote one of outbound flows, else the local one.

    A permitted bind (5158) to a port of the dynamic range is a client's; a refused bind keeps its port, since the port
    is what was refused.
    """
    outbound = (events["direction"] == "outbound").to_numpy(dtype=bool)
    port = events["remote_port"].where(outbound, events["local_port"])
    client = (events["event_id"] == PERMITTED_BIND) & (events["local_port"] >= DYNAMIC_PORTS).fillna(value=False)
    return port.mask(client.to_numpy(dtype=bool))


def group_numbers(frame: pd.DataFrame, keys: tuple[str, ...]) -> NDArray[np.int64]:
    """Return a number per distinct combination of these columns; missing values are equal to each other."""
    return number([codes_of(frame[key]) for key in keys], len(frame))


def attempts(events: pd.DataFrame) -> NDArray[np.int64]:
    """Return a number per attempt: equal records with at most ``ATTEMPT_GAP_NS`` between one and the next."""
    count = len(events)
    if not count:
        return np.zeros(0, dtype=np.int64)
    groups = group_numbers(events, ATTEMPT_KEYS)
    times = nanoseconds(events["time"])
    in_time = bool((times[1:] >= times[:-1]).all())
    order = np.argsort(groups, kind="stable") if in_time else np.lexsort((np.arange(count), times, groups))
    new = np.ones(count, dtype=bool)
    group, time = groups[order], times[order]
    # an event without a time (the least int64, so it comes first) is no repeat of one with a time
    apart = (time[1:] - time[:-1] > ATTEMPT_GAP_NS) | ((time[:-1] == NO_TIME) & (time[1:] != NO_TIME))
    new[1:] = (group[1:] != group[:-1]) | apart
    numbers = np.empty(count, dtype=np.int64)
    numbers[order] = np.cumsum(new) - 1
    return _join_suppressed_errors(events, times, numbers)


def _join_suppressed_errors(
    events: pd.DataFrame, times: NDArray[np.int64], numbers: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Give a suppressed ICMP error the attempt of the dropped packet that it would have answered.

    Measured in real events: the inbound packet (filter X) and the error (X+2) are recorded at the same time, the
    error with the addresses exchanged.
    """
    dropped = (events["action"] == "drop").to_numpy()
    inbound = events["layer"].isin(PACKET_LAYERS).to_numpy() & dropped
    errors = events["layer"].isin(ERROR_LAYERS).to_numpy() & dropped
    if not inbound.any() or not errors.any():
        return numbers
    packets = _ends(events, inbound, "source_address", "dest_address").assign(attempt=numbers[inbound])
    answers = _ends(events, errors, "dest_address", "source_address").assign(row=np.flatnonzero(errors))
    found = pd.merge_asof(
        answers.assign(at=times[errors]).sort_values("at"),
        packets.assign(at=times[inbound]).sort_values("at"),
        on="at",
        by=["host", "far", "near"],
        direction="nearest",
        tolerance=ERROR_GAP_NS,
    ).dropna(subset=["attempt"])
    out = numbers.copy()
    out[found["row"].to_numpy()] = found["attempt"].to_numpy(dtype=np.int64)
    return out


def _ends(events: pd.DataFrame, rows: NDArray[np.bool_], far: str, near: str) -> pd.DataFrame:
    """Return host, far and near address of these rows as join keys; missing is an empty text."""
    part = events.loc[rows, ["computer", far, near]].astype("str").fillna("")
    return part.set_axis(["host", "far", "near"], axis=1)


def add(events: pd.DataFrame) -> pd.DataFrame:
    """Add ``service_port``, ``service_key`` (int64, -1: none), and the numbers ``flow, verdict, attempt`` (int64)."""
    out = events.copy(deep=False)
    out["service_port"] = service_port(out)
    out["service_key"] = pd.factorize(out["services"].to_numpy())[0]
    out["attempt"] = attempts(out)
    out["flow"] = group_numbers(out, FLOW_KEYS)
    out["verdict"] = group_numbers(out, VERDICT_KEYS)
    return out
