"""What may be selected, one value at a time: the forms that people type, what they mean, and how they are said.

Each ``parse_…`` function takes one text and raises `SelectionError` with a sentence that says what would be right.
"""

from __future__ import annotations

import fnmatch
import ipaddress
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final, get_args

from analyzer.hosts import first_label
from analyzer.model import Grade, Kind
from analyzer.processes import below_volume
from analyzer.wfp import events, services, sids
from analyzer.wfp.protocols import PROTOCOLS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TIME: Final = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?([Zz]|[+-]\d{2}:\d{2})?)?", re.ASCII
)
_NUMBER: Final = re.compile(r"[0-9]{1,10}")
_DRIVE: Final = re.compile(r"[a-z]:\\")
_DEVICE: Final = re.compile(r"\\device\\harddiskvolume\d+\\")
_SHARE: Final = re.compile(r"^\\\\(?=[^\\?.])")
_SECOND: Final = 1_000_000_000
_PROTOCOLS: Final[dict[str, int]] = {
    **{name.lower(): number for number, name in PROTOCOLS.items()},
    "icmpv4": 1,
    "icmp6": 58,
    "ipv6-icmp": 58,
}
_EVENT_IDS: Final = frozenset(events.BLOCK | events.DROP | events.PERMIT)


class SelectionError(ValueError):
    """A text that selects nothing that can be understood; says what would be right."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as typed covers the whole of its smallest unit: a day, a minute, a second or a part of one.

    ``first`` and ``last`` are its first and its last nanosecond since 1970 in UTC.
    """

    first: int
    last: int
    words: str = field(compare=False)

    def __str__(self) -> str:
        return self.words


def parse_time(text: str) -> Moment:
    """Read an RFC 3339 time; without a zone it is UTC, and a date alone is the whole day."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise SelectionError(
            f"{_quoted(text)} is no time like 2026-03-04T10:15:22Z, 2026-03-04T10:15+01:00, 2026-03-04"
        )
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=UTC
        )
        moment -= _offset(zone or "Z")
    except (ValueError, OverflowError) as error:
        raise SelectionError(f"{_quoted(text)} is no time that a clock shows ({error})") from error
    seconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    first = seconds * _SECOND + int((fraction or "").ljust(9, "0"))
    length = 86_400 if hour is None else 60 if second is None else 1
    unit = length * _SECOND if fraction is None else 10 ** (9 - len(fraction))
    said = "" if zone else " (whole day, UTC)" if hour is None else " (no zone given: UTC)"
    return Moment(first, first + unit - 1, f"{text.strip()}{said}")


def _offset(zone: str) -> timedelta:
    if zone in "Zz":
        return timedelta()
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    if hours > 23 or minutes > 59:
        raise ValueError("a zone is less than a day")
    return timedelta(hours=hours, minutes=minutes) * (-1 if zone[0] == "-" else 1)


@dataclass(frozen=True, slots=True)
class Protocol:
    """An IP protocol by its IANA number."""

    number: int

    def __str__(self) -> str:
        return PROTOCOLS.get(self.number, str(self.number))


def parse_protocol(text: str) -> Protocol:
    """Read a protocol's name (IANA) or number."""
    word = text.strip().lower()
    number = _PROTOCOLS.get(word, int(word) if _NUMBER.fullmatch(word) else -1)
    if not 0 <= number <= 255:
        raise SelectionError(f"{_quoted(text)} is no protocol: tcp, udp, icmp, icmpv6, …, or a number from 0 to 255")
    return Protocol(number)


@dataclass(frozen=True, slots=True)
class Network:
    """An address or a network; ``scope`` is the IPv6 scope id, None where any will do."""

    network: ipaddress.IPv4Network | ipaddress.IPv6Network
    scope: int | None = None

    def __str__(self) -> str:
        single = self.network.prefixlen == self.network.max_prefixlen
        scope = "" if self.scope is None else f"%{self.scope}"
        return f"{self.network.network_address}{scope}{'' if single else f'/{self.network.prefixlen}'}"


def parse_address(text: str) -> Network:
    """Read an address or a network of either family; ``%n`` behind an IPv6 address is its scope id."""
    plain, slash, prefix = text.strip().partition("/")
    address, percent, scope = plain.partition("%")
    if slash and not percent:
        prefix, percent, scope = prefix.partition("%")
    try:
        network = ipaddress.ip_network(f"{address}{slash}{prefix}", strict=False)
    except ValueError as error:
        wanted = "an address like 198.51.100.7 or fe80::1%5, nor a network like 198.51.100.0/24 or 2001:db8::/32"
        raise SelectionError(f"{_quoted(text)} is neither {wanted}") from error
    if not percent:
        return Network(network)
    if network.version == 4 or not _NUMBER.fullmatch(scope):
        raise SelectionError(f"{_quoted(text)}: a scope id is a number behind an IPv6 address, as in fe80::1%5")
    return Network(network, int(scope))


@dataclass(frozen=True, slots=True)
class Ports:
    """A range of ports, both ends included."""

    low: int
    high: int

    def __str__(self) -> str:
        return str(self.low) if self.low == self.high else f"{self.low}-{self.high}"


def parse_ports(text: str) -> Ports:
    """Read a port or a range of ports."""
    low, dash, high = (part.strip() for part in text.partition("-"))
    high = high if dash else low
    if not (_NUMBER.fullmatch(low) and _NUMBER.fullmatch(high)) or not int(low) <= int(high) <= 65535:
        raise SelectionError(f"{_quoted(text)} is no port from 0 to 65535 and no range like 49152-65535")
    return Ports(int(low), int(high))


