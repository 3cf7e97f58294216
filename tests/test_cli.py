"""The command line: arguments, exit codes, what is written where, and what never reaches a terminal.

The analysis and the renderers are stand-ins here; `test_bad_input` and `test_contract` run the real ones.
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
import types
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import analyzer
import reports
from analyzer.case import InputError
from analyzer.cli import main
from analyzer.model import Analysis, InputFile, Problem
from tests.made import analysis, event_frame

if TYPE_CHECKING:
    from collections.abc import Callable

LOST = Problem("security.evtx", "offset 4096", "lost", "a chunk is damaged")
NOTE = Problem("ticket/notes.txt", None, "note", "this is text that is not XML; left out")
PAGE = "<!doctype html>the page é"


class Shell:
    """The command with a stand-in for the analysis: what it gives, and with what it was called."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capture = capture
        self.result: Analysis | Callable[[], Analysis] = analysis()
        self.selection: object = None
        self.calls: list[tuple[tuple[Path, ...], tuple[str, ...]]] = []
        self.out = ""
        self.err = ""

    def analyze(
        self,
        paths: tuple[Path, ...],
        *,
        command: tuple[str, ...] = (),
        progress: object = None,
        selection: object = None,
        question: object = None,
        wanted: object = None,
    ) -> Analysis:
        self.selection = selection
        self.calls.append((tuple(paths), tuple(command)))
        return self.result() if callable(self.result) else self.result

    def run(self, *arguments: str) -> int:
        code = main(arguments)
        self.out, self.err = self.capture.readouterr()
        assert "Traceback" not in self.out + self.err
        return code

    def files(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()}

    def with_problems(self, *problems: Problem) -> None:
        self.result = dataclasses.replace(analysis(), problems=problems)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    shell = Shell(tmp_path, capsys)
    pipeline = types.ModuleType("analyzer.pipeline")
    pipeline.analyze = shell.analyze
    html = types.ModuleType("reports.html")
    html.render_html = lambda *_: PAGE
    terminal = types.ModuleType("reports.terminal")
    terminal.print_summary = lambda result, console, zone: console.print(result.answer.sentence)
    terminal.MOST_PROBLEMS = 2
    for owner, module in ((analyzer, pipeline), (reports, html), (reports, terminal)):
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setattr(owner, module.__name__.rpartition(".")[2], module, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.evtx").write_bytes(b"ElfFile\0")
    return shell


# ------------------------------------------------------------------------------------------------------ report


def test_report_writes_the_page_and_prints_the_summary(shell: Shell) -> None:
    assert shell.run("report", "in.evtx") == 0
    assert Path("report.html").read_text(encoding="utf-8") == PAGE
    assert "3 connections were blocked." in shell.out
    assert "written: report.html" in shell.out
    assert shell.files() == {"in.evtx", "report.html"}


def test_the_analysis_gets_the_paths_and_the_arguments(shell: Shell) -> None:
    shell.run("report", "in.evtx", "-o", "x.html")
    assert shell.calls == [((Path("in.evtx"),), ("report", "in.evtx", "-o", "x.html"))]


def test_report_also_writes_json(shell: Shell) -> None:
    assert shell.run("report", "in.evtx", "-o", "x.html", "--json", "x.json") == 0
    assert json.loads(Path("x.json").read_text(encoding="utf-8"))["tool"]["name"] == "wfp-analyzer"
    assert shell.files() == {"in.evtx", "x.html", "x.json"}


def test_an_output_on_standard_output_stands_alone_there(shell: Shell) -> None:
    assert shell.run("report", "in.evtx", "-o", "-") == 0
    assert shell.out == PAGE
    assert "3 connections were blocked." in shell.err
    assert shell.run("report", "in.evtx", "--json", "-") == 0
    assert json.loads(shell.out)["schema_version"] == 1


def test_two_outputs_in_one_place_are_refused(shell: Shell) -> None:
    for arguments in (("-o", "-", "--json", "-"), ("-o", "x", "--json", "./x")):
        assert shell.run("report", "in.evtx", *arguments) == 2
        assert "two outputs have the same name" in shell.err
    assert not shell.calls


# ------------------------------------------------------------------------------------------------------ outputs


def test_an_output_that_exists_is_refused_before_any_work(shell: Shell) -> None:
    Path("report.html").write_text("old", encoding="utf-8")
    assert shell.run("report", "in.evtx") == 2
    assert "report.html: the file exists; give --force" in shell.err
    assert not shell.calls
    assert shell.run("report", "in.evtx", "--force") == 0
    assert Path("report.html").read_text(encoding="utf-8") == PAGE


def test_the_second_output_is_checked_before_any_work_too(shell: Shell) -> None:
    Path("x.json").write_text("old", encoding="utf-8")
    assert shell.run("report", "in.evtx", "--json", "x.json") == 2
    assert not shell.calls
    assert shell.files() == {"in.evtx", "x.json"}


def test_an_input_is_never_overwritten(shell: Shell) -> None:
    Path("link").symlink_to("in.evtx")
    Path("hard").hardlink_to("in.evtx")
    for output in ("in.evtx", "./in.evtx", "link", "hard"):
        assert shell.run("events", "in.evtx", "-o", output, "--force") == 2
        assert "this is an input" in shell.err
    assert Path("in.evtx").read_bytes() == b"ElfFile\0"
    assert not shell.calls


def test_what_lies_in_an_input_folder_is_never_overwritten_except_our_own_outputs(shell: Shell) -> None:
    ticket = shell.folder / "ticket"
    ticket.mkdir()
    (ticket / "state.xml").write_text("<wfpstate/>", encoding="utf-8")
    (ticket / "tasklist.csv").write_text("a,b", encoding="utf-8")
    (ticket / "report.html").write_text(
        '<!doctype html><meta name="generator" content="wfp-analyzer 0.1.0">', encoding="utf-8"
    )
    for name in ("state.xml", "tasklist.csv"):
        assert shell.run("report", "ticket", "-o", f"ticket/{name}", "--force") == 2
        assert "this is an input" in shell.err
    for name in ("report.html", "new.html"):
        assert shell.run("report", "ticket", "-o", f"ticket/{name}", "--json", f"ticket/{name}.json", "--force") == 0
        assert shell.run("report", "ticket", "-o", f"ticket/{name}", "--json", f"ticket/{name}.json", "--force") in (
            0,
            2,
        )


def test_our_json_outputs_may_be_replaced_in_an_input_folder(shell: Shell) -> None:
    ticket = shell.folder / "ticket"
    ticket.mkdir()
    for command, name in (("events", "e.jsonl"), ("filters", "f.jsonl")):
        for _ in range(2):
            assert shell.run(command, "ticket", "-o", f"ticket/{name}", "--force") == 0
    for _ in range(2):
        assert shell.run("report", "ticket", "--json", "ticket/r.json", "--force") == 0


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("folder", "this is a folder"),
        ("new/", "'new/' names a folder; name a file in it"),
        ("nowhere/x.html", "does not exist"),
        ("x" * 300, "can't be written"),
    ],
)
def test_an_output_that_cannot_be_written_is_refused_before_any_work(shell: Shell, output: str, words: str) -> None:
    (shell.folder / "folder").mkdir()
    assert shell.run("report", "in.evtx", "-o", output) == 2
    assert words in shell.err
    assert not shell.calls


