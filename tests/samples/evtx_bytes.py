"""Checks the bytes of a log: magic, counts, CRCs, and the chains of names and templates in every chunk."""

from __future__ import annotations

import struct
import zlib

from samples.evtxwriter.binxml import name_hash, template_bucket

CHUNK = 0x10000


def chunks(data: bytes) -> list[bytes]:
    return [data[start : start + CHUNK] for start in range(4096, len(data), CHUNK)]


def check_log(data: bytes) -> int:
    """Assert that the file is sound, and return the number of its records."""
    assert data[:8] == b"ElfFile\0"
    assert (len(data) - 4096) % CHUNK == 0
    parts = chunks(data)
    _, last, next_number = struct.unpack_from("<QQQ", data, 8)
    size, _minor, major, block, count = struct.unpack_from("<IHHHH", data, 32)
    assert (size, major, block, count, last) == (128, 3, 4096, len(parts), max(len(parts) - 1, 0))
    assert struct.unpack_from("<I", data, 124)[0] == zlib.crc32(data[:120])
    total, expected = 0, None
    for chunk in parts:
        first, final, records = check_chunk(chunk)
        assert expected in (None, first)
        expected = final + 1
        total += records
    assert next_number == (expected or 1)
    return total


def check_chunk(chunk: bytes) -> tuple[int, int, int]:
    assert chunk[:8] == b"ElfChnk\0"
    first, final, first_id, final_id = struct.unpack_from("<QQQQ", chunk, 8)
    assert (first, final) == (first_id, final_id)
    size, last_offset, free, data_crc = struct.unpack_from("<IIII", chunk, 40)
    assert size == 128
    assert zlib.crc32(chunk[512:free]) == data_crc
    assert zlib.crc32(chunk[:120] + chunk[128:512]) == struct.unpack_from("<I", chunk, 124)[0]
    assert not any(chunk[free:])
    offset, number, at = 512, first, 0
    while offset < free:
        at = offset
        assert chunk[offset : offset + 4] == b"**\0\0"
        length, record = struct.unpack_from("<IQ", chunk, offset + 4)
        assert record == number
        assert length % 8 == 0
        assert struct.unpack_from("<I", chunk, offset + length - 4)[0] == length
        offset, number = offset + length, number + 1
    assert (offset, at, number) == (free, last_offset, final + 1)
    _check_names(chunk, free)
    _check_templates(chunk, free)
    return first, final, number - first


def _check_names(chunk: bytes, free: int) -> None:
    seen: dict[str, int] = {}
    for bucket, head in enumerate(struct.unpack_from("<64I", chunk, 128)):
        offset, before = head, free
        while offset:
            assert offset < before, "a chain goes from later to earlier names"
            before = offset
            offset, hashed, length = struct.unpack_from("<IHH", chunk, before)
            name = chunk[before + 8 : before + 8 + 2 * length].decode("utf-16-le")
            assert chunk[before + 8 + 2 * length : before + 10 + 2 * length] == b"\0\0"
            assert hashed == name_hash(name)
            assert hashed % 64 == bucket
            assert name not in seen, "a name is stored once per chunk"
            seen[name] = before
    assert {"Event", "System", "Provider"} <= seen.keys()


def _check_templates(chunk: bytes, free: int) -> None:
    seen: set[bytes] = set()
    for bucket, head in enumerate(struct.unpack_from("<32I", chunk, 384)):
        offset, before = head, free
        while offset:
            assert offset < before
            before = offset
            offset = struct.unpack_from("<I", chunk, before)[0]
            guid = chunk[before + 4 : before + 20]
            assert template_bucket(guid) == bucket
            assert guid not in seen, "a template is defined once per chunk"
            seen.add(guid)
            body = before + 24
            assert chunk[body : body + 4] == b"\x0f\x01\x01\x00"
            assert chunk[before - 10 : before - 8] == b"\x0c\x01", "defined inline, at its first use"
            assert chunk[before - 8 : before - 4] == guid[:4]
    assert len(seen) >= 2
