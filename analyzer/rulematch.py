"""Whether a filter was made from a rule, by name and conditions: permits carry no rule id (REFERENCE 12).

A rule whose name Windows looks up itself (``@FirewallAPI.dll,-1``) is compared by conditions alone, and then needs one
that is telling: ports, a program or a service.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from analyzer import cells
from analyzer.wfp import protocols as wfp_protocols
from analyzer.wfp import services as wfp_services

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_DIRECTION_OF_LAYER: Final[tuple[tuple[str, str], ...]] = (
    ("ALE_AUTH_CONNECT", "outbound"),
    ("OUTBOUND_", "outbound"),
    ("ALE_AUTH_RECV_ACCEPT", "inbound"),
    ("ALE_AUTH_LISTEN", "inbound"),
    ("ALE_RESOURCE_ASSIGNMENT", "inbound"),
    ("INBOUND_", "inbound"),
)
# Rule filters of sublayer WF and hardening (REFERENCE 3.4, weight classes); others are the firewall's own.
_SUBLAYERS: Final[dict[str, frozenset[str]]] = {
    "MPSSVC_WF": frozenset({"local", "group-policy", "mdm", "dynamic", "generated"}),
    "MPSSVC_WSH": frozenset({"static-hardening", "configurable-hardening", "hardcoded"}),
    "MPSSVC_APP_ISOLATION": frozenset({"app-isolation"}),
}
_PROGRAM_VARIABLES: Final[dict[str, str]] = {
    "%systemroot%": "\\windows",
    "%windir%": "\\windows",
    "%programfiles%": "\\program files",
    "%programfiles(x86)%": "\\program files (x86)",
    "%programdata%": "\\programdata",
    "%systemdrive%": "",
}
_ICMP: Final = frozenset({wfp_protocols.ICMP, wfp_protocols.ICMPV6})
_TYPE_DIGITS: Final = 3
_VARIABLE: Final = re.compile(r"%[^%]+%")
_DRIVE: Final = re.compile(r"^[a-z]:")
_PORT: Final = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")


@dataclass(frozen=True, slots=True)
class RuleFilter:
    """A filter as far as rules can be compared with it. A span that cannot be compared is ``(-1, -1)``."""

    filter_id: int
    name: str
    protocols: frozenset[int]
    local: tuple[tuple[int, int], ...]
    remote: tuple[tuple[int, int], ...]
    programs: frozenset[str]
    users: tuple[str, ...]
    icmp_types: frozenset[int] = frozenset()


def candidates(filters: pd.DataFrame, conditions: pd.DataFrame) -> dict[tuple[str, str, str], list[RuleFilter]]:
    """Return (sublayer, direction, action) -> filters of one state that rules may have made.

    ``filter_row`` of the conditions counts as the index of ``filters`` does.
    """
    tests: dict[int, list[tuple[str, str, Any]]] = {}
    columns = conditions[["filter_row", "field", "match", "value"]]
    first = 0 if filters.empty else int(filters.index[0])
    for row, name, match, value in columns.itertuples(index=False, name=None):
        tests.setdefault(int(row), []).append((name, match, value))
    out: dict[tuple[str, str, str], list[RuleFilter]] = {}
    wanted = filters[["filter_id", "name", "layer", "sublayer", "action", "origin"]]
    for row, (number, name, layer, sublayer, action, origin) in enumerate(wanted.itertuples(index=False, name=None)):
        direction = next((word for start, word in _DIRECTION_OF_LAYER if str(layer).startswith(start)), None)
        rule_like = action in ("permit", "block") and sublayer in _SUBLAYERS and direction is not None
        if not rule_like or pd.isna(number) or isinstance(origin, str):  # with an origin the id itself tells
            continue
        item = _filter(int(number), cells.text(name) or "", tests.get(row + first, ()))
        out.setdefault((sublayer, str(direction), action), []).append(item)
    return out


def _filter(number: int, name: str, tests: Iterable[tuple[str, str, Any]]) -> RuleFilter:
    by_field: dict[str, list[Any]] = {}
    for field_name, match, value in tests:
        if match in ("EQUAL", "RANGE", "EQUAL_CASE_INSENSITIVE"):
            by_field.setdefault(field_name, []).append(value)
    protocols = frozenset(v for v in by_field.get("IP_PROTOCOL", ()) if isinstance(v, int))
    types: list[Any] = []
    if protocols and protocols <= _ICMP:
        # For ICMP the fields of the ports hold type and code (REFERENCE 1.2; measured in a rule with a code).
        types = [*by_field.get("ORIGINAL_ICMP_TYPE", ()), *by_field.pop("IP_LOCAL_PORT", ())]
        by_field.pop("IP_REMOTE_PORT", None)
    return RuleFilter(
        number,
        name.strip(),
        protocols,
        tuple(_span(v) for v in by_field.get("IP_LOCAL_PORT", ())),
        tuple(_span(v) for v in by_field.get("IP_REMOTE_PORT", ())),
        frozenset(v.lower() for v in by_field.get("ALE_APP_ID", ()) if isinstance(v, str)),
        tuple(v.upper() for v in by_field.get("ALE_USER_ID", ()) if isinstance(v, str)),
        frozenset(v for v in types if isinstance(v, int)),
    )


def _span(value: Any) -> tuple[int, int]:
    low, high = value if isinstance(value, tuple) else (value, value)
    sound = isinstance(low, int) and isinstance(high, int) and not isinstance(low, ipaddress.IPv4Address)
    return (low, high) if sound else (-1, -1)


def matching(rule: Mapping[str, Any], made: Mapping[tuple[str, str, str], list[RuleFilter]]) -> list[int]:
    """Return the run-time ids of the filters that fit a row of ``frames.RULES``."""
    store, name = rule["store"], cells.text(rule["name"]) or ""
    action = {"allow": "permit", "bypass": "permit", "block": "block"}.get(str(rule["action"]), "")
    named = bool(name) and not name.startswith("@")
    out = []
    for sublayer, stores in _SUBLAYERS.items():
        if isinstance(store, str) and store not in stores:
            continue
        for item in made.get((sublayer, str(rule["direction"]), action), ()):
            if named and item.name != name.strip():
                continue
            telling = _agreement(rule, item)
            if telling is not None and (named or telling):
                out.append(item.filter_id)
    return out


def _agreement(rule: Mapping[str, Any], item: RuleFilter) -> int | None:
    """Return how many telling conditions agree, or None where one contradicts."""
    known = rule["known"] or ()
    telling = 0
    for part, agrees in (
        ("port", _protocol_agrees(rule, item)),
        ("port", _ports_agree(rule["remote_ports"], item.remote)),
        ("port", _ports_agree(rule["local_ports"], item.local)),
        ("port", _icmp_agrees(rule["icmp"], item.icmp_types)),
        ("application", _program_agrees(cells.text(rule["program"]), item.programs)),
        ("service", _service_agrees(cells.text(rule["service"]), item.users)),
    ):
        if part not in known or agrees is None:
            continue
        if agrees is False:
            return None
        telling += agrees == "telling"
    return telling


def _protocol_agrees(rule: Mapping[str, Any], item: RuleFilter) -> bool:
    protocol = cells.number(rule["protocol"])
    return (not item.protocols) if protocol is None else item.protocols == {protocol}


def _ports_agree(ports: Sequence[str] | None, spans: Sequence[tuple[int, int]]) -> bool | str | None:
    """Compare ports as sets of spans; keywords (``RPC``) stand for ports that only Windows knows."""
    if ports is None or (-1, -1) in spans:
        return None
    if not ports:
        return not spans
    wanted = set()
    for port in ports:
        found = _PORT.fullmatch(port.strip())
        if found is None:
            return None
        wanted.add((int(found[1]), int(found[2] or found[1])))
    if not spans:
        return False
    return "telling" if wanted & set(spans) else False


def _icmp_agrees(icmp: Sequence[str] | None, types: frozenset[int]) -> bool | str | None:
    """Compare the types of ``8:*`` or ``3:4``; keywords, and a filter that shows no type, tell nothing."""
    wanted = {text.partition(":")[0].strip() for text in icmp or ()}
    if not wanted or not types or not all(text.isdecimal() and len(text) <= _TYPE_DIGITS for text in wanted):
        return None
    return "telling" if types & {int(text) for text in wanted} else False


def _program_agrees(program: str | None, programs: frozenset[str]) -> bool | str | None:
    if program is None:
        return not programs
    if not programs:
        return False
    ending = program_ending(program)
    if ending is None:
        return None
    same = any(path == ending or path.endswith(f"\\{ending.lstrip(chr(92))}") for path in programs)
    return "telling" if same else False


def program_ending(program: str) -> str | None:
    r"""Return how a device path ends that a rule's program means: ``\windows\system32\svchost.exe``.

    None where a variable is not known. The drive is dropped: which volume it is stands in no file.
    """
    text = program.strip().lower()
    for variable, path in _PROGRAM_VARIABLES.items():
        text = text.replace(variable, path)
    return None if _VARIABLE.search(text) else _DRIVE.sub("", text)


def _service_agrees(service: str | None, users: Sequence[str]) -> bool | str | None:
    if service is None:
        return None  # a user condition may be of the rule's users or of an app package
    if service == "*":
        return None
    sid = wfp_services.service_sid(service)
    return "telling" if any(sid in user for user in users) else False
