"""The guided tour runs from top to bottom and shows what it speaks of."""

from __future__ import annotations

from pathlib import Path

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")

TOUR = Path(__file__).resolve().parent.parent / "notebooks" / "tour.ipynb"


@pytest.mark.filterwarnings("default")  # those of the notebook machinery are not ours
def test_the_guided_tour_runs(tmp_path: Path) -> None:
    notebook = nbformat.read(TOUR, as_version=4)
    nbformat.validate(notebook)
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(TOUR.parent)}}).execute()
    outputs = "".join(str(cell.outputs) for cell in notebook.cells if cell.cell_type == "code")
    for words in ("default-outbound", "BITS", "New-NetFirewallRule", "lines of events"):
        assert words in outputs


def test_the_tour_is_shipped_without_outputs() -> None:
    notebook = nbformat.read(TOUR, as_version=4)
    assert not any(cell.outputs or cell.execution_count for cell in notebook.cells if cell.cell_type == "code")
