"""The tour's blocks and drops after the second boot: one of every kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from samples.background import SVCHOST
from samples.story import SYN_AGAIN
from samples.tickets import tour_state as at
from samples.tickets.tour_flows import ALL, inward, outward
from samples.tickets.tour_state import ADDRESS, ADDRESS6, PLAYER, SHARE, SHEET
from samples.told import Cause, Event, Flow, Say, Socket

if TYPE_CHECKING:
    from samples.background import Ids
    from samples.evtxwriter.values import Value
    from samples.story import Story

SYSTEM_ROOT: Final = "\\device\\harddiskvolume3\\windows\\system32\\"
WEATHER: Final = (
    "\\device\\harddiskvolume3\\program files\\windowsapps\\example.weather_1.0.0.0_x64__0a1b2c3d4e5f6\\weather.exe"
)


def firewall(story: Story, ids: Ids, t: float) -> None:
    """Tell the firewall's own blocks: defaults, rules, hardening, app containers; each known by its origin."""

    def both(kind: str, name: str) -> tuple[int, Say]:
        return ids[name], Say(kind, "origin", ids[name])

    number, say = both("default-outbound", "default-outbound-connect-V4")
    story.blocked(
        t, outward(SHEET, 5008, 52101, "198.51.100.90", 443), Cause(number, say, origin="Default Outbound"), repeats=4
    )
    ping = Flow(SYSTEM_ROOT + "ping.exe", 5210, ADDRESS, 8, "198.51.100.91", 0, 1)
    story.blocked(t + 5, ping, Cause(number, say, origin="Default Outbound"), repeats=4)
    number, say = both("default-outbound", "default-outbound-connect-V6")
    story.blocked(
        t + 10,
        outward(PLAYER, 5400, 52103, "2001:db8:77::90", 443),
        Cause(number, say, origin="Default Outbound"),
        repeats=4,
    )
    number, say = both("default-inbound", "query-user-accept-V4")
    story.blocked(
        t + 15,
        inward(PLAYER, 5400, 6890, "192.168.50.23", 60200),
        Cause(number, say, origin="Query User Default"),
        inbound=True,
        repeats=3,
    )
    echo = Flow("System", 4, ADDRESS, 8, "203.0.113.9", 0, 1)
    story.blocked(t + 18, echo, Cause(number, say, origin="Query User Default"), inbound=True)
    number, say = both("default-inbound", "query-user-accept-V6")
    echo6 = Flow("System", 4, ADDRESS6, 128, "2001:db8:99::9", 0, 58)
    story.blocked(t + 20, echo6, Cause(number, say, origin="Query User Default"), inbound=True)
    number, say = both("default-inbound", "query-user-INBOUND_ICMP_ERROR-V4")
    late = Flow("-", 0, ADDRESS, 50233, "192.168.50.1", 53, 17)
    story.dropped(t + 22, late, Cause(number, say, "Query User Default"), 28)
    number, say = both("explicit-rule", "rule-guid")
    story.blocked(
        t + 30, outward(PLAYER, 5400, 52120, "198.51.100.95", 443), Cause(number, say, origin=at.SCRIPT_RULE), repeats=4
    )
    number, say = both("explicit-rule", "rule-named")
    story.blocked(
        t + 35, outward(SHEET, 5008, 52130, "2001:db8:77::95", 443), Cause(number, say, origin=at.NAMED_RULE), repeats=4
    )
    number, say = both("explicit-rule", "rule-prompt")
    story.blocked(
        t + 40,
        inward(SHARE, 3120, 6891, "192.168.50.24", 60300),
        Cause(number, say, origin=at.PROMPT_RULE),
        inbound=True,
        repeats=2,
    )
    number, say = both("service-hardening", "hardening-outbound-V4")
    story.blocked(
        t + 50, outward(SVCHOST, 2288, 52140, "192.0.2.50", 443), Cause(number, say, origin="WSH Default"), repeats=4
    )
    number, say = both("service-hardening", "built-in-deviceenroller-V4")
    enroller = SYSTEM_ROOT + "deviceenroller.exe"
    story.blocked(
        t + 55, outward(enroller, 5520, 52150, "192.0.2.51", 80), Cause(number, say, origin="DeviceManagement-6")
    )
    number, say = both("app-isolation", "app-isolation-ALE_AUTH_CONNECT-V4")
    story.blocked(
        t + 60,
        outward(WEATHER, 5640, 52160, "192.168.50.60", 443),
        Cause(number, say, origin="UWP Default Outbound Block Rule"),
        repeats=2,
    )
    number, say = both("appcontainer-loopback", "loopback-ALE_AUTH_CONNECT-V4")
    loop = Flow(WEATHER, 5640, "127.0.0.1", 52170, "127.0.0.1", 8081)
    story.blocked(t + 65, loop, Cause(number, say, origin="AppContainer Loopback"), loopback=True)


