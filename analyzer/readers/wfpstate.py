"""Read ``wfpstate.xml`` (``netsh wfp show state``) and ``filters.xml`` (``netsh wfp show filters``).

The frames conform to ``frames.STATE_SCHEMAS``. Values come from ``data``, never from ``asString``. The column
``value`` of the conditions holds, by value type (``type``):

====================================  ==================================================================
UINT8, UINT16, UINT32, UINT64         int; ``ipaddress.IPv4Address`` for a UINT32 that the dump prints dotted or
                                      that stands in an address field
BYTE_ARRAY16_TYPE                     ``ipaddress.IPv6Address``
BYTE_ARRAY6_TYPE                      bytes (six)
V4_ADDR_MASK, V6_ADDR_MASK            ``ipaddress.IPv4Network`` / ``IPv6Network``
RANGE_TYPE                            ``(low, high)``, both of one of the types above, both inclusive
BYTE_BLOB_TYPE                        program paths (``ALE_APP_ID``, ``ALE_ORIGINAL_APP_ID``): str, lower case, without
                                      the final NUL; others: bytes
SID                                   str, full SID (aliases resolved)
SECURITY_DESCRIPTOR_TYPE              str, SDDL: see ``analyzer.wfp.sddl``
UNICODE_STRING_TYPE                   str
EMPTY, and what cannot be decoded     None
====================================  ==================================================================

``text`` is the same for people (``1-1023``, ``10.0.0.0/8``, a path in its own case), ``raw`` is as printed (the hex of
a blob, both ends of a range with ``-``, address and mask with ``/``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

import pandas as pd

from analyzer import frames
from analyzer.readers import statefilters, statelists, xmlsafe
from analyzer.readers.stateproblems import Problems
from analyzer.readers.xmltext import sniff_wfpdiag, sniff_xml

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lxml import etree

    from analyzer.model import Problem
    from analyzer.readers.statelists import Columns

__all__ = ["StateKind", "WfpState", "read_state", "read_state_bytes", "sniff_wfpdiag", "sniff_xml"]

StateKind = Literal["wfpstate", "filters", "unknown"]
_ROOT_KINDS: Final[dict[str, StateKind]] = {"wfpstate": "wfpstate", "wfpdiag": "filters"}
_SIDE_ROOTS: Final = frozenset({"firewallState"})  # netsh's second root: dynamic keyword addresses


@dataclass(frozen=True)
class WfpState:
    """One dump. All frames are there, empty where the dump has no such list.

    ``kind`` is ``unknown`` where the file is neither form; ``problems`` then says what it is. ``time`` is UTC.
    """

    kind: StateKind
    time: pd.Timestamp | None
    filters: pd.DataFrame = field(repr=False)
    conditions: pd.DataFrame = field(repr=False)
    layers: pd.DataFrame = field(repr=False)
    sublayers: pd.DataFrame = field(repr=False)
    providers: pd.DataFrame = field(repr=False)
    contexts: pd.DataFrame = field(repr=False)
    callouts: pd.DataFrame = field(repr=False)
    endpoints: pd.DataFrame = field(repr=False)
    sessions: pd.DataFrame = field(repr=False)
    problems: tuple[Problem, ...]
    capture: bool = False  # it stands below the net events of `netsh wfp capture`, which has no dump of its own


def read_state(path: Path, name: str) -> WfpState:
    """Read one dump.

    Parameters
    ----------
    path
        the file.
    name
        how the input is called in frames and problems.

    Returns
    -------
    WfpState
        whatever could be read; every loss is in ``problems``.

    Raises
    ------
    OSError
        when the file cannot be opened or read.
    """
    if (size := path.stat().st_size) > xmlsafe.MAX_BYTES:
        problems = Problems(name)
        problems.add("lost", None, f"is {size:,} bytes long, more than {xmlsafe.MAX_BYTES:,}: nothing of it was read")
        return _nothing(problems)
    return read_state_bytes(path.read_bytes(), name)


def read_state_bytes(data: bytes, name: str) -> WfpState:
    """Read a dump from memory; see ``read_state``."""
    problems = Problems(name)
    roots = xmlsafe.parse_roots(data, problems)
    if roots is None:
        return _nothing(problems)
    root = _choose(roots.elements, problems)
    if root is None:
        return _nothing(problems)
    return _read_root(root, name, problems, repaired=roots.repaired)


def _nothing(problems: Problems) -> WfpState:
    empty: dict[str, Any] = {schema: frames.empty(columns) for schema, columns in frames.STATE_SCHEMAS.items()}
    return WfpState(kind="unknown", time=None, **empty, problems=problems.result())


def _choose(elements: Sequence[etree._Element], problems: Problems) -> etree._Element | None:
    """Return the first root that is a dump; other roots are told about."""
    found = [element for element in elements if element.tag in _ROOT_KINDS]
    if not found:
        names = ", ".join(f"<{element.tag[:60]}>" for element in elements[:5])
        what = f"its root element is {names}, not <wfpstate> or <wfpdiag>" if names else "has no root element"
        problems.add("lost", None, f"{what}: nothing of it was read")
        return None
    for element in elements:
        if element is not found[0] and element.tag not in _SIDE_ROOTS:
            said = "only the first dump of the file was read" if element.tag in _ROOT_KINDS else "left out"
            problems.add("lost", statelists.place(element), f"a further root element <{element.tag[:60]}>: {said}")
    return found[0]


def _time(root: etree._Element, kind: StateKind, problems: Problems) -> pd.Timestamp | None:
    # A capture keeps its state below <initialState>, by itself or as a whole <wfpstate>.
    begins = list(root.iterchildren("initialState"))
    places = [root, *begins, *(state for begin in begins for state in begin.iterchildren("wfpstate"))]
    text = next((found for place in places if (found := statelists.text_of(place, "timeStamp")) is not None), None)
    if text is None:
        if kind == "wfpstate":
            problems.add("doubtful", None, "has no time stamp: when it was taken is not known")
        return None
    try:
        time = pd.to_datetime(text, utc=True)
    except ValueError:
        time = None
    if not isinstance(time, pd.Timestamp):  # also "NaT"
        problems.add("doubtful", None, f"its time stamp cannot be read ({text[:60]!r})")
        return None
    return time


def _build(columns: Columns, schema: str, name: str) -> pd.DataFrame:
    length = len(next(iter(columns.values())))
    return frames.build({"input": [name] * length, **columns}, frames.STATE_SCHEMAS[schema])


def _map(columns: Columns, key: str, value: str) -> dict[Any, Any]:
    """Return key -> value of two columns, the first of equal keys, without missing values."""
    out: dict[Any, Any] = {}
    for k, v in zip(columns[key], columns[value], strict=True):
        if v is not None:
            out.setdefault(k, v)
    return out


def _read_root(root: etree._Element, name: str, problems: Problems, *, repaired: bool) -> WfpState:
    kind = _ROOT_KINDS[root.tag]
    time = _time(root, kind, problems)
    layers = statelists.read_layers(root, problems)
    sublayers = statelists.read_sublayers(root, problems)
    contexts = statelists.read_contexts(root, problems)
    lookups = statefilters.Lookups(
        layer_ids=_map(layers, "layer", "layer_id"),
        sublayer_weights=_map(sublayers, "sublayer", "weight"),
        origins=_map(contexts, "context_key", "origin"),
        has_contexts=next(root.iter("providerContexts"), None) is not None,  # `show filters` has none
    )
    filters = statefilters.read_filters(root, lookups, problems, repaired=repaired)
    if not filters.filters["filter_id"]:
        what = (
            "lists net events and no filters"
            if next(root.iter("netEvent", "netEvents"), None) is not None
            else "lists no filters"
        )
        problems.add("note", None, what)
    return WfpState(
        kind=kind,
        time=time,
        filters=_build(filters.filters, "filters", name),
        conditions=_build(filters.conditions, "conditions", name),
        layers=_build(layers, "layers", name),
        sublayers=_build(sublayers, "sublayers", name),
        providers=_build(statelists.read_providers(root, problems), "providers", name),
        contexts=_build(contexts, "contexts", name),
        callouts=_build(statelists.read_callouts(root, problems), "callouts", name),
        endpoints=_build(statelists.read_endpoints(root, problems), "endpoints", name),
        sessions=_build(statelists.read_sessions(root, problems), "sessions", name),
        problems=problems.result(),
        capture=next(root.iterchildren("initialState"), None) is not None,
    )
