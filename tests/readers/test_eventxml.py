"""Event XML in all its forms, whole and damaged."""

from __future__ import annotations

import gzip
import random
import time

import pytest
from event_texts import COMPUTER, EVENTS, RENDERED, event, xml
from evtx_compare import same_frame
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer.readers import eventstream, eventxml
from analyzer.readers.eventsniff import sniff_events
from analyzer.readers.eventxml import read_event_xml
from analyzer.wfp.events import TABLES

LINES = "".join(xml(item) + "\r\n" for item in EVENTS)
FORMS = {
    "wevtutil /f:xml": LINES,
    "wevtutil without line ends": LINES.replace("\r\n", ""),
    "wevtutil /e:Events": f"<Events>{LINES}</Events>",
    "wevtutil /e:Root": f"<Root>\r\n{LINES}</Root>",
    "wevtutil /f:RenderedXml": "".join(xml(item, RENDERED) + "\r\n" for item in EVENTS),
    "Event Viewer": f'<?xml version="1.0" encoding="utf-8" standalone="yes"?><Events>'
    f"{''.join(xml(item, RENDERED) for item in EVENTS)}</Events>",
    "declaration before each event": "".join(
        f'Record {item["number"]}\n<?xml version="1.0" encoding="utf-8"?>\n{xml(item)}\n' for item in EVENTS
    ),
    "newest first": "".join(xml(item) + "\n" for item in reversed(EVENTS)),
    "comments": "<!-- saved " + xml(event(99)) + " -->" + LINES.replace("</System>", "<!-- x --></System>"),
    "pretty": LINES.replace("><", ">\n  <"),
}


def read(tmp_path, data, name="log.xml", **options):
    path = tmp_path / "input"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return read_event_xml(path, name, **options)


def said(log, severity=None):
    return [p.what for p in log.problems if severity in (None, p.severity)]


@pytest.fixture
def plain(tmp_path):
    return read(tmp_path, FORMS["wevtutil /f:xml"])


def rows(log, table="wfp"):
    return log.tables[table].drop(columns=["offset"]).sort_values("record_id", ignore_index=True)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_every_form_gives_the_same_rows(tmp_path, plain, form, encoding):
    data = FORMS[form].encode(encoding)
    log = read(tmp_path, data)
    same_frame(rows(log), rows(plain))
    assert (log.records, log.first, log.last, log.computers) == (5, plain.first, plain.last, (COMPUTER,))
    assert (log.channels, log.problems) == ({"Security": 5}, ())
    assert sniff_events(data[:65536])[0] == "eventxml"


def test_the_values_of_a_row(plain):
    row = plain.tables["wfp"].iloc[2]
    assert (row["event_id"], row["version"], row["record_id"]) == (5157, 1, 3)
    assert row["time"].isoformat() == "2026-03-10T08:31:03.012941700+00:00"
    assert (row["process_id"], row["source_port"], row["filter_rtid"]) == (1234, 50003, 2**63 + 3)
    assert (row["direction_code"], row["layer_code"], row["layer_rtid"]) == ("%%14593", "%%14611", 48)
    assert row["extra"] is None
    assert set(plain.tables) == set(TABLES)


def test_packed_with_gzip(tmp_path, plain):
    data = gzip.compress(LINES.encode())
    log = read(tmp_path, data)
    same_frame(log.tables["wfp"], plain.tables["wfp"])
    assert log.problems == ()
    assert sniff_events(data)[0] == "eventxml"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_the_offset_leads_to_the_event(tmp_path, encoding):
    data = ("Überschrift 😀\r\n" + LINES).encode(encoding)
    for offset in read(tmp_path, data).tables["wfp"]["offset"]:
        piece = data[offset : offset + 12].decode("utf-16-le" if encoding == "utf-16" else "utf-8")
        assert piece.startswith("<Event")


