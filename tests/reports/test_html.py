"""The page: complete without scripts, safe with hostile evidence, the same bytes each time."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
import time
from itertools import pairwise

import case
import lxml.html
import pytest

from analyzer.model import Analysis, Coverage, ServiceAnswer, Timeline, TimelineSeries
from analyzer.model.engine import Agreement, Disagreement, StateAgreement, SublayerAgreement, SublayerDifference
from reports import glossary, view, words
from reports.html import render_html

POISONS = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "</style></script></title><svg/onload=alert(1)>",
    "--><!--",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "\x1b[31m\x00\x07\r\n\t",
    "\u202e\u2066\u200f\u061c\u2028\u2029\u200b\ufeff\u00ad",
    "\ud800\udfff\ufffe\U000e0041",
    "a" * 3000,
    "z\u0300\u0301\u0302\u0303\u0304\u0305\u0306\u0307",
    "&lt;b&gt;&#x3c;",
    "=cmd|' /C calc'!A0",
)
FORBIDDEN = (
    "iframe",
    "object",
    "embed",
    "form",
    "img",
    "link",
    "base",
    "video",
    "audio",
    "foreignobject",
    "animate",
    "set",
)


def parse(html: str) -> lxml.html.HtmlElement:
    return lxml.html.document_fromstring(html.encode("utf-8"), parser=lxml.html.HTMLParser(encoding="utf-8"))


def words_of(html: str) -> str:
    """All text of the page outside style and script, spaces folded."""
    root = parse(html)
    for element in root.xpath("//style | //script"):
        element.getparent().remove(element)
    return " ".join(root.text_content().split())


def shape(html: str) -> list[tuple[str, tuple[str, ...]]]:
    """Every element and the names of its attributes: what a parser made of the page."""
    return [
        (element.tag, tuple(sorted(element.attrib))) for element in parse(html).iter() if isinstance(element.tag, str)
    ]


@pytest.fixture(scope="module")
def page() -> str:
    return render_html(case.rich())


# ------------------------------------------------------------------------------------------------------ content


def test_first_screen_has_answer_trust_counts_and_first_finding(page: str) -> None:
    analysis = case.rich()
    answer = parse(page).get_element_by_id("answer").text_content()
    assert analysis.answer.sentence in answer
    assert analysis.answer.trust in answer
    for number in ("761", "214 attempts", "126", "1,803"):
        assert number in answer
    assert analysis.findings[0].title in answer
    assert "a drop is not a block" in answer


def test_sections_come_in_the_order_of_reading(page: str) -> None:
    ids = parse(page).xpath("//main/section/@id")
    assert ids == (
        [
            "answer",
            "timeline",
            "findings",
            "coverage",
            "programs",
            "filters",
            "flows",
            "inputs",
            "problems",
            "limits",
            "words",
        ]
    )


def test_everything_is_there_without_scripts(page: str) -> None:
    analysis = case.rich()
    shown = words_of(page)
    for finding in analysis.findings:
        assert finding.title in shown
        assert finding.summary in shown
        texts = (*finding.rationale, *finding.lookalikes, *finding.collect_next, *(e.text for e in finding.evidence))
        for item in texts:
            assert item in shown
    remedy = analysis.findings[0].remedy
    assert remedy is not None
    assert remedy.cost in shown
    for command in remedy.commands:
        assert command in shown
    for service in analysis.findings[0].services or ():
        assert service.service_sid in shown
    for item in analysis.inputs:
        assert item.name in shown
        assert item.sha256 is None or item.sha256 in shown
    for problem in analysis.problems:
        assert problem.what in shown
    for pairing in analysis.coverage.pairings:
        for tie in (*pairing.ties, *pairing.against):
            assert tie in shown
    for verdict in analysis.verdicts:
        assert all(reason in shown for reason in verdict.reasons)
        assert all(str(number) in shown for number in verdict.record_ids)
    for word in (*glossary.GLOSSARY, *glossary.LIMITS, *words.KINDS.values(), *words.GRADES.values()):
        assert word.means in shown


def test_scripts_only_add(page: str) -> None:
    root = parse(page)
    assert root.xpath("//button | //input | //*[@hidden]") == []
    assert root.xpath("count(//details)") > 0


def test_every_link_leads_somewhere_inside_the_page(page: str) -> None:
    root = parse(page)
    targets = root.xpath("//*[@id]/@id")
    assert len(targets) == len(set(targets))
    links = root.xpath("//*[local-name() = 'a' or local-name() = 'use']/@href")
    assert links
    assert {link[1:] for link in links} <= set(targets)
    assert all(link.startswith("#") for link in links)


def test_a_flow_leads_to_its_filter_and_its_finding(page: str) -> None:
    row = parse(page).get_element_by_id("flow-1")
    assert "filter-71234" in [link[1:] for link in row.xpath(".//a/@href")]
    links = parse(render_html(_tied())).get_element_by_id("flow-1").xpath(".//a/@href")
    assert "#finding-service-sid" in links


def _tied() -> Analysis:
    base = case.rich()
    keyed = tuple(dataclasses.replace(finding, key=finding.id) for finding in base.findings)
    first = dataclasses.replace(base.verdicts[0], findings=("service-sid",))
    return dataclasses.replace(base, verdicts=(first, *base.verdicts[1:]), findings=keyed)


def test_a_filter_of_two_states_keeps_two_anchors() -> None:
    base = case.rich()
    twice = (*base.cited, dataclasses.replace(base.cited[0], input="other.xml"))
    rows = (dataclasses.replace(base.verdicts[0], state="other.xml"), *base.verdicts[1:])
    root = parse(render_html(dataclasses.replace(base, cited=twice, verdicts=rows)))
    assert "#filter-71234-2" in root.get_element_by_id("flow-1").xpath(".//a/@href")
    assert "#filter-71234" in root.get_element_by_id("flow-2").xpath(".//a/@href")


def test_a_contradicted_filter_is_not_named_as_the_cause() -> None:
    row = case.verdict(kind="unresolved", grade="contradicted", filter=None, filter_rtid=71234)
    base = case.rich()
    shown = parse(render_html(dataclasses.replace(base, verdicts=(row,)))).get_element_by_id("flow-1")
    assert "not this filter" in shown.text_content()
    assert "#filter-71234" not in shown.xpath(".//a/@href")


def test_blocks_drops_and_permits_are_not_added_up(page: str) -> None:
    assert "2,690" not in parse(page).get_element_by_id("answer").text_content()
    groups = parse(page).xpath("//table[contains(@class, 'bars')]//th[@scope='rowgroup']")
    assert [group.text_content().split()[0] for group in groups] == ["Blocks", "Drops"]


def test_weights_and_ids_stay_exact(page: str) -> None:
    assert "9,223,372,036,854,777,840" in words_of(page)
    biggest = dataclasses.replace(case.rich().cited[0], filter=case.ref(1, weight=2**64 - 1))
    assert "18,446,744,073,709,551,615" in words_of(render_html(dataclasses.replace(case.rich(), cited=(biggest,))))


# ------------------------------------------------------------------------------------------------------- safety


def test_policy_names_exactly_the_two_inline_blocks(page: str) -> None:
    root = parse(page)
    (policy,) = root.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    styles, scripts = root.xpath("//style/text()"), root.xpath("//script/text()")
    assert len(styles) == 1
    assert len(scripts) == 1
    for block, directive in ((styles[0], "style-src"), (scripts[0], "script-src")):
        digest = base64.b64encode(hashlib.sha256(block.encode("utf-8")).digest()).decode("ascii")
        assert f"{directive} 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "base-uri 'none'; form-action 'none'" in policy
    assert list(root.head)[1].get("http-equiv") == "Content-Security-Policy", "nothing but the charset comes before it"


@pytest.mark.parametrize("make", [case.rich, case.tiny, case.empty])
def test_nothing_is_loaded_and_nothing_is_inline(make) -> None:
    html = render_html(make())
    root = parse(html)
    for element in root.iter():
        if isinstance(element.tag, str):
            assert element.tag.lower() not in FORBIDDEN
            for name, value in element.attrib.items():
                assert not name.lower().startswith("on"), (element.tag, name)
                assert name not in {
                    "style",
                    "src",
                    "srcset",
                    "srcdoc",
                    "action",
                    "formaction",
                    "background",
                    "xlink:href",
                }
                assert "javascript:" not in value.lower()
    assert not re.search(r"(?:https?|ftp|wss?)://|(?:file|data|blob|javascript):[^\s<]", html, re.IGNORECASE)
    assert "//" not in re.sub(r"(?m)^\s*// .*$", "", "".join(root.xpath("//script/text()")))
    assert "@import" not in html
    assert not re.search(r"url\((?!#pt\d\))", html)


@pytest.mark.parametrize("poison", POISONS, ids=range(len(POISONS)))
def test_hostile_text_in_every_field_stays_text(poison: str) -> None:
    html = render_html(case.poisoned(poison))
    html.encode("utf-8")
    plain = render_html(case.poisoned("q"))
    # How evidence is shown may differ (folds, escapes, a folder under a program); what it is shown in may not.
    allowed = {"span", "details", "summary", "bdi", "wbr", "div"}

    def skeleton(page: str) -> list[tuple[str, tuple[str, ...]]]:
        return [item for item in shape(page) if item[0] not in allowed]

    assert skeleton(html) == skeleton(plain), "the evidence made or changed an element"
    assert len(parse(html).xpath("//script")) == 1
    classes, known = (set(parse(page).xpath("//@class")) for page in (html, plain))
    assert classes <= known | {"long", "esc", "folder", "long-sentence", "longer-sentence"}
    assert all(re.fullmatch(r"[a-z0-9-]+", anchor) for anchor in parse(html).xpath("//@id"))


@pytest.mark.parametrize("poison", POISONS, ids=range(len(POISONS)))
def test_no_hidden_character_reaches_the_page(poison: str) -> None:
    html = render_html(case.poisoned(poison))
    hidden = re.compile(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\ud800-\udfff\U000e0000-\U000e007f]"
    )
    assert hidden.search(html) is None


def test_hidden_characters_are_shown() -> None:
    shown = words_of(render_html(case.poisoned("\u202e\u2066\u2028\x1b\u200b")))
    assert "⟨U+202E⟩⟨U+2066⟩⟨U+2028⟩⟨U+001B⟩⟨U+200B⟩" in shown


def test_commands_to_copy_hold_no_new_line_and_no_foreign_quote() -> None:
    root = parse(render_html(case.poisoned("a\nb\r\u2028\u2019; Remove-Item x")))
    commands = root.xpath("//*[@class='cmd']")
    assert commands
    for command in commands:
        text = command.text_content()
        assert not set(text) & set("\n\r\u2028\u2019")
        assert "⟨U+2019⟩; Remove-Item x" in text


def test_long_evidence_is_folded_and_still_whole() -> None:
    long = "\\device\\" + "x" * 900 + "END"
    base = case.rich()
    row = dataclasses.replace(base.verdicts[0], application=None, computer=long)
    html = render_html(dataclasses.replace(base, verdicts=(row,)))
    cell = parse(html).get_element_by_id("flow-1")
    assert long in "".join(cell.text_content().split("\n"))
    assert any(" … " in summary.text_content() for summary in cell.xpath(".//details[@class='long']/summary"))


# -------------------------------------------------------------------------------------------------------- shape


def test_same_result_gives_same_bytes() -> None:
    assert render_html(case.rich()) == render_html(case.rich())


@pytest.mark.parametrize("make", [case.empty, case.tiny])
def test_little_evidence_makes_a_whole_page(make) -> None:
    html = render_html(make())
    root = parse(html)
    assert root.get("lang") == "en"
    assert make().answer.sentence in words_of(html)
    assert "None" not in words_of(html).replace("None of", "")
    for section in root.xpath("//main/section"):
        assert section.text_content().strip()


def test_one_event_is_one_bar_of_a_sensible_width() -> None:
    (path,) = parse(render_html(case.tiny())).xpath("//*[local-name()='path'][@class='stack']/@d")
    assert float(re.findall(r"h([\d.]+)", path)[0]) <= 28


def test_a_large_case_is_folded_says_so_and_stays_small() -> None:
    analysis = case.large(5000)
    start = time.perf_counter()
    html = render_html(analysis)
    assert time.perf_counter() - start < 20
    assert len(html.encode("utf-8")) < 3_000_000
    root = parse(html)
    assert len(root.xpath("//table[@id='flows-table']/tbody")) == view.MOST_FLOWS
    assert f"{5000 - view.MOST_FLOWS:,} more are left out" in root.get_element_by_id("flows").text_content()
    assert "--json" in root.get_element_by_id("flows").text_content()
    targets = set(root.xpath("//*[@id]/@id"))
    assert {link[1:] for link in root.xpath("//a/@href")} <= targets


def test_many_bins_are_drawn_together_without_losing_a_record() -> None:
    counts = tuple(i % 5 for i in range(2000))
    timeline = Timeline(
        case.at(0),
        case.at(2000),
        60,
        tuple(case.at(i) for i in range(2000)),
        (TimelineSeries("stealth", "drop", counts),),
    )
    html = render_html(dataclasses.replace(case.empty(), timeline=timeline))
    labels = parse(html).xpath("//*[@class='hover']/*/*[local-name()='title']/text()")
    assert sum(int(re.findall(r": ([\d,]+) drop", label)[0].replace(",", "")) for label in labels) == sum(counts)
    assert len(labels) <= 300


def test_gaps_and_audit_policy_of_any_shape_are_shown() -> None:
    coverage = Coverage(gaps=({"input": "a.evtx", "count": 3},), audit_policy={"packet_drop": "failure", "other": None})
    shown = words_of(render_html(dataclasses.replace(case.empty(), coverage=coverage)))
    for item in ("a.evtx", "packet drop", "failure"):
        assert item in shown


def test_agreement_is_told_where_trust_is_and_disagreements_with_their_cause() -> None:
    line = Disagreement(
        computer="PC-ONE", state="state.xml", application=None, direction="outbound", protocol=6, local_address=None,
        remote_address="192.0.2.1", service_port=80, layer=None, action="block", filter_rtid=70001, decision="permit",
        filter_id=70002, cause="filter 70002 <b>permits</b> this", field=None, condition=None, recorded=None,
        between="Windows started in between", count=3, record_ids=(7,),
    )  # fmt: skip
    differs = SublayerDifference(
        sublayer="MPSSVC_WF", layer=None, application=None, protocol=6, remote_address=None, service_port=80,
        filter_id=70003, action="block", cause="filter 70003 comes <i>too late</i>", field=None, condition=None,
        recorded=None, between=None, count=2, record_ids=(8,),
    )  # fmt: skip
    listed = SublayerAgreement(9, 1, 2, 0, (differs,), 4)
    one = StateAgreement("PC-ONE", "state.xml", 5, 2, 4, 3, 14, 6, 4, 1, listed, True, "it differs")
    page = render_html(dataclasses.replace(case.empty(), agreement=Agreement(5, 2, 4, 3, 14, (one,), (line,), 8)))
    shown = words_of(page)
    assert shown.count("7 of 10 records as recorded, 3 otherwise; 4 cannot be told") == 2
    for item in ("filter 70002 <b>permits</b> this", "Windows started in between", "of 12 entries", "it differs"):
        assert item in shown
    for item in (
        "8 more disagreements",
        "filter 70003 comes <i>too late</i>",
        "4 more differences",
        "1 record was not",
    ):
        assert item in shown


def test_services_are_told_with_what_became_of_their_rules() -> None:
    row = ServiceAnswer(
        computer="PC-ONE", name="BITS<b>", service_sid="S-1-5-80-1", seed=True, result="near-miss-token",
        confidence="proven", token="no", tied=True, blocks=12, matched=3, permits=(70100,), process_ids=(4242,),
        users=(), account="S-1-5-18", ports=("TCP 443",), missing=(), words="its allow filter fits",
    )  # fmt: skip
    quiet = dataclasses.replace(row, name="Quiet", result="not-seen", confidence=None, blocks=0)
    shown = words_of(render_html(dataclasses.replace(case.empty(), services=(row, quiet))))
    for item in (
        "BITS<b>",
        "misses by the token",
        "Its allow filter fits.",
        "process 4242",
        "1 more service has",
        "Quiet",
    ):
        assert item in shown


def test_page_is_built_for_assistive_technology(page: str) -> None:
    root = parse(page)
    assert len(root.xpath("//h1")) == 1
    for landmark in ("//main", "//header", "//nav[@aria-label]", "//footer"):
        assert root.xpath(landmark), landmark
    assert root.xpath("//a[@class='skip']/@href") == ["#answer"]
    for table in root.xpath("//table"):
        assert table.xpath("./caption"), table.get("class")
        assert all(head.get("scope") for head in table.xpath(".//th"))
    for picture in root.xpath("//*[local-name()='svg'][@role='img']"):
        names = picture.get("aria-labelledby").split()
        assert all(root.get_element_by_id(name).text_content().strip() for name in names)
    for picture in root.xpath("//*[local-name()='svg'][not(@role)]"):
        assert picture.get("aria-hidden") == "true"
    levels = [int(head.tag[1]) for head in root.xpath("//h1 | //h2 | //h3 | //h4")]
    assert all(after - before <= 1 for before, after in pairwise(levels))


# ------------------------------------------------------------------------------------------------------ colours


def _variables(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", css))


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_reach_wcag_aa(page: str, theme: str) -> None:
    css = parse(page).xpath("//style/text()")[0]
    light, dark = (
        css.split("prefers-color-scheme: dark")[0],
        css.split("prefers-color-scheme: dark")[1].split("\n}\n")[0],
    )
    colours = _variables(light) if theme == "light" else {**_variables(light), **_variables(dark)}
    for ground in ("paper", "sheet", "sunk"):
        for ink in ("ink", "soft", "link", "high", "medium", "yes"):
            assert _contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    assert _contrast(colours["ink"], colours["mark"]) >= 4.5
    assert _contrast(colours["escape"], colours["escape-bg"]) >= 4.5
    for fill in ("high", "medium", "low", "info"):
        assert _contrast(colours["on-fill"], colours[fill]) >= 4.5, fill
    for kind in words.KINDS:
        for ground in ("sheet", "paper"):
            assert _contrast(colours[f"k-{kind}"], colours[ground]) >= 3, kind
    assert len({colours[f"k-{kind}"] for kind in words.KINDS}) == 16
