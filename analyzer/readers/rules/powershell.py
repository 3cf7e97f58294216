"""PowerShell's lists: ``Get-NetFirewallRule``, the filters that belong to its rules, and ``Get-NetFirewallProfile``.

JSON (``ConvertTo-Json``) or CSV (``Export-Csv``); enumerations come as numbers or as names, ports and addresses as
texts or lists. Each object is told by the properties that it has, so that one file may hold several kinds, and rules
whose filters somebody joined already. Property names are not localized. Source: the WMI classes MSFT_NetFirewallRule,
MSFT_NetProtocolPortFilter, MSFT_NetAddressFilter and their kin.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from analyzer.readers import tables
from analyzer.wfp import rules as vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analyzer.readers.stateproblems import Problems

_RULE: Final = frozenset({"direction", "action"})
_RULE_TELLING: Final = frozenset({"enabled", "instanceid", "policystoresource", "displayname", "edgetraversalpolicy"})
_PROFILE: Final = frozenset({"defaultinboundaction", "defaultoutboundaction"})
# Part -> properties (lower case) that show it.
_PARTS: Final[dict[str, tuple[str, ...]]] = {
    "port": ("localport", "remoteport", "protocol"),
    "address": ("localaddress", "remoteaddress", "localip", "remoteip"),
    "application": ("program", "apppath"),
    "service": ("service", "servicename"),
    "interface": ("interfacealias",),
    "interface-type": ("interfacetype",),
    "security": ("localuser", "remoteuser", "remotemachine", "localusers", "remoteusers"),
}
_FILTER_PROPERTIES: Final = frozenset(name for names in _PARTS.values() for name in names)
# PowerShell's own bookkeeping: no news for anybody.
_OTHER_PROPERTIES: Final = """
    name id displayname description displaygroup group enabled profile profiles platform platforms direction action
    edgetraversalpolicy loosesourcemapping lsm localonlymapping owner primarystatus status statuscode
    enforcementstatus policystoresource policystoresourcetype caption commonname conditionlisttype creationclassname
    elementname executionstrategy instanceid mandatory policydecisionstrategy policykeywords policyroles policyrulename
    priority pscomputername rulegroup ruleusage sequencedactions systemcreationclassname systemname cimclass
    ciminstanceproperties cimsystemproperties icmptype package
