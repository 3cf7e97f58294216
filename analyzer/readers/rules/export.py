"""One exported rule store, whichever form it has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from analyzer import frames
from analyzer.readers import plaintext, tables
from analyzer.readers.rules import powershell, registry
from analyzer.readers.stateproblems import Problems

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from analyzer.model import Problem

RuleExportKind = Literal["registry", "powershell", "unknown"]
Rows: TypeAlias = "list[dict[str, object]]"

_NOTHING: Final = (
    "holds no firewall rule and no profile: a reg export of FirewallPolicy, or Get-NetFirewallRule and its filters "
    "as JSON or CSV, was looked for"
)


@dataclass(frozen=True)
class RuleExport:
    """One file. ``rules`` conforms to ``frames.RULES``, ``profiles`` to ``FIREWALL_PROFILES``.

    ``parts`` (``RULE_PARTS``) are rows of PowerShell's filter objects, which belong to rules of this or another file:
    ``analyzer.rulestore.join`` puts them together.
    """

    kind: RuleExportKind
    rules: pd.DataFrame = field(repr=False)
    profiles: pd.DataFrame = field(repr=False)
    parts: pd.DataFrame = field(repr=False)
    problems: tuple[Problem, ...]


def sniff(head: str) -> bool:
    """Tell whether a text that begins like this is an exported rule store, or a registry export at all."""
    return registry.sniff(head) or powershell.sniff(head)


def read_rules(path: Path, name: str) -> RuleExport:
    """Read one file; what could not be read is in ``problems``.

    Raises
    ------
    OSError
        when the file cannot be opened or read.
    """
    return read_rules_bytes(plaintext.read(path), name)


def read_rules_bytes(data: bytes, name: str) -> RuleExport:
    """Read a file from memory; see ``read_rules``."""
    problems = Problems(name)
    text = plaintext.decode(data, problems)
    kind: RuleExportKind = "unknown"
    rules: Rows = []
    profiles: Rows = []
    parts: Rows = []
    if text is not None and registry.sniff(text[:4096]):
        kind = "registry"
        rules, profiles = registry.read(text, problems)
    elif text is not None and powershell.sniff(text[:65536]):
        kind = "powershell"
        rules, profiles, parts = powershell.read(text, problems)
    if text is not None and not (rules or profiles or parts):
        problems.add("lost" if kind == "unknown" else "note", None, _NOTHING)
    return RuleExport(
        kind,
        tables.frame(rules, frames.RULES, name),
        tables.frame(profiles, frames.FIREWALL_PROFILES, name),
        tables.frame(parts, frames.RULE_PARTS, name),
        problems.result(),
    )
