"""Commands: safe to run, and read back as the rule that they were made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.proposalmodel import RuleSpec
from analyzer.propose.command import UnsafeError, command
from analyzer.propose.plumb import PlumbError, _filters
from analyzer.propose.reading import RuleFileError, read

if TYPE_CHECKING:
    from pathlib import Path

NOTES = "\\device\\harddiskvolume3\\program files\\example notes\\notesync.exe"
WHOLE = RuleSpec(
    name="Allow notesync.exe outbound TCP 443",
    direction="outbound",
    program=NOTES,
    protocol=6,
    remote_ports=("443", "8000-8010"),
    remote_addresses=("198.51.100.60", "2001:db8::1", "192.0.2.0/24"),
    profiles=("domain", "private"),
    local_user="D:(A;;CC;;;IU)(A;;CC;;;SY)",
)


def test_the_command_names_everything_and_quotes_what_it_must() -> None:
    assert command(WHOLE, "3") == (
        "New-NetFirewallRule -DisplayName 'Allow notesync.exe outbound TCP 443' -Direction Outbound -Action Allow "
        "-Program '%ProgramFiles%\\example notes\\notesync.exe' -Protocol TCP -RemotePort 443,'8000-8010' "
        "-RemoteAddress '198.51.100.60','2001:db8::1','192.0.2.0/24' -Profile Domain,Private "
        "-LocalUser 'D:(A;;CC;;;IU)(A;;CC;;;SY)'"
    )


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"name": "a'; calc; '"}, "its name"),
        ({"name": "a\u2019b"}, "its name"),
        ({"program": "\\device\\harddiskvolume3\\x$(calc).exe"}, "its path"),
        ({"program": "\\device\\harddiskvolume4\\x.exe"}, "drive letter"),
        ({"service": "a`nb"}, "service"),
        ({"local_user": "D:(A;;CC;;;IU)'; calc"}, "SDDL"),
        ({"remote_ports": ("443;calc",)}, "port"),
        ({"remote_addresses": ("fe80::1%5",)}, "address"),
    ],
)
def test_what_could_mean_something_else_gets_no_command(change: dict[str, object], why: str) -> None:
    with pytest.raises(UnsafeError, match=why):
        command(RuleSpec(**{"name": "Plain", "direction": "outbound"} | change), "3")  # type: ignore[arg-type]


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_text_breaks_out_of_a_command(name: str, rest: str) -> None:
    try:
        made = command(RuleSpec(name, "inbound", program=f"\\device\\harddiskvolume3\\{rest}"), "3")
    except UnsafeError:
        return
    assert made.count("'") == 4
    assert not set(made) & set('\n\r\0`$"\u2018\u2019\u201a\u201b')


def test_a_script_is_read_back(tmp_path: Path) -> None:
    target = tmp_path / "rules.ps1"
    target.write_text(f"# a comment\n\n{command(WHOLE, '3')}\n", "utf-8")
    (found,) = read(target)
    assert (found.name, found.direction, found.action, found.protocol) == (WHOLE.name, "outbound", "allow", 6)
    assert (found.remote_ports, found.remote_addresses) == (WHOLE.remote_ports, WHOLE.remote_addresses)
    assert (found.profiles, found.local_user) == (WHOLE.profiles, WHOLE.local_user)
    assert found.program == "%ProgramFiles%\\example notes\\notesync.exe"


def test_any_is_no_limit_and_lines_may_go_on(tmp_path: Path) -> None:
    target = tmp_path / "rules.ps1"
    target.write_text(
        "New-NetFirewallRule -DisplayName x `\n  -Direction Inbound -RemoteAddress Any -Profile Any\n", "utf-8"
    )
    assert read(target) == (RuleSpec("x", "inbound"),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        "Remove-NetFirewallRule -DisplayName x",
        "New-NetFirewallRule -DisplayName x -Program $env:TEMP\\x.exe",
        "New-NetFirewallRule -DisplayName x; calc",
        "New-NetFirewallRule -DisplayName x | Out-Null",
        'New-NetFirewallRule -DisplayName "$(calc)"',
        "New-NetFirewallRule -DisplayName x -Authentication Required",
        "New-NetFirewallRule -DisplayName x -Direction Sideways",
        "New-NetFirewallRule -DisplayName 'x",
        "New-NetFirewallRule -DisplayName x -Protocol Morse",
        '{"rules": [{"rule": {"name": "x", "direction": "outbound", "action": "explode"}}]}',
        '{"rules": [{"name": "x", "direction": "outbound", "protocol": true}]}',
        '{"rules": {}}',
        '{"rules": [1]}',
        "[" * 100_000,
    ],
)
def test_what_is_not_understood_whole_is_refused(tmp_path: Path, text: str) -> None:
    target = tmp_path / "rules.txt"
    target.write_text(text, "utf-8")
    with pytest.raises(RuleFileError):
        read(target)


@pytest.mark.parametrize(
    "change",
    [
        {"remote_ports": ("70000",)},
        {"remote_ports": ("9-1",)},
        {"local_ports": ("RPC",)},
        {"remote_addresses": ("LocalSubnet",)},
        {"remote_addresses": ("10.0.0.9-10.0.0.1",)},
        {"service": "BITS", "local_user": "D:(A;;CC;;;IU)"},
    ],
)
def test_what_can_not_be_worked_out_is_no_filter(change: dict[str, object]) -> None:
    class Side:
        class dump:  # noqa: N801
            items = ()

    with pytest.raises(PlumbError):
        list(_filters(RuleSpec(**{"name": "x", "direction": "outbound"} | change), 0, Side))  # type: ignore[arg-type]
