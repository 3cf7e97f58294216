"""A run: hands files of mutants to the workers, looks closer where something is wrong, sums up."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fuzz_bases import SLOTS
from fuzz_mutate import PER_BASE, make_mutant
from fuzz_watch import Ended, Worker

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECONDS = 1.0  # of processor time that a mutant may take
ALONE = SECONDS + 1  # until a process that reads a single mutant is ended: making and comparing take their part
MEMORY = 600 << 20  # bytes of resident memory that reading mutants may take in all


@dataclass(slots=True)
class Sums:
    """What a run has done so far."""

    files: int = 0
    mutants: int = 0
    rows: int = 0
    records: int = 0
    slowest: float = 0.0  # seconds: no mutant took longer
    peak: int = 0
    findings: list[str] = field(default_factory=list)

    def line(self, seconds: float) -> str:
        rate = self.mutants / seconds if seconds else 0.0
        return (
            f"{self.mutants} mutants in {self.files} files, {seconds:.0f} s, {rate:.0f} per s;"
            f" {self.rows} rows of unchanged chunks compared; no mutant took longer than {self.slowest:.2f} s;"
            f" peak memory {self.peak >> 20} MiB; {len(self.findings)} findings"
        )


class Run:
    """Mutants of one seed, read by several workers; the same seed and count make the same mutants."""

    def __init__(
        self, seed: int, mutants: int, folder: Path | None, *, minutes: float | None = None, both_each: int = 1
    ) -> None:
        self.sums = Sums()
        self._seed = seed
        self._wanted = mutants
        self._both_each = both_each
        self._folder = folder
        self._until = None if minutes is None else time.monotonic() + 60 * minutes
        self._lock = threading.Lock()
        self._bases = 0
        self._stopped = False

    def work(self, jobs: int, tell: Callable[[str], None], every: float) -> None:
        """Run to the end; ``tell`` gets a line about every so many seconds."""
        begin = time.monotonic()
        threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(jobs)]
        for thread in threads:
            thread.start()
        told = begin
        try:
            while any(thread.is_alive() for thread in threads):
                time.sleep(0.05)
                if time.monotonic() - told >= every:
                    told = time.monotonic()
                    tell(self.sums.line(told - begin))
        finally:
            self._stopped = True
            for thread in threads:
                thread.join()

    def _next_base(self) -> int | None:
        with self._lock:
            self._bases += 1
            return self._bases - 1

    def _over(self) -> bool:
        late = self._until is not None and time.monotonic() > self._until
        return self._stopped or late or self.sums.mutants >= self._wanted

    def _serve(self) -> None:
        """Read the mutants of one base after another."""
        worker = Worker(self._seed)
        try:
            while not self._over():
                base = self._next_base()
                for number in range(base * PER_BASE, (base + 1) * PER_BASE):
                    if self._over():
                        break
                    self._one(worker, number)
        finally:
            worker.close()

    def _one(self, worker: Worker, number: int) -> None:
        try:
            answer = worker.ask(number, SECONDS * SLOTS, both=number % self._both_each == 0)
        except Ended as ended:
            answer = {"mutants": make_mutant(self._seed, number).count, "seconds": 0.0, "findings": [str(ended)]}
        seconds, findings = answer["seconds"], answer["findings"]
        if findings or seconds > SECONDS:
            seconds, findings = self.closer(worker, number, findings)
        with self._lock:
            sums = self.sums
            sums.files += 1
            sums.mutants += answer["mutants"]
            sums.rows += answer.get("rows", 0)
            sums.records += answer.get("records", 0)
            sums.slowest = max(sums.slowest, seconds)
            sums.peak = max(sums.peak, answer.get("peak", 0))
            if answer.get("peak", 0) > MEMORY:
                findings = [*findings, f"memory rose to {answer['peak'] >> 20} MiB"]
                worker.end()  # a peak stays; the next one starts anew
            if findings:
                self._save(number, findings)

    def closer(self, worker: Worker, number: int, findings: list[str]) -> tuple[float, list[str]]:
        """Read each mutant of a file alone, and tell which ones fail; a file of many may take longer than one."""
        out = [f"all together: {item}" for item in findings]
        slowest = 0.0
        for slot in sorted(make_mutant(self._seed, number).changes):
            try:
                answer = worker.ask(number, ALONE, slot)
            except Ended as ended:
                out.append(f"slot {slot} alone: {ended}")
                continue
            slowest = max(slowest, answer["seconds"])
            out.extend(f"slot {slot} alone: {item}" for item in answer["findings"])
            if answer["seconds"] > SECONDS:
                out.append(f"slot {slot} alone: took {answer['seconds']:.2f} s")
        return slowest, out

    def _save(self, number: int, findings: list[str]) -> None:
        """Keep the mutant, the sound log, and how the one was made of the other."""
        self.sums.findings.append(f"file {number}: {findings[0].splitlines()[0]}")
        if self._folder is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        mutant = make_mutant(self._seed, number)
        stem = f"seed-{self._seed}-file-{number}"
        (self._folder / f"{stem}.evtx").write_bytes(mutant.content)
        (self._folder / f"{stem}.base.evtx").write_bytes(mutant.base.content)
        recipe = {
            "seed": self._seed,
            "number": number,
            "findings": findings,
            "repaired": sorted(mutant.repaired),
            "changes": {
                str(slot): {"piece": mutant.base.pieces[slot].source if slot >= 0 else "the file", "changes": changes}
                for slot, changes in sorted(mutant.changes.items())
            },
        }
        (self._folder / f"{stem}.json").write_text(json.dumps(recipe, indent=1, ensure_ascii=False), "utf-8")


def replay(seed: int, number: int) -> list[str]:
    """Make one file again, read it, and then each of its mutants alone; return what is wrong."""
    run = Run(seed, 0, None)
    worker = Worker(seed)
    try:
        answer = worker.ask(number, SECONDS * SLOTS)
        found = answer["findings"]
    except Ended as ended:
        found = [str(ended)]
    try:
        return run.closer(worker, number, found)[1]
    finally:
        worker.close()
