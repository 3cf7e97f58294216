r"""The conditions of a filter as 5441 and 5447 print them: a block of text, read into the form of a state's conditions.

Three lines for each condition, then what the value goes on with (measured in every 544x of the public samples)::

    <label>:\t{GUID of the field}
    <label>:\t<words for the match type>
    <label>:\t<value>

The labels are not read, only their places, since Windows may print them in another language; the field is a GUID and
the value's form tells its type: hexadecimal digits by their number, a hex dump, an SDDL text, ``low - high``,
``address/mask``. The words for the match type are read where they are known (:data:`MATCHES`); else the condition
keeps its field and value and has no match, which means "cannot tell" to the engine (REFERENCE 12).
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from functools import lru_cache
from typing import Final, NamedTuple

from analyzer.wfp import fields, sids

MAX_TEXT: Final = 4_000_000  # characters of one record's conditions; an event record holds less
MAX_CONDITIONS: Final = 100_000
SHORT: Final = 8192  # characters; the few texts of a log are logged again and again, long ones are not kept

# English words of the match types: the first five stand in public samples, the others follow their pattern.
MATCHES: Final[dict[str, str]] = {
    "equal to": "EQUAL",
    "not equal to": "NOT_EQUAL",
    "in range": "RANGE",
    "all flags set": "FLAGS_ALL_SET",
    "no flags set": "FLAGS_NONE_SET",
    "any flags set": "FLAGS_ANY_SET",
    "any flag set": "FLAGS_ANY_SET",
    "greater than": "GREATER",
    "less than": "LESS",
    "greater than or equal to": "GREATER_OR_EQUAL",
    "less than or equal to": "LESS_OR_EQUAL",
}
_GUID: Final = r"\{[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}"
# The label may hold anything but the GUID's braces; its colon may be a wide one. Bounded, so that nothing backtracks.
_HEAD: Final = re.compile(rf"^[ \t]*[^\n{{}}]{{0,80}}?[:：][ \t]*({_GUID})[ \t]*$", re.MULTILINE)
_LABELLED: Final = re.compile(r"[ \t]*[^\n:：]{1,80}[:：][ \t]*([^\n]*)")
_ONE_LINE: Final = re.compile(r"\s*\b(Condition ID|Match value|Condition value):\s*")
_HEX: Final = re.compile(r"0[xX]([0-9a-fA-F]{1,16})")
_HEX16: Final = re.compile(r"[0-9a-fA-F]{32}")
_HEX6: Final = re.compile(r"[0-9a-fA-F]{2}(?:[-:][0-9a-fA-F]{2}){5}")
_DUMP_LINE: Final = re.compile(r"\s*([0-9a-fA-F]{8})  ((?:[0-9a-fA-F]{2}[ -]){1,16})")
_SDDL: Final = re.compile(r"(?:[OG]:[^\s:]{1,200}){0,2}[DS]:[^\n]*|[OG]:\S+")
_TYPE_BY_DIGITS: Final = {2: "UINT8", 4: "UINT16", 8: "UINT32", 16: "UINT64"}

_NO_TEXT: Final = frozenset({"Cc", "Cs", "Cn", "Co"})


class Value(NamedTuple):
    """One value as of the CONDITIONS frame; ``value`` is None where ``error`` says why, or where it is not told."""

    type: str
    value: object
    text: str
    raw: str
    error: str | None = None


class Read(NamedTuple):
    """One condition: ``field`` without prefix or a GUID, ``match`` without prefix or None, value, what is amiss.

    ``told`` is False where the event prints ``-`` for a value that it does not say.
    """

    field: str
    match: str | None
    value: Value
    told: bool = True
    error: str | None = None


class Text(NamedTuple):
    """All conditions of one text, and what of it was not understood: reasons, each text once.

    ``whole`` is False where a condition may be missing, so that the filter must not be taken for a wider one.
    """

    conditions: tuple[Read, ...]
    problems: tuple[str, ...]
    whole: bool


def read(text: str) -> Text:
    """Read one ``Conditions`` text. ``-`` and blank mean "no conditions"; nothing raises."""
    return _read_short(text) if len(text) <= SHORT else _read(text)


def _read(text: str) -> Text:
    body = text.strip()
    if body in ("", "-"):
        return Text((), (), whole=True)
    if len(body) > MAX_TEXT:
        return Text((), (f"the text of the conditions has {len(body):,} characters and was not read",), whole=False)
    body = body.replace("\r\n", "\n").replace("\r", "\n")
    if "\n" not in body:
        body = _ONE_LINE.sub(lambda found: f"\n{found[1]}:\t", body).strip()
    heads = list(_HEAD.finditer(body))
    if not heads:
        return Text((), (f"no condition could be found in the text {_short(body)}",), whole=False)
    problems: dict[str, None] = {}
    whole = True
    if body[: heads[0].start()].strip():
        whole = False
        problems[f"text before the first condition was not understood: {_short(body[: heads[0].start()])}"] = None
    if len(heads) > MAX_CONDITIONS:
        whole = False
        problems[f"more than {MAX_CONDITIONS:,} conditions"] = None
        heads = heads[:MAX_CONDITIONS]
    found = []
    for at, head in enumerate(heads):
        stop = heads[at + 1].start() if at + 1 < len(heads) else len(body)
        item = _condition(head[1], body[head.end() : stop].strip("\n"))
        if item.error is not None:
            problems[f"condition on {item.field}: {item.error}"] = None
        found.append(item)
    return Text(tuple(found), tuple(problems), whole)


_read_short = lru_cache(maxsize=4096)(_read)


def _condition(guid: str, rest: str) -> Read:
    """Read what follows the field's GUID: the line of the match type, then the value."""
    field = fields.canonical_field(guid)
    match_line, _, value_part = rest.partition("\n")
    match_found = _LABELLED.fullmatch(match_line)
    value_line, _, more = value_part.partition("\n")
    value_found = _LABELLED.fullmatch(value_line)
    if match_found is None or value_found is None:
        missing = "match type" if match_found is None else "value"
        raw = _short(rest)
        return Read(field, None, Value("EMPTY", None, raw, rest.strip()), error=f"its line of the {missing} is missing")
    words = match_found[1].strip()
    printed = f"{value_found[1]}\n{more}".strip() if more.strip() else value_found[1].strip()
    value = decode(field, printed)
    match = MATCHES.get(words.lower())
    if match is None and value.type == "RANGE_TYPE":
        match = "RANGE"  # no other match type takes a range (REFERENCE 4.2)
    if match is None:
        return Read(field, None, value, error=f"its match type {_short(words)} is not known")
    if printed == "-":
        return Read(field, match, value, told=False)
    return Read(field, match, value, error=value.error)


