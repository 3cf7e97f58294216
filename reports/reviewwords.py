"""What the words of a change review mean, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reports.words import Word

if TYPE_CHECKING:
    from analyzer.reviewmodel import Decision, Expect, Part, Source, What

OUTCOMES: Final[dict[Decision, Word]] = {
    "newly-blocked": Word("Newly blocked", "BEFORE lets it pass, AFTER refuses it.", "README, diff"),
    "newly-allowed": Word("Newly allowed", "BEFORE refuses it, AFTER lets it pass.", "README, diff"),
    "cannot-tell": Word("Can’t tell", "The files do not tell what one of the sides decides.", "README, diff"),
    "stays-allowed": Word("Stays allowed", "Both sides let it pass.", "README, diff"),
    "stays-blocked": Word("Stays blocked", "Both sides refuse it.", "README, diff"),
}
WHATS: Final[dict[What, str]] = {
    "default": "Default",
    "plumbing": "Plumbing",
    "added": "Added",
    "removed": "Removed",
    "changed": "Changed",
    "reweighted": "Re-weighted",
}
PARTS: Final[dict[Part, str]] = {
    "rule": "firewall rule",
    "windows-rule": "rule that Windows ships",
    "default": "the firewall itself",
    "windows": "another part of Windows",
    "third-party": "a third-party product",
    "other": "maker not known",
}
SOURCES: Final[dict[Source, str]] = {
    "state": "from the states",
    "store": "from the exported rules",
    "both": "from states and exported rules",
}
DEFAULT_WORDS: Final[dict[str, str]] = {
    "none": "no default filter (the firewall is off there)",
    "mixed": "not the same for IPv4 and IPv6",
    "block-all": "block, rules or not",
}
DECIDED: Final[dict[str, str]] = {"permit": "allowed", "block": "blocked"}
EXPECTS: Final[dict[Expect, str]] = {
    "refused": "refused",
    "connects": "allowed",
    "find-out": "find out",
    "look": "as expected",
}
# The titles of all marks of risk, for a page that has none.
RISKS: Final = (
    "a default opened",
    "inbound from any address to any program",
    "inbound in the public profile",
    "svchost.exe without service or user",
    "a security product's traffic blocked",
    "filters of unknown make",
)
LIMITS: Final[tuple[Word, ...]] = (
    Word(
        "What is in force, not what is meant",
        "A state holds the filters of the rules that are in force: of the active profiles, and of outgoing allow rules "
        "only where the default blocks. Other profiles and other networks are not in it.",
        "REFERENCE 12",
    ),
    Word(
        "Callout drivers decide for themselves",
        "Drivers of security products and virtual networks decide packet by packet. What they would do is in no file.",
        "REFERENCE 4.1",
    ),
    Word(
        "Beyond this computer",
        "Other firewalls, routes, name resolution, and whether anything listens decide as well what works.",
        "REFERENCE 4.1",
    ),
    Word(
        "Traffic that was not recorded",
        "A replay speaks of what the log holds: monthly jobs, rare failures and other people's work may not be in it.",
        "REFERENCE 8",
    ),
)
