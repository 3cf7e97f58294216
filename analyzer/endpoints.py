"""The connections that were open when a state was taken (``aleConnectedEndpoints``), for people and the document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer import cells
from analyzer.model import Endpoint, OpenConnections

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from analyzer.pairing import Fit
    from analyzer.states import Book

MOST: Final = 200


def connections(book: Book, fits: Sequence[Fit]) -> tuple[OpenConnections, ...]:
    """Return the open connections of each state that lists any, in its order; at most ``MOST`` rows over all states."""
    out = []
    room = MOST
    for snapshot in book.snapshots:
        frame = snapshot.endpoints
        if frame.empty:
            continue
        owners = {
            fit.pairing.computer for fit in fits if fit.pairing.state == snapshot.name and fit.pairing.fits == "yes"
        }
        shown = _rows(frame.head(room))
        room -= len(shown)
        computer = owners.pop() if len(owners) == 1 else None
        out.append(OpenConnections(snapshot.name, cells.when(snapshot.time), computer, len(frame), shown))
    return tuple(out)


def _rows(frame: pd.DataFrame) -> tuple[Endpoint, ...]:
    return tuple(
        Endpoint(
            cells.number(row.protocol),
            cells.text(row.local_address),
            cells.number(row.local_port),
            cells.text(row.remote_address),
            cells.number(row.remote_port),
            cells.text(row.application),
        )
        for row in frame.itertuples(index=False)
    )
