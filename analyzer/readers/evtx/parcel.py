"""The result of a block on its way from one process to another: a pickle, and behind it the bytes of its arrays.

The arrays travel apart (protocol 5 of pickle), so that they are copied once out of one process and once into another.
"""

from __future__ import annotations

import pickle
import socket
import struct
from typing import Any, Final

import numpy as np

from analyzer.readers.evtx.block import Result

_HEAD: Final = struct.Struct("<IQQ")  # number of the block, bytes of the pickle, number of arrays
_AT_ONCE: Final = 512  # pieces that one call takes; systems allow 1024


def send(connection: socket.socket, number: int, result: Result) -> None:
    """Send the result of a block.

    Raises
    ------
    OSError
        When nobody takes it.
    """
    buffers: list[pickle.PickleBuffer] = []
    data = pickle.dumps(result, protocol=5, buffer_callback=buffers.append)
    pieces = [buffer.raw() for buffer in buffers]
    sizes = np.array([piece.nbytes for piece in pieces], dtype="<u8").tobytes()
    connection.sendall(_HEAD.pack(number, len(data), len(pieces)) + sizes + data)
    for piece in pieces:
        connection.sendall(piece)


def receive(connection: socket.socket) -> tuple[int, Result] | None:
    """Return the next block's number and result, None where the other side has ended."""
    head = bytearray(_HEAD.size)
    if not _fill(connection, [head]):
        return None
    number, length, count = _HEAD.unpack(head)
    sizes, data = np.empty(count, dtype="<u8"), bytearray(length)
    if not _fill(connection, [sizes, data]):
        return None
    arrays = [np.empty(size, dtype=np.uint8) for size in sizes.tolist()]
    if not _fill(connection, arrays):
        return None
    result = pickle.loads(data, buffers=arrays)  # noqa: S301 - comes from a process that this one has started
    return (number, result) if isinstance(result, Result) else None


def _fill(connection: socket.socket, pieces: list[Any]) -> bool:
    """Fill pieces of memory with what comes; False where the other side ends before."""
    left = [view for piece in pieces if (view := memoryview(piece).cast("B")).nbytes]
    while left:
        try:
            got = connection.recvmsg_into(left[:_AT_ONCE], 0, socket.MSG_WAITALL)[0]
        except OSError:
            return False
        if not got:
            return False
        while left and got >= left[0].nbytes:
            got -= left.pop(0).nbytes
        if got:
            left[0] = left[0][got:]
    return True
