"""Ticket (i): a French Windows. What is localized changes; what a reader should say does not."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from samples import background, lists
from samples.background import SVCHOST
from samples.eventxml import Culture
from samples.machine import Machine, application, protocol
from samples.state import Endpoint
from samples.story import SYN_AGAIN, Story
from samples.ticket import Log, Service, Ticket
from samples.told import Cause, Flow, Say, Socket

if TYPE_CHECKING:
    from collections.abc import Mapping

    from samples.background import Ids
    from samples.state import State

HOST: Final = "WS-DEMO-18"
ADDRESS: Final = "192.168.50.18"
USER_SID: Final = "S-1-5-21-3141592653-2718281828-1414213562-1008"
SVCHOST_DOS: Final = "C:\\Windows\\System32\\svchost.exe"
NOTES: Final = "\\device\\harddiskvolume3\\program files\\example notes\\notesync.exe"
COLLECTOR: Final = "\\device\\harddiskvolume3\\program files\\example notes\\collector.exe"
LAB: Final = "\\device\\harddiskvolume3\\lab\\labserver.exe"
BROWSER: Final = "\\device\\harddiskvolume3\\program files\\example browser\\browser.exe"
_MESSAGES: Final = (4688, 5152, 5156, 5157, 5158)


@dataclass(frozen=True, slots=True)
class Language:
    """What Windows localizes in a ticket. ``names`` are those of filters and layers, from English."""

    culture: Culture
    system: str
    authority: str
    names: Mapping[str, str]
    tasklist: tuple[tuple[str, str, str], str, str]  # header, word for no services, the idle process
    policy: tuple[str, str]  # header, target
    settings: tuple[tuple[str, str, str], ...]
    encoding: str


ENGLISH: Final = Language(
    Culture(
        "en-US",
        "Security",
        "Information",
        ("Audit Success", "Audit Failure"),
        {
            12809: "Filtering Platform Packet Drop",
            12810: "Filtering Platform Connection",
            13312: "Process Creation",
        },
        dict(
            zip(
                _MESSAGES,
                (
                    "A new process has been created.",
                    "The Windows Filtering Platform has blocked a packet.",
                    "The Windows Filtering Platform has permitted a connection.",
                    "The Windows Filtering Platform has blocked a connection.",
                    "The Windows Filtering Platform has permitted a bind to a local port.",
                ),
                strict=True,
            )
        ),
    ),
    "SYSTEM",
    "NT AUTHORITY",
    {},
    (("Image Name", "PID", "Services"), "N/A", "System Idle Process"),
    ("Machine Name,Policy Target,Subcategory,Subcategory GUID,Inclusion Setting,Exclusion Setting", "System"),
    (
        ("Filtering Platform Packet Drop", "0CCE9225", "Failure"),
        ("Filtering Platform Connection", "0CCE9226", "Success and Failure"),
        ("Process Creation", "0CCE922B", "Success"),
        ("Filtering Platform Policy Change", "0CCE9233", "No Auditing"),
    ),
    "ascii",
)
FRENCH: Final = Language(
    Culture(
        "fr-FR",
        "Sécurité",
        "Information",
        ("Succès de l’audit", "Échec de l’audit"),
        {
            12809: "Rejet de paquet par la plateforme de filtrage",
            12810: "Connexion de la plateforme de filtrage",
            13312: "Création du processus",
        },
        dict(
            zip(
                _MESSAGES,
                (
                    "Un nouveau processus a été créé.",
                    "La plateforme de filtrage Windows a bloqué un paquet.",
                    "La plateforme de filtrage Windows a autorisé une connexion.",
                    "La plateforme de filtrage Windows a bloqué une connexion.",
                    "La plateforme de filtrage Windows a autorisé une liaison à un port local.",
                ),
                strict=True,
            )
        ),
    ),
    "Système",
    "AUTORITE NT",
    {
        "Default Outbound": "Trafic sortant par défaut",
        "Query User": "Interroger l’utilisateur",
        "Port Scanning Prevention Filter": "Filtre de prévention de l’analyse des ports",
        "Background Intelligent Transfer Service": "Service de transfert intelligent en arrière-plan",
        "No telemetry for Example Notes": "Pas de télémétrie pour Example Notes",
        "ALE Connect v4 Layer": "Couche de connexion ALE v4",
        "ALE Connect v6 Layer": "Couche de connexion ALE v6",
        "ALE Receive/Accept v4 Layer": "Couche de réception/acceptation ALE v4",
        "ALE Receive/Accept v6 Layer": "Couche de réception/acceptation ALE v6",
    },
    (("Nom de l'image", "PID", "Services"), "N/A", "System Idle Process"),
    (
        (
            "Nom de l'ordinateur,Cible de la stratégie,Sous-catégorie,GUID de la sous-catégorie,"
            "Paramètre d'inclusion,Paramètre d'exclusion"
        ),
        "Système",
    ),
    (
        ("Rejet de paquet par la plateforme de filtrage", "0CCE9225", "Échec"),
        ("Connexion de la plateforme de filtrage", "0CCE9226", "Succès et échec"),
        ("Création du processus", "0CCE922B", "Succès"),
        ("Modification de la stratégie de plateforme de filtrage", "0CCE9233", "Pas d'audit"),
    ),
    "cp850",
)


def localized(state: State, language: Language) -> State:
    """Return the state with the names that this language prints."""
    names = language.names
    return replace(
        state,
        filters=[replace(item, name=names.get(item.name, item.name)) for item in state.filters],
        layers=[replace(item, name=names.get(item.name, item.name)) for item in state.layers],
        sessions=[
            replace(item, user=item.user.replace("NT AUTHORITY\\SYSTEM", f"{language.authority}\\{language.system}"))
            for item in state.sessions
        ],
    )


def _tell(story: Story, ids: Ids, rule: int, permit: int, language: Language) -> None:
    """Tell the blocks; nothing here depends on the language but account names."""

    def cause(kind: str, number: int) -> Cause:
        return Cause(number, Say(kind, "snapshot", number))

    outbound = cause("default-outbound", ids["default-outbound-connect-V4"])
    story.port(2, 5158, Socket("System", 4, ADDRESS, 139))
    user = ("S-1-5-18", language.system, language.authority)
    story.started(10, 7_412, SVCHOST_DOS, f"{SVCHOST_DOS} -k netsvcs -p -s BITS", user=user)
    for second, program, process, port, remote, remote_port, why in (
        (30, SVCHOST, 7_412, 50_112, "203.0.113.80", 80, outbound),
        (45, NOTES, 8_340, 50_120, "198.51.100.60", 8443, outbound),
        (60, COLLECTOR, 8_452, 50_131, "198.51.100.70", 443, cause("explicit-rule", rule)),
    ):
        story.blocked(second, Flow(program, process, ADDRESS, port, remote, remote_port), why, repeats=4)
    inward = Flow(LAB, 7_788, ADDRESS, 8080, "192.168.50.23", 61_020)
    story.blocked(70, inward, cause("default-inbound", ids["query-user-accept-V4"]), inbound=True, repeats=2)
    probe = Flow("-", 0, ADDRESS, 3306, "192.168.50.77", 40_900)
    story.dropped(80, probe, cause("stealth", ids["stealth-packet-V4"]), 13, after=SYN_AGAIN[:3])
    story.permitted(100, Flow(BROWSER, 9_120, ADDRESS, 50_140, "192.0.2.21", 443), permit)


def tell(language: Language, name: str) -> Ticket:
    """Make the ticket in one language."""
    machine = Machine("ticket-i-french", windows11=False, first_id=66_211)
    ids = background.few(machine, HOST, USER_SID, profile_number=2, probed=True)
    bits = background.outbound_permit(
        machine, "Background Intelligent Transfer Service", SVCHOST, 6, (80, 443), service="BITS"
    )
    browser = background.outbound_permit(machine, "Example Browser", BROWSER, 6, (80, 443))
    conditions = [application(COLLECTOR), protocol(6)]
    rule = background.rule_block(
        machine, "No telemetry for Example Notes", "ALE_AUTH_CONNECT_V4", conditions, "{5C0FFEE5}"
    )
    start = dt.datetime(2026, 4, 28, 7, 10, tzinfo=dt.UTC)
    story = Story(f"{HOST}.corp.example", "ticket-i-french", start, 31_400, windows11=False)
    _tell(story, ids, rule, browser["V4-443"], language)
    records = story.records()
    machine.endpoints.append(Endpoint(90_016, ADDRESS, "192.0.2.21", 6, 50_140, 443, BROWSER))
    captured = start + dt.timedelta(seconds=150)
    header, none, idle = language.tasklist
    processes = [(idle, 0, ()), ("System", 4, ()), ("svchost.exe", 7_412, ("BITS",)), ("browser.exe", 9_120, ())]
    head, target = language.policy
    return Ticket(
        name,
        {"security.xml": Log(records, culture=language.culture)},
        {"wfpstate.xml": localized(machine.state(captured.strftime("%Y-%m-%dT%H:%M:%S.500Z")), language)},
        story.expectation(records),
        (
            Service(
                "BITS",
                "likely",
                [bits["V4-80"]],
                "its process start names the service; port 80 alone was tried",
            ),
        ),
        ("the same as in English: tests/samples compares both",),
        {
            "auditpol.csv": lists.audit_policy(
                head.split(","), HOST, language.settings, target=target, encoding=language.encoding
            ),
            "tasklist.csv": lists.tasklist(header, none, processes, encoding=language.encoding),
        },
    )


def ticket() -> Ticket:
    """Make the ticket."""
    return tell(FRENCH, "ticket-i-french")
