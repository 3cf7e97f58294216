"""What every command takes: how much is said, patterns, standard input, completion, help with mistyped names."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
import types
from pathlib import Path

import pytest

import analyzer
from analyzer.case import open_case
from analyzer.cli import cli, main
from analyzer.model import Analysis, Problem
from tests.made import analysis

COLOUR = re.compile(r"\x1b\[(?:[0-9;]+;)?[39][0-7]m")
ROOT = Path(__file__).resolve().parent.parent
TICKET = ROOT / "samples" / "ticket-a-win11"
SOME = tuple(
    Problem("security.evtx", f"offset {n}", severity, f"{severity} {n}")
    for n, severity in enumerate(("lost", *["note"] * 14))
)


class Stand:
    """In place of the analysis: what it was called with."""

    def __init__(self) -> None:
        self.paths: list[Path] = []
        self.texts: list[bytes] = []
        self.modified: list[str | None] = []
        self.problems: tuple[Problem, ...] = ()

    def analyze(self, paths: tuple[Path, ...], *, progress: object = None, **_: object) -> Analysis:
        self.paths = list(paths)
        self.texts = [path.read_bytes() for path in paths if path.is_file()]
        self.modified = [file.modified for file in open_case(paths).files]
        if callable(progress):
            progress("reading in.evtx", 0, 8)
            progress("reading in.evtx", 8, 8)
        return dataclasses.replace(analysis(), problems=self.problems)


@pytest.fixture
def stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stand:
    stand = Stand()
    pipeline = types.ModuleType("analyzer.pipeline")
    pipeline.analyze = stand.analyze
    monkeypatch.setitem(sys.modules, "analyzer.pipeline", pipeline)
    monkeypatch.setattr(analyzer, "pipeline", pipeline, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.evtx").write_bytes(b"ElfFile\0")
    return stand


def command(*arguments: str, **others: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "analyzer", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **others.pop("env", {})}
    return subprocess.run(line, text=True, capture_output=True, env=environment, timeout=120, check=False, **others)


# ------------------------------------------------------------------------------------------ how much is said


def test_quiet_says_what_was_lost_and_nothing_else(stand: Stand, capsys: pytest.CaptureFixture[str]) -> None:
    stand.problems = SOME
    for arguments in (("-q", "report", "in.evtx", "-o", "a"), ("report", "--quiet", "in.evtx", "-o", "b")):
        assert main(arguments) == 3
        out, err = capsys.readouterr()
        assert out == ""
        assert err == "wfp-analyzer: lost: security.evtx, offset 0: lost 0\n"


def test_quiet_still_says_why_a_run_failed(stand: Stand, capsys: pytest.CaptureFixture[str]) -> None:
    Path("old.html").write_text("old", encoding="utf-8")
    assert main(("report", "-q", "in.evtx", "-o", "old.html")) == 2
    assert "old.html: the file exists" in capsys.readouterr().err
    assert main(("report", "-q", "in.evtx", "--nothing")) == 2
    assert "No such option" in capsys.readouterr().err


def test_verbose_says_each_step_each_input_and_every_problem(stand: Stand, capsys: pytest.CaptureFixture[str]) -> None:
    stand.problems = SOME
    assert main(("report", "-v", "in.evtx")) == 3
    err = capsys.readouterr().err
    assert err.count(" s  reading in.evtx (8 bytes)\n") == 1
    assert "SHA-256 " in err
    assert "note: security.evtx, offset 14: note 14" in err
    assert main(("report", "in.evtx", "--force")) == 3
    err = capsys.readouterr().err
    assert "reading in.evtx" not in err
    assert "and 5 more" in err


def test_quiet_and_verbose_contradict_each_other(stand: Stand, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("-q", "report", "-v", "in.evtx")) == 2
    assert "contradict each other" in capsys.readouterr().err
    assert not stand.paths


def test_no_color_takes_the_colours_away_and_ends_with_the_run(
    stand: Stand, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert main(("report", "in.evtx")) == 0
    assert COLOUR.search(capsys.readouterr().out)
    assert main(("report", "--no-color", "in.evtx", "--force")) == 0
    assert not COLOUR.search(capsys.readouterr().out)
    assert "NO_COLOR" not in os.environ


# ------------------------------------------------------------------------------------------ mistyped names


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("reprot", "in.evtx"), "no such command: reprot. Did you mean report?"),
        (("filter", "in.evtx"), "Did you mean filters?"),
        (("in.evtx",), "It looks like an input: name the command first"),
        (("*.evtx",), "It looks like an input"),
        (("zzz",), "There are: "),
        (("report", "in.evtx", "--strikt"), "Did you mean '--strict'?"),
        (("report", "in.evtx", "--local-prot", "1"), "'--local-port'"),
        (("report", "in.evtx", "--kind", "default-outbond"), "default-outbound, default-inbound"),
    ],
)
def test_a_mistyped_name_brings_the_one_that_may_be_meant(
    stand: Stand, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    assert main(arguments) == 2
    assert said in capsys.readouterr().err
    assert not stand.paths


# ------------------------------------------------------------------------------------------ patterns


@pytest.fixture
def ticket(tmp_path: Path) -> Path:
    for name in ("ticket/a.evtx", "ticket/b.evtx", "ticket/deep/er/c.evtx", "ticket/[1].evtx", "ticket/._a.evtx"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    (tmp_path / "ticket" / "round").symlink_to(tmp_path / "ticket")
    return tmp_path / "ticket"


def names(stand: Stand, folder: Path) -> list[str]:
    return [path.absolute().relative_to(folder).as_posix() for path in stand.paths]


def test_patterns_that_the_shell_left_are_expanded(stand: Stand, ticket: Path) -> None:
    main(("report", "ticket/?.evtx", "-o", "x1"))
    assert names(stand, ticket) == ["a.evtx", "b.evtx"]
    main(("report", str(ticket / "*.evtx"), "-o", "x2"))  # what begins with a dot stays hidden: macOS leaves ._ files
    assert names(stand, ticket) == ["[1].evtx", "a.evtx", "b.evtx"]
    main(("report", "ticket/.*.evtx", "-o", "x3"))
    assert names(stand, ticket) == ["._a.evtx"]
    main(("report", "ticket/**/*.evtx", "-o", "x4"))  # and no link leads it round and round
    assert names(stand, ticket) == ["[1].evtx", "a.evtx", "b.evtx", "deep/er/c.evtx"]


def test_a_file_whose_name_looks_like_a_pattern_is_meant_itself(stand: Stand, ticket: Path) -> None:
    main(("report", "ticket/[1].evtx"))
    assert names(stand, ticket) == ["[1].evtx"]


def test_a_pattern_that_fits_nothing_is_a_mistake(stand: Stand, capsys: pytest.CaptureFixture[str]) -> None:
    for pattern in ("*.xml", "[z].evtx", "a**b/*"):
        assert main(("report", "in.evtx", pattern)) == 2
        assert pattern in capsys.readouterr().err
    assert not stand.paths


# ------------------------------------------------------------------------------------------ standard input


def test_standard_input_is_read_like_a_file(tmp_path: Path) -> None:
    state = TICKET / "wfpstate.xml"
    with subprocess.Popen(["cat", state], stdout=subprocess.PIPE) as pipe:
        done = command("filters", "-", stdin=pipe.stdout, env={"TMPDIR": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    first = json.loads(done.stdout.splitlines()[0])
    assert first["input"] == "standard-input"
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_gives_its_copy_no_date_and_a_file_does(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    os.utime("in.evtx", (1_772_619_322, 1_772_619_322))
    with Path("in.evtx").open(encoding="latin-1") as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert main(("report", "-", "-o", "a")) == 0
    assert stand.texts == [b"ElfFile\0"]
    assert stand.modified == ["2026-03-04T10:15:22.0000000Z"]
    read, write = os.pipe()
    os.write(write, b"ElfFile\0")
    os.close(write)
    with os.fdopen(read, encoding="latin-1") as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert main(("report", "-", "-o", "b")) == 0
    assert stand.texts == [b"ElfFile\0"]
    assert stand.modified == [None]
    assert not stand.paths[0].exists()


def test_standard_input_is_read_once_and_only_where_something_is_there(
    stand: Stand, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path("in.evtx").open(encoding="latin-1") as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert main(("report", "-", "-")) == 2
        assert "once only" in capsys.readouterr().err
    monkeypatch.setattr(sys, "stdin", None)
    assert main(("report", "-")) == 2
    assert "standard input is closed" in capsys.readouterr().err
    terminal, other = os.openpty()
    with os.fdopen(other, "r") as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert main(("report", "-")) == 2
        assert "nothing is piped into it" in capsys.readouterr().err
    os.close(terminal)
    assert not stand.paths


def test_an_input_behind_a_redirection_is_never_overwritten(tmp_path: Path) -> None:
    log = tmp_path / "security.evtx"
    shutil.copy(TICKET / "security.evtx", log)
    with log.open("rb") as stream:
        done = command("events", "-", "-o", str(log), "--force", stdin=stream)
    assert done.returncode == 2
    assert "evidence is never overwritten" in done.stderr
    assert log.read_bytes() == (TICKET / "security.evtx").read_bytes()


# ------------------------------------------------------------------------------------------ macOS leaves its marks


def test_what_the_finder_leaves_in_a_folder_is_told_and_does_no_harm(tmp_path: Path) -> None:
    folder = tmp_path / "Akte Mu\u0308ller #1"  # as macOS writes an umlaut
    folder.mkdir()
    shutil.copy(TICKET / "wfpstate.xml", folder / "wfp state.xml")
    (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (folder / "._wfp state.xml").write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X        ")
    done = command("filters", str(folder))
    assert done.returncode == 0, done.stderr
    assert "2 other files in folders were left out" in done.stderr


# ------------------------------------------------------------------------------------------ completion


def complete(*words: str) -> list[str]:
    environment = {
        "_WFP_ANALYZER_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(("wfp-analyzer", *words)),
        "COMP_CWORD": str(len(words)),
    }
    done = command(env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_shell_may_offer_commands_options_and_words() -> None:
    assert "plain,report" in complete("re")
    assert "plain,--remote-port" in complete("report", "--rem")
    assert complete("report", "--kind", "default") == ["plain,default-outbound", "plain,default-inbound"]
    assert complete("events", "--format", "j") == ["plain,jsonl"]
    assert complete("report", "sec") == ["file,sec"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell_is_printed(shell: str) -> None:
    if shell == "bash" and shutil.which("bash") is None:
        pytest.skip("click asks bash for its version, and there is none")
    done = command(env={"_WFP_ANALYZER_COMPLETE": f"{shell}_source"})
    assert done.returncode == 0, done.stderr
    assert "_WFP_ANALYZER_COMPLETE" in done.stdout


# ------------------------------------------------------------------------------------------ help


def test_each_command_shows_examples_and_what_every_command_takes(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("", *cli.commands):
        assert main((*([name] if name else []), "--help")) == 0
        out = capsys.readouterr().out
        assert f"wfp-analyzer {name}" in out.partition("Examples:")[2]
        for option in ("--verbose", "--quiet", "--no-color"):
            assert option in out


def test_help_does_not_wait_for_what_the_analysis_needs() -> None:
    code = "import sys; from analyzer.cli import main; main(['report', '--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, cwd=ROOT, check=True)
    loaded = set(done.stderr.split())
    assert not loaded & {"pandas", "numpy", "lxml", "jinja2", "rich", "orjson", "asyncio"}
    before = os.times()
    subprocess.run([sys.executable, "-m", "analyzer", "--help"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    assert spent < 1.0  # about 0.15 s; other work on the machine does not count as this process's time
