"""Whether auditing was on: what the audit policies of a case say of the subcategories that an analysis needs.

Tells "nothing was blocked" from "nothing was recorded". A policy is of the moment when it was exported; what was in
force before is told by 4719 events, not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from analyzer import cells
from analyzer.wfp import auditpolicy

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

Switch = Literal["on", "off", "unknown"]

# The first that says anything counts: what is in force, then what a backup kept, then what policy would set.
_SOURCES: Final = ("effective", "backup", "group-policy")
_SOURCE_WORDS: Final = {
    "effective": "the audit policy in force when it was exported",
    "backup": "the backup of the audit policy",
    "group-policy": "the Group Policy's audit.csv (what it sets, not what is in force)",
}


@dataclass(frozen=True, slots=True)
class SubcategoryState:
    """What is known of one subcategory. ``command`` turns on what is needed and not known to be on; None: nothing.

    ``source``, ``input`` and ``line`` tell where the answer is from; None where nothing tells.
    """

    guid: str
    name: str
    success: Switch
    failure: Switch
    source: str | None
    input: str | None
    line: int | None
    why: str
    command: str | None


def audit_state(
    policies: pd.DataFrame,
    required: Sequence[auditpolicy.Required] = auditpolicy.WANTED,
    computer: str | None = None,
) -> tuple[SubcategoryState, ...]:
    """Say of each required subcategory whether success and failure are audited.

    Parameters
    ----------
    policies
        rows of ``frames.AUDIT_POLICY``, of one or several files.
    required
        the subcategories, and which of their two settings is needed.
    computer
        the host in question: rows that name another are left out, rows that name none count. Domain suffixes are
        not compared.
    """
    system = policies[~policies["per_user"].astype(bool)]
    if computer is not None:
        names = system["computer"].map(_host, na_action="ignore")
        system = system[names.isna() | (names == _host(computer))]
    return tuple(_one(system, item) for item in required)


def _host(name: str) -> str:
    return name.partition(".")[0].lower()


def _one(system: pd.DataFrame, item: auditpolicy.Required) -> SubcategoryState:
    known = auditpolicy.SUBCATEGORIES.get(item.guid)
    name = known.name if known is not None else item.guid
    rows = system[system["subcategory_guid"] == item.guid]
    for source in _SOURCES:
        part = rows[rows["source"] == source]
        success, failure = _switch(part["success"]), _switch(part["failure"])
        if success == failure == "unknown":
            continue
        first = part.iloc[0]
        why = f"{_SOURCE_WORDS[source]} says so"
        if "unknown" in (success, failure):
            why = f"{_SOURCE_WORDS[source]} says different things, or half of it"
        place = cells.text(first["input"]), cells.number(first["line"])
        return SubcategoryState(
            item.guid, name, success, failure, source, *place, why, _command(item, success, failure)
        )
    why = "no audit policy of this case says it" if rows.empty else "its setting could not be read, or is left as it is"
    return SubcategoryState(
        item.guid, name, "unknown", "unknown", None, None, None, why, _command(item, "unknown", "unknown")
    )


def _switch(column: pd.Series) -> Switch:
    said = {value for value in column if isinstance(value, bool)}
    return "unknown" if len(said) != 1 else "on" if True in said else "off"


def _command(item: auditpolicy.Required, success: Switch, failure: Switch) -> str | None:
    needs_success = item.success and success != "on"
    needs_failure = item.failure and failure != "on"
    if not (needs_success or needs_failure):
        return None
    return auditpolicy.command(item.guid, success=needs_success, failure=needs_failure)
