"""A disabled rule that allows what was blocked is the first thing to offer; a new rule is the alternative."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from core_build import PROGRAM, SVCHOST, wfp
from test_rules_in_force import ALLOW, BLOCK, GROUP_KEY, KEY, context, store

from analyzer import diagnose
from analyzer.cli import main
from analyzer.readers.rules import read_rules_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.model import Finding

OFF = ALLOW.replace("TRUE", "FALSE")
ENABLE = "Enable-NetFirewallRule -Name '{aa}'"
OTHER = PROGRAM.replace("program.exe", "other.exe")
# Tells which volume holds Windows, so that a ready command for a new rule can be given as well.
PERMITTED = {"event_id": 5156, "application": SVCHOST, "event_origin": None, "filter_rtid": 0, "s": 1}


def finding(
    *rules: tuple[str, str], rows: tuple[dict[str, object], ...] = ({},), kind: str = "default-outbound"
) -> Finding:
    """Return the finding of the kind, over these blocks and rules."""
    return of(context(wfp(*({**BLOCK, **row} for row in rows)), store(*rules)), kind)


def of(made: diagnose.Context, kind: str = "default-outbound") -> Finding:
    (found,) = [item.finding for item in diagnose.run(made).found if item.finding.id == kind]
    return found


def test_the_rule_is_to_be_enabled_and_a_new_one_is_the_alternative():
    found = finding(("{aa}", OFF), rows=({}, PERMITTED))
    assert found.remedy is not None
    assert found.remedy.commands == (ENABLE,)  # who copies all commands must not get the alternative as well
    assert found.remedy.text.startswith("Enable the rule “Ours”, which would have let this pass and is disabled")
    assert (
        found.remedy.text.index("Enable")
        < found.remedy.text.index("alternative")
        < found.remedy.text.index("add an outbound")
    )


def test_its_cost_is_said():
    found = finding(("{aa}", OFF))
    assert found.remedy is not None
    assert "lets through again whatever the rule names" in (found.remedy.cost or "")


def test_it_is_cited_with_its_place():
    found = finding(("{aa}", OFF))
    assert found.rule_ids == ("{aa}",)
    (cited,) = [item for item in found.evidence if item.input == "rules.reg"]
    assert "{aa}" in cited.text
    assert "disabled" in cited.text


def test_programs_without_such_a_rule_need_one_of_their_own():
    found = finding(("{aa}", OFF), rows=({}, {"application": OTHER, "s": 1}))
    assert found.remedy is not None
    assert found.remedy.commands[0] == ENABLE
    assert "let 1 of 2 blocks pass" in found.remedy.text


NOT_EXACTLY = {
    "it is enabled": ALLOW,
    "of another program": OFF.replace("program.exe", "other.exe"),
    "to another port": OFF.replace("RPort=443", "RPort=444"),
    "to a port that only Windows knows": OFF.replace("RPort=443", "RPort=IPTLSOut"),
    "of another protocol": OFF.replace("Protocol=6", "Protocol=17"),
    "inbound": OFF.replace("Dir=Out", "Dir=In"),
    "a block": OFF.replace("Action=Allow", "Action=Block"),
    "to another address": OFF.replace("|Name", "|RA4=192.0.2.0/24|Name"),
    "to the local subnet": OFF.replace("|Name", "|RA4=LocalSubnet|Name"),
    "from another address": OFF.replace("|Name", "|LA4=192.0.2.99|Name"),
    "for a service": OFF.replace("|Name", "|Svc=BITS|Name"),
    "for a user": OFF.replace("|Name", "|LUAuth=D:(A;;CC;;;S-1-5-21-1-2-3-4)|Name"),
    "for an interface type": OFF.replace("|Name", "|IFType=Wireless|Name"),
    "for another profile": OFF.replace("|Name", "|Profile=Domain|Name"),
}


@pytest.mark.parametrize("case", NOT_EXACTLY)
def test_a_rule_that_does_not_allow_exactly_this_is_not_offered_first(case):
    found = finding(("{aa}", NOT_EXACTLY[case]), rows=({"current_profile": "Public"},))
    assert found.remedy is not None
    assert found.remedy.text.startswith("Add an outbound allow rule")
    assert ENABLE not in found.remedy.commands
    assert "lets through again" not in (found.remedy.cost or "")


EXACTLY = {
    "a span of ports": OFF.replace("RPort=443", "RPort=400-500"),
    "any port": OFF.replace("|RPort=443", ""),
    "any protocol": OFF.replace("|Protocol=6|RPort=443", ""),
    "its network": OFF.replace("|Name", "|RA4=198.51.100.0/255.255.255.0|Name"),
    "its address": OFF.replace("|Name", "|RA4=198.51.100.7|Name"),
    "a span of addresses": OFF.replace("|Name", "|RA4=198.51.100.1-198.51.100.9|Name"),
    "its profile": OFF.replace("|Name", "|Profile=Public|Name"),
}


@pytest.mark.parametrize("case", EXACTLY)
def test_a_rule_that_allows_at_least_this_is_offered_first(case):
    found = finding(("{aa}", EXACTLY[case]), rows=({"current_profile": "Public"},))
    assert found.remedy is not None
    assert found.remedy.commands[0] == ENABLE


def test_a_rule_that_policy_would_ignore_is_not_offered():
    """Rules of the computer do not apply where policy says so: to enable one changes nothing."""
    lines = ["Windows Registry Editor Version 5.00", "", f"[{KEY}\\FirewallRules]"]
    lines += ['"{}"="{}"'.format("{aa}", OFF.replace("\\", "\\\\"))]
    lines += [line for p in ("Domain", "Private", "Public") for line in policy(p)]
    found = of(context(wfp(BLOCK), read_rules_bytes("\n".join(lines).encode("utf-16"), "rules.reg")))
    assert found.remedy is not None
    assert ENABLE not in found.remedy.commands


def policy(profile: str) -> list[str]:
    return [f"[{GROUP_KEY}\\{profile}Profile]", '"AllowLocalPolicyMerge"=dword:00000000']


def test_a_rule_of_group_policy_is_enabled_there_and_not_by_a_command():
    found = of(context(wfp(BLOCK), store(group=(("{aa}", OFF),))))
    assert found.remedy is not None
    assert found.remedy.text.startswith("Enable the rule “Ours”")
    assert "Group Policy" in found.remedy.text
    assert ENABLE not in found.remedy.commands


def test_an_id_that_could_mean_more_to_a_shell_gets_no_command():
    found = finding(("x' ; calc '", OFF))
    assert found.remedy is not None
    assert not any("calc" in command for command in found.remedy.commands)


def test_inbound_too():
    rule = OFF.replace("Dir=Out", "Dir=In").replace("RPort=443", "LPort=3389")
    row = {
        "event_origin": "Query User Default",
        "direction_code": "%%14592",
        "layer_rtid": 44,
        "source_address": "198.51.100.9",
        "source_port": 50111,
        "dest_address": "192.0.2.10",
        "dest_port": 3389,
    }
    made = context(wfp({**BLOCK, **row}), store(("{aa}", rule)))
    found = of(made, "default-inbound")
    assert found.remedy is not None
    assert found.remedy.text.startswith("Enable the rule “Ours”")
    # The finding on the rule ranks before this one: the command stands there, and once.
    remedies = [item.finding.remedy for item in diagnose.run(made).found]
    assert [command for remedy in remedies if remedy for command in remedy.commands] == [ENABLE]
    assert "not in force: disabled” has the command" in found.remedy.text


def test_the_shipped_ticket_offers_the_rule_that_is_off(root: Path, tmp_path: Path):
    out = tmp_path / "h.json"
    line = ["report", str(root / "samples/ticket-h-rule-store"), "-o", str(tmp_path / "h.html"), "--json", str(out)]
    assert main(line) == 0
    remedies = [item["remedy"] for item in json.loads(out.read_text("utf-8"))["findings"] if item["remedy"]]
    assert remedies[0]["commands"] == ["Enable-NetFirewallRule -Name '{5C0FFEE5-2B1A-4D8C-9E44-000000000002}'"]
    assert "lets through again" in remedies[0]["cost"]
