"""Which services a process held when an event was logged, and by what it is known.

Best first (REFERENCE 5.6). At the event's time: creation and end of processes, 4688 and Sysmon 1, whose command line
``svchost.exe -k netsvcs -p -s BITS`` names one service (``-k group`` alone is a shared host whose services stay open);
and the service SIDs of a net event. At capture time alone: tasklist and lists of services, used only where nothing in
the logs shows that the process id changed hands after the event. The sessions of a state name who opened them, which
is not the token of a connection: they tell nothing here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from analyzer import processes, services
from analyzer.hosts import first_label
from analyzer.markers import EPOCH, NO_TIME, nanoseconds
from analyzer.wfp import services as wfp_services
from analyzer.wfp import sids

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analyzer.markers import Markers
    from analyzer.processes import Creations, Kept, Lives
    from analyzer.services import Hosted, Known

    Texts = NDArray[np.object_]

NETEVENT: Final = "netevent"
SOURCES: Final = (*processes.SOURCES, NETEVENT, *services.ORDER)  # best first
USER: Final = ("user_sid", "user_source")
USER_SOURCES: Final = (NETEVENT, processes.SOURCES[0])  # best first: of the connection, of its process
AT_EVENT: Final = frozenset({*processes.SOURCES, NETEVENT})  # the others held when the list was taken


class _Found:
    """What is known so far: per event the number of a tuple of names, and of a source; -1 is nothing."""

    def __init__(self, count: int) -> None:
        self.names: dict[tuple[str, ...], int] = {}
        self.code = np.full(count, -1, dtype=np.int32)
        self.source = np.full(count, -1, dtype=np.int8)
        self.said: dict[str, int] = {}
        self.remark = np.full(count, -1, dtype=np.int32)

    def tell(self, rows: NDArray[np.intp], held: tuple[str, ...], source: str) -> None:
        """Note what these rows' processes held, where nothing better is known."""
        self.tell_each(rows, np.zeros(len(rows), dtype=np.int64), [held], source)

    def tell_each(
        self, rows: NDArray[np.intp], which: NDArray[np.int64], held: list[tuple[str, ...]], source: str
    ) -> None:
        """Note for each row one of several tuples of names, where nothing better is known."""
        numbers = np.array([self.names.setdefault(names, len(self.names)) for names in held], dtype=np.int32)
        free = self.code[rows] < 0
        self.code[rows[free]] = numbers[which[free]]
        self.source[rows[free]] = SOURCES.index(source)

    def say(self, rows: NDArray[np.intp], remark: str) -> None:
        self.remark[rows] = self.said.setdefault(remark, len(self.said))

    def columns(self) -> tuple[Texts, Texts, pd.Categorical]:
        """Return names, sources and remarks, one per event."""
        table = np.empty(len(self.names) + 1, dtype=object)
        for held, number in self.names.items():
            table[number] = held
        sources = np.array([*SOURCES, None], dtype=object)
        remarks = pd.Categorical.from_codes(self.remark, categories=pd.Index(list(self.said), dtype="str"))
        return table[self.code], sources[self.source], remarks


def attribute(
    events: pd.DataFrame, process_table: pd.DataFrame, markers: Markers, kept: Kept, known: Known | None = None
) -> pd.DataFrame:
    """Add ``services`` (object: tuple of str or None), ``services_source`` (object) and ``who`` (category).

    ``user_sid`` and ``user_source`` (category) are filled where no net event tells them and 4688 does. ``who`` is a
    sentence for the reasons: that a list holds for another moment, or that two sources differ. Missing for most events.

    Parameters
    ----------
    events : oriented events, with or without the columns of net events (:func:`analyzer.netjoin.join`).
    process_table : 4688, 4689, Sysmon 1 and 5 (``frames.EVENT_SCHEMAS["process"]``).
    kept : what time the logs of processes cover (:func:`analyzer.processes.kept`).
    known : lists of services, tied to hosts.
    """
    found = _Found(len(events))
    lives = processes.lives(process_table)
    created = processes.creations(events, lives, markers, kept)
    _by_creation(created, found)
    if "service_sids" in events.columns:
        _by_netevents(events, known.names if known is not None else {}, found)
    if known is not None and known.hosts:
        _by_lists(events, lives, markers, known, found)
    out = events.copy(deep=False)
    out["services"], out["services_source"], out["who"] = found.columns()
    _add_users(out, created)
    return out


def _by_creation(created: Creations, found: _Found) -> None:
    """Use the service that the creation of an event's process names."""
    for source, (own, at) in created.by_source.items():
        service, names = pd.factorize(own["service"])
        held = (at >= 0) & (service[at] >= 0)  # at -1 reads some row: no creation
        found.tell_each(created.rows[held], service[at[held]], [(str(name),) for name in names], source)


def _add_users(out: pd.DataFrame, created: Creations) -> None:
    """Fill ``user_sid`` and ``user_source`` where no net event tells them and the creation of the process does."""
    for name in USER:
        if name not in out.columns:
            out[name] = pd.Categorical.from_codes(np.full(len(out), -1), categories=pd.Index([], dtype="str"))
    for source, (own, at) in created.by_source.items():
        number, names = pd.factorize(own["user"])
        free = out["user_sid"].cat.codes.to_numpy()[created.rows] < 0
        held = free & (at >= 0) & (number[at] >= 0)
        if held.any():
            _put(out, "user_sid", created.rows[held], number[at[held]], names)
            _put(out, "user_source", created.rows[held], np.zeros(int(held.sum()), dtype=np.int64), [source])


