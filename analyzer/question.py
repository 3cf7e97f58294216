"""What somebody wants to have explained: a record, the flows of a filter, or a flow that nobody has seen."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

from analyzer import selection_terms as terms
from analyzer.question_error import QuestionError
from analyzer.wfp import services, sids

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DIRECTIONS: Final = ("inbound", "outbound")
PROFILES: Final[dict[str, int]] = {"public": 1, "private": 2, "domain": 3}
_SHORT_ACCOUNTS: Final = {
    "system": sids.SYSTEM,
    "local service": sids.LOCAL_SERVICE,
    "network service": sids.NETWORK_SERVICE,
}


@dataclass(frozen=True, slots=True)
class AskedFlow:
    """A flow by hand; None is what was not said. ``user`` is a SID, ``service`` a short name, ``profile`` a number."""

    application: str | None = None
    direction: str | None = None
    protocol: int | None = None
    local_address: str | None = None
    local_port: int | None = None
    remote_address: str | None = None
    remote_port: int | None = None
    user: str | None = None
    service: str | None = None
    profile: int | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """Exactly one of ``record``, ``filter_id`` and ``flow``; ``computer`` tells hosts apart."""

    record: int | None = None
    filter_id: int | None = None
    flow: AskedFlow | None = None
    computer: terms.Computer | None = None


def _address(text: str) -> str:
    network = terms.parse_address(text).network
    if network.prefixlen != network.max_prefixlen:
        raise terms.SelectionError(f"{text!r} is a network; one address is needed")
    return str(network.network_address)


def _port(text: str) -> int:
    ports = terms.parse_ports(text)
    if ports.low != ports.high:
        raise terms.SelectionError(f"{text!r} is a range; one port is needed")
    return ports.low


def _user(text: str) -> str:
    word = terms.parse_user(text).text
    found = services.account_sid(word) or _SHORT_ACCOUNTS.get(word.casefold())
    if found is None:
        raise terms.SelectionError(
            f"{text!r} is no SID like S-1-5-21-… and no account that every Windows has, as SYSTEM"
        )
    return found


def _service(text: str) -> str:
    if not text.strip():
        raise terms.SelectionError("an empty text names no service: its short name, like wuauserv")
    return text.strip()


def _profile(text: str) -> int:
    return PROFILES[text.lower()]


_PARSERS: Final[dict[str, Callable[[str], Any]]] = {
    "application": lambda text: terms.parse_application(text).text,
    "direction": str.lower,
    "protocol": lambda text: terms.parse_protocol(text).number,
    "local_address": _address,
    "local_port": _port,
    "remote_address": _address,
    "remote_port": _port,
    "user": _user,
    "service": _service,
    "profile": _profile,
}
__all__ = ["AskedFlow", "Question", "QuestionError", "parse"]
FLOW_FIELDS: Final = tuple(item.name for item in fields(AskedFlow))


def parse(asked: Mapping[str, str | int | None]) -> Question:
    """Make a question of options as typed.

    Raises
    ------
    QuestionError
        Nothing or too much was asked, or a text can't be understood; the message names the option.
    """
    given = {name: str(text) for name, text in asked.items() if name in FLOW_FIELDS and text is not None}
    record, filter_id = asked.get("record"), asked.get("filter_id")
    kinds = [record is not None, filter_id is not None, bool(given)]
    if sum(kinds) != 1:
        what = "a record (--record N), a filter (--filter ID), or a flow (--application, --remote-port, …)"
        raise QuestionError(f"ask for one of these: {what}" + ("; not for several" if any(kinds) else ""))
    computer = asked.get("computer")
    try:
        host = None if computer is None else terms.parse_computer(str(computer))
    except terms.SelectionError as error:
        raise QuestionError(f"--computer: {error}") from error
    if record is not None or filter_id is not None:
        return Question(_number(record), _number(filter_id), None, host)
    values: dict[str, Any] = {}
    for name, text in given.items():
        try:
            values[name] = _PARSERS[name](text)
        except terms.SelectionError as error:
            raise QuestionError(f"--{name.replace('_', '-')}: {error}") from error
    flow = AskedFlow(**values)
    _families(flow)
    return Question(flow=flow, computer=host)


def _number(value: str | int | None) -> int | None:
    return None if value is None else int(value)


def _families(flow: AskedFlow) -> None:
    known = [address for address in (flow.local_address, flow.remote_address) if address is not None]
    if len({":" in address for address in known}) > 1:
        raise QuestionError("--local-address and --remote-address are of different families")
