"""Makes an event log of a given size: 70 % WFP audit events, as a busy host writes them; the rest is other audit.

``python -m benchmarks.make_log TARGET MIB [--distinct]``: with ``--distinct`` every remote address is another one.
Equal arguments give equal bytes.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

from samples.evtxwriter import SHAPES, Record, write_log
from samples.evtxwriter.shapes import AUDITING, SUCCESS, Shape

START = 133_800_000_000_000_000  # a FILETIME in 2024
_SUBJECT = (("SubjectUserSid", "sid"), ("SubjectUserName", "string"), ("SubjectDomainName", "string"))
_LOGON = (*_SUBJECT, ("SubjectLogonId", "hex64"))
# events that nobody reads: a logon, its end, special rights, an access to an object
OTHERS = (
    Shape(
        4624,
        2,
        "",
        AUDITING,
        12544,
        SUCCESS,
        (
            *_LOGON,
            ("TargetUserSid", "sid"),
            ("TargetUserName", "string"),
            ("TargetDomainName", "string"),
            ("TargetLogonId", "hex64"),
            ("LogonType", "u32"),
            ("LogonProcessName", "string"),
            ("AuthenticationPackageName", "string"),
            ("WorkstationName", "string"),
            ("LogonGuid", "guid"),
            ("ProcessId", "hex64"),
            ("ProcessName", "string"),
            ("IpAddress", "string"),
            ("IpPort", "string"),
        ),
    ),
    Shape(4634, 0, "", AUDITING, 12545, SUCCESS, (*_LOGON, ("LogonType", "u32"))),
    Shape(4672, 0, "", AUDITING, 12548, SUCCESS, (*_LOGON, ("PrivilegeList", "string"))),
    Shape(
        4663,
        1,
        "",
        AUDITING,
        12800,
        SUCCESS,
        (
            *_LOGON,
            ("ObjectServer", "string"),
            ("ObjectType", "string"),
            ("ObjectName", "string"),
            ("HandleId", "hex64"),
            ("AccessList", "string"),
            ("AccessMask", "hex32"),
            ("ProcessId", "hex64"),
            ("ProcessName", "string"),
        ),
    ),
)
# (weight, event id, version, variant); 70 of 100 are WFP events
WFP = (
    (34, 5156, 1, ""),
    (14, 5158, 0, ""),
    (3, 5154, 0, ""),
    (7, 5157, 3, ""),
    (4, 5157, 1, ""),
    (8, 5152, 1, ""),
)
HOST = ((9, 4688, 2, ""), (8, 4689, 0, ""), (1, 5447, 0, ""))
APPS = [
    rf"\device\harddiskvolume{n % 3 + 2}\{folder}\{name}{n}.exe"
    for n in range(25)
    for folder, name in (
        ("windows\\system32", "svc"),
        ("program files\\vendor\\product", "agent"),
        ("program files (x86)\\another vendor\\updater\\1.2.3", "update"),
    )
]
FLOWS = 20_000  # distinct flows of the host
# which of them are permitted, blocked, dropped: (first, count); the first ones of each are met most often
SHARES = {5156: (0, 12_000), 5157: (12_000, 4_000), 5152: (16_000, 4_000)}
# the outbound layers' run-time ids (REFERENCE, Appendix A)
LAYERS = {5156: 48, 5157: 48, 5158: 36, 5154: 40, 5152: 16}
SYSTEM_SID, USER_SID = "S-1-5-18", "S-1-5-21-1111111111-2222222222-3333333333-1001"


class Maker:
    """Makes records one after another."""

    def __init__(self, *, distinct: bool) -> None:
        self.random = random.Random(7)
        self.distinct = distinct
        pick = self.random
        self.remote = [f"{pick.randrange(1, 224)}.{pick.randrange(256)}.{pick.randrange(256)}.9" for _ in range(3000)]
        self.remote += [f"fe80::{pick.randrange(65536):x}:{pick.randrange(65536):x}:1" for _ in range(300)]
        # what programs talk to: few places many times, many places a few times
        self.flows = [self._flow() for _ in range(FLOWS)]
        self.flow, self.event = self.flows[0], 0
        self.commands = [rf'"C:\program files\vendor\tool{n}.exe" --run job-{n} --quiet' for n in range(400)]
        kinds = [*WFP, *HOST]
        self.kinds = [*kinds, *((1, shape, 0, "") for shape in OTHERS)]
        self.weights = [float(kind[0]) for kind in kinds] + [12 / len(OTHERS)] * len(OTHERS)

    def _flow(self):
        """Return application, remote address, remote port, protocol, filter's run-time id of one flow."""
        pick = self.random
        app = APPS[min(int(pick.expovariate(0.1)), len(APPS) - 1)]
        port = pick.choices((443, 80, 53, 445, 3389, 5228, 123), (60, 15, 10, 5, 3, 4, 3))[0]
        protocol = 17 if port in (53, 123) else 6
        return app, pick.choice(self.remote), str(port), protocol, 66_000 + min(int(pick.expovariate(0.2)), 60)

    def records(self):
        number = 1000
        time = START
        while True:
            for kind in self.random.choices(self.kinds, self.weights, k=1000):
                number += 1
                time += self.random.randrange(1, 400_000)
                yield self.record(kind, number, time)

    def record(self, kind, number, time):
        _, event, version, variant = kind
        shape = event if isinstance(event, Shape) else SHAPES[event, version, variant]
        self.event = shape.event_id
        first, count = SHARES.get(self.event, SHARES[5156])
        self.flow = self.flows[first + min(int(self.random.expovariate(5 / count)), count - 1)]
        fields = {name: self.value(name, type_, number) for name, type_ in shape.fields}
        return Record(shape.event_id, shape.version, time, number, "host.example", fields, shape=shape)

    def value(self, name, kind, number):  # noqa: C901, PLR0911, PLR0912 - a table of values in words
        pick = self.random
        app, remote, port, protocol, rtid = self.flow
        if name == "Application":
            return app
        if name in ("ProcessName", "NewProcessName", "ParentProcessName", "ObjectName"):
            return APPS[min(int(pick.expovariate(0.1)), len(APPS) - 1)]
        if name == "DestAddress":
            if self.distinct:
                return f"{number >> 24 & 127 | 16}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
            return remote
        fixed = {
            "Direction": "%%14593",
            "SourceAddress": "192.168.1.23",
            "LayerName": "%%14611",
            "RemoteUserID": "S-1-0-0",
            "RemoteMachineID": "S-1-0-0",
            "FilterOrigin": ("Unknown", "Stealth", "Query User Default", "Quarantine Default")[rtid % 4],
            "OriginalProfile": "%%14643",
            "CurrentProfile": "%%14644",
            "IsLoopback": "%%1826",
            "HasRemoteDynamicKeywordAddress": "%%1826",
            "TokenElevationType": "%%1938",
            "MandatoryLabel": "S-1-16-16384",
        }
        if name in fixed:
            return fixed[name]
        if name in ("SourcePort", "DestPort"):
            if self.event == 5154:  # a server listens at its own port
                return port
            return port if name == "DestPort" else str(pick.randrange(49152, 65536))
        if name == "CommandLine":
            return pick.choice(self.commands)
        if name == "Conditions":
            return "\r\n\tCondition ID:\t{d78e1e87-8644-4ea5-9437-d809ecefc971}\r\n\tMatch value:\tEqual to\r\n" * 2
        if kind == "sid":
            return SYSTEM_SID if number % 3 else USER_SID
        if kind == "guid":
            return "{d78e1e87-8644-4ea5-9437-d809ecefc971}"
        if kind == "string":
            return ("-", "SYSTEM", "some text", "NT AUTHORITY")[number % 4]
        if name == "Protocol":
            return protocol
        if name in ("FilterRTID", "LayerRTID"):
            return rtid if name == "FilterRTID" else LAYERS.get(self.event, 48)
        if name.lower() == "processid":
            return 4 * pick.randrange(1, 400)
        return pick.randrange(1, 80_000) if kind != "u8" else 1


def make(target: Path, size: int, *, distinct: bool = False) -> int:
    """Write a log of about ``size`` bytes and return its number of records."""

    with target.open("wb") as stream:

        def until():
            for count, record in enumerate(Maker(distinct=distinct).records()):
                if count % 256 == 0 and stream.tell() >= size:
                    return
                yield record

        return write_log(stream, until())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", type=Path)
    parser.add_argument("mib", type=int)
    parser.add_argument("--distinct", action="store_true")
    chosen = parser.parse_args()
    print(make(chosen.target, chosen.mib << 20, distinct=chosen.distinct), "records", chosen.target.stat().st_size)


if __name__ == "__main__":
    main()
