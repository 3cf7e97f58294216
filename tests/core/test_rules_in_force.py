"""Rules of an exported store in a whole case: cited, found not to be in force, asked for by service."""

from __future__ import annotations

import dataclasses

from core_build import HOST, PROGRAM, SVCHOST, app, eq, flt, judge, processes, state, wfp
from history_build import log_of, whole

from analyzer import diagnose, rulebook, rulecite, summary, verdicts
from analyzer.diagnose import Context
from analyzer.diagnose.rules import rule_answer
from analyzer.readers.rules import read_rules_bytes

KEY = "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\FirewallPolicy"
GROUP_KEY = "HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\WindowsFirewall"
ALLOW = (
    "v2.31|Action=Allow|Active=TRUE|Dir=Out|Protocol=6|RPort=443|App=%ProgramFiles%\\Example\\program.exe|Name=Ours|"
)
BITS = "v2.31|Action=Allow|Active=TRUE|Dir=Out|App=%SystemRoot%\\system32\\svchost.exe|Svc=BITS|Profile=Domain|Name=B|"
USER = ((f"S-1-5-21-1-2-3-{1001}", f"{HOST}\\ada"),)
NUMBERS = (70001, 70002, 70003)


def store(*rules, group=(), name="rules.reg"):
    lines = ["Windows Registry Editor Version 5.00", ""]
    for key, items in ((KEY, rules), (GROUP_KEY, group)):
        lines.append(f"[{key}\\FirewallRules]")
        lines.extend('"{}"="{}"'.format(i, text.replace("\\", "\\\\")) for i, text in items)
    return read_rules_bytes("\n".join(lines).encode("utf-16"), name)


def context(events, *exports, dumps=None, tables=None):
    """A context as the pipeline makes it, with the outbound default blocking in the state."""
    block = flt(70001, origin="Default Outbound", flags=("HAS_PROVIDER_CONTEXT",))
    dumps = [state("state.xml", block, users=USER)] if dumps is None else dumps
    result = judge(events, *dumps, **(tables or {}))
    every = whole({"wfp": events, **(tables or {})})
    book, problems = rulebook.bind(exports, [("log.evtx", log_of(every))], every, [HOST])
    assert not problems
    return Context(
        result.events,
        result.book,
        result.fits,
        result.marks,
        result.changes,
        result.watch,
        rules=book,
        rule_changes=every["rule_change"],
    )


def not_in_force(made):
    return [i.finding for i in diagnose.run(made).found if i.finding.id == "rule-not-in-force"]


BLOCK = {"event_origin": "Default Outbound"}


def test_a_disabled_rule_for_the_blocked_program_is_found_with_the_command_that_enables_it():
    (found,) = not_in_force(context(wfp(BLOCK), store(("{aa}", ALLOW.replace("TRUE", "FALSE")))))
    assert "disabled" in found.title
    assert found.rule_ids == ("{aa}",)
    assert found.remedy.commands == ()  # the finding on the default has it, and is the first
    assert "“Programs were blocked because" in found.remedy.text
    assert found.evidence[0].input == "rules.reg"


def test_a_rule_for_something_else_is_not_offered():
    others = (
        ("{1}", ALLOW.replace("FALSE", "FALSE").replace("program.exe", "other.exe")),
        ("{2}", ALLOW.replace("RPort=443", "RPort=25")),
        ("{3}", ALLOW.replace("Dir=Out", "Dir=In")),
        ("{4}", ALLOW.replace("Allow", "Block")),
        ("{5}", ALLOW.replace("Protocol=6", "Protocol=17")),
        ("{6}", "v2.31|Action=Allow|Active=FALSE|Dir=Out|Name=everything|"),
        ("{7}", ALLOW.replace("|Name", "|Svc=BITS|Name")),
    )
    assert not_in_force(context(wfp(BLOCK), store(*others))) == []


def test_a_rule_that_is_in_force_is_not_found():
    permit = flt(70002, "permit", name="Ours", tests=(app(PROGRAM), eq("IP_PROTOCOL", 6), eq("IP_REMOTE_PORT", 443)))
    block = flt(70001, origin="Default Outbound", flags=("HAS_PROVIDER_CONTEXT",))
    made = context(wfp(BLOCK), store(("{aa}", ALLOW)), dumps=[state("state.xml", block, permit, users=USER)])
    assert not_in_force(made) == []


def test_the_profile_that_the_events_name_tells_why_a_rule_has_no_filter():
    events = wfp({**BLOCK, "current_profile": "Public"})
    rule = ALLOW.replace("|Name", "|Profile=Domain|Name")
    (found,) = not_in_force(context(events, store(("{aa}", rule))))
    assert "another network profile" in found.title
    assert "it is for domain; in force was public" in found.summary
    (other,) = not_in_force(context(wfp(BLOCK), store(("{aa}", rule))))
    assert (other.severity, other.confidence) == ("low", "possible")


def test_without_a_state_only_what_the_store_itself_tells_is_said():
    assert not_in_force(context(wfp(BLOCK), store(("{aa}", ALLOW)), dumps=[])) == []
    (found,) = not_in_force(context(wfp(BLOCK), store(("{aa}", ALLOW.replace("TRUE", "FALSE"))), dumps=[]))
    assert "no state was handed in" in found.summary


def test_is_there_a_rule_for_this_service():
    started = processes({"s": -5, "process_id": 4242, "command_line": "svchost.exe -k netsvcs -p -s BITS"})
    events = wfp({**BLOCK, "application": SVCHOST, "current_profile": "Public"})
    made = context(events, store(("{bb}", BITS)), tables={"process": started})
    said = rule_answer(made, "BITS", HOST)
    assert said.startswith("1 exported rule names BITS: allow outbound, enabled, profiles domain (local).")
    assert "has no filter: it is for domain; in force was public" in said
    assert rule_answer(made, "wuauserv", HOST) == "No exported rule names wuauserv."
    assert rule_answer(dataclasses.replace(made, rules=rulebook.Rulebook()), "BITS") is None
    assert not_in_force(made)[0].rule_ids == ("{bb}",)


