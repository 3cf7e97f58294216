"""What all commands share: how much they say, inputs by pattern and from standard input, help with mistyped names.

A command gets these when it is added to the group, so that none can be forgotten.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from analyzer.standard_input import DASH, StandardInputError, copy, folder
from analyzer.voice import voice_options

if TYPE_CHECKING:
    from collections.abc import Sequence

_WILD: Final = frozenset("*?[")
_READ: Final = f"{__name__}.standard-input"  # in the context: it is read already


class Commands(click.Group):
    """The group of all commands."""

    def __init__(self, *arguments: Any, **others: Any) -> None:
        super().__init__(*arguments, **others)
        self.params.extend(voice_options())

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command, with what all of them take."""
        cmd.params.extend(voice_options())
        for parameter in cmd.params:
            if isinstance(parameter, click.Argument) and isinstance(parameter.type, click.Path):
                parameter.callback = _inputs
        super().add_command(cmd, name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; where there is none of that name, tell which may be meant."""
        if self.get_command(ctx, args[0]) is None:
            raise click.UsageError(f"no such command: {args[0]}{self._meant(args[0])}", ctx)
        return super().resolve_command(ctx, args)

    def _meant(self, name: str) -> str:
        if os.path.exists(name) or (_WILD | set("./\\")) & set(name):  # noqa: PTH110 - any text may stand here
            return ". It looks like an input: name the command first, as in 'wfp-analyzer report INPUT...'"
        close = difflib.get_close_matches(name.lower(), self.commands, n=2, cutoff=0.5)
        if close:
            return f". Did you mean {' or '.join(close)}?"
        return f". There are: {', '.join(sorted(self.commands))}"


# --------------------------------------------------------------------------------------------------------------
# Inputs


def _inputs(context: click.Context, parameter: click.Parameter, value: Path | tuple[Path, ...] | None) -> Any:
    """Return the paths that the texts stand for: one where the command takes one."""
    if value is None:
        return None
    if isinstance(value, tuple):
        return tuple(path for one in value for path in _expand(context, parameter, one))
    found = _expand(context, parameter, value)
    if len(found) > 1:
        raise click.BadParameter(f"{value} fits {len(found)} files; one is wanted", context, parameter)
    return found[0]


def _expand(context: click.Context, parameter: click.Parameter, path: Path) -> Sequence[Path]:
    if path == DASH:
        return (_standard_input(context),)
    if not _WILD & set(str(path)) or os.path.lexists(path):
        return (path,)
    try:
        found = matching(path)
    except (OSError, ValueError, NotImplementedError) as error:
        raise click.BadParameter(f"{path}: no usable pattern ({error})", context, parameter) from error
    if not found:
        raise click.UsageError(f"{path}: no file fits this pattern", context)
    return found


def matching(pattern: Path) -> list[Path]:
    """Return what fits a pattern that the shell left as it is, sorted; ``**`` stands for folders at any depth.

    Hidden files are named only by a pattern that begins with their dot, as in a shell.
    """
    parts = pattern.relative_to(pattern.anchor).parts
    fixed = next(n for n, part in enumerate(parts) if _WILD & set(part))
    base = Path(pattern.anchor, *parts[:fixed])
    rest = Path(*parts[fixed:])
    hidden = any(part.startswith(".") for part in rest.parts)
    found = base.glob(str(rest))  # never follows links to folders, so that no loop holds it
    return sorted(
        path for path in found if hidden or not any(part.startswith(".") for part in path.relative_to(base).parts)
    )


def _standard_input(context: click.Context) -> Path:
    root = context.find_root()
    if root.meta.get(_READ):
        raise click.UsageError("- stands for standard input, which can be read once only", context)
    root.meta[_READ] = True
    try:
        return copy(root.with_resource(folder()))
    except (StandardInputError, OSError) as error:
        raise click.UsageError(str(error), context) from error