@dataclass(frozen=True, slots=True)
class Application:
    """A program: its path, the end of its path, its base name, or any of these with ``*`` and ``?``."""

    text: str

    def __str__(self) -> str:
        return self.text

    def matches(self, application: str) -> bool:
        """Tell whether an application as recorded is meant.

        A drive and a volume can't be compared, so a path of the one form is compared with one of the other below them.
        """
        return _is_meant(self.text.lower(), application.lower())


@lru_cache(maxsize=65536)
def _is_meant(wanted: str, given: str) -> bool:
    if not wanted.strip("\\"):
        return False
    if "\\" not in wanted:
        return _fits(wanted, given.rpartition("\\")[2])
    for root, other in ((_DRIVE, _DEVICE), (_DEVICE, _DRIVE)):
        if root.match(wanted):
            below = other.match(given) is not None and _fits(below_volume(wanted), below_volume(given))
            return below or _fits(wanted, given)
    if wanted.startswith("\\"):
        return _fits(wanted, given) or _fits(wanted, below_volume(given))
    return _fits(wanted, given) or _fits("*\\" + wanted, given)


def _fits(pattern: str, text: str) -> bool:
    if "*" not in pattern and "?" not in pattern:
        return pattern == text
    return fnmatch.fnmatchcase(text, pattern.replace("[", "[[]"))  # brackets are usual in names of files


def parse_application(text: str) -> Application:
    """Read a device path, a DOS path, the end of a path, a base name, or a pattern of these."""
    word = text.strip().strip('"').replace("/", "\\")
    if not word.strip("\\"):
        raise SelectionError(f"{_quoted(text)} names no program: a path, the end of one, or a name like svchost.exe")
    if "%" in word:
        raise SelectionError(f"{_quoted(text)}: variables are not known here; write the path, its end, or *")
    return Application(_SHARE.sub(r"\\device\\mup\\", word))


@dataclass(frozen=True, slots=True)
class User:
    """A user by SID, or by a name."""

    text: str

    def __str__(self) -> str:
        return self.text

    def matcher(self, names: Mapping[str, str]) -> Callable[[str], bool]:
        """Return a test for SIDs. ``names`` is SID -> account name, as states tell it."""
        word = self.text.casefold()
        if sids.is_sid(self.text):
            return lambda sid: sid.casefold() == word
        known = {**sids.WELL_KNOWN, **names}
        wanted = {sid.casefold() for sid, name in known.items() if _same_name(word, name)}
        domain, _, account = word.rpartition("\\")
        if domain == "nt service":
            wanted.add(services.service_sid(account).casefold())
        if domain == "nt authority":
            wanted |= {sid.casefold() for sid, name in sids.WELL_KNOWN.items() if name.casefold() == account}
        return lambda sid: sid.casefold() in wanted


def _same_name(wanted: str, name: str) -> bool:
    """Compare account names; one that is asked for without its domain may be of any."""
    given = name.casefold()
    return wanted in {given, given.rpartition("\\")[2]}


def parse_user(text: str) -> User:
    r"""Read a SID, a two-letter alias of one (``SY``), or an account name (``NT SERVICE\BITS``, ``HOST\user``)."""
    word = text.strip()
    if not word:
        raise SelectionError("an empty text names no user: a SID, or a name like SYSTEM or HOST\\user")
    if word.upper().startswith("S-1-") and not sids.is_sid(word):
        raise SelectionError(f"{_quoted(text)} is no whole SID like S-1-5-18")
    return User(sids.canonical_sid(word) if word.upper() in sids.ALIASES or sids.is_sid(word) else word)


@dataclass(frozen=True, slots=True)
class Computer:
    """A computer by its name; without a domain it is compared with the first label of a name."""

    text: str

    def __str__(self) -> str:
        return self.text

    def matches(self, computer: str) -> bool:
        """Tell whether a computer as recorded is meant."""
        if "." in self.text and "." in computer:
            return computer.casefold() == self.text.casefold()
        return first_label(computer) == first_label(self.text)


def parse_computer(text: str) -> Computer:
    """Read a computer name, with or without its domain."""
    if not text.strip().partition(".")[0]:
        raise SelectionError(f"{_quoted(text)} names no computer")
    return Computer(text.strip())


def parse_event_id(text: str) -> int:
    """Read the id of an event that decides something."""
    word = text.strip()
    if not _NUMBER.fullmatch(word) or int(word) not in _EVENT_IDS:
        known = ", ".join(str(number) for number in sorted(_EVENT_IDS))
        raise SelectionError(f"{_quoted(text)} is none of the events that are judged: {known}")
    return int(word)


def parse_kind(text: str) -> str:
    """Read a kind of block."""
    return _word(text, get_args(Kind), "kind")


def parse_grade(text: str) -> str:
    """Read a grade."""
    return _word(text, get_args(Grade), "grade")


def _word(text: str, known: tuple[str, ...], noun: str) -> str:
    word = text.strip().lower()
    if word not in known:
        raise SelectionError(f"{_quoted(text)} is no {noun}: {', '.join(known)}")
    return word


def _quoted(text: str) -> str:
    return f"'{text[:80]}{'…' if len(text) > 80 else ''}'"
