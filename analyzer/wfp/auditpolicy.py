"""Audit subcategories: their GUIDs, what each records of filtering, and the words of their settings.

Sources: REFERENCE 7.1 and the second seed (GUIDs), REFERENCE 1.1 and 1.6 (events of each, success or failure),
[MS-GPAC] 2.2.1.3 (numbers of ``audit.csv``; that 0 leaves a setting as it is), REFERENCE 7.2 (numbers of
``auditpol /backup``). Words: ``auditpolmsg.dll`` of English, German, Spanish and Norwegian Windows 10 as published by
file-info.xyz; the others from common use. A word that is not here is unknown, and told.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, NamedTuple

_SUFFIX: Final = "-69AE-11D9-BED3-505054503030}"
GUID: Final = re.compile(r"\{?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}?")


def guid(prefix: str) -> str:
    """Return a subcategory's GUID from its first eight digits: upper case, in braces."""
    return f"{{{prefix}{_SUFFIX}"


class Subcategory(NamedTuple):
    """One subcategory. ``success`` and ``failure`` are the events of this field that each setting records."""

    name: str  # English; Windows shows it in its own language
    category: str
    success: tuple[int, ...]
    failure: tuple[int, ...]
    use: str  # what the events are for


PACKET_DROP: Final = guid("0CCE9225")
CONNECTION: Final = guid("0CCE9226")
POLICY_CHANGE: Final = guid("0CCE9233")
OTHER_POLICY_CHANGE: Final = guid("0CCE9234")
PROCESS_CREATION: Final = guid("0CCE922B")

SUBCATEGORIES: Final[dict[str, Subcategory]] = {
    CONNECTION: Subcategory(
        "Filtering Platform Connection",
        "Object Access",
        (5154, 5156, 5158),
        (5031, 5150, 5151, 5155, 5157, 5159),
        "blocked connections, binds and listeners",
    ),
    PACKET_DROP: Subcategory(
        "Filtering Platform Packet Drop", "Object Access", (5153,), (5152,), "dropped packets, in great numbers"
    ),
    guid("0CCE9227"): Subcategory("Other Object Access Events", "Object Access", (), (), "nothing of this field"),
    POLICY_CHANGE: Subcategory(
        "Filtering Platform Policy Change",
        "Policy Change",
        (5440, 5441, 5442, 5443, 5444, 5446, 5448, 5449, 5450),
        (),
        "filters present at start, and changed callouts, providers and sublayers",
    ),
    OTHER_POLICY_CHANGE: Subcategory(
        "Other Policy Change Events", "Policy Change", (5447,), (), "filters added and deleted"
    ),
    guid("0CCE9232"): Subcategory(
        "MPSSVC Rule-Level Policy Change",
        "Policy Change",
        (4944, 4945, 4946, 4947, 4948, 4949, 4950, 4954, 4956),
        (4957, 4958),
        "firewall rules and settings changed, rules that were not applied",
    ),
    guid("0CCE922F"): Subcategory("Audit Policy Change", "Policy Change", (4719,), (), "auditing switched on or off"),
    guid("0CCE9230"): Subcategory("Authentication Policy Change", "Policy Change", (), (), "nothing of this field"),
    guid("0CCE9231"): Subcategory("Authorization Policy Change", "Policy Change", (), (), "nothing of this field"),
    PROCESS_CREATION: Subcategory(
        "Process Creation", "Detailed Tracking", (4688,), (), "which program and service a process id was"
    ),
    guid("0CCE922C"): Subcategory("Process Termination", "Detailed Tracking", (4689,), (), "when a process id ended"),
    guid("0CCE9210"): Subcategory("Security State Change", "System", (4608, 4616), (), "starts, changes of the clock"),
    guid("0CCE9214"): Subcategory(
        "Other System Events",
        "System",
        (5024, 5025, 5033, 5034),
        (5027, 5028, 5029, 5030, 5032, 5035, 5037),
        "starts, stops and failures of the firewall service",
    ),
}


class Required(NamedTuple):
    """A subcategory that an analysis wants, and which of its two settings."""

    guid: str
    success: bool
    failure: bool


# REFERENCE 7.3: without the first two no block is recorded; the others tell filters, processes and changes.
BLOCKS: Final[tuple[Required, ...]] = (
    Required(CONNECTION, success=False, failure=True),
    Required(PACKET_DROP, success=False, failure=True),
)
WANTED: Final[tuple[Required, ...]] = (
    *BLOCKS,
    Required(POLICY_CHANGE, success=True, failure=False),
    Required(OTHER_POLICY_CHANGE, success=True, failure=False),
    Required(PROCESS_CREATION, success=True, failure=False),
)


def command(subcategory: str, *, success: bool, failure: bool) -> str:
    """Return the command that turns these settings of a subcategory on; others stay as they are."""
    on = f"{' /success:enable' if success else ''}{' /failure:enable' if failure else ''}"
    return f"auditpol /set /subcategory:{subcategory}{on}"


# --------------------------------------------------------------------------------------------------------------
# Settings

# Numbers of auditpol /backup and of audit.csv: (success, failure). Group Policy's 0 means "as it is".
NUMBERS: Final[dict[int, tuple[bool, bool]]] = {
    0: (False, False),
    1: (True, False),
    2: (False, True),
    3: (True, True),
    4: (False, False),
}

_WORDS: Final[dict[tuple[bool, bool], tuple[str, ...]]] = {
    (True, False): (
        "Success",
        "Erfolg",
        "Erfolgreich",
        "Succès",
        "Réussite",
        "Opération réussie",
        "Aciertos",
        "Correcto",
        "Vellykket",
    ),
    (False, True): ("Failure", "Fehler", "Échec", "Errores", "Error", "Mislykket"),
    (True, True): (
        "Success and Failure",
        "Erfolg und Fehler",
        "Erfolgreich und Fehler",
        "Succès et échec",
        "Réussite et échec",
        "Opération réussie et échec",
        "Aciertos y errores",
        "Vellykket og mislykket",
    ),
    (False, False): (
        "No Auditing",
        "Keine Überwachung",
        "Pas d'audit",
        "Aucun audit",
        "Sin auditoría",
        "Ingen overvåking",
    ),
}


def _plain(text: str) -> str:
    """Return a word without case, accents and typographic apostrophes."""
    spread = unicodedata.normalize("NFKD", text.replace("\u2019", "'").casefold())
    return " ".join("".join(char for char in spread if not unicodedata.combining(char)).split())


SETTINGS: Final[dict[str, tuple[bool, bool]]] = {
    _plain(word): setting for setting, words in _WORDS.items() for word in words
}


def setting(text: str) -> tuple[bool, bool] | None:
    """Return (success, failure) of a setting's text in the languages known here, or None."""
    return SETTINGS.get(_plain(text[:100]))
