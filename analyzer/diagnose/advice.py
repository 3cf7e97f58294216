"""What to do about one kind of block, and what to collect next, measured by what was handed in already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from analyzer import cells, rulestore
from analyzer.diagnose import commands, disabled
from analyzer.diagnose.commands import BUILDERS, MOST_PORTS
from analyzer.diagnose.kind_table import NAMED_RULE, OWN_RULES, UNNAMED_RULE
from analyzer.diagnose.rule_fit import called
from analyzer.diagnose.svchost import is_svchost
from analyzer.model import Remedy
from analyzer.netevents import SOURCE as NETEVENT
from analyzer.wfp import protocols
from analyzer.wfp import services as wfp_services
from analyzer.wording import listed, plural, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from analyzer.diagnose.context import Context
    from analyzer.diagnose.kind_table import KindText
    from analyzer.model import Kind

NETEVENTS: Final = "netsh wfp show netevents"
SHOW_STATE: Final = "netsh wfp show state"
RULES: Final = "Get-NetFirewallRule"


class Advice(NamedTuple):
    """What to do, and the disabled rules that would help."""

    remedy: Remedy
    offer: disabled.Offer | None


def advise(context: Context, kind: Kind, text: KindText, part: pd.DataFrame) -> Advice:
    """Write the remedy for the blocks of one kind. svchost.exe needs a service to be named, and stands last."""
    hosts = part["application"].map(is_svchost, na_action="ignore").astype("object").fillna(value=False).astype(bool)
    services = part[hosts] if kind == "default-outbound" else part.iloc[:0]
    programs = part[~part.index.isin(services.index)]
    if programs.empty and not services.empty:
        said, ready = _services(context, services)
        return Advice(Remedy(said, ready, text.cost), None)
    made = BUILDERS[text.command](programs, _volumes(context)) if text.command else commands.Built()
    offer = disabled.offer(context, kind, programs)
    do = " ".join((_rules_named(context, programs) if kind == "explicit-rule" else text.do, *made.left))
    remedy = Remedy(do, made.commands, text.cost)
    if offer is not None:
        remedy = _with_rules(remedy, offer)
    if not services.empty:
        said, ready = _services(context, services)
        remedy = Remedy(f"{remedy.text} {said}", (*remedy.commands, *ready), remedy.cost)
    return Advice(remedy, offer)


def _with_rules(remedy: Remedy, offer: disabled.Offer) -> Remedy:
    """Put disabled rules that allow this before the new ones that the remedy offers."""
    # Who copies all commands must not get the alternative as well.
    new = () if offer.whole and offer.commands else remedy.commands
    return Remedy(
        f"{offer.text}{remedy.text[0].lower()}{remedy.text[1:]}",
        (*offer.commands, *new),
        " ".join(text for text in (disabled.COST, remedy.cost) if text),
    )


def _volumes(context: Context) -> commands.VolumeOf:
    """Tell the volume that holds Windows: by the log's own paths, else by those of a state that fits."""
    known: dict[str | None, str | None] = {}

    def of(computer: str | None) -> str | None:
        if computer not in known:
            same = context.events["computer"]
            own = context.events[same.isna() if computer is None else same == computer]
            known[computer] = commands.system_volume(own) or _in_states(context, computer)
        return known[computer]

    return of


def _in_states(context: Context, computer: str | None) -> str | None:
    fitting = {f.pairing.state for f in context.fits if f.pairing.computer == computer and f.pairing.fits == "yes"}
    paths = {
        test.value
        for snapshot in context.book.snapshots
        if snapshot.name in fitting
        for row in snapshot.rows
        for test in context.book.tests.get(row, ())
        if test.field == "ALE_APP_ID" and isinstance(test.value, str)
    }
    return commands.volume_of_paths(paths)


# --------------------------------------------------------------------------------------------------------------
# svchost.exe