def _put(out: pd.DataFrame, name: str, rows: NDArray[np.intp], which: NDArray[np.int64], texts: Any) -> None:
    """Write some texts (``which`` of ``texts``) into rows of a category column."""
    column = out[name].cat
    wider = column.set_categories(column.categories.union(pd.Index(texts, dtype="str"), sort=False)).cat
    codes = wider.codes.to_numpy(copy=True)
    codes[rows] = wider.categories.get_indexer(pd.Index(texts, dtype="str"))[which]
    out[name] = pd.Categorical.from_codes(codes, categories=wider.categories)


def _by_netevents(events: pd.DataFrame, more: Any, found: _Found) -> None:
    """Use the service SIDs that newer builds put into net events; all of them have to be known by name."""
    column = events["service_sids"]
    codes = column.cat.codes.to_numpy()
    for code, text in enumerate(column.cat.categories):
        every = [sid.upper() for sid in sids.SID_TEXT.findall(str(text))]
        names = [wfp_services.service_name(sid, more) for sid in every if sids.is_service_sid(sid)]
        if names and len(names) == len(every) and None not in names:
            found.tell(np.flatnonzero(codes == code), tuple(sorted({str(n) for n in names}, key=str.lower)), NETEVENT)


def _by_lists(events: pd.DataFrame, lives: Lives, markers: Markers, known: Known, found: _Found) -> None:
    """Use lists of services, host by host."""
    labels = np.array([*(first_label(name) for name in events["computer"].cat.categories), ""], dtype=object)
    hosts = labels[events["computer"].cat.codes.to_numpy()]
    applications = events["application"].cat
    images = np.array([*(_file_name(path) for path in applications.categories), ""], dtype=object)[
        applications.codes.to_numpy()
    ]
    times, pids = nanoseconds(events["time"]), processes.process_ids(events)
    traces = pd.concat([lives.starts[["computer", "process_id", "at"]], lives.ends])
    traces["computer"] = traces["computer"].map(first_label)
    for host, part in known.hosts.items():
        hosted = {pid: item for pid, item in services.hosted(part).items() if item.services and item.agreed}
        boots = markers.times(host or None, EPOCH)
        same = (hosts == host) & (times != NO_TIME) & (times >= (boots[-1] if len(boots) else NO_TIME))
        rows = np.flatnonzero(same & np.isin(pids, np.array(list(hosted), dtype=np.uint64)))
        if not len(rows):
            continue
        own = traces[traces["computer"] == host]
        last = own.groupby("process_id")["at"].max().to_dict()
        order = rows[np.argsort(pids[rows], kind="stable")]
        distinct, begin = np.unique(pids[order], return_index=True)
        for pid, at in zip(distinct.tolist(), np.split(order, begin[1:]), strict=True):
            item = hosted[pid]
            # No trace of the process id after the event, and the program's name is the same.
            held = times[at] >= last.get(pid, NO_TIME)
            held &= (images[at] == (item.image or "").lower()) | (item.image is None)
            _one_process(at[held], item, found)


def _one_process(rows: NDArray[np.intp], item: Hosted, found: _Found) -> None:
    """Take what a list says of one process where nothing better is known; say where the two differ."""
    told = found.code[rows]
    listed = ", ".join(item.services)
    where = item.inputs[0] if item.inputs else item.source
    free = rows[told < 0]
    if len(free):
        found.tell(free, item.services, item.source)
        said = f"process {item.process_id} hosted {listed} when {where} was taken; whether it did so before is not told"
        found.say(free, said)
    mine = {name.lower() for name in item.services}
    for held, number in list(found.names.items()):
        if {name.lower() for name in held} != mine:
            odd = rows[told == number]
            source = SOURCES[int(found.source[odd[0]])] if len(odd) else ""
            said = (
                f"process {item.process_id} hosted {', '.join(held)} at the event's time ({source}); {where} shows "
                f"{listed} for this process id, at another time"
            )
            found.say(odd, said)


def _file_name(path: object) -> str:
    return str(path).replace("/", "\\").rpartition("\\")[2].lower()


def remark(events: pd.DataFrame) -> pd.DataFrame:
    """Append the sentences of ``who`` to the ``reasons`` of judged events; equal cases are joined once."""
    codes = events["who"].cat.codes.to_numpy()
    rows = np.flatnonzero(codes >= 0)
    if not len(rows):
        return events
    reasons = events["reasons"].to_numpy(dtype=object).copy()
    number, distinct = pd.factorize(reasons[rows])
    said = events["who"].cat.categories
    pair, pairs = pd.factorize(number.astype(np.int64) * len(said) + codes[rows])
    joined = np.empty(len(pairs), dtype=object)
    for place, both in enumerate(pairs.tolist()):
        joined[place] = (*distinct[both // len(said)], str(said[both % len(said)]))
    reasons[rows] = joined[pair]
    out = events.copy(deep=False)
    out["reasons"] = reasons
    return out
