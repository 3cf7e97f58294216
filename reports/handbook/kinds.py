"""The handbook's entries on kinds of blocks. Sources: the sections named with each (`docs/sources.md`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reports.handbook.entry import Entry
from reports.words import KINDS as WORDS

if TYPE_CHECKING:
    from analyzer.model import Kind

# Kind: how it is told, what to look at, what to beware of, sources. What it means stands in `reports.words`.
_TABLE: Final[dict[Kind, tuple[str, tuple[str, ...], tuple[str, ...], str]]] = {
    "default-outbound": (
        (
            "By the origin `Default Outbound` in the event (Windows 11, Server 2022), or by the firewall's "
            "default filter in the state, found by the event's run-time id."
        ),
        (
            (
                "Does a rule for this program exist, is it enabled, and does it apply to the profile in force? "
                "`Get-NetFirewallRule -PolicyStore ActiveStore -Direction Outbound` shows what applies."
            ),
            "For `svchost.exe`, read the finding on service SIDs first: there a rule may exist and still not match.",
            (
                "Where programs go through a proxy or resolve names, the program that is blocked is often another one: "
                "the service Dnscache asks for all programs."
            ),
        ),
        (
            "No block rule did this, so removing block rules does not help.",
            (
                "That no allow filter matched does not prove that no rule exists: disabled rules and rules of other "
                "profiles make no filter."
            ),
        ),
        "2.1, 3.4, 8, 12",
    ),
    "default-inbound": (
        (
            "By the origin `Query User Default` in the event, by event 5031, or by the firewall's default "
            "filter in the state."
        ),
        (
            (
                "Should other machines reach this program? If so, is there an inbound allow rule for it, its "
                "port and the profile in force?"
            ),
            (
                "Is the sender somebody who should talk to this machine at all? Blocks of strangers are the firewall's "
                "everyday work."
            ),
        ),
        (
            "“Query User” is the filter's name. It does not prove that anybody was asked, or answered.",
            (
                "Peers that offer updates to each other (Delivery Optimization, port 7680) make many such blocks; they "
                "are normal."
            ),
        ),
        "2.1, 8",
    ),
    "explicit-rule": (
        "By a rule id in the event's origin, or in the origin of the filter that the run-time id leads to.",
        (
            (
                "Look the rule up by its id: `Get-NetFirewallRule -PolicyStore ActiveStore -Name 'ID'`. Its "
                "`PolicyStoreSource` says whether Group Policy brought it."
            ),
            (
                "An id that begins with `TCP Query User` or `UDP Query User` was made by the firewall's prompt: who "
                "cancels it gets block rules."
            ),
        ),
        (
            "An allow rule beside it does not help: among firewall rules, block wins.",
            "A rule that came by Group Policy or device management returns when it is removed on the machine.",
        ),
        "2.1, 4.1, 8",
    ),
    "service-hardening": (
        (
            "By the origin `WSH Default`, by the id of one of Windows' own hardening rules, or by a filter of the "
            "hardening sublayer whose condition names services."
        ),
        (
            "Is this traffic what the service is for? Hardened services are limited to it on purpose.",
            "If it is wanted, look at what the service was configured to do, not at the firewall's rules.",
        ),
        (
            (
                "The firewall console does not show these rules, and an allow rule does not lift them: both have to "
                "permit."
            ),
            "BITS, CryptSvc, wlidsvc and wuauserv are not hardened: when they fail, the service SID is the lead.",
        ),
        "2.1, 5.3, 12",
    ),
    "stealth": (
        "By the origin `Stealth`, or by the stealth filter's fixed shape at a transport or ICMP layer.",
        (
            "Should a program have been listening on that port? If so, why was it not?",
            "Else nothing: broadcasts, discovery and scanners make many of these.",
        ),
        (
            "A closed port makes a dropped packet (5152), never a blocked connection (5157).",
            "With no listener the drop is called stealth even where a block rule would match as well.",
        ),
        "2.1, 8, 12",
    ),
    "quarantine": (
        "By the origin `Quarantine Default`, or by the fixed keys of the quarantine filters.",
        (
            "Did a network, cable, access point or VPN change at that moment? Then nothing is wrong.",
            "If it lasts: `Get-NetConnectionProfile`. The network may not be identified.",
        ),
        ("It comes in bursts of seconds. A long burst is the unusual case.",),
        "2.1, 8",
    ),
    "boot-time": (
        "By the origin `Boottime Default`, or by the fixed keys of the boot-time filters.",
        (
            "Does the time fit a start of the machine? Then it is normal.",
            "If not: does the firewall service (`mpssvc`) run?",
        ),
        ("No rule can permit traffic at that time.",),
        "2.1, 8",
    ),
    "app-isolation": (
        (
            "By the origin `UWP Default Inbound Block Rule` or `UWP Default Outbound Block Rule`, or by the filter's "
            "conditions on app capabilities."
        ),
        (
            "Which profile does the network have? Private and public networks need different capabilities.",
            "What does the app's manifest declare? `Get-AppxPackage` names the package.",
        ),
        ("A firewall rule does not give an app a capability that its package lacks.",),
        "2.1",
    ),
    "appcontainer-loopback": (
        "By the origin `AppContainer Loopback`, or by the filter's conditions.",
        (
            "Is it development or testing? `CheckNetIsolation.exe LoopbackExempt -s` lists the exemptions.",
            "Else the app has to change: an exemption is no setting for daily use.",
        ),
        ("The event may name the program that listens, not the app that called.",),
        "2.1, 12",
    ),
    "windows-component": (
        "By provider, sublayer or fixed key of the filter, as a list of Windows' own parts has them.",
        ("Look at the component that is named: Defender, NAT, edge traversal, and what it is configured to do.",),
        ("The firewall's rules do not decide here.",),
        "3.1, 3.2",
    ),
    "third-party": (
        "By a provider, service or session of the filter that is known not to be Windows' own.",
        ("Look at that product's log and policy, or ask who manages it.",),
        ("Windows Firewall goes on working beside it: a connection has to pass both.",),
        "3.1, 8",
    ),
    "other-wfp": (
        "The filter was found and is none of the firewall's, and nothing tells who made it.",
        (
            "Which security, VPN or virtualization software is installed?",
            "The provider and sublayer keys in the report can be looked for in that software's documentation.",
        ),
        (
            "A missing or unnamed provider proves neither a third party nor Windows.",
            "The origin `Unknown` is also seen on filters of Windows' own.",
        ),
        "3.1, 12",
    ),
    "callout": (
        "By the action of the filter: it hands the decision to a driver.",
        (
            "Which driver is it? The filter's callout key or name is the lead; then that product's own log.",
            "`netsh wfp show netevents` right after a block may say more.",
        ),
        ("The filter is not the reason. The driver decided, and did not record why.",),
        "4.1",
    ),
    "ipsec": (
        "By provider, sublayer or layer of the filter.",
        (
            "Do both sides have connection security rules that fit? `Get-NetIPsecRule -PolicyStore ActiveStore`.",
            "Did the negotiation fail? Net events tell.",
        ),
        ("An allow rule without IPsec does not make a connection that policy wants protected.",),
        "3.1",
    ),
    "no-filter": (
        "The event's run-time id is 0.",
        ("Layer, program and time are what is left; net events of the same time may name the filter.",),
        ("Why Windows writes 0 for a block is not documented.",),
        "1.5, 12",
    ),
    "unresolved": (
        "The event has no origin, and its run-time id leads to no filter that could be meant.",
        (
            "Reproduce the failure and take the state right after it: `netsh wfp show state file=wfpstate.xml`.",
            "A second state before the failure catches ids that are replaced meanwhile.",
            (
                "Auditing of Filtering Platform Policy Change and Other Policy Change Events records each filter as it "
                "comes and goes (5447)."
            ),
        ),
        (
            "A number that looks right in a state of another day or machine proves nothing: ids are used again.",
            "Where a check speaks against the filter that was found, the report does not name it as the cause.",
        ),
        "1.5, 10",
    ),
}

KINDS: Final[dict[str, Entry]] = {
    kind: Entry(kind, WORDS[kind].title, WORDS[kind].means, told, check, beware, source)
    for kind, (told, check, beware, source) in _TABLE.items()
}
