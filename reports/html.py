"""The HTML report: one self-contained file, readable without scripts and without a network.

Every string passes three guards on its way to the page: hidden characters become visible escapes
(``reports.text.neutral``, applied by the environment's ``finalize`` to whatever a template prints), Jinja2 escapes
for HTML, and the Content-Security-Policy runs and loads nothing but the two inline blocks whose hashes it names.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from functools import cache, partial
from importlib import resources
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from reports import (
    charts,
    commandtext,
    coverage_chart,
    engine_words,
    gaprows,
    glossary,
    handbook,
    hosts,
    limits,
    rowtext,
    show,
    text,
    view,
    words,
)
from reports.bytecode import bytecode_cache

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analyzer.model import Analysis, InputFile
    from analyzer.reviewmodel import Review
    from reports.zone import Zone


def render_html(analysis: Analysis, zone: Zone | None = None) -> str:
    """Render the result as one HTML file.

    Parameters
    ----------
    analysis
        The whole result. Nothing else is read: no clock, no file, no network; equal results give equal bytes.
    zone
        Where times are shown in as well, beside UTC.

    Returns
    -------
    The text of the file. It can always be encoded as UTF-8.
    """
    shared = shared_parts()
    tried: int | None = 0
    html = ""
    while tried is not None:
        html = _rendered(analysis, limits.FITS[tried], zone, shared)
        tried = limits.next_fit(tried, len(html.encode("utf-8")))
    return html


def shared_parts(styles: Sequence[str] = ("report.css",)) -> dict[str, object]:
    """Return what all pages share: style sheets, the script, and the policy that allows these alone."""
    css, script = "".join(_asset(name) for name in styles), _asset("report.js")
    policy = "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_hash(css)}'",
            f"script-src '{_hash(script)}'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    return {"css": Markup(css), "script": Markup(script), "policy": policy}  # noqa: S704 - our own files


def render_page(
    template: str, analysis: Analysis | Review, *, styles: Sequence[str] = ("report.css",), **more: object
) -> str:
    """Render one page of its own in the style of the report."""
    page = _environment(None).get_template(template)
    return page.render(a=analysis, computers=hosts.computers(analysis), zone=None, **more, **shared_parts(styles))


def _rendered(analysis: Analysis, fit: limits.Fit, zone: Zone | None, shared: Mapping[str, object]) -> str:
    shown = fit.texts(analysis)
    return (
        _environment(zone)
        .get_template("report.html.j2")
        .render(
            a=shown,
            v=view.build(shown, fit.limits()),
            chart=charts.timeline_chart(shown.timeline, shown.coverage.markers),
            unplaced=charts.numbered(shown.coverage.markers),
            fits=view.fits(shown),
            pairings=view.pairings(shown.coverage),
            cover=coverage_chart.coverage_chart(shown.inputs, shown.coverage),
            computers=hosts.computers(shown),
            kinds=input_kinds(shown.inputs),
            reading=view.reading(shown.problems),
            zone=None if zone is None else zone.name,
            handbook=handbook.for_analysis(shown),
            **shared,
        )
    )


def _asset(name: str) -> str:
    """Read a packaged file with the line ends that a browser hashes."""
    return resources.files("reports").joinpath("assets", name).read_text("utf-8").replace("\r\n", "\n")


def _hash(block: str) -> str:
    """Return the CSP source of an inline block."""
    return "sha256-" + base64.b64encode(hashlib.sha256(block.encode("utf-8")).digest()).decode("ascii")


def _finalize(value: object) -> object:
    """Guard whatever a template prints: strings become neutral, what is missing becomes a dash."""
    if value is None:
        return "—"
    if isinstance(value, str) and not isinstance(value, Markup):
        return text.neutral(value)
    return value


@cache
def _environment(zone: Zone | None) -> Environment:
    environment = Environment(
        loader=PackageLoader("reports"),
        autoescape=select_autoescape(enabled_extensions=("html", "j2"), default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
        bytecode_cache=bytecode_cache(),
        auto_reload=False,
    )
    environment.filters.update(
        {
            "ev": show.evidence,
            "brief": show.brief,
            "prose": show.prose,
            "path": show.path,
            "command": show.command,
            "withcode": commandtext.withcode,
            "named": hosts.named,
            "xml": show.xml,
            "filename": show.filename,
            "query": show.query,
            "label": show.label,
            "t": partial(show.time, zone=zone),
            "utc": partial(show.time, zone=zone, behind=" UTC"),
            "exact": partial(show.exact, zone=zone),
            "num": text.number,
            "size": text.size,
            "span": partial(show.span, zone=zone),
            "slug": text.slug,
            "layer": words.layer_words,
            "protocol": words.protocol_words,
            "rulewords": words.rule_words,
            "fold": view.fold,
            "moments": show.moments,
            "gap": gaprows.gap_row,
            "middle": text.middle,
            "pieces": handbook.pieces,
        }
    )
    environment.globals.update(
        {
            "counted": text.counted,
            "KINDS": words.KINDS,
            "GROUPS": words.GROUPS,
            "GRADES": words.GRADES,
            "CONFIDENCE": words.CONFIDENCE,
            "SEVERITY": words.SEVERITY,
            "PROBLEM_SEVERITY": words.PROBLEM_SEVERITY,
            "STATE_FITS": words.STATE_FITS,
            "TAKE_STATE": words.TAKE_STATE,
            "ACTIONS": words.ACTIONS,
            "RECORDED": words.RECORDED,
            "SWITCH": words.SWITCH,
            "RULE_REASONS": words.RULE_REASONS,
            "KIND_EVIDENCE": words.KIND_EVIDENCE,
            "INPUT_KINDS": words.INPUT_KINDS,
            "EVENTS": words.EVENTS,
            "LIMITS": glossary.LIMITS,
            "GLOSSARY": glossary.GLOSSARY,
            "AGREEMENT": engine_words.AGREEMENT,
            "DECISIONS": engine_words.DECISIONS,
            "MOST_SERVICES": engine_words.MOST_SERVICES,
            "SERVICE_RESULTS": engine_words.SERVICE_RESULTS,
            "MOST_DISAGREEMENTS": engine_words.MOST_DISAGREEMENTS,
            "agreement_words": engine_words.agreement_words,
            "ANSWERS": engine_words.ANSWERS,
            "PARTS": engine_words.PARTS,
            "folded_filters": engine_words.folded,
            "MOST_MARKERS": view.MOST_MARKERS,
            "FIRST_MARKERS": view.FIRST_MARKERS,
            "FIRST_HOSTS": view.FIRST_HOSTS,
            "FIRST_RECORDED": view.FIRST_RECORDED,
            "MOST_BINS": view.MOST_BINS,
            "MOST_INPUTS": view.MOST_INPUTS,
            "MOST_HOSTS": view.MOST_HOSTS,
            "FLOW_KEYS": rowtext.header(rowtext.FLOW_KEYS),
            "FILTER_KEYS": rowtext.header(rowtext.FILTER_KEYS),
            "PROGRAM_KEYS": rowtext.header(rowtext.PROGRAM_KEYS),
            "SERVICE_KEYS": rowtext.header(rowtext.SERVICE_KEYS),
            "MOST_CONDITIONS": view.MOST_CONDITIONS,
        }
    )
    return environment


def input_kinds(inputs: Sequence[InputFile]) -> list[str]:
    """Return how many inputs of each kind there are, in words; what was not recognised comes last."""
    counts = Counter(item.kind for item in inputs)
    order = sorted(counts, key=lambda kind: (kind == "unknown", list(counts).index(kind)))
    return [
        f"{text.number(counts[kind])} {words.INPUT_KINDS[kind]}"
        if kind == "unknown"
        else text.counted(counts[kind], words.INPUT_KINDS.get(kind, kind))
        for kind in order
    ]
