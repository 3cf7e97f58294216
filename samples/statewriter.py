"""Writes ``wfpstate.xml`` as ``netsh wfp show state`` does: same elements, same order, tabs, BOM.

``State`` holds what a dump holds; ``write_state`` makes the bytes. Two generations differ: Windows 11 has a second
root, line feeds alone, and filter origins in provider contexts; Windows 10 has one root and CRLF (REFERENCE 9 and 12).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Weight = tuple[str, int | None]  # ("EMPTY", None), ("UINT8", 9), ("UINT64", 2**64 - 1)
EMPTY: Final[Weight] = ("EMPTY", None)


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition: field and match without prefix, value type without ``FWP_``, value as the dump prints it.

    A range has a value ``(low, high)`` and the type of its ends in ``kind``.
    """

    field: str
    match: str
    kind: str
    value: str | int | tuple[str | int, str | int]


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter with everything that the dump prints of it; names without prefix."""

    filter_id: int
    key: str
    name: str
    description: str
    flags: tuple[str, ...]
    provider: str | None
    provider_data: str | None
    layer: str
    sublayer: str
    weight: Weight
    conditions: tuple[Condition, ...]
    action: str
    callout: str | None
    context: str | None
    effective: int


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer with its filters and callouts (key, name, id)."""

    layer_id: int
    symbol: str
    name: str
    callouts: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider; ``persistent`` sets its only flag."""

    key: str
    name: str
    description: str = ""
    service: str = ""
    persistent: bool = False


@dataclass(frozen=True, slots=True)
class SubLayer:
    """One sublayer."""

    key: str
    name: str
    weight: int
    provider: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """A provider context that stores a filter origin."""

    key: str
    origin: str
    context_id: int


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One connected endpoint."""

    endpoint_id: int
    local: str
    remote: str
    protocol: int
    local_port: int
    remote_port: int
    application: str


@dataclass(frozen=True, slots=True)
class Session:
    """One session of the filter engine."""

    key: str
    process_id: int
    sid: str
    user: str
    kernel: bool
    name: str = ""
    dynamic: bool = False


@dataclass(slots=True)
class State:
    """A whole dump. ``time`` is printed as is; ``windows11`` chooses roots and line ends."""

    time: str
    windows11: bool
    layers: list[Layer] = field(default_factory=list)
    filters: list[Filter] = field(default_factory=list)
    providers: list[Provider] = field(default_factory=list)
    sublayers: list[SubLayer] = field(default_factory=list)
    contexts: list[Context] = field(default_factory=list)
    endpoints: list[Endpoint] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)


class _Xml:
    """Collects indented lines."""

    def __init__(self) -> None:
        self.lines = ['<?xml version="1.0" encoding="UTF-8" standalone="yes"?>']
        self.depth = 0

    def leaf(self, tag: str, text: str | float = "") -> None:
        value = escape(str(text))
        self.lines.append("\t" * self.depth + (f"<{tag}>{value}</{tag}>" if value else f"<{tag}/>"))

    def open(self, tag: str) -> None:
        self.lines.append("\t" * self.depth + f"<{tag}>")
        self.depth += 1

    def close(self, tag: str) -> None:
        self.depth -= 1
        self.lines.append("\t" * self.depth + f"</{tag}>")

    def start(self, tag: str, count: int) -> bool:
        """Open a list and say whether it has items; an empty list is one closed tag."""
        if not count:
            self.leaf(tag)
            return False
        self.lines.append("\t" * self.depth + f'<{tag} numItems="{count}">')
        self.depth += 1
        return True

    def words(self, tag: str, words: Sequence[str]) -> None:
        if self.start(tag, len(words)):
            for word in words:
                self.leaf("item", word)
            self.close(tag)

    def display(self, name: str, description: str = "") -> None:
        self.open("displayData")
        self.leaf("name", name)
        self.leaf("description", description)
        self.close("displayData")


def prefixed(prefix: str, word: str) -> str:
    """Return a symbol with its prefix; GUIDs stay as they are."""
    return word if not word or word.startswith("{") else prefix + word


def blob(text: str) -> str:
    """Return hex of UTF-16LE with a final NUL, as application ids and origins are stored."""
    return (text + "\0").encode("utf-16-le").hex()


def _dotted(text: str) -> str:
    return "".join(f"{c}." for c in text) + ".."


def write_state(state: State) -> bytes:
    """Return the bytes of the dump."""
    xml = _Xml()
    xml.open("wfpstate")
    xml.leaf("timeStamp", state.time)
    _sessions(xml, state.sessions)
    _layers(xml, state)
    _providers(xml, state.providers)
    _contexts(xml, state.contexts)
    _sublayers(xml, state.sublayers)
    xml.open("subscriptions")
    xml.leaf("calloutSubscriptions")
    xml.leaf("filterSubscriptions")
    xml.close("subscriptions")
    xml.leaf("ipsecSaContexts")
    _endpoints(xml, state.endpoints)
    if state.windows11:
        xml.leaf("ikeextStatistics")
    _ipsec_statistics(xml)
    if state.windows11:
        xml.leaf("ikeextSas")
    xml.close("wfpstate")
    if state.windows11:
        xml.open("firewallState")
        xml.leaf("dynamicKeywordAddresses")
        xml.close("firewallState")
    end = "\n" if state.windows11 else "\r\n"
    return b"\xef\xbb\xbf" + (end.join(xml.lines) + end).encode()


