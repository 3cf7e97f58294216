"""Filter origins: what the platform itself says a filter came from.

An origin is the name of a default filter group or the id of a rule. It stands in events (``FilterOrigin``) and, as a
provider context, in states; it is never localized. Sources: REFERENCE 2.1, 2.3, 10 and 12. Texts are compared
without case and without a trailing NUL.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from analyzer.model import Kind

USER_OR_ADMIN: Final = "user or admin rule"
PROMPT: Final = "answered prompt"
BUILT_IN: Final = "built-in hardening rule"
NAMED: Final = "named rule"


class Origin(NamedTuple):
    """How one origin text reads. ``kind`` is None where the text alone does not tell."""

    text: str
    kind: Kind | None
    rule_id: str | None  # only when the text is a rule's id
    maker: str | None  # who made the rule, only with a rule id
    words: str


class _Group(NamedTuple):
    kind: Kind | None
    words: str


# Lower-case text -> group.
DEFAULT_GROUPS: Final[dict[str, _Group]] = {
    "default outbound": _Group("default-outbound", "no allow rule matched, and the profile blocks outbound by default"),
    "query user default": _Group(
        "default-inbound", "no allow rule matched this listener; a prompt may or may not have been shown"
    ),
    # Seen as stored contexts in a real Windows 11 state, used by no filter there.
    "default inbound": _Group("default-inbound", "no allow rule matched, and the profile blocks inbound by default"),
    "shielded main rule": _Group("default-inbound", "the profile is set to block all incoming connections"),
    "stealth": _Group("stealth", "nothing listens there: port-scan prevention"),
    "boottime default": _Group("boot-time", "in force before the firewall service took over"),
    "quarantine default": _Group("quarantine", "the interface was held until its network profile was known"),
    "wsh default": _Group("service-hardening", "the service is hardened and no hardening rule allows this traffic"),
    "appcontainer loopback": _Group("appcontainer-loopback", "an app tried loopback without an exemption"),
    "uwp default": _Group("app-isolation", "the app lacks the capability for this network"),
    "uwp default inbound block rule": _Group("app-isolation", "the app lacks the capability to be reached here"),
    "uwp default outbound block rule": _Group("app-isolation", "the app lacks the capability to reach this network"),
    "ipsec address isolation for secure consec rules": _Group("ipsec", "an IPsec connection security rule"),
    # Purpose not confirmed: the filter's keys and shape have to tell.
    "shielded icmp v4 out": _Group(None, "ICMP while all incoming connections are blocked"),
    "shielded icmp v6 out": _Group(None, "ICMP while all incoming connections are blocked"),
    "wsc deny all inbound": _Group(None, "presumably while another firewall product takes over"),
    "wsc deny all outbound": _Group(None, "presumably while another firewall product takes over"),
    "unknown": _Group(None, "the platform names no origin; this proves no third party"),
}


# Beginnings of group names, for groups that this table does not know in full (REFERENCE 10).
_GROUP_STARTS: Final[dict[str, _Group]] = {
    "uwp default": _Group("app-isolation", "the app lacks the capability for this network"),
}

_GUID: Final = r"\{[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}"
_RULE_GUID: Final = re.compile(_GUID, re.IGNORECASE)
_PROMPT_RULE: Final = re.compile(rf"(?:TCP|UDP) Query User{_GUID}.*", re.IGNORECASE | re.DOTALL)
# Rule ids of Windows' own hardening rules on one program (72 of the 76 rule-id blocks of the dumps). These three
# families are measured as blocking filters in sublayer WSH.
_HARDENING_RULE: Final = re.compile(r"(?:DeviceManagement|SearchFilterHost|SearchProtocolHost)-\d+", re.IGNORECASE)
# What stands where an origin would, and names none.
_NO_ORIGIN: Final = frozenset({"", "-", "(null)", "null", "n/a", "none", "0"})


def clean(text: str) -> str:
    """Return an origin text up to its first NUL, without outer blanks; what names no origin becomes empty."""
    value = text.partition("\x00")[0].strip()
    return "" if value.lower() in _NO_ORIGIN or value.startswith("%%") else value


def read_origin(text: str | None, sublayer: str | None = None) -> Origin | None:
    """Read an origin text, or return None when there is none (empty or ``-``).

    Parameters
    ----------
    text
        the text of the event or of the state.
    sublayer
        canonical sublayer of the filter where it is known: a rule id there in ``MPSSVC_WSH`` is a hardening rule
        whatever its form (REFERENCE 10).
    """
    value = clean(text or "")
    if not value:
        return None
    lower = value.lower()
    group = DEFAULT_GROUPS.get(lower)
    if group is None:
        group = next((g for start, g in _GROUP_STARTS.items() if lower.startswith(start)), None)
    if group is not None:
        return Origin(value, group.kind, None, None, group.words)
    maker = rule_maker(value, sublayer)
    if maker == BUILT_IN:
        return Origin(value, "service-hardening", value, maker, "a hardening rule that Windows itself ships")
    words = {
        USER_OR_ADMIN: "a firewall rule",
        PROMPT: "a firewall rule that an answered firewall prompt made",
    }.get(maker or "", "a firewall rule with a name of its own (shipped, or named by its maker)")
    return Origin(value, "explicit-rule", value, maker, words)


def origin_kind(text: str | None, sublayer: str | None = None) -> Kind | None:
    """Return the kind that an origin text names, or None where it names none (``Unknown``, empty)."""
    origin = read_origin(text, sublayer)
    return origin.kind if origin is not None else None


def rule_id(text: str | None) -> str | None:
    """Return the rule id, or None where the origin is no rule's id."""
    origin = read_origin(text)
    return origin.rule_id if origin is not None else None


@lru_cache(maxsize=4096)  # asked for every verdict, of few distinct texts
def rule_maker(text: str | None, sublayer: str | None = None) -> str | None:
    """Return who made the rule that an origin names, in words, or None where it names no rule."""
    value = clean(text or "")
    if not value or value.lower() in DEFAULT_GROUPS or value.lower().startswith(tuple(_GROUP_STARTS)):
        return None
    if sublayer == "MPSSVC_WSH" or _HARDENING_RULE.fullmatch(value):
        return BUILT_IN
    if _RULE_GUID.fullmatch(value):
        return USER_OR_ADMIN
    if _PROMPT_RULE.fullmatch(value):
        return PROMPT
    return NAMED
