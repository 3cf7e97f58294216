"""One measurement in a process of its own: seconds, a count, and the peak of anonymous memory of all its processes.

``python -m benchmarks.measure WHAT PATH`` prints them. What a reader imports is not measured; what a command does, is.
"""

# ruff: noqa: PLC0415 - each reader imports its own, and imports are not measured

from __future__ import annotations

import argparse
import hashlib
import itertools
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

RENDERED = 400  # records that python-evtx renders: it takes seconds for them


def frames(path: Path) -> int:
    """Read the log with this reader: rows of all frames."""
    from analyzer.readers.evtx import read_evtx

    return sum(len(frame) for frame in read_evtx(path, path.name).tables.values())


def wheel_frames(path: Path) -> int:
    """Read the same columns with the evtx wheel, orjson and pandas: rows of all frames."""
    import orjson
    import pandas as pd
    from evtx import PyEvtxParser

    from analyzer import frames as schemas
    from analyzer.wfp.events import TABLES, find

    rows: dict = {table: [] for table in TABLES}
    for record in PyEvtxParser(str(path)).records_json():
        event = orjson.loads(record["data"])["Event"]
        system = event["System"]
        event_id = system["EventID"]
        if isinstance(event_id, dict):
            event_id = event_id["#text"]
        provider = system["Provider"]["#attributes"]["Name"]
        spec = find(provider, event_id)
        if spec is None:
            continue
        row = event.get("EventData") or next(iter((event.get("UserData") or {}).values()), None) or {}
        row["event_id"] = event_id
        row["version"] = system["Version"]
        row["record_id"] = system["EventRecordID"]
        row["time"] = system["TimeCreated"]["#attributes"]["SystemTime"]
        row["computer"] = system["Computer"]
        row["channel"] = system["Channel"]
        row["provider"] = provider
        rows[spec.table].append(row)
    total = 0
    for table, found in rows.items():
        if not found:
            continue
        frame = pd.DataFrame(found)
        frame["time"] = pd.to_datetime(frame["time"], format="ISO8601")
        for column, dtype in schemas.EVENT_SCHEMAS[table].items():
            if column in frame and dtype == "category":
                frame[column] = frame[column].astype("category")
        total += len(frame)
    return total


def wheel_json(path: Path) -> int:
    """Let the evtx wheel render the JSON of all records, and nothing more: records."""
    from evtx import PyEvtxParser

    return sum(1 for _ in PyEvtxParser(str(path)).records_json())


def python_evtx(path: Path) -> int:
    """Let python-evtx render the XML of the first records: records."""
    from Evtx.Evtx import Evtx

    with Evtx(str(path)) as log:
        return sum(1 for record in itertools.islice(log.records(), RENDERED) if record.xml())


def sha256(path: Path) -> int:
    """Hash the file: bytes."""
    with path.open("rb") as stream:
        hashlib.file_digest(stream, "sha256")
    return path.stat().st_size


def _command(*arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", "analyzer", *arguments], check=False, capture_output=True).returncode


def report(path: Path) -> int:
    """Run the whole ``report`` command: its exit code."""
    target = Path(tempfile.gettempdir()) / f"benchmark-{os.getpid()}.html"
    try:
        return _command("report", str(path), "-o", str(target))
    finally:
        target.unlink(missing_ok=True)


def show_help(_: Path) -> int:
    """Run ``wfp-analyzer --help``: its exit code."""
    return _command("--help")


WHAT = {
    "frames": frames,
    "wheel-frames": wheel_frames,
    "wheel-json": wheel_json,
    "python-evtx": python_evtx,
    "sha256": sha256,
    "report": report,
    "help": show_help,
}
# What is imported before the clock starts.
READY = {
    "frames": ("analyzer.readers.evtx",),
    "wheel-frames": ("orjson", "pandas", "evtx", "analyzer.frames", "analyzer.wfp.events"),
    "wheel-json": ("evtx",),
    "python-evtx": ("Evtx.Evtx",),
}


def processes() -> list[int]:
    """Return this process and all below it."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    out = [os.getpid()]
    for number in out:
        out.extend(child for child, parent in parents.items() if parent == number)
    return out


def anonymous() -> int:
    """Return the bytes of anonymous and shared memory of all these processes; mapped files do not count."""
    total = 0
    for number in processes():
        try:
            lines = Path(f"/proc/{number}/status").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith(("RssAnon:", "RssShmem:")))
    return total * 1024


def main() -> None:
    """Measure once and print seconds, count and peak."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=WHAT)
    parser.add_argument("path", type=Path)
    parser.add_argument("--memory", action="store_true", help="watch the memory, which takes time of its own")
    chosen = parser.parse_args()
    for name in READY.get(chosen.what, ()):
        __import__(name)
    peak = 0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.02):
            peak = max(peak, anonymous())

    watcher = threading.Thread(target=watch)
    if chosen.memory:
        watcher.start()
    start = time.perf_counter()
    count = WHAT[chosen.what](chosen.path)
    seconds = time.perf_counter() - start
    done.set()
    print(seconds, count, peak)


if __name__ == "__main__":
    main()
