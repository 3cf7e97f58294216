"""The HTML report: one self-contained file, readable without scripts and without a network.

Every string passes three guards on its way to the page: hidden characters become visible escapes
(``reports.text.neutral``, applied by the environment's ``finalize`` to whatever a template prints), Jinja2 escapes
for HTML, and the Content-Security-Policy runs and loads nothing but the two inline blocks whose hashes it names.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from reports import charts, coverage_chart, engine_words, glossary, text, view, words
from reports.bytecode import bytecode_cache

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analyzer.model import Analysis, InputFile
    from analyzer.reviewmodel import Review

LONGEST_CELL: Final = 110  # characters of one piece of evidence before its middle is folded away
LONGEST_SHOWN: Final = 8000  # characters of one piece of evidence in the page at all
LONGEST_PROSE: Final = 2500
_BREAK: Final = Markup("\\<wbr>")  # a path may be broken behind each separator
LONGEST_WORD: Final = 56  # a longer part of a command may be broken
_kept: Final = lru_cache(maxsize=1024)  # most rows show what others show: programs, addresses, reasons, times


def render_html(analysis: Analysis) -> str:
    """Render the result as one HTML file.

    Parameters
    ----------
    analysis
        The whole result. Nothing else is read: no clock, no file, no network; equal results give equal bytes.

    Returns
    -------
    The text of the file. It can always be encoded as UTF-8.
    """
    return render_page(
        "report.html.j2",
        analysis,
        v=view.build(analysis),
        chart=charts.timeline_chart(analysis.timeline, analysis.coverage.markers),
        fits=view.fits(analysis.coverage),
        cover=coverage_chart.coverage_chart(analysis.inputs, analysis.coverage),
        kinds=input_kinds(analysis.inputs),
        reading=view.reading(analysis.problems),
    )


def render_page(
    template: str, analysis: Analysis | Review, *, styles: Sequence[str] = ("report.css",), **more: object
) -> str:
    """Render one page of its own with the style sheets, the script and the policy that all pages share."""
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
    return (
        _environment()
        .get_template(template)
        .render(
            a=analysis,
            computers=computers(analysis),
            **more,
            css=Markup(css),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own file
            policy=policy,
        )
    )


def computers(analysis: Analysis | Review) -> tuple[str, ...]:
    """Return the computers that the inputs name, in the order of the inputs."""
    return tuple(dict.fromkeys(item.computer for item in analysis.inputs if item.computer))


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
def _environment() -> Environment:
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
            "ev": evidence,
            "brief": brief,
            "prose": prose,
            "path": path,
            "command": command,
            "t": time,
            "exact": text.exact,
            "num": text.number,
            "size": text.size,
            "span": text.span,
            "slug": text.slug,
            "layer": words.layer_words,
            "protocol": words.protocol_words,
            "rulewords": words.rule_words,
            "fold": view.fold,
            "moments": moments,
            "middle": text.middle,
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
            "MOST_BINS": view.MOST_BINS,
            "MOST_INPUTS": view.MOST_INPUTS,
            "MOST_HOSTS": view.MOST_HOSTS,
            "MOST_CONDITIONS": view.MOST_CONDITIONS,
        }
    )
    return environment


# ----------------------------------------------------------------------------------------------------- filters


def _pieces(shown: str) -> Markup:
    """Escape neutral text for HTML; its visible escapes get a style of their own."""
    return Markup("").join(
        Markup('<span class="esc">{}</span>').format(piece) if escaped else escape(piece).replace("\\", _BREAK)
        for piece, escaped in text.escapes(shown)
    )


@_kept
def prose(value: str) -> Markup:
    """Show a sentence; it may hold evidence, so it is neutral and not endless."""
    return _pieces(text.clip(text.neutral(value[: LONGEST_PROSE * 4]), LONGEST_PROSE))


@_kept
def evidence(value: str | None, limit: int = LONGEST_CELL) -> Markup:
    """Show a piece of evidence, isolated from the direction of the text around it; long ones fold."""
    if value is None:
        return Markup('<span class="nil">—</span>')
    shown = text.neutral(value[:LONGEST_SHOWN])
    if len(shown) <= limit:
        return Markup('<bdi class="ev">{}</bdi>').format(_pieces(shown))
    full = shown if len(value) <= LONGEST_SHOWN else shown + f" … ({text.number(len(value) - LONGEST_SHOWN)} more)"
    return Markup(
        '<details class="long"><summary><bdi class="ev">{}</bdi></summary><bdi class="ev">{}</bdi></details>'
    ).format(_pieces(text.middle(shown, limit)), _pieces(full))


@_kept
def brief(value: str, limit: int) -> Markup:
    """Show a piece of evidence inside a sentence or a heading, where nothing can fold: long ones lose their middle."""
    return Markup('<bdi class="ev">{}</bdi>').format(_pieces(text.middle(text.neutral(value[:LONGEST_SHOWN]), limit)))


@_kept
def path(value: str | None) -> Markup:
    """Show a program: its file name first, its folder below."""
    if value is None:
        return Markup('<span class="nil">not recorded</span>')
    folder, name = text.split_path(value)
    shown = Markup('<div class="file">{}</div>').format(evidence(name))
    return shown + Markup('<div class="folder">{}</div>').format(evidence(folder)) if folder else shown


def command(value: str) -> Markup:
    """Show a command to copy: neutral, one line, broken only between a parameter with its value and the next."""
    parts: list[str] = []
    for word in text.neutral_command(value).split(" "):
        if (
            parts
            and not word.startswith("-")
            and parts[-1].startswith("-")
            and len(parts[-1]) + len(word) < LONGEST_WORD
        ):
            parts[-1] += " " + word
        else:
            parts.append(word)
    return Markup(" ").join(
        Markup('<span class="tok">{}</span>').format(_pieces(part)) if len(part) <= LONGEST_WORD else _pieces(part)
        for part in parts
    )


@_kept
def time(value: str | None) -> Markup:
    """Show a time to the second, with the full time for machines beside it."""
    if value is None:
        return Markup('<span class="nil">—</span>')
    if text.instant(value) is None:
        return evidence(value)
    return Markup('<time datetime="{}">{}</time>').format(text.neutral(value), text.when(value))


def moments(mapping: Mapping[str, object]) -> list[tuple[str, str | None]]:
    """Return the entries of a mapping as (words, text); its keys are the program's own."""
    return [(key.replace("_", " "), None if item is None else str(item)) for key, item in mapping.items()]


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
