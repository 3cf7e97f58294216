"""The formats of outputs of many rows: one table, from the name of a format to what writes it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, Literal, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analyzer.model import Analysis

What = Literal["events", "filters"]


@dataclass(frozen=True, slots=True)
class Format:
    """A format: what writes events and filters (``module:function``), and what has to be installed for it."""

    events: str
    filters: str | None
    binary: bool = False
    needs: str | None = None
    extra: str | None = None


FORMATS: Final[dict[str, Format]] = {
    "jsonl": Format("reports.export:event_lines", "reports.export:filter_lines"),
    "csv": Format("reports.delimited:event_csv", "reports.delimited:filter_csv"),
    "parquet": Format(
        "reports.parquet:event_parquet",
        "reports.parquet:filter_parquet",
        binary=True,
        needs="pyarrow",
        extra="parquet",
    ),
    "xlsx": Format(
        "reports.xlsx:event_xlsx",
        "reports.xlsx:filter_xlsx",
        binary=True,
        needs="xlsxwriter",
        extra="xlsx",
    ),
    "timesketch": Format("reports.delimited:timesketch", None),
}
EVENT_FORMATS: Final = tuple(FORMATS)
FILTER_FORMATS: Final = tuple(name for name, item in FORMATS.items() if item.filters)


def missing(name: str) -> str | None:
    """Say what has to be installed for a format; None where nothing is missing."""
    item = FORMATS[name]
    if item.needs is None or find_spec(item.needs) is not None:
        return None
    return f"the format {name} needs {item.needs}, which is not installed: pip install 'wfp-analyzer[{item.extra}]'"


def output(what: What, name: str, analysis: Analysis) -> Iterable[str | bytes]:
    """Return the parts of an output, in order."""
    item = FORMATS[name]
    place = item.events if what == "events" else item.filters
    if place is None:
        raise ValueError(f"{what} have no format {name}")
    module, _, function = place.partition(":")
    parts: Iterable[str | bytes] = getattr(import_module(module), function)(analysis)
    return _lines(cast("Iterable[str]", parts)) if name == "jsonl" else parts


def _lines(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield line + "\n"


def remarks(what: What, name: str, analysis: Analysis) -> list[str]:
    """Return what a reader of this output has to know of it."""
    out = []
    frame = analysis.events if what == "events" else analysis.filters
    if name == "timesketch":
        from reports.delimited import untimed  # noqa: PLC0415 - only for this one

        count = untimed(analysis)
        if count:
            out.append(f"{count:,} events without a time are left out: Timesketch takes none without")
    if name == "xlsx":
        from reports.xlsx import MOST_ROWS, sheets  # noqa: PLC0415

        rows = 0 if frame is None else len(frame)
        if sheets(rows) > 1:
            out.append(f"{rows:,} rows stand on {sheets(rows)} sheets: one holds {MOST_ROWS:,} at the most")
    return out
