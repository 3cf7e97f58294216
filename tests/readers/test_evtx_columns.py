"""Columns and the careful way give the same log, whatever the file."""

from __future__ import annotations

import dataclasses
import random
import struct
import zlib
from pathlib import Path

import evtx_build as build
import evtx_compare
import pytest

from analyzer.readers.evtx import EvtxLog, read_evtx
from analyzer.readers.evtx.record import RecordReader
from samples.evtxwriter import SHAPES, Record, Shape, write_log

START = 133_800_000_000_000_000  # a FILETIME in 2024
HEAD, CHUNK = 0x1000, 0x10000
ROOT = Path(__file__).parents[2]
REAL = sorted(
    path
    for folder in ("evtx", "evtx-corpus", "damaged")
    for path in (ROOT / ".." / "shared" / "data" / folder).glob("*")
)
SAMPLES = sorted((ROOT / "samples").rglob("*.evtx"))


def both(path: Path, block_chunks: int | None = None) -> EvtxLog:
    """Read in both ways, compare, and return the log."""
    careful = read_evtx(path, path.name, columns=False)
    columns = read_evtx(path, path.name, columns=True, block_chunks=block_chunks)
    evtx_compare.same_log(careful, columns)
    return columns


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
@pytest.mark.parametrize("block_chunks", [None, 1, 7])
def test_real_logs(shared, path, block_chunks):
    both(path, block_chunks)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_shipped_samples(path):
    both(path)


def value(kind: str, name: str, number: int):
    """Return some value: often the same, now and then another, sometimes none, sometimes odd."""
    if number % 11 == 3:
        return None
    if kind == "string":
        if name.endswith("Port"):
            return ("443", "53", "-", "65535", "0", "7", "0x1bb", "https", "123456", "")[number % 10]
        return (
            "-",
            "",
            "%%14592",
            "10.0.0.1",
            f"10.0.{number % 7}.{number % 251}",
            "fe80::1",
            "Größe 😀",
            "x" * (number % 300),
        )[number % 8]
    if kind == "sid":
        return ("S-1-0-0", "S-1-5-18", "S-1-5-21-1-2-3-1001")[number % 3]
    if kind == "guid":
        return "{00000000-0000-0000-0000-%012x}" % (number % 5)
    if kind == "filetime":
        return START + number
    return (number * 7919) % (1 << {"u8": 8, "u16": 16, "u32": 32, "hex32": 32}.get(kind, 63))


