"""Names of users, machines and domains: which of them are one and the same, their labels, and finding them in text.

A machine has one label in all its forms: ``WS-7.corp.example``, ``WS-7``, and the 15 characters of its NetBIOS name.
A domain has one for ``corp.example`` and ``CORP``. Case never matters.
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Kind = Literal["host", "domain", "user"]
KINDS: Final[tuple[Kind, ...]] = ("host", "domain", "user")  # a name that is two of them is the first in running text
NETBIOS: Final = 15
LONGEST: Final = 64  # characters of a name that is looked for in running text; a label of a host name has 63
MOST: Final = 20_000  # names of one kind that are looked for in running text
# A name is whole where no letter or digit stands beside it; scripts that are written without spaces (from U+2E80 on)
# part nothing, neither in a name nor beside it.
_BEFORE: Final = r"(?<!(?![\u2e80-\U0010ffff])[^\W_])"
_AFTER: Final = r"(?!(?![\u2e80-\U0010ffff])[^\W_])"


def _full_first(host: str) -> tuple[bool, bool, str]:
    """Order full names before short ones, and what NetBIOS may have cut last: they may be forms of earlier ones."""
    return ("." not in host, "." not in host and len(host) == NETBIOS, host)


def fold(name: str) -> str:
    """Return the form in which names compare equal."""
    return unicodedata.normalize("NFC", name).casefold()


class Names:
    """The names of one kind, their labels, and how each is written in the evidence."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.written: dict[str, str] = {}  # folded -> as first met
        self.labels: dict[str, str] = {}  # folded -> label
        self._number = 0

    def add(self, name: str) -> None:
        """Take note of a name."""
        self.written.setdefault(fold(name), name)

    def new(self) -> list[str]:
        """Return the folded names that have no label yet, in their order."""
        return sorted(self.written.keys() - self.labels.keys())

    def give(self, folded: str, label: str | None, taken: Callable[[str], bool]) -> None:
        """Give a name its label: that of another form of it, or a new one that is not taken."""
        while label is None:
            self._number += 1
            wish = f"{self.kind}-{self._number:02d}"
            label = None if taken(wish) else wish
        self.labels[folded] = label

    def __len__(self) -> int:
        """Return how many are told apart."""
        return len(set(self.labels.values()))

    def key(self) -> dict[str, list[str]]:
        """Return label -> the forms in which the evidence writes the name."""
        out: dict[str, list[str]] = {}
        for folded, label in self.labels.items():
            out.setdefault(label, []).append(self.written.get(folded, folded))
        return {label: sorted(set(forms)) for label, forms in sorted(out.items())}


