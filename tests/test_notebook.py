"""The guided tour runs from top to bottom, shows what it speaks of, and is shipped with what it shows now."""

from __future__ import annotations

import pytest

pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")

from tools import notebook  # noqa: E402 - it needs both


@pytest.mark.filterwarnings("default")  # those of the notebook machinery are not ours
def test_the_tour_runs_and_its_stored_outputs_are_current() -> None:
    stored = notebook.stored()
    nbformat.validate(stored)
    executed = notebook.executed(stored)
    outputs = "".join(str(cell.outputs) for cell in executed.cells if cell.cell_type == "code")
    for words in ("default-outbound", "BITS", "New-NetFirewallRule", "lines of events", "<svg"):
        assert words in outputs
    assert notebook.stale(stored, executed) == [], "run 'make notebook'"


def test_the_tour_tells_nothing_of_the_machine_that_ran_it() -> None:
    text = notebook.TOUR.read_text(encoding="utf-8")
    assert str(notebook.TOUR.parent.parent) not in text
    assert "/home/" not in text
    assert '"output_type": "error"' not in text
    assert '"name": "stderr"' not in text
    assert len(text) < 100_000
