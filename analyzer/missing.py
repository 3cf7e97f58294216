"""One field of a filter against one flow, in words: what the filter asks, and what the record says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from analyzer import wording
from analyzer.engine.conditions import LOST
from analyzer.engine.words import recorded_value
from analyzer.wfp import fields, protocols, sddl, sids, values
from analyzer.wfp.services import ALL_SERVICES_SID

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analyzer.engine.conditions import Test
    from analyzer.engine.flows import FlowArrays

MOST_SHOWN: Final = 4  # alternatives of one field that are named
USER: Final = "ALE_USER_ID"
APPLICATION: Final = "ALE_APP_ID"
PROTOCOL: Final = "IP_PROTOCOL"
PORTS: Final = frozenset({"IP_LOCAL_PORT", "IP_REMOTE_PORT"})
ADDRESSES: Final = frozenset({"IP_LOCAL_ADDRESS", "IP_REMOTE_ADDRESS"})
PROFILES: Final = frozenset({"ORIGINAL_PROFILE_ID", "CURRENT_PROFILE_ID"})
# Fields whose values say what they are, so that "equals" is left out.
_PLAIN: Final = frozenset({APPLICATION, PROTOCOL, *PORTS, *ADDRESSES, *PROFILES})


class Names(NamedTuple):
    """What values mean here: names of services by SID, and whether ports are ICMP type and code."""

    services: Mapping[str, str]
    icmp: bool = False


def alternatives(tests: Sequence[Test]) -> dict[str, list[Test]]:
    """Group a filter's conditions by field, in order."""
    out: dict[str, list[Test]] = {}
    for test in tests:
        out.setdefault(test.field, []).append(test)
    return out


def asked(tests: Sequence[Test], names: Names) -> str:
    """Say what the alternatives of one field ask: ``remote port 443 or 8443``."""
    field = tests[0].field
    if field == LOST:
        return "a condition that the file no longer holds"
    if field == USER:
        who = wording.listed([_who(test, names) for test in tests[:MOST_SHOWN]])
        return f"the token of {who}"
    if field not in _PLAIN or any(test.match not in ("EQUAL", "RANGE") for test in tests):
        said = [_condition(test, names) for test in tests[:MOST_SHOWN]]
        return " or ".join(said) + _more(tests)
    name = wording.ICMP_FIELDS.get(field) if names.icmp else None
    shown = " or ".join(_value(test) for test in tests[:MOST_SHOWN])
    return f"{name or fields.field_words(field)} {shown}{_more(tests)}"


def _more(tests: Sequence[Test]) -> str:
    return f" or {len(tests) - MOST_SHOWN} more" if len(tests) > MOST_SHOWN else ""


def _condition(test: Test, names: Names) -> str:
    return wording.condition(
        test.field, test.match, test.value, test.text, icmp=names.icmp, services=dict(names.services)
    )


def _who(test: Test, names: Names) -> str:
    return sddl.sd_words(test.value, names.services) if isinstance(test.value, str) else test.text


def _value(test: Test) -> str:
    if isinstance(test.value, int) and not isinstance(test.value, bool):
        if test.field == PROTOCOL:
            return protocols.protocol_name(test.value) or str(test.value)
        return values.number_words(test.field, test.value) or test.text or str(test.value)
    if test.match == "RANGE" and isinstance(test.value, tuple) and len(test.value) == 2:
        return f"{test.value[0]} to {test.value[1]}"
    return test.text


def said(flows: FlowArrays, at: int, field: str) -> str | None:
    """Return what the record of one flow says of a field, as short as people say it; None where it says nothing."""
    value = recorded_value(flows, at, field)
    if value is None:
        return None
    if field == PROTOCOL and value.partition(" ")[0].isdigit():
        return protocols.protocol_name(int(value.partition(" ")[0])) or value
    if field in PROFILES and "(" in value:
        return value.partition("(")[2].rstrip(")")
    return value


def service_names(tests: Sequence[Test], names: Names) -> list[str]:
    """Return the services that a user condition allows by their SIDs, as they are called."""
    found: dict[str, None] = {}
    for test in tests:
        if test.field != USER or not isinstance(test.value, str):
            continue
        for sid in sddl.allowed_sids(test.value, conditional=True):
            if sids.is_service_sid(sid):
                found[sids.sid_words(sid, names.services).removeprefix("service ")] = None
            elif sid == ALL_SERVICES_SID:
                found["any"] = None
    return list(found)


def lacks(tests: Sequence[Test], recorded: str | None, names: Names, *, who: str = "this rule allows") -> str:
    """Say why the alternatives of one field do not hold: ``remote port 443 only; this was 80``.

    ``who`` begins what is said of tokens: a rule allows services, a filter is for them.
    """
    field = tests[0].field
    if field == USER:
        whom = _allowed(tests, names)
        token = f"the token of {recorded}" if recorded else "another token"
        return f"{who} {whom}; the connection came with {token}"
    if field in PROFILES:
        return f"{_values(tests)} networks only; the network was {recorded}"
    if field == APPLICATION:
        return f"program {_values(tests)} only; this was {recorded}"
    if field not in _PLAIN:
        return f"it asks that {asked(tests, names)}; the record says {recorded or 'otherwise'}"
    return f"{asked(tests, names)} only; this was {recorded or 'something else'}"


def open_question(tests: Sequence[Test], recorded: str | None, names: Names, *, who: str = "it allows") -> str:
    """Say what cannot be told of the alternatives of one field; ``who`` as in :func:`lacks`."""
    field = tests[0].field
    if field == USER:
        return f"{who} {_allowed(tests, names)}, and which token the connection came with is not recorded"
    if field not in _PLAIN:
        return f"whether {asked(tests, names)} is not recorded"
    if recorded is None:
        return f"it asks for {asked(tests, names)}, which is not recorded"
    return f"it asks for {asked(tests, names)}; the record ({recorded}) does not decide that"


def _allowed(tests: Sequence[Test], names: Names) -> str:
    services = service_names(tests, names)
    if "any" in services:
        return "all services"
    if services:
        many = wording.listed(services[:MOST_SHOWN])
        more = f" and {len(services) - MOST_SHOWN} more" if len(services) > MOST_SHOWN else ""
        return f"the service {many}" if len(services) == 1 else f"the services {many}{more}"
    return wording.listed([_who(test, names) for test in tests[:MOST_SHOWN]])


def _values(tests: Sequence[Any]) -> str:
    return " or ".join(_value(test) for test in tests[:MOST_SHOWN]) + _more(tests)
