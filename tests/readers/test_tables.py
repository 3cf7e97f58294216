"""Tables in every encoding and separator that Windows' own tools write; a bad row costs one row."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.readers import plaintext, tables
from analyzer.readers.stateproblems import Problems

UMLAUTS = "Überwachung für Öffnen: größer, Éléments déjà reçus\n"


def decode(data):
    problems = Problems("x.csv")
    return plaintext.decode(data, problems), [(p.severity, p.place, p.what) for p in problems.result()]


def rows(text):
    problems = Problems("x.csv")
    return [row.cells for row in tables.read_rows(text, problems)], [(p.place, p.what) for p in problems.result()]


def objects(text):
    problems = Problems("x.json")
    found = tables.read_objects(text, problems)
    return [(r.line, dict(r.fields)) for r in found], [(p.severity, p.what) for p in problems.result()]


@pytest.mark.parametrize(
    "encoded",
    [
        UMLAUTS.encode(),
        b"\xef\xbb\xbf" + UMLAUTS.encode(),
        b"\xff\xfe" + UMLAUTS.encode("utf-16-le"),
        b"\xfe\xff" + UMLAUTS.encode("utf-16-be"),
        ("Text " + UMLAUTS).encode("utf-16-le"),
    ],
)
def test_unicode_is_read_without_a_word(encoded):
    text, said = decode(encoded)
    assert text.endswith(UMLAUTS)
    assert said == []


@pytest.mark.parametrize("page", ["cp1252", "cp850"])
def test_code_pages_are_guessed_and_said(page):
    text, said = decode(UMLAUTS.encode(page))
    assert text == UMLAUTS
    assert [severity for severity, _, _ in said] == ["note"]
    assert page in said[0][2]


def test_the_american_console_looks_like_850():
    text, _ = decode("für größer déjà".encode("cp437"))
    assert text == "für größer déjà"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n", "\r"])
def test_line_ends(end):
    text, _ = decode(f"a{end}b{end}".encode())
    assert text == "a\nb\n"


def test_nothing_and_too_much():
    assert decode(b" \r\n ")[0] is None
    assert decode(b"x" * (plaintext.MAX_BYTES + 1))[0] is None
    assert "more than" in decode(b"x" * (plaintext.MAX_BYTES + 1))[1][0][2]


def test_text_of_two_encodings_is_told():
    text, said = decode(b"one,two\n" + "three,four\n".encode("utf-16-le"))
    assert text == "one,two\nthree,four\n"
    assert any("NUL" in what for _, _, what in said)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators(separator):
    text = f'Name{separator}"Some text"\nx{separator}"a {separator} ""b"""\n'
    assert rows(text)[0] == [("Name", "Some text"), ("x", f'a {separator} "b"')]


def test_lines_before_the_header():
    assert rows("\n#TYPE System.Object\nsep=;\nA;B\n1;2\n")[0] == [("A", "B"), ("1", "2")]


def test_a_quoted_field_may_hold_line_feeds_and_lines_are_counted():
    problems = Problems("x")
    found = tables.read_rows('A,B\n1,"x\ny\nz"\n2,w\n', problems)
    assert [(row.line, row.cells) for row in found] == [(1, ("A", "B")), (2, ("1", "x\ny\nz")), (5, ("2", "w"))]


def test_a_quote_that_never_closes_costs_one_row():
    found, said = rows('A,B\n1,"x\n' + "2,y\n" * 100)
    assert len(found) == 101
    assert said == [("line 2", "a row whose quotes do not close, or that is too long: left out")]


def test_quotes_that_nobody_doubled_cost_nothing():
    found, said = rows('A,B\n"C:\\x" -k y,2\n3,4\n')
    assert len(found) == 3
    assert said == []


