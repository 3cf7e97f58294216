"""Makes the shipped tickets again, byte for byte: ``python -m samples.make [ROOT]``.

The tickets go to ROOT/samples, what is expected of a reader to ROOT/tests/samples/expected.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

if __package__ in (None, ""):  # run as a file: the project root is not on the path then
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

if TYPE_CHECKING:
    from collections.abc import Callable

    from samples.ticket import Ticket

TICKETS = (
    "win11",
    "win10",
    "tour",
    "sampler",
    "reused",
    "ringonly",
    "services",
    "rulestore",
    "french",
    "two",
    "review",
)


def tickets() -> list[Ticket]:
    """Return every ticket, made anew."""
    made = []
    for name in TICKETS:
        module = importlib.import_module(f"samples.tickets.{name}")
        made.append(cast("Callable[[], Ticket]", module.ticket)())
    return made


def main(root: Path) -> None:
    """Write all tickets and their expectations below a folder."""
    for ticket in tickets():
        for name, data in ticket.paths().items():
            target = root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            print(target)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent)