def _services(context: Context, part: pd.DataFrame) -> tuple[str, tuple[str, ...]]:
    """Say what svchost.exe needs: a rule for the service that opened the connection, where that is known."""
    seen = f"{plural(len(part), 'block')}, {_ports(part)}"
    held = {tuple(names) if isinstance(names, tuple | list) else () for names in part["services"]}
    (names,) = held if len(held) == 1 else ((),)
    if len(names) != 1:
        pids = sorted({int(p) for p in part["process_id"].dropna().unique()})
        of = f" of process {listed([str(p) for p in pids])}" if 0 < len(pids) <= 3 else ""
        who = f" It was one of {shortened(sorted({n for each in held for n in each}), 6)}." if () not in held else ""
        said = (
            f"For svchost.exe ({seen}), find out which service{of} it was (tasklist /svc), and allow that one: "
            f"-Program '%SystemRoot%\\System32\\svchost.exe' -Service NAME. A rule for svchost.exe alone would let "
            f"all services in it pass.{who}"
        )
        return said, ()
    (name,) = names
    existing = _existing(context, part, name)
    if existing is not None:
        return f"For svchost.exe ({seen}; service {name}), {existing}", ()
    said = f"For svchost.exe ({seen}), allow the service {name}, which the process hosted, and not svchost.exe alone."
    if wfp_services.trouble_service(name) is not None:
        said += f" No ready command for it: {name} is known to connect without its service SID, so it may not match."
        return said, ()
    return said, _service_commands(part, name)


def _existing(context: Context, part: pd.DataFrame, name: str) -> str | None:
    """Say which exported allow rules name the service, or None where there is none."""
    found: dict[str, None] = {}
    for computer in context.computers(part):
        store = context.rules.of(computer)
        rules = () if store is None else rulestore.rules_for_service(store.rules, name).rules
        for item in rules:
            if store is not None and item.action == "allow" and item.direction == "outbound":
                found[called(store.rules.iloc[item.row])] = None
    if not found:
        return None
    rule = "the rule" if len(found) == 1 else "the rules"
    return f"see why {rule} {shortened(list(found))} did not let it pass, and correct {rule} if the traffic is wanted."


def _ports(part: pd.DataFrame) -> str:
    """Return ``TCP 80 and TCP 443``."""
    pairs = part[["protocol", "remote_port"]].drop_duplicates()
    known = sorted({(cells.number(a) or -1, cells.number(b) or -1) for a, b in pairs.itertuples(index=False)})
    words = [f"{protocols.protocol_name(a) if a >= 0 else '?'}{f' {b}' if b >= 0 else ''}" for a, b in known]
    return shortened(words, 4)


def _service_commands(part: pd.DataFrame, name: str) -> tuple[str, ...]:
    if not commands.plain(name):
        return ()
    out = []
    for protocol, rows in part.groupby("protocol"):
        word = {protocols.TCP: "TCP", protocols.UDP: "UDP"}.get(cells.number(protocol) or 0)
        ports = sorted({int(p) for p in rows["remote_port"].dropna().unique()})
        if word is not None and 0 < len(ports) <= MOST_PORTS:
            out.append(
                f"New-NetFirewallRule -DisplayName 'Allow {name} {word} outbound' -Direction Outbound -Action Allow "
                f"-Program '%SystemRoot%\\System32\\svchost.exe' -Service '{name}' -Protocol {word} "
                f"-RemotePort {','.join(map(str, ports))}"
            )
    return tuple(out)


# --------------------------------------------------------------------------------------------------------------
# What is known already


def _rules_named(context: Context, part: pd.DataFrame) -> str:
    """Say which rule to change: by its name where a store tells it, by its id, or by the filter's name alone."""
    ids = [rule for rule in (cells.text(item) for item in part["rule_id"].dropna().unique()) if rule]
    if not ids or part["rule_id"].isna().any():
        filters = {
            cells.text(context.book.filters["name"].iloc[row]) for row in part["filter_row"].unique() if row >= 0
        }
        names = [f"“{name}”" for name in sorted(name for name in filters if name)]
        if names:
            return UNNAMED_RULE.format(shortened(names))
    names = []
    for computer in context.computers(part):
        store = context.rules.of(computer)
        rows = {row for rule in ids for row in rulestore.resolve(store.rules, rule).rows} if store is not None else ()
        names += [f"{called(store.rules.iloc[row])}" for row in sorted(rows)] if store is not None else []
    if names and len(dict.fromkeys(names)) >= len(ids):
        return NAMED_RULE.format(shortened(list(dict.fromkeys(names))))
    return OWN_RULES


def left_to_collect(
    context: Context, part: pd.DataFrame, wanted: Sequence[str], *, new: bool = False
) -> tuple[str, ...]:
    """Leave out what is at hand: a state that fits, an exported rule store, net events of all these events.

    With ``new`` a state is needed although one fits, since it does not speak for these events.
    """
    have = set()
    if not new and context.state_at_hand(part):
        have.add(SHOW_STATE)
    if context.rules_at_hand(part):
        have.add(RULES)
    if bool(((part["source"] == NETEVENT) | part["net_input"].notna()).all()):
        have.add(NETEVENTS)
    return tuple(text for text in wanted if not any(mark in text for mark in have))
