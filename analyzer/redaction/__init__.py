"""Redaction: the result with labels in place of what tells persons and machines, before any page or export sees it.

One way: what there is to hide is collected from all evidence (:mod:`.collect`), numbered (:mod:`.names`,
:mod:`.addresses`, :mod:`.sids`), and replaced in one pass over the finished result (:mod:`.walk`, :mod:`.text`).
Renderers know nothing of it, so none can forget it. Where it is not asked for, none of this is imported.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from analyzer.model import Problem, Redacted
from analyzer.redaction import walk
from analyzer.redaction.collect import account, gather, host
from analyzer.redaction.names import KINDS, MOST, Kind, fold
from analyzer.redaction.text import Choice, Redactor, Scan, Vault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from analyzer.evidence import Evidence
    from analyzer.model import Analysis, Selected

__all__ = ["Choice", "Key", "redact"]

Key = dict[str, Any]

# Options whose value names somebody, who may not occur in the evidence.
_NAMING: Final[dict[str, Kind]] = {"--user": "user", "--computer": "host"}


def redact(analysis: Analysis, given: Evidence, choice: Choice, paths: Sequence[Path] = ()) -> tuple[Analysis, Key]:
    """Return the result with labels, and the key: which label stands for what.

    Parameters
    ----------
    analysis : the finished result.
    given : what the readers gave: labels are numbered over all of it, whatever part of it is shown.
    choice : which addresses are hidden.
    paths : inputs and outputs as they were named: of their folders the recorded command tells nothing.
    """
    vault = Vault(choice)
    vault.names.avoid = fold("\n".join(item.name for item in analysis.inputs))
    scan = Scan(vault)
    gather(given, vault, scan)
    scan.settle()
    _typed(analysis.command, vault)
    scan.realms()
    for text in {*walk.said(analysis), *analysis.command}:
        scan.text(text)
    scan.settle()

    redactor = Redactor(vault)
    _name_inputs(analysis, redactor)
    asked = _asked(analysis.selection, analysis.command, redactor)
    out = walk.rewrite(dataclasses.replace(analysis, command=(), selection=asked), redactor)
    command = _command(analysis.command, frozenset(paths), redactor)
    problems = out.problems + tuple(_unbounded(vault))
    return dataclasses.replace(out, command=command, problems=problems, redaction=_summary(vault)), _key(vault)


def _named(command: Sequence[str]) -> Iterator[tuple[int, str, Kind, str]]:
    """Yield place, text before it, kind and text of the users and machines that options name."""
    for place, part in enumerate(command):
        option, equals, value = part.partition("=")
        if option in _NAMING and equals:
            yield place, f"{option}=", _NAMING[option], value
        elif option in _NAMING and place + 1 < len(command):
            yield place + 1, "", _NAMING[option], command[place + 1]


def _typed(command: Sequence[str], vault: Vault) -> None:
    """Take note of the users and machines that options name."""
    for _, _, kind, text in _named(command):
        if kind == "host":
            host(text, vault.names)
        else:
            account(vault.names, text)


def _asked(selection: Selected | None, command: Sequence[str], redactor: Redactor) -> Selected | None:
    """Replace what options name in the words about them: there even a word of the language is a name."""
    for _, _, kind, text in _named(command) if selection is not None else ():
        label = redactor.name(kind, text)
        if selection is not None and label is not None:
            named = re.compile(rf"(?<!\w){re.escape(text)}(?!\w)", re.IGNORECASE)
            words, sentence = (named.sub(label, said) for said in (selection.words, selection.sentence))
            selection = dataclasses.replace(selection, words=words, sentence=sentence)
    return selection


def _command(command: Sequence[str], paths: frozenset[Path], redactor: Redactor) -> tuple[str, ...]:
    out = [redactor.text(_without_folders(part, paths)) for part in command]
    for place, start, kind, text in _named(command):
        out[place] = start + (redactor.name(kind, text) or redactor.text(text))
    return tuple(out)


def _name_inputs(analysis: Analysis, redactor: Redactor) -> None:
    """Keep the names of inputs apart from each other: they are what evidence is found by."""
    taken: set[str] = set()
    for item in analysis.inputs:
        wish = name = redactor.text(item.name)
        number = 1
        while name in taken:
            number += 1
            name = f"{wish} ({number})"
        taken.add(name)
        redactor.fix(item.name, name)


def _without_folders(part: str, paths: frozenset[Path]) -> str:
    """Return an argument of the command; where it is one of the paths, only the last part of that."""
    starts = ("", part.partition("=")[0] + "=", part[:2]) if part.startswith("-") else ("",)
    for start in starts:
        path = Path(part[len(start) :])
        if path in paths and path.name:
            return start + path.name
    return part


def _unbounded(vault: Vault) -> list[Problem]:
    out = []
    for kind in KINDS:
        count = len(vault.names.of(kind).labels)
        if count > MOST:
            what = f"{count:,} {kind} names: beyond {MOST:,} they are hidden in columns and paths, not in running text"
            out.append(Problem(None, None, "doubtful", f"redaction: {what}"))
    return out


def _summary(vault: Vault) -> Redacted:
    """Say what was hidden, and what was left."""
    register, labels = vault.names, vault.addresses.known.values()
    counts: Mapping[str, int] = {
        "users": len(register.users),
        "hosts": len(register.hosts),
        "domains": len(register.domains),
        "sid_issuers": len(vault.sids),
        "private_addresses": sum(label.startswith("private") for label in labels),
        "public_addresses": sum(label.startswith("public") for label in labels),
        "hardware_addresses": len(vault.macs),
    }
    hidden = [word for word, hides in (("private", vault.choice.private), ("public", vault.choice.public)) if hides]
    kept = [word for word in ("private", "public") if word not in hidden]
    also = " and addresses" if not kept else f" and {hidden[0]} addresses" if hidden else ""
    sentence = f"names of users, machines and domains, account SIDs{also} are replaced by labels"
    if kept:
        sentence += f"; {' and '.join(kept)} addresses are as recorded"
    return Redacted(sentence, counts)


def _key(vault: Vault) -> Key:
    register = vault.names
    return {
        "redaction_key": 1,
        "note": "This file undoes the redaction: keep it apart from what was redacted.",
        "users": register.users.key(),
        "hosts": register.hosts.key(),
        "domains": register.domains.key(),
        "sids": vault.sids.key(),
        "addresses": {label: str(address) for address, label in vault.addresses.known.items()},
        "hardware_addresses": {label: data.hex("-") for data, label in vault.macs.items()},
    }
