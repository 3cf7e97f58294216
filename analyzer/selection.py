"""Asking narrowly: which events a report or an export is about.

The fields are those of the platform's own enumeration of net events (``FWPM_NET_EVENT_ENUM_TEMPLATE``, second seed):
time, protocol, addresses with scope id, ports, application, user; and event id, kind, grade and computer. Alternatives
of one field are joined by *or*, fields by *and*. What an event does not say never matches.

A selection says what is shown. It never takes part in judging: direction, pairing and attempts rest on all events.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from analyzer.addressing import ICMP
from analyzer.engine import addresses, recorded
from analyzer.markers import nanoseconds
from analyzer.selection_terms import (
    Application,
    Computer,
    Moment,
    Network,
    Ports,
    Protocol,
    SelectionError,
    User,
    parse_address,
    parse_application,
    parse_computer,
    parse_event_id,
    parse_grade,
    parse_kind,
    parse_ports,
    parse_protocol,
    parse_time,
    parse_user,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["OPTIONS", "Selection", "SelectionError", "parse"]

NONE: Final = -1


@dataclass(frozen=True, slots=True)
class Selection:
    """What to show: each field a tuple of alternatives; an empty one selects everything."""

    from_: tuple[Moment, ...] = ()
    to: tuple[Moment, ...] = ()
    protocol: tuple[Protocol, ...] = ()
    local_address: tuple[Network, ...] = ()
    remote_address: tuple[Network, ...] = ()
    local_port: tuple[Ports, ...] = ()
    remote_port: tuple[Ports, ...] = ()
    application: tuple[Application, ...] = ()
    user: tuple[User, ...] = ()
    event_id: tuple[int, ...] = ()
    kind: tuple[str, ...] = ()
    grade: tuple[str, ...] = ()
    computer: tuple[Computer, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether anything is asked for."""
        return any(getattr(self, item.name) for item in fields(self))

    def recorded(self, events: pd.DataFrame, names: Mapping[str, str] | None = None) -> NDArray[np.bool_]:
        r"""Return which events fit by what they record: everything but kind and grade.

        Parameters
        ----------
        events : oriented events, n rows (:func:`analyzer.addressing.orient`); a column that is not there is missing.
        names : SID -> account name (``HOST\user``), for users that are selected by name.
        """
        out: NDArray[np.bool_] = np.ones(len(events), dtype=bool)
        out &= self._time(events)
        if self.protocol:
            out &= np.isin(_numbers(events, "protocol"), [item.number for item in self.protocol])
        out &= self._endpoints(events)
        if self.application:
            out &= _any_text(events, "application", [item.matches for item in self.application])
        if self.user:
            out &= _any_text(events, "user_sid", [item.matcher(names or {}) for item in self.user])
        if self.event_id:
            out &= np.isin(_numbers(events, "event_id"), self.event_id)
        if self.computer:
            out &= _any_text(events, "computer", [item.matches for item in self.computer])
        return out

    def judged(self, events: pd.DataFrame) -> NDArray[np.bool_]:
        """Return which judged events (:func:`analyzer.resolve.resolve`) fit by kind and grade."""
        out: NDArray[np.bool_] = np.ones(len(events), dtype=bool)
        for column, words in (("kind", self.kind), ("grade", self.grade)):
            if words:
                out &= _any_text(events, column, [frozenset(words).__contains__])
        return out

    def mask(self, events: pd.DataFrame, names: Mapping[str, str] | None = None) -> NDArray[np.bool_]:
        """Return which judged events fit: bool array of shape ``(n,)``."""
        return self.recorded(events, names) & self.judged(events)

    def describe(self) -> str:
        """Return the selection in words: ``remote port 443 or 8443, from 2026-03-04T00:00:00Z``; empty for none."""
        parts = []
        for item in fields(self):
            alternatives = getattr(self, item.name)
            if alternatives:
                parts.append(f"{_WORDS[item.name]} {' or '.join(str(one) for one in alternatives)}")
        return ", ".join(parts)

    def left_out(self, shown: int, total: int) -> str:
        """Return one sentence on what the selection hides; empty where nothing is asked for."""
        if not self:
            return ""
        hidden = total - shown
        what = "no event is" if not hidden else "1 event is" if hidden == 1 else f"{hidden:,} events are"
        return f"selected: {self.describe()}; of {total:,} events {shown:,} fit, and {what} left out"

    def _time(self, events: pd.DataFrame) -> NDArray[np.bool_]:
        if not (self.from_ or self.to):
            return np.ones(len(events), dtype=bool)
        times = nanoseconds(events["time"])
        out: NDArray[np.bool_] = events["time"].notna().to_numpy(dtype=bool, copy=True)
        if self.from_:
            out &= times >= min(item.first for item in self.from_)
        if self.to:
            out &= times <= max(item.last for item in self.to)
        return out

    def _endpoints(self, events: pd.DataFrame) -> NDArray[np.bool_]:
        """Tell which rows fit by addresses and ports; where their order is uncertain, either order may fit."""
        wanted = (self.local_address, self.remote_address, self.local_port, self.remote_port)
        if not any(wanted):
            return np.ones(len(events), dtype=bool)
        sides = ("local", "remote")
        scope = self._scope(events)
        near, far = self._sides(events, scope, sides)
        out = near & far
        certain = (events["endpoint_order"] == "certain").to_numpy(dtype=bool)
        if not certain.all():
            near, far = self._sides(events, scope, sides[::-1])
            out |= ~certain & near & far
        return out

    def _sides(
        self, events: pd.DataFrame, scope: NDArray[np.int64], sides: tuple[str, ...]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Tell which rows fit on the local and on the remote side, if these are the sides of the columns."""
        wanted = ((self.local_address, self.local_port), (self.remote_address, self.remote_port))
        out = []
        for side, (networks, ports) in zip(sides, wanted, strict=True):
            fits: NDArray[np.bool_] = np.ones(len(events), dtype=bool)
            if networks:
                fits &= _any_network(events[f"{side}_address"], scope, networks)
            if ports:
                fits &= _any_port(self._ports(events, side), ports)
            out.append(fits)
        return out[0], out[1]

    def _ports(self, events: pd.DataFrame, side: str) -> NDArray[np.int64]:
        """Return the ports of a side; of ICMP messages the type (local) or code (remote), if ICMP is asked for by name.

        So the platform has it. Without that word a range of ports would select every ICMP message.
        """
        ports = _numbers(events, f"{side}_port")
        asked = [item.number for item in self.protocol if item.number in ICMP]
        if not asked:
            return ports
        return np.where(np.isin(_numbers(events, "protocol"), asked), _numbers(events, f"{side}_raw_port"), ports)

    @staticmethod
    def _scope(events: pd.DataFrame) -> NDArray[np.int64]:
        """Return the IPv6 scope id of each row beside its addresses: a net event's own, else the interface's index."""
        own, index = _numbers(events, "scope_id"), _numbers(events, "interface_index")
        return np.where(own != NONE, own, index)


_WORDS: Final[dict[str, str]] = {
    "from_": "from",
    "to": "to",
    "protocol": "protocol",
    "local_address": "local address",
    "remote_address": "remote address",
    "local_port": "local port",
    "remote_port": "remote port",
    "application": "application",
    "user": "user",
    "event_id": "event id",
    "kind": "kind",
    "grade": "grade",
    "computer": "computer",
}
_PARSERS: Final[dict[str, Callable[[str], Any]]] = {
    "from_": parse_time,
    "to": parse_time,
    "protocol": parse_protocol,
    "local_address": parse_address,
    "remote_address": parse_address,
    "local_port": parse_ports,
    "remote_port": parse_ports,
    "application": parse_application,
    "user": parse_user,
    "event_id": parse_event_id,
    "kind": parse_kind,
    "grade": parse_grade,
    "computer": parse_computer,
}
# Field of `Selection` -> option of the command.
OPTIONS: Final[dict[str, str]] = {name: "--" + name.strip("_").replace("_", "-") for name in _PARSERS}


def parse(texts: Mapping[str, Sequence[str]]) -> Selection:
    """Make a selection of texts as typed: field of `Selection` -> alternatives.

    Raises
    ------
    SelectionError
        A text can't be understood, or ``from_`` lies behind ``to``; the message names the option.
    """
    found: dict[str, tuple[Any, ...]] = {}
    for name, alternatives in texts.items():
        try:
            found[name] = tuple(dict.fromkeys(_PARSERS[name](text) for text in alternatives))
        except SelectionError as error:
            raise SelectionError(f"{OPTIONS[name]}: {error}") from error
    selection = Selection(**found)
    if selection.from_ and selection.to:
        first, last = min(item.first for item in selection.from_), max(item.last for item in selection.to)
        if first > last:
            raise SelectionError("--from lies behind --to: no event can fit")
    return selection


# --------------------------------------------------------------------------------------------------------------
# Columns


def _numbers(events: pd.DataFrame, column: str) -> NDArray[np.int64]:
    """Return a number column as int64, ``NONE`` where it is missing."""
    if column not in events:
        return np.full(len(events), NONE, dtype=np.int64)
    if isinstance(events[column].dtype, np.dtype) and events[column].dtype.kind == "i":
        return events[column].to_numpy(dtype=np.int64)
    return recorded.numbers(events[column])


def _any_text(events: pd.DataFrame, column: str, tests: Sequence[Callable[[str], bool]]) -> NDArray[np.bool_]:
    """Tell which texts pass one of the tests; each distinct text is tested once, a missing one never passes."""
    if column not in events:
        return np.zeros(len(events), dtype=bool)
    texts = _category(events[column])
    passed = [any(test(str(text)) for test in tests) for text in texts.cat.categories]
    out: NDArray[np.bool_] = np.array([*passed, False], dtype=bool)[texts.cat.codes.to_numpy()]
    return out


def _any_network(column: pd.Series, scope: NDArray[np.int64], networks: Sequence[Network]) -> NDArray[np.bool_]:
    """Tell which addresses lie in one of the networks. ``scope`` counts where the address itself names none."""
    texts = _category(column)
    codes = texts.cat.codes.to_numpy()
    categories = [str(text) for text in texts.cat.categories]
    parsed = [addresses.parse_address(text) for text in categories]
    scopes = [item.partition("%")[2] for item in categories]
    own = np.array([int(s) if s.isascii() and s.isdigit() and len(s) < 11 else NONE for s in scopes] + [NONE])[codes]
    linked = np.array([item is not None and item.is_link_local for item in parsed] + [False], dtype=bool)[codes]
    where = np.where(own != NONE, own, np.where(linked, scope, NONE))
    out = np.zeros(len(column), dtype=bool)
    for network in networks:
        inside = np.array([item is not None and item in network.network for item in parsed] + [False], dtype=bool)
        out |= inside[codes] & (network.scope is None or where == network.scope)
    return out


def _any_port(ports: NDArray[np.int64], wanted: Sequence[Ports]) -> NDArray[np.bool_]:
    out = np.zeros(len(ports), dtype=bool)
    for item in wanted:
        out |= (ports >= item.low) & (ports <= item.high)
    return out


def _category(column: pd.Series) -> pd.Series:
    return column if isinstance(column.dtype, pd.CategoricalDtype) else column.astype("category")