def test_gaps_of_record_ids_are_found_whatever_the_order(tmp_path):
    numbers = [1, 2, 5, 6, 9]
    text = "".join(xml(event(number)) for number in reversed(numbers))
    log = read(tmp_path, text)
    assert (log.id_gaps, log.selective) == (((2, 5), (6, 9)), True)


def test_mixed_computers_make_no_gaps(tmp_path):
    other = LINES.replace(COMPUTER, "pc-two.example").split("\r\n")
    text = "".join(one + two for one, two in zip(LINES.split("\r\n"), reversed(other), strict=True))
    log = read(tmp_path, text)
    assert (log.records, log.id_gaps, log.selective) == (10, (), False)
    assert set(log.computers) == {COMPUTER, "pc-two.example"}


@pytest.mark.parametrize(("text", "code"), [("Outbound", "%%14593"), ("inbound", "%%14592"), ("14593", "%%14593")])
def test_a_rendered_direction_is_a_code_again(tmp_path, text, code):
    log = read(tmp_path, xml(event(1, Direction=text, LayerName="Connect")))
    assert log.tables["wfp"]["direction_code"].tolist() == [code]
    assert log.tables["wfp"]["layer_code"].tolist() == ["%%14611"]
    assert log.problems == ()


def test_forward_is_a_direction_and_a_layer(tmp_path):
    row = read(tmp_path, xml(event(1, Direction="Forward", LayerName="Forward"))).tables["wfp"].iloc[0]
    assert (row["direction_code"], row["layer_code"]) == ("%%14594", "%%14598")


def test_a_localized_text_is_kept_and_told(tmp_path):
    log = read(tmp_path, xml(event(1, Direction="Ausgehend")))
    assert log.tables["wfp"]["direction_code"].tolist() == ["Ausgehend"]
    assert "'Ausgehend'" in said(log, "doubtful")[0]
    assert log.problems[0].place == "line 1, offset 0x0, record 1"


def test_names_of_layers_in_filter_changes_are_no_codes(tmp_path):
    log = read(tmp_path, xml(event(1, 5447, LayerName="ALE Connect v4 Layer", ChangeType="%%16384", Action="Permit")))
    row = log.tables["filter_change"].iloc[0]
    assert (row["layer_name"], row["change_code"], row["action_code"]) == ("ALE Connect v4 Layer", "%%16384", "%%16390")
    assert log.problems == ()


def test_events_of_no_interest_are_counted(tmp_path):
    log = read(tmp_path, LINES.replace("<EventID>5157</EventID>", "<EventID>4634</EventID>"))
    assert (log.records, log.channels, sum(map(len, log.tables.values()))) == (5, {"Security": 5}, 0)
    assert log.problems == ()


def test_an_id_of_another_provider_is_another_event(tmp_path):
    text = xml(event(1)).replace("Microsoft-Windows-Security-Auditing", "Someone").replace("54849625", "00000000")
    assert len(read(tmp_path, text).tables["wfp"]) == 0


def test_repeated_and_unknown_fields_are_kept(tmp_path):
    text = xml(event(1, Later="x")).replace("</EventData>", "<Data Name='Direction'>%%14592</Data></EventData>")
    row = read(tmp_path, text).tables["wfp"].iloc[0]
    assert row["direction_code"] == "%%14593"
    assert row["extra"] == {"Later": "x", "Direction#2": "%%14592"}


def test_a_cleared_log_is_told(tmp_path):
    text = (
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider "
        "Name='Microsoft-Windows-Eventlog'/><EventID>1102</EventID><TimeCreated SystemTime='2026-01-01T00:00:00Z'/>"
        "<EventRecordID>7</EventRecordID><Channel>Security</Channel></System><UserData><LogFileCleared xmlns='x'>"
        "<SubjectUserName>someone</SubjectUserName></LogFileCleared></UserData></Event>"
    )
    log = read(tmp_path, text)
    assert log.tables["host"]["subject_user_name"].tolist() == ["someone"]
    assert said(log, "note")[0].startswith("the log was cleared at 2026-01-01 00:00:00 UTC")


