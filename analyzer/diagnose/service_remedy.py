"""What to do for a service whose connections lack its SID: for exactly what was seen, what it opens, what is narrower.

Sources: the first seed (the remedy, what it weakens), REFERENCE 5.4.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final, NamedTuple

import pandas as pd

from analyzer import cells, netevents, rulestore
from analyzer.diagnose.rule_fit import called
from analyzer.hosts import first_label
from analyzer.model import Narrower, Remedy
from analyzer.wfp import protocols, sids
from analyzer.wfp import services as wfp_services
from analyzer.wording import listed, plural, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from analyzer.diagnose.service_sid import Group
    from analyzer.model import ServiceOutcome
    from analyzer.rulebook import Store
    from analyzer.services import Known

COST: Final = (
    "This weakens the firewall: every service that runs in svchost.exe under one of these accounts may then reach "
    "these ports at any address, not only the services named here. Windows cannot tie such a rule to the service."
)
NEW_RULE: Final = "A new allow rule opens what it names; limit it to the service, ports and addresses that are needed."
MOST_ADDRESSES: Final = 50  # of one rule
MOST_NAMED: Final = 8
_INTERACTIVE: Final = "S-1-5-4"
_HOST: Final = "svchost.exe"
# SDDL alias per account that the seed's remedy names.
_ALIAS: Final = {_INTERACTIVE: "IU", "S-1-5-18": "SY", "S-1-5-19": "LS", "S-1-5-20": "NS"}


class Elsewhere(NamedTuple):
    """What the remedy may open besides: the host's lists of services, and svchost's other blocked connections."""

    computer: str | None
    known: Known
    blocked: pd.DataFrame


def accounts(services: tuple[ServiceOutcome, ...], tokens: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the accounts to allow: those reported for the services (else the seed's four) and those of tokens seen."""
    found = {_INTERACTIVE if wfp_services.is_user_account(sid) else sid for sid in tokens}
    for service in services:
        known = wfp_services.trouble_service(service.name or "")
        if known is None or not known.remedy_sids:
            return wfp_services.REMEDY_SIDS
        found.update(known.remedy_sids)
    return tuple(sid for sid in wfp_services.REMEDY_SIDS if sid in found) or wfp_services.REMEDY_SIDS


def remedy(groups: list[Group], services: tuple[ServiceOutcome, ...], elsewhere: Elsewhere) -> Remedy:
    """Write the seed's remedy for exactly the ports that were blocked, what it opens, and what is narrower."""
    tokens = [group.token.user_sid for group in groups if group.token is not None]
    allowed = accounts(services, tokens)
    wanted = _wanted(groups)
    who = ", ".join(sids.sid_words(sid) for sid in allowed)
    text = (
        "Add one allow rule for svchost.exe itself, without a service, limited to the accounts that are used here "
        f"({who})."
    )
    users = tuple(dict.fromkeys(tokens)) if len(tokens) == len(groups) else ()
    return Remedy(
        text,
        _commands(wanted, allowed, "for named accounts"),
        COST,
        opens=_opens(groups, services, allowed, wanted, elsewhere) if wanted else (),
        narrower=_narrower(groups, allowed, users) if wanted else (),
    )


def _wanted(groups: Sequence[Group]) -> dict[int, set[int]]:
    """Return the blocked remote ports by protocol."""
    wanted: dict[int, set[int]] = {}
    for group in groups:
        if group.protocol in (protocols.TCP, protocols.UDP) and group.port is not None:
            wanted.setdefault(group.protocol, set()).add(group.port)
    return wanted


def _command(protocol: int, ports: Iterable[int], allowed: Sequence[str], what: str, addresses: str = "") -> str:
    """Write one rule; without ``addresses`` it is for all."""
    sddl = "D:" + "".join(f"(A;;CC;;;{_ALIAS.get(sid, sid)})" for sid in allowed)
    name, numbers = protocols.protocol_name(protocol), ",".join(map(str, sorted(ports)))
    limit = f"-RemoteAddress {addresses} " if addresses else ""
    return (
        f"New-NetFirewallRule -DisplayName 'svchost {name} {numbers} {what}' -Direction Outbound "
        f"-Action Allow -Program '%SystemRoot%\\System32\\svchost.exe' -Protocol {name} -RemotePort {numbers} "
        f"{limit}-LocalUser '{sddl}'"
    )


