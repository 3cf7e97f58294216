"""Runs the guided tour and stores its outputs; ``--check`` only says whether the stored ones are current."""

from __future__ import annotations

import argparse
import copy
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import nbclient
import nbformat

if TYPE_CHECKING:
    from collections.abc import Sequence

TOUR: Final = Path(__file__).resolve().parent.parent / "notebooks" / "tour.ipynb"
PATIENCE: Final = 180  # seconds for a cell on a busy machine


def stored() -> Any:
    """Return the tour as it is shipped."""
    return nbformat.read(TOUR, as_version=4)


def executed(notebook: Any) -> Any:
    """Return the tour as it is now: every cell run, nothing kept of when and by which kernel."""
    run = copy.deepcopy(notebook)
    for cell in run.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = nbclient.NotebookClient(run, timeout=PATIENCE, resources={"metadata": {"path": str(TOUR.parent)}})
    client.execute()
    for cell in run.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = _joined(cell.outputs)
    run.metadata = notebook.metadata
    return run


def _joined(outputs: list[Any]) -> list[Any]:
    """Join what was printed to one stream: in how many pieces it arrives is chance."""
    out: list[Any] = []
    for item in outputs:
        if out and item.output_type == out[-1].output_type == "stream" and item.name == out[-1].name:
            out[-1].text += item.text
        else:
            out.append(item)
    return out


def stale(old: Any, new: Any) -> list[str]:
    """Return the ids of the cells whose stored outputs are not those of the run."""
    pairs = zip(old.cells, new.cells, strict=True)
    return [a.id for a, b in pairs if a.get("outputs") != b.get("outputs")]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, and write or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; end with 1 when an output is stale")
    check = parser.parse_args(arguments).check
    old = stored()
    new = executed(old)
    cells = stale(old, new)
    if check:
        for cell in cells:
            print(f"{cell}: the stored output is stale: run 'make notebook'")
        return 1 if cells else 0
    nbformat.write(new, TOUR)
    print(f"written: {TOUR.name} ({len(cells)} outputs new)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
