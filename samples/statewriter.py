"""Writes ``wfpstate.xml`` as ``netsh wfp show state`` does: same elements, same order, tabs, BOM.

``samples.state.State`` holds what a dump holds; ``write_state`` makes the bytes. Two generations differ: Windows 11
has a second root, line feeds alone, and filter origins in provider contexts; Windows 10 has one root and CRLF
(REFERENCE 9 and 12).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from samples.statexml import Xml, blob, dotted, prefixed, write_filter

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from samples.state import Context, Endpoint, Filter, Provider, Session, State, SubLayer


def write_state(state: State) -> bytes:
    """Return the bytes of the dump."""
    xml = Xml()
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


def _sessions(xml: Xml, sessions: Sequence[Session]) -> None:
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


def _layers(xml: Xml, state: State) -> None:
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
                write_filter(xml, item)
            xml.close("filters")
        xml.close("item")
    xml.close("layers")


def _callout(xml: Xml, key: str, name: str, callout_id: int, layer: str) -> None:
    xml.open("item")
    xml.leaf("calloutKey", prefixed("FWPM_CALLOUT_", key))
    xml.display(name)
    xml.words("flags", ["FWPM_CALLOUT_FLAG_REGISTERED"])
    xml.leaf("providerKey")
    xml.leaf("providerData")
    xml.leaf("applicableLayer", layer)
    xml.leaf("calloutId", callout_id)
    xml.close("item")


def _providers(xml: Xml, providers: Sequence[Provider]) -> None:
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


def _contexts(xml: Xml, contexts: Sequence[Context]) -> None:
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
        xml.leaf("asString", dotted(context.origin))
        xml.close("dataBuffer")
        xml.leaf("providerContextId", context.context_id)
        xml.close("item")
    xml.close("providerContexts")


def _sublayers(xml: Xml, sublayers: Iterable[SubLayer]) -> None:
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


def _endpoints(xml: Xml, endpoints: Sequence[Endpoint]) -> None:
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
        xml.leaf("asString", dotted(item.application))
        xml.close("appId")
        xml.close("item")
    xml.close("aleConnectedEndpoints")


def _ipsec_statistics(xml: Xml) -> None:
    xml.open("ipsecStatistics")
    xml.open("aggregateSaStatistics")
    for tag in ("activeSas", "pendingSaNegotiations", "totalSasAdded", "totalSasDeleted"):
        xml.leaf(tag, 0)
    xml.close("aggregateSaStatistics")
    xml.close("ipsecStatistics")