def made(count: int, *, shapes: list[Shape]):
    """Yield records of all shapes in turn, in changing order."""
    for number in range(count):
        shape = shapes[(number * 5 + number // 97) % len(shapes)]
        fields = {name: value(kind, name, number + index) for index, (name, kind) in enumerate(shape.fields)}
        activity = "{11111111-2222-3333-4444-555555555555}" if number % 5 == 0 else None
        yield Record(
            shape.event_id,
            shape.version,
            START + number * 1_000_000,
            number + 1 + number // 500,
            ("one.example", "two.example")[number // 300 % 2],
            fields,
            variant=shape.variant,
            activity=activity,
            shape=shape,
        )


@pytest.mark.parametrize("style", ["values", "text"])
def test_generated_logs_of_every_event_and_version(tmp_path, style):
    path = tmp_path / "made.evtx"
    write_log(path, made(6000, shapes=list(SHAPES.values())), style=style)
    log = both(path)
    assert log.records == 6000
    assert {row for frame in log.tables.values() for row in set(frame["event_id"])} == {key[0] for key in SHAPES}
    both(path, 3)


@pytest.mark.parametrize("key", SHAPES, ids=str)
def test_each_event_alone(tmp_path, key):
    path = tmp_path / "made.evtx"
    write_log(path, made(400, shapes=[SHAPES[key]]))
    assert sum(len(frame) for frame in both(path, 2).tables.values()) == 400


def test_nothing_goes_the_careful_way_in_a_common_log(tmp_path, monkeypatch):
    path = tmp_path / "made.evtx"
    shapes = [SHAPES[5156, 1, ""], SHAPES[5157, 3, ""], SHAPES[5152, 1, ""], SHAPES[4688, 2, ""]]

    def plain():
        for record in made(4000, shapes=shapes):
            ports = {name: "443" for name in record.fields if name.endswith("Port")}
            yield dataclasses.replace(record, computer="one.example", fields={**record.fields, **ports})

    write_log(path, plain())
    monkeypatch.setattr(RecordReader, "read", lambda *_: pytest.fail("a record was read with care"))
    log = read_evtx(path, path.name, columns=True)
    assert log.records == 4000
    assert len(log.tables["wfp"]) > 2900


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> bytes:
    """A log of some chunks with several events."""
    path = tmp_path_factory.mktemp("sound") / "made.evtx"
    write_log(
        path,
        made(300, shapes=[SHAPES[5157, 3, ""], SHAPES[5156, 1, "win11"], SHAPES[5158, 0, ""], SHAPES[4689, 0, ""]]),
    )
    return path.read_bytes()


@pytest.mark.parametrize("seed", range(6))
def test_damaged_logs(tmp_path, sound, seed):
    """Bytes are changed at random, often where they matter most, often with the checksums set right again."""
    random_ = random.Random(seed)
    path = tmp_path / "damaged.evtx"
    for _ in range(15):
        path.write_bytes(mutate(sound, random_))
        both(path, random_.choice((None, 1, 2)))


def mutate(content: bytes, random_: random.Random) -> bytes:
    """Return a damaged log."""
    out = bytearray(content)
    chunks = (len(out) - HEAD) // CHUNK
    for _ in range(random_.choice((1, 1, 2, 8, 60))):
        base = HEAD + random_.randrange(chunks) * CHUNK
        at = random_.choice((0, 0x200, 0x200, random_.randrange(CHUNK), random_.randrange(CHUNK)))
        at = base + min(at + random_.randrange(0x900), CHUNK - 4)
        kind = random_.randrange(6)
        if kind < 2:
            out[at] ^= 1 << random_.randrange(8)
        elif kind == 2:
            out[at] = random_.choice((0, 1, 0xFF, 0x21, 0x81, random_.randrange(256)))
        elif kind == 3:
            struct.pack_into("<I", out, at, random_.choice((0, 0xFFFFFFFF, 0x200, 0xFFFF, random_.randrange(CHUNK))))
        elif kind == 4:
            length = random_.randrange(1, 40)
            other = base + random_.randrange(0x200, CHUNK - 40)
            out[at : at + length] = out[other : other + length]
        else:
            end = min(at + random_.choice((8, 100, 5000)), len(out))
            out[at:end] = bytes(end - at)
    if random_.random() < 0.6:
        for chunk in range(chunks):
            fix_sums(out, HEAD + chunk * CHUNK)
    return bytes(out[: random_.choice((len(out), len(out), len(out), HEAD + random_.randrange(len(out) - HEAD)))])


def fix_sums(content: bytearray, at: int) -> None:
    (used,) = struct.unpack_from("<I", content, at + 0x30)
    if 0x200 <= used <= CHUNK and at + CHUNK <= len(content):
        struct.pack_into("<I", content, at + 0x34, zlib.crc32(content[at + 0x200 : at + used]))
        struct.pack_into(
            "<I", content, at + 0x7C, zlib.crc32(content[at : at + 0x78] + content[at + 0x80 : at + 0x200])
        )


def test_folded_lines_stand_in_the_same_order_in_both_ways(tmp_path: Path) -> None:
    log = build.Log()
    template = build.event()
    for number in range(10):
        log.add(template, build.system_values(5157, number))
    content = bytearray(log.file(chunks=9))
    for chunk in range(9):
        content[0x1000 + chunk * 0x10000 + 0x34] ^= 1  # nine odd checksums, one by one in several blocks
    start = 0x1000 + 6 * 0x10000
    for at in log.starts[1:]:  # nine records without a template, in the first chunk of the last block
        struct.pack_into("<I", content, start + at + 24 + 10, 7)
    path = tmp_path / "odd.evtx"
    path.write_bytes(content)
    careful = read_evtx(path, "f", columns=False).problems
    assert any("more like this" in p.what for p in careful)
    assert read_evtx(path, "f", columns=True, block_chunks=3).problems == careful
    assert read_evtx(path, "f", columns=True, block_chunks=1).problems == careful
