"""Nothing that was to be hidden stands in any output of any command: shipped tickets, a nasty case, real inputs."""

from __future__ import annotations

import io
import itertools
import json
import re
import struct
from contextlib import redirect_stderr, redirect_stdout
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from analyzer.cli import main
from analyzer.pipeline import analyze
from tests import redaction_case
from tests.redaction_case import found
from tests.test_contract import hold

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from analyzer.model import Analysis

FORMATS = ("jsonl", "csv", "timesketch", "parquet", "xlsx")
NEEDS = {"parquet": "pyarrow", "xlsx": "xlsxwriter"}


def outputs(
    folder: Path,
    paths: Sequence[Path],
    *more: str,
    formats: Sequence[str] = FORMATS,
) -> dict[str, bytes]:
    """Run every command with every output; return all files and what the terminal showed."""
    folder.mkdir(exist_ok=True)
    names = [str(path) for path in paths]
    told = {
        "-o": "r.html",
        "--json": "r.json",
        "--markdown": "r.md",
        "--actions": "a.csv",
        "--redaction-key": "key.json",
    }
    runs = [["report", *names, "--timezone", "Asia/Kathmandu", *itertools.chain(*told.items())]]
    for command, name in itertools.product(("events", "filters"), formats):
        there = name not in NEEDS or find_spec(NEEDS[name]) is not None
        if there and not (command == "filters" and name == "timesketch"):
            runs.append([command, *names, "--format", name, "-o", f"{command}.{name}"])
    for number, record in enumerate(blocked(paths)):
        runs.append(["explain", *names, "--record", record, "-o", f"e{number}.html", "--json", f"e{number}.json"])
    out: dict[str, bytes] = {}
    for number, run in enumerate(runs):
        arguments = [str(folder / part) if "." in part and part not in names else part for part in run]
        with io.TextIOWrapper(io.BytesIO(), "utf-8") as shown, redirect_stdout(shown), redirect_stderr(shown):
            code = main([*arguments, "--redact", "--force", *more])
            shown.flush()
            out[f"terminal of {run[0]} {number}"] = shown.buffer.getvalue()
        assert code in {0, 3, 4, 2 if run[0] == "explain" else 0}, out  # 2: several computers have this record
    out |= {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "key.json"}
    return out


