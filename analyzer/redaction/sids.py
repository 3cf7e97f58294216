"""Account SIDs: the machine's or domain's part becomes ``0-0-N``, relative ids above 999 are numbered.

The result is a SID again, in text and in bytes. Relative ids below 1,000 are the same everywhere (500 is the built-in
administrator, 513 all users of a domain: Microsoft, "Well-known SIDs"), so they stay. SIDs of services, packages,
capabilities and well-known SIDs name nobody.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

TEXT: Final = re.compile(r"(?<![0-9A-Za-z])S-1-(?:5-21|12-1)(?:-[0-9]{1,10})+(?![0-9A-Za-z])", re.IGNORECASE)
# revision, number of parts, authority 5, 21, three parts, perhaps a relative id; and S-1-12-1 with four parts
BYTES: Final = re.compile(
    rb"\x01(?:\x04\x00{5}\x05\x15\x00{3}.{12}|\x05\x00{5}(?:\x05\x15|\x0c\x01)\x00{3}.{16})", re.DOTALL
)
LAST_COMMON: Final = 999
_FIRST: Final = 1001

Parts = tuple[int, ...]


def parts(text: str) -> Parts:
    """Return the numbers of a SID behind ``S-1``."""
    return tuple(int(item) for item in text.split("-")[2:])


def binary_parts(data: bytes) -> Parts:
    """Return the numbers of a binary SID behind its revision."""
    return (data[7], *struct.unpack(f"<{data[1]}I", data[8:]))


def to_bytes(numbers: Parts) -> bytes:
    """Return a SID as bytes."""
    return bytes([1, len(numbers) - 1, 0, 0, 0, 0, 0, numbers[0]]) + struct.pack(f"<{len(numbers) - 1}I", *numbers[1:])


def _split(numbers: Parts) -> tuple[Parts, Parts]:
    """Return (who issued it, relative ids): S-1-12-1 belongs to one account as a whole."""
    return (numbers[:5], numbers[5:]) if numbers[:2] == (5, 21) else (numbers, ())


class SidBook:
    """Gives every issuer and every relative id of it a number."""

    def __init__(self) -> None:
        self._issuers: dict[Parts, Parts] = {}
        self._relative: dict[tuple[Parts, Parts], Parts] = {}
        self._taken: dict[Parts, int] = {}
        self._issued: dict[Parts, int] = {}
        self._originals: set[Parts] = set()

    def extend(self, sids: Iterable[Parts]) -> None:
        """Give numbers to those that are new, in their own order."""
        new = sorted(set(sids))
        self._originals.update(_split(item)[0] for item in new)
        for numbers in new:
            self.hidden(numbers)

    def hidden(self, numbers: Parts) -> Parts:
        """Return the SID that stands for this one."""
        issuer, relative = _split(numbers)
        if issuer == (5, 21, 0, 0, 0):  # S-1-5-21-0-0-0-496 and -497 are well known
            return numbers
        stand_in = self._issuers.get(issuer) or self._new(issuer)
        if not any(item > LAST_COMMON for item in relative):
            return stand_in + relative
        key = (issuer, relative)
        if key not in self._relative:
            number = self._taken[issuer] = self._taken.get(issuer, _FIRST - 1) + 1
            self._relative[key] = (number,)
        return stand_in + self._relative[key]

    def text(self, text: str) -> str:
        """Return the text of the SID that stands for this one."""
        return "S-1-" + "-".join(map(str, self.hidden(parts(text))))

    def data(self, data: bytes) -> bytes:
        """Return the bytes of the SID that stands for this one; as many."""
        return to_bytes(self.hidden(binary_parts(data)))

    def key(self) -> dict[str, str]:
        """Return stand-in -> original of every issuer and of every account with a number of its own."""
        rows = {stand_in: issuer for issuer, stand_in in self._issuers.items()}
        rows |= {self._issuers[issuer] + own: issuer + rest for (issuer, rest), own in self._relative.items()}
        return {"S-1-" + "-".join(map(str, new)): "S-1-" + "-".join(map(str, old)) for new, old in sorted(rows.items())}

    def __len__(self) -> int:
        """Return how many issuers are hidden."""
        return len(self._issuers)

    def _new(self, issuer: Parts) -> Parts:
        head, zeros = issuer[:2], (0,) * max(len(issuer) - 3, 0)
        while True:
            number = self._issued[head] = self._issued.get(head, 0) + 1
            if (*head, *zeros, number) not in self._originals:
                break
        self._issuers[issuer] = stand_in = (*head, *zeros, number)
        return stand_in