def cited(made):
    folded = verdicts.verdicts(made.events, made.book, {})
    case = rulecite.Case(made.rules, made.book, made.fits, made.rule_changes)
    return rulecite.cited(case, folded, summary.cited(made.events, made.book, ()), ()), folded


def test_the_rule_that_an_origin_names_is_cited_and_an_ambiguous_one_says_so():
    rule = "{5c0ffee5-2b1a-4d8c-9e44-000000000001}"
    events = wfp({"event_origin": rule.upper()})
    found, folded = cited(context(events, store((rule, ALLOW.replace("Allow", "Block")))))
    assert folded[0].rule_id == rule.upper()
    (one,) = found.rules
    assert [(r.name, r.store, r.enabled, r.states[0].reason) for r in one.rules] == [
        ("Ours", "local", True, "unresolved")
    ]
    assert not one.ambiguous
    both, _ = cited(context(events, store((rule, ALLOW), group=((rule, ALLOW),))))
    assert both.rules[0].ambiguous
    assert both.rules[0].why == "2 rules have this id (group-policy, local)"
    none, _ = cited(context(events, store(("{other}", ALLOW))))
    assert (none.rules[0].rules, none.rules[0].why) == ((), "no exported rule store lists this id")
    nothing, _ = cited(context(events))
    assert nothing.rules == ()


def test_a_permit_filter_is_led_back_to_its_rule():
    permit = flt(70002, "permit", name="Ours", tests=(app(PROGRAM), eq("IP_PROTOCOL", 6), eq("IP_REMOTE_PORT", 443)))
    made = context(
        wfp({"event_id": 5156, "filter_rtid": 70002}),
        store(("{aa}", ALLOW)),
        dumps=[state("state.xml", permit, users=USER)],
    )
    found, _ = cited(made)
    assert [item.rule_ids for item in found.filters] == [("{aa}",)]
    assert found.rules[0].rules[0].states[0].filter_ids == (70002,)


def test_a_store_of_an_unknown_computer_is_used_for_none():
    every = whole({"wfp": wfp({}, {"computer": "PC-TWO"})})
    one, two = (log_of(whole({"wfp": wfp({"computer": name})})) for name in (HOST, "PC-TWO"))
    logs = [("a/log.evtx", one), ("b/log.evtx", two)]
    exports = (store(("{aa}", ALLOW)), store(("{bb}", ALLOW), name="b/rules.reg"))
    book, problems = rulebook.bind(exports, logs, every, [HOST, "PC-TWO"])
    assert book.of(HOST) is None
    assert book.of("pc-two.example.test").rules["rule_id"].tolist() == ["{bb}"]
    assert [p.input for p in problems] == ["rules.reg"]


def test_the_rules_of_a_permit_filter_are_named_in_the_order_of_the_store():
    permit = flt(70002, "permit", name="Ours", tests=(app(PROGRAM), eq("IP_PROTOCOL", 6), eq("IP_REMOTE_PORT", 443)))
    looked_up = ALLOW.replace("Ours", "@x.dll,-1")
    exported = store(("{1}", ALLOW), ("{2}", ALLOW.replace("Ours", "Theirs")), ("{3}", looked_up), ("{4}", ALLOW))
    made = context(wfp({"event_id": 5156, "filter_rtid": 70002}), exported, dumps=[state("s.xml", permit, users=USER)])
    found, _ = cited(made)
    assert [item.rule_ids for item in found.filters] == [("{1}", "{3}", "{4}")]


def test_where_no_service_sid_is_the_cause_the_disabled_rule_of_the_service_is_the_first_thing_to_do():
    started = processes({"s": -5, "process_id": 4242, "command_line": "svchost.exe -k netsvcs -p -s BITS"})
    off = BITS.replace("TRUE", "FALSE").replace("Profile=Domain|", "")
    events = wfp({**BLOCK, "application": SVCHOST})

    def remedy(*rules):
        made = context(events, store(*rules), tables={"process": started})
        (found,) = [item.finding for item in diagnose.run(made).found if item.finding.id == "service-sid"]
        assert found.confidence == "not-this"
        return found

    found = remedy(("{bb}", off))
    assert found.remedy.text.startswith("Enable the rule “B”, which names the blocked service and is disabled, if")
    assert "not in force: disabled” has the command" in found.remedy.text
    assert found.rule_ids == ("{bb}",)
    assert remedy(("{bb}", off.replace("BITS", "DoSvc"))).rule_ids == ()
    # To enable a rule for another profile than the one in force would change nothing.
    elsewhere = {**BLOCK, "application": SVCHOST, "current_profile": "Public"}
    events = wfp(elsewhere)
    assert remedy(("{bb}", BITS.replace("TRUE", "FALSE"))).rule_ids == ()


def test_many_rules_and_ports_are_compared_by_program_and_span():
    path = ALLOW.replace("%ProgramFiles%\\Example\\program.exe", "C:\\x\\{}.exe").replace("TRUE", "FALSE")
    others = [(f"{{{n}}}", path.format(f"p{n}")) for n in range(2000)]
    spans = ALLOW.replace("TRUE", "FALSE").replace("RPort=443", "RPort=1100-1199|RPort=1500")
    events = wfp(*({**BLOCK, "dest_port": 1000 + n, "s": n / 100} for n in range(3000)))
    (found,) = not_in_force(context(events, store(*others, ("{aa}", spans))))
    assert (found.count, found.rule_ids) == (101, ("{aa}",))
