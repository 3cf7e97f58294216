"""Proposals for the shipped tickets: few rules, not wider than asked, proved by the engine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from analyzer.cli import main
from tests.places import ROOT

if TYPE_CHECKING:
    from pathlib import Path

SAMPLES = ROOT / "samples"
REVIEW = (SAMPLES / "ticket-k-review" / "security.evtx", SAMPLES / "ticket-k-review" / "wfpstate.xml")


def schema() -> jsonschema.Draft202012Validator:
    document = json.loads((ROOT / "reports" / "schemas" / "proposal.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(document)
    return jsonschema.Draft202012Validator(document)


class Tool:
    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capture = folder, capture
        self.out = self.err = ""

    def run(self, *arguments: object) -> int:
        code = main(["propose", *map(str, arguments)])
        self.out, self.err = self.capture.readouterr()
        assert "internal error" not in self.err, self.err
        return code

    def document(self, *arguments: object) -> dict[str, Any]:
        target = self.folder / "proposal.json"
        assert self.run(*arguments, "--json", target, "--force") in (0, 3), self.err
        found = json.loads(target.read_text("utf-8"))
        errors = list(schema().iter_errors(found))
        assert not errors, errors[0].message[:300]
        for item in found["rules"]:
            assert (item["command"] is None) != (item["no_command"] is None)
        return found


@pytest.fixture
def tool(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Tool:
    return Tool(tmp_path, capsys)


def test_the_chosen_flow_gets_one_rule_that_is_not_wider(tool: Tool) -> None:
    found = tool.document(*REVIEW, "--application", "notesync.exe")
    (item,) = found["rules"]
    assert item["rule"]["remote_ports"] == ["8443"]
    assert item["rule"]["remote_addresses"] == ["198.51.100.60"]
    assert item["rule"]["profiles"] == ["private"]
    assert item["also_allows"] == ["outbound IPv4 TCP 8443 to 198.51.100.60, profile private, program notesync.exe"]
    assert (item["flows"], item["records"]) == (1, 8)
    assert item["command"] == (
        "New-NetFirewallRule -DisplayName 'Allow notesync.exe outbound TCP 8443' -Direction Outbound -Action Allow "
        "-Program '%ProgramFiles%\\example notes\\notesync.exe' -Protocol TCP -RemotePort 8443 "
        "-RemoteAddress '198.51.100.60' -Profile Private"
    )
    assert item["proof"] == {"passes": 1, "still_blocked": 0, "cannot_tell": 0, "why": []}
    (review,) = found["reviews"]
    assert review["replay"]["newly_allowed"] == 1
    assert [change["what"] for change in review["changes"]] == ["added"]


def test_any_address_is_wider_only_where_that_is_told(tool: Tool) -> None:
    (item,) = tool.document(*REVIEW, "--application", "notesync.exe", "--merge", "any-address")["rules"]
    assert item["rule"]["remote_addresses"] == []
    assert item["also_allows"] == ["outbound TCP 8443 to any address, profile private, program notesync.exe"]


def test_svchost_follows_the_service_sid_diagnosis(tool: Tool) -> None:
    """BITS connected with a user's token: a rule for the service would not match, so the user is named."""
    found = tool.document(SAMPLES / "ticket-g-services", "--remote-port", "443")
    (item,) = found["rules"]
    assert item["rule"]["service"] is None
    assert item["rule"]["local_user"] == "D:(A;;CC;;;S-1-5-21-3141592653-2718281828-1414213562-1006)"
    assert "-Service" not in item["command"]
    assert any("service-SID diagnosis" in note for note in item["notes"])
    assert item["proof"]["passes"] == 1
    assert item["nearly"] == []  # the rule of the service can't be changed into one that matches


def test_blocks_that_no_allow_rule_lifts_get_none_and_the_reason(tool: Tool) -> None:
    found = tool.document(SAMPLES / "ticket-d-sampler")
    reasons = " ".join(item["why"] for item in found["no_rule"])
    assert found["no_rule"]
    assert all(item["flows"] > 0 for item in found["no_rule"])
    assert "unknown make" in reasons


def test_a_block_rule_is_not_outvoted(tool: Tool) -> None:
    found = tool.document(SAMPLES / "ticket-c-tour", "--kind", "explicit-rule")
    assert found["rules"] == []
    assert {item["why"].partition(",")[0] for item in found["no_rule"]} == {"a block rule refused it"}


def test_the_script_is_read_back_and_does_the_same(tool: Tool) -> None:
    script = tool.folder / "rules.ps1"
    assert tool.run(*REVIEW, "--application", "notesync.exe", "-o", script) == 0
    assert all(line.startswith(("#", "New-NetFirewallRule ")) for line in script.read_text("utf-8").split("\n") if line)
    found = tool.document(*REVIEW, "--what-if", script)
    assert found["what_if"] == "rules.ps1"
    (review,) = found["reviews"]
    counts = {name: review["replay"][name] for name in ("stays_allowed", "stays_blocked", "newly_allowed")}
    assert counts == {"stays_allowed": 6, "stays_blocked": 1, "newly_allowed": 1}
    assert found["rules"][0]["rule"]["program"].startswith("\\device\\harddiskvolume3\\program files")


def test_its_own_json_can_be_tried(tool: Tool) -> None:
    tool.document(*REVIEW, "--application", "notesync.exe")
    first = tool.folder / "first.json"
    (tool.folder / "proposal.json").rename(first)
    found = tool.document(*REVIEW, "--what-if", first)
    assert found["reviews"][0]["replay"]["newly_allowed"] == 1


def test_a_block_rule_to_try_shows_what_it_breaks(tool: Tool) -> None:
    script = tool.folder / "block.ps1"
    script.write_text(
        "New-NetFirewallRule -DisplayName 'No web' -Direction Outbound -Action Block -Protocol TCP -RemotePort 443\n"
    )
    found = tool.document(*REVIEW, "--what-if", script)
    assert found["reviews"][0]["replay"]["newly_blocked"] == 3
    assert found["rules"][0]["also_allows"] == []
    assert any("443" in words for words in found["rules"][0]["newly_blocks"])


def test_a_rule_file_that_is_not_understood_is_wrong_usage(tool: Tool) -> None:
    script = tool.folder / "odd.ps1"
    script.write_text("New-NetFirewallRule -DisplayName x -Program $(calc)\n")
    assert tool.run(*REVIEW, "--what-if", script) == 2
    assert "line 1" in tool.err
    script.write_text("New-NetFirewallRule -DisplayName x -RemoteAddress LocalSubnet\n")
    assert tool.run(*REVIEW, "--what-if", script) == 2
    assert "LocalSubnet" in tool.err


def test_the_rules_to_try_are_never_replaced(tool: Tool) -> None:
    script = tool.folder / "rules.ps1"
    script.write_text("New-NetFirewallRule -DisplayName x -Direction Outbound\n")
    assert tool.run(*REVIEW, "--what-if", script, "-o", script, "--force") == 2
    assert script.read_text().startswith("New-NetFirewallRule -DisplayName x")


def test_without_a_state_rules_are_proposed_and_not_proved(tool: Tool) -> None:
    found = tool.document(REVIEW[0], "--application", "notesync.exe")
    (item,) = found["rules"]
    assert item["proof"] is None
    assert any("what the rules would do was not worked out" in said for said in found["limits"])


def test_nothing_blocked_is_nothing_to_propose(tool: Tool) -> None:
    found = tool.document(*REVIEW, "--application", "browser.exe")
    assert found["rules"] == []
    assert found["summary"] == "No blocked flow fits what was asked for: there is nothing to propose."
