"""The order of a text export's records: by computer and channel, the oldest first, as a log has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analyzer import frames
from analyzer.readers.evtx.health import Seen

if TYPE_CHECKING:
    from analyzer.readers.evtx.gather import I64


def by_source(seen: Seen) -> Seen:
    """Return the records computer by computer and channel by channel, the oldest first, something between them.

    Gaps of record ids mean something only inside one channel of one computer. The numbers run on, as in a log that
    was saved by a query: what a text export left out cannot be told from what was never there.
    """
    count = len(seen.number)
    order = np.lexsort((seen.channel, seen.computer))
    source = np.column_stack([seen.computer[order], seen.channel[order]])
    starts = np.flatnonzero(np.any(source[1:] != source[:-1], axis=1)) + 1 if count > 1 else np.zeros(0, dtype=np.int64)
    out = []
    for part in np.split(order, starts):
        ids = seen.record_id[part][seen.has_id[part]]
        newest_first = int((ids[1:] < ids[:-1]).sum()) > int((ids[1:] > ids[:-1]).sum())
        out.append(part[::-1] if newest_first else part)
    order = np.concatenate(out) if out else order
    return _separated(seen, order, starts)


def _separated(seen: Seen, order: I64, starts: I64) -> Seen:
    """Return the records in this order, with one that has no id between sources: its neighbours are not compared."""
    length = len(order) + len(starts)
    return Seen(
        np.arange(length, dtype=np.uint64),
        np.insert(seen.record_id[order], starts, np.uint64(0)),
        np.insert(seen.has_id[order], starts, values=False),
        np.insert(seen.time[order], starts, frames.NAT),
        np.insert(seen.computer[order], starts, -1),
        np.insert(seen.channel[order], starts, -1),
        seen.computers,
        seen.channels,
    )
