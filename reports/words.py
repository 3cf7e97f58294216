"""What the words of the result mean, for people: one table per set of words, each row with its source.

A page shows these texts as they are. A new kind or grade is one more row here and in ``analyzer.model``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from analyzer.model import (
        Action,
        Confidence,
        Grade,
        Kind,
        KindEvidence,
        ProblemSeverity,
        Recorded,
        Rule,
        Severity,
        Switch,
    )

Group = Literal["defaults", "rules", "platform", "makers", "unknown"]
Fit = Literal["yes", "no", "unknown", "no-state"]  # the result's ``state_fits``, and that there is no state at all


@dataclass(frozen=True, slots=True)
class Word:
    """One word of the result: its title and what it means in a sentence or two."""

    title: str
    means: str
    source: str


@dataclass(frozen=True, slots=True)
class KindWord(Word):
    """A kind of block. ``pattern`` (0-4) tells kinds of one group apart where colour cannot."""

    group: Group
    pattern: int


@dataclass(frozen=True, slots=True)
class GradeWord(Word):
    """A grade. ``strength`` 0-4 is drawn beside the word; it orders, it does not measure."""

    strength: int


GROUPS: Final[dict[Group, str]] = {
    "defaults": "Firewall defaults",
    "rules": "Firewall rules",
    "platform": "Protections of the platform",
    "makers": "Other makers of filters",
    "unknown": "Not known",
}

KINDS: Final[dict[Kind, KindWord]] = {
    "default-outbound": KindWord(
        "Default outbound block",
        "No allow rule in force matched this outgoing connection, and the profile blocks outgoing traffic by default.",
        "REFERENCE 2.1, 3.4",
        "defaults",
        0,
    ),
    "default-inbound": KindWord(
        "Default inbound block",
        "No allow rule in force matched this incoming traffic, and the profile blocks incoming traffic by default. "
        "The name does not prove that anybody saw a prompt.",
        "REFERENCE 2.1, 8",
        "defaults",
        1,
    ),
    "explicit-rule": KindWord(
        "Block rule",
        "A firewall rule says block. The rule may come from a user, from an answered prompt or from Group Policy.",
        "REFERENCE 2.1; README, grades",
        "rules",
        0,
    ),
    "service-hardening": KindWord(
        "Service hardening",
        "Windows itself limits what this service may do on the network. An allow rule of the firewall does not "
        "lift it.",
        "REFERENCE 2.1, 5.3",
        "platform",
        0,
    ),
    "stealth": KindWord(
        "Stealth",
        "Nothing listened on that port, or an ICMP error was held back, so that a port scan learns nothing.",
        "REFERENCE 2.1, 12",
        "platform",
        1,
    ),
    "quarantine": KindWord(
        "Interface quarantine",
        "The interface had changed its network and was held until its profile was known. It lasts seconds.",
        "REFERENCE 2.1",
        "platform",
        2,
    ),
    "boot-time": KindWord(
        "Boot time",
        "The firewall service had not taken over yet. Rules cannot permit anything at that time.",
        "REFERENCE 2.1",
        "platform",
        3,
    ),
    "app-isolation": KindWord(
        "App isolation",
        "A packaged app lacks the capability for the network that it wanted to reach.",
        "REFERENCE 2.1",
        "platform",
        0,
    ),
    "appcontainer-loopback": KindWord(
        "App container loopback",
        "A packaged app spoke to its own machine without a loopback exemption.",
        "REFERENCE 2.1",
        "platform",
        4,
    ),
    "windows-component": KindWord(
        "Windows component",
        "A filter of Windows that is not the firewall's: Defender, WinNAT, Teredo and the like, told by key or "
        "sublayer.",
        "REFERENCE 3.1; README, grades",
        "makers",
        0,
    ),
    "third-party": KindWord(
        "Third-party product",
        "A provider, service or session that is known not to be Windows' own.",
        "REFERENCE 3.1; README, grades",
        "makers",
        1,
    ),
    "other-wfp": KindWord(
        "Other WFP filter",
        "A filter that is not the firewall's; its maker is not known (“a filter of unknown make”). A missing or "
        "unnamed provider proves nothing.",
        "REFERENCE 3.1, 12",
        "makers",
        2,
    ),
    "callout": KindWord(
        "Callout",
        "A driver decided by its own code. The filter tells which driver was asked, not why it refused.",
        "REFERENCE 4.1",
        "makers",
        3,
    ),
    "ipsec": KindWord(
        "IPsec",
        "A filter of the IPsec policy refused the traffic.",
        "REFERENCE 3.1",
        "makers",
        4,
    ),
    "no-filter": KindWord(
        "No filter named",
        "The event names filter id 0: Windows did not record what blocked.",
        "REFERENCE 1.5, 12",
        "unknown",
        1,
    ),
    "unresolved": KindWord(
        "Unresolved",
        "Nothing that was handed in tells what this filter was.",
        "REFERENCE 1.5, 10",
        "unknown",
        0,
    ),
}

GRADES: Final[dict[Grade, GradeWord]] = {
    "event": GradeWord("event", "The event id itself says it.", "README, grades", 4),
    "origin": GradeWord("origin", "The event carries the platform's own filter origin.", "README, grades", 4),
    "netevent": GradeWord(
        "net event",
        "A net event of the same flow and time names the origin or the filter.",
        "README, grades",
        4,
    ),
    "snapshot": GradeWord(
        "snapshot",
        "The state holds this filter id, every check agrees, and positive ties show that log and state belong "
        "together.",
        "README, grades",
        3,
    ),
    "history": GradeWord(
        "history",
        "Filter-change events (5441, 5447) in the log tell what the id was at that time.",
        "README, grades",
        3,
    ),
    "id-only": GradeWord(
        "id only",
        "The state holds the id and nothing contradicts, but no tie shows that log and state belong together.",
        "README, grades",
        1,
    ),
    "contradicted": GradeWord(
        "contradicted",
        "The state holds the id, but a check shows that it cannot be this filter. It is never named as the cause.",
        "README, grades",
        0,
    ),
    "none": GradeWord("none", "No evidence tells what the filter was.", "README, grades", 0),
}

CONFIDENCE: Final[dict[Confidence, Word]] = {
    "proven": Word("Proven", "Every piece of evidence that a proof needs is here.", "REFERENCE 5.5, 12"),
    "likely": Word("Likely", "All that could be checked fits; one link is not shown directly.", "REFERENCE 5.5"),
    "possible": Word(
        "Possible",
        "It fits what is known, and other explanations fit as well. See what to collect next.",
        "REFERENCE 5.5",
    ),
    "not-this": Word(
        "Not this", "The evidence speaks against it. It is listed so that nobody looks here again.", "REFERENCE 5.5"
    ),
}

SEVERITY: Final[dict[Severity, Word]] = {
    "high": Word("High", "Something that people need does not work, and it goes on.", "contract"),
    "medium": Word("Medium", "Worth acting on, with less harm or less reach.", "contract"),
    "low": Word("Low", "Good to know; acting on it is optional.", "contract"),
    "info": Word("Info", "Explains what is seen; nothing needs to be done.", "contract"),
}

PROBLEM_SEVERITY: Final[dict[ProblemSeverity, Word]] = {
    "lost": Word("Lost", "Evidence is missing from this report.", "contract"),
    "doubtful": Word("Doubtful", "It was read, with a doubt that is named.", "contract"),
    "note": Word("Note", "Nothing is missing; it is good to know.", "contract"),
}

# How a state was, or could have been, taken. REFERENCE 6.
TAKE_STATE: Final = "netsh wfp show state file=wfpstate.xml"

STATE_FITS: Final[dict[Fit, Word]] = {
    "yes": Word("State fits", "Log and state belong together: the ties are listed.", "README, grades"),
    "no": Word(
        "State does not fit",
        "Log and state do not belong together: filters are not read from it.",
        "README, grades",
    ),
    "unknown": Word(
        "State: not known",
        "What ties log and state together is not enough to be sure: filters found by number alone are marked.",
        "README, grades",
    ),
    "no-state": Word(
        "No state handed in",
        "Without a state, the numbers of filters cannot be looked up. Take one as administrator, right after the next "
        "failure.",
        "README, grades",
    ),
}

RECORDED: Final[dict[Recorded, Word]] = {
    "yes": Word("{} were recorded", "Blocks were being recorded in the time that the log covers.", "REFERENCE 7"),
    "no": Word(
        "{} were not recorded",
        "Blocks were not being recorded: that none is here says nothing.",
        "REFERENCE 7",
    ),
    "unknown": Word(
        "{}: recorded or not is unknown",
        "That is no proof that nothing was blocked.",
        "REFERENCE 7",
    ),
}

SWITCH: Final[dict[Switch, Word]] = {
    "on": Word("on", "This setting was on.", "REFERENCE 7.2"),
    "off": Word("off", "This setting was off.", "REFERENCE 7.2"),
    "unknown": Word("not told", "No file tells this setting.", "REFERENCE 7.2"),
}

# Why a rule has no filter (`analyzer.wfp.rules.Reason`). REFERENCE 12.
RULE_REASONS: Final[dict[str, str]] = {
    "plumbed": "Yes",
    "disabled": "No: disabled",
    "not-applied": "No: not applied",
    "not-merged": "No: policy ignores it",
    "other-profile": "No: other profile",
    "firewall-off": "No: firewall off",
    "permitting-default": "No: the default allows",
    "unresolved": "No filter, reason not known",
}


def rule_words(rule: Rule) -> list[str]:
    """Return what a rule asks for, one line per part; parts that the export does not tell are said to be so."""
    out = []
    for words, value in (
        ("program", rule.program),
        ("service", rule.service),
        ("app package", rule.package),
        ("protocol", protocol_words(rule.protocol)),
        ("user", rule.local_user),
    ):
        if value is not None:
            out.append(f"{words} {value}")
    for words, values in (
        ("local port", rule.local_ports),
        ("remote port", rule.remote_ports),
        ("local address", rule.local_addresses),
        ("remote address", rule.remote_addresses),
    ):
        if values:
            out.append(f"{words} {', '.join(values)}")
    untold = [part for part in ("port", "address", "application", "service") if part not in rule.known]
    return [*out, f"not told by the export: {', '.join(untold)}"] if untold else out


ACTIONS: Final[dict[Action, Word]] = {
    "block": Word("Block", "A connection, a listen or a bind was refused.", "contract"),
    "drop": Word("Drop", "One packet was discarded. One connection can make many drops.", "contract"),
    "permit": Word("Permit", "A connection, a listen or a bind was allowed.", "contract"),
}

KIND_EVIDENCE: Final[dict[KindEvidence, str]] = {
    "origin": "the platform's own filter origin",
    "key": "a fixed key",
    "shape": "provider, sublayer, layer, weight and conditions",
    "name": "its English name only: a hint, no proof",
}

INPUT_KINDS: Final[dict[str, str]] = {
    "evtx": "event log",
    "eventxml": "XML event log",
    "eventjson": "JSON event log",
    "wfpstate": "WFP state",
    "filters": "WFP filter list",
    "netevents": "net-event file",
    "wfpdiag": "WFP capture",
    "cab": "WFP capture archive",
    "services": "service list",
    "audit-policy": "audit policy export",
    "rules": "firewall rule export",
    "zip": "zip archive",
    "unknown": "not recognised",
}

# REFERENCE 1.1.
EVENTS: Final[dict[str, str]] = {
    "5031": "Firewall service refused to let a program accept connections",
    "5150": "Packet blocked at a MAC or virtual-switch layer",
    "5151": "Packet blocked at a MAC layer by a more restrictive filter",
    "5152": "Packet dropped",
    "5153": "Packet dropped by a more restrictive filter",
    "5154": "Listen permitted",
    "5155": "Listen blocked",
    "5156": "Connection permitted",
    "5157": "Connection blocked",
    "5158": "Bind permitted",
    "5159": "Bind blocked",
}

# IANA protocol numbers that meet a firewall.
PROTOCOLS: Final[dict[int, str]] = {
    0: "HOPOPT",
    1: "ICMP",
    2: "IGMP",
    4: "IP in IP",
    6: "TCP",
    17: "UDP",
    41: "IPv6 in IP",
    43: "IPv6 routing",
    44: "IPv6 fragment",
    47: "GRE",
    50: "ESP",
    51: "AH",
    58: "ICMPv6",
    103: "PIM",
    112: "VRRP",
    132: "SCTP",
}

# Layer symbols, without _V4, _V6 and _DISCARD. REFERENCE, Appendix A.
LAYERS: Final[dict[str, str]] = {
    "ALE_AUTH_CONNECT": "connect",
    "ALE_AUTH_RECV_ACCEPT": "receive/accept",
    "ALE_AUTH_LISTEN": "listen",
    "ALE_RESOURCE_ASSIGNMENT": "bind",
    "ALE_FLOW_ESTABLISHED": "flow established",
    "INBOUND_TRANSPORT": "inbound transport",
    "OUTBOUND_TRANSPORT": "outbound transport",
    "INBOUND_IPPACKET": "inbound IP packet",
    "OUTBOUND_IPPACKET": "outbound IP packet",
    "INBOUND_ICMP_ERROR": "inbound ICMP error",
    "OUTBOUND_ICMP_ERROR": "outbound ICMP error",
    "IPFORWARD": "forward",
    "DATAGRAM_DATA": "datagram data",
    "STREAM": "stream",
}


def layer_words(layer: str) -> str | None:
    """Return ``connect, IPv4`` for ``ALE_AUTH_CONNECT_V4``; None where the layer is not in the table."""
    name, discard = layer.removesuffix("_DISCARD"), layer.endswith("_DISCARD")
    family = {"_V4": ", IPv4", "_V6": ", IPv6"}.get(name[-3:], "")
    words = LAYERS.get(name[:-3] if family else name)
    return None if words is None else words + family + (" (discard)" if discard else "")


def protocol_words(protocol: int | None) -> str | None:
    """Return ``TCP`` for 6; ``protocol 99`` where the table has no name."""
    return None if protocol is None else PROTOCOLS.get(protocol, f"protocol {protocol}")
