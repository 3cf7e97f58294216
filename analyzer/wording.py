"""Sentences for people that are built from results: the answer, and conditions in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer import cells
from analyzer.engine.conditions import LOST
from analyzer.wfp import fields, flags, protocols, sddl, values

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import pandas as pd

    from analyzer.model import Coverage, HostState, KindCount, Problem, Selected
    from analyzer.wfp.events import Table

# How each kind is put into the answer's sentence, after a number.
SAID: Final[dict[str, str]] = {
    "default-outbound": "by the outbound default",
    "default-inbound": "by the inbound default",
    "explicit-rule": "by an explicit rule",
    "service-hardening": "by service hardening",
    "stealth": "by port-scan prevention",
    "quarantine": "while a network was being identified",
    "boot-time": "by boot-time protection",
    "app-isolation": "for want of an app capability",
    "appcontainer-loopback": "by the loopback ban on apps",
    "windows-component": "by another part of Windows",
    "third-party": "by a third-party product",
    "other-wfp": "by a filter of unknown make",
    "callout": "by a callout driver",
    "ipsec": "by IPsec",
    "no-filter": "without a filter being named",
    "unresolved": "by a filter that these files cannot tell",
}


WHY: Final[dict[str, str]] = {
    "default-outbound": ": no allow rule matched",
    "default-inbound": ": no allow rule matched",
    "stealth": ": nothing listened there",
}


def number(count: int) -> str:
    """Return ``1,254``."""
    return f"{count:,}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return ``1 block`` or ``12 blocks``."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def shortened(names: Sequence[str], most: int = 3) -> str:
    """Return ``a, b, c and 4 more``: the first ``most`` of them."""
    more = [f"{number(len(names) - most)} more"] if len(names) > most else []
    return listed([*names[:most], *more])


def moment(nanos: int | None) -> str:
    """Return ``2026-04-02 06:36:40 UTC`` for nanoseconds since 1970: how sentences write a time."""
    if nanos is None or nanos <= 0:
        return "an unknown time"
    return f"{cells.rfc3339(nanos)[:19].replace('T', ' ')} UTC"


def how_long(nanos: int) -> str:
    """Return ``21 days``, ``3 hours``, ``1 minute`` or ``less than a minute``."""
    minutes = nanos // 60_000_000_000
    for size, word in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            return plural(minutes // size, word)
    return "less than a minute"


def listed(names: Sequence[str]) -> str:
    """Return ``a``, ``a and b`` or ``a, b and c``."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else list(names))


# What a log may hold beside blocks, drops and permits, by table.
OTHERS: Final[dict[Table, tuple[str, str]]] = {
    "filter_change": ("filter change", "filter changes"),
    "rule_change": ("change of rules or settings", "changes of rules or settings"),
    "process": ("start or end of a process", "starts and ends of processes"),
}


def others(tables: Mapping[Table, pd.DataFrame]) -> str:
    """Return ``984 filter changes and 6 changes of rules or settings``, or an empty text."""
    counts = [(len(tables[table]), words) for table, words in OTHERS.items()]
    return listed([plural(count, *words) for count, words in counts if count])


def answer(
    kinds: Sequence[KindCount], attempts: int, events: int, selected: Selected | None = None, beside: str = ""
) -> str:
    """Say in one or two sentences what blocked, how often; ``beside`` is what else the logs hold."""
    if not events and selected is not None and selected.total:
        return "No event fits what was asked for."
    if not events and beside:
        return f"No event 5031 or 5150 to 5159 (block, drop, permit) was found; the log holds {beside}."
    if not events:
        return "No Windows Filtering Platform event was found in what was handed in."
    parts = []
    for action, one in (("block", "block"), ("drop", "dropped packet")):
        chosen = [k for k in kinds if k.action == action]
        total = sum(k.count for k in chosen)
        if not total:
            continue
        tries = f" in {plural(attempts, 'attempt')}" if action == "block" else ""
        rest = sum(k.count for k in chosen[3:])
        each = [f"{number(k.count)} {SAID[k.kind]}" for k in chosen[:3]] + (
            [f"{number(rest)} otherwise"] if rest else []
        )
        alone = f", {'all ' if total > 1 else ''}{SAID[chosen[0].kind]}{WHY.get(chosen[0].kind, '')}"
        said = alone if len(chosen) == 1 else f": {', '.join(each)}"
        parts.append(f"{plural(total, one)}{tries}{said}.")
    those = "handed in" if selected is None else "asked for"
    return " ".join(parts) if parts else f"Nothing was blocked or dropped in the events that were {those}."


def _number_words(field: str, value: int) -> str | None:
    """Return words for a number whose meaning depends on its field, or None."""
    if field == "IP_PROTOCOL":
        return protocols.protocol_name(value)
    if field == "FLAGS":
        return flags.condition_flag_words(value)
    return values.number_words(field, value)


