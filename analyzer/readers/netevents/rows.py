"""From the element of one net event to a row; rows become frames in batches, so that memory stays bounded."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from analyzer import frames
from analyzer.readers.netevents import values
from analyzer.wfp import netevents

if TYPE_CHECKING:
    import pandas as pd
    from lxml import etree

    from analyzer.readers.stateproblems import Problems
    from analyzer.wfp.netevents import NetEventType, NetField

BATCH: Final = 10_000
MAX_FILTERS: Final = 64  # terminating filters of one net event; there are as many as sublayers
MAX_DETAIL: Final = 2_000  # characters of one detail
_PARTS: Final = frozenset({"header", "type", "internalfields"})
_KNOWN: Final = frozenset(name.lower() for name in (*(spec.tag for spec in netevents.HEADER), *netevents.HEADER_OTHERS))
_KNOWN_INTERNAL: Final = frozenset(
    name.lower() for name in (*(spec.tag for spec in netevents.INTERNAL), *netevents.INTERNAL_OTHERS)
)


class Rows:
    """Collects net events of one file."""

    def __init__(self, name: str, problems: Problems) -> None:
        self.name = name
        self.problems = problems
        self.count = 0
        self.unknown: Counter[str] = Counter()  # elements that no table knows, as parent/name
        self.types: Counter[str] = Counter()  # types that no table knows
        self._rows: list[dict[str, object]] = []
        self._filters: list[tuple[object, ...]] = []
        self._frames: list[pd.DataFrame] = []
        self._filter_frames: list[pd.DataFrame] = []

    def take(self, element: etree._Element, line: int, place: str) -> None:
        """Read one net event. Raises ``ValueError`` where it has neither a known type nor a header."""
        parts = values.children(element)
        header = parts.get("header")
        kind = self._type(parts, place)
        row: dict[str, object] = {"entry": self.count + 1, "line": line, "type": kind}
        known = netevents.BY_NAME.get(kind)
        row["decision"] = known.decision if known is not None else None
        flags = self._header(row, header, place)
        if known is not None:
            self._body(row, parts, known, flags, place)
        self._internal(row, parts.get("internalfields"), place)
        self._rows.append(row)
        self.count += 1
        for name in parts.keys() - _PARTS - netevents.BY_BODY.keys():
            self.unknown[name] += 1
        if len(self._rows) >= BATCH:
            self._flush()

    def frames(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the net events and their terminating filters."""
        self._flush()
        return (
            frames.concat(self._frames, frames.NETEVENTS),
            frames.concat(self._filter_frames, frames.NETEVENT_FILTERS),
        )

    def _flush(self) -> None:
        if self._rows:
            rows = self._rows
            columns: dict[str, list[object]] = {key: [row.get(key) for row in rows] for key in frames.NETEVENTS}
            columns["input"] = [self.name] * len(rows)
            self._frames.append(frames.build(columns, frames.NETEVENTS))
        if self._filters:
            names = list(frames.NETEVENT_FILTERS)[1:]
            more: dict[str, list[object]] = {"input": [self.name] * len(self._filters)}
            more.update(
                {key: list(column) for key, column in zip(names, zip(*self._filters, strict=True), strict=True)}
            )
            self._filter_frames.append(frames.build(more, frames.NETEVENT_FILTERS))
        self._rows, self._filters = [], []

    def _type(self, parts: dict[str, etree._Element], place: str) -> str:
        """Return the type's name: as printed, else as the body's tag says."""
        printed = values.text_of(parts.get("type"))
        if printed is not None:
            name = netevents.canonical_type(printed)
            if name not in netevents.BY_NAME:
                self.types[name[:80]] += 1
            return name
        bodies = [netevents.BY_BODY[tag] for tag in parts if tag in netevents.BY_BODY]
        if len(bodies) != 1 or "header" not in parts:
            raise ValueError("it has no type")
        self.problems.add("doubtful", place, "a net event without a type: told by its body", group="no type")
        return bodies[0].name

    def _header(self, row: dict[str, object], header: etree._Element | None, place: str) -> frozenset[str] | None:
        """Read the header; return its flags, None where it does not say which fields are valid."""
        if header is None:
            self.problems.add("doubtful", place, "a net event without a header", group="no header")
            return None
        parts = values.children(header)
        flags = values.flag_names(parts.get("flags"), netevents.HEADER_FLAG_PREFIX, netevents.HEADER_FLAGS)
        if flags is None:
            what = (
                "a header that does not say which of its fields are valid: zeros and empty texts are taken as missing"
            )
            self.problems.add("doubtful", place, what, group="header flags")
        stamp = values.text_of(parts.get("timestamp"))
        try:
            row["time"] = values.moment(stamp or "")
        except values.UnreadableError:
            what = f"its time cannot be read ({stamp[:40]!r})" if stamp else "it has no time"
            self.problems.add("doubtful", place, f"a net event: {what}", group="times")
        found = self._fields(row, parts, netevents.HEADER, flags, place)
        for flag in (flags or frozenset()) & _FLAGGED - found:
            what = f"a header that flags {flag} and has no such value"
            self.problems.add("doubtful", place, what, group=f"no value for {flag}")
        for name in parts.keys() - _KNOWN:
            self.unknown[f"header/{name}"] += 1
        return flags

    def _fields(
        self,
        row: dict[str, object],
        parts: dict[str, etree._Element],
        specs: tuple[NetField, ...],
        flags: frozenset[str] | None,
        place: str,
    ) -> set[str]:
        """Read the fields that are valid; return the flags of those that are there."""
        found: set[str] = set()
        for spec in specs:
            element = parts.get(spec.tag.lower())
            if element is None:
                continue
            if spec.flag is not None:
                if flags is not None and spec.flag not in flags:
                    continue
                found.add(spec.flag)
            try:
                value = values.READERS[spec.kind](element, spec)
            except values.UnreadableError as error:
                what = f"<{spec.tag}> cannot be read ({str(error)[:60]!r})"
                self.problems.add("doubtful", place, what, group=f"unreadable {spec.tag}")
                value = error.fallback
            if spec.flag is not None and flags is None and value in _EMPTY:
                continue
            if value is not None and row.get(spec.column) is None:
                row[spec.column] = value
        return found

    def _body(
        self,
        row: dict[str, object],
        parts: dict[str, etree._Element],
        known: NetEventType,
        flags: frozenset[str] | None,
        place: str,
    ) -> None:
        body = next((parts[tag.lower()] for tag in known.bodies if tag.lower() in parts), None)
        others = [tag for tag in parts if tag in netevents.BY_BODY and netevents.BY_BODY[tag] is not known]
        if others:
            what = f"a net event of type {known.name} with the body of another ({others[0]}): that body is left out"
            self.problems.add("doubtful", place, what, group="bodies of other types")
        if body is None:
            if not others:
                self.problems.add(
                    "doubtful", place, f"a net event of type {known.name} without its body", group="bodies"
                )
            return
        fields = values.children(body)
        specs = netevents.BODY[known.name]
        self._fields(row, fields, specs, flags, place)
        details = {}
        tags = {spec.tag.lower() for spec in specs}
        texts = {name.lower(): name for name in netevents.DETAILS.get(known.name, ())}
        for name, element in fields.items():
            if name in texts:
                text = " ".join(part.strip() for part in element.itertext() if isinstance(part, str) and part.strip())
                if text:
                    details[texts[name]] = text[:MAX_DETAIL]
            elif name not in tags:
                self.unknown[f"{known.bodies[0]}/{name}"] += 1
        row["details"] = details or None

    def _internal(self, row: dict[str, object], internal: etree._Element | None, place: str) -> None:
        if internal is None:
            return
        parts = values.children(internal)
        flags = values.flag_names(parts.get("internalflags"), netevents.INTERNAL_FLAG_PREFIX, netevents.INTERNAL_FLAGS)
        if flags is not None and "FILTER_ORIGIN" not in flags and values.text_of(parts.get("filterorigin")):
            what = "a filter origin is printed, but not flagged as set: left out"
            self.problems.add("doubtful", place, what, group="origins that are not flagged")
        self._fields(row, parts, netevents.INTERNAL, flags, place)
        for name in parts.keys() - _KNOWN_INTERNAL:
            self.unknown[f"internalFields/{name}"] += 1
        holder = parts.get("terminatingfiltersinfo")
        if holder is None:
            return
        items = [item for item in holder if values.local_name(item) == "item"]
        said = holder.get("numItems")
        if len(items) > MAX_FILTERS or (said is not None and said.strip() != str(len(items))):
            what = f"terminating filters: {len(items):,} are listed, {(said or 'more than a few')[:20]} are said"
            self.problems.add("doubtful", place, what, group="counts of terminating filters")
        for index, item in enumerate(items[:MAX_FILTERS]):
            self._filter(values.children(item), index, place)

    def _filter(self, parts: dict[str, etree._Element], index: int, place: str) -> None:
        number: dict[str, object] = {}
        self._fields(number, parts, (_FILTER_ID,), None, place)
        sublayer, action = values.text_of(parts.get("sublayer")), values.text_of(parts.get("actiontype"))
        self._filters.append(
            (
                self.count + 1,
                self.count,
                index,
                number.get("filter_id"),
                netevents.canonical_sublayer(sublayer) if sublayer else None,
                values.action(action) if action else None,
            )
        )


_FILTER_ID: Final = netevents.NetField("filterId", "filter_id", "number")
_FLAGGED: Final = frozenset(spec.flag for spec in netevents.HEADER if spec.flag is not None)
# What an unset field holds, where nothing says that it is unset.
_EMPTY: Final = frozenset({None, 0, "", "S-1-0-0", "0.0.0.0", "::"})  # noqa: S104 - nothing is bound here