def _commands(wanted: Mapping[int, Iterable[int]], allowed: Sequence[str], what: str) -> tuple[str, ...]:
    """Write one rule per protocol."""
    return tuple(_command(protocol, ports, allowed, what) for protocol, ports in sorted(wanted.items()))


# --------------------------------------------------------------------------------------------------------------
# Narrower


def _narrower(groups: Sequence[Group], allowed: Sequence[str], users: Sequence[str]) -> tuple[Narrower, ...]:
    """Return what opens less: the users that were seen, the addresses that were seen, both."""
    seen = _addresses(groups)
    out = []
    who = listed([sids.sid_words(user) for user in users])
    other_users = bool(users) and set(users) != set(allowed)
    if other_users:
        text = (
            f"Only the accounts whose tokens net events show ({who}): it fails as soon as another user is the one that "
            "the service works for."
        )
        out.append(Narrower(text, _commands(_wanted(groups), users, "for the users seen")))
    if seen:
        count = len({address for found in seen.values() for address in found})
        many = "the one address" if count == 1 else f"the {plural(count, 'address', 'addresses')}"
        text = (
            f"Only {many} seen here, at the ports seen there: exactly these connections pass. It fails as soon as the "
            "service turns to another address, which Windows' own services often do."
        )
        last = users if other_users else allowed
        what = "for the users and addresses seen" if other_users else "for named accounts, addresses seen"
        out.append(Narrower(text, _exact(seen, last, what)))
    return tuple(out)


def _exact(seen: Mapping[tuple[int, int], tuple[str, ...]], allowed: Sequence[str], what: str) -> tuple[str, ...]:
    """Write one rule per set of addresses, so that no port opens to an address that it was not seen with."""
    alike: dict[tuple[int, tuple[str, ...]], list[int]] = {}
    for (protocol, port), addresses in sorted(seen.items()):
        alike.setdefault((protocol, addresses), []).append(port)
    return tuple(
        _command(protocol, ports, allowed, what, ",".join(addresses)) for (protocol, addresses), ports in alike.items()
    )


def _addresses(groups: Sequence[Group]) -> dict[tuple[int, int], tuple[str, ...]]:
    """Return protocol and remote port -> the blocked remote addresses; nothing where they are not all known or few."""
    found: dict[tuple[int, int], set[str]] = {}
    for group in groups:
        if group.protocol not in (protocols.TCP, protocols.UDP) or group.port is None:
            continue
        if group.events["remote_address"].isna().any():
            return {}
        own = found.setdefault((group.protocol, group.port), set())
        for address in group.events["remote_address"].unique():
            try:
                own.add(str(ipaddress.ip_address(str(address).partition("%")[0])))
            except ValueError:
                return {}
        if len(own) > MOST_ADDRESSES:
            return {}
    return {key: tuple(sorted(own)) for key, own in found.items()}


# --------------------------------------------------------------------------------------------------------------
# What it opens


def _opens(
    groups: Sequence[Group],
    services: tuple[ServiceOutcome, ...],
    allowed: Sequence[str],
    wanted: dict[int, set[int]],
    elsewhere: Elsewhere,
) -> tuple[str, ...]:
    """Say which other services in svchost.exe would pass, and which other blocked connections of this ticket."""
    out = [_by_list(services, allowed, elsewhere)]
    if _INTERACTIVE in allowed:
        out.append("Any service that acts for a user who is logged on passes too, whatever its own account.")
    also = _also(groups, allowed, wanted, elsewhere.blocked)
    return (*out, also) if also else tuple(out)


