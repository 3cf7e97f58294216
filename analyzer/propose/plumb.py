"""Rules as the filters that the firewall would make of them, put into a state (REFERENCE 3.4, 4.1, 5.3).

What is inferred: a rule's filters have weight class 9 (allow) or 10 (block) in the firewall's sublayer, one filter per
address family here, and profiles are asked for when the connection began and now.
"""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from analyzer.engine.conditions import Test
from analyzer.review.conditions import DESCRIPTOR, Condition
from analyzer.review.identity import Item
from analyzer.rule_error import RuleError
from analyzer.shapes import BLOCK_RULE_WEIGHT
from analyzer.wfp import protocols, services, sublayers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.proposalmodel import RuleSpec
    from analyzer.review.sides import Snapshot

ALLOW_WEIGHT: Final = 9
SUBLAYER: Final = "MPSSVC_WF"
PROFILES: Final = {"public": 1, "private": 2, "domain": 3}
_LAYERS: Final = {"outbound": "ALE_AUTH_CONNECT_V", "inbound": "ALE_AUTH_RECV_ACCEPT_V"}
_FAMILY_OF: Final = {protocols.ICMP: 4, protocols.ICMPV6: 6}
_COLUMNS: Final = (
    *("filter_id", "name", "layer", "sublayer", "sublayer_weight", "effective_weight", "action", "flags"),
    "callout_key",
)


class PlumbError(RuleError):
    """A rule asks for something that can't be made a filter here; the message says what."""


def with_rules(side: Snapshot, rules: Sequence[RuleSpec]) -> Snapshot:
    """Return the state with the filters of these rules.

    Raises
    ------
    PlumbError
        A value of a rule is not understood.
    """
    made = [item for number, rule in enumerate(rules) for item in _filters(rule, number, side)]
    first, top = len(side.book.filters), max((item.filter_id for item in side.dump.items), default=0)
    items = [replace(item, row=first + at, filter_id=top + 1 + at) for at, item in enumerate(made)]
    book = side.book
    rows = pd.DataFrame([_row(item) for item in items], columns=list(_COLUMNS), dtype=object)
    known = book.filters[list(_COLUMNS)].astype(object)
    filters = pd.concat([known, rows], ignore_index=True)
    tests = book.tests | {item.row: tuple(_test(c) for c in item.conditions) for item in items}
    own = replace(book.snapshots[0], rows=range(len(filters)))
    return replace(
        side,
        book=replace(book, snapshots=(own,), filters=filters, tests=tests),
        dump=replace(
            side.dump,
            items=(*side.dump.items, *items),
            listed=side.dump.listed | {item.layer for item in items},
        ),
    )


def _row(item: Item) -> dict[str, Any]:
    return {
        "filter_id": item.filter_id,
        "name": item.name,
        "layer": item.layer,
        "sublayer": item.sublayer,
        "sublayer_weight": item.sublayer_weight,
        "effective_weight": item.effective,
        "action": item.action,
        "flags": (),
        "callout_key": None,
    }


def _test(condition: Condition) -> Test:
    return Test(condition.field, condition.match or "", condition.value, condition.text)


def _filters(rule: RuleSpec, number: int, side: Snapshot) -> Iterator[Item]:
    """Yield one filter for each address family that the rule can be about."""
    weight = ALLOW_WEIGHT if rule.action == "allow" else BLOCK_RULE_WEIGHT
    known = [item.sublayer_weight for item in side.dump.items if item.sublayer == SUBLAYER]
    local, remote = (_by_family(values) for values in (rule.local_addresses, rule.remote_addresses))
    for family in (4, 6):
        if _FAMILY_OF.get(rule.protocol or 0, family) != family:
            continue
        if (rule.local_addresses and family not in local) or (rule.remote_addresses and family not in remote):
            continue
        conditions = (
            *_fixed(rule),
            *(_address("IP_LOCAL_ADDRESS", value) for value in local.get(family, ())),
            *(_address("IP_REMOTE_ADDRESS", value) for value in remote.get(family, ())),
        )
        yield Item(
            row=-1,
            filter_id=0,
            name=rule.name,
            provider=SUBLAYER,
            sublayer=SUBLAYER,
            sublayer_weight=known[0] if known else sublayers.known_weight(SUBLAYER),
            layer=f"{_LAYERS[rule.direction]}{family}",
            action="permit" if rule.action == "allow" else "block",
            callout="",
            flags=frozenset(),
            origin="",
            rule_id="",
            data=f"proposed {number}",
            weight=("UINT8", weight),
            effective=weight << 60 | 1,
            conditions=conditions,
            kind="",
            kind_evidence="",
            product="",
        )