def test_a_folder_without_permission_is_refused_before_any_work(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert shell.run("report", "in.evtx") == 2
    assert "no permission to write there" in shell.err
    assert not shell.calls


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_one_line(shell: Shell) -> None:
    assert shell.run("events", "in.evtx", "-o", "/dev/full") == 2
    assert "No space left on device" in shell.err
    assert len(shell.err.splitlines()) == 2  # the note of the case, and this


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="this system has no /dev/null")
def test_a_device_is_written_to_and_not_replaced(shell: Shell) -> None:
    assert shell.run("events", "in.evtx", "-o", "/dev/null") == 0
    assert Path("/dev/null").is_char_device()


def test_a_link_as_output_keeps_being_a_link(shell: Shell) -> None:
    Path("real.html").write_text("old", encoding="utf-8")
    Path("link.html").symlink_to("real.html")
    assert shell.run("report", "in.evtx", "-o", "link.html", "--force") == 0
    assert Path("link.html").is_symlink()
    assert Path("real.html").read_text(encoding="utf-8") == PAGE


def test_nothing_half_written_stays_when_writing_fails(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_: Analysis) -> object:
        yield "{}"
        raise MemoryError

    monkeypatch.setattr("reports.export.event_lines", breaks)
    assert shell.run("events", "in.evtx", "-o", "x.jsonl") == 70
    assert "not enough memory" in shell.err
    assert shell.files() == {"in.evtx"}