# -- damage ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("<EventID>5157</EventID>", "<EventID>5157", "not well-formed"),
        ("<EventID>5157</EventID>", "", "no event id"),
        ("<EventID>5157</EventID>", "<EventID>many</EventID>", "no event id that is a number"),
        ("Protocol", "Proto<col", "not well-formed"),
        ("</Event>", "", "has no end"),
        ("192.0.2.7", "&bomb;", "not well-formed"),
    ],
)
def test_one_broken_event_costs_one(tmp_path, plain, old, new, why):
    lines = LINES.split("\r\n")
    lines[2] = lines[2].replace(old, new)
    log = read(tmp_path, "\r\n".join(lines))
    assert log.tables["wfp"]["record_id"].tolist() == [1, 2, 4, 5]
    assert log.records == 5
    assert [(p.severity, p.place) for p in log.problems] == [("lost", f"line 3, offset 0x{2 * len(lines[0]) + 4:x}")]
    assert why in log.problems[0].what


def test_cut_anywhere(tmp_path):
    text = "".join(xml(item) for item in EVENTS[:2])
    first = len(xml(EVENTS[0]))
    for end in range(0, len(text), 23):
        log = read(tmp_path, text[:end])
        assert len(log.tables["wfp"]) == (end >= first)
        assert said(log, "lost") or end == first, end


