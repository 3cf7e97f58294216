"""One text: what there is to hide in it, and the text with labels in place of that.

Everything is found in the text as it was, and replaced in one pass: a label is never looked into.
"""

from __future__ import annotations

import html
import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from analyzer.redaction import addresses, blobs, names, ordinary, sids
from analyzer.redaction.addresses import AddressBook
from analyzer.redaction.names import Kind, Register, fold
from analyzer.redaction.places import Places
from analyzer.redaction.sids import SidBook

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.redaction.addresses import Address

_MAC: Final = re.compile(
    r"(?<![0-9A-Za-z])(?<![0-9A-Fa-f][:-])[0-9A-Fa-f]{2}([:-])[0-9A-Fa-f]{2}(?:\1[0-9A-Fa-f]{2}){4}"
    r"(?![0-9A-Za-z]|[:-][0-9A-Fa-f])"
)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which addresses are hidden; names and SIDs always are. Hardware addresses go with the private ones."""

    private: bool = True
    public: bool = True


class Vault:
    """All that is hidden, and what stands for it."""

    def __init__(self, choice: Choice) -> None:
        self.choice = choice
        self.names = Register()
        self.addresses = AddressBook()
        self.sids = SidBook()
        self.macs: dict[bytes, str] = {}

    def hides(self, address: Address) -> bool:
        """Tell whether an address gets a label."""
        where = addresses.scope(addresses.inner(address))
        return self.choice.private if where is None else bool(getattr(self.choice, where))

    def address(self, address: Address) -> str:
        """Return the label of an address."""
        made_of = addresses.hardware(address)
        return self.addresses.label(address) if made_of is None else f"fe80::{self.mac(made_of)}"

    def mac(self, data: bytes) -> str:
        """Return the label of a hardware address."""
        return self.macs.setdefault(data, f"mac-{len(self.macs) + 1:02d}")


class _Span(NamedTuple):
    start: int
    end: int
    label: str


class Scan:
    """What was found in texts so far; with :meth:`settle` it is numbered."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._places = Places()
        self._addresses: set[Address] = set()
        self._sids: set[sids.Parts] = set()
        self._macs: set[bytes] = set()

    def realms(self) -> None:
        """Look for names behind the hosts and domains that are known by now, too."""
        self._places = Places(*_realms(self._vault.names))

    def text(self, text: str) -> None:
        """Take note of what there is in one text."""
        blobs.rewrite(text, self._inner, self._bytes)
        self._inner(text)

    def settle(self) -> None:
        """Give labels to all that was found since the last time, each kind in its own order."""
        self._vault.names.number()
        self._vault.addresses.extend(self._addresses)
        self._vault.sids.extend(self._sids)
        for data in sorted(self._macs):
            self._vault.mac(data)
        self._addresses, self._sids, self._macs = set(), set(), set()

    def _inner(self, text: str) -> str:
        for place in self._places.find(text):
            self._vault.names.add(place.kind, place.name)
        self._sids.update(sids.parts(match.group()) for match in sids.TEXT.finditer(text))
        self._macs.update(data for _, data in _macs(text, self._vault.choice))
        for found in addresses.find(text):
            if not found.doubtful and self._vault.hides(found.address):
                made_of = addresses.hardware(found.address)
                if made_of is None:
                    self._addresses.add(found.address)
                else:
                    self._macs.add(made_of)
        return text

    def _bytes(self, data: bytes) -> bytes:
        self._sids.update(sids.binary_parts(match.group()) for match in sids.BYTES.finditer(data))
        return data


