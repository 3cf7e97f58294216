"""From a record's bytes to its shape and its typed values, also for the fragments nested in a value."""

from __future__ import annotations

import struct
import threading
from itertools import accumulate
from typing import TYPE_CHECKING, Final, NamedTuple

from analyzer.readers.evtx import guard
from analyzer.readers.evtx.guard import RefusedError
from analyzer.readers.evtx.shape import TEMPLATE_HEAD, Shape, read_shape

if TYPE_CHECKING:
    from collections.abc import Sequence

BUDGET: Final = 2 * 0x10000  # bytes of definitions that are walked per chunk; sound ones fill a chunk once at most
MAX_KEPT: Final = 4 << 20  # bytes of templates that are kept; real logs have tens of templates of a few KiB
MAX_READ: Final = 500_000  # tokens that python-evtx reads per file; real logs stay below a tenth of it
UNFOLD: Final = 2 << 20  # what a chunk's records may unfold to: bytes of values and names, and a toll per step
STEP: Final = 16  # the toll

_HEAD = struct.Struct("<BBII")  # token, unknown, template id, offset of the definition
_DWORD = struct.Struct("<I")
_DESCRIPTORS: Final[dict[int, struct.Struct]] = {}


class Fragment(NamedTuple):
    """A template instance: ``types[i]``, and bytes ``data[starts[i]:starts[i + 1]]``, are substitution ``i``."""

    shape: Shape
    types: Sequence[int]
    starts: Sequence[int]
    end: int


class Library:
    """The distinct templates of one file, by what they say. May be used from several threads."""

    def __init__(self) -> None:
        self._shapes: dict[bytes, Shape | RefusedError] = {}
        self._kept = 0
        self._read = 0
        self._lock = threading.Lock()

    def shape(self, checked: guard.Checked) -> Shape:
        """Return the shape of a checked fragment; python-evtx reads it when it is new."""
        with self._lock:
            known = self._shape(checked)
        if isinstance(known, RefusedError):
            raise RefusedError(str(known))
        return known

    def _shape(self, checked: guard.Checked) -> Shape | RefusedError:
        known = self._shapes.get(checked.body)
        if known is None:
            self._kept += len(checked.body)
            if self._kept > MAX_KEPT:
                self._shapes.clear()
                self._kept = len(checked.body)
            self._read += checked.tokens
            if self._read > MAX_READ:
                raise RefusedError("this file holds more templates than are read")
            try:
                known = read_shape(checked)
            except RefusedError as error:
                known = error
            self._shapes[checked.body] = known
        return known


class Fragments:
    """Reads the fragments of one chunk. Definitions are looked at once per chunk, within a budget of bytes."""

    def __init__(self, data: bytes, limit: int, library: Library) -> None:
        self.data = data
        self._limit = limit
        self._library = library
        self._definitions: dict[int, Shape | RefusedError] = {}
        self._budget = BUDGET
        self._unfold = UNFOLD

    def charge(self, size: int) -> None:
        """Take a step that makes so many bytes out of the chunk.

        A few bytes can refer to the same long value again and again; a budget per chunk bounds time and memory.

        Raises
        ------
        RefusedError
            When the budget of the chunk is used up.
        """
        self._unfold -= size + STEP
        if self._unfold < 0:
            raise RefusedError("the values of this chunk unfold to many times its size")

    def read(self, start: int, end: int) -> Fragment:
        """Read the fragment in ``data[start:end]``.

        Raises
        ------
        RefusedError
            When it cannot be read; the text says why.
        """
        self.charge(STEP)
        data = self.data
        at = start + 4 if end - start >= 4 and data[start] == guard.START else start
        if at >= end or data[at] & 0x0F != guard.TEMPLATE_INSTANCE:
            return self._plain(start, end)
        if at + _HEAD.size > end:
            raise RefusedError("the record ends inside its template reference")
        offset = _HEAD.unpack_from(data, at)[3]
        at += _HEAD.size
        shape = self._definition(offset)
        if offset == at:  # the definition stands here, the values behind it
            at += TEMPLATE_HEAD + _DWORD.unpack_from(data, at + 20)[0]
        return self._values(shape, at, end)

    def _plain(self, start: int, end: int) -> Fragment:
        """Read a fragment that is an element and no template instance."""
        checked = self._check(start, end, in_template=False)
        return Fragment(self._library.shape(checked), (), (checked.end,), checked.end)

    def _definition(self, offset: int) -> Shape:
        known = self._definitions.get(offset)
        if known is None:
            try:
                known = self._read_definition(offset)
            except RefusedError as error:
                known = RefusedError(f"template definition: {error}")
            self._definitions[offset] = known
        if isinstance(known, RefusedError):
            raise RefusedError(str(known))
        return known

    def _read_definition(self, offset: int) -> Shape:
        if not guard.STRINGS_FROM <= offset <= self._limit - TEMPLATE_HEAD:
            raise RefusedError("its offset lies outside the readable part of the chunk")
        (size,) = _DWORD.unpack_from(self.data, offset + 20)
        start = offset + TEMPLATE_HEAD
        if not 0 < size <= self._limit - start:
            raise RefusedError("its size reaches out of the chunk")
        return self._library.shape(self._check(start, start + size, in_template=True))

    def _check(self, start: int, end: int, *, in_template: bool) -> guard.Checked:
        if end - start > self._budget:
            raise RefusedError("the definitions of this chunk overlap each other")
        self._budget -= end - start
        return guard.check(self.data, start, end, in_template=in_template)

    def _values(self, shape: Shape, at: int, end: int) -> Fragment:
        data = self.data
        if at + 4 > end:
            raise RefusedError("the record ends before its values")
        (count,) = _DWORD.unpack_from(data, at)
        first = at + 4 + 4 * count
        if first > end:
            raise RefusedError("more values than the record has room for")
        self.charge(4 * count)
        numbers = _descriptors(count).unpack_from(data, at + 4)
        starts = list(accumulate(numbers[0::2], initial=first))
        if starts[-1] > end:
            raise RefusedError("the sizes of its values reach out of the record")
        return Fragment(shape, numbers[1::2], starts, starts[-1])


def _descriptors(count: int) -> struct.Struct:
    """Return the format of so many descriptors: size, type, one unused byte."""
    form = _DESCRIPTORS.get(count)
    if form is None:
        form = struct.Struct("<" + "HBx" * count)
        if count <= 256:
            _DESCRIPTORS[count] = form
    return form