def test_an_old_output_survives_a_failure(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_: Analysis) -> object:
        yield "{}"
        raise KeyboardInterrupt

    Path("x.jsonl").write_text("old", encoding="utf-8")
    monkeypatch.setattr("reports.export.event_lines", breaks)
    assert shell.run("events", "in.evtx", "-o", "x.jsonl", "--force") == 130
    assert Path("x.jsonl").read_text(encoding="utf-8") == "old"
    assert shell.files() == {"in.evtx", "x.jsonl"}


def test_a_failure_in_one_output_leaves_none(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.output._write", _failing_at(2))
    assert shell.run("report", "in.evtx", "--json", "x.json") == 2
    assert "No space left" in shell.err
    assert shell.files() == {"in.evtx"}


def _failing_at(call: int) -> Callable[..., None]:
    calls = []

    def write(stream: io.BytesIO, texts: list[str]) -> None:
        calls.append(1)
        if len(calls) == call:
            raise OSError(28, "No space left on device")
        stream.writelines(text.encode() for text in texts)

    return write


# ------------------------------------------------------------------------------------------------------ lines


def test_events_go_to_standard_output_as_lines(shell: Shell) -> None:
    assert shell.run("events", "in.evtx", "--format", "jsonl") == 0
    lines = shell.out.splitlines()
    assert [json.loads(line)["record_id"] for line in lines] == [100, 101, 102]
    assert shell.out.endswith("\n")


def test_events_of_a_log_without_any_are_an_empty_output_and_fine(shell: Shell) -> None:
    shell.result = dataclasses.replace(analysis(), events=event_frame(0), filters=None)
    assert shell.run("events", "in.evtx", "-o", "x.jsonl") == 0
    assert Path("x.jsonl").read_bytes() == b""


def test_filters_go_to_standard_output_as_lines(shell: Shell) -> None:
    assert shell.run("filters", "in.evtx") == 0
    assert [json.loads(line)["filter_id"] for line in shell.out.splitlines()] == [70001, 70002, 70003]


def test_filters_of_a_log_alone_are_nothing_usable(shell: Shell) -> None:
    shell.result = dataclasses.replace(analysis(), filters=None)
    assert shell.run("filters", "in.evtx") == 4
    assert "no WFP filters in security.evtx, wfpstate.xml" in shell.err


def test_an_unknown_format_is_wrong_usage(shell: Shell) -> None:
    assert shell.run("events", "in.evtx", "--format", "tsv") == 2


# ------------------------------------------------------------------------------------------------------ exit codes


@pytest.mark.parametrize(
    "arguments", [(), ("report",), ("frobnicate",), ("report", "in.evtx", "--nonsense"), ("report", "in.evtx", "-o")]
)
def test_wrong_usage_is_2_and_helps(shell: Shell, arguments: tuple[str, ...]) -> None:
    assert shell.run(*arguments) == 2
    assert "--help" in shell.out + shell.err
    assert not shell.calls


def test_a_named_input_that_does_not_exist_is_2(shell: Shell) -> None:
    def refuse() -> Analysis:
        raise InputError("gone.evtx: there is no such file or folder")

    shell.result = refuse
    assert shell.run("report", "gone.evtx") == 2
    assert shell.err == "wfp-analyzer: gone.evtx: there is no such file or folder\n"
    assert shell.files() == {"in.evtx"}


def test_something_lost_is_3_and_written(shell: Shell) -> None:
    shell.with_problems(NOTE, LOST)
    assert shell.run("report", "in.evtx") == 3
    assert "report.html" in shell.files()
    assert shell.err.splitlines()[0] == "wfp-analyzer: lost: security.evtx, offset 4096: a chunk is damaged"


@pytest.mark.parametrize("command", ["report", "events", "filters", "propose"])
def test_something_lost_with_strict_is_3_and_nothing_is_written(shell: Shell, command: str) -> None:
    shell.with_problems(LOST)
    assert shell.run(command, "in.evtx", "--strict", "-o", "x") == 3
    assert shell.files() == {"in.evtx"}
    assert shell.out == ""
    assert "a chunk is damaged" in shell.err
    assert "nothing was written" in shell.err


def test_notes_and_doubts_are_0_and_said_also_with_strict(shell: Shell) -> None:
    shell.with_problems(NOTE, Problem(None, None, "doubtful", "the clock stepped"))
    assert shell.run("report", "in.evtx", "--strict") == 0
    assert shell.err.splitlines() == [
        "wfp-analyzer: doubtful: the clock stepped",
        "wfp-analyzer: note: ticket/notes.txt: this is text that is not XML; left out",
    ]


def test_many_problems_are_told_in_short(shell: Shell) -> None:
    shell.with_problems(*[LOST] * 500)
    assert shell.run("report", "in.evtx") == 3
    assert len(shell.err.splitlines()) == 11
    assert "and 490 more" in shell.err


class Screen(io.StringIO):
    """A stream that calls itself a terminal."""

    def isatty(self) -> bool:
        return True


WORST = [
    Problem("a.evtx", None, severity, f"what {n}") for n, severity in enumerate(("lost", "lost", "doubtful", "note"))
]


@pytest.mark.parametrize(
    ("out", "err", "told"),
    [
        (Screen, Screen, {"what 2", "what 3"}),  # the summary stands above and shows the worst two
        (Screen, io.StringIO, {"what 0", "what 1", "what 2", "what 3"}),
        (io.StringIO, Screen, {"what 0", "what 1", "what 2", "what 3"}),
        (io.StringIO, io.StringIO, {"what 0", "what 1", "what 2", "what 3"}),
    ],
)
def test_a_problem_is_said_once_in_one_place(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, out: type[io.StringIO], err: type[io.StringIO], told: set[str]
) -> None:
    shell.with_problems(*WORST)
    streams = out(), err()
    monkeypatch.setattr(sys, "stdout", streams[0])
    monkeypatch.setattr(sys, "stderr", streams[1])
    assert main(["report", "in.evtx"]) == 3
    assert {f"what {n}" for n in range(4) if f"what {n}" in streams[1].getvalue()} == told
    assert all(streams[1].getvalue().count(text) == 1 for text in told)


def test_a_summary_on_standard_error_tells_the_worst_problems_itself(shell: Shell) -> None:
    shell.with_problems(*WORST)
    assert shell.run("report", "in.evtx", "-o", "-") == 3
    assert [f"what {n}" in shell.err for n in range(4)] == [False, False, True, True]
    assert shell.err.index("3 connections were blocked.") < shell.err.index("what 2")


@pytest.mark.parametrize("command", ["report", "events", "filters", "propose"])
@pytest.mark.parametrize("arguments", [("",), ("in.evtx", ""), ("in.evtx", "-o", ""), ("in.evtx", "--output=")])
def test_an_empty_path_names_nothing(shell: Shell, command: str, arguments: tuple[str, ...]) -> None:
    assert shell.run(command, *arguments) == 2
    assert "an empty path names nothing" in shell.err
    assert not shell.calls
    assert shell.files() == {"in.evtx"}


@pytest.mark.parametrize("command", ["report", "events", "filters", "propose"])
def test_a_closed_standard_output_is_refused_before_any_work(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert main([command, "in.evtx"]) == 2
    assert "standard output is closed" in sys.stderr.getvalue()
    assert not shell.calls
    assert shell.files() == {"in.evtx"}


def test_a_closed_standard_output_that_nobody_needs_is_no_error(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert main(["events", "in.evtx", "-o", "x.jsonl"]) == 0
    assert shell.files() == {"in.evtx", "x.jsonl"}


def test_nothing_usable_is_4_and_says_what_was_found(shell: Shell) -> None:
    sha = "0" * 64
    files = [InputFile(f"n{n}.txt", "unknown", 1, sha, None) for n in range(7)]
    files.append(InputFile("empty.evtx", "evtx", 1, sha, None, records=0, events=0))
    for inputs, words in ((tuple(files), "n4.txt and 3 more"), ((), "a folder without files")):
        shell.result = dataclasses.replace(analysis(), inputs=inputs, problems=(NOTE, LOST), events=None, filters=None)
        for command in ("report", "events", "filters", "propose"):
            assert shell.run(command, "in.evtx", "-o", "x") == 4
            assert words in shell.err
            assert "not XML" in shell.err
    assert shell.files() == {"in.evtx"}


def test_a_log_without_wfp_events_is_usable(shell: Shell) -> None:
    log = InputFile("a.evtx", "evtx", 1, "0" * 64, None, records=10, events=0)
    shell.result = dataclasses.replace(analysis(), inputs=(log,), events=event_frame(0), filters=None)
    assert shell.run("report", "in.evtx") == 0


def test_an_unexpected_error_is_70_one_line_and_a_hint(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks() -> Analysis:
        raise ZeroDivisionError("one\ntwo \x1b[31m")

    shell.result = breaks
    assert shell.run("report", "in.evtx") == 70
    first, second = shell.err.splitlines()
    assert first.startswith("wfp-analyzer: internal error: ZeroDivisionError: one")
    assert "WFP_ANALYZER_DEBUG=1" in second
    assert "\x1b" not in shell.err
    monkeypatch.setenv("WFP_ANALYZER_DEBUG", "1")
    assert main(["report", "in.evtx"]) == 70
    assert "Traceback" in shell.capture.readouterr().err


def test_an_interrupt_is_130(shell: Shell) -> None:
    def interrupt() -> Analysis:
        raise KeyboardInterrupt

    shell.result = interrupt
    assert shell.run("report", "in.evtx") == 130
    assert "interrupted" in shell.err
    assert shell.files() == {"in.evtx"}


# ------------------------------------------------------------------------------------------------------ terminal


@pytest.mark.parametrize("hostile", ["\x1b[31m", "\x9b31m", "\u202e", "\u2066", "\r", "\x07", "\x00"])
def test_hostile_characters_never_reach_the_terminal(shell: Shell, hostile: str) -> None:
    shell.with_problems(Problem(f"a{hostile}b.evtx", f"at {hostile}", "lost", f"bad {hostile} name"))
    shell.run("report", "in.evtx", "--force")
    shell.run("report", f"gone{hostile}.evtx", "--force", "-o", f"no{hostile}where/x")
    shell.run("report", "in.evtx", f"--{hostile}")
    shell.run(f"{hostile}")
    shell.run("events", "in.evtx", "--format", hostile)
    assert hostile not in shell.out + shell.err


def test_a_terminal_that_knows_few_characters_is_no_error(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.with_problems(Problem("Café\u202e.evtx", None, "note", "a note"))
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    monkeypatch.setattr(sys, "stderr", narrow)
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="latin-1"))
    assert main(["report", "in.evtx"]) == 0
    narrow.flush()
    assert b"Caf\xe9\\u27e8U+202E" in narrow.buffer.getvalue()


# ------------------------------------------------------------------------------------------------------ as a program


def program(code: str, *arguments: str, **options: object) -> subprocess.Popen[str]:
    """Start the command in a process of its own, after some lines that prepare its surroundings."""
    prelude = """
        import sys, types, time, analyzer, reports
        from tests.made import analysis
        def stand_in(owner, name, **members):
            module = types.ModuleType(f"{owner.__name__}.{name}")
            module.__dict__.update(members)
            sys.modules[module.__name__] = module
            setattr(owner, name, module)
        stand_in(reports, "html", render_html=lambda *_: "page")
        stand_in(reports, "terminal", MOST_PROBLEMS=2,
                 print_summary=lambda result, console, zone: console.print("summary " * 100000))
        def analyze(paths, *, command=(), progress=None, selection=None, question=None, wanted=None):
            return analysis()
    """
    tail = """
        stand_in(analyzer, "pipeline", analyze=analyze)
        from analyzer.cli import main
        sys.exit(main())
    """
    text = "".join(textwrap.dedent(part) for part in (prelude, code, tail))
    root = Path(__file__).resolve().parent.parent
    return subprocess.Popen(
        [sys.executable, "-c", text, *arguments],
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )


@pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_at_once_and_leaves_nothing(tmp_path: Path, number: signal.Signals, code: int) -> None:
    slow = """
        from reports import export
        def lines(_):
            yield "{}" * 1000000
            print("writing", file=sys.stderr, flush=True)
            time.sleep(60)
            yield "{}"
        export.event_lines = lines
    """
    with program(slow, "events", ".", "-o", "x.jsonl", cwd=tmp_path) as process:
        assert process.stderr is not None
        assert "writing\n" in process.stderr
        assert any(path.name.endswith(".part") for path in tmp_path.iterdir())
        begin = time.monotonic()
        process.send_signal(number)
        _, err = process.communicate(timeout=20)
    assert process.returncode == code
    assert time.monotonic() - begin < 5
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")
def test_an_interrupt_while_modules_are_imported_is_an_interrupt(tmp_path: Path) -> None:
    """Imports run texts; ``python -m`` takes an interrupt inside one for unhandled, and would die of the signal."""
    (tmp_path / "struck.py").write_text(
        "import sys\n"
        "from analyzer import cli, run\n"
        "def analyze(*_):\n    exec('raise KeyboardInterrupt')\n"
        "run.Run.analyze = analyze\n"
        "sys.exit(cli.main())\n"
    )
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run(
        [sys.executable, "-m", "struck", "report", "."],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(root)])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 130
    assert "interrupted; nothing half-written stays" in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="pipes are those of POSIX")
@pytest.mark.parametrize("arguments", [("events", "."), ("report", "."), ("report", ".", "-o", "-")])
def test_a_reader_who_goes_away_is_no_error(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    endless = """
        from reports import export
        export.event_lines = lambda _: ("{}" * 1000 for _ in range(10000))
        reports.html.render_html = lambda *_: "page" * 1000000
    """
    with program(endless, *arguments, cwd=tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.read(1)
        process.stdout.close()
        assert process.stderr is not None
        err = process.stderr.read()
        assert process.wait(timeout=20) == 0
    assert "Traceback" not in err
    assert "Broken pipe" not in err
    assert "Exception" not in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize(
    "arguments",
    [
        ("events", "."),
        ("filters", "."),
        ("report", "."),
        ("report", ".", "--json", "x.json"),
        ("report", ".", "-o", "-", "--json", "x.json"),
        ("report", ".", "-o", "x.html", "--json", "-"),
        ("--help",),
    ],
)
def test_a_full_standard_output_is_one_line_and_leaves_nothing(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full, program("", *arguments, cwd=tmp_path, stdout=full) as process:
        _, err = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "standard output: can't be written (No space left on device)" in err
    assert "internal error" not in err
    assert "Exception" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("arguments", [("events", "."), ("report", ".", "-o", "x.html"), ("report", ".", "-o", "-")])
def test_a_full_standard_error_stops_no_work(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full, program("", *arguments, cwd=tmp_path, stderr=full) as process:
        out, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert out


def test_a_reader_of_standard_error_who_goes_away_takes_no_output_with_him(tmp_path: Path) -> None:
    with program("", "report", ".", "-o", "-", cwd=tmp_path) as process:
        assert process.stderr is not None
        process.stderr.close()
        assert process.stdout is not None
        assert process.stdout.read() == "page"
        assert process.wait(timeout=20) == 0


def run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom analyzer.cli import main\n"
        "codes = [main(['--help']), main(['report', '--help'])]\n"
        "print(codes, [name for name in ('pandas', 'numpy', 'lxml', 'jinja2', 'rich', 'Evtx') if name in sys.modules])"
    )
    result = run_python("-c", code)
    assert result.stdout.splitlines()[-1] == "[0, 0] []", result.stderr


def test_the_module_runs_too() -> None:
    result = run_python("-m", "analyzer", "--help")
    assert result.returncode == 0
    for command in ("report", "events", "filters", "explain", "diff", "propose"):
        assert command in result.stdout


@pytest.mark.parametrize("command", ["report", "events", "filters", "explain", "diff", "propose"])
def test_the_help_of_every_command_has_examples_and_exit_codes(shell: Shell, command: str) -> None:
    assert shell.run(command, "--help") == 0
    assert f"wfp-analyzer {command} " in shell.out
    assert "Examples:" in shell.out
    assert "Exit codes:" in shell.out
