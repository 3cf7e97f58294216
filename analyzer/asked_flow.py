"""A flow by hand as the engine's arrays, and what had to be assumed for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer.engine.addresses import Addresses, parse_address, split_address
from analyzer.engine.flows import INBOUND, OUTBOUND, UNKNOWN, FlowArrays, texts
from analyzer.engine.tokens import Token
from analyzer.processes import below_volume
from analyzer.wfp import flags, services, sids

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from analyzer.question import AskedFlow
    from analyzer.services import Known

LAYERS: Final = {"outbound": "ALE_AUTH_CONNECT_V", "inbound": "ALE_AUTH_RECV_ACCEPT_V"}
_LOOPBACK_BITS: Final = sum(bit for bit, name in flags.CONDITION_FLAGS.items() if name.endswith("LOOPBACK"))


def flow_of(asked: AskedFlow, paths: Iterable[str], known: Known, computer: str | None) -> tuple[FlowArrays, list[str]]:
    """Make the arrays (one row) of a flow by hand; returns also what was assumed, in sentences.

    Parameters
    ----------
    paths : device paths of programs that filters and events name: a name or the end of a path is looked up among them.
    """
    notes: list[str] = []
    direction = asked.direction
    if direction is None:
        direction = "outbound"
        notes.append("No direction was given: outbound is assumed.")
    local, remote = parse_address(asked.local_address), parse_address(asked.remote_address)
    family = next((item.version for item in (remote, local) if item is not None), None)
    if family is None:
        family = 4
        notes.append("No address was given: IPv4 is assumed.")
    application = _program(asked.application, paths, notes)
    token = _token(asked, known, computer, notes)
    inside = [item.is_loopback for item in (local, remote) if item is not None]
    loopback = any(inside) or (local is not None and local == remote)
    elsewhere = bool(inside) and not loopback
    if len(inside) == 1 and elsewhere:
        notes.append("It is taken to leave the machine: no loopback.")
    profile = UNKNOWN if asked.profile is None else asked.profile
    flow = FlowArrays(
        layer=texts([f"{LAYERS[direction]}{family}"]),
        application=texts([application]),
        protocol=_one(asked.protocol),
        direction=np.array([OUTBOUND if direction == "outbound" else INBOUND], dtype=np.int8),
        local=_address(asked.local_address),
        remote=_address(asked.remote_address),
        local_port=_one(asked.local_port),
        remote_port=_one(asked.remote_port),
        order_certain=np.array([True]),
        flags_set=np.array([flags.LOOPBACK if loopback else 0], dtype=np.uint32),
        flags_clear=np.array([_LOOPBACK_BITS if elsewhere else 0], dtype=np.uint32),
        original_profile=_one(profile),
        current_profile=_one(profile),
        interface_index=_one(None),
        interface_luid=np.zeros(1, dtype=np.uint64),
        package=texts([token.package]),
        token=np.zeros(1, dtype=np.int32),
        tokens=(token,),
        ether_type=_one(None),
        source_mac=_one(None),
        destination_mac=_one(None),
    )
    return flow, notes


def _one(value: int | None) -> NDArray[np.int64]:
    return np.array([UNKNOWN if value is None else value], dtype=np.int64)


def _address(text: str | None) -> Addresses:
    parsed = parse_address(text)
    family, high, low = (0, 0, 0) if parsed is None else split_address(parsed)
    return Addresses(
        np.array([family], dtype=np.int8), np.array([high], dtype=np.uint64), np.array([low], dtype=np.uint64)
    )


def _program(asked: str | None, paths: Iterable[str], notes: list[str]) -> str | None:
    """Return the device path that is meant: as given, or the only known one with this name or end."""
    if asked is None:
        return None
    wanted = asked.lower()
    known = sorted({path.lower() for path in paths})
    if wanted in known or wanted == "system":
        return wanted
    plain = below_volume(wanted) if wanted[1:2] == ":" else wanted
    ending = "\\" + plain.lstrip("\\")
    found = [path for path in known if path.endswith(ending)]
    if len(found) == 1:
        notes.append(f"“{asked}” is taken for {found[0]}, the only such program that the inputs name.")
        return found[0]
    if found:
        notes.append(f"“{asked}” may be {len(found)} programs that the inputs name; give more of its path.")
        return None
    notes.append(f"No filter and no event names a program “{asked}”.")
    return wanted


def _token(asked: AskedFlow, known: Known, computer: str | None, notes: list[str]) -> Token:
    """Return what is said of the token; a service's own token is no app container's."""
    if asked.service is None:
        return Token(user=asked.user, package=None if asked.user is None else sids.NULL_SID)
    runs = known.account(computer, asked.service)
    user = asked.user or (None if runs is None else runs.sid)
    notes.append(
        f"The connection is taken to come with the own token of the service {asked.service}; some services connect "
        "with the token of the user they work for."
    )
    own = frozenset({services.service_sid(asked.service)})
    return Token(user=user, anonymous=False, package=sids.NULL_SID, services=own, own=1)
