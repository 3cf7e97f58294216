"""The command ``wfp-analyzer``: its commands, and the one way in, with every exit code. No analysis happens here."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from typing import TYPE_CHECKING, Final, NoReturn

import click

from analyzer.command_group import Commands
from analyzer.command_help import GROUP_EXAMPLES
from analyzer.commands import diff, explain, propose, report, rows
from analyzer.commands.speech import NAME, say, say_problems
from analyzer.ending import Terminated, end_on_signals
from analyzer.output import OutputError, standard_error
from analyzer.run import Exit, RefusedError
from analyzer.voice import own_voice

if TYPE_CHECKING:
    from collections.abc import Sequence

_DEBUG: Final = "WFP_ANALYZER_DEBUG"


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=GROUP_EXAMPLES,
)
@click.version_option(None, "--version", package_name=NAME, prog_name=NAME, message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """Tell why Windows blocked network traffic, from exported files alone.

    INPUT is any mix of files, folders and .zip archives: event logs (.evtx, or events as XML or JSON lines),
    WFP states, filters and net events (netsh wfp show), captures (netsh wfp capture), lists of services, audit
    policies and exported firewall rules. Files are recognised by their content, not by their names.
    - is standard input; patterns (*.evtx) work where the shell does not expand them, too.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        context.exit(Exit.USAGE)


for command in (report.report, rows.events, rows.filters, explain.explain, propose.propose, diff.diff):
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; no traceback ever reaches a user."""
    args = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a name that this terminal can't show is no error
    if arguments is None:
        end_on_signals()
    with own_voice():
        code = _run(args)
    if arguments is None and code in (Exit.INTERRUPTED, Exit.TERMINATED):
        _leave(code)
    return code


def _leave(code: int) -> NoReturn:
    """End with this code for sure.

    Where an interrupt strikes inside ``exec`` of a text, as imports do it, ``python -m`` takes it for unhandled for
    good, and would let the signal kill it at its end.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)


def _run(args: list[str]) -> int:
    try:
        return int(cli.main(args, prog_name=NAME, standalone_mode=False, obj=tuple(args)) or Exit.DONE)
    except RefusedError as refused:
        say_problems(refused.problems)
        say(f"{NAME}: {refused}", always=True)
        return refused.code
    except click.UsageError as error:
        say(f"{NAME}: {error.format_message()}", always=True)
        with standard_error():
            if error.ctx is not None:
                click.echo(error.ctx.get_usage(), err=True)
            click.echo(f"Try '{error.ctx.command_path if error.ctx else NAME} --help'.", err=True)
        return Exit.USAGE
    except (click.ClickException, OutputError) as error:
        say(f"{NAME}: {error.format_message() if isinstance(error, click.ClickException) else error}", always=True)
        return Exit.USAGE
    except (click.Abort, KeyboardInterrupt, Terminated) as ended:
        say(f"{NAME}: interrupted; nothing half-written stays", always=True)
        return Exit.TERMINATED if isinstance(ended, Terminated) else Exit.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last net: whatever is wrong with us is one line for the user
        return _internal_error(error)


def _internal_error(error: Exception) -> int:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        # files are explained where they are written
        say(f"{NAME}: standard output: can't be written ({error.strerror})", always=True)
        return Exit.USAGE
    if os.environ.get(_DEBUG) == "1":
        import traceback  # noqa: PLC0415 - for us alone

        for line in "".join(traceback.format_exception(error)).splitlines():
            say(line, always=True)
    what = "not enough memory" if isinstance(error, MemoryError) else f"{type(error).__name__}: {error}"
    say(f"{NAME}: internal error: {what}", always=True)
    say(f"{NAME}: this is a mistake of the program; run again with {_DEBUG}=1 and report what it prints", always=True)
    return Exit.INTERNAL_ERROR


if __name__ == "__main__":
    sys.exit(main())
