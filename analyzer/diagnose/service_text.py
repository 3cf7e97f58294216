"""The words of the service-SID diagnosis: facts as tables, sentences from results.

Sources: the first seed (services), REFERENCE 5.2, 5.4, 5.5 and 12.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer import cells, wording
from analyzer.attribution import AT_EVENT
from analyzer.model import Evidence, Finding
from analyzer.wfp import fields, protocols
from analyzer.wfp import services as wfp_services
from analyzer.wording import plural

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from analyzer.diagnose.service_sid import Group
    from analyzer.model import Confidence, ServiceOutcome, Severity

SEVERITY: Final[dict[Confidence, Severity]] = {
    "proven": "high",
    "likely": "high",
    "possible": "medium",
    "not-this": "info",
}
NO_STATE: Final = "no state that can belong to these events was handed in"
PERMITTING_STATE: Final = (
    "{} holds no filter that blocks outbound by default at this layer, so it shows another time or profile than the "
    "blocks, and the allow filters of that time are not in it"
)
RATIONALE: Final[dict[Confidence, tuple[str, ...]]] = {
    "proven": (
        "A rule that names a service becomes a filter that only a token with that service's SID passes.",
        "A net event of the same connection shows another user in the token, so the filter could not match.",
    ),
    "likely": (
        "A rule that names a service becomes a filter that only a token with that service's SID passes.",
        (
            "Everything else of that filter that these files can check matches the blocked connection, and the process "
            "hosted this one service at that time. What is left is the token: it lacked the service SID. Services "
            "that act for a user are known to connect with the token of the logged-on user."
        ),
        (
            "An audit event names no user: proven needs a net event of the same connection, the account that the "
            "service runs under, and the log of process creation."
        ),
    ),
    "possible": (
        "A rule that names a service becomes a filter that only a token with that service's SID passes.",
        "Allow filters of the services below match these connections in everything that can be checked but the user.",
        "Which service opened the connection, or whether the state is of this machine and time, stays open.",
    ),
    "not-this": (
        "No allow filter that was in force at capture time fits these connections in all but the user.",
        (
            "A state holds what is in force, not the rules: a rule may exist and be disabled, of another "
            "profile, or not "
            "merged by policy."
        ),
    ),
}
COLLECT: Final[dict[Confidence, tuple[str, ...]]] = {
    "proven": (),
    "likely": (
        (
            "netsh wfp show netevents file=netevents.xml right after the failure: net events name the user of the "
            "token, which proves it where that is not the service's account"
        ),
        "the services and their accounts: Get-CimInstance Win32_Service | Export-Csv services.csv",
    ),
    "possible": (
        (
            "process creation with command lines (4688; auditpol /set "
            "/subcategory:{0CCE922B-69AE-11D9-BED3-505054503030} "
            "/success:enable, and ProcessCreationIncludeCmdLine_Enabled=1), then restart the service and reproduce"
        ),
        "tasklist /svc /fo csv, taken while the service runs",
        "netsh wfp show netevents file=netevents.xml right after the failure",
        "netsh wfp show state taken right after the failure, before any rule, profile or network change",
    ),
    "not-this": (
        "the rules themselves: Get-NetFirewallRule -PolicyStore ActiveStore, or reg export of FirewallPolicy",
        "netsh wfp show state taken right after the failure",
    ),
}
LOOKALIKES: Final[tuple[str, ...]] = (
    (
        "Service hardening: a hardened service needs a hardening permit besides the rule; then the event's origin or "
        "filter says WSH, not Default Outbound."
    ),
    "SID type NONE: a service without a service SID can never match a service rule. Check: sc qsidtype NAME.",
    "A wrong name: the rule must name the short name (wuauserv), not the display name (Windows Update).",
    "Wrong profile: only rules of the profile in force become filters.",
    "Wrong layer or direction: a permit to bind or to accept says nothing for connecting.",
)


def _names(services: tuple[ServiceOutcome, ...], word: str = "and") -> str:
    shown = [s.name or s.service_sid for s in services]
    more = [f"{len(shown) - 6} more"] if len(shown) > 6 else []
    return wording.listed([*shown[:6], *more]).replace(" and ", f" {word} ")


def title(confidence: Confidence, services: tuple[ServiceOutcome, ...]) -> str:
    """Return the finding's headline."""
    if confidence == "not-this":
        return "svchost.exe was blocked by the outbound default, and not because of a service SID"
    said = {"proven": "connected", "likely": "very likely connected", "possible": "may have connected"}[confidence]
    without = "without its service SID" if len(services) == 1 else "without their service SIDs"
    how = "with the token of another account" if confidence == "proven" else without
    rules = "the allow rule did" if len(services) == 1 else "the allow rules did"
    return f"{_names(services, 'or' if confidence == 'possible' else 'and')} {said} {how}, so {rules} not match"


def port_words(protocol: int | None, port: int | None) -> str:
    """Return ``TCP 443``."""
    name = protocols.protocol_name(protocol) or (f"protocol {protocol}" if protocol is not None else "unknown protocol")
    return name if port is None else f"{name} {port}"


