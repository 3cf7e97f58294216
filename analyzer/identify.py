"""What a file is, told by its bytes: names and endings of files prove nothing.

Nearly every file is judged by its first ``HEAD`` bytes. Two need more, and get it in the one pass that hashes the
file: a log whose header is damaged still has chunks on their grid, and a ``wfpdiag`` may hold its filters far down.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, Literal

from analyzer.readers import plaintext
from analyzer.readers.eventsniff import sniff_events
from analyzer.readers.xmltext import detect_encoding, sniff_xml

if TYPE_CHECKING:
    from collections.abc import Callable

FileKind = Literal[
    "evtx",
    "eventxml",
    "eventjson",
    "wfpstate",
    "filters",
    "netevents",
    "wfpdiag",
    "cab",
    "services",
    "audit-policy",
    "rules",
    "zip",
    "unknown",
]

HEAD: Final = 65536
BLOCK: Final = 16 * 65536  # how much of a file is fed at a time: whole chunks, so that the grid is never cut
# REFERENCE "file format": a file header of 4 KiB, then chunks of 64 KiB, each with its own magic.
FILE_MAGIC: Final = b"ElfFile\0"
CHUNK_MAGIC: Final = b"ElfChnk\0"
CHUNK_SIZE: Final = 65536
FIRST_CHUNK: Final = 4096

# The kinds that a reader exists for, and what the others are called when they have to be left out.
READ: Final[frozenset[str]] = frozenset(
    {
        *("evtx", "eventxml", "eventjson", "wfpstate", "filters", "netevents", "wfpdiag", "cab"),
        *("services", "audit-policy", "rules"),
    }
)

_UNPACK: Final = "not opened: unpack it and give the folder"
_ARCHIVE: Final = f"{{}}; {_UNPACK}"
_MAGICS: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\x1f\x8b", _ARCHIVE.format("a gzip archive")),
    (b"7z\xbc\xaf\x27\x1c", _ARCHIVE.format("a 7-Zip archive")),
    (b"Rar!", _ARCHIVE.format("a RAR archive")),
    (b"BZh", _ARCHIVE.format("a bzip2 archive")),
    (b"\xfd7zXZ\0", _ARCHIVE.format("an xz archive")),
    (b"\x28\xb5\x2f\xfd", _ARCHIVE.format("a Zstandard archive")),
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a Linux program"),
    (b"%PDF", "a PDF document"),
    (b"regf", "a registry hive"),
    (b"\x89PNG", "a picture"),
    (b"PAR1", "a Parquet file"),
)
# An Office document is a zip archive, too; its first member is this one (ECMA-376, Open Packaging Conventions).
_OFFICE: Final = b"[Content_Types].xml"
_ZIP_NAME: Final = 30  # where the name of the first member begins: APPNOTE 4.3.7
_ENCODINGS: Final = ("ascii", "utf-16-le", "utf-16-be")
_FILTERS: Final = tuple("<filters".encode(encoding) for encoding in _ENCODINGS)
# What only a capture (`netsh wfp capture`) holds; it may hold filters too.
_CAPTURE: Final = tuple(tag.encode(encoding) for tag in ("<initialState", "<netEvent") for encoding in _ENCODINGS)


@dataclass(frozen=True, slots=True)
class Identity:
    """The kind of a file, and in words what it seems to be.

    ``telling`` says that it may hold evidence although nobody reads it: to be told by itself, not among others.
    """

    kind: FileKind
    what: str
    telling: bool = False


_KNOWN: Final[tuple[tuple[bytes, Identity], ...]] = (
    (FILE_MAGIC, Identity("evtx", "an event log")),
    (b"PK\x03\x04", Identity("zip", "a zip archive")),
    (b"PK\x05\x06", Identity("zip", "an empty zip archive")),
    (b"MSCF", Identity("cab", "a cabinet (.cab) of netsh wfp capture", telling=True)),
)
CAPTURE: Final = Identity("wfpdiag", "a WFP capture (netsh wfp capture)", telling=True)
OFFICE: Final = Identity("unknown", "an Office document (a workbook or the like)")
OWN_OUTPUT: Final = Identity("unknown", "an output of this program")
# How the outputs begin: the page's generator, the result document, rows of events, filters and actions, the key of a
# redaction, the summary.
_OWN_MARKS: Final = ('<meta name="generator" content="wfp-analyzer', '"name": "wfp-analyzer"')
_OWN_STARTS: Final = (
    *('{"event_id":', '{"filter_id":', "event_id,version,record_id,", "filter_id,filter_key,name,"),
    *("message,datetime,timestamp_desc,event_id,", "finding_id,finding_key,severity,"),
    *('{\n  "redaction_key":', "### Why Windows blocked this traffic"),
)
_OWN_DOCUMENT: Final = '{\n  "schema_version":'  # a result tells of rules in words that a list of rules has, too


class Identifier:
    """Judges a file that is fed to it in blocks of ``BLOCK`` bytes; only the last one may be smaller."""

    def __init__(self) -> None:
        self.identity = identify(b"")
        self._first = True
        self._tail = b""
        self._diag = False  # the root is <wfpdiag>: which of the two it is may show far down
        self._capture: Identity | None = None

    def feed(self, block: bytes) -> None:
        """Look at the next block."""
        if self._first:
            self.identity = identify(block[:HEAD])
            self._first = False
            self._diag = self.identity.kind == "wfpdiag"
        if self.identity.kind == "unknown" and _on_grid(block):
            self.identity = Identity("evtx", "an event log with a damaged file header")
        elif self._diag and self._capture is None:
            text = self._tail + block
            if any(tag in text for tag in _CAPTURE):
                self.identity = self._capture = CAPTURE
            elif any(tag in text for tag in _FILTERS):
                self.identity = Identity("filters", "WFP filters (netsh wfp show filters)")
            self._tail = block[-32:]


def identify(head: bytes) -> Identity:
    """Judge a file by its first ``HEAD`` bytes (all of them for a smaller file)."""
    if not head:
        return Identity("unknown", "an empty file", telling=True)
    for magic, identity in _KNOWN:
        if head.startswith(magic):
            return OFFICE if head[_ZIP_NAME : _ZIP_NAME + len(_OFFICE)] == _OFFICE else identity
    if head[4:8] == b"LfLe":
        return Identity("unknown", "an event log of the old .evt format (before Windows Vista), not read", telling=True)
    if (events := sniff_events(head)) is not None:
        return Identity(events[0], events[1], telling=True)
    for magic, what in _MAGICS:
        if head.startswith(magic):
            return Identity("unknown", what, telling=what.endswith(_UNPACK))
    return _identify_text(head)


def _identify_text(head: bytes) -> Identity:
    start = head[:8000].decode("utf-8", "replace")
    if start.startswith(_OWN_DOCUMENT) and any(mark in start for mark in _OWN_MARKS):
        return OWN_OUTPUT
    root = sniff_xml(head)
    identity = _by_root(root) if root else _no_xml(head)
    if identity.kind == "unknown" and (start.startswith(_OWN_STARTS) or any(mark in start for mark in _OWN_MARKS)):
        return OWN_OUTPUT
    return identity


def _no_xml(head: bytes) -> Identity:
    encoding, _ = detect_encoding(head)
    binary = b"\0" in head and not encoding.startswith("utf-16")
    # A table with a hole in it begins as one; what begins with NULs is none.
    text = plaintext.head_text(head.partition(b"\0")[0] if binary else head)
    for sniff, identity in _tables():
        if sniff(text):
            return identity
    if binary:
        return Identity("unknown", "binary data of an unknown format")
    return Identity("unknown", "text that is not XML, or XML without a root element")


@cache
def _tables() -> tuple[tuple[Callable[[str], bool], Identity], ...]:
    """Return the tests for plain tables and lists, which are told by their beginning."""
    from analyzer.readers import auditpol, rules, services  # noqa: PLC0415 - they bring pandas, which help can't wait for

    lists = "a list of services (tasklist /svc, sc queryex, Win32_Service)"
    return (
        (auditpol.sniff, Identity("audit-policy", "an audit policy (auditpol)", telling=True)),
        (rules.sniff, Identity("rules", "exported firewall rules, or another registry export", telling=True)),
        (services.sniff, Identity("services", lists, telling=True)),
    )


def _on_grid(block: bytes) -> bool:
    return any(block.startswith(CHUNK_MAGIC, at + FIRST_CHUNK) for at in range(0, len(block), CHUNK_SIZE))


def _by_root(name: str) -> Identity:
    match name:
        case "wfpstate":
            return Identity("wfpstate", "a WFP state (netsh wfp show state)")
        case "wfpdiag":
            return Identity("wfpdiag", "a WFP capture without filters (netsh wfp capture)", telling=True)
        case "netEvents" | "netEvent":
            return Identity("netevents", "WFP net events (netsh wfp show netevents)", telling=True)
        case "Event" | "Events":
            return Identity(
                "unknown", f"an XML file of events (root element {name}) without an event in sight", telling=True
            )
    return Identity("unknown", f"an XML file of another kind (root element {name})")