def _by_list(services: tuple[ServiceOutcome, ...], allowed: Sequence[str], elsewhere: Elsewhere) -> str:
    table = elsewhere.known.hosts.get(first_label(elsewhere.computer))
    told = None if table is None else table[table["service"].notna() & table["account"].notna() & table["path"].notna()]
    if told is None or told.empty:
        return (
            "Which other services of svchost.exe run under these accounts is not told: a list of the services with "
            "their accounts would (Get-CimInstance Win32_Service | Export-Csv services.csv)."
        )
    own = {service.service_sid for service in services}
    found: dict[str, None] = {}
    for name, account, path in zip(told["service"], told["account"], told["path"], strict=True):
        user = wfp_services.is_user_account(str(account)) or wfp_services.runs_as_user(str(name))
        sid = _INTERACTIVE if user else wfp_services.account_sid(str(account))
        if _HOST in str(path).lower() and sid in allowed and wfp_services.service_sid(str(name)) not in own:
            found[str(name)] = None
    names = sorted(found, key=str.lower)
    if not names:
        return "By the list of services, no other service of svchost.exe runs under these accounts."
    more = [f"{len(names) - MOST_NAMED} more"] if len(names) > MOST_NAMED else []
    many = plural(len(names), "other service runs", "other services run")
    return (
        f"By the list of services, {many} in svchost.exe under these accounts and would pass: "
        f"{listed([*names[:MOST_NAMED], *more])}."
    )


def _also(
    groups: Sequence[Group], allowed: Sequence[str], wanted: dict[int, set[int]], blocked: pd.DataFrame
) -> str | None:
    """Say which other blocked connections of svchost in this ticket are to the same ports."""
    own = frozenset(index for group in groups for index in group.events.index)
    rest = blocked[~blocked.index.isin(own)]
    same = pd.Series(False, index=rest.index)
    for protocol, ports in wanted.items():
        same |= ((rest["protocol"] == protocol) & rest["remote_port"].isin(ports)).fillna(value=False).astype(bool)
    told = rest["user_sid"].where(rest["user_source"] == netevents.SOURCE).astype("object")
    found = rest[same & told.map(lambda sid: _passes(sid, allowed)).astype(bool)]
    if found.empty:
        return None
    names = sorted({str(name) for services in found["services"] if services is not None for name in services})
    who = f" (of processes with {listed(names[:MOST_NAMED])})" if names else ""
    return (
        f"In this ticket, {plural(len(found), 'other refused connection')} of svchost.exe to the same ports{who} would "
        "pass where their token is of one of these accounts."
    )


def _passes(sid: object, allowed: Sequence[str]) -> bool:
    """Tell whether a token of this user may pass; one that no record tells may."""
    user = cells.text(sid)
    return user is None or user in allowed or (_INTERACTIVE in allowed and wfp_services.is_user_account(user))


def no_rule_remedy(groups: list[Group], store: Store | None = None) -> Remedy:
    """Say what to do where no service rule stood near; an exported rule ``store`` tells whether there is one."""
    known = sorted({name for g in groups for name in g.services or ()})
    if known and store is not None and not store.rules.empty:
        return _by_store(known, store)
    who = f" for {', '.join(known)}" if known else ""
    return Remedy(
        f"Find out which service needs the connection, and whether a rule{who} exists, is enabled and is of the "
        "profile in force; add one if the traffic is wanted.",
        (
            (
                "Get-NetFirewallRule -PolicyStore ActiveStore -Direction Outbound -Action Allow | "
                "Get-NetFirewallServiceFilter"
            ),
        ),
        NEW_RULE,
    )


def _by_store(known: Sequence[str], store: Store) -> Remedy:
    """Say what to do where an exported rule store tells which rules name the services."""
    found: dict[str, None] = {}
    without = []
    for name in known:
        rules = [item for item in rulestore.rules_for_service(store.rules, name).rules if item.action == "allow"]
        found.update(dict.fromkeys(called(store.rules.iloc[item.row]) for item in rules))
        without += [] if rules else [name]
    said = []
    if found:
        rule, it = ("the rule", "it was") if len(found) == 1 else ("the rules", "they were")
        said.append(
            f"Correct {rule} {shortened(list(found))}, if the traffic is wanted: what is told below says why {it} "
            f"not in force."
        )
    if without:
        said.append(f"No exported rule allows {shortened(without)}: add one if the traffic is wanted.")
    return Remedy(" ".join(said), (), NEW_RULE if without else None)
