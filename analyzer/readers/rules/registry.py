"""The firewall's keys of a registry export: which store a key is, its rules, and the settings of its profiles.

Sources: REFERENCE 5.3 (hardening), [MS-GPFAS] 2.2.2 and 2.2.3 (policy keys and settings).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from analyzer.readers.rules import grammar, regfile
from analyzer.wfp import rules as vocabulary

if TYPE_CHECKING:
    from analyzer.readers.stateproblems import Problems

# The live policy; `SharedAccess\Defaults` is what "restore defaults" would write, and is not in force.
_LOCAL: Final = re.compile(
    r".*\\((?:Current)?ControlSet(?:\d{3})?)\\Services\\SharedAccess\\(Parameters|Defaults)\\FirewallPolicy(?:\\(.*))?",
    re.IGNORECASE,
)
_POLICY: Final = re.compile(r".*\\Policies\\Microsoft\\WindowsFirewall(?:\\(.*))?", re.IGNORECASE)
_SELECT: Final = re.compile(r"[^\\]+\\[^\\]+\\Select", re.IGNORECASE)

# Subkey of FirewallPolicy in lower case -> store.
_RULE_KEYS: Final[dict[str, str]] = {
    "firewallrules": "local",
    r"mdm\firewallrules": "mdm",
    r"restrictedservices\static\system": "static-hardening",
    r"restrictedservices\configurable\system": "configurable-hardening",
    r"restrictedservices\appiso\firewallrules": "app-isolation",
}
_RULE_LIKE: Final = re.compile(r"v\d{1,3}\.\d{1,3}\|(?=.*\|?(?:Action|Dir)=)", re.IGNORECASE)
_CONNECTION_SECURITY: Final = ("consecrules", "mainmoderules", "phase1", "phase2")

# Value in lower case -> (column, words for 0 and 1). [MS-GPFAS] 2.2.3, [MS-FASP] 2.2.38.
_SETTINGS: Final[dict[str, tuple[str, tuple[object, object]]]] = {
    "enablefirewall": ("firewall", (False, True)),
    "defaultinboundaction": ("inbound", ("allow", "block")),
    "defaultoutboundaction": ("outbound", ("allow", "block")),
    "donotallowexceptions": ("shielded", (False, True)),
    "disablenotifications": ("notifications", (True, False)),
    "allowlocalpolicymerge": ("local_merge", (False, True)),
}


def sniff(head: str) -> bool:
    """Tell a registry export; whether it holds the firewall's keys shows when it is read."""
    return regfile.is_regfile(head)


def read(text: str, problems: Problems) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Return rows of ``frames.RULES`` and ``frames.FIREWALL_PROFILES``."""
    rules: dict[str, list[dict[str, object]]] = {}
    profiles: dict[str, dict[tuple[str, str], dict[str, object]]] = {}
    left = {"defaults": 0, "security": 0, "unknown": 0}
    current: int | None = None
    for value in regfile.read_values(text, problems):
        if _SELECT.fullmatch(value.key) and value.name.lower() == "current" and isinstance(value.data, int):
            current = value.data
        placed = _place(value.key)
        if placed is None:
            continue
        control_set, live, policy, subkey = placed
        if not live:
            left["defaults"] += 1
            continue
        store = "group-policy" if policy and subkey == "firewallrules" else _RULE_KEYS.get(subkey)
        if store is not None:
            row = _rule(value, store, problems)
            if row is not None:
                rules.setdefault(control_set, []).append(row)
        elif (profile := _profile(subkey, policy=policy)) is not None:
            _setting(value, profile, profiles.setdefault(control_set, {}), problems)
        elif subkey.startswith(_CONNECTION_SECURITY):
            left["security"] += 1
        elif isinstance(value.data, str) and _RULE_LIKE.match(value.data):
            left["unknown"] += 1
    _told(left, problems)
    chosen = _control_sets({*rules, *profiles}, current, problems)
    return (
        sorted((row for name in chosen for row in rules.get(name, ())), key=_line),
        sorted((row for name in chosen for row in profiles.get(name, {}).values()), key=_line),
    )


def _line(row: dict[str, object]) -> int:
    return row["line"] if isinstance(row["line"], int) else 0


def _place(key: str) -> tuple[str, bool, bool, str] | None:
    """Return control set (empty for policies), whether the key is live, whether it is a policy's, and the subkey."""
    found = _LOCAL.fullmatch(key)
    if found is not None:
        return found[1].lower(), found[2].lower() == "parameters", False, (found[3] or "").lower()
    found = _POLICY.fullmatch(key)
    return ("", True, True, (found[1] or "").lower()) if found is not None else None


def _profile(subkey: str, *, policy: bool) -> tuple[str, str] | None:
    """Return (store, profile) of a key that holds a profile's settings."""
    outer, _, last = subkey.rpartition("\\")
    name = vocabulary.PROFILE_KEYS.get(last)
    if name is None or outer not in ("", "mdm"):
        return None
    return ("mdm" if outer else "group-policy" if policy else "local", name)


def _control_sets(found: set[str], current: int | None, problems: Problems) -> list[str]:
    """Return the control sets to take: policies, and of several the one that is in use."""
    sets = sorted(found - {""})
    chosen = ["currentcontrolset"] if "currentcontrolset" in sets else sets[:1]
    if len(sets) > 1 and chosen != ["currentcontrolset"]:
        wanted = f"controlset{current:03d}" if current is not None and current < 1000 else ""
        if wanted in sets:
            chosen = [wanted]
        else:
            what = f"holds {len(sets)} control sets and not which one is in use: only {sets[0]} was read"
            problems.add("doubtful", None, what)
    return [*([""] if "" in found else []), *chosen]


def _told(left: dict[str, int], problems: Problems) -> None:
    if left["defaults"]:
        what = f"{left['defaults']:,} values below SharedAccess\\Defaults are not in force: left out"
        problems.add("note", None, what)
    if left["security"]:
        problems.add("note", None, f"{left['security']:,} values of connection security (IPsec) were not read")
    if left["unknown"]:
        what = f"{left['unknown']:,} rules stand below keys that are not known as a rule store: left out"
        problems.add("lost", None, what)


def _rule(value: regfile.Value, store: str, problems: Problems) -> dict[str, object] | None:
    place = f"line {value.line}"
    if value.data is None or not value.name:
        return None  # deleted, or the key's default value

    def say(what: str) -> None:
        problems.add("doubtful", place, f"rule {value.name[:80]}: {what}", group="doubtful rules")

    row = grammar.read_rule(value.data, say) if isinstance(value.data, str) else None
    if row is None:
        what = f"the value {value.name[:80]} is no firewall rule: left out"
        problems.add("lost", place, what, group="values that are no rules")
        return None
    row.update(line=value.line, store=store, rule_id=value.name)
    return row


def _setting(
    value: regfile.Value,
    profile: tuple[str, str],
    rows: dict[tuple[str, str], dict[str, object]],
    problems: Problems,
) -> None:
    found = _SETTINGS.get(value.name.lower())
    if found is None or value.data is None:
        return
    column, words = found
    if value.data not in (0, 1) or not isinstance(value.data, int):
        what = f"{value.name} of the {profile[1]} profile is neither 0 nor 1: left unknown"
        problems.add("doubtful", f"line {value.line}", what, group="settings that are neither 0 nor 1")
        return
    row = rows.setdefault(profile, {"line": value.line, "store": profile[0], "profile": profile[1]})
    row[column] = words[value.data]
