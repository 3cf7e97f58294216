"""What to say about each kind of block: one row per kind. Sources: REFERENCE 2, 3.3, 5.3, 8 and 12."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from analyzer.wfp.auditpolicy import OTHER_POLICY_CHANGE, POLICY_CHANGE

if TYPE_CHECKING:
    from analyzer.model import Kind, Severity


class KindText(NamedTuple):
    """The words of one kind's finding; ``command`` names a builder in :mod:`analyzer.diagnose.commands` or is empty."""

    title: str
    severity: Severity
    why: tuple[str, ...]
    do: str
    cost: str | None
    collect: tuple[str, ...]
    command: str = ""


STATE: Final = "netsh wfp show state, taken right after the blocks and before any rule, profile or network change"
_CHANGE: Final = "an additional allow rule cannot outvote it."
# What to do about block rules: by their ids, by the names that an exported store tells, by the names of filters.
OWN_RULES: Final = (
    f"Look the rule up by its id. If the traffic is wanted, change, disable or remove that rule; {_CHANGE}"
)
NAMED_RULE: Final = f"If the traffic is wanted, change, disable or remove the block rule {{}}; {_CHANGE}"
UNNAMED_RULE: Final = (
    "Look the rule up by its name: nothing here tells its id, and the filter is called {}. If the traffic is wanted, "
    f"change, disable or remove that rule; {_CHANGE}"
)

