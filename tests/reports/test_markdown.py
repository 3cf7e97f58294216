"""The summary for a ticket and the list of actions: short, and nothing of the evidence is markup."""

from __future__ import annotations

import csv
import dataclasses
import io
import re

import pytest

from analyzer.model import Evidence, Problem, Redacted, Remedy
from reports.actions import COLUMNS, actions_csv
from reports.markdown import MOST_FINDINGS, code, markdown, plain
from tests.made import analysis

HOSTILE = [
    "<script>alert(1)</script>",
    "![x](http://evil.example/x.png)",
    "[click](javascript:alert(1))",
    "`code` ``two`` ```three```",
    "| a | b |",
    "# heading",
    "- item",
    "1. item",
    "*bold* _it_ ~~gone~~",
    "@everyone and #1234",
    "{code}x{code} {html}<b>{html}",
    "&lt;b&gt; &copy;",
    "http://evil.example www.evil.example",
    "two\nlines\r\n\r\n# new",
    "\u202egpj.exe \u200b",
    "\\",
    "\\\\host\\share\\",
    "<!-- comment",
    "==== ----",
    "",
    " ",
    "x" * 100_000,
]


FENCED = re.compile(r"(?ms)^(`{3,})powershell\n.*?\n\1$")


def hostile(text: str) -> str:
    """Return the summary of a result that has this text everywhere."""
    plain_result = analysis()
    finding = dataclasses.replace(
        plain_result.findings[0],
        title=text,
        summary=text,
        evidence=(Evidence(text, text, 1, 2),),
        remedy=Remedy(text, (text, f"echo {text}"), text),
    )
    return markdown(
        dataclasses.replace(
            plain_result,
            answer=dataclasses.replace(plain_result.answer, sentence=text, trust=text),
            inputs=tuple(dataclasses.replace(item, name=text, computer=text) for item in plain_result.inputs),
            findings=(finding,) * 9,
            problems=(Problem(text, text, "lost", text),) * 20,
        )
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_the_evidence_is_markup(text: str) -> None:
    made = hostile(text)
    outside = without_code(made)
    assert not re.search(r"(?<!\\)<(?!/?sub>)", outside)
    assert not re.search(r"(?<!\\)[\[{]", outside)
    assert not re.search(r"(?<!\\)(?:\\\\)*[*_~](?![*])", outside.replace("**", ""))
    assert not re.search(r"[@#]\w", outside)
    assert "://" not in outside
    assert "www.evil" not in outside
    assert not re.search(r"&(?!amp;)", outside)
    lines = re.sub(FENCED, "", made).splitlines()
    assert len(lines) < 120
    assert [line for line in lines if line.startswith("#")] == ["### Why Windows blocked this traffic"]
    assert not any(ord(char) < 32 for line in lines for char in line)
    assert all(len(line) < 4000 for line in lines)


def without_code(text: str) -> str:
    """Return what stands outside of code spans and fenced blocks."""
    text = re.sub(FENCED, "", text)
    assert "```" not in text
    return re.sub(r"(?<!\\)`[^`\n]*`", "CODE", text)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_code_span_ends_where_it_should(text: str) -> None:
    made = code(text)
    assert made.startswith("`")
    assert made.endswith("`")
    assert made.count("`") == 2
    assert len(made) > 2
    assert "|" not in made
    assert "\n" not in made


def test_a_guid_stays_readable() -> None:
    assert code("{0CCE9226-69AE-11D9-BED3-505054503030}") == "`{0CCE9226-69AE-11D9-BED3-505054503030}`"
    assert code("{html}") == "`⟨U+007B⟩html⟨U+007D⟩`"


def test_a_path_reads_as_it_is_in_a_rendered_ticket() -> None:
    assert plain(r"\device\harddiskvolume3\a_b.exe") == r"\\device\\harddiskvolume3\\a\_b.exe"
    assert plain("1.5 MB, 3 blocks") == "1.5 MB, 3 blocks"
    assert plain("2. item") == "2\\. item"


def test_the_summary_has_what_a_reader_of_a_ticket_wants() -> None:
    made = markdown(analysis())
    assert "**3 connections were blocked.**" in made
    assert "- Computer: `HOST-A`" in made
    assert "**1. Services in svchost were refused although rules allow them** (High, likely, 3 records)" in made
    assert "What to do: Allow svchost for the accounts" in made
    assert "What it costs: opens more" in made
    assert "```powershell\nNew-NetFirewallRule -DisplayName x\n```" in made
    assert "Reading: 1 note" in made
    assert len(made) < 3000


def test_many_findings_are_counted_and_not_listed() -> None:
    many = dataclasses.replace(analysis(), findings=analysis().findings * 20)
    made = markdown(many)
    assert made.count("What to do: ") == MOST_FINDINGS
    assert "and 15 more findings" in made


def test_a_redacted_summary_says_so() -> None:
    made = markdown(dataclasses.replace(analysis(), redaction=Redacted("names are replaced", {})))
    assert "- Redacted: names are replaced." in made


def test_a_result_without_findings_is_short() -> None:
    bare = dataclasses.replace(analysis(), findings=(), problems=())
    assert "What to do" not in markdown(bare)
    assert "Reading" not in markdown(bare)


# ------------------------------------------------------------------------------------------------ actions


def rows(*remedies: Remedy | None, evidence: tuple[Evidence, ...] = ()) -> list[dict[str, str]]:
    base = analysis().findings[0]
    findings = tuple(
        dataclasses.replace(base, remedy=remedy, evidence=evidence or base.evidence, key=f"key-{n}")
        for n, remedy in enumerate(remedies)
    )
    text = "".join(actions_csv(dataclasses.replace(analysis(), findings=findings)))
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_there_is_one_row_per_remedy() -> None:
    made = rows(Remedy("Allow it", ("one", "two | three"), "opens more"), None, Remedy("Wait"))
    assert [row["finding_key"] for row in made] == ["key-0", "key-2"]
    assert tuple(made[0]) == COLUMNS
    assert made[0]["what_to_do"] == "Allow it"
    assert made[0]["command"].split("\n") == ["one", "two | three"]
    assert made[0]["cost"] == "opens more"
    assert made[0]["evidence"] == "event 5157 (security.evtx, record 100, filter 70001)"
    assert (made[0]["severity"], made[0]["confidence"], made[0]["count"]) == ("high", "likely", "3")
    assert (made[1]["command"], made[1]["cost"]) == ("", "")


def test_many_pieces_of_evidence_are_cut_and_no_cell_is_a_formula() -> None:
    many = tuple(Evidence(f"={n}", "=x.evtx") for n in range(50))
    (row,) = rows(Remedy("=1+1", ("=cmd", "+x")), evidence=many)
    assert row["what_to_do"] == "'=1+1"
    assert row["command"] == "'=cmd\n'+x"
    assert row["evidence"].count("x.evtx") == 5
    assert row["evidence"].startswith("'=0")


def test_a_result_without_remedies_is_a_header() -> None:
    assert rows() == []
