"""Columns and the careful way give the same log, whatever the file."""

from __future__ import annotations

from pathlib import Path

import evtx_compare
import pytest

from analyzer.readers.evtx import read_evtx

ROOT = Path(__file__).parents[2]
REAL = sorted(path for folder in ("evtx", "evtx-corpus", "damaged") for path in (ROOT / ".." / "shared" / "data" / folder).glob("*"))
SAMPLES = sorted((ROOT / "samples").rglob("*.evtx"))


def both(path: Path, block_chunks: int | None = None) -> None:
    careful = read_evtx(path, path.name, columns=False)
    columns = read_evtx(path, path.name, columns=True, block_chunks=block_chunks)
    evtx_compare.same_log(careful, columns)


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
@pytest.mark.parametrize("block_chunks", [None, 1, 7])
def test_real_logs(shared, path, block_chunks):
    both(path, block_chunks)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_shipped_samples(path):
    both(path)