def blocked(paths: Sequence[Path]) -> list[str]:
    """Return the record ids of a few blocks."""
    events = analyze(list(paths)).events
    if events is None:
        return []
    ids = events.loc[(events["action"] == "block").to_numpy(), "record_id"].dropna().astype(int).unique()
    return [str(record) for record in ids[:: max(1, len(ids) // 3)][:3]]


def secrets_of(result: Analysis) -> set[str]:
    """Return what an analysis without redaction shows in plain columns."""
    secrets = {name for item in result.inputs for name in (item.computer or "").split(", ") if name}
    secrets |= {name.partition(".")[0] for name in secrets}
    if result.events is not None:
        for column in ("local_address", "remote_address"):
            secrets |= {str(text) for text in result.events[column].dropna().unique() if hidden_address(str(text))}
    return {secret for secret in secrets if len(secret) > 3}


def hidden_address(text: str) -> bool:
    kept = r"127\.|0\.0\.0\.0|169\.254\.|22[4-9]\.|23[0-9]\.|255\.255|::1?$|fe80:|ff0|ff..:"
    return not re.match(kept, text, re.IGNORECASE)


def names_in(data: bytes) -> set[str]:
    """Return names of profiles, accounts before a backslash, and account SIDs that stand in a file's bytes."""
    texts = [
        data.decode("utf-8", "replace"),
        data.decode("utf-16-le", "replace"),
        data[1:].decode("utf-16-le", "replace"),
    ]
    out: set[str] = set()
    for text in texts:
        plain = "".join(char if char.isprintable() else "\n" for char in text)
        out |= set(re.findall(r"(?i)\\users\\+([\w.-][\w. -]{2,30}?)\\", plain))
        out |= {sid.removeprefix("S-1-5-21-") for sid in re.findall(r"S-1-5-21-\d+-\d+-\d+", plain)}
        for pair in re.findall(r"<username>([^<\\]+)\\([^<]{3,})</username>", plain):
            out |= set() if pair[0] in ("NT AUTHORITY", "AUTORITE NT") else set(pair)
    for match in re.finditer(rb"\x01\x05\0\0\0\0\0\x05\x15\0\0\0(.{12})", data, re.DOTALL):
        out.add("-".join(map(str, struct.unpack("<3I", match.group(1)))))
    return {name for name in out if name.casefold() not in KNOWN}


# Folders and accounts of Windows itself, which stay, and words that a program's own texts hold.
KNOWN = {
    *("public", "default", "all users", "default user", "administrator", "guest", "network service", "local service"),
    *("system", "networkservice", "localservice", "0-0-0", "user", "admin", "test"),
}


@pytest.fixture(scope="module")
def tickets(root: Path) -> list[Path]:
    return sorted((root / "samples").glob("ticket-*"))


@pytest.mark.parametrize("letter", "abcdefghij")
def test_a_shipped_ticket_shows_no_name(letter: str, tickets: list[Path], tmp_path: Path) -> None:
    (ticket,) = [path for path in tickets if path.name.startswith(f"ticket-{letter}-")]
    secrets = secrets_of(analyze([ticket])) | {"corp.example"}
    for path in ticket.rglob("*"):
        if path.is_file():
            secrets |= {name for name in names_in(path.read_bytes()) if name != "demo"}
    assert any(secret.startswith("WS-DEMO") for secret in secrets)
    formats = FORMATS if letter in "cj" else ("jsonl",)  # the others have the same columns
    made = outputs(tmp_path / "out", [ticket], formats=formats)
    assert not found(sorted(secrets), made)
    assert not found(["\\demo", "users\\demo"], made)  # the account; the word itself is in the names of tickets


@pytest.fixture(scope="module")
def nasty(tmp_path_factory: pytest.TempPathFactory) -> redaction_case.Case:
    return redaction_case.make(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(scope="module")
def made(nasty: redaction_case.Case, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """All outputs of the nasty case; `key.json` is what undoes them."""
    folder = tmp_path_factory.mktemp("outputs")
    return outputs(folder, nasty.paths) | {"key.json": (folder / "key.json").read_bytes()}


def test_the_nasty_case_shows_no_name(nasty: redaction_case.Case, made: dict[str, bytes]) -> None:
    result = analyze(nasty.paths)
    clear = (repr(result) + result.events.to_csv()).casefold()
    assert all(secret in clear for secret in ("quillfeather", "10.77.3.21", "zoë müller", "小明", "\\users\\a\\"))
    shown = {name: data for name, data in made.items() if name != "key.json"}
    assert not found([secret for secret in nasty.secrets if secret != "user-01"], shown)
    # the user who is called as a label would be has another label, and that label is given to nobody
    assert "user-01" not in made["r.json"].decode()


def test_redacted_outputs_hold_to_the_schemas(made: dict[str, bytes]) -> None:
    for name, output in (("events", "events.jsonl"), ("filters", "filters.jsonl")):
        assert hold(name, map(json.loads, made[output].decode().splitlines())) > 0
    document = json.loads(made["r.json"])
    hold("report", [document])
    assert document["redaction"]["counts"]["hosts"] == 4


def test_what_is_meaningful_stays(made: dict[str, bytes]) -> None:
    everything = b"".join(data for name, data in made.items() if name != "key.json").decode("utf-8", "replace")
    everything = everything.replace("\\\\", "\\").casefold()
    assert [text for text in redaction_case.KEPT if text.casefold() not in everything] == []
    events = [json.loads(line) for line in made["events.jsonl"].decode().splitlines()]
    assert {event["remote_port"] for event in events if event["event_id"] == 5157} == {443}
    assert {event["destination_mac"] for event in events} == {None, "ff-ff-ff-ff-ff-ff"}


def test_all_outputs_use_the_same_labels_and_the_key_tells_them(made: dict[str, bytes]) -> None:
    key = json.loads(made["key.json"])
    events = [json.loads(line) for line in made["events.jsonl"].decode().splitlines()]
    assert {event["computer"] for event in events} == {
        item["computer"] for item in json.loads(made["r.json"])["programs"]
    }
    assert {event["computer"] for event in events} == {
        _label(key, "hosts", "pc"),
        _label(key, "hosts", "laptop-zoellner-x77.ad.kestrel.example"),
    }
    # one label for a machine in all its forms, for a user in every letter case and folder
    assert _label(key, "hosts", "laptop-zoellner") == _label(key, "hosts", "laptop-zoellner-x77")
    assert _label(key, "users", "quillfeather") == _label(key, "users", "quillfeather.kestrel")
    assert _label(key, "addresses", "93.184.216.34") in {event["remote_address"] for event in events}
    for name in ("r.html", "r.json", "events.csv", "events.timesketch", "events.jsonl", "filters.csv"):
        assert _label(key, "users", "quillfeather").encode() in made[name], name


def test_a_range_holds_the_labels_that_it_held_as_addresses(made: dict[str, bytes]) -> None:
    key = {address: label for label, address in json.loads(made["key.json"])["addresses"].items()}
    filters = [json.loads(line) for line in made["filters.jsonl"].decode().splitlines()]
    ranges = [item["value"] for row in filters for item in row["conditions"] if item["match"] == "RANGE"]
    low, high = key["10.77.3.0"], key["10.77.3.255"]
    assert ranges == [f"{low}-{high}", "192.168.0.0-192.168.255.255"]
    network = low.rpartition(".")[0]
    assert key["10.77.3.21"].startswith(f"{network}.")
    assert key["10.77.3.21"] < key["10.77.3.99"]
    raw = [item["raw"] for row in filters for item in row["conditions"] if item["field"] == "IP_LOCAL_ADDRESS"]
    assert raw == [key["10.77.3.21"]]  # it was a number


def _label(key: dict, kind: str, name: str) -> str:
    return next(
        label
        for label, forms in key[kind].items()
        if name in ([forms] if isinstance(forms, str) else [form.casefold() for form in forms])
    )


@pytest.mark.parametrize(
    ("kept", "shown", "gone"), [("private", "10.77.3.21", "93.184.216.34"), ("public", "93.184.216.34", "10.77.3.21")]
)
def test_addresses_stay_by_choice(nasty: redaction_case.Case, tmp_path: Path, kept: str, shown: str, gone: str) -> None:
    made = outputs(tmp_path / "out", nasty.paths, "--keep-addresses", kept, formats=("jsonl",))
    assert found([shown], made)
    assert not found([gone, "quillfeather", *redaction_case.SIDS], made)


def test_real_states_and_logs_show_no_name(shared: Path, tmp_path: Path) -> None:
    pairs = [
        ("evtx/rdp-tunnel-5156-5158-4688.evtx", "xml/win11-22621-wfpstate.xml"),
        ("evtx/domain-admins-5156-5158.evtx", "xml/win-2023-wfpstate.xml"),
        ("evtx/security-short-5152-5157.evtx", "xml/win11-22621-french-filters.xml"),
        ("evtx/firewall-disabled-5447-4950.evtx", "xml/win11-26100-french-filters.xml"),
    ]
    for number, pair in enumerate(pairs):
        formats = FORMATS if number == 0 else ("jsonl", "csv")
        paths = [shared / name for name in pair]
        secrets = secrets_of(analyze(paths))
        for path in paths:
            secrets |= names_in(path.read_bytes())
        assert secrets
        leaks = found(sorted(secrets), outputs(tmp_path / str(number), paths, formats=formats))
        if leaks:  # no name of a person or a machine may stand in a message: which files and forms is enough
            pytest.fail(f"{len(leaks)} names of {pair} stand in outputs: {sorted({form for _, form, _ in leaks})}")
