"""The error of a question, apart from what needs pandas, so that ``--help`` answers at once."""

from __future__ import annotations


class QuestionError(Exception):
    """A question that has no answer in what was handed in. ``usable`` is False where nothing could be answered."""

    def __init__(self, message: str, *, usable: bool = True) -> None:
        super().__init__(message)
        self.usable = usable
