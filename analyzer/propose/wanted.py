"""Which blocked flows want a rule, and what that rule may name: program, service or users, profile."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from analyzer import cells
from analyzer.diagnose import service_remedy
from analyzer.diagnose.svchost import is_svchost
from analyzer.engine.recorded import PROFILE_WORDS
from analyzer.review.replay_groups import example
from analyzer.wfp import layers, protocols, services, sids

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pandas as pd

    from analyzer.model import Finding
    from analyzer.model.engine import Nearest

MOST_FLOWS: Final = 5_000  # those with the most records
STAGES: Final = frozenset({"ALE_AUTH_CONNECT", "ALE_AUTH_RECV_ACCEPT"})
NO_PORTS: Final = "the port of the serving side is not recorded"
_PROFILES: Final[dict[str, str]] = {str(number): name for name, number in PROFILE_WORDS.items()}
# Why an allow rule does not help, by kind of block (REFERENCE 2.1, 4.1, 8).
NO_RULE: Final[dict[str | None, str]] = {
    "explicit-rule": "a block rule refused it, and no allow rule outvotes it: change or remove the block rule",
    "service-hardening": "service hardening refused it: an allow rule of the firewall does not lift that",
    "stealth": "nothing listened there: a rule changes nothing",
    "quarantine": "the network was being identified: that passes by itself",
    "boot-time": "the firewall service had not taken over yet: rules come later",
    "app-isolation": "the app lacks a capability: a rule does not give it",
    "appcontainer-loopback": "apps may not use loopback: that takes an exemption, no rule",
    "windows-component": "another part of Windows refused it, not the firewall's rules",
    "third-party": "another product refused it: its own rules decide",
    "other-wfp": "a filter of unknown make refused it: an allow rule does not outvote that",
    "callout": "a callout driver refused it: rules do not bind it",
    "ipsec": "IPsec refused it",
    "no-filter": "no filter was named: which one refused it is not known",
    "unresolved": "which filter refused it is not known",
}
OTHER_STAGE: Final = "it was refused at another stage than connect and accept: {}"
NO_PROGRAM: Final = "no program is recorded: a rule for any program would be wider than asked"
IN_PACKAGE: Final = "it came from an app package: rules for packages are not proposed"
SHARED: Final = (
    "These files do not tell which service connected, nor as which user: the rule lets every service in svchost.exe "
    "reach these ports and addresses. Collect process creation and net events to limit it."
)
BY_USERS: Final = (
    "The service-SID diagnosis says that a rule for the service does not match here: the rule names the users that the "
    "connections came with instead. Every service in svchost.exe that acts for them may use it."
)
MORE_USERS: Final = "Other users of this computer need their own, or the group of interactive users: D:(A;;CC;;;IU)."


@dataclass(frozen=True, slots=True)
class Who:
    """What all flows of a rule have in common; ``notes`` belong to the rule."""

    computer: str | None
    program: str
    direction: str
    protocol: int
    service: str | None
    local_user: str | None
    profiles: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Flow:
    """One blocked flow: its number, the far address, the port of the serving side (ICMP: type, code), its records."""

    number: int
    address: str | None
    port: str | None
    records: int
    words: str
    nearest: tuple[Nearest, ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The flows that want a rule, by what it may name; and the others by the reason why none is proposed."""

    wanted: dict[Who, list[Flow]] = field(default_factory=dict)
    refused: dict[str, list[Flow]] = field(default_factory=dict)
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Ground:
    """What the pipeline knows of the blocks. ``events`` are judged, with ``flow`` and ``verdict`` numbers.

    ``everything`` are all events: ``events`` may be a selection of them.
    """

    events: pd.DataFrame
    everything: pd.DataFrame
    findings: Sequence[Finding]
    by_verdict: Mapping[int, tuple[str, ...]]
    nearest: Mapping[int, tuple[Nearest, ...]]


def choose(ground: Ground, live: Mapping[str | None, tuple[str, ...]]) -> Chosen:
    """Choose the flows that were refused; ``live`` are the profiles in force, by computer."""
    events = ground.events
    refused = events[(events["action"] != "permit").to_numpy(dtype=bool) & events["layer"].notna().to_numpy()]
    counts = refused["flow"].value_counts()
    out = Chosen(left_out=max(0, len(counts) - MOST_FLOWS))
    if out.left_out:
        refused = refused[refused["flow"].isin(counts.index[:MOST_FLOWS])]
    findings = {item.key: item for item in ground.findings}
    for _, rows in refused.groupby("flow", sort=True):
        first = rows.iloc[0]
        flow = Flow(
            int(first["flow"]),
            cells.text(first["remote_address"]),
            _port(first),
            len(rows),
            example(first),
            ground.nearest.get(int(first["verdict"]), ()),
        )
        why = _no_rule(rows, flow)
        if why is not None:
            out.refused.setdefault(why, []).append(flow)
            continue
        keys = dict.fromkeys(key for verdict in rows["verdict"].unique() for key in ground.by_verdict.get(verdict, ()))
        who = _who(rows, [findings[key] for key in keys if key in findings], live)
        out.wanted.setdefault(who, []).append(flow)
    return out


