"""``wfp-analyzer explain``: what is asked, what is answered, on the terminal, as a page and as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from click.testing import CliRunner
from lxml import html as lxml_html

from analyzer.cli import cli, main
from analyzer.pipeline import analyze
from analyzer.question import QuestionError, parse

if TYPE_CHECKING:
    from analyzer.model.engine import Explanation

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "samples"
STORE = SAMPLES / "ticket-h-rule-store"
MADE = ["--application", "svchost.exe", "--protocol", "tcp", "--remote-address", "203.0.113.9", "--remote-port", "443"]


def explained(ticket: str, **asked: Any) -> tuple[Explanation, ...]:
    return analyze([SAMPLES / ticket], question=parse(asked)).explanations


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["explain", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


# ------------------------------------------------------------------------------------------------ records


def test_a_record_is_followed_to_the_filter_that_blocked_it():
    (found,) = explained("ticket-h-rule-store", record=52006)
    assert found.decision == "block"
    assert found.agreement == "same_filter"
    assert found.deciding is not None
    assert found.deciding.filter_id == found.recorded_filter == 68225
    assert dict(found.flow)["Services"] == "BITS"
    (sublayer,) = found.sublayers
    (ending,) = [item for item in sublayer.filters if item.part == "ends"]
    assert (ending.filter.filter_id, ending.answer, ending.recorded) == (68225, "yes", True)
    assert sublayer.plain == 3


def test_what_is_not_recorded_is_named():
    (found,) = explained("ticket-c-tour", record=6)
    assert found.decision == "cannot-tell"
    assert "user or service" in found.certainty
    assert "callout driver" in found.certainty
    assert found.agreement == "disagrees"
    assert "asks for program" in found.agreement_words
    assert any("Windows started in between" in note for note in found.notes)


def test_sublayers_stand_from_the_greatest_weight_down():
    (found,) = explained("ticket-c-tour", record=6)
    weights = [item.weight for item in found.sublayers if item.weight is not None]
    assert weights == sorted(weights, reverse=True)
    for sublayer in found.sublayers:
        shown = [item.filter.weight for item in sublayer.filters if item.filter.weight is not None]
        assert shown == sorted(shown, reverse=True)


def test_every_filter_of_the_layer_is_shown_or_counted():
    path = SAMPLES / "ticket-c-tour"
    result = analyze([path], question=parse({"record": 6}))
    (found,) = result.explanations
    assert result.filters is not None
    at_layer = result.filters[result.filters["layer"] == found.layer]
    left_out = [row for row in at_layer.itertuples() if {"DISABLED", "BOOTTIME"} & set(row.flags or ())]
    left_out += [row for row in at_layer.itertuples() if row.action == "callout-inspection"]
    counted = sum(len(item.filters) + item.plain + item.behind + item.undecided for item in found.sublayers)
    assert counted == len(at_layer) - len({row.Index for row in left_out})


def test_every_record_of_every_ticket_can_be_explained():
    for ticket in ("ticket-e-reused-id", "ticket-g-services", "ticket-i-french"):
        events = analyze([SAMPLES / ticket]).events
        assert events is not None
        for number in events["record_id"].dropna().unique()[:6]:
            (found,) = explained(ticket, record=int(number))
            assert found.certainty
            assert found.agreement_words


def test_an_unknown_record_tells_the_range(capsys: pytest.CaptureFixture[str]):
    code, out, err = run(capsys, str(STORE), "--record", "7")
    assert code == 2
    assert out == ""
    assert "no event of the filtering platform has the record number 7" in err
    assert "WS-DEMO-17.corp.example: 52004 to 52022 (18 events)" in err


def test_a_record_of_several_computers_needs_the_computer():
    both = analyze([SAMPLES / "ticket-j-two-hosts"]).events
    assert both is not None
    with pytest.raises(QuestionError, match="no event is of NOBODY; there are WS-DEMO-19"):
        explained("ticket-j-two-hosts", record=1, computer="NOBODY")
    own = both[both["computer"] == "WS-DEMO-20.corp.example"]["record_id"].iloc[0]
    (found,) = explained("ticket-j-two-hosts", record=int(own), computer="ws-demo-20")
    assert dict(found.flow)["Computer"] == "WS-DEMO-20.corp.example"


def test_the_event_that_names_only_a_program_cannot_be_followed(capsys: pytest.CaptureFixture[str]):
    code, _, err = run(capsys, str(SAMPLES / "ticket-a-win11"), "--record", "412915")
    assert code == 2
    assert "event 5031: it names a program and no packet" in err


# -------------------------------------------------------------------------------- filters, flows by hand


def test_a_filter_is_explained_by_its_flows():
    found = explained("ticket-h-rule-store", filter_id=68225)
    assert 1 < len(found) <= 3
    assert {item.recorded_filter for item in found} == {68225}


def test_a_filter_that_no_event_names_is_said_to_be_in_the_state(capsys: pytest.CaptureFixture[str]):
    code, _, err = run(capsys, str(STORE), "--filter", "66226")
    assert code == 2
    assert "no event names the filter 66226" in err


def test_the_own_token_of_a_service_passes_and_another_one_does_not():
    flow = {"application": "svchost.exe", "protocol": "tcp", "remote_address": "203.0.113.9", "remote_port": "443"}
    (own,) = explained("ticket-a-win11", **flow, service="wuauserv")
    assert own.decision == "permit"
    assert any("“svchost.exe” is taken for " in note for note in own.notes)
    assert any("outbound is assumed" in note for note in own.notes)
    assert own.recorded is own.agreement is None
    (other,) = explained("ticket-a-win11", **flow, user="S-1-5-21-1-2-3-1001")
    assert other.decision != "permit"


def test_an_address_of_the_newer_family_is_asked_at_its_own_layer():
    (found,) = explained("ticket-a-win11", direction="inbound", remote_address="2001:db8::1", local_port="8080")
    assert found.layer == "ALE_AUTH_RECV_ACCEPT_V6"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "nothing is asked for"),
        (["--record", "5", "--filter", "6"], "not for several"),
        (["--record", "5", "--application", "x.exe"], "not for several"),
        (["--record", "-1"], "Invalid value for '--record'"),
        (["--protocol", "tpc"], "--protocol: 'tpc' is no protocol"),
        (["--remote-port", "1-5"], "--remote-port: '1-5' is a range; one port is needed"),
        (["--remote-address", "192.0.2.0/24"], "--remote-address: '192.0.2.0/24' is a network"),
        (["--user", "somebody"], "--user: 'somebody' is no SID"),
        (["--local-address", "::1", "--remote-address", "192.0.2.1"], "different families"),
        (["--profile", "work"], "Invalid value for '--profile'"),
    ],
)
def test_wrong_questions_are_refused(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str):
    code, out, err = run(capsys, str(STORE), *arguments)
    assert (code, out) == (2, "")
    assert said in err


def test_without_a_state_nothing_is_usable(capsys: pytest.CaptureFixture[str]):
    (log,) = STORE.glob("*.evtx")
    code, _, err = run(capsys, str(log), "--record", "52006")
    assert code == 4
    assert "no state" in err


# ------------------------------------------------------------------------------------------------ outputs


def test_the_table_fits_narrow_and_wide_terminals(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    for width in (80, 120):
        monkeypatch.setenv("COLUMNS", str(width))
        code, out, _ = run(capsys, str(SAMPLES / "ticket-c-tour"), "--record", "6")
        assert code == 0
        assert max(map(len, out.splitlines())) <= width
        for item in (
            "By the state's filters: cannot tell.",
            "Recorded: block by filter 68418",
            "MPSSVC_WF",
            "not shown:",
        ):
            assert item in out


def test_page_and_json_say_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    page, data = tmp_path / "why.html", tmp_path / "why.json"
    code, out, _ = run(capsys, str(STORE), "--record", "52006", "-o", str(page), "--json", str(data))
    assert code == 0
    assert f"written: {page}" in out
    document = json.loads(data.read_text(encoding="utf-8"))
    schema = json.loads((ROOT / "reports" / "schemas" / "explain.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(document)
    (found,) = document["explanations"]
    assert found["decision"] == "block"
    assert found["deciding"]["filter_id"] == 68225
    assert document["command"][0] == "explain"
    text = page.read_text(encoding="utf-8")
    root = lxml_html.fromstring(text)
    shown = " ".join(root.text_content().split())
    assert "Record 52006, event 5157: block" in shown
    assert "Recorded: block by filter 68225" in shown
    assert "default-src 'none'" in root.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
    assert not root.xpath("//*[@style or @onclick]")
    assert not root.xpath("//@src")
    anchors = root.xpath("//@id")
    assert len(anchors) == len(set(anchors))


def test_explanations_of_all_sorts_fit_the_schema(capsys: pytest.CaptureFixture[str]):
    schema = json.loads((ROOT / "reports" / "schemas" / "explain.schema.json").read_text(encoding="utf-8"))
    for arguments in (
        [str(SAMPLES / "ticket-c-tour"), "--record", "6"],
        [str(SAMPLES / "ticket-g-services"), "--filter", "68225"],
        [str(SAMPLES / "ticket-a-win11"), *MADE, "--service", "wuauserv"],
    ):
        code, out, _ = run(capsys, *arguments, "--json", "-")
        assert code == 0
        jsonschema.Draft202012Validator(schema).validate(json.loads(out))


def test_standard_output_may_be_taken_by_an_output(capsys: pytest.CaptureFixture[str]):
    code, out, err = run(capsys, str(STORE), "--record", "52006", "--json", "-")
    assert code == 0
    assert json.loads(out)["explanations"][0]["decision"] == "block"
    assert "By the state's filters: block" in err


def test_hostile_names_stay_harmless(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    page = tmp_path / "why.html"
    events = analyze([SAMPLES / "ticket-c-tour"]).events
    assert events is not None
    hostile = events[events["application"].astype("str").str.contains("holiday", na=False)]["record_id"].iloc[0]
    _, out, _ = run(capsys, str(SAMPLES / "ticket-c-tour"), "--record", str(hostile), "-o", str(page))
    assert "\u202e" not in out
    assert "\u202e" not in page.read_text(encoding="utf-8")


def test_help_names_every_option():
    shown = CliRunner().invoke(cli, ["explain", "--help"]).output
    for option in (
        "--record",
        "--filter",
        "--computer",
        "--service",
        "--profile",
        "--json",
        "A flow that nobody has recorded",
    ):
        assert option in shown


def test_a_real_state_answers_a_flow_by_hand(shared: Path):
    asked = {"application": r"C:\Windows\System32\svchost.exe", "protocol": "udp", "remote_port": "53"}
    for name in ("win11-22621-wfpstate.xml", "win-2023-wfpstate.xml", "win11-26100-french-filters.xml"):
        (found,) = analyze([shared / "xml" / name], question=parse(asked)).explanations
        assert found.decision in ("permit", "block", "cannot-tell")
        assert found.certainty
