"""Times this reader beside the ``evtx`` wheel + orjson + pandas for the same columns, each in a process of its own.

``python -m benchmarks.evtx_reader LOG... [--runs 5]`` prints one line per log: seconds (median), the ratio, and peak
anonymous memory of this reader.
"""

# ruff: noqa: PLC0415 - each reader imports its own, and imports are not measured

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path


def wheel(path: Path) -> int:
    """Return the number of rows that the wheel, orjson and pandas give."""
    import orjson
    import pandas as pd
    from evtx import PyEvtxParser

    from analyzer import frames
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
        for column, dtype in frames.EVENT_SCHEMAS[table].items():
            if column in frame and dtype == "category":
                frame[column] = frame[column].astype("category")
        total += len(frame)
    return total


def ours(path: Path) -> int:
    """Return the number of rows that this reader gives."""
    from analyzer.readers.evtx import read_evtx

    return sum(len(frame) for frame in read_evtx(path, path.name).tables.values())


def anonymous() -> int:
    """Return the anonymous memory of this process in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    return 0


def child(which: str, path: Path) -> None:
    """Read once, print seconds, rows and the peak of anonymous memory."""
    peak = 0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.01):
            peak = max(peak, anonymous())

    if which == "ours":
        import analyzer.readers.evtx
    else:
        import orjson  # noqa: F401
        import pandas as pd  # noqa: F401

        import analyzer.frames  # noqa: F401
    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    rows = {"ours": ours, "wheel": wheel}[which](path)
    seconds = time.perf_counter() - start
    done.set()
    watcher.join()
    print(seconds, rows, peak)


def run(which: str, path: Path, runs: int) -> tuple[float, int, int]:
    """Return the median of seconds, the rows, and the largest peak."""
    out = []
    for _ in range(runs):
        command = [sys.executable, "-m", "benchmarks.evtx_reader", "--child", which, str(path)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        seconds, rows, peak = done.stdout.split()
        out.append((float(seconds), int(rows), int(peak)))
    return statistics.median(item[0] for item in out), out[0][1], max(item[2] for item in out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("logs", nargs="*", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--ours", action="store_true", help="this reader alone")
    parser.add_argument("--child", choices=("ours", "wheel"))
    chosen = parser.parse_args()
    if chosen.child:
        child(chosen.child, chosen.logs[0])
        return
    for path in chosen.logs:
        seconds, rows, peak = run("ours", path, chosen.runs)
        line = (
            f"{path.name}: {path.stat().st_size / 2**20:.0f} MiB, {rows} rows, {seconds:.3f} s, {peak / 2**20:.0f} MiB"
        )
        if not chosen.ours:
            other, other_rows, other_peak = run("wheel", path, chosen.runs)
            line += (
                f"; wheel {other:.3f} s ({other_rows} rows, {other_peak / 2**20:.0f} MiB): {other / seconds:.1f} times"
            )
        print(line, flush=True)


if __name__ == "__main__":
    main()