def test_a_cut_between_two_events_is_seen_by_the_open_root(tmp_path):
    text = FORMS["wevtutil /e:Root"]
    log = read(tmp_path, text[: text.index("<Event", len(text) // 2)])
    assert said(log, "lost") == ["the file ends without </Root>: it may have been cut off between two events"]


def test_entities_are_never_expanded(tmp_path):
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    log = read(tmp_path, bomb + LINES.replace("192.0.2.7", "&b;"))
    assert len(log.tables["wfp"]) == 0
    assert "DOCTYPE" in said(log, "lost")[0]


def test_external_entities_are_never_loaded(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("SECRET")
    inside = f'<!DOCTYPE Event [<!ENTITY s SYSTEM "{secret.as_uri()}">]>'
    for text in (inside + xml(event(1, Application="X")).replace(">X<", ">&s;<"), LINES + inside + LINES):
        log = read(tmp_path, text)
        assert "SECRET" not in log.tables["wfp"].to_csv()
        assert any("DOCTYPE" in what for what in said(log, "lost"))


def test_a_doctype_inside_an_event_costs_the_event(tmp_path):
    text = xml(event(1)).replace("<System>", "<!DOCTYPE x [<!ENTITY a 'b'>]><System>") + xml(event(2))
    log = read(tmp_path, text)
    assert log.tables["wfp"]["record_id"].tolist() == [2]
    assert "DOCTYPE" in said(log, "lost")[0]


def test_deep_nesting(tmp_path):
    deep = "<a>" * 100_000 + "</a>" * 100_000
    log = read(tmp_path, xml(event(1)).replace("</EventData>", deep + "</EventData>") + xml(event(2)))
    assert log.tables["wfp"]["record_id"].tolist() == [2]
    assert len(said(log, "lost")) == 1


def test_an_endless_event_is_refused_and_the_rest_is_read(tmp_path):
    size = eventxml.MAX_EVENT + (3 << 20)
    endless = "<Event><System>" + "x" * size
    started = time.process_time()
    log = read(tmp_path, endless + "\n" + LINES)
    assert time.process_time() - started < 10
    assert log.tables["wfp"]["record_id"].tolist() == [1, 2, 3, 4, 5]
    assert said(log, "lost")[0].startswith("this event is longer than")


@pytest.mark.parametrize(
    "piece", ["<Event><System>", "<Event>", "<Event></Event>", "<!-- ", "<", "<a ", "</Event>", "]]>"]
)
def test_rubbish_takes_bounded_time(tmp_path, piece):
    started = time.process_time()
    log = read(tmp_path, piece * ((8 << 20) // len(piece)) + "-->" + LINES)
    assert time.process_time() - started < 20
    assert said(log) or piece == "<!-- "  # one long comment


def test_characters_that_are_no_text(tmp_path):
    data = LINES.encode().replace(b"50001</Data>", b"50001</Data><Data Name='A'>\x00b\xff</Data>", 1)
    data = data.replace(b"50002</Data>", b"50002</Data><Data Name='A'>&#x1;&#xD800;</Data>", 1)
    log = read(tmp_path, data)
    extra = log.tables["wfp"]["extra"].tolist()
    assert extra[:3] == [{"A": "\ufffdb\ufffd"}, {"A": "\ufffd\ufffd"}, None]
    assert [p.severity for p in log.problems] == ["doubtful", "doubtful"]


def test_text_between_events_is_told(tmp_path):
    log = read(tmp_path, LINES + "see below\n" + LINES)
    assert (log.records, said(log)[0]) == (10, "text that belongs to no event: left out")
    assert log.problems[0].place == f"line 6, offset 0x{len(LINES):x}"


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe", b"no events here", b"<wfpstate/>", b"<Events/>", bytes(5000), b"\x1f\x8b\x08"]
)
def test_the_wrong_file(tmp_path, data):
    log = read(tmp_path, data)
    assert (log.records, log.first, log.computers, log.channels) == (0, None, (), {})
    assert said(log, "lost")[-1] == "no event was found in it"


def test_half_a_character_at_the_end(tmp_path):
    log = read(tmp_path, LINES.encode("utf-16")[:-1])
    assert len(log.tables["wfp"]) == 5
    assert log.problems


def test_a_cut_gzip_file_gives_what_came_before(tmp_path):
    noise = random.Random(1)
    text = "".join(xml(event(n, Later=str(noise.random()))) for n in range(1, 400))
    packed = gzip.compress(text.encode())
    log = read(tmp_path, packed[: len(packed) * 2 // 3])
    assert 0 < len(log.tables["wfp"]) < 399
    assert any(what.startswith("the gzip file ends too early") for what in said(log, "lost"))


def test_a_gzip_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(eventstream, "RATIO_FROM", 1 << 20)
    log = read(tmp_path, gzip.compress(LINES.encode() + b" " * (64 << 20)))
    assert len(log.tables["wfp"]) == 5
    assert any("250 times its size" in what for what in said(log, "lost"))


def test_progress_ends_with_the_size_of_the_file(tmp_path):
    steps = []
    read(tmp_path, LINES, progress=lambda done, total: steps.append((done, total)))
    assert steps[-1] == (len(LINES), len(LINES))


def test_a_missing_file_raises(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_event_xml(tmp_path / "none", "x")


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_damage_is_survived(tmp_path, data):
    form = data.draw(st.sampled_from(sorted(FORMS)))
    raw = bytearray(FORMS[form].encode(data.draw(st.sampled_from(["utf-8", "utf-16"]))))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(raw) - 1))
        match data.draw(st.sampled_from(["flip", "cut", "put", "double"])):
            case "flip":
                raw[at] ^= 1 << data.draw(st.integers(0, 7))
            case "cut":
                del raw[at : at + data.draw(st.integers(1, 400))]
            case "put":
                raw[at:at] = data.draw(
                    st.binary(max_size=8) | st.sampled_from([b"<Event>", b"</Event>", b"<!--", b"]]>"])
                )
            case "double":
                raw[at:at] = raw[at : at + 300]
        raw = raw or bytearray(b"<")
    log = read(tmp_path, bytes(raw))
    assert sum(map(len, log.tables.values())) <= log.records
    if len(log.tables["wfp"]) < 4:
        assert log.problems
