"""A box of packets in words: ``inbound TCP 3389 from any address, profile public, any program``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from analyzer.review import values
from analyzer.review.axes import OTHER_BITS, PROFILE
from analyzer.review.conditions import Condition, merged
from analyzer.review.folding import USER
from analyzer.reviewmodel import Limit
from analyzer.wfp import fields, flags, protocols, sddl, sids

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.review.axes import Axis, Box, Space

MOST_VALUES: Final = 500  # of one field of one box
MOST_NAMED: Final = 4  # in the sentence
ANY: Final = "any"
BUT: Final = "any but "
NO_PACKAGE: Final = "no app package"
NAMED: Final = frozenset({PROFILE, "IP_PROTOCOL"})  # fields of few numbers, each with a name


@dataclass(frozen=True, slots=True)
class Words:
    """One limited field of a box: the values that it takes, or with ``but`` those that it does not take."""

    field: str
    words: str
    values: tuple[str, ...]
    but: bool = False

    def limit(self) -> Limit:
        """Return it for the result document."""
        shown = tuple(f"not {value}" for value in self.values) if self.but else self.values
        return Limit(self.field, self.words, shown[:MOST_VALUES], len(shown))

    def short(self, noun: str = "", *, names: bool = False) -> str:
        """Return it in a few words; with ``names`` paths are cut to their last part."""
        shown = tuple(dict.fromkeys(values.file_name(v) for v in self.values)) if names else self.values
        listed = values.listed(shown, MOST_NAMED)
        if not noun:
            return f"{BUT}{listed}" if self.but else listed
        return f"any {noun} but {listed}" if self.but else f"{noun} {listed}"


def told(box: Box, space: Space) -> dict[str, list[Words]]:
    """Return field -> its limits in words; oracles are not told."""
    out: dict[str, list[Words]] = {}
    for at, atoms in sorted(box.items()):
        axis = space.axes[at]
        if axis.kind != "oracle":
            out.setdefault(axis.field, []).append(_axis_words(axis, atoms))
    return out


def _axis_words(axis: Axis, atoms: int) -> Words:
    if axis.kind == "spans":
        return _spans(axis, atoms)
    name = fields.field_words(axis.field)
    if axis.kind == "choice":
        others = atoms >> (len(axis.atoms) - 1) & 1
        chosen = [c for at, c in enumerate(axis.atoms) if c is not None and bool(atoms >> at & 1) != bool(others)]
        return Words(axis.field, name, tuple(_choice(c) for c in chosen), but=bool(others))
    return _switch(axis, name, yes=atoms == 0b10)


def _choice(condition: Condition) -> str:
    if condition.value == sids.NULL_SID and condition.field == "ALE_PACKAGE_ID":
        return NO_PACKAGE
    return condition.text or str(condition.value)


def _spans(axis: Axis, atoms: int) -> Words:
    taken, missing = (
        merged(span for at, span in enumerate(axis.atoms) if bool(atoms >> at & 1) == wanted)
        for wanted in (True, False)
    )
    but = _size(missing) < _size(taken) and len(missing) <= len(taken)
    name = "profile" if axis.field == PROFILE else fields.field_words(axis.field)
    chosen = missing if but else taken
    if axis.field in NAMED:
        chosen = tuple((number, number) for low, high in chosen for number in range(low, high + 1))
    field = "CURRENT_PROFILE_ID" if axis.field == PROFILE else axis.field
    shown = tuple(values.span_words(field, axis.family, low, high) for low, high in chosen)
    return Words(axis.field, name, shown, but=but)


def _size(spans: Iterable[tuple[int, int]]) -> int:
    return sum(high - low + 1 for low, high in spans)


def _switch(axis: Axis, name: str, *, yes: bool) -> Words:
    detail: Any = axis.detail
    if isinstance(detail, Condition):
        return Words(axis.field, name, (values.cut(sddl.sd_words(detail.value)),), but=not yes)
    if detail == OTHER_BITS:
        shown = "a flag that no filter names"
    else:
        shown = flags.condition_flag_words(1 << detail) if axis.field == "FLAGS" else f"0x{1 << detail:X}"
    return Words(axis.field, name, (shown,), but=not yes)


# ------------------------------------------------------------------------------------------------------ the sentence


def sentence(found: dict[str, list[Words]], direction: str | None, family: int | None, *, whole: bool) -> str:
    """Return a box in one line. ``family`` is None where both address families are meant."""
    inbound = direction == "inbound"
    near, far = ("IP_LOCAL_PORT", "IP_REMOTE_PORT") if inbound else ("IP_REMOTE_PORT", "IP_LOCAL_PORT")
    head = [direction or "", {4: "IPv4", 6: "IPv6"}.get(family or 0, ""), _protocol(found, near)]
    peer = "from" if inbound else "to" if direction == "outbound" else "with"
    remote = _one(found, "IP_REMOTE_ADDRESS")
    where = f"{peer} {_address(remote)}"
    parts = [" ".join(word for word in (*head, where) if word)]
    parts += [_one_words(found, "IP_LOCAL_ADDRESS", "local address"), _port(found, far)]
    profile = _one(found, PROFILE)
    parts.append("any profile" if profile is None else profile.short("profile"))
    program = _one(found, "ALE_APP_ID")
    parts.append("any program" if program is None else program.short("program", names=True))
    parts.append(_one_words(found, "ORIGINAL_ICMP_TYPE", "ICMP type"))
    parts += _details(found)
    if not whole:
        parts.append("not all of it")
    return ", ".join(part for part in parts if part)


def _one(found: dict[str, list[Words]], field: str) -> Words | None:
    return next(iter(found.get(field, ())), None)


def _one_words(found: dict[str, list[Words]], field: str, noun: str) -> str:
    words = _one(found, field)
    return "" if words is None else words.short(noun)


def _address(words: Words | None) -> str:
    return "any address" if words is None else words.short("address") if words.but else words.short()


def _protocol(found: dict[str, list[Words]], near: str) -> str:
    words, port = _one(found, "IP_PROTOCOL"), _one(found, near)
    name = "any protocol" if words is None else words.short("protocol") if words.but else _joined(words.values)
    if port is None:
        return name
    plain = words is not None and not words.but and not _icmp(words)
    if plain and not port.but:
        return f"{name} {port.short()}"
    noun = "ICMP type" if words is not None and _icmp(words) and near == "IP_LOCAL_PORT" else "port"
    noun = "ICMP code" if words is not None and _icmp(words) and near == "IP_REMOTE_PORT" else noun
    return f"{name} {port.short(noun)}"


def _icmp(words: Words) -> bool:
    return not words.but and set(words.values) <= {protocols.PROTOCOLS[1], protocols.PROTOCOLS[58]}


def _joined(names: Sequence[str]) -> str:
    return " and ".join(names) if len(names) < 3 else values.listed(names, MOST_NAMED)


def _port(found: dict[str, list[Words]], far: str) -> str:
    words = _one(found, far)
    if words is None:
        return ""
    protocol = _one(found, "IP_PROTOCOL")
    if protocol is not None and _icmp(protocol):
        return words.short("ICMP type" if far == "IP_LOCAL_PORT" else "ICMP code")
    return words.short("local port" if far == "IP_LOCAL_PORT" else "remote port")


_SAID: Final = frozenset(
    {
        *("IP_PROTOCOL", "IP_LOCAL_PORT", "IP_REMOTE_PORT", "IP_REMOTE_ADDRESS", "IP_LOCAL_ADDRESS"),
        *(PROFILE, "ALE_APP_ID", "ORIGINAL_ICMP_TYPE"),
    }
)


def _details(found: dict[str, list[Words]]) -> Iterable[str]:
    """Yield what is limited beside the main fields."""
    for field, limits in found.items():
        if field in _SAID:
            continue
        for words in limits:
            if field == "FLAGS":
                yield f"{'not ' if words.but else ''}{words.values[0]}"
            elif field == USER:
                yield f"{'not ' if words.but else ''}for {words.values[0]}"
            elif words.values == (NO_PACKAGE,):
                yield "in some app package" if words.but else NO_PACKAGE
            elif words.but and len(words.values) == 1:
                yield f"{words.words} not {words.values[0]}"
            else:
                yield words.short(words.words)
