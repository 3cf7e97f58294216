"""Rules, recording and open connections on the page: shown, linked, folded, and safe with hostile evidence."""

from __future__ import annotations

import dataclasses

import case
import pytest
from test_html import POISONS, parse, shape, words_of

from analyzer.model import (
    AuditPolicy,
    AuditSetting,
    CitedRule,
    Endpoint,
    OpenConnections,
    Recording,
    Rule,
    RuleInState,
)
from reports.html import render_html

RULE = "{11111111-2222-3333-4444-555555555555}"


def result(text: str = "Example"):
    """The rich case with a rule store, an audit policy and open connections; ``text`` stands where evidence would."""
    rule = Rule(
        *(RULE, text, text, "local", "a rule of this computer", text, None, True, "allow", "outbound", ("domain",)),
        *(6, (), ("443", text), None, (), f"C:\\{text}.exe", None, text, None, ("port", "application"), text, 12),
        (RuleInState(text, "other-profile", f"it is for domain; {text}"), RuleInState("b", "plumbed", "x", (7, 8))),
    )
    setting = AuditSetting(
        "{0CCE9226-69AE-11D9-BED3-505054503030}",
        *("Filtering Platform Connection", "Object Access", "blocked connections"),
        *("on", "off", ("failure",), "effective", text, 5, "x", "auditpol /set /subcategory:{a} /failure:enable"),
    )
    recording = Recording(
        text, None, None, "no", "unknown", False, (f"Blocked connections were not recorded: {text}.",), ("auditpol x",)
    )
    given = case.rich()
    verdict = dataclasses.replace(given.verdicts[0], rule_id=RULE, computer=text)
    finding = dataclasses.replace(given.findings[0], rule_ids=(RULE,))
    filters = tuple(dataclasses.replace(item, rule_ids=(RULE,)) for item in given.cited)
    end = Endpoint(6, text, 50001, text, 443, f"\\device\\{text}")
    return dataclasses.replace(
        given,
        verdicts=(verdict, *given.verdicts[1:]),
        findings=(finding, *given.findings[1:]),
        cited=filters,
        rules=(
            CitedRule(RULE, text, False, "a rule of this computer", (rule,)),
            CitedRule("twice", None, True, "2 rules have this id", (rule, rule)),
            CitedRule(text, None, False, "no exported rule store lists this id", ()),
        ),
        endpoints=(OpenConnections(text, None, text, 300, (end,)), OpenConnections("late", None, None, 4, ())),
        coverage=dataclasses.replace(
            given.coverage,
            recorded="no",
            recording=(recording,),
            audit_policy={"computers": (AuditPolicy(text, (setting,)), AuditPolicy(None, (setting,)))},
        ),
    )


def test_rules_are_shown_and_linked_from_flow_finding_and_filter() -> None:
    html = render_html(result())
    root = parse(html)
    assert "No: other profile" in root.get_element_by_id("rules").text_content()
    assert "it is for domain; Example" in words_of(html)
    assert "not in the store" in words_of(html)
    assert "the id alone does not tell which is meant" in words_of(html)
    for section in ("flows", "findings"):
        assert root.get_element_by_id(section).xpath(".//a[@href='#rule-1']"), section
    assert root.xpath("//section[@class='sheet']//a[@href='#rule-1']")
    assert root.get_element_by_id("rule-1") is not None


def test_what_was_recorded_is_shown_with_the_commands() -> None:
    text = " ".join(parse(render_html(result())).get_element_by_id("coverage").text_content().split())
    assert "Blocks were not recorded" in text
    assert "Drops: recorded or not is unknown" in text
    assert "auditpol /set /subcategory:{a} /failure:enable" in text
    assert "off needed" in text
    assert "Example, line 5" in text


def test_open_connections_are_shown_and_what_is_left_out_is_counted() -> None:
    text = " ".join(parse(render_html(result())).get_element_by_id("endpoints").text_content().split())
    assert "300 connections, 1 shown" in text
    assert "4 connections; all are left out" in text
    assert "50001" in text


def test_without_them_the_page_has_no_such_sections() -> None:
    html = render_html(case.rich())
    assert 'id="rules"' not in html
    assert 'id="endpoints"' not in html


def test_an_answer_without_blocks_says_whether_they_were_recorded() -> None:
    empty = dataclasses.replace(result(), answer=dataclasses.replace(result().answer, kinds=(), blocks=0, drops=0))
    assert "Blocks were not being recorded: that none is here says nothing." in words_of(render_html(empty))


@pytest.mark.parametrize("poison", POISONS)
def test_hostile_rules_and_endpoints_make_no_element(poison: str) -> None:
    plain = {tag for tag, _ in shape(render_html(result("safe")))} | {"details", "summary", "wbr", "span"}
    html = render_html(result(poison))
    assert {tag for tag, _ in shape(html)} <= plain
    assert "alert(1)</script>" not in html
