"""A proposal as JSON text, and its commands as a script."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from reports import text
from reports.document import text_of
from reports.jsontext import whole

if TYPE_CHECKING:
    from analyzer.model import Analysis
    from analyzer.proposalmodel import Proposal


def of(analysis: Analysis) -> Proposal:
    """Return the proposal of a run that was asked for one."""
    if analysis.proposal is None:
        raise ValueError("no proposal was asked for")
    return analysis.proposal


def proposal_json(analysis: Analysis) -> str:
    """Return the document as indented JSON text with a final line end."""
    found = of(analysis)
    document = {item.name: getattr(found, item.name) for item in dataclasses.fields(found)}
    return text_of(document | {"command": [whole(part) for part in found.command]})


def proposal_script(analysis: Analysis) -> str:
    """Return the commands with what they do as comments; every line is a comment or a whole command."""
    found = of(analysis)
    out = [
        f"# {text.neutral(found.summary)}",
        "# Look at each rule before you run it: as administrator, in PowerShell.",
    ]
    for item in found.rules:
        out += ["", *(f"# {text.neutral(line)}" for line in (*item.examples[:5], *item.notes))]
        out.append(
            text.neutral_command(item.command)
            if item.command is not None
            else f"# no command for “{text.neutral(item.rule.name)}”: {text.neutral(item.no_command or '')}"
        )
    return "\n".join(out) + "\n"
