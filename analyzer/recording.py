"""Whether blocks were being recorded: tells "nothing was blocked" from "nothing was recorded".

Silence of a log says something only where its auditing was on. Sources of the answer, the surest first: records of the
setting themselves; 4719, which tells when it was switched; an exported audit policy, which is of one moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pandas as pd

from analyzer import cells
from analyzer.hosts import first_label
from analyzer.markers import nanoseconds
from analyzer.model import Evidence, Recording
from analyzer.netevents import NO_EVENT_ID
from analyzer.pairing import elsewhere
from analyzer.wfp import auditpolicy as vocabulary
from analyzer.wording import how_long, moment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analyzer.model import AuditPolicy, AuditSetting, Recorded
    from analyzer.pairing import Fit
    from analyzer.readers.evtx import EvtxLog
    from analyzer.states import Book
    from analyzer.watch import Watched
    from analyzer.wfp.events import Table

SECURITY: Final = "Security"
SHORTLY_NS: Final = 3_600_000_000_000
CHANGED: Final = 4719
# What 4719 writes into AuditPolicyChanges (msobjs.dll): failure auditing removed, added.
FAILURE_REMOVED: Final = "%%8450"
FAILURE_ADDED: Final = "%%8451"
BREAKS: Final[dict[int, str]] = {
    1102: "the log was cleared at {}: what was before is gone",
    1104: "the log was full at {}: what came after is missing until there was room",
    1105: "the log was archived at {}: older records are in the archive",
}
LOSSES: Final = frozenset({1104})
NET_ACTIONS: Final = {vocabulary.CONNECTION: "block", vocabulary.PACKET_DROP: "drop"}


def computers(logs: Sequence[tuple[str, EvtxLog]], events: pd.DataFrame) -> tuple[str | None, ...]:
    """Return the computers of logs and events, each once; a starting Windows writes its short name."""
    names: dict[str, str | None] = {}
    seen = [cells.text(name) for name in events["computer"].astype("object").unique()]
    for name in (*(item for _, log in logs for item in log.computers), *seen):
        label = first_label(name)
        if label not in names or len(name or "") > len(names[label] or ""):
            names[label] = name
    return tuple(names.values())


@dataclass(frozen=True, slots=True)
class Given:
    """All that tells what was recorded."""

    logs: Sequence[tuple[str, EvtxLog]]
    tables: Mapping[Table, pd.DataFrame]
    events: pd.DataFrame
    watch: Mapping[str | None, Watched]
    book: Book
    fits: Sequence[Fit] = ()


def assess(given: Given, policy: Sequence[AuditPolicy]) -> tuple[Recording, ...]:
    """Say per computer whether blocks and drops were being recorded."""
    by_host = {first_label(item.computer): item for item in policy}
    names = list(computers(given.logs, given.events))
    names += [item.computer for item in policy if first_label(item.computer) not in {first_label(n) for n in names}]
    return tuple(_assess(given, name, by_host.get(first_label(name))) for name in names)


@dataclass(frozen=True, slots=True)
class _Host:
    """What is known of one computer."""

    events: pd.DataFrame
    changes: pd.DataFrame  # its 4719 and breaks
    logs: tuple[tuple[str, EvtxLog], ...]  # with its Security channel
    span: tuple[int, int] | None
    settings: Mapping[str, AuditSetting]


def _assess(given: Given, computer: str | None, policy: AuditPolicy | None) -> Recording:
    label = first_label(computer)
    own = _rows(given.events, label)
    logs = tuple(
        (name, log)
        for name, log in given.logs
        if SECURITY in log.channels and label in {first_label(item) for item in log.computers or (None,)}
    )
    watched = next((seen for name, seen in given.watch.items() if first_label(name) == label), None)
    span = (watched.first, watched.last) if watched is not None and watched.intervals else None
    settings = {item.guid: item for item in policy.settings} if policy is not None else {}
    host = _Host(own, _rows(given.tables["host"], label), logs, span, settings)
    blocks = _recorded(host, vocabulary.CONNECTION, "blocked connections")
    drops = _recorded(host, vocabulary.PACKET_DROP, "dropped packets")
    why = (*blocks.why, *drops.why, *_breaks(host), *_ends(host, given, label))
    return Recording(
        computer,
        None if span is None else cells.rfc3339(span[0]),
        None if span is None else cells.rfc3339(span[1]),
        blocks.recorded,
        drops.recorded,
        blocks.partly,
        why,
        tuple(
            _command(host, item)
            for item, said in zip(vocabulary.BLOCKS, (blocks, drops), strict=True)
            if said.recorded != "yes"
        ),
        (*blocks.evidence, *drops.evidence),
    )


def _rows(frame: pd.DataFrame, label: str) -> pd.DataFrame:
    if isinstance(frame["computer"].dtype, pd.CategoricalDtype):
        wanted = [name for name in frame["computer"].cat.categories if first_label(name) == label]
        rows = frame["computer"].isin(wanted)
    else:
        rows = frame["computer"].map(first_label) == label
    return frame[rows | frame["computer"].isna() if not label else rows]


def _command(host: _Host, item: vocabulary.Required) -> str:
    setting = host.settings.get(item.guid)
    told = None if setting is None else setting.command
    return told or vocabulary.command(item.guid, success=item.success, failure=item.failure)


@dataclass(frozen=True, slots=True)
class _Said:
    recorded: Recorded
    why: tuple[str, ...]
    evidence: tuple[Evidence, ...] = ()
    partly: bool = False


_OPENING: Final[dict[Recorded, str]] = {
    "yes": "{} were being recorded: {}.",
    "no": "{} were not being recorded: {}.",
    "unknown": "Whether {} were being recorded is not known: {}.",
}


def _said(
    recorded: Recorded, what: str, why: str, evidence: tuple[Evidence, ...] = (), *, partly: bool = False
) -> _Said:
    opening = _OPENING[recorded].format(what if recorded == "unknown" else what.capitalize(), why)
    return _Said(recorded, (opening,), evidence, partly)


def _recorded(host: _Host, guid: str, what: str) -> _Said:
    """Weigh what tells of the failure setting of one subcategory."""
    about = vocabulary.SUBCATEGORIES[guid]
    found = int(host.events["event_id"].isin(list(about.failure)).sum())
    switched = _switches(host, guid)
    cited = tuple(Evidence(f"event 4719 at {moment(t)}: failure auditing {w}", *place) for t, w, place in switched)
    if found:
        said = f"{found:,} of them {'is' if found == 1 else 'are'} in the log"
        return _said("yes", what, f"{said}{_when(switched)}", cited)
    if switched:
        return _said("unknown", what, f"not all of the time{_when(switched)}", cited, partly=True)
    net = host.events[host.events["event_id"] == NO_EVENT_ID]
    if not host.logs and len(net):
        if bool((net["action"] == NET_ACTIONS[guid]).any()):
            return _said("yes", what, "net events of them are here, which need no audit policy")
        if bool((net["action"] != "permit").any()):
            return _said("yes", what, "none of the net events here shows one, and they need no audit policy")
        return _said("unknown", what, "there is no Security log, and the net events hold none")
    return _by_policy(host, guid, what, about.name)


def _by_policy(host: _Host, guid: str, what: str, name: str) -> _Said:
    setting = host.settings.get(guid)
    if setting is None or setting.failure == "unknown" or setting.source not in ("effective", "backup"):
        if setting is not None and setting.source == "group-policy":
            why = f"{setting.why}, and what was in force no file tells"
        else:
            why = "no audit policy of this computer was handed in" if setting is None else setting.why
        return _said("unknown", what, f"none is here, and {why}" if host.logs else why)
    cited = (Evidence(f"failure auditing of {name} is {setting.failure}: {setting.why}", setting.input),)
    place = f"{setting.input}{f', line {setting.line}' if setting.line is not None else ''}"
    if setting.failure == "off" and any(log.selective for _, log in host.logs):
        # The usual way is to save the policy, to switch auditing on, to reproduce, and to export the blocks.
        why = "the log was exported by a query, which may have left out that it was switched on"
        return _said("unknown", what, f"failure auditing of {name} was off ({place}), but {why}", cited)
    if setting.failure == "off":
        return _said("no", what, f"failure auditing of {name} was off ({place})", cited)
    doubt = _doubt(host)
    if doubt is not None:
        return _said("unknown", what, f"failure auditing of {name} was on ({place}), but {doubt}", cited)
    steady = "and no event 4719 tells of a change"
    return _said("yes", what, f"failure auditing of {name} was on ({place}), {steady}", cited)


def _doubt(host: _Host) -> str | None:
    """Say why records may be missing although auditing was on, or None."""
    if not host.logs:
        return "no Security log was handed in"
    if any(log.selective for _, log in host.logs):
        return "the log was exported by a query, which may have left them out"
    if any(log.id_gaps for _, log in host.logs):
        return "records are missing from the log"
    if host.changes["event_id"].isin(list(LOSSES)).any():
        return "the log was full for some time"
    return None


def _switches(host: _Host, guid: str) -> list[tuple[int, str, tuple[str | None, int | None]]]:
    """Return (time, ``switched on`` or ``off``, place) of the failure setting, from 4719, in order of time."""
    frame = host.changes[host.changes["event_id"] == CHANGED]
    out = []
    times = nanoseconds(frame["time"]).tolist()
    which_of, changes_of = cells.texts(frame["subcategory_guid"]), cells.texts(frame["audit_policy_changes"])
    places = zip(cells.texts(frame["input"]), cells.objects(frame["record_id"]).tolist(), strict=True)
    for time, which, changes, place in zip(times, which_of, changes_of, places, strict=True):
        if which is None or changes is None or guid.strip("{}") not in which.upper():
            continue
        added, removed = FAILURE_ADDED in changes, FAILURE_REMOVED in changes
        if added != removed:
            out.append((int(time), "switched on" if added else "switched off", place))
    return sorted(out, key=lambda item: item[0])


def _when(switched: Sequence[tuple[int, str, tuple[str | None, int | None]]]) -> str:
    """Say when it was switched."""
    if not switched:
        return ""
    each = [f"{word} at {moment(time)}" for time, word, _ in switched[:4]]
    more = f" and {len(switched) - 4:,} more times" if len(switched) > 4 else ""
    return f"; event 4719 says that it was {', '.join(each)}{more}"


def _breaks(host: _Host) -> list[str]:
    """Say what cut the log."""
    out = []
    for event_id, words in BREAKS.items():
        times = host.changes.loc[host.changes["event_id"] == event_id, "time"].dropna()
        if len(times):
            text = words.format(moment(int(nanoseconds(times).max())))
            out.append(f"{text[0].upper()}{text[1:]}.")
    whole = [name for name, log in host.logs if log.id_gaps and not log.selective]
    out.extend(f"Records are missing from {name}: see the gaps." for name in whole[:5])
    return out


def _ends(host: _Host, given: Given, label: str) -> list[str]:
    """Set the log's time against the times of the states that may be of this computer."""
    if host.span is None:
        return []
    out = []
    first, last = host.span
    others = {state for computer, state in elsewhere(given.fits) if first_label(computer) == label}
    for snapshot in [item for item in given.book.snapshots if item.name not in others][:5]:
        taken = cells.moment(snapshot.time)
        if taken is not None and taken > last + SHORTLY_NS:
            out.append(
                f"The log ends {how_long(taken - last)} before {snapshot.name} was saved: it is silent of that time."
            )
        elif taken is not None and taken < first:
            out.append(f"The log begins {how_long(first - taken)} after {snapshot.name} was saved.")
    return out


def fold(recordings: Sequence[Recording]) -> tuple[Recorded, str]:
    """Fold the computers' answers to one: the worst, and why."""
    if not recordings:
        return "unknown", "no log was handed in"
    order: tuple[Recorded, ...] = ("no", "unknown", "yes")
    worst = min(recordings, key=lambda item: order.index(item.blocks))
    whose = f"{worst.computer}: " if len(recordings) > 1 and worst.computer else ""
    return worst.blocks, f"{whose}{worst.why[0]}"
