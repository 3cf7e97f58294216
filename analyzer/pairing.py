"""Tell whether a state belongs to the host that wrote a log, and to that time.

Ids of two machines of one build look alike, so a numeric match is no tie (REFERENCE 1.5). Each tie below has points;
a state *fits* when its time fits, the ties reach ``ENOUGH``, and nothing strong speaks against it. The points are a
judgement: three for what only one machine has, one for what many share.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from analyzer import cells
from analyzer.checks import CONTRADICTS, IN_BETWEEN, Check, Checked
from analyzer.hosts import (
    HostFacts,
    authority,
    canonical,
    connections_of,
    counts,
    first_label,
    hardly_shared,
    session_hosts,
    volumes,
)
from analyzer.markers import EPOCH, Markers, any_between
from analyzer.model import Pairing
from analyzer.wfp import fixed_filters
from analyzer.wording import how_long, plural

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.model import StateFits
    from analyzer.states import Book, Snapshot

ENOUGH: Final = 3
DYNAMIC_PORTS: Final = 49152  # where Windows begins to hand out client ports by default (RFC 6335)
MANY_SIGNS: Final = 2  # so many weaker signs of another host count as a strong one
SHORTLY: Final = pd.Timedelta(hours=1)
# Updates restart a Windows about monthly; after three months no run-time id can be expected to mean the same.
TOO_FAR: Final = pd.Timedelta(days=90)
DISTINCT_IDS: Final = 3
TELLING_IDS: Final = 2
MANY_CONTRADICTED: Final = 0.2


@dataclass(frozen=True, slots=True)
class Fit:
    """A pairing, and whether something shows that the state cannot speak for this log at all."""

    pairing: Pairing
    excluded: bool


@dataclass(slots=True)
class _Scale:
    """Points and sentences for and against."""

    ties: list[str]
    against: list[str]
    points: int = 0
    alone: bool = False  # a tie that only this machine has
    decisive: bool = False  # a tie that outweighs a foreign name
    named: bool = False  # a session names the computer of the log
    foreign_name: bool = False
    strong_against: bool = False
    weak_against: int = 0

    def tie(self, points: int, text: str, *, decisive: bool = False) -> None:
        """Count a tie; one with ``ENOUGH`` points is one that only this machine has."""
        self.points += points
        self.alone |= points >= ENOUGH
        self.decisive |= decisive
        self.ties.append(text)


def elsewhere(fits: Iterable[Fit]) -> frozenset[tuple[str | None, str]]:
    """Return (computer, state) where the state cannot be of this computer and may be of another one of the case."""
    every = tuple(fits)
    open_somewhere = {fit.pairing.state for fit in every if not fit.excluded}
    return frozenset(
        (fit.pairing.computer, fit.pairing.state)
        for fit in every
        if fit.excluded and fit.pairing.state in open_somewhere
    )


def pair(facts: HostFacts, snapshot: Snapshot, book: Book, checked: Checked, markers: Markers) -> Fit:
    """Weigh one state against the log of one computer."""
    scale = _Scale([], [])
    captured = _capture(facts, snapshot, scale)
    _names(facts, snapshot, scale)
    _sids(facts, snapshot, scale)
    _addresses(facts, snapshot, scale)
    _volumes(facts, snapshot, book, scale)
    _ids(book, checked, scale)
    _older(checked, scale)
    time_fits, misplaced = (True, None) if captured else _time(facts, snapshot, markers, scale)
    fits: StateFits = "unknown"
    if captured:
        fits = "yes"
    elif scale.strong_against or scale.weak_against >= MANY_SIGNS:
        fits = "no"
    elif (
        time_fits and scale.alone and scale.points >= (2 * ENOUGH if scale.weak_against and not scale.named else ENOUGH)
    ):
        fits = "yes" if scale.decisive or not scale.foreign_name else "unknown"
    if misplaced is not None:
        # That it is of another time is the real reason, unless signs of another host decided.
        scale.against.insert(0 if fits != "no" else len(scale.against), misplaced)
    pairing = Pairing(
        computer=facts.computer,
        state=snapshot.name,
        state_time=cells.when(snapshot.time),
        fits=fits,
        ties=tuple(scale.ties),
        against=tuple(scale.against),
    )
    return Fit(pairing, excluded=fits == "no")


def _capture(facts: HostFacts, snapshot: Snapshot, scale: _Scale) -> bool:
    """Tell a state that was captured together with net events of this computer: nothing can be nearer to them."""
    if snapshot.captured is None or snapshot.name not in facts.captures:
        return False
    scale.tie(ENOUGH, "state and net events were taken together, in one capture: one computer, one time", decisive=True)
    return True


def _names(facts: HostFacts, snapshot: Snapshot, scale: _Scale) -> None:
    named = session_hosts(snapshot)
    if not named or not facts.netbios:
        return
    if facts.netbios in named:
        scale.named = True
        # A longer host name is cut, so that another machine may share what is left of it.
        points = ENOUGH if facts.netbios == first_label(facts.computer) else ENOUGH - 1
        scale.tie(points, f"a session of the state runs as an account of {facts.netbios}, the computer of the log")
        return
    others = sorted(named - facts.domain_labels)
    if not others:
        return
    if facts.domain_labels:
        # The NetBIOS name of a domain need not be the first label of its DNS name.
        scale.weak_against += 1
        scale.foreign_name = True
        scale.against.append(
            f"the state's user sessions name {', '.join(others)}, which is neither this computer nor its domain"
        )
    else:
        scale.strong_against = True
        scale.against.append(f"the state's user sessions name {', '.join(others)}; the log is of {facts.computer}")


def _sids(facts: HostFacts, snapshot: Snapshot, scale: _Scale) -> None:
    if facts.local_authorities & {authority(sid) for sid in snapshot.sids}:
        scale.tie(ENOUGH, "the state names an account of this computer by its machine SID", decisive=True)
    elif facts.sids & snapshot.sids:
        # A domain account logs on to many machines.
        scale.tie(1, "the same user SID stands in the log and in the state")


def _addresses(facts: HostFacts, snapshot: Snapshot, scale: _Scale) -> None:
    ends = snapshot.endpoints
    own = {canonical(a) for a in ends["local_address"].dropna().astype(str).unique() if counts(a)}
    if not own or not facts.addresses:
        return
    # Only a client's port from the dynamic range makes a connection one of its kind: 68 to 67 is on every machine.
    shared = [
        item
        for item in connections_of(ends) & facts.connections
        if counts(item[0]) and counts(item[2]) and max(item[1], item[3]) >= DYNAMIC_PORTS
    ]
    both = own & facts.addresses
    if shared:
        scale.tie(
            ENOUGH,
            "a connection that the log records is open in the state, with the same four addresses and ports",
            decisive=True,
        )
    elif any(hardly_shared(a) for a in both):
        scale.tie(ENOUGH, "an address of this computer that hardly two machines share stands in the state")
    elif both:
        scale.tie(1, "a private address of this computer stands in the state")
    else:
        scale.points -= 0 if scale.named else 1  # a named host may have got another address
        scale.weak_against += 1
        scale.against.append("no address of this computer stands among the state's open connections")


def _volumes(facts: HostFacts, snapshot: Snapshot, book: Book, scale: _Scale) -> None:
    paths = {
        test.value
        for row in snapshot.rows
        for test in book.tests.get(row, ())
        if test.field == "ALE_APP_ID" and isinstance(test.value, str)
    }
    theirs = volumes(paths)
    if not theirs or not facts.volumes:
        return
    if theirs & facts.volumes:
        scale.tie(1, "Windows lies on the same volume number")
    else:
        scale.strong_against = True
        scale.against.append(
            f"Windows lies on {', '.join(sorted(facts.volumes))} in the log and on {', '.join(sorted(theirs))} "
            f"in the state"
        )


def _ids(book: Book, checked: Checked, scale: _Scale) -> None:
    """Several distinct ids that all fit tie the two; filters with the same id on every machine do not count."""
    hit = checked.row >= 0
    steady = (checked.bits & int(IN_BETWEEN)) == 0
    frame = pd.DataFrame(
        {
            "row": checked.row,
            "bad": (checked.bits & int(CONTRADICTS)) != 0,
            "told": checked.specific & ((checked.bits & int(Check.NO_LAYER)) == 0),
        }
    )[hit & steady]
    if frame.empty:
        return
    each = frame.groupby("row").agg(bad=("bad", "any"), told=("told", "any"))
    common = [fixed_filters.fixed_filter(str(book.filters["filter_key"].iloc[row])) is not None for row in each.index]
    flags = [bool({"PERSISTENT", "BOOTTIME"} & set(book.filters["flags"].iloc[row] or ())) for row in each.index]
    own = each[~(np.array(common) | np.array(flags))]
    bad, good, told = int(own["bad"].sum()), int((~own["bad"]).sum()), int((own["told"] & ~own["bad"]).sum())
    if bad and bad / len(own) > MANY_CONTRADICTED and bad > 1:
        scale.strong_against = True
        scale.against.append(f"{bad} of {len(own)} run-time ids of the log cannot be the state's filters")
    elif bad:
        scale.weak_against += 1
        scale.against.append(f"{bad} of {len(own)} run-time ids of the log cannot be the state's filter")
    elif good >= DISTINCT_IDS and told >= TELLING_IDS:
        scale.tie(
            ENOUGH,
            f"{good} distinct run-time ids of the log all fit the state's filters in layer, action and conditions",
        )
    elif good:
        scale.ties.append(
            f"{plural(good, 'run-time id')} of the log {'fits' if good == 1 else 'fit'} the state's filters: "
            "too few to tie the two by themselves"
        )


def _older(checked: Checked, scale: _Scale) -> None:
    """Say for how many events a start or a policy change lies between them and the state."""
    apart = int(((checked.row >= 0) & ((checked.bits & int(Check.BOOT | Check.RELOAD)) != 0)).sum())
    if apart:
        what = "a start of Windows or a policy change lies between"
        scale.against.append(f"{what} the state and {apart:,} events: for those it proves nothing")


def _time(facts: HostFacts, snapshot: Snapshot, markers: Markers, scale: _Scale) -> tuple[bool, str | None]:
    """Tell whether the state was taken inside the log's time or shortly after its end, with no start in between.

    Where it was not, the second part says so.
    """
    taken, watch = cells.moment(snapshot.time), facts.watched
    if taken is None or watch is None:
        what = "the state carries no time stamp" if taken is None else "the log's time is not known"
        scale.against.append(f"{what}, so the two cannot be placed in time")
        return False, None
    first, last = watch.first, watch.last
    against = None
    boots = markers.times(facts.computer, EPOCH)
    if taken < first - TOO_FAR.value or taken > last + TOO_FAR.value:
        scale.strong_against = True
        against = "more than 90 days lie between the log and the state"
    elif taken < first:
        started = bool(((boots > taken) & (boots <= last)).any())
        against = f"the state was taken {how_long(first - taken)} before the log begins"
        against += ", and Windows started again since" if started else ""
    elif taken > last + SHORTLY.value:
        started = bool(((boots > first) & (boots <= taken)).any())
        against = f"the state was taken {how_long(taken - last)} after the log's last record"
        against += ", and Windows started again in between" if started else ""
    elif not watch.holds(taken):
        against = "the state was taken in a gap between the logs"
    elif taken > last and any_between(boots, np.array([last]), taken)[0]:
        against = "Windows started again between the log's end and the state"
    if against is not None:
        return False, against
    place = "inside the log's time" if taken <= last else "shortly after the log's end"
    scale.ties.append(f"the state was taken {place}")
    return True, None