def flow(group: Group) -> str:
    """Say one group of flows in a sentence."""
    events = group.events
    targets = [str(a) for a in events["remote_address"].dropna().unique()]
    shown = ", ".join(targets[:3]) + (f" and {len(targets) - 3} more" if len(targets) > 3 else "")
    pids = sorted({int(p) for p in events["process_id"].dropna().unique()})
    who = f", process {pids[0]}" if len(pids) == 1 else f", {len(pids)} processes" if pids else ""
    source = cells.text(events["services_source"].iloc[0])
    when = "" if source in AT_EVENT else " when the list was taken"
    held = f" (hosted {', '.join(group.services)}{when}, source {source})" if group.services else ""
    held += f", token of {group.token.user_sid}" if group.token is not None else ""
    count = plural(len(events), "block")
    return (
        f"{count} of {port_words(group.protocol, group.port)} to {shown or 'unknown addresses'}{who}{held}: "
        f"{group.outcome.why}"
    )


def permit(item: pd.Series, sid: str, names: Mapping[str, str]) -> str:
    """Say which allow filter nearly matched. ``names`` are of service SIDs that lists tell."""
    name = wfp_services.service_name(sid, names) or sid
    return (
        f"Allow filter {cells.number(item['filter_id'])} “{cells.text(item['name']) or ''}” is for the "
        f"service {name} and outweighs the block"
    )


def full_match(item: pd.Series) -> str:
    """Say that another allow filter should have let the flow pass."""
    name = f"Allow filter {cells.number(item['filter_id'])} “{cells.text(item['name']) or ''}”"
    return (
        f"{name} seems to let such a connection pass whatever its service: this speaks against the token as the cause"
    )


def missed(item: pd.Series, field: str) -> str:
    """Say which one condition keeps another allow filter from matching."""
    number, name = cells.number(item["filter_id"]), cells.text(item["name"]) or ""
    return f"Allow filter {number} “{name}” fails in one condition only: {fields.field_words(field)}."


def summary(
    computer: str | None,
    confidence: Confidence,
    groups: list[Group],
    services: tuple[ServiceOutcome, ...],
    count: int,
    attempts: int,
) -> str:
    """Return the finding's paragraph."""
    where = f" on {computer}" if computer else ""
    ports = ", ".join(sorted({port_words(g.protocol, g.port) for g in groups}))
    start = (
        f"svchost.exe{where} was refused {plural(count, 'time')} ({plural(attempts, 'attempt')}; {ports}) by "
        f"the outbound "
        "default: no allow rule matched."
    )
    if confidence == "not-this":
        reasons = "; ".join(dict.fromkeys(g.outcome.why for g in groups))
        return f"{start} {reasons[:1].upper()}{reasons[1:]}."
    fitting = f"allow filters for {_names(services)} were in force that fit in all but the token"
    return f"{start} When the state was taken, {fitting}."


def notes(groups: list[Group], services: tuple[ServiceOutcome, ...]) -> tuple[str, ...]:
    """Say which services are known for this trouble, and what else stood near."""
    out = []
    ports = {g.port for g in groups}
    for service in services:
        known = wfp_services.trouble_service(service.name or "")
        if known is None:
            continue
        fits = not known.ports or bool(ports & set(known.ports))
        where = f", TCP {', '.join(map(str, known.ports))}" if known.ports else ""
        odd = "" if fits else "; these ports are not among those reported"
        remark = f"; {known.remark}" if known.remark else ""
        out.append(
            f"{known.name} ({known.display_name}{where}) is known for this trouble ({known.source}{odd}{remark})."
        )
    for group in groups:
        # Where a permit nearly matched, what others lack is noise.
        out.extend(() if group.permits and group.outcome.confidence != "not-this" else group.failing)
    return tuple(dict.fromkeys(out))


def unchecked(computer: str | None, events: pd.DataFrame, why: str) -> Finding:
    """Write the finding for blocks whose allow filters cannot be looked at."""
    first = events.sort_values("time", kind="stable").iloc[0]
    where = f" on {computer}" if computer else ""
    return Finding(
        id="service-sid-unchecked",
        title="svchost.exe was blocked by the outbound default; whether a service SID is the cause cannot be told",
        severity="medium",
        confidence="possible",
        count=len(events),
        summary=(
            f"svchost.exe{where} was refused {plural(len(events), 'time')} by the outbound default. The "
            f"diagnosis needs the "
            f"allow filters that were in force then: {why}."
        ),
        evidence=(
            Evidence(
                "first such block",
                cells.text(first["input"]),
                cells.number(first["record_id"]),
                cells.number(first["filter_rtid"]) or None,
            ),
        ),
        remedy=None,
        collect_next=COLLECT["possible"],
        kind="default-outbound",
        rationale=("An audit event names neither service nor user, so only the state's filters can tell.",),
        lookalikes=LOOKALIKES,
    )
