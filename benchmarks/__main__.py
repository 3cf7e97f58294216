"""Measures everything side by side and prints the table of ``benchmarks/README.md``.

``python -m benchmarks FOLDER [--runs 5] [--sizes 64 256 1024] [--largest 4096]``: logs are made in FOLDER where they
are not there yet. Readers that are compared run in turn, so that a busy moment of the machine meets them all.
"""

from __future__ import annotations

import argparse
import platform
import shutil
import statistics
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from benchmarks.make_log import make

ROOT = Path(__file__).resolve().parent.parent
STATES = (ROOT.parent / "shared" / "data" / "xml", ROOT / "samples" / "ticket-a-win11")  # the first that is there
MIB = 1 << 20


class Figure(NamedTuple):
    """Medians of one measurement: seconds, what was counted; and the peak of memory in bytes."""

    seconds: float
    count: int
    peak: int


def once(what: str, path: Path, *options: str) -> Figure:
    """Measure once, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.measure", what, str(path), *options]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    seconds, count, peak = done.stdout.split()
    return Figure(float(seconds), int(count), int(peak))


def in_turn(path: Path, runs: int, *what: str) -> list[Figure]:
    """Measure several things in turn and return their medians."""
    found: dict[str, list[Figure]] = {name: [] for name in what}
    for _ in range(runs):
        for name in what:
            found[name].append(once(name, path))
    return [Figure(statistics.median(item.seconds for item in items), items[0].count, 0) for items in found.values()]


def log_of(folder: Path, size: int, *, distinct: bool = False) -> Path:
    """Return a made log of so many MiB."""
    path = folder / f"{size}{'-distinct' if distinct else ''}.evtx"
    if not path.exists():
        part = path.with_suffix(".part")
        make(part, size * MIB, distinct=distinct)
        part.rename(path)
    return path


def small_ticket(folder: Path) -> Path:
    """Return a folder with a log of 1 MiB and the largest state at hand."""
    states = next(found for place in STATES if (found := sorted(place.glob("*.xml"), key=lambda p: p.stat().st_size)))
    ticket = folder / "small-ticket"
    ticket.mkdir(exist_ok=True)
    shutil.copyfile(log_of(folder, 1), ticket / "security.evtx")
    link = ticket / "wfpstate.xml"
    link.unlink(missing_ok=True)
    link.symlink_to(states[-1])
    return ticket


def readers(folder: Path, sizes: list[int], runs: int) -> None:
    """Compare the frames of both readers, also over doubled sizes."""
    print("| log | rows | this reader | wheel + orjson + pandas | ratio | peak memory |\n|---|---|---|---|---|---|")
    for distinct in (False, True):
        for size in sizes:
            path = log_of(folder, size, distinct=distinct)
            own, wheel = in_turn(path, runs, "frames", "wheel-frames")
            if own.count != wheel.count:
                raise SystemExit(f"{path.name}: {own.count} rows here, {wheel.count} by the wheel")
            peak = once("frames", path, "--memory").peak / MIB
            print(
                f"| {path.name} | {own.count:,} | {own.seconds:.2f} s | {wheel.seconds:.2f} s "
                f"| {wheel.seconds / own.seconds:.1f} | {peak:.0f} MiB |",
                flush=True,
            )


def growth(folder: Path, size: int, runs: int) -> None:
    """Compare the time of a log with that of one twice as large."""
    one, two = log_of(folder, size), log_of(folder, 2 * size)
    first, second = [], []
    for _ in range(runs):
        first.append(once("frames", one).seconds)
        second.append(once("frames", two).seconds)
    ratio = statistics.median(second) / statistics.median(first)
    print(f"| twice the data, {size} to {2 * size} MiB | {ratio:.2f} times the time |", flush=True)


def others(folder: Path, sizes: list[int], largest: int, runs: int) -> None:
    """Measure what is not compared by size."""
    print("\n| what | measured |\n|---|---|")
    size = max(sizes)
    path = log_of(folder, size)
    whole, render, digest = in_turn(path, runs, "report", "wheel-json", "sha256")
    peak = once("report", path, "--memory").peak / MIB
    print(
        f"| whole `report`, {path.name} | {whole.seconds:.2f} s; the wheel renders the JSON in {render.seconds:.2f} s: "
        f"{whole.seconds / render.seconds:.2f} times; peak {peak:.0f} MiB |"
    )
    print(f"| SHA-256 of it, which runs beside | {digest.seconds:.2f} s |")
    own, slow = in_turn(path, 1, "wheel-json", "python-evtx")
    records = own.count
    speed = records / in_turn(path, runs, "frames")[0].seconds
    print(
        f"| python-evtx renders | {slow.count / slow.seconds:,.0f} records/s; this reader {speed:,.0f}: "
        f"{speed * slow.seconds / slow.count:,.0f} times |"
    )
    growth(folder, size // 2, runs)
    if largest:
        huge = once("frames", log_of(folder, largest), "--memory")
        print(f"| frames of {largest} MiB | {huge.seconds:.1f} s, peak {huge.peak / MIB:.0f} MiB |")
    small = small_ticket(folder)
    size_of_state = (small / "wfpstate.xml").stat().st_size / MIB
    ticket = in_turn(small, runs, "report", "help")
    print(f"| whole `report` of a log of 1 MiB and a state of {size_of_state:.1f} MiB | {ticket[0].seconds:.2f} s |")
    print(f"| `wfp-analyzer --help` | {ticket[1].seconds:.2f} s |")


def machine() -> str:
    """Describe machine and versions in a line."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    names = ("pandas", "numpy", "python-evtx", "evtx", "orjson")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in names)
    return f"{cpu}, {len(__import__('os').sched_getaffinity(0))} cores, Python {platform.python_version()}, {versions}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 256, 1024])
    parser.add_argument("--largest", type=int, default=0, help="MiB of a further log, for its peak of memory (4096)")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(chosen.folder).free < 4 * (sum(chosen.sizes) + chosen.largest) * MIB:
        raise SystemExit("not enough room on the disk")
    print(machine() + "\n")
    readers(chosen.folder, chosen.sizes, chosen.runs)
    others(chosen.folder, chosen.sizes, chosen.largest, chosen.runs)


if __name__ == "__main__":
    main()
