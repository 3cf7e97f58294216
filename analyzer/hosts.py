"""What a log says of the computer that wrote it, for telling whether a state is of the same machine."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer import cells
from analyzer.engine.addresses import parse_address

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from analyzer.states import Book, Snapshot
    from analyzer.watch import Watched
    from analyzer.wfp.events import Table

NETBIOS_LENGTH: Final = 15
ENDS: Final = ("local_address", "local_port", "remote_address", "remote_port")
USER_SID: Final = "S-1-5-21-"
ACCOUNT_TABLES: Final[tuple[Table, ...]] = ("process", "host")  # whose events name accounts
UNIQUE_LOCAL: Final = ipaddress.ip_network("fc00::/7")
_VOLUME: Final = re.compile(r"\\device\\harddiskvolume\d+(?=\\windows\\system32\\)", re.IGNORECASE)


Connection = tuple[str, int, str, int]  # local address and port, remote address and port


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What a log says of its computer: own addresses, account SIDs, volumes that hold Windows."""

    computer: str | None
    watched: Watched | None
    addresses: frozenset[str]
    connections: frozenset[Connection]  # those of its events that a state holds, too
    sids: frozenset[str]
    local_authorities: frozenset[str]
    volumes: frozenset[str]
    domains: frozenset[str]  # names of domains that its accounts belong to, upper case
    captures: frozenset[str] = frozenset()  # files of net events that are of this computer

    @property
    def netbios(self) -> str:
        """Return the host's NetBIOS name: the first label, upper case, 15 characters at most."""
        return netbios_name(self.computer)

    @property
    def domain_labels(self) -> frozenset[str]:
        """Return what may be the NetBIOS name of its domain: DNS labels, and domains of accounts in the log."""
        labels = (self.computer or "").upper().split(".")[1:]
        return frozenset(labels) | (self.domains if labels else frozenset())


def first_label(computer: object) -> str:
    """Return the first label of a computer name in upper case, or an empty string."""
    return computer.partition(".")[0].upper() if isinstance(computer, str) else ""


def netbios_name(computer: str | None) -> str:
    """Return the NetBIOS name: the first label, upper case, 15 characters at most."""
    return first_label(computer)[:NETBIOS_LENGTH]


def authority(sid: str) -> str:
    """Return a SID without its last number: the machine or domain that issued it."""
    return sid.rpartition("-")[0]


def volumes(applications: Iterable[str]) -> frozenset[str]:
    r"""Return the volumes that hold ``\\windows\\system32``, lower case."""
    found = (_VOLUME.match(text) for text in applications)
    return frozenset(match.group(0).lower() for match in found if match)


def host_facts(
    computer: str | None,
    events: pd.DataFrame,
    tables: Mapping[Table, pd.DataFrame],
    watch: Watched | None,
    wanted: frozenset[Connection] = frozenset(),
) -> HostFacts:
    """Gather the facts from the oriented events of one computer and from the other tables of its log.

    ``wanted`` are the connections that the states hold: of the events' own, only these can tie a state.
    """
    sure = events.loc[(events["endpoint_order"] == "certain").to_numpy(), list(ENDS)]
    addresses = {canonical(str(a)) for a in sure["local_address"].dropna().unique()}
    sids: set[str] = set()
    local: set[str] = set()
    domains: set[str] = set()
    name = netbios_name(computer)
    for table in ACCOUNT_TABLES:
        frame = tables[table]
        same = frame["computer"].isna() if computer is None else frame["computer"] == computer
        for who in ("subject", "target"):
            if f"{who}_user_sid" not in frame.columns:
                continue
            pairs = frame.loc[same, [f"{who}_user_sid", f"{who}_domain_name"]].drop_duplicates().dropna()
            for sid, domain in pairs.itertuples(index=False):
                if str(sid).startswith(USER_SID):
                    sids.add(str(sid))
                    domains.add(str(domain).upper())
                    if str(domain).upper()[:15] == name:
                        local.add(authority(str(sid)))
    return HostFacts(
        computer=computer,
        watched=watch,
        addresses=frozenset(a for a in addresses if counts(a)),
        connections=connections_of(_among(sure, wanted)) & wanted,
        sids=frozenset(sids),
        local_authorities=frozenset(local),
        volumes=volumes(str(a) for a in events["application"].dropna().unique()),
        domains=frozenset(domains - {name}),
        captures=frozenset(str(item) for item in events["net_input"].dropna().unique()),
    )


