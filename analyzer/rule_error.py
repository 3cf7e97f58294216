"""Why rules that somebody gave can't be tried; apart, so that help answers at once."""

from __future__ import annotations


class RuleError(ValueError):
    """Given rules can't be read or tried; the message says which and why."""
