"""The audit policies of a case as the result shows them: per computer, the subcategories that matter here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer import auditpolicy, cells, frames
from analyzer.hosts import first_label
from analyzer.model import AuditPolicy, AuditSetting
from analyzer.wfp import auditpolicy as vocabulary

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

# The second seed's tables, and what an analysis wants besides (REFERENCE 7.3).
_WANTED: Final = {item.guid: item for item in vocabulary.WANTED}
SHOWN: Final[tuple[vocabulary.Required, ...]] = tuple(
    _WANTED.get(guid, vocabulary.Required(guid, success=False, failure=False))
    for guid in (
        vocabulary.CONNECTION,
        vocabulary.PACKET_DROP,
        vocabulary.guid("0CCE9227"),
        vocabulary.guid("0CCE922F"),
        vocabulary.guid("0CCE9230"),
        vocabulary.guid("0CCE9231"),
        vocabulary.guid("0CCE9232"),
        vocabulary.POLICY_CHANGE,
        vocabulary.OTHER_POLICY_CHANGE,
        vocabulary.PROCESS_CREATION,
    )
)


def policies(given: Sequence[pd.DataFrame], computers: Sequence[str | None]) -> tuple[AuditPolicy, ...]:
    """Say per computer what the exported audit policies tell; empty where none was handed in."""
    frame = frames.concat(given, frames.AUDIT_POLICY)
    if frame.empty:
        return ()
    named = [cells.text(name) for name in frame["computer"].dropna().unique()]
    known = {first_label(name) for name in computers}
    hosts = [*computers, *(name for name in named if first_label(name) not in known)] or [None]
    return tuple(AuditPolicy(host, _settings(frame, host)) for host in hosts)


def _settings(frame: pd.DataFrame, computer: str | None) -> tuple[AuditSetting, ...]:
    out = []
    for item, state in zip(SHOWN, auditpolicy.audit_state(frame, SHOWN, computer), strict=True):
        about = vocabulary.SUBCATEGORIES[item.guid]
        needed = tuple(word for word in ("success", "failure") if getattr(item, word))
        out.append(
            AuditSetting(
                state.guid,
                state.name,
                about.category,
                about.use,
                state.success,
                state.failure,
                needed,
                state.source,
                state.input,
                state.line,
                state.why,
                state.command,
            )
        )
    return tuple(out)
