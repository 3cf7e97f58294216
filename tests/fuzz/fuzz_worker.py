"""One process that reads mutants: a job per line of standard input, an answer per line of standard output.

A job is ``{"number": n, "only": slot or null, "both": both ways or columns alone}``; it says no more, since everything
follows from the seed. Whoever started this process watches its time. Memory is bounded here, and its peak is told with
each answer.
"""

from __future__ import annotations

import json
import resource
import sys
import traceback
from pathlib import Path

from fuzz_bases import Base, make_base
from fuzz_check import Checked, Original, WarmLibrary, check, read_original
from fuzz_mutate import PER_BASE, make_mutant

HEADROOM = 2 << 30  # bytes of address space beyond what the process has when it starts to read
COLD_EACH = 8  # each so many files, no template is known before


class Reader:
    """Reads mutants of one seed; the base is kept as long as jobs ask for mutants of it."""

    def __init__(self, seed: int, folder: Path) -> None:
        self._seed = seed
        self._path = folder / "mutant.evtx"
        self._library = WarmLibrary()
        self._base: Base | None = None
        self._original: Original | None = None

    def read(self, number: int, only: int | None = None, *, both: bool = True) -> tuple[int, Checked]:
        """Return the number of mutants in this file and what came out."""
        base, original = self._based_on(number // PER_BASE)
        mutant = make_mutant(self._seed, number, base, only)
        self._library.warm(on=number % COLD_EACH != 0)
        try:
            checked = check(mutant, original, self._path, both=both)
        except Exception:  # noqa: BLE001 - the reader raises nothing but OSError, and that not here
            last = "".join(traceback.format_exc(limit=-6)).strip()
            checked = Checked([f"an exception: {last.splitlines()[-1]}\n{last}"])
        return mutant.count, checked

    def _based_on(self, number: int) -> tuple[Base, Original]:
        if self._base is None or self._original is None or self._base.number != number:
            self._library.forget()
            self._base = make_base(self._seed, number)
            self._original = read_original(self._base, self._path)
            self._library.keep()
        return self._base, self._original


def peak() -> int:
    """Return the peak of resident memory of this process and of any child, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    children = unit * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    status = Path("/proc/self/status")
    if status.exists():  # `ru_maxrss` holds the size of the process that started this one, too
        own = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return max(int(own.split()[1]) * 1024, children)
    return max(unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, children)


def bound_memory() -> None:
    """Let runaway memory end in a MemoryError, which is a finding, and not in a machine that swaps."""
    status = Path("/proc/self/statm")
    if status.exists():
        size = int(status.read_text().split()[0]) * resource.getpagesize() + HEADROOM
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (size if hard < 0 else min(size, hard), hard))


def main() -> None:
    reader = Reader(int(sys.argv[1]), Path(sys.argv[2]))
    bound_memory()
    for line in sys.stdin:
        job = json.loads(line)
        count, checked = reader.read(job["number"], job.get("only"), both=job.get("both", True))
        answer = {
            "mutants": count,
            "rows": checked.rows,
            "records": checked.records,
            "seconds": checked.seconds,
            "peak": peak(),
            "findings": checked.findings,
        }
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
