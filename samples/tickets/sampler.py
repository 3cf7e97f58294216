"""Ticket (d): the experiment of the engineer's notes: a sampler's filters keep a web server from port 80."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from samples import background, windows
from samples.machine import Draft, Machine, application, local_port, protocol, remote_port
from samples.state import Endpoint, Provider, Session, SubLayer
from samples.story import Story
from samples.ticket import Log, Ticket
from samples.told import Cause, Event, Flow, Say, Socket

if TYPE_CHECKING:
    from collections.abc import Sequence

    from samples.evtxwriter.values import Value
    from samples.state import Condition

HOST: Final = "WS-DEMO-13"
ADDRESS: Final = "192.168.50.13"
USER_SID: Final = "S-1-5-21-3141592653-2718281828-1414213562-1003"
NGINX: Final = "\\device\\harddiskvolume3\\nginx\\nginx.exe"
NGINX_DOS: Final = "C:\\nginx\\nginx.exe"
ALL: Final = "0.0.0.0"  # noqa: S104
PROVIDER: Final = "{5a3b1e70-0080-4c0d-8e57-90a1b2c3d4e5}"
SUBLAYER: Final = "{5a3b1e70-0080-4c0d-8e57-90a1b2c3d4e6}"
NAMES: Final = "Sampler: BASIC_ACTION_BLOCK at FWPM_LAYER_"
FIELD_GUID: Final = {
    "IP_LOCAL_PORT": "{0c1ba1af-5765-453f-af22-a8f791ac775b}",
    "IP_REMOTE_PORT": "{c35a604d-d22b-4e1a-91b4-68f674ee674b}",
    "IP_PROTOCOL": "{3971ef2b-623e-4f9a-8cb1-6e79b806b9a7}",
}
_NEAR: Final = (local_port(80),)
# Layer and condition of the second run's filters, in the order in which they are added.
SECOND_RUN: Final[tuple[tuple[str, tuple[Condition, ...]], ...]] = (
    ("ALE_AUTH_LISTEN_V4", _NEAR),
    ("ALE_AUTH_RECV_ACCEPT_V4", _NEAR),
    ("ALE_AUTH_CONNECT_V4", (remote_port(80),)),
    ("ALE_RESOURCE_ASSIGNMENT_V4", _NEAR),
    ("ALE_AUTH_LISTEN_V4_DISCARD", _NEAR),
    ("ALE_AUTH_RECV_ACCEPT_V4_DISCARD", _NEAR),
    ("ALE_AUTH_CONNECT_V4_DISCARD", (remote_port(80),)),
    ("ALE_RESOURCE_ASSIGNMENT_V4_DISCARD", _NEAR),
)


@dataclass(frozen=True, slots=True)
class _Added:
    """A filter of the sampler as 5447 tells of it."""

    number: int
    key: str
    layer: str
    conditions: Sequence[Condition]


def _changed(story: Story, second: float, item: _Added, *, added: bool) -> None:
    """Tell that a filter of the sampler was added or deleted (5447)."""
    text = "".join(
        f"\n\tCondition ID:\t{FIELD_GUID[c.field]}\n\tMatch value:\tEqual to\n\tCondition value:\t0x{c.value:04x}\n"
        for c in item.conditions
    )
    fields: dict[str, Value] = {
        "ProcessId": 6120,
        "UserSid": "S-1-5-18",
        "UserName": "NT AUTHORITY\\SYSTEM",
        "ProviderKey": PROVIDER,
        "ProviderName": "Sampler provider",
        "ChangeType": "%%16384" if added else "%%16385",
        "FilterKey": item.key,
        "FilterName": NAMES + item.layer,
        "FilterType": "%%16388",
        "FilterId": item.number,
        "LayerKey": windows.LAYER_GUID[item.layer],
        "LayerName": windows.layer_name(item.layer),
        "LayerId": windows.LAYER_ID[item.layer],
        "Weight": 0xF000000000000000,
        "Conditions": text,
        "Action": "%%16389",
        "CalloutKey": "{00000000-0000-0000-0000-000000000000}",
        "CalloutName": "-",
    }
    story.tell(second, Event(5447, 0, fields, process_id=804, activity="{0f3a1c52-7d44-0003-a1b2-c3d4e5f60718}"))


def _build() -> tuple[Machine, dict[str, int], dict[str, _Added], _Added]:
    """Return the machine with the second run's filters, ids to cite, and what 5447 tells of both runs."""
    machine = Machine("ticket-d-sampler", windows11=True, first_id=66211)
    ids = background.everything(machine, HOST, USER_SID, profile_number=2, outbound_block=False)
    data = machine.rule_data()
    who = [application(NGINX)]
    ids["rule-listen"] = machine.add(
        Draft("nginx", "ALE_AUTH_LISTEN_V4", "PERMIT", [*who, local_port(80)], weight=("UINT8", 9), data=data)
    )
    ids["rule-accept"] = machine.add(
        Draft(
            "nginx",
            "ALE_AUTH_RECV_ACCEPT_V4",
            "PERMIT",
            [*who, local_port(80), protocol(6)],
            weight=("UINT8", 9),
            data=data,
        )
    )
    machine.providers.append(
        Provider(PROVIDER, "Sampler provider", "Owns the filters of the sampler", "SamplerService")
    )
    machine.sublayers.append(SubLayer(SUBLAYER, "Sampler sublayer", 32769, PROVIDER))
    machine.sessions.append(
        Session(machine.guid(), 6120, "S-1-5-18", "NT AUTHORITY\\SYSTEM", kernel=False, name="Sampler session")
    )
    first = _Added(machine.next_id + 310, machine.guid(), "ALE_AUTH_LISTEN_V4", _NEAR)
    machine.skip(640)
    run: dict[str, _Added] = {}
    for layer, conditions in SECOND_RUN:
        number = machine.add(
            Draft(
                NAMES + layer,
                layer,
                "BLOCK",
                conditions,
                sublayer=SUBLAYER,
                provider=PROVIDER,
                weight=("UINT8", 15),
                data=None,
            )
        )
        run[layer] = _Added(number, machine.filters[number].key, layer, conditions)
        machine.skip(1)
    machine.endpoints.append(Endpoint(91200, ADDRESS, "192.0.2.21", 6, 49800, 443, "System"))
    return machine, ids, run, first


