"""Rules to try, from a file: the JSON that ``propose`` writes, or ``New-NetFirewallRule`` commands, one per line.

The commands are read, never run: parameters and quoted texts, and nothing that PowerShell would have to work out.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from analyzer.proposalmodel import RuleSpec
from analyzer.rule_error import RuleError
from analyzer.wfp import protocols

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MOST_BYTES: Final = 4_000_000
MOST_RULES: Final = 500
CMDLET: Final = "new-netfirewallrule"
# A word of a command: a separator of a list, a text in quotes (a doubled quote stands for one), or plain characters.
_WORD: Final = re.compile(r"""\s*(?:(,)|'((?:[^']|'')*)'|"((?:[^"`$])*)"|([^\s,'"`$;|&(){}#<>@]+))""")
_ANY: Final = frozenset({"any", "*"})
_DIRECTIONS: Final = {"in": "inbound", "inbound": "inbound", "out": "outbound", "outbound": "outbound"}
_ACTIONS: Final = frozenset({"allow", "block"})
_PROFILES: Final = ("public", "private", "domain")
_NAMES: Final[dict[str, str]] = {  # parameter, lower case -> field of RuleSpec
    "displayname": "name",
    "direction": "direction",
    "action": "action",
    "program": "program",
    "service": "service",
    "protocol": "protocol",
    "localport": "local_ports",
    "remoteport": "remote_ports",
    "icmptype": "icmp",
    "localaddress": "local_addresses",
    "remoteaddress": "remote_addresses",
    "profile": "profiles",
    "localuser": "local_user",
}
# Parameters that say nothing of which packets: left aside.
_ASIDE: Final = frozenset({"name", "description", "group", "policystore", "erroraction", "confirm"})
_LISTS: Final = frozenset({"local_ports", "remote_ports", "icmp", "local_addresses", "remote_addresses", "profiles"})


class RuleFileError(RuleError):
    """The file can't be used; the message says where and why."""


def read(path: Path) -> tuple[RuleSpec, ...]:
    """Read rules.

    Raises
    ------
    RuleFileError
        The file can't be read, is too large, holds no rule, or one that is not understood whole.
    """
    try:
        data = path.read_bytes()[: MOST_BYTES + 1] if path.is_file() else None
    except OSError as error:
        raise RuleFileError(f"{path}: can't be read ({error.strerror})") from error
    if data is None:
        raise RuleFileError(f"{path}: no such file")
    if len(data) > MOST_BYTES:
        raise RuleFileError(f"{path}: larger than {MOST_BYTES:,} bytes")
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise RuleFileError(f"{path}: neither UTF-8 nor UTF-16") from error
    try:
        found = tuple(_from_json(text) if text.lstrip()[:1] in ("{", "[") else _from_commands(text))
    except RuleFileError as error:
        raise RuleFileError(f"{path}: {error}") from error
    if not found:
        raise RuleFileError(f"{path}: holds no rule (JSON of `propose`, or New-NetFirewallRule commands)")
    if len(found) > MOST_RULES:
        raise RuleFileError(f"{path}: holds more than {MOST_RULES} rules")
    return found


# ---------------------------------------------------------------------------------------------------------- JSON


def _from_json(text: str) -> Iterator[RuleSpec]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RuleFileError("no JSON") from error
    listed = document.get("rules") if isinstance(document, dict) else document
    if not isinstance(listed, list):
        raise RuleFileError("its JSON holds no list of rules")
    for number, item in enumerate(listed, start=1):
        given = item.get("rule", item) if isinstance(item, dict) else None
        if not isinstance(given, dict):
            raise RuleFileError(f"rule {number} is no object")
        yield _made({name: value for name, value in given.items() if value is not None}, f"rule {number}")