def test_a_row_with_a_separator_too_many_is_left_out_and_none_of_its_cells_is_moved():
    """wmic quotes nothing: behind a comma in a display name every cell would stand in the wrong column."""
    problems = Problems("x.csv")
    text = "Node,DisplayName,Name,ProcessId\nPC,Updates, and so,BITS,12\nPC,Time,W32Time,13\nPC,x,y,14,\nPC,z,w\n"
    found = tables.read_records(text, problems)
    assert [dict(record.fields) for record in found] == [
        {"node": "PC", "displayname": "Time", "name": "W32Time", "processid": "13"},
        {"node": "PC", "displayname": "x", "name": "y", "processid": "14"},
        {"node": "PC", "displayname": "z", "name": "w"},
    ]
    assert [(p.severity, p.place) for p in problems.result()] == [("lost", "line 2"), ("doubtful", "line 5")]


def test_many_open_quotes_take_no_time():
    start = time.monotonic()
    rows("A,B\n" + '"x\n""\n' * 50_000)
    assert time.monotonic() - start < 20


def test_json_forms():
    one = {"name": "a"}
    for text in (
        '{"Name":"a"}',
        '[{"Name":"a"}]',
        '\n{"value":[{"Name":"a"}],"Count":1}',
        '{"Name":"a"}\n',
        '[[{"Name":"a"}]]',
    ):
        found, said = objects(text)
        assert [fields for _, fields in found] == [one], text
        assert said == []
    assert [line for line, _ in objects('{"a":1}\n{"a":2}\n')[0]] == [1, 2]


def test_values_of_windows_powershell():
    found, _ = objects('[{"Ports":{"value":["80","443"],"Count":2},"State":{"value":4,"Value":"Running"}}]')
    assert found[0][1] == {"ports": ["80", "443"], "state": "Running"}


def test_a_damaged_object_costs_one_object():
    text = '[\n    {\n        "A":  1\n    },\n    {\n        "A":  2,,\n    },\n    {\n        "A":  3\n    }\n]\n'
    found, said = objects(text)
    assert found == [(2, {"a": 1}), (8, {"a": 3})]
    assert said == [("lost", "a JSON object is damaged: left out")]


def test_a_cut_list_keeps_what_is_whole():
    found, said = objects('[{"A":1},{"A":2},{"A"')
    assert [fields for _, fields in found] == [{"a": 1}, {"a": 2}]
    assert all(severity == "lost" for severity, _ in said)
    assert said


@pytest.mark.parametrize("text", ['{"a":' * 100_000, "[" * 100_000, '{"a":' + "9" * 10_000 + "}", '{"a":"\\ud800"}'])
def test_hostile_json_is_bounded(text):
    start = time.monotonic()
    objects(text)
    assert time.monotonic() - start < 20


@pytest.mark.parametrize(
    "text",
    ['[{"a":1},{x' + '\\"' * 60_000, '[{"a":1},' + "\n{x" * 1_000_000, '[{"a":1},' + "{x}," * 500_000],
    ids=["escaped quotes", "lines", "one line"],
)
def test_damaged_objects_by_the_thousand_end_soon(text):
    start = time.process_time()
    found, said = objects(text)
    assert time.process_time() - start < 15
    assert [fields for _, fields in found] == [{"a": 1}]
    assert ("lost", "what follows the damaged object was not read") in said


def test_half_a_surrogate_pair_becomes_a_replacement():
    assert tables.text_of("a\ud800b") == "a\ufffdb"


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("12", 12),
        (12, 12),
        (12.0, 12),
        ("", None),
        ("-1", None),
        ("1e3", None),
        ("9" * 30, None),
        (None, None),
        ("²", None),
    ],
)
def test_numbers(value, number):
    assert tables.number_of(value) == number


@given(st.text(max_size=400))
@settings(max_examples=200, deadline=None)
def test_any_text_is_taken(text):
    problems = Problems("x")
    for record in tables.read_records(text, problems):
        assert record.line >= 1
    tables.property_names(text)


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_taken(data):
    text = plaintext.decode(data, Problems("x"))
    assert text is None or "\r" not in text
    plaintext.head_text(data)