ICMP_FIELDS: Final[dict[str, str]] = {"IP_LOCAL_PORT": "ICMP type", "IP_REMOTE_PORT": "ICMP code"}
# Whose word a grade is, surest first.
TRUST: Final[tuple[tuple[frozenset[str], str], ...]] = (
    (frozenset({"event", "origin"}), "the events say it themselves"),
    (frozenset({"netevent"}), "net events say it"),
    (frozenset({"snapshot"}), "the state, which fits, says it"),
    (frozenset({"history"}), "the log's own filter history says it"),
)


def trust(
    events: pd.DataFrame,
    coverage: Coverage,
    problems: Sequence[Problem],
    doubted: Collection[object] = (),
    selected: Selected | None = None,
) -> str:
    """Say how far the answer can be trusted, in a few short sentences.

    ``events`` are those asked for, ``doubted`` the states that disagree with them.
    """
    judged = events[events["kind"].notna()]
    parts = []
    if len(judged):
        counts = [(int(judged["grade"].isin(list(grades)).sum()), said) for grades, said in TRUST]
        sure = sum(count for count, _ in counts)
        whose = listed([f"{said} ({number(count)})" if count < sure else said for count, said in counts if count])
        share = f"{number(sure)} of {number(len(judged))} records"
        parts.append(f"What blocked is vouched for in {share}{': ' if sure else ''}{whose}.")
        fits = {host.state_fits for host in coverage.hosts}
        if len(fits) > 1:
            parts.extend(_host_by_host(coverage.hosts))
        elif sure < len(judged) and coverage.state_fits == "yes":
            parts.append("For the rest the state does not speak.")
        elif doubted:
            parts.append("The state decides otherwise than Windows recorded, so it is trusted less.")
        elif coverage.state_fits == "no":
            parts.append("The state does not fit these events, so it was not used.")
        elif coverage.pairings and coverage.state_fits == "unknown":
            parts.append("Nothing ties the state to these events strongly enough: matches by number alone are marked.")
    elif selected is not None and selected.total:
        parts.append(_left_aside(coverage, selected))
    elif coverage.recording:
        parts.append(_silence(coverage))
    lost = sum(p.severity == "lost" for p in problems)
    if lost:
        parts.append(f"{plural(lost, 'problem')} cost data: see what could not be read.")
    return " ".join(parts) or "There was nothing to judge."


def _host_by_host(hosts: Sequence[HostState]) -> list[str]:
    """Say for which computers no state speaks, where there is one for others."""
    out = []
    for fits, text in (
        ("unknown", "Nothing ties a state to the events of {} strongly enough: matches by number alone are marked."),
        ("no", "No state fits the events of {}, so none was used for these."),
    ):
        names = [host.computer or "an unnamed computer" for host in hosts if host.state_fits == fits]
        more = [f"{number(len(names) - 3)} more"] if len(names) > 3 else []
        if names:
            out.append(text.format(listed([*names[:3], *more])))
    return out


def _silence(coverage: Coverage) -> str:
    """Say what it means that nothing was blocked: that is so, or that nothing was recorded."""
    meaning = {
        "yes": "What is not here was not blocked, as far as the time of the log reaches.",
        "no": "That no block is here says nothing.",
        "unknown": "So no block in here does not mean that nothing was blocked.",
    }
    return f"{coverage.recorded_why} {meaning[coverage.recorded]}"


def _left_aside(coverage: Coverage, selected: Selected) -> str:
    """Say that a narrow question tells nothing about the rest, and where the events lie that it left out."""
    if selected.shown:
        return "Blocks that do not fit what was asked for are left aside: this says nothing about them."
    times = [f"{at[:10]} {at[11:19]}" for at in (coverage.first, coverage.last) if at is not None]
    span = f", from {times[0]} to {times[-1]} UTC" if times else ""
    return (
        f"{plural(selected.total, 'event')} {'is' if selected.total == 1 else 'are'} in the files{span}, and none fits"
        " what was asked for: this says nothing about what was blocked."
    )


def condition(
    field: str,
    match: str,
    value: object,
    text: str,
    *,
    icmp: bool = False,
    services: Mapping[str, str] | None = None,
) -> str:
    """Say one condition in words; with ``icmp`` the port fields are type and code (`fwpsk.h` alias fields).

    ``services`` are further names of services by SID.
    """
    if field == LOST:
        return "a condition that the file no longer holds"
    name = ICMP_FIELDS.get(field) if icmp else None
    name = name or fields.field_words(field)
    verb = values.MATCH_WORDS.get(match, match.lower().replace("_", " "))
    if field == "ALE_USER_ID" and isinstance(value, str):
        return f"{name} {verb} {sddl.sd_words(value, services)}"
    if isinstance(value, int):
        return f"{name} {verb} {_number_words(field, value) or text}"
    return f"{name} {verb} {text}"