class Redactor:
    """Replaces what a vault hides. Names that are met now for the first time get labels, too."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        register = vault.names
        self._places = Places(*_realms(register))
        self._plain, self._exact = _in_text(register)
        self._done: dict[str, str] = {}

    def fix(self, text: str, label: str) -> None:
        """Let one text as a whole become another."""
        self._done[text] = label

    def text(self, text: str) -> str:
        """Return a text with labels."""
        done = self._done.get(text)
        if done is None:
            done = self._done[text] = self._inner(blobs.rewrite(text, self._inner, self._bytes))
        return done

    def name(self, kind: Kind, text: str) -> str | None:
        """Return the label of a text that is nothing but a name; None where it is not known as one."""
        return self._vault.names.of(kind).labels.get(fold(text))

    def host(self, text: str) -> str:
        """Return the label of a text that names one machine; of several with commas between."""
        return ", ".join(self.name("host", part) or self.text(part) for part in text.split(", "))

    def _bytes(self, data: bytes) -> bytes:
        return sids.BYTES.sub(lambda match: self._vault.sids.data(match.group()), data)

    def _inner(self, text: str) -> str:
        spans = sorted(self._spans(text), key=lambda span: (span.start, -span.end))
        if not spans:
            return text
        out: list[str] = []
        at = 0
        for start, end, label in spans:
            if start >= at:
                out += (text[at:start], label)
                at = end
        return "".join((*out, text[at:]))

    def _spans(self, text: str) -> Iterator[_Span]:
        register = self._vault.names
        for place in self._places.find(text):
            yield _Span(place.start, place.end, self._label(place.kind, place.name))
        for match in sids.TEXT.finditer(text):
            yield _Span(*match.span(), self._vault.sids.text(match.group()))
        for match, data in _macs(text, self._vault.choice):
            yield _Span(*match.span(), self._vault.mac(data))
        for found in addresses.find(text):
            known = not found.doubtful or found.address in self._vault.addresses.known
            if known and self._vault.hides(found.address):
                yield _Span(found.start, found.end, self._vault.address(found.address))
        for pattern in (self._plain, self._exact):
            for match in pattern.finditer(text) if pattern is not None else ():
                label = _known(register, match.group())
                if label is not None:
                    yield _Span(*match.span(), label)

    def _label(self, kind: Kind, name: str) -> str:
        register, folded = self._vault.names, fold(name)
        if kind == "domain" and folded in register.hosts.labels:  # accounts of one machine
            return register.hosts.labels[folded]
        own = register.of(kind)
        if folded not in own.labels:
            register.add(kind, name)
            register.number()
        return own.labels[folded]


def _known(register: Register, found: str) -> str | None:
    """Return the label of a name that was found in running text."""
    folded = fold(found)
    if found.islower() and folded in ordinary.PERSONS:
        return None
    for form in (folded, fold(html.unescape(found))):
        for kind in names.KINDS:
            label = register.of(kind).labels.get(form)
            if label is not None:
                return label
    return None


def _realms(register: Register) -> tuple[re.Pattern[str] | None, re.Pattern[str] | None, re.Pattern[str] | None]:
    """Return patterns of known users, of what may stand before a backslash and a user, and of hosts below domains."""
    users, domains = (itertools.islice(own.written, names.MOST) for own in (register.users, register.domains))
    hosts = set(itertools.islice({**register.hosts.written, **register.hosts.labels}, names.MOST))
    realms = {*domains, *hosts, *(name.partition(".")[0] for name in hosts)}
    behind = names.finder(realms | ordinary.COMMON_REALMS)
    dns = {host.partition(".")[2] for host in hosts} | {name for name in realms if "." in name} - hosts
    return names.finder(users), behind, names.below(dns - {""})


def _in_text(register: Register) -> tuple[re.Pattern[str] | None, re.Pattern[str] | None]:
    """Return patterns of the names that are looked for in running text: in any letter case, and as they are written."""
    plain: set[str] = set()
    exact: set[str] = set()
    for kind in names.KINDS:
        own = register.of(kind)
        plain.update(name for name in itertools.islice(own.labels, names.MOST) if not ordinary.is_word(name))
        if kind != "user":
            exact.update(name for name in own.written.values() if ordinary.is_capital(name))
    return names.finder(plain), names.finder(exact, exact=True)


def _macs(text: str, choice: Choice) -> Iterator[tuple[re.Match[str], bytes]]:
    """Yield the hardware addresses in a text that are of one machine: neither a group's nor nothing."""
    for match in _MAC.finditer(text) if choice.private else ():
        data = bytes.fromhex(re.sub("[:-]", "", match.group()))
        if any(data) and not data[0] & 1:
            yield match, data
