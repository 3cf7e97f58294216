"""Reads a log with other readers, in a process of its own that can be killed. Prints one JSON line per record."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT = 120


def wheel(path: Path) -> tuple[list[dict], int]:
    """Return the records that the ``evtx`` wheel reads, and how many it fails at."""
    return _run("wheel", path)


def libevtx(path: Path) -> tuple[list[dict], int]:
    """Return the XML of the records that libevtx reads, and how many it fails at."""
    return _run("libevtx", path)


def _run(reader: str, path: Path) -> tuple[list[dict], int]:
    done = subprocess.run(
        [sys.executable, __file__, reader, str(path)], capture_output=True, timeout=TIMEOUT, check=True, text=True
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return [line for line in lines if "failed" not in line], sum("failed" in line for line in lines)


def _line(record: dict) -> None:
    sys.stdout.write(json.dumps(record) + "\n")


def _print_wheel(path: str) -> None:
    records = importlib.import_module("evtx").PyEvtxParser(path).records_json()
    while True:
        try:
            record = next(records)
        except StopIteration:
            return
        except Exception as error:  # noqa: BLE001 - whatever another reader raises is one failure
            _line({"failed": str(error)})
        else:
            _line({"number": record["event_record_id"], "event": json.loads(record["data"])["Event"]})


def _print_libevtx(path: str) -> None:
    log = importlib.import_module("pyevtx").file()
    log.open(path)
    for index in range(log.number_of_records):
        try:
            _line({"xml": log.get_record(index).xml_string})
        except Exception as error:  # noqa: BLE001 - whatever another reader raises is one failure
            _line({"failed": str(error)})


if __name__ == "__main__":
    {"wheel": _print_wheel, "libevtx": _print_libevtx}[sys.argv[1]](sys.argv[2])