TEXTS: Final[dict[Kind, KindText]] = {
    "default-outbound": KindText(
        "Programs were blocked because no allow rule matched and the outbound default is to block",
        "medium",
        (
            (
                "The filter that blocked is the firewall's outbound default: no allow rule of the profile in force "
                "matched."
            ),
            "No block rule is at work here, so removing rules will not help; no matching allow rule was in force.",
        ),
        "Add an outbound allow rule for each program that should connect, as narrow as the traffic allows.",
        "Each rule lets its program reach what the rule names; limit protocol, port and address to what was seen.",
        ("the rules: Get-NetFirewallRule -PolicyStore ActiveStore -Direction Outbound",),
        "allow_program",
    ),
    "default-inbound": KindText(
        "Inbound connections were refused because no allow rule matched",
        "low",
        (
            "The firewall's inbound default refused them: no inbound allow rule of the profile in force matched.",
            "The name “Query User” does not prove that anybody was asked.",
        ),
        "If the service should be reachable, add an inbound allow rule for its program and port in the right profile.",
        "An inbound rule opens the port to every address that it does not exclude.",
        (STATE,),
    ),
    "explicit-rule": KindText(
        "An explicit firewall rule blocked this traffic",
        "medium",
        ("The blocking filter was made from a rule. Block rules win over allow rules, whatever their order.",),
        OWN_RULES,
        "Removing a block rule opens whatever else it kept out.",
        ("Get-NetFirewallRule -PolicyStore ActiveStore, since rules of Group Policy are not in the local store",),
        "show_rules",
    ),
    "service-hardening": KindText(
        "Windows service hardening blocked this traffic",
        "medium",
        (
            (
                "Windows limits some of its services and programs to the traffic that they were built for. "
                "These filters stand "
                "in a sublayer of their own and are not shown as firewall rules."
            ),
            "An allow rule in the firewall does not help against them: both have to permit.",
        ),
        "Expect this for hardened services. If the traffic is needed, look for the reason in the service's "
        "configuration.",
        None,
        (STATE,),
    ),
    "stealth": KindText(
        "Packets to ports without a listener were dropped silently (port-scan prevention)",
        "info",
        (
            "Nothing listened on these ports, so Windows dropped the packets without an answer.",
            "This is normal on any network; it is a lead only if a service should have been listening.",
        ),
        "Nothing, unless a program should listen there: then find out why it did not.",
        None,
        (),
    ),
    "quarantine": KindText(
        "Traffic was held back while an interface was being identified",
        "low",
        (
            (
                "After a network change Windows holds an interface back until its profile is known; such bursts "
                "last seconds."
            ),
        ),
        "Nothing if it was a short burst after a network change. If it lasts, see why the network is not identified.",
        None,
        ("Get-NetConnectionProfile at the time of the blocks",),
    ),
    "boot-time": KindText(
        "Boot-time protection blocked traffic before the firewall service took over",
        "info",
        (
            (
                "These filters are in force from the start of TCP/IP until the firewall service runs. Rules cannot "
                "change them."
            ),
        ),
        "Nothing if it happened during start-up. Later than that, check that the firewall service runs.",
        None,
        (),
    ),
    "app-isolation": KindText(
        "An app was blocked because it lacks a network capability",
        "medium",
        (
            (
                "The program runs in an app container, and its package declares no capability for this network "
                "(internet client, "
                "private network). A firewall rule does not grant it."
            ),
        ),
        "Take it to the app's maker, or check that the network has the right profile: private and public need "
        "different "
        "capabilities.",
        None,
        ("Get-AppxPackage and the app's manifest (Capabilities)",),
    ),
    "appcontainer-loopback": KindText(
        "An app was blocked from reaching this computer itself (loopback)",
        "low",
        (
            (
                "Apps in an app container may not use loopback without an exemption. The event can name the "
                "listener instead of "
                "the app."
            ),
        ),
        "For development, exempt the app from the loopback restriction; for anything else the app has to change.",
        "An exemption lets the app reach every local service.",
        (),
        "loopback_exempt",
    ),
    "windows-component": KindText(
        "A part of Windows other than the firewall blocked this traffic",
        "medium",
        ("The filter belongs to a component of Windows (Defender, NAT, edge traversal), not to the firewall's rules.",),
        "Look into that component; firewall rules do not change its decision.",
        None,
        (STATE,),
    ),
    "third-party": KindText(
        "A third-party product blocked this traffic",
        "medium",
        ("The filter's provider is a product that is not part of Windows. Windows Firewall rules do not overrule it.",),
        "Look into that product's own configuration and log.",
        None,
        ("the product's own log and policy",),
    ),
    "other-wfp": KindText(
        "A filter that is not the Windows Firewall's blocked this traffic; who made it is not known",
        "medium",
        (
            (
                "The filter's provider is missing or unknown. That alone proves neither a third party nor a part of "
                "Windows."
            ),
        ),
        "Find out who adds this filter: its provider and sublayer keys and the list of installed security and "
        "VPN software "
        "are the leads.",
        None,
        ("the list of installed security, VPN and virtualization software", STATE),
    ),
    "callout": KindText(
        "A callout driver decided about this traffic",
        "medium",
        ("The filter hands the decision to a driver (a callout). Why the driver blocked is not recorded.",),
        "Find the driver by the filter's callout, which the evidence names, and look into that product's own log.",
        None,
        ("netsh wfp show netevents file=netevents.xml", "the list of installed security and VPN software"),
    ),
    "ipsec": KindText(
        "IPsec policy blocked this traffic",
        "medium",
        (
            (
                "The filter belongs to IPsec: the connection needed protection that was not negotiated, or came "
                "outside of it."
            ),
        ),
        "Check the connection security rules and the negotiation with the other side.",
        None,
        ("netsh wfp show netevents file=netevents.xml (IKE failures)", "Get-NetIPsecRule -PolicyStore ActiveStore"),
    ),
    "no-filter": KindText(
        "Windows recorded blocks without naming a filter (run-time id 0)",
        "low",
        ("The events carry the run-time id 0, so no state can tell which filter it was. The cause is not documented.",),
        "Use layer, program and time of these events, and net events, to go on.",
        None,
        ("netsh wfp show netevents file=netevents.xml",),
    ),
    "unresolved": KindText(
        "For some blocks these files cannot tell which filter it was",
        "medium",
        (
            (
                "The run-time id in the event leads to no filter that could be meant. Ids change on every "
                "policy change and start "
                "again at boot, so the state has to be of the same time."
            ),
        ),
        "Reproduce the failure and take a state right after it.",
        None,
        (
            STATE,
            "a second state before the failure catches ids that are replaced meanwhile",
            (
                "auditing of policy changes records each filter as it comes and goes (5447; sources differ on which of "
                f"the two subcategories writes it): auditpol /set /subcategory:{POLICY_CHANGE},{OTHER_POLICY_CHANGE} "
                "/success:enable"
            ),
        ),
    ),
}