def _made(given: dict[str, Any], where: str) -> RuleSpec:
    """Check types and words."""
    known = set(_NAMES.values())
    for name, value in given.items():
        if name not in known:
            raise RuleFileError(f"{where}: {name!r} is not known")
        good = (
            isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 255
            if name == "protocol"
            else isinstance(value, (list, tuple)) and all(isinstance(text, str) for text in value)
            if name in _LISTS
            else isinstance(value, str) and bool(value)
        )
        if not good:
            raise RuleFileError(f"{where}: {name} is not understood")
    if given.get("direction") not in ("inbound", "outbound"):
        raise RuleFileError(f"{where}: its direction is neither inbound nor outbound")
    if given.get("action", "allow") not in _ACTIONS:
        raise RuleFileError(f"{where}: its action is neither allow nor block")
    lists = {name: tuple(given[name]) for name in _LISTS if name in given}
    if not set(lists.get("profiles", ())) <= set(_PROFILES):
        raise RuleFileError(f"{where}: a profile is none of {', '.join(_PROFILES)}")
    return RuleSpec(**({"name": where} | given | lists))


# ------------------------------------------------------------------------------------------------------ commands


def _from_commands(text: str) -> Iterator[RuleSpec]:
    joined = re.sub(r"`[ \t]*\r?\n", " ", text)  # a line may go on
    for number, line in enumerate(joined.splitlines(), start=1):
        shown = line.strip()
        if not shown or shown.startswith("#"):
            continue
        if not shown.lower().startswith(CMDLET):
            raise RuleFileError(f"line {number}: no New-NetFirewallRule command")
        yield _command(shown[len(CMDLET) :], f"line {number}")


def _command(text: str, where: str) -> RuleSpec:
    given: dict[str, Any] = {}
    for name, values in _parameters(text, where):
        field = _NAMES.get(name)
        if field is None:
            if name in _ASIDE:
                continue
            raise RuleFileError(f"{where}: the parameter -{name} is not understood")
        if field in given:
            raise RuleFileError(f"{where}: -{name} is given twice")
        if len(values) != 1 and field not in _LISTS:
            raise RuleFileError(f"{where}: -{name} takes one value")
        given[field] = values
    out: dict[str, Any] = {"direction": "inbound", "action": "allow"}  # what the cmdlet takes where nothing is said
    for field, values in given.items():
        read = _READ.get(field)
        value = values if field in _LISTS else values[0]
        if field not in ("name", "profiles") and {text.lower() for text in values} <= _ANY:
            continue
        out[field] = read(value, where) if read is not None else value
    return _made(out, where)


def _parameters(text: str, where: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Split into parameters and their values."""
    name: str | None = None
    values: list[str] = []
    at, open_list = 0, False
    text = text.rstrip()
    while at < len(text):
        found = _WORD.match(text, at)
        if found is None:
            raise RuleFileError(
                f"{where}: {text[at : at + 20].strip()!r} is not understood (only plain texts are read)"
            )
        at = found.end()
        comma, single, double, plain = found.groups()
        if comma:
            open_list = True
        elif plain is not None and plain.startswith("-") and not open_list and plain[1:2].isalpha():
            if name is not None:
                yield name, tuple(values)
            name, values = plain[1:].rstrip(":").lower(), []
        else:
            if name is None or (values and not open_list):
                raise RuleFileError(f"{where}: a value without a parameter")
            values.append(single.replace("''", "'") if single is not None else double if double is not None else plain)
            open_list = False
    if name is not None:
        yield name, tuple(values)


def _protocol(text: str, where: str) -> int:
    names = {name.lower(): number for number, name in protocols.PROTOCOLS.items()} | {
        "icmpv4": protocols.ICMP,
        "icmpv6": protocols.ICMPV6,
    }
    number = names.get(text.lower(), int(text) if text.isascii() and text.isdigit() and len(text) < 4 else None)
    if number is None:
        raise RuleFileError(f"{where}: the protocol {text!r} is not known")
    return number


def _profiles(values: tuple[str, ...], _where: str) -> tuple[str, ...]:
    named = [name.strip().lower() for text in values for name in text.split(",")]
    return () if "any" in named else tuple(named)


def _direction(text: str, where: str) -> str:
    found = _DIRECTIONS.get(text.lower())
    if found is None:
        raise RuleFileError(f"{where}: the direction {text!r} is not known")
    return found


_READ: Final[dict[str, Callable[[Any, str], Any]]] = {
    "protocol": _protocol,
    "profiles": _profiles,
    "direction": _direction,
    "action": lambda text, _where: text.lower(),
}
