"""A made case full of names and addresses, and the search for what was to be hidden."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from io import BytesIO
from typing import TYPE_CHECKING

from samples.evtxwriter import Record, write_log
from tests.readers.rules_build import local
from tests.readers.wfpstate_builder import blob, condition, filter_item, origin_context, state

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

HOST = "LAPTOP-ZOELLNER-X77.ad.kestrel.example"  # longer than NetBIOS' 15 characters
NETBIOS = "LAPTOP-ZOELLNER"
OTHER = "PC"
START = datetime(2025, 3, 1, 11, 50, tzinfo=UTC)
MACHINE_SID = "S-1-5-21-1111111111-2222222222-3333333333"
DOMAIN_SID = "S-1-5-21-444444444-555555555-666666666"
CLOUD_SID = "S-1-12-1-1234567890-1122334455-2233445566-3344556677"
SERVICE_SID = "S-1-5-80-864916184-135290571-3087830041-1716922880-4237303741"
GUID = "{7E57AB1E-1234-4321-ABCD-00D15EA5E0AA}"
VOLUME = "\\device\\harddiskvolume3"

# Names of persons, machines and domains that must not be found anywhere, in any case.
NAMES = (
    "quillfeather",
    "Zoë Müller",
    "Анна",
    "小明",
    "O'Brien-Smythe",
    "brambleton",
    "wrenfield",
    "gooseberry",
    "tanglewood",
    "LAPTOP-ZOELLNER-X77",
    NETBIOS,
    "fileserver-42",
    "kestrel",
    "otherhost-9",
    "user-01",  # a user who is called as a label would be
    "R&D-Petrel",
)
ADDRESSES = (
    "10.77.3.21",
    "10.77.3.99",
    "10.77.3.0",
    "10.77.3.255",
    "172.30.200.5",
    "100.99.88.77",
    "93.184.216.34",
    "203.0.113.200",
    "2001:db8:cafe::77",
    "fd12:3456:789a::5",
)
HARDWARE = ("52-54-00-ab-cd-ef", "5054:ff:feab:cdef")  # the second is made of the first, in fe80::5054:ff:feab:cdef
SIDS = (
    MACHINE_SID.removeprefix("S-1-5-21-"),
    DOMAIN_SID.removeprefix("S-1-5-21-"),
    CLOUD_SID.removeprefix("S-1-12-1-"),
)
KEPT = (
    SERVICE_SID,
    "S-1-5-18",
    "127.0.0.1",
    "169.254.1.2",
    "224.0.0.251",
    "255.255.255.255",
    "fe80::1",
    "\\users\\public\\",
    "\\users\\administrator\\",
    "system32",
    "-1001",  # a relative id, numbered anew
    "-513",
    "Maker.App_1.0.0.0_x64__8wekyb3d8bbwe",
    "\\tool\\2.4.6.8\\",
    "10.0.0.0/8",
    "192.168.0.0-192.168.255.255",
)


@dataclass(frozen=True)
class Case:
    """Inputs, and what must not be found in outputs: plain texts in any letter case, and forms of places."""

    paths: tuple[Path, ...]
    secrets: tuple[str, ...]


PROGRAMS = (
    f"{VOLUME}\\users\\quillfeather\\appdata\\local\\petrel\\petrel.exe",
    f"{VOLUME}\\users\\zoë müller\\downloads\\tool.exe",
    f"{VOLUME}\\users\\анна\\tool.exe",
    f"{VOLUME}\\users\\小明\\tool.exe",
    f"{VOLUME}\\users\\o'brien-smythe\\tool.exe",
    f"{VOLUME}\\users\\a\\tool.exe",
    f"{VOLUME}\\users\\system\\tool.exe",
    f"{VOLUME}\\users\\user-01\\tool.exe",
    f"{VOLUME}\\users\\quillfeather.kestrel\\tool.exe",
    f"{VOLUME}\\users\\r&d-petrel\\tool.exe",
    f"{VOLUME}\\users\\public\\tool.exe",
    f"{VOLUME}\\users\\administrator\\tool.exe",
    "\\device\\mup\\fileserver-42\\share$\\tool\\2.4.6.8\\tool.exe",
    "\\device\\mup\\10.77.3.99\\share\\tool.exe",
    f"{VOLUME}\\program files\\windowsapps\\Maker.App_1.0.0.0_x64__8wekyb3d8bbwe\\app.exe",
    f"{VOLUME}\\windows\\system32\\svchost.exe",
    "System",
)
REMOTES = (
    *("93.184.216.34", "203.0.113.200", "10.77.3.99", "10.77.3.255", "172.30.200.5", "100.99.88.77"),
    *("2001:db8:cafe::77", "fd12:3456:789a::5", "fe80::5054:ff:feab:cdef", "fe80::1", "169.254.1.2"),
    *("224.0.0.251", "255.255.255.255", "127.0.0.1"),
)


def make(folder: Path) -> Case:
    """Write a log of two machines, a state, rules and a list of services; one file is called after the machine."""
    (folder / f"{NETBIOS.lower()}_security.evtx").write_bytes(_log())
    (folder / "wfpstate.xml").write_text(_state(), encoding="utf-8")
    (folder / "rules.reg").write_text(_rules(), encoding="utf-8")
    (folder / "services.json").write_text(
        '[{"Name":"BITS","ProcessId":1234,"StartName":"LocalSystem","PathName":"C:\\\\Windows\\\\System32\\\\svchost.exe",'
        '"State":"Running","ServiceType":"Share Process","DisplayName":"BITS"},'
        '{"Name":"Petrel","ProcessId":2222,"StartName":"KESTREL\\\\gooseberry","PathName":"C:\\\\petrel.exe",'
        '"State":"Running","ServiceType":"Own Process","DisplayName":"gooseberry’s service"}]',
        encoding="utf-8",
    )
    secrets = (*NAMES, *ADDRESSES, *HARDWARE, *SIDS, "\\users\\a\\", "\\users\\system\\")
    return Case(tuple(sorted(folder.iterdir())), secrets)


def _log() -> bytes:
    records: list[Record] = []

    def add(event_id: int, version: int, fields: dict[str, object], computer: str = HOST, variant: str = "") -> None:
        number = len(records)
        when = START + timedelta(seconds=number)
        records.append(Record(event_id, version, when, 1000 + number, computer, fields, variant=variant))

    add(4688, 2, _process("tanglewood", "AD", f"{DOMAIN_SID}-1108", "C:\\Users\\tanglewood\\x.exe"))
    add(4688, 2, _process("LAPTOP-ZOELLNER-X77$", "KESTREL", "S-1-5-18", "C:\\Windows\\System32\\svchost.exe"))
    for program in PROGRAMS:
        for remote in REMOTES if program == PROGRAMS[0] else REMOTES[:2]:
            local = "fe80::5054:ff:feab:cdef" if ":" in remote else "10.77.3.21"
            add(5157, 3, _blocked(program, local, remote))
    add(5157, 3, _blocked("System", "10.77.3.99", "93.184.216.34"), computer=OTHER)
    add(5150, 0, _mac())
    stream = BytesIO()
    write_log(stream, records)
    return stream.getvalue()


def _process(user: str, domain: str, sid: str, image: str) -> dict[str, object]:
    return {
        "SubjectUserSid": sid,
        "SubjectUserName": user,
        "SubjectDomainName": domain,
        "SubjectLogonId": 999,
        "NewProcessId": 4321,
        "NewProcessName": image,
        "ProcessId": 4,
        "CommandLine": f'"{image}" --user brambleton@mail.kestrel.example --host otherhost-9.ad.kestrel.example',
    }


def _blocked(program: str, local: str, remote: str) -> dict[str, object]:
    return {
        "ProcessID": 4321,
        "Application": program,
        "Direction": "%%14593",
        "SourceAddress": local,
        "SourcePort": "50123",
        "DestAddress": remote,
        "DestPort": "443",
        "Protocol": 6,
        "FilterOrigin": f"TCP Query User{GUID}C:\\users\\quillfeather\\appdata\\local\\petrel\\petrel.exe",
        "FilterRTID": 70001,
        "LayerName": "%%14611",
        "LayerRTID": 50 if ":" in remote else 48,
        "RemoteUserID": "S-1-0-0",
        "RemoteMachineID": "S-1-0-0",
        "OriginalProfile": "1",
        "CurrentProfile": "1",
        "IsLoopback": "false",
    }


def _mac() -> dict[str, object]:
    return {
        "Direction": "%%14592",
        "SourceAddress": "52-54-00-ab-cd-ef",
        "DestAddress": "ff-ff-ff-ff-ff-ff",
        "EtherType": 2048,
        "FilterRTID": 70009,
        "LayerName": "%%14602",
        "LayerRTID": 90,
    }


def _state() -> str:
    origin = f"TCP Query User{GUID}C:\\users\\quillfeather\\appdata\\local\\petrel\\petrel.exe"
    program = f"{VOLUME}\\users\\quillfeather\\appdata\\local\\petrel\\petrel.exe"
    sddl = f"O:LSD:(A;;CC;;;{MACHINE_SID}-1001)(A;;CC;;;{DOMAIN_SID}-513)"
    sddl += f"(A;;CC;;;{CLOUD_SID})(A;;CC;;;{SERVICE_SID})(A;;CC;;;S-1-5-18)"
    user = condition("ALE_USER_ID", "EQUAL", "SECURITY_DESCRIPTOR_TYPE", f"<sd>{sddl}</sd>")
    blocking = filter_item(
        70001,
        name="gooseberry's rule for KESTREL\\wrenfield on laptop-zoellner-x77, 10.77.3.21 (Zoë Müller)",
        flags=("FWPM_FILTER_FLAG_HAS_PROVIDER_CONTEXT",),
        context=f"<providerContextKey>{GUID}</providerContextKey>",
        conditions=(
            condition(
                "ALE_APP_ID",
                "EQUAL",
                "BYTE_BLOB_TYPE",
                f"<byteBlob><data>{blob(program)}</data><asString>{program}</asString></byteBlob>",
            ),
            user,
            condition(
                "IP_LOCAL_ADDRESS", "EQUAL", "UINT32", f"<uint32>{int.from_bytes(bytes([10, 77, 3, 21]))}</uint32>"
            ),
            condition("IP_REMOTE_ADDRESS", "RANGE", "RANGE_TYPE", _range("10.77.3.0", "10.77.3.255")),
            condition("IP_REMOTE_ADDRESS", "RANGE", "RANGE_TYPE", _range("192.168.0.0", "192.168.255.255")),
            condition("MAC_LOCAL_ADDRESS", "EQUAL", "BYTE_ARRAY6_TYPE", "<byteArray6>525400abcdef</byteArray6>"),
        ),
    )
    other = filter_item(70002, name="A blob, and all of 10.0.0.0/8", conditions=(_odd_blob(),))
    session = "".join(
        f"<item><sessionKey>{{0000000{n}-1111-2222-3333-444444444444}}</sessionKey><displayData><name/></displayData>"
        f"<flags/><processId>{n}</processId><sid>{sid}</sid><username>{name}</username>"
        "<kernelMode>false</kernelMode></item>"
        for n, (sid, name) in enumerate(
            (
                (f"{DOMAIN_SID}-1234", "KESTREL\\wrenfield"),
                (f"{MACHINE_SID}-1001", f"{NETBIOS}\\quillfeather"),
                ("S-1-5-18", "AUTORITE NT\\Système"),
            )
        )
    )
    head = f'<sessions numItems="3">{session}</sessions>'
    return state(blocking, other, contexts=(origin_context(origin, GUID),), head=head)


def _range(low: str, high: str) -> str:
    ends = (f"<{tag}><type>FWP_UINT32</type><uint32>{end}</uint32></{tag}>" for tag, end in
            (("valueLow", low), ("valueHigh", high)))  # fmt: skip
    return f"<rangeValue>{''.join(ends)}</rangeValue>"


def _odd_blob() -> str:
    """A blob of another field: a header, a name in UTF-16, one in UTF-8, and a binary SID."""
    sid = bytes.fromhex("010500000000000515000000") + b"".join(
        int(part).to_bytes(4, "little") for part in f"{MACHINE_SID}-1001".split("-")[4:]
    )
    data = b"\x07" + "C:\\Users\\brambleton\\x.dll".encode("utf-16-le") + b"\0\0 wrenfield " + sid
    return condition(
        "ALE_SECURITY_ATTRIBUTE_FQBN_VALUE",
        "EQUAL",
        "BYTE_BLOB_TYPE",
        f"<byteBlob><data>{data.hex()}</data><asString>x</asString></byteBlob>",
    )


def _rules() -> str:
    program = "C:\\Users\\Quillfeather\\AppData\\Local\\petrel\\petrel.exe"
    text = "v2.31|Action=Block|Active=TRUE|Dir=Out|Protocol=6|RA4=10.77.3.0/255.255.255.0|RA4=10.0.0.0/255.0.0.0|"
    return local(
        (
            f"TCP Query User{GUID}C:\\users\\quillfeather\\appdata\\local\\petrel\\petrel.exe",
            f"{text}App={program}|LUOwn={DOMAIN_SID}-1234|Name=gooseberry on 93.184.216.34|",
        ),
        ("{net}", "v2.31|Action=Allow|Active=TRUE|Dir=Out|RA4=10.0.0.0/8|Name=all private|"),
    )


__all__ = ["KEPT", "Case", "found", "make", "readable"]


# ------------------------------------------------------------------------------------------------ the search


def readable(name: str, data: bytes) -> list[bytes]:
    """Return what a reader of a file can see: of archives and Parquet files their content."""
    if data.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(BytesIO(data)) as archive:
            return [archive.read(item) for item in archive.namelist()]
    if data.startswith(b"PAR1"):
        table = import_module("pyarrow.parquet").read_table(BytesIO(data))
        return [repr(column.to_pylist()).encode() for column in table.columns] + [data]
    return [data]


def found(secrets: Iterable[str], outputs: dict[str, bytes]) -> list[tuple[str, str, str]]:
    """Return (secret, form, output) of every secret that stands somewhere: as text, UTF-16LE, hexadecimal or dotted."""
    out: list[tuple[str, str, str]] = []
    for name, data in outputs.items():
        for part in readable(name, data):
            folded = part.decode("utf-8", "replace").casefold()
            for secret in secrets:
                text = secret.casefold()
                for form, wanted in _forms(text):
                    at = _place(wanted, folded, number=form == "text")
                    if at is not None:
                        out.append((secret, form, f"{name}: …{folded[max(at - 60, 0) : at + len(wanted) + 40]}…"))
                if text.encode("utf-16-le") in part.lower():
                    out.append((secret, "utf-16 bytes", name))
    return out


def _forms(text: str) -> Iterable[tuple[str, str]]:
    yield "text", text
    yield "escaped text", text.replace("&", "&amp;").replace("'", "&#39;")
    yield "JSON text", text.replace("\\", "\\\\")
    for case in {text, text.upper(), text.title()}:
        yield "UTF-16LE in hexadecimal", case.encode("utf-16-le").hex()
        yield "UTF-8 in hexadecimal", case.encode().hex()
    if len(text) > 3:
        yield "dotted", "".join(f"{char}." for char in text)


def _place(wanted: str, text: str, *, number: bool) -> int | None:
    """Return where a text stands; a number is not looked for inside a longer one."""
    if wanted not in text:
        return None
    if not (number and wanted[0].isdigit() and wanted[-1].isdigit()):
        return text.index(wanted)
    hit = re.search(rf"(?<![0-9]){re.escape(wanted)}(?![0-9])", text)
    return None if hit is None else hit.start()
