"""Writing results: checked before the work, written beside, renamed at the end, never over evidence."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from analyzer.identify import HEAD, OWN_OUTPUT, identify

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

STDOUT: Final = Path("-")


class OutputError(Exception):
    """An output can't be written, or must not be."""


def check_standard_output() -> None:
    """Refuse, before anything is read, a standard output that nobody opened (``>&-``).

    Raises
    ------
    OutputError
        There is none.
    """
    if sys.stdout is None:
        raise OutputError("standard output is closed; let it go to /dev/null if nobody is to read it")


def check_outputs(targets: Sequence[Path], inputs: Sequence[Path], *, force: bool) -> None:
    """Refuse, before anything is read, what could not or should not be written at the end.

    Raises
    ------
    OutputError
        Two outputs are one, standard output is closed, an output exists and ``force`` is off, its folder is missing or
        closed, or it would replace evidence: a named input, or in an input folder anything that this program has not
        written itself.
    """
    if len({os.path.realpath(target) if target != STDOUT else "-" for target in targets}) < len(targets):
        raise OutputError("two outputs have the same name")
    for target in targets:
        if target == STDOUT:
            check_standard_output()
        else:
            _check(target, inputs, force=force)


def _check(target: Path, inputs: Sequence[Path], *, force: bool) -> None:
    try:
        if target.is_dir():
            raise OutputError(f"{target}: this is a folder; name a file in it")
        if _is_special(target):
            return
        if target.exists():
            if _is_evidence(target, inputs):
                raise OutputError(f"{target}: this is an input; evidence is never overwritten, with --force neither")
            if not force:
                raise OutputError(f"{target}: the file exists; give --force to replace it, or another name")
        folder = Path(os.path.realpath(target)).parent
        if not folder.is_dir():
            raise OutputError(f"{target}: the folder {folder.name or folder} does not exist")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise OutputError(f"{target}: no permission to write there")
    except (OSError, ValueError) as error:
        raise OutputError(f"{target}: can't be written ({_reason(error)})") from error


def _is_special(target: Path) -> bool:
    """Whether this is a device or a pipe, which is written to as it is."""
    return target.exists() and not target.is_file()


def _is_evidence(target: Path, inputs: Sequence[Path]) -> bool:
    for path in inputs:
        with contextlib.suppress(OSError):
            if path.samefile(target):
                return True
    with target.open("rb") as stream:
        identity = identify(stream.read(HEAD))
    if identity.kind != "unknown":
        return True
    real = Path(os.path.realpath(target))
    inside = any(real.is_relative_to(os.path.realpath(path)) for path in inputs)
    return inside and identity != OWN_OUTPUT


def write_outputs(outputs: Sequence[tuple[Path, Iterable[str | bytes]]]) -> None:
    """Write every output beside its place; only when all of them are complete are they put there.

    ``Path("-")`` is standard output. Texts are written as they are, in UTF-8.
    When nobody reads standard output any more (``| head``), the rest of it is dropped quietly.

    Raises
    ------
    OutputError
        An output can't be written; no file stays half-written.
    """
    with contextlib.ExitStack() as stack:
        finished = [(stack.enter_context(_written(target, texts)), target) for target, texts in outputs]
        for beside, target in finished:
            if beside is not None:
                with _explained(target):
                    beside.replace(os.path.realpath(target))


@contextlib.contextmanager
def _written(target: Path, texts: Iterable[str | bytes]) -> Iterator[Path | None]:
    """Write the texts; yield the complete file beside the target, None where it is written in place already."""
    if target == STDOUT:
        with standard_output():
            _write(sys.stdout.buffer, texts)
        yield None
        return
    if _is_special(target):
        with _explained(target), target.open("wb") as stream:
            _write(stream, texts)
        yield None
        return
    place = Path(os.path.realpath(target))
    beside = place.with_name(f".{place.name[:100]}.{os.urandom(4).hex()}.part")
    try:
        with _explained(target), beside.open("xb") as stream:
            _write(stream, texts)
        yield beside
    finally:
        beside.unlink(missing_ok=True)  # gone already when it was put in its place


@contextlib.contextmanager
def _explained(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"{target}: can't be written ({_reason(error)})") from error


@contextlib.contextmanager
def standard_output() -> Iterator[None]:
    """Explain why standard output can't be written; a reader who has gone away (``| head``) is no error.

    Either way, what is still to be written there goes nowhere.

    Raises
    ------
    OutputError
        The disk is full, or the like.
    """
    try:
        yield
    except BrokenPipeError:
        _let_go(sys.stdout)
    except OSError as error:
        _let_go(sys.stdout)
        raise OutputError(f"standard output: can't be written ({_reason(error)})") from error


@contextlib.contextmanager
def standard_error() -> Iterator[None]:
    """Let messages go nowhere when standard error can't be written: there is no other place to say so."""
    try:
        yield
    except OSError:
        _let_go(sys.stderr)


def _let_go(stream: IO[str] | None) -> None:
    """Lead a stream nowhere, so that what it still holds does not fail again when the program ends."""
    if stream is not None:
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _write(stream: IO[bytes], texts: Iterable[str | bytes]) -> None:
    for text in texts:
        stream.write(text if isinstance(text, bytes) else text.encode("utf-8", "replace"))
    stream.flush()


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
