"""The command line: formats, redaction, time zones, and the outputs beside the page."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from analyzer.cli import main
from analyzer.identify import OFFICE, OWN_OUTPUT, identify
from reports import formats
from tests import redaction_case


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    folder = tmp_path_factory.mktemp("case")
    return tuple(str(path) for path in redaction_case.make(folder).paths)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_report_writes_everything_at_once(inputs: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    extra = ["--json", "r.json", "--markdown", "r.md", "--actions", "ACTIONS.csv", "--timezone", "europe/berlin"]
    assert main(["report", *inputs, *extra]) == 0
    shown = capsys.readouterr().out
    assert "Europe/Berlin: 2025-03-01 12:50:00" in shown
    for name in ("report.html", "r.json", "r.md", "ACTIONS.csv"):
        assert Path(name).stat().st_size > 100
        assert f"written: {name}" in shown
    assert "In Europe/Berlin" in Path("r.md").read_text(encoding="utf-8")
    assert "+01:00" not in Path("r.json").read_text(encoding="utf-8")  # the result stays in UTC


@pytest.mark.parametrize("option", ["--markdown", "--actions", "--json"])
def test_one_output_may_go_to_standard_output(
    inputs: tuple[str, ...], capsys: pytest.CaptureFixture[str], option: str
) -> None:
    assert main(["report", *inputs, option, "-"]) == 0
    captured = capsys.readouterr()
    starts = {"--markdown": "### Why", "--actions": "finding_id,", "--json": "{"}
    assert captured.out.startswith(starts[option])
    assert "written: report.html" in captured.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--markdown", "x", "--actions", "./x"],
        ["-o", "x", "--redact", "--redaction-key", "x"],
        ["--markdown", "old"],
        ["--actions", "old"],
        ["--redact", "--redaction-key", "old"],
    ],
)
def test_outputs_keep_to_the_rules(
    inputs: tuple[str, ...], capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    Path("old").write_text("old", encoding="utf-8")
    assert main(["report", *inputs, *arguments]) == 2
    assert [path.name for path in Path().iterdir()] == ["old"]
    err = capsys.readouterr().err
    assert "two outputs have the same name" in err or "the file exists; give --force" in err


@pytest.mark.parametrize("command", ["report", "events", "filters"])
@pytest.mark.parametrize("arguments", [["--keep-addresses", "private"], ["--redaction-key", "key.json"]])
def test_ways_to_redact_without_redacting_are_wrong_usage(
    inputs: tuple[str, ...], capsys: pytest.CaptureFixture[str], command: str, arguments: list[str]
) -> None:
    assert main([command, *inputs, *arguments]) == 2
    assert f"{arguments[0]} says how to redact: give --redact, too" in capsys.readouterr().err
    assert not list(Path().iterdir())


def test_the_key_is_written_apart_and_only_when_it_is_wanted(
    inputs: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["events", *inputs, "--redact", "-o", "e.jsonl"]) == 0
    assert [path.name for path in Path().iterdir()] == ["e.jsonl"]
    assert main(["events", *inputs, "--redact", "-o", "e.jsonl", "--redaction-key", "k.json", "--force"]) == 0
    key = json.loads(Path("k.json").read_text(encoding="utf-8"))
    assert set(key) == {"redaction_key", "note", "users", "hosts", "domains", "sids", "addresses", "hardware_addresses"}
    assert "keep it apart" in key["note"]
    assert "are replaced by labels" in capsys.readouterr().err


def test_nothing_of_the_redaction_is_imported_without_it(inputs: tuple[str, ...]) -> None:
    for name in [name for name in sys.modules if name.startswith("analyzer.redaction.")]:
        del sys.modules[name]
    sys.modules.pop("analyzer.redaction", None)
    assert main(["events", *inputs, "-o", "e.jsonl"]) == 0
    assert "analyzer.redaction" not in sys.modules


def test_the_command_is_recorded_without_folders_and_names(inputs: tuple[str, ...], tmp_path: Path) -> None:
    folder = tmp_path / "home" / "quillfeather"
    folder.mkdir(parents=True)
    target = folder / "r.json"
    arguments = ["report", *inputs, "-o", str(folder / "r.html"), f"--json={target}", "--redact"]
    assert main([*arguments, "--user", "KESTREL\\wrenfield", "--computer", "PC"]) == 0
    command = json.loads(target.read_text(encoding="utf-8"))["command"]
    assert not any("/" in part for part in command)
    assert "--json=r.json" in command
    assert not any(name in " ".join(command) for name in ("quillfeather", "wrenfield", "KESTREL", "zoellner"))


@pytest.mark.parametrize("name", ["parquet", "xlsx"])
def test_a_missing_extra_is_said_before_any_work(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(formats, "find_spec", lambda _: None)
    assert main(["events", "in.evtx", "--format", name, "-o", "x"]) == 2
    assert f"pip install 'wfp-analyzer[{name}]'" in capsys.readouterr().err


def test_binary_formats_do_not_go_to_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(formats, "find_spec", lambda _: object())
    monkeypatch.setattr(sys, "stdout", Screen())
    assert main(["events", "in.evtx", "--format", "parquet"]) == 2
    assert "parquet is not for a terminal: name a file with -o" in capsys.readouterr().err


def test_filters_are_no_timeline(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["filters", "in.xml", "--format", "timesketch"]) == 2
    assert "timesketch" in capsys.readouterr().err


def test_an_unknown_zone_is_wrong_usage_and_gets_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "in.evtx", "--timezone", "Europe/Berln"]) == 2
    assert "did you mean Europe/Berlin" in capsys.readouterr().err


def test_outputs_are_known_again_and_never_read_as_evidence(inputs: tuple[str, ...]) -> None:
    others = ["--json", "r.json", "--markdown", "r.md", "--actions", "a.csv", "--redaction-key", "k.json"]
    assert main(["report", *inputs, "--redact", *others]) == 0
    for command, name in (("events", "csv"), ("events", "timesketch"), ("filters", "csv")):
        assert main([command, *inputs, "--format", name, "-o", f"{command}.{name}"]) == 0
    for path in Path().iterdir():
        assert identify(path.read_bytes()[:65536]) == OWN_OUTPUT, path.name


@pytest.mark.parametrize("name", ["parquet", "xlsx"])
def test_binary_outputs_are_not_read_as_evidence(inputs: tuple[str, ...], name: str) -> None:
    if formats.missing(name):
        pytest.skip(formats.missing(name))
    assert main(["events", *inputs, "--format", name, "-o", "x"]) == 0
    identity = identify(Path("x").read_bytes()[:65536])
    assert identity.kind == "unknown"
    assert name == "parquet" or identity == OFFICE