"""
_KNOWN: Final = frozenset(_OTHER_PROPERTIES.split()) | _FILTER_PROPERTIES
_ANY: Final = frozenset({"any", "*", ""})
_TYPE_NAME: Final = re.compile(r"(?:System|Microsoft)\.[\w.]+(?:\[\])?(?:#\w+)?", re.IGNORECASE)
_MAX_ITEMS: Final = 20_000
_BLANKS: Final = re.compile(r"[,;\s]+")
_COMMAS: Final = re.compile(r"[,;]")  # names of interfaces hold blanks


def sniff(head: str) -> bool:
    """Tell whether a text that begins like this is such a list."""
    names = tables.property_names(head)
    if (names >= _RULE and not names.isdisjoint(_RULE_TELLING)) or names >= _PROFILE:
        return True
    return "instanceid" in names and len(names & _FILTER_PROPERTIES) > 0


def read(
    text: str, problems: Problems
) -> tuple[list[dict[str, object]], list[dict[str, object]], list[dict[str, object]]]:
    """Return rows of ``frames.RULES``, ``frames.FIREWALL_PROFILES`` and ``frames.RULE_PARTS``."""
    rules: list[dict[str, object]] = []
    profiles: list[dict[str, object]] = []
    parts: list[dict[str, object]] = []
    for record in tables.read_records(text, problems):
        fields = record.fields
        if fields.keys() >= _PROFILE and "direction" not in fields:
            _add(profiles, _profile(record, problems))
        elif "direction" in fields or "action" in fields:
            _add(rules, _rule(record, problems))
        elif (rule_id := _identity(fields)) is not None and _known(fields):
            parts.append({"line": record.line, "rule_id": rule_id, **_part(record, problems)})
        else:
            what = "an object is no rule, no filter of a rule and no profile: left out"
            problems.add("lost", f"line {record.line}", what, group="objects of other kinds")
    return rules, profiles, parts


def _add(rows: list[dict[str, object]], row: dict[str, object] | None) -> None:
    if row is not None:
        rows.append(row)


def _identity(fields: Mapping[str, Any]) -> str | None:
    found = (tables.text_of(fields.get(name)) for name in ("instanceid", "name", "id"))
    return next((text for text in found if text is not None), None)


def _known(fields: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(part for part, names in _PARTS.items() if any(name in fields for name in names))


def _rule(record: tables.Record, problems: Problems) -> dict[str, object] | None:
    get, place = record.fields.get, f"line {record.line}"
    rule_id = _identity(record.fields)
    if rule_id is None:
        problems.add("lost", place, "a rule has no id: left out", group="rules without an id")
        return None

    def word(name: str, words: Mapping[str, Any]) -> Any:
        text = tables.text_of(get(name))
        found = words.get(text.lower()) if text is not None else None
        if found is None and text not in (None, "0", "NotConfigured"):
            what = f"rule {rule_id[:80]}: {name} {(text or '')[:40]!r} is not known"
            problems.add("doubtful", place, what, group=f"unknown words for {name}")
        return found

    profile = tables.text_of(get("profile") if get("profile") is not None else get("profiles"))
    extra = {name: text for name, value in record.fields.items() if name not in _KNOWN and (text := _plain(value))}
    return {
        "line": record.line,
        "rule_id": rule_id,
        **_part(record, problems),
        "store": _store(record.fields),
        "store_name": tables.text_of(get("policystoresource")),
        "name": tables.text_of(get("displayname") or get("elementname") or get("name")),
        "group": tables.text_of(get("displaygroup") or get("group") or get("rulegroup")),
        "action": word("action", vocabulary.ACTIONS),
        "active": word("enabled", vocabulary.ENABLED),
        "direction": word("direction", vocabulary.DIRECTIONS),
        "profiles": vocabulary.profiles(profile) if profile is not None else None,
        "owner": tables.text_of(get("owner")),
        "edge": vocabulary.EDGES.get((tables.text_of(get("edgetraversalpolicy")) or "").lower()),
        "enforcement": _enforcement(get("enforcementstatus")),
        "extra": extra or None,
    }


def _store(fields: Mapping[str, Any]) -> str | None:
    name = (tables.text_of(fields.get("policystoresource")) or "").lower()
    kind = (tables.text_of(fields.get("policystoresourcetype")) or "").lower()
    return vocabulary.STORE_NAMES.get(name) or vocabulary.STORE_TYPES.get(kind) or ("mdm" if name == "mdm" else None)


def _enforcement(value: Any) -> tuple[str, ...] | None:
    out = []
    for item in _items(value) or ():
        number = tables.number_of(item)
        known = number is not None and number < len(vocabulary.ENFORCEMENT)
        out.append(vocabulary.ENFORCEMENT[number] if known and number is not None else item)
    return tuple(out) if out else None


def _part(record: tables.Record, problems: Problems) -> dict[str, object]:
    """Return the columns of ``frames.RULE_PARTS`` that an object tells."""
    fields, place = record.fields, f"line {record.line}"
    out: dict[str, object] = {"known": _known(fields)}

    def listed(*names: str, between: re.Pattern[str] = _BLANKS) -> tuple[str, ...] | None:
        value = next((fields[name] for name in names if name in fields), None)
        items = _items(value, between)
        if items is None or not any(_TYPE_NAME.fullmatch(item) for item in items):
            return () if items is not None and all(item.lower() in _ANY for item in items) else items
        what = f"{names[0]} holds the name of a type instead of its values (Export-Csv of a list): left unknown"
        problems.add("doubtful", place, what, group="type names instead of values")
        return None

    def single(*names: str) -> str | None:
        text = next((tables.text_of(fields[name]) for name in names if name in fields), None)
        return None if text is None or text.lower() in _ANY - {"*"} else text

    protocol = single("protocol")
    number = vocabulary.protocol_number(protocol) if protocol is not None else None
    if protocol is not None and number is None and protocol != "256":
        what = f"the protocol {protocol[:40]!r} is not known"
        problems.add("doubtful", place, what, group="unknown protocols")
    out.update(
        protocol=number,
        local_ports=listed("localport"),
        remote_ports=listed("remoteport"),
        icmp=listed("icmptype"),
        local_addresses=listed("localaddress", "localip"),
        remote_addresses=listed("remoteaddress", "remoteip"),
        program=single("program", "apppath"),
        package=single("package"),
        service=single("service", "servicename"),
        interfaces=listed("interfacealias", between=_COMMAS),
        interface_types=listed("interfacetype"),
        local_user=single("localuser", "localusers"),
        remote_user=single("remoteuser", "remoteusers"),
        remote_machine=single("remotemachine", "remotemachines"),
    )
    return out


def _items(value: Any, between: re.Pattern[str] = _BLANKS) -> tuple[str, ...] | None:
    """Return a list's texts, of a JSON list or of a text with commas or blanks (lists below ConvertTo-Json's depth)."""
    if value is None:
        return None
    if isinstance(value, list):
        found = (tables.text_of(tables.unwrap(item)) for item in value[:_MAX_ITEMS])
        return tuple(item for item in found if item is not None)
    text = tables.text_of(value)
    return None if text is None else tuple(item for part in between.split(text.strip("{}")) if (item := part.strip()))


def _plain(value: Any) -> str | None:
    if isinstance(value, list):
        items = _items(value)
        return ", ".join(items)[:1000] if items else None
    text = tables.text_of(value)
    return text[:1000] if text is not None else None


def _profile(record: tables.Record, problems: Problems) -> dict[str, object] | None:
    get = record.fields.get
    name = (tables.text_of(get("name") or get("profile") or get("instanceid")) or "").lower().rpartition("|")[2]
    if name not in vocabulary.PROFILES:
        what = f"a profile has the name {name[:40]!r}: left out"
        problems.add("lost", f"line {record.line}", what, group="profiles of other names")
        return None

    def switch(field: str) -> bool | None:
        return vocabulary.SWITCHES.get((tables.text_of(get(field)) or "").lower())

    def action(field: str) -> str | None:
        return vocabulary.ACTIONS.get((tables.text_of(get(field)) or "").lower())

    allowed = switch("allowinboundrules")
    return {
        "line": record.line,
        "store": _store(record.fields),
        "profile": name,
        "firewall": switch("enabled"),
        "inbound": action("defaultinboundaction"),
        "outbound": action("defaultoutboundaction"),
        "shielded": None if allowed is None else not allowed,
        "notifications": switch("notifyonlisten"),
        "local_merge": switch("allowlocalfirewallrules"),
    }
