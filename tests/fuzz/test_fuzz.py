"""The fuzzer finds what is planted, reads the same mutants again, and a short run of it finds nothing."""

from __future__ import annotations

import dataclasses
import json
import textwrap
import time

import fuzz_bases
import fuzz_check
import fuzz_mutate
import fuzz_places
import fuzz_run
import fuzz_watch
import pytest

# Of the short run: the first whose base of shipped logs has checksums and no folded problems.
SEED = 21


@pytest.fixture(scope="module")
def base():
    made = fuzz_mutate.make_base(SEED, 0)
    assert made.checksums
    return made


@pytest.fixture(scope="module")
def original(base, tmp_path_factory):
    return fuzz_check.read_original(base, tmp_path_factory.mktemp("fuzz") / "base.evtx")


@pytest.fixture
def warm(monkeypatch, base, original, tmp_path):
    """Let readings start with the templates of the base, as the workers do."""
    monkeypatch.setattr(fuzz_check.fragment.Library, "__init__", fuzz_check.fragment.Library.__init__)
    library = fuzz_check.WarmLibrary()
    fuzz_check.read_original(base, tmp_path / "warm.evtx")
    library.keep()


def test_a_short_run_finds_nothing(tmp_path):
    lines = []
    run = fuzz_run.Run(SEED, 250, tmp_path / "found")
    run.work(2, lines.append, every=0.5)
    assert run.sums.findings == []
    assert run.sums.mutants >= 250
    assert run.sums.rows > 100
    assert 0 < run.sums.slowest < fuzz_run.SECONDS
    assert 0 < run.sums.peak < fuzz_run.MEMORY
    assert not (tmp_path / "found").exists()
    assert any("mutants in" in line for line in lines)


def test_equal_seeds_make_equal_mutants(base):
    one, two = fuzz_mutate.make_mutant(SEED, 7), fuzz_mutate.make_mutant(SEED, 7, base)
    assert (one.content, one.changes) == (two.content, two.changes)
    assert one.content != fuzz_mutate.make_mutant(SEED + 1, 7).content


def test_mutants_differ_where_they_say_so(base):
    repaired = 0
    for number in range(20):
        mutant = fuzz_mutate.make_mutant(SEED, number, base)
        for slot, source in enumerate(mutant.origin):
            if source is not None:
                start = mutant.shift + slot * fuzz_places.CHUNK
                assert mutant.content[start:][: fuzz_places.CHUNK] == base.pieces[source].data
        repaired += len(mutant.repaired)
        for slot in mutant.changes:
            alone = fuzz_mutate.make_mutant(SEED, number, base, slot)
            assert list(alone.changes) == [slot]
            assert alone.content != base.content
    assert repaired > 20


def test_a_piece_has_places_of_every_kind():
    names = {name for log in fuzz_bases.pieces() for piece in log[:2] for name in piece.places.by_name}
    wanted = "chunk.used record.size outer.template offset inner.template offset definition.size definition.next"
    for name in ("outer.value type", "inner.value size", "name.offset", "name.next", "body.token", "body.substitution"):
        assert name in names
    assert set(wanted.replace(".template offset", ".template_offset").split()) <= {n.replace(" ", "_") for n in names}


# -- what is planted is found ----------------------------------------------------------------------------------


def planted(monkeypatch, change):
    """Let every reading go through a change of its result, for the way of columns or both."""
    read = fuzz_check.read_evtx

    def faulty(path, name, *, columns, block_chunks=None):
        return change(read(path, name, columns=columns, block_chunks=block_chunks), columns)

    monkeypatch.setattr(fuzz_check, "read_evtx", faulty)


def shortened(log, table="wfp"):
    return dataclasses.replace(log, tables={**log.tables, table: log.tables[table].iloc[:-1].reset_index(drop=True)})


def changed(log):
    frame = log.tables["wfp"].copy()
    frame["event_id"] += 1
    return dataclasses.replace(log, tables={**log.tables, "wfp": frame})


def quiet(log):
    problems = [item for item in log.problems if "checksum" not in item.what and "like this" not in item.what]
    return dataclasses.replace(log, problems=tuple(problems))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda log, columns: shortened(log) if columns else log, "both ways differ: table wfp"),
        (lambda log, _: changed(log), "rows of unchanged chunks, table wfp: column event_id"),
        (lambda log, _: dataclasses.replace(log, records=3), "were found in all"),
        (lambda log, _: quiet(log), "changed under a checksum in silence"),
    ],
)
def test_a_planted_fault_is_found(monkeypatch, warm, tmp_path, base, original, change, expected):
    planted(monkeypatch, change)
    for number in range(40):
        mutant = fuzz_mutate.make_mutant(SEED, number, base)
        findings = fuzz_check.check(mutant, original, tmp_path / "mutant.evtx").findings
        if any(expected in finding for finding in findings):
            return
    pytest.fail("the fault was not found")


def test_sound_logs_have_no_findings(warm, tmp_path, base, original):
    mutant = fuzz_mutate.make_mutant(SEED, 0, base, only=-2)  # a slot that there is not: nothing is changed
    assert mutant.content == base.content
    checked = fuzz_check.check(mutant, original, tmp_path / "mutant.evtx")
    assert checked.findings == []
    assert checked.rows == sum(len(rows.offset) for rows in original.tables.values())


def worker_that(monkeypatch, tmp_path, code):
    path = tmp_path / "worker.py"
    head = """
        import json, sys, time
        def answer(**more):
            print(json.dumps({"mutants": 1, "seconds": 0.1, "findings": [], "peak": 1, **more}), flush=True)
        sys.stdin.readline()
        answer()
        for line in sys.stdin:
            job = json.loads(line)
    """
    path.write_text(textwrap.dedent(head) + textwrap.indent(textwrap.dedent(code), "    "))
    monkeypatch.setattr(fuzz_watch, "WORKER", path)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("while True: pass", "no answer within"),
        ("sys.exit(5)", "the process died"),
        ("answer(findings=['an exception: X'])", "an exception: X"),
        ("answer(seconds=1.5)", "took 1.50 s"),
        ("answer(peak=1 << 33)", "memory rose to 8192 MiB"),
    ],
)
def test_whoever_hangs_or_dies_is_found_and_kept(monkeypatch, tmp_path, code, expected):
    worker_that(monkeypatch, tmp_path, code)
    monkeypatch.setattr(fuzz_run, "SECONDS", 0.02 if "while" in code else 1.0)
    monkeypatch.setattr(fuzz_run, "ALONE", 0.1)
    begin = time.monotonic()
    run = fuzz_run.Run(SEED, 1, tmp_path / "found")
    run.work(1, lambda _: None, every=60)
    assert len(run.sums.findings) == 1
    (recipe,) = (tmp_path / "found").glob("*.json")
    told = json.loads(recipe.read_text("utf-8"))
    assert any(expected in item for item in told["findings"])
    mutant = fuzz_mutate.make_mutant(SEED, told["number"])
    assert recipe.with_suffix(".evtx").read_bytes() == mutant.content
    assert recipe.with_suffix(".base.evtx").read_bytes() == mutant.base.content
    assert time.monotonic() - begin < 60
