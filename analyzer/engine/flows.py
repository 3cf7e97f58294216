"""Recorded flows as arrays, ready to be compared with filter conditions.

``FlowArrays`` holds, per row, what is recorded of a packet or connection; made of events by ``engine.recorded``, of
anything else by hand. All arrays have the shape ``(n,)``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.engine.addresses import Addresses
from analyzer.engine.endings import NOTHING_TOLD, Endings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from analyzer.engine.tokens import Token

UNKNOWN: Final = -1  # stands for a number that the record does not give
OUTBOUND, INBOUND, FORWARD = 0, 1, 2  # the first two as FWPM_CONDITION_DIRECTION numbers them


@dataclass(frozen=True, slots=True)
class Texts:
    """A text per row as a code: ``codes`` int32, -1 where the record has none; ``places``: text -> its code."""

    codes: NDArray[np.int32]
    places: Mapping[str, int]  # codes from 0 on, in order

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: NDArray[np.intp]) -> Texts:
        """Return the texts of these rows."""
        return Texts(self.codes[rows], self.places)

    def at(self, row: int) -> str | None:
        """Return the text of one row."""
        code = int(self.codes[row])
        return None if code < 0 else next(name for name, place in self.places.items() if place == code)

    def judge(self, judge: Callable[[str], int]) -> NDArray[np.int8]:
        """Apply ``judge`` (an answer) to each distinct text; without a text it cannot be told. Shape (n,)."""
        table = np.array([*(judge(name) for name in self.places), 0], dtype=np.int8)
        out: NDArray[np.int8] = table[self.codes]
        return out


def texts(values: Sequence[str | None]) -> Texts:
    """Code texts by their distinct values."""
    places: dict[str, int] = {}
    codes = [-1 if value is None else places.setdefault(value, len(places)) for value in values]
    return Texts(np.array(codes, dtype=np.int32), places)


@dataclass(frozen=True, slots=True)
class FlowArrays:
    """One row per recorded flow or event; numbers are int64 with ``UNKNOWN`` where the record gives none."""

    layer: Texts  # symbol without FWPM_LAYER_, as in states
    application: Texts  # lower-case device path
    protocol: NDArray[np.int64]
    direction: NDArray[np.int8]  # OUTBOUND, INBOUND, FORWARD; UNKNOWN also where layer and event differ
    local: Addresses
    remote: Addresses
    local_port: NDArray[np.int64]  # for ICMP: the type (`fwpsk.h` alias fields)
    remote_port: NDArray[np.int64]  # for ICMP: the code
    order_certain: NDArray[np.bool_]  # False: local and remote may be the other way round
    flags_set: NDArray[np.uint32]  # bits of FWPM_CONDITION_FLAGS that are set for sure
    flags_clear: NDArray[np.uint32]  # bits that are not set for sure
    original_profile: NDArray[np.int64]
    current_profile: NDArray[np.int64]
    interface_index: NDArray[np.int64]
    interface_luid: NDArray[np.uint64]  # 0: not known
    package: Texts  # SID of the app package; S-1-0-0: none
    token: NDArray[np.int32]  # position in ``tokens``
    tokens: tuple[Token, ...]
    ether_type: NDArray[np.int64]
    source_mac: NDArray[np.int64]  # 48 bits as a number
    destination_mac: NDArray[np.int64]
    endings: Endings = NOTHING_TOLD  # what the record tells of the filters of the policy that is to decide

    def __len__(self) -> int:
        return len(self.protocol)

    def take(self, rows: NDArray[np.intp]) -> FlowArrays:
        """Return the flows of these rows."""
        values: dict[str, Any] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, (Addresses, Texts, Endings)):
                values[item.name] = value.take(rows)
            else:
                values[item.name] = value if isinstance(value, tuple) else value[rows]
        return FlowArrays(**values)

    def swapped(self) -> FlowArrays:
        """Return the same flows with local and remote exchanged."""
        return replace(
            self,
            local=self.remote,
            remote=self.local,
            local_port=self.remote_port,
            remote_port=self.local_port,
        )