def _no_rule(rows: pd.DataFrame, flow: Flow) -> str | None:
    """Tell why no allow rule is proposed for a flow; None where one is."""
    first = rows.iloc[0]
    kinds = {cells.text(kind) for kind in rows["kind"].unique()}
    layer = cells.text(first["layer"]) or ""
    why = None
    if not kinds & {"default-inbound", "default-outbound"}:
        why = NO_RULE.get(next(iter(kinds), None), NO_RULE["unresolved"])
    elif layers.stem(layer) not in STAGES:
        why = OTHER_STAGE.format(layers.layer_words(layer))
    elif cells.text(first["application"]) is None:
        why = NO_PROGRAM
    elif "package_sid" in rows.columns and {cells.text(sid) for sid in rows["package_sid"].unique()} - {
        None,
        sids.NULL_SID,
    }:
        why = IN_PACKAGE
    elif cells.number(first["protocol"]) is None or (flow.port is None and _has_ports(first)):
        why = NO_PORTS
    return why


def _has_ports(event: pd.Series) -> bool:
    number = cells.number(event["protocol"])
    return number in (protocols.TCP, protocols.UDP)


def _port(event: pd.Series) -> str | None:
    """Return the port of the serving side, or type and code of ICMP."""
    kind, code = cells.number(event["icmp_type"]), cells.number(event["icmp_code"])
    if kind is not None:
        return str(kind) if code is None else f"{kind}:{code}"
    port = cells.number(event["service_port"])
    return None if port is None else str(port)


def _who(rows: pd.DataFrame, findings: Sequence[Finding], live: Mapping[str | None, tuple[str, ...]]) -> Who:
    first = rows.iloc[0]
    computer = cells.text(first["computer"])
    program = (cells.text(first["application"]) or "").lower()
    service, users, notes = (None, None, ()) if not is_svchost(program) else _identity(rows, findings)
    return Who(
        computer=computer,
        program=program,
        direction="inbound" if layers.direction(str(first["layer"])) == "inbound" else "outbound",
        protocol=cells.number(first["protocol"]) or 0,
        service=service,
        local_user=users,
        profiles=_profiles(rows) or live.get(computer, ()),
        notes=notes,
    )


def _profiles(rows: pd.DataFrame) -> tuple[str, ...]:
    """Return the profiles that the records tell."""
    found = set()
    for name in ("current_profile", "original_profile"):
        for text in rows[name].dropna().unique() if name in rows.columns else ():
            word = str(text).strip().lower()
            found.add(_PROFILES.get(word, word))
    return tuple(sorted(found & {"public", "private", "domain"}))


# ------------------------------------------------------------------------------------------------------- svchost


def _identity(rows: pd.DataFrame, findings: Sequence[Finding]) -> tuple[str | None, str | None, tuple[str, ...]]:
    """Return service or users (SDDL) of a rule for svchost.exe, as the service-SID diagnosis has it, and notes."""
    tokens = {sid for sid in (cells.text(value) for value in rows["user_sid"].unique()) if sid is not None}
    hosted = {tuple(value) for value in rows["services"] if isinstance(value, tuple)}
    names = next(iter(hosted)) if len(hosted) == 1 else ()
    broken = [
        outcome
        for finding in findings
        for outcome in finding.services or ()
        if finding.id == "service-sid" and outcome.outcome in ("proven", "likely")
    ]
    if broken:
        if tokens and rows["user_sid"].notna().all():
            more = (MORE_USERS,) if any(services.is_user_account(sid) for sid in tokens) else ()
            return None, _sddl(sorted(tokens)), (BY_USERS, *more)
        return None, _sddl(service_remedy.accounts(tuple(broken), tokens)), (BY_USERS,)
    if len(names) == 1:
        return names[0], None, ()
    if tokens and rows["user_sid"].notna().all():
        return None, _sddl(sorted(tokens)), (SHARED.partition(":")[0] + ": the rule names the users instead.",)
    return None, None, (SHARED,)


def _sddl(allowed: Iterable[str]) -> str:
    return "D:" + "".join(f"(A;;CC;;;{_SHORT.get(sid, sid)})" for sid in allowed)


_WHOSE: Final = frozenset({"ALE_USER_ID", "ALE_PACKAGE_ID", "ALE_APP_ID"})
_SHORT: Final[dict[str, str]] = {
    "S-1-5-4": "IU",
    sids.SYSTEM: "SY",
    sids.LOCAL_SERVICE: "LS",
    sids.NETWORK_SERVICE: "NS",
}


def records(flows: Iterable[Flow]) -> int:
    """Count the records of flows."""
    return sum(flow.records for flow in flows)


def nearly(flows: Iterable[Flow]) -> Iterator[str]:
    """Yield existing rules that lack one thing that can be changed, each once; whose they are can't."""
    seen: dict[str, Any] = {}
    for flow in flows:
        for item in flow.nearest:
            lacking = [part.field for part in item.missing]
            if len(lacking) == 1 and lacking[0] not in _WHOSE and item.name is not None:
                seen.setdefault(f"“{item.name}”: {item.words}", None)
    yield from seen
