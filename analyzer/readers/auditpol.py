"""Read an audit policy: ``auditpol /get /category:* /r``, ``auditpol /backup`` and Group Policy's ``audit.csv``.

All three are CSV of one shape: machine, target, subcategory, GUID, inclusion, exclusion, and in two of them a number.
Headers and settings are localized, so a row is found by its GUID, the other cells by their place around it, and the
number is preferred to the word (REFERENCE 7.2). What can't be told is unknown: never off.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from analyzer import frames
from analyzer.readers import plaintext, tables
from analyzer.readers.stateproblems import Problems
from analyzer.wfp import auditpolicy

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from analyzer.model import Problem

PolicySource = Literal["effective", "backup", "group-policy", "unknown"]

# An audit subcategory's GUID as a whole cell. The family is Microsoft's: 0CCE92xx.
_SNIFF: Final = re.compile(r'[,;\t]"?\{0CCE92[0-9A-F]{2}-69AE-11D9-BED3-505054503030\}"?[,;\t]', re.IGNORECASE)
# Rows of a backup that are no subcategories; these words are not localized ([MS-GPAC] 2.2.2, REFERENCE 7.2).
_OPTION: Final = re.compile(r"Option:(\w{1,60})", re.IGNORECASE)
_OTHER: Final = frozenset({"fileglobalsacl", "registryglobalsacl"})


@dataclass(frozen=True)
class AuditPolicy:
    """One policy. ``policy`` conforms to ``frames.AUDIT_POLICY``; ``options`` are a backup's ``Option:`` rows."""

    source: PolicySource
    policy: pd.DataFrame = field(repr=False)
    options: dict[str, str]
    problems: tuple[Problem, ...]


def sniff(head: str) -> bool:
    """Tell whether a text that begins like this is an audit policy."""
    return _SNIFF.search(head) is not None and not tables.is_json(head)


def read_audit_policy(path: Path, name: str) -> AuditPolicy:
    """Read one policy; what could not be read is in ``problems``.

    Raises
    ------
    OSError
        when the file cannot be opened or read.
    """
    return read_audit_policy_bytes(plaintext.read(path), name)


def read_audit_policy_bytes(data: bytes, name: str) -> AuditPolicy:
    """Read a policy from memory; see ``read_audit_policy``."""
    problems = Problems(name)
    text = plaintext.decode(data, problems)
    rows = tables.read_rows(text, problems) if text is not None else []
    found, options, source = _sorted(rows, problems)
    if rows and not found:
        problems.add(
            "lost", None, "names no audit subcategory by its GUID (auditpol /get /category:* /r): nothing read"
        )
    policy = [{**_values(row, at, source, problems), "source": source} for row, at in found]
    return AuditPolicy(source, tables.frame(policy, frames.AUDIT_POLICY, name), options, problems.result())


def _sorted(
    rows: list[tables.Row], problems: Problems
) -> tuple[list[tuple[tables.Row, int]], dict[str, str], PolicySource]:
    """Return the rows of subcategories with the place of their GUID, the options, and what kind of file it is."""
    found: list[tuple[tables.Row, int]] = []
    options: dict[str, str] = {}
    other = False
    for number, row in enumerate(rows):
        cells = [cell.strip() for cell in row.cells]
        at = next((i for i, cell in enumerate(cells) if auditpolicy.GUID.fullmatch(cell)), None)
        option = next((match for cell in cells if (match := _OPTION.fullmatch(cell))), None)
        if option is not None:
            options[option[1]] = next((cell for cell in reversed(cells) if cell), "")
        elif at is not None:
            found.append((row, at))
        elif any(cell.lower() in _OTHER for cell in cells):
            other = True
        elif number:  # the first is the header
            what = "a row names no subcategory by its GUID: left out"
            problems.add("lost", f"line {row.line}", what, group="rows without a GUID")
    if not found:
        return [], options, "unknown"
    # Group Policy applies to any machine and names none; only a backup holds options.
    machines = any(at >= 3 and row.cells[0].strip() for row, at in found)
    if not machines and any(len(row.cells) > at + 3 for row, at in found):
        return found, options, "group-policy"
    return found, options, "backup" if options or other else "effective"


def _values(row: tables.Row, at: int, source: PolicySource, problems: Problems) -> dict[str, object]:
    def cell(offset: int) -> str | None:
        place = at + offset
        return row.cells[place].strip() or None if 0 <= place < len(row.cells) else None

    key = "{" + row.cells[at].strip().strip("{}").upper() + "}"
    # nothing is quoted: with a separator in its name, the subcategory takes more than the one cell before its GUID
    computer, target = (cell(-at), cell(1 - at)) if at >= 3 else (cell(-3), cell(-2))
    per_user = target is not None and (target.upper().startswith("S-1-") or "\\" in target)
    success, failure = (None, None) if per_user else _setting(row, key, cell(1), cell(3), source, problems)
    return {
        "line": row.line,
        "computer": computer,
        "target": target,
        "per_user": per_user,
        "subcategory_guid": key,
        "setting": cell(1),
        "value": tables.number_of(cell(3)),
        "success": success,
        "failure": failure,
    }


def _setting(
    row: tables.Row, key: str, word: str | None, number: str | None, source: PolicySource, problems: Problems
) -> tuple[bool | None, bool | None]:
    """Return (success, failure), each None where it is not known or, in Group Policy, not set."""
    name = auditpolicy.SUBCATEGORIES[key].name if key in auditpolicy.SUBCATEGORIES else key
    place = f"line {row.line}"
    if number is not None:
        value = tables.number_of(number)
        if value == 0 and source == "group-policy":
            return None, None
        if value in auditpolicy.NUMBERS:
            return auditpolicy.NUMBERS[value]
        what = f"the setting {number[:40]!r} of {name} is no number of a setting: unknown"
        problems.add("doubtful", place, what, group="unknown numbers of settings")
    elif source == "group-policy" and word is None:
        return None, None
    known = auditpolicy.setting(word) if word is not None else None
    if known is None:
        what = f"the setting {(word or '')[:60]!r} of {name} is in a language that is not known here: unknown"
        problems.add("doubtful", place, what, group="unknown words for settings")
        return None, None
    return known
