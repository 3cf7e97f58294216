r"""Places that show that a name stands there: ``\users\NAME\``, ``\\HOST\``, ``DOMAIN\NAME``, ``NAME@domain``.

The same patterns find names before anything is replaced, and replace them afterwards.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from analyzer.redaction import ordinary
from analyzer.redaction.addresses import parse
from analyzer.redaction.names import Kind, fold

if TYPE_CHECKING:
    from collections.abc import Iterator

# Device paths, drive paths, paths of other systems (of the machine that analyzes); `C:\\Users` is how JSON writes it.
_PROFILES: Final = re.compile(
    r"(?:(?:^|[\\/])(?:users|documents and settings)|(?<![^\s\"'=:,;(])/home)(?:\\{1,2}|/{1,2})", re.IGNORECASE
)
_FOLDER: Final = re.compile(r"[^\\/:*?\"<>|\x00-\x1f]{1,256}(?=[\\/])")
_LAST: Final = re.compile(r"[^\\/:*?\"<>|\x00-\x20',;)\]}]{1,256}")
_SHARES: Final = re.compile(
    r"(?:(?<![\\\w:])\\\\|\\device\\(?:mup|lanmanredirector|webdavredirector)\\(?:;[^\\]{1,64}\\){0,2})"
    r"(?P<host>[^\\/:*?\"<>|\s\x00-\x1f@]{1,255})(?=[\\@])",
    re.IGNORECASE,
)
_ADDRESSES: Final = re.compile(
    r"(?<![\w.+-])(?P<user>[\w+-][\w.+-]{0,63})@(?P<domain>[\w-]{1,63}(?:\.[\w-]{1,63}){1,8})"
)
_NO_DOMAINS: Final = (".dll", ".exe", ".mui", ".sys", ".inf")


Pattern = re.Pattern[str] | None


class Place(NamedTuple):
    """A name, whose it is, and where in the text it stands."""

    kind: Kind
    start: int
    end: int
    name: str


class Places:
    """Finds names by their places; what is known of users and domains helps to tell where a name ends."""

    def __init__(self, users: Pattern = None, realms: Pattern = None, dns: Pattern = None) -> None:
        """Take patterns of known users, of names before a backslash (domains, hosts), and of DNS domains."""
        self._users, self._realms, self._dns = users, realms, dns

    def find(self, text: str) -> list[Place]:
        """Return the names in a text, in its order, none inside another."""
        found: list[Place] = []
        if "\\" in text or "/" in text:
            found.extend(self._in_profiles(text))
        if "\\" in text:
            found.extend(_before_shares(text))
            found.extend(self._behind_realms(text))
        if "@" in text:
            found.extend(_at_domains(text))
        if self._dns is not None and "." in text:
            found.extend(self._below_domains(text))
        found.sort(key=lambda item: (item.start, -item.end))
        out: list[Place] = []
        for item in found:
            if not out or item.start >= out[-1].end:
                out.append(item)
        return out

    def _name_at(self, text: str, start: int, *, folder: bool) -> tuple[int, str] | None:
        """Return where the user's name ends that begins here, and the name."""
        whole = _FOLDER.match(text, start) if folder else None
        whole = None if whole is not None and whole.group()[-1] in " ." else whole  # no folder's name ends so
        known = self._users.match(text, start) if self._users is not None else None
        if whole is not None and (known is None or known.end() >= whole.end() or " " not in whole.group()):
            return whole.end(), whole.group()
        if known is not None:
            return known.end(), known.group()
        last = _LAST.match(text, start)
        name = last.group().rstrip(".") if last is not None else ""
        return (start + len(name), name) if name else None

    def _in_profiles(self, text: str) -> Iterator[Place]:
        for root in _PROFILES.finditer(text):
            found = self._name_at(text, root.end(), folder=True)
            if found is not None and fold(found[1]) not in ordinary.FOLDERS:
                yield Place("user", root.end(), *found)

    def _behind_realms(self, text: str) -> Iterator[Place]:
        if self._realms is None:
            return
        for realm in self._realms.finditer(text):
            start = realm.end()
            if realm.start() and text[realm.start() - 1] in "\\/.":  # a folder, not a domain
                continue
            if text[start : start + 1] != "\\" or text[start + 1 : start + 2] in ("", "\\"):
                continue
            if fold(realm.group()) not in ordinary.COMMON_REALMS:
                yield Place("domain", realm.start(), start, realm.group())
            found = self._name_at(text, start + 1, folder=False)
            if found is not None and text[found[0] : found[0] + 1] != "\\" and is_person(found[1], of_realm=True):
                yield Place("user", start + 1, *found)

    def _below_domains(self, text: str) -> Iterator[Place]:
        assert self._dns is not None  # noqa: S101 - asked before
        for match in self._dns.finditer(text):
            host = match.group("host")
            if not host.replace(".", "").isdigit():
                yield Place("host", match.start(), match.end(), match.group())


def _before_shares(text: str) -> Iterator[Place]:
    for match in _SHARES.finditer(text):
        name = match.group("host")
        if fold(name) not in ordinary.NO_HOSTS and parse(name) is None:
            yield Place("host", match.start("host"), match.end("host"), name)


def _at_domains(text: str) -> Iterator[Place]:
    for match in _ADDRESSES.finditer(text):
        user, domain = match.group("user"), match.group("domain")
        if not domain.casefold().endswith(_NO_DOMAINS) and any(char.isalpha() for char in domain.rpartition(".")[2]):
            yield Place("user", *match.span("user"), user)
            yield Place("domain", *match.span("domain"), domain)


def is_person(name: str, *, of_realm: bool) -> bool:
    """Tell the name of an account that is not one which every Windows has, nor a SID.

    ``of_realm`` says that it belongs to a machine or a domain: then it is none of the system's, whatever it is called.
    """
    folded = fold(name.strip())
    return folded not in (ordinary.EVERYWHERE if of_realm else ordinary.ACCOUNTS) and not folded.startswith(
        ("s-1-", "dwm-", "umfd-")
    )
