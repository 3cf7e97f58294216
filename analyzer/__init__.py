"""wfp-analyzer: why Windows blocked network traffic, told from exported files.

``analyze(paths)`` reads logs and states and returns an :class:`analyzer.model.Analysis`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analyzer.model import Analysis
    from analyzer.pipeline import analyze

__all__ = ["Analysis", "analyze"]


def __getattr__(name: str) -> Any:
    """Import pandas only when the analysis is really wanted, so that ``--help`` stays quick."""
    if name == "analyze":
        from analyzer.pipeline import analyze  # noqa: PLC0415

        return analyze
    if name == "Analysis":
        from analyzer.model import Analysis  # noqa: PLC0415

        return Analysis
    raise AttributeError(name)