def _fixed(rule: RuleSpec) -> Iterator[Condition]:
    """Yield the conditions that are the same for both families."""
    if rule.program is not None:
        yield _one("ALE_APP_ID", "BYTE_BLOB_TYPE", rule.program.lower())
    sddl = rule.local_user
    if rule.service is not None:
        if sddl is not None:
            raise PlumbError("a rule with a service and with users can't be worked out")
        sddl = f"O:SYG:SYD:(A;;CCRC;;;{services.service_sid(rule.service)})"
    if sddl is not None:
        yield _one("ALE_USER_ID", DESCRIPTOR, sddl)
    if rule.protocol is not None:
        yield _one("IP_PROTOCOL", "UINT8", rule.protocol)
    for field, values in (("IP_LOCAL_PORT", rule.local_ports), ("IP_REMOTE_PORT", rule.remote_ports)):
        for value in values:
            yield _numbers(field, value)
    yield from _icmp(rule.icmp)
    for name in rule.profiles if len(rule.profiles) < len(PROFILES) else ():
        if name not in PROFILES:
            raise PlumbError(f"the profile {name!r} is not known")
        for field in ("ORIGINAL_PROFILE_ID", "CURRENT_PROFILE_ID"):
            yield _one(field, "UINT32", PROFILES[name])


def _icmp(values: Sequence[str]) -> Iterator[Condition]:
    """Yield type and code: WFP has them in the places of the ports (``fwpsk.h`` alias fields)."""
    pairs = [value.partition(":") for value in values]
    codes = {code for _, _, code in pairs}
    if len(pairs) > 1 and codes != {""}:
        raise PlumbError("several ICMP types with codes in one rule can't be worked out")
    for kind, _, code in pairs:
        yield _numbers("IP_LOCAL_PORT", kind)
        if code not in ("", "*"):
            yield _numbers("IP_REMOTE_PORT", code)


def _one(field: str, kind: str, value: Any) -> Condition:
    return Condition(field, "EQUAL", kind, value, str(value), str(value))


def _numbers(field: str, text: str) -> Condition:
    """Read a port or a range of ports."""
    low, dash, high = text.partition("-")
    if not (low.isascii() and low.isdigit() and (not dash or (high.isascii() and high.isdigit()))) or len(text) > 11:
        raise PlumbError(f"{text!r} is no port and no range of ports")
    begin, end = int(low), int(high or low)
    if begin > end or end > 0xFFFF:
        raise PlumbError(f"{text!r} is no port and no range of ports")
    if not dash:
        return _one(field, "UINT16", begin)
    return Condition(field, "RANGE", "RANGE_TYPE", (begin, end), text, text)


def _by_family(values: Sequence[str]) -> dict[int, list[Any]]:
    out: dict[int, list[Any]] = {}
    for text in values:
        try:
            low, dash, high = text.partition("-")
            if dash:
                pair = (ipaddress.ip_address(low), ipaddress.ip_address(high))
                if pair[0].version != pair[1].version or int(pair[0]) > int(pair[1]):
                    raise ValueError(text)  # noqa: TRY301 - the same end as any other text that is no address
                out.setdefault(pair[0].version, []).append(pair)
            else:
                network = ipaddress.ip_network(text, strict=False)
                single = network.prefixlen == network.max_prefixlen
                out.setdefault(network.version, []).append(network.network_address if single else network)
        except ValueError as error:
            raise PlumbError(f"{text!r} is no address, network or range (keywords can't be worked out)") from error
    return out


def _address(field: str, value: Any) -> Condition:
    if isinstance(value, tuple):
        text = f"{value[0]}-{value[1]}"
        return Condition(field, "RANGE", "RANGE_TYPE", value, text, text)
    return _one(field, "UINT32", value)