def _sessions(xml: _Xml, sessions: Sequence[Session]) -> None:
    if not xml.start("sessions", len(sessions)):
        return
    for session in sessions:
        xml.open("item")
        xml.leaf("sessionKey", session.key)
        xml.display(session.name)
        xml.words("flags", ["FWPM_SESSION_FLAG_DYNAMIC"] if session.dynamic else [])
        xml.leaf("txnWaitTimeoutInMSec", 6000000)
        xml.leaf("processId", session.process_id)
        xml.leaf("sid", session.sid)
        xml.leaf("username", session.user)
        xml.leaf("kernelMode", str(session.kernel).lower())
        xml.close("item")
    xml.close("sessions")


def _layers(xml: _Xml, state: State) -> None:
    by_layer: dict[str, list[Filter]] = {}
    for item in state.filters:
        by_layer.setdefault(item.layer, []).append(item)
    unknown = by_layer.keys() - {layer.symbol for layer in state.layers}
    if unknown:
        raise ValueError(f"no such layer: {unknown}")
    xml.start("layers", len(state.layers))
    for layer in state.layers:
        symbol = prefixed("FWPM_LAYER_", layer.symbol)
        xml.open("item")
        xml.open("layer")
        xml.leaf("layerKey", symbol)
        xml.display(layer.name)
        xml.words("flags", ["FWPM_LAYER_FLAG_KERNEL", "FWPM_LAYER_FLAG_BUILTIN", "FWPM_LAYER_FLAG_CLASSIFY_MOSTLY"])
        xml.leaf("field")
        xml.leaf("defaultSubLayerKey", "FWPM_SUBLAYER_UNIVERSAL")
        xml.leaf("layerId", layer.layer_id)
        xml.close("layer")
        if xml.start("callouts", len(layer.callouts)):
            for key, name, callout_id in layer.callouts:
                _callout(xml, key, name, callout_id, symbol)
            xml.close("callouts")
        filters = by_layer.get(layer.symbol, [])
        if xml.start("filters", len(filters)):
            for item in filters:
                _filter(xml, item)
            xml.close("filters")
        xml.close("item")
    xml.close("layers")


def _callout(xml: _Xml, key: str, name: str, callout_id: int, layer: str) -> None:
    xml.open("item")
    xml.leaf("calloutKey", prefixed("FWPM_CALLOUT_", key))
    xml.display(name)
    xml.words("flags", ["FWPM_CALLOUT_FLAG_REGISTERED"])
    xml.leaf("providerKey")
    xml.leaf("providerData")
    xml.leaf("applicableLayer", layer)
    xml.leaf("calloutId", callout_id)
    xml.close("item")


def _filter(xml: _Xml, item: Filter) -> None:
    xml.open("item")
    xml.leaf("filterKey", item.key)
    xml.display(item.name, item.description)
    xml.words("flags", [f"FWPM_FILTER_FLAG_{flag}" for flag in item.flags])
    xml.leaf("providerKey", prefixed("FWPM_PROVIDER_", item.provider or ""))
    if item.provider_data is None:
        xml.leaf("providerData")
    else:
        xml.open("providerData")
        xml.leaf("data", item.provider_data)
        raw = bytes.fromhex(item.provider_data)
        xml.leaf("asString", "".join(chr(b) if 32 <= b < 127 else "." for b in raw))
        xml.close("providerData")
    xml.leaf("layerKey", prefixed("FWPM_LAYER_", item.layer))
    xml.leaf("subLayerKey", prefixed("FWPM_SUBLAYER_", item.sublayer))
    _number(xml, "weight", *item.weight)
    if xml.start("filterCondition", len(item.conditions)):
        for condition in item.conditions:
            _condition(xml, condition)
        xml.close("filterCondition")
    xml.open("action")
    xml.leaf("type", f"FWP_ACTION_{item.action}")
    xml.leaf("filterType", prefixed("FWPM_CALLOUT_", item.callout or ""))
    xml.close("action")
    if item.context:
        xml.leaf("providerContextKey", item.context)
    else:
        xml.leaf("rawContext", 0)
    xml.leaf("reserved")
    xml.leaf("filterId", item.filter_id)
    _number(xml, "effectiveWeight", "UINT64", item.effective)
    xml.close("item")


def _number(xml: _Xml, tag: str, kind: str, value: int | None) -> None:
    xml.open(tag)
    xml.leaf("type", f"FWP_{kind}")
    if value is not None:
        xml.leaf(kind.lower(), value)
    xml.close(tag)