class Register:
    """All names."""

    def __init__(self) -> None:
        self.hosts, self.domains, self.users = Names("host"), Names("domain"), Names("user")
        self.avoid = ""  # text in which no label may stand: it would be read as one
        self.short: set[str] = set()  # first labels of hosts, and what NetBIOS leaves of them

    def of(self, kind: Kind) -> Names:
        """Return the names of one kind."""
        return {"host": self.hosts, "domain": self.domains, "user": self.users}[kind]

    def add(self, kind: Kind, name: str) -> None:
        """Take note of a name; a machine's full name tells a domain, too."""
        if kind == "domain" and fold(name) in self.short:
            return  # accounts of one machine
        self.of(kind).add(name)
        if kind == "host":
            first, _, domain = name.partition(".")
            self.short.update((fold(first), fold(first)[:NETBIOS]))
            if domain:
                self.domains.add(domain)

    def number(self) -> None:
        """Give labels to all names that have none; those of one call are numbered in their order."""
        everything = {**self.hosts.written, **self.domains.written, **self.users.written}

        def taken(label: str) -> bool:
            return label in everything or label in self.avoid

        self._hosts(taken)
        first_labels: dict[str, list[str]] = {}
        for name in self.domains.written:
            if "." in name:
                first_labels.setdefault(name.partition(".")[0], []).append(name)
        for name in sorted(self.domains.new(), key=lambda item: ("." not in item, item)):
            dns = first_labels.get(name, []) if "." not in name else []
            same = self.hosts.labels.get(name) or (self.domains.labels[dns[0]] if len(dns) == 1 else None)
            self.domains.give(name, same, taken)
        for name in self.users.new():
            self.users.give(name, self._profile_of(name), taken)

    def _hosts(self, taken: Callable[[str], bool]) -> None:
        whole: dict[str, list[str]] = {}  # first label, and what NetBIOS leaves of it -> full names
        for name in self.hosts.written:
            first = name.partition(".")[0]
            for short in {first, first[:NETBIOS]}:
                whole.setdefault(short, []).append(name)
        for name in sorted(self.hosts.new(), key=_full_first):
            longer = {self.hosts.labels.get(item) for item in whole[name]} - {None} if "." not in name else set()
            self.hosts.give(name, longer.pop() if len(longer) == 1 else None, taken)
        for short, names in whole.items():  # forms that only texts may use
            meant = {self.hosts.labels[name] for name in names}
            if len(meant) == 1:
                self.hosts.labels.setdefault(short, meant.pop())

    def _profile_of(self, name: str) -> str | None:
        """Return the label of the user whose folder is called after user and domain (``anna.CORP``, ``anna.000``)."""
        head, dot, tail = name.rpartition(".")
        known = tail in self.domains.labels or tail in self.hosts.labels or (tail.isdigit() and len(tail) == 3)
        return self.users.labels.get(head) if dot and known else None


# ------------------------------------------------------------------------------------------------ finding


def forms(name: str) -> set[str]:
    """Return how a name may be written in text: as composed and decomposed characters, and in XML."""
    both = {unicodedata.normalize(form, name) for form in ("NFC", "NFD")} | {name}
    return both | {html.escape(item, quote=False) for item in both} | {html.escape(item) for item in both}


def finder(names: Iterable[str], *, exact: bool = False) -> re.Pattern[str] | None:
    """Return a pattern that finds any of the names as a whole word, the longest where several begin; None for none.

    Names of more than ``LONGEST`` characters are left out.
    """
    sides: dict[tuple[bool, bool], set[str]] = {}
    written = (form for name in names if 0 < len(name) <= LONGEST for form in forms(name))
    for form in {form if exact else form.lower() for form in written}:
        sides.setdefault((_parts(form[0]), _parts(form[-1])), set()).add(form)
    if not sides:
        return None
    parts = [
        (_BEFORE if before else "") + _trie(found) + (_AFTER if after else "")
        for (before, after), found in sorted(sides.items(), reverse=True)
    ]
    return re.compile("|".join(parts), 0 if exact else re.IGNORECASE)


def below(domains: Iterable[str]) -> re.Pattern[str] | None:
    """Return a pattern that finds machines by their full name below one of the domains; None for none."""
    found = {form.lower() for name in domains if len(name) <= LONGEST for form in forms(name)}
    if not found:
        return None
    labels = r"(?P<host>[\w-]{1,63}(?:\.[\w-]{1,63}){0,3}?)"
    return re.compile(rf"(?<![\w.-]){labels}\.(?:{_trie(found)})(?![\w-])", re.IGNORECASE)


def _parts(char: str) -> bool:
    return char < "\u2e80" and not "\u0e00" <= char < "\u1e00"


_Node = dict[str, "_Node"]


def _trie(words: Iterable[str]) -> str:
    """Return a regular expression for any of the words that looks at each character of a text once."""
    root: _Node = {}
    for word in words:
        node = root
        for char in word:
            node = node.setdefault(char, {})
        node[""] = {}
    return _written(root)


def _written(node: _Node) -> str:
    """Write one node of the tree; as deep as names branch, which ``LONGEST`` bounds."""
    out = ""
    while len(node) == 1 and "" not in node:
        char, node = next(iter(node.items()))
        out += re.escape(char)
    branches = [re.escape(char) + _written(below) for char, below in sorted(node.items()) if char]
    if not branches:
        return out
    joined = branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"
    return f"{out}(?:{joined})?" if "" in node else out + joined
