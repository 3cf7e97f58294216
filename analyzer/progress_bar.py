"""What progress looks like on a terminal: name, bar, bytes and time left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text

if TYPE_CHECKING:
    from typing import TextIO

WIDE: Final = 72  # columns from which on there is room for the whole bar


class _Told(ProgressColumn):
    """Bytes and time left; time passed where there are no bytes to count."""

    def __init__(self) -> None:
        super().__init__(table_column=Column(no_wrap=True))
        self._amount = DownloadColumn(binary_units=True)
        self._left = TimeRemainingColumn(compact=True)
        self._elapsed = TimeElapsedColumn()

    def render(self, task: Task) -> Text:
        """Return the cell of one task."""
        if task.total is None:
            return self._elapsed.render(task)
        rest: list[str | Text] = [self._left.render(task), " left"] if task.time_remaining is not None else []
        return Text.assemble(self._amount.render(task), "  ", *rest)


def progress_bar(stream: TextIO) -> Progress:
    """Return what draws to this terminal, and wipes what it drew when it stops."""
    console = Console(file=stream)
    name = TextColumn(
        "{task.description}", markup=False, table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")
    )
    bar = BarColumn(bar_width=20 if console.width >= WIDE else 6)
    return Progress(name, bar, _Told(), console=console, transient=True, expand=True)