_VALUE_TAG: Final = {
    "UINT8": "uint8",
    "UINT16": "uint16",
    "UINT32": "uint32",
    "UINT64": "uint64",
    "BYTE_ARRAY16_TYPE": "byteArray16",
    "SID": "sid",
    "SECURITY_DESCRIPTOR_TYPE": "sd",
}


def _condition(xml: _Xml, condition: Condition) -> None:
    xml.open("item")
    xml.leaf("fieldKey", f"FWPM_CONDITION_{condition.field}")
    xml.leaf("matchType", f"FWP_MATCH_{condition.match}")
    xml.open("conditionValue")
    if isinstance(condition.value, tuple):
        xml.leaf("type", "FWP_RANGE_TYPE")
        xml.open("rangeValue")
        for tag, value in zip(("valueLow", "valueHigh"), condition.value, strict=True):
            xml.open(tag)
            xml.leaf("type", f"FWP_{condition.kind}")
            xml.leaf(_VALUE_TAG[condition.kind], value)
            xml.close(tag)
        xml.close("rangeValue")
    else:
        xml.leaf("type", f"FWP_{condition.kind}")
        if condition.kind == "BYTE_BLOB_TYPE":
            xml.open("byteBlob")
            xml.leaf("data", blob(str(condition.value)))
            xml.leaf("asString", condition.value)
            xml.close("byteBlob")
        else:
            xml.leaf(_VALUE_TAG[condition.kind], condition.value)
    xml.close("conditionValue")
    xml.close("item")


def _providers(xml: _Xml, providers: Sequence[Provider]) -> None:
    if not xml.start("providers", len(providers)):
        return
    for provider in providers:
        xml.open("item")
        xml.leaf("providerKey", prefixed("FWPM_PROVIDER_", provider.key))
        xml.display(provider.name, provider.description)
        xml.words("flags", ["FWPM_PROVIDER_FLAG_PERSISTENT"] if provider.persistent else [])
        xml.leaf("providerData")
        xml.leaf("serviceName", provider.service)
        xml.close("item")
    xml.close("providers")


def _contexts(xml: _Xml, contexts: Sequence[Context]) -> None:
    if not xml.start("providerContexts", len(contexts)):
        return
    for context in contexts:
        xml.open("item")
        xml.leaf("providerContextKey", context.key)
        xml.display("MPSSVC", "Stores filter origin")
        xml.words("flags", [])
        xml.leaf("providerKey", "FWPM_PROVIDER_MPSSVC_WF")
        xml.leaf("providerData")
        xml.leaf("type", "FWPM_GENERAL_CONTEXT")
        xml.open("dataBuffer")
        xml.leaf("data", blob(context.origin))
        xml.leaf("asString", _dotted(context.origin))
        xml.close("dataBuffer")
        xml.leaf("providerContextId", context.context_id)
        xml.close("item")
    xml.close("providerContexts")


def _sublayers(xml: _Xml, sublayers: Iterable[SubLayer]) -> None:
    items = sorted(sublayers, key=lambda item: item.weight)
    if not xml.start("subLayers", len(items)):
        return
    for item in items:
        xml.open("item")
        xml.leaf("subLayerKey", prefixed("FWPM_SUBLAYER_", item.key))
        xml.display(item.name)
        xml.words("flags", [])
        xml.leaf("providerKey", prefixed("FWPM_PROVIDER_", item.provider))
        xml.leaf("providerData")
        xml.leaf("weight", item.weight)
        xml.close("item")
    xml.close("subLayers")


def _endpoints(xml: _Xml, endpoints: Sequence[Endpoint]) -> None:
    if not xml.start("aleConnectedEndpoints", len(endpoints)):
        return
    for item in endpoints:
        version = "V6" if ":" in item.local else "V4"
        xml.open("item")
        xml.leaf("endpointId", item.endpoint_id)
        xml.leaf("ipVersion", f"FWP_IP_VERSION_{version}")
        xml.leaf(f"local{version}Address", item.local)
        xml.leaf(f"remote{version}Address", item.remote)
        xml.leaf("ipProtocol", item.protocol)
        xml.leaf("localPort", item.local_port)
        xml.leaf("remotePort", item.remote_port)
        xml.leaf("localTokenModifiedId", 500000 + item.endpoint_id)
        xml.leaf("mmSaId", 0)
        xml.leaf("qmSaId", 0)
        xml.leaf("ipsecStatus", "0 (ERROR_SUCCESS)")
        xml.words("flags", [])
        xml.open("appId")
        xml.leaf("data", blob(item.application))
        xml.leaf("asString", _dotted(item.application))
        xml.close("appId")
        xml.close("item")
    xml.close("aleConnectedEndpoints")


def _ipsec_statistics(xml: _Xml) -> None:
    xml.open("ipsecStatistics")
    xml.open("aggregateSaStatistics")
    for tag in ("activeSas", "pendingSaNegotiations", "totalSasAdded", "totalSasDeleted"):
        xml.leaf(tag, 0)
    xml.close("aggregateSaStatistics")
    xml.close("ipsecStatistics")