def drops(story: Story, ids: Ids, t: float) -> None:
    """Tell dropped packets: probes of closed ports, 5153, and packets that no filter or another one dropped."""
    _probes(story, ids, t)
    nothing = Say("no-filter", "none", None, "id 0: no filter is named, so nothing rates the kind")
    story.dropped(t + 12, Flow("-", 0, ADDRESS, 8, "203.0.113.10", 0, 1), Cause(0, nothing), 13)
    story.port(t + 14, 5159, Socket(SHARE, 3120, ALL, 25), say=nothing)
    ipsec = ids["ipsec-V4"]
    query = Flow("System", 4, ADDRESS, 1433, "192.168.50.70", 41100)
    story.dropped(t + 16, query, Cause(ipsec, Say("ipsec", "snapshot", ipsec)), 12)
    defender = ids["windefend-datagram-V4"]
    answer = inward(SVCHOST, 1620, 53100, "192.0.2.53", 53, 17)
    story.dropped(t + 18, answer, Cause(defender, Say("windows-component", "snapshot", defender)), 24)


def _probes(story: Story, ids: Ids, t: float) -> None:
    """Tell probes of ports without a listener: UDP drops in pairs, TCP drops once per SYN, one more as 5153."""

    def stealth(name: str) -> Cause:
        return Cause(ids[name], Say("stealth", "origin", ids[name]), "Stealth")

    def probe(version: str, port: int, source: int, protocol: int = 6) -> Flow:
        near, far = (ADDRESS, "192.168.50.77") if version == "V4" else (ADDRESS6, "2001:db8:50::77")
        return Flow("-", 0, near, port, far, source, protocol)

    for second, version, port, lag in ((0, "V4", 161, 0), (1, "V6", 161, 0), (9, "V4", 1900, 4000)):
        packet, error = stealth(f"stealth-packet-{version}"), stealth(f"stealth-error-{version}")
        story.unheard(t + second, probe(version, port, 41000 + port, 17), packet, error, lag=lag)
    story.dropped(t + 2, probe("V4", 22, 41001), stealth("stealth-packet-V4"), 13, after=SYN_AGAIN)
    story.dropped(t + 3, probe("V6", 8443, 41002), stealth("stealth-packet-V6"), 15)
    story.dropped(t + 6, probe("V4", 1433, 41010), stealth("stealth-packet-V4"), 13, event_id=5153)


def not_the_firewall(story: Story, ids: Ids, t: float) -> None:
    """Tell blocks by filters that are not the firewall's: origin ``Unknown`` or none, so the state must say it."""

    def seen(kind: str, name: str) -> tuple[int, Say]:
        return ids[name], Say(kind, "snapshot", ids[name])

    number, say = seen("third-party", "npcap-connect-V4")
    story.blocked(t, outward(SHEET, 5008, 52201, "198.51.100.97", 7001), Cause(number, say), repeats=2)
    number, say = seen("other-wfp", "stranger-connect-V4")
    story.blocked(t + 5, outward(SHEET, 5008, 52203, "198.51.100.98", 9001), Cause(number, say), repeats=4)
    number, say = seen("other-wfp", "stranger-connect-V6")
    story.blocked(t + 8, outward(SHEET, 5008, 52204, "2001:db8:77::98", 9001), Cause(number, say), repeats=4)
    number, say = seen("other-wfp", "stranger-listen-V4")
    story.port(t + 10, 5155, Socket(SHARE, 3120, ALL, 9443), filter_id=number, say=say)
    number, say = seen("other-wfp", "stranger-bind-V6")
    story.port(t + 12, 5159, Socket(SHARE, 3120, "::", 9444), filter_id=number, say=say)
    # Only its display name tells whose it is: a hint, so the kind is no surer than an id alone.
    number = ids["nat"]
    say = Say("windows-component", "id-only", number)
    story.port(t + 14, 5159, Socket(SHARE, 3120, ALL, 50012, 17), filter_id=number, say=say)
    number, say = seen("windows-component", "teredo")
    story.blocked(t + 16, inward(SHARE, 3120, 6892, "2001:db8:99::20", 60400), Cause(number, say), inbound=True)
    number, say = seen("callout", "helper")
    story.blocked(t + 18, outward(SHEET, 5008, 52210, "198.51.100.99", 2121), Cause(number, say))
    gone = Say("unresolved", "none", None, "the state does not hold this id")
    story.blocked(t + 20, outward(SHEET, 5008, 52220, "198.51.100.100", 1194), Cause(88_410, gone), repeats=2)
    number, say = seen("third-party", "npcap-mac")
    _mac(story, t + 24, 5150, "00-00-5E-00-53-10", "00-00-5E-00-53-12", 0x0806, number, say)
    number, say = seen("other-wfp", "stranger-mac")
    _mac(story, t + 26, 5151, "00-00-5E-00-53-11", "01-80-C2-00-00-0E", 0x88CC, number, say)


def _mac(story: Story, second: float, event_id: int, source: str, dest: str, kind: int, number: int, say: Say) -> None:
    fields: dict[str, Value] = {
        "Direction": "%%14592",
        "SourceAddress": source,
        "DestAddress": dest,
        "EtherType": kind,
        "MediaType": 0,
        "InterfaceType": 6,
        "VlanTag": 0,
        "FilterRTID": number,
        "LayerName": "%%14602",
        "LayerRTID": 56,
    }
    story.tell(second, Event(event_id, 0, fields, say=say, attempt=story.new_attempt()))