def _serve(story: Story, ids: dict[str, int], second: float, process: int) -> None:
    """Tell that nginx binds, listens and answers two clients."""
    story.started(second, process, NGINX_DOS, NGINX_DOS, parent="C:\\Windows\\System32\\cmd.exe", creator=5300)
    story.port(second + 0.3, 5158, Socket(NGINX, process, ALL, 80))
    story.port(second + 0.5, 5154, Socket(NGINX, process, ALL, 80), filter_id=ids["rule-listen"])
    for index, client in enumerate(("192.168.50.30", "192.168.50.31")):
        flow = Flow(NGINX, process, ADDRESS, 80, client, 53200 + index)
        story.permitted(second + 5 + index, flow, ids["rule-accept"], inbound=True)
    out = Flow(NGINX, process, ADDRESS, 49900 + process % 50, "203.0.113.30", 80)
    story.permitted(second + 8, out, ids["default-outbound-connect-V4"])
    story.ended(second + 40, process, NGINX_DOS)


def _second_run(story: Story, run: dict[str, _Added], t: float) -> None:
    """Tell what the eight filters refuse: bind first, then listen, accept and connect."""

    def say(layer: str) -> tuple[int, Say]:
        return run[layer].number, Say("other-wfp", "snapshot", run[layer].number)

    story.started(t, 7240, NGINX_DOS, NGINX_DOS, parent="C:\\Windows\\System32\\cmd.exe", creator=5300)
    for second, event_id, layer in (
        (1, 5159, "ALE_RESOURCE_ASSIGNMENT_V4"),
        (4, 5159, "ALE_RESOURCE_ASSIGNMENT_V4_DISCARD"),
        (8, 5155, "ALE_AUTH_LISTEN_V4"),
        (11, 5155, "ALE_AUTH_LISTEN_V4_DISCARD"),
    ):
        number, expected = say(layer)
        layer_id = windows.LAYER_ID[layer]
        story.port(
            t + second, event_id, Socket(NGINX, 7240, ALL, 80), filter_id=number, layer_id=layer_id, say=expected
        )
    for second, layer, inbound, repeats in (
        (20, "ALE_AUTH_RECV_ACCEPT_V4", True, 3),
        (26, "ALE_AUTH_RECV_ACCEPT_V4_DISCARD", True, 1),
        (30, "ALE_AUTH_CONNECT_V4", False, 4),
        (36, "ALE_AUTH_CONNECT_V4_DISCARD", False, 1),
    ):
        number, expected = say(layer)
        inward = Flow(NGINX, 7240, ADDRESS, 80, "192.168.50.30", 53300 + second)
        outward = Flow(NGINX, 7240, ADDRESS, 49950 + second, "203.0.113.30", 80)
        story.blocked(
            t + second,
            inward if inbound else outward,
            Cause(number, expected),
            inbound=inbound,
            repeats=repeats,
            layer_id=windows.LAYER_ID[layer],
        )
    story.ended(t + 60, 7240, NGINX_DOS)


def ticket() -> Ticket:
    """Make the ticket."""
    machine, ids, run, first = _build()
    start = dt.datetime(2026, 3, 19, 10, 0, tzinfo=dt.UTC)
    story = Story(f"{HOST}.corp.example", "ticket-d-sampler", start, 20_551, windows11=True, interface=5)
    story.port(1, 5158, Socket("System", 4, ADDRESS, 139))
    _serve(story, ids, 10, 7012)
    _changed(story, 90, first, added=True)
    story.started(100, 7118, NGINX_DOS, NGINX_DOS, parent="C:\\Windows\\System32\\cmd.exe", creator=5300)
    story.port(100.4, 5158, Socket(NGINX, 7118, ALL, 80))
    note = "the filter was deleted before the state was saved; 5447 tells that it was there then, and what it was"
    gone = Say("other-wfp", "history", first.number, note)
    story.port(100.6, 5155, Socket(NGINX, 7118, ALL, 80), filter_id=first.number, say=gone)
    story.ended(140, 7118, NGINX_DOS)
    _changed(story, 150, first, added=False)
    _serve(story, ids, 160, 7160)
    for index, item in enumerate(run.values()):
        _changed(story, 240 + index * 2, item, added=True)
    _second_run(story, run, 270)
    for index, item in enumerate(run.values()):
        _changed(story, 420 + index * 0.5, item, added=False)
    _serve(story, ids, 440, 7300)
    records = story.records()
    captured = start + dt.timedelta(seconds=380)
    return Ticket(
        "ticket-d-sampler",
        {"security.evtx": Log(records)},
        {"wfpstate.xml": machine.state(captured.strftime("%Y-%m-%dT%H:%M:%S.733Z"))},
        story.expectation(records),
        (),
        ("no svchost.exe is blocked: there is no service-SID finding",),
    )
