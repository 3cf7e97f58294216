"""What runs in the second process (``helper``): takes numbers of blocks, reads them and sends what they hold."""

from __future__ import annotations

import os
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from analyzer.readers.evtx.block import Shared, read_block
from analyzer.readers.evtx.cut import Cut
from analyzer.readers.evtx.helper import take_job
from analyzer.readers.evtx.parcel import send

if TYPE_CHECKING:
    from concurrent.futures import Future


def main(order: dict[str, Any]) -> None:
    """Read blocks until none is left, or until nobody wants them any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who has started this process ends it
    connection = socket.socket(fileno=order["socket"])
    threading.Thread(target=_end_with, args=(connection,), daemon=True).start()
    _read(Cut(*order["cut"]), order["jobs"], connection)
    os._exit(0)


def _end_with(connection: socket.socket) -> None:
    """End this process as soon as the other one does."""
    connection.recv(1)
    os._exit(1)


def _read(plan: Cut, jobs: int, connection: socket.socket) -> None:
    shared = Shared(checksums=plan.checksums)
    buffer = plan.buffer()
    sent: Future[None] | None = None
    with ThreadPoolExecutor(1) as sender:  # the other process may be busy: the next block is read meanwhile
        while (number := take_job(jobs)) is not None:
            result = read_block(plan.fetch(number, buffer), shared)
            if sent is not None:
                sent.result()
            sent = sender.submit(send, connection, number, result)
        if sent is not None:
            sent.result()