def decode(field: str, printed: str) -> Value:
    """Decode one value by its form; ``value`` has the Python type that a state's value of this type has.

    Never raises; an unknown form has an ``error``. ``-`` is a value that the event does not tell.
    """
    if printed in ("", "-"):
        error = None if printed else "its value is missing"
        return Value("EMPTY", None, "", printed, error)
    hexadecimal = _HEX.fullmatch(printed)
    if hexadecimal is not None:
        return _number(field, hexadecimal[1], printed)
    if _HEX16.fullmatch(printed):
        address = ipaddress.IPv6Address(bytes.fromhex(printed))
        return Value("BYTE_ARRAY16_TYPE", address, str(address), printed)
    low, dash, high = printed.partition(" - ")
    if dash and "\n" not in printed:
        return _range(field, low.strip(), high.strip(), printed)
    if _DUMP_LINE.match(printed):
        return _dump(field, printed)
    return _other(printed)


def _number(field: str, digits: str, printed: str) -> Value:
    """Read a number; how many digits are printed tells its type."""
    number = int(digits, 16)
    kind = _TYPE_BY_DIGITS.get(len(digits))
    if kind is None:
        return Value("EMPTY", None, printed, printed, f"{printed} has {len(digits)} digits, as no number type has")
    if kind == "UINT32" and field in fields.ADDRESS_FIELDS:
        address = ipaddress.IPv4Address(number)
        return Value(kind, address, str(address), printed)
    return Value(kind, number, str(number), printed)


def _range(field: str, low: str, high: str, printed: str) -> Value:
    ends = [decode(field, end) for end in (low, high)]
    if any(end.value is None or end.error for end in ends) or type(ends[0].value) is not type(ends[1].value):
        return Value("RANGE_TYPE", None, printed, printed, f"the range {_short(printed)} is not understood")
    text = ends[0].text if ends[0].value == ends[1].value else f"{ends[0].text}-{ends[1].text}"
    return Value("RANGE_TYPE", (ends[0].value, ends[1].value), text, printed)


def _dump(field: str, printed: str) -> Value:
    """Read a hex dump: its lines carry their offset, so that a lost line is seen."""
    data = bytearray()
    for line in printed.split("\n"):
        if not line.strip():
            continue
        found = _DUMP_LINE.match(line)
        if found is None or int(found[1], 16) != len(data):
            return Value("BYTE_BLOB_TYPE", None, "", printed, f"the hex dump breaks off at byte {len(data)}")
        data += bytes.fromhex(found[2].replace("-", " "))
    text = _utf16(bytes(data))
    raw = data.hex()
    if field in fields.PATH_FIELDS:
        if text is None:
            return Value("BYTE_BLOB_TYPE", None, raw, raw, "the bytes are no UTF-16 text")
        return Value("BYTE_BLOB_TYPE", text.lower(), text, raw)
    return Value("BYTE_BLOB_TYPE", bytes(data), text or raw, raw)


def _other(printed: str) -> Value:
    """Read the forms with letters: descriptor, SID, network, address, MAC address."""
    if _SDDL.fullmatch(printed):
        return Value("SECURITY_DESCRIPTOR_TYPE", printed, printed, printed)
    if sids.is_sid(printed):
        return Value("SID", sids.canonical_sid(printed), printed, printed)
    if _HEX6.fullmatch(printed):
        data = bytes.fromhex(printed.replace("-", "").replace(":", ""))
        return Value("BYTE_ARRAY6_TYPE", data, data.hex("-"), printed)
    return _network(printed)


def _network(printed: str) -> Value:
    """Read an address, or one with a mask."""
    if "/" not in printed:
        try:
            address = ipaddress.ip_address(printed.partition("%")[0])
        except ValueError:
            return Value("EMPTY", None, _short(printed), printed, f"the value {_short(printed)} is of no known form")
        return Value("UINT32" if address.version == 4 else "BYTE_ARRAY16_TYPE", address, str(address), printed)
    try:
        network = ipaddress.ip_network(printed, strict=False)
    except ValueError:
        return Value("EMPTY", None, printed, printed, f"{_short(printed)} is no address with a mask")
    return Value("V4_ADDR_MASK" if network.version == 4 else "V6_ADDR_MASK", network, str(network), printed)


def _utf16(data: bytes) -> str | None:
    """Return the UTF-16LE text of a blob without its final NULs, or None where it is no such text."""
    try:
        text = data.decode("utf-16-le").rstrip("\x00")
    except UnicodeDecodeError:
        return None
    return text if text and not any(unicodedata.category(char) in _NO_TEXT for char in text) else None


def _short(text: str) -> str:
    """Quote the beginning of a text from the evidence."""
    flat = " ".join(text.split())
    return repr(flat if len(flat) <= 60 else f"{flat[:60]}…")