def connections_of(ends: pd.DataFrame) -> frozenset[Connection]:
    """Return the distinct connections of a frame with the columns ``ENDS``, addresses in canonical form."""
    whole = ends[list(ENDS)].dropna().drop_duplicates()
    columns = (whole[name] for name in ENDS)
    return frozenset(
        (canonical(str(a)), int(b), canonical(str(c)), int(d)) for a, b, c, d in zip(*columns, strict=True)
    )


def _among(ends: pd.DataFrame, wanted: frozenset[Connection]) -> pd.DataFrame:
    """Leave out rows that cannot be any of these connections: an address is read once per distinct text."""
    keep = np.ones(len(ends), dtype=bool)
    for place, name in enumerate(ENDS):
        values = {connection[place] for connection in wanted}
        column = ends[name]
        if name.endswith("_port"):
            keep &= column.isin(values).to_numpy(dtype=bool)
        else:
            known = [text for text in column.cat.categories if canonical(str(text)) in values] if values else []
            keep &= column.isin(known).to_numpy(dtype=bool)
    return ends[keep]


def canonical(address: str) -> str:
    """Return an address in the one form that compares equal, however its text is written."""
    parsed = parse_address(address)
    return address if parsed is None else str(parsed)


def counts(address: str) -> bool:
    """Tell an address that can tie a host: not loopback, not unspecified, not a group."""
    parsed = parse_address(address)
    return parsed is not None and not (parsed.is_loopback or parsed.is_unspecified or parsed.is_multicast)


def hardly_shared(address: str) -> bool:
    """Tell an address that hardly two machines share: a public IPv4 one, or IPv6 beyond the own link."""
    parsed = parse_address(address)
    mapped = getattr(parsed, "ipv4_mapped", None)
    if mapped is not None:
        return bool(mapped.is_global)
    # fe80::1, fd00::10 and the link-local addresses of cloned machines repeat.
    if parsed is None or parsed.is_link_local or parsed in UNIQUE_LOCAL:
        return False
    return parsed.version == 6 or parsed.is_global


def session_hosts(snapshot: Snapshot) -> set[str]:
    """Return the names before the backslash of sessions that run as user accounts: a host or a domain."""
    found = set()
    for sid, name in zip(snapshot.sessions["sid"], snapshot.sessions["user_name"], strict=True):
        if isinstance(sid, str) and sid.startswith(USER_SID) and isinstance(name, str) and "\\" in name:
            found.add(name.partition("\\")[0].upper())
    return found


def hosts_by_session(
    book: Book, events: pd.DataFrame, watch: Mapping[str | None, Watched]
) -> dict[str | None, frozenset[str]]:
    """Return computer -> own addresses, from states of its watched time whose user sessions name that computer."""
    out: dict[str | None, set[str]] = {}
    for computer in events["computer"].cat.categories:
        netbios = netbios_name(str(computer))
        for snapshot in book.snapshots:
            taken, seen = cells.moment(snapshot.time), watch.get(str(computer))
            # Addresses change hands: what an older state says of them proves nothing.
            timely = taken is not None and seen is not None and seen.holds(taken)
            if timely and netbios in session_hosts(snapshot):
                own = snapshot.endpoints["local_address"].dropna().astype(str).unique()
                out.setdefault(str(computer), set()).update(a for a in own if counts(a))
    return {name: frozenset(found) for name, found in out.items()}
