"""The lists of a state besides its filters: layers, sublayers, providers, contexts, callouts, endpoints, sessions.

Each function takes a root element and returns columns for ``frames.build``; format: REFERENCE 9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from analyzer.readers import statevalues
from analyzer.wfp import flags, keys, layers, providers, sublayers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lxml import etree

    from analyzer.readers.stateproblems import Problems

Columns = dict[str, list[object]]
_CONTEXT_PREFIX: Final = "FWPM_PROVIDER_CONTEXT_"


def place(element: etree._Element) -> str:
    """Return where an element begins: ``line 1234``."""
    line = cast("int | None", element.sourceline) or 0
    if line >= 65535:  # beyond 16 bits libxml2 gives the line where the element's leading text ends
        line -= (element.text or "").count("\n")
    return f"line {line}"


def child(element: etree._Element, name: str) -> etree._Element | None:
    """Return the first child of this name; several times faster than ``find``."""
    return next(element.iterchildren(name), None)


def text_of(element: etree._Element, name: str, below: str | None = None) -> str | None:
    """Return the text of the child ``name`` (or of its child ``below``), None where missing or empty."""
    found = next(element.iterchildren(name), None)
    if found is not None and below is not None:
        found = next(found.iterchildren(below), None)
    value = found.text if found is not None else None
    return (value.strip() or None) if value else None


def key_of(element: etree._Element, name: str, canonical: Callable[[str], str]) -> str | None:
    """Return a child's canonical key, or None."""
    value = text_of(element, name)
    return canonical(value) if value else None


def canonical_context(key: str) -> str:
    """Return a provider context's symbol without prefix, or its lower-case GUID."""
    return keys.canonical(key, _CONTEXT_PREFIX, {})


def number_of(element: etree._Element, name: str, problems: Problems, what: str) -> int | None:
    """Return a child's number; text that is none is a problem, a missing child is not."""
    value = text_of(element, name)
    if value is None:
        return None
    out = statevalues.number(value)
    if out is None:
        problems.add("doubtful", place(element), f"{what}: <{name}> is no number ({value[:60]!r})", group="numbers")
    return out


def flag_list(element: etree._Element, prefix: str, table: dict[int, str] | None = None) -> tuple[str, ...]:
    """Return the names under ``flags``, without prefix; bits that the Windows printed as hex get their name."""
    holder = child(element, "flags")
    out: list[str] = []
    for item in () if holder is None else holder:
        name = (item.text or "").strip()
        bits = int(name, 16) if len(name) == 8 and all(c in "0123456789abcdefABCDEF" for c in name) else None
        if bits is not None:
            out.extend(flags.flag_names(bits, table or {}))
        elif name:
            out.append(name.removeprefix(prefix))
    return tuple(out)


def items(root: etree._Element, name: str, problems: Problems) -> Iterator[etree._Element]:
    """Yield the items of every list of this name; a list that holds fewer than it says is a problem."""
    for holder in root.iter(name):
        found = 0
        for item in holder:
            if item.tag == "item":
                found += 1
                yield item
        said = statevalues.number(holder.get("numItems"))
        if said is not None and said != found and not problems.cut:
            what = f"<{name}> says that it has {said:,} items, {found:,} are there"
            problems.add("doubtful", place(holder), what, group="item counts")


def _columns(*names: str) -> Columns:
    return {name: [] for name in names}


def _add(columns: Columns, *values: object) -> None:
    for column, value in zip(columns.values(), values, strict=True):
        column.append(value)


def _name(element: etree._Element) -> str | None:
    return text_of(element, "displayData", "name")


def read_layers(root: etree._Element, problems: Problems) -> Columns:
    """Read ``layers``: symbol, run-time id, name."""
    out = _columns("layer", "layer_id", "name")
    for item in items(root, "layers", problems):
        layer = child(item, "layer")
        key = key_of(layer, "layerKey", layers.canonical_layer) if layer is not None else None
        if layer is None or key is None:
            problems.add("lost", place(item), "a layer without a key: left out", group="layers")
            continue
        _add(out, key, number_of(layer, "layerId", problems, f"layer {key}"), _name(layer))
    return out


def read_sublayers(root: etree._Element, problems: Problems) -> Columns:
    """Read ``subLayers``: key, name, weight, provider."""
    out = _columns("sublayer", "name", "weight", "provider")
    for item in items(root, "subLayers", problems):
        key = key_of(item, "subLayerKey", sublayers.canonical_sublayer)
        if key is None:
            problems.add("lost", place(item), "a sublayer without a key: left out", group="sublayers")
            continue
        weight = number_of(item, "weight", problems, f"sublayer {key}")
        _add(out, key, _name(item), weight, key_of(item, "providerKey", providers.canonical_provider))
    return out


def read_providers(root: etree._Element, problems: Problems) -> Columns:
    """Read ``providers``: key, name, service, flags."""
    out = _columns("provider", "name", "service_name", "flags")
    for item in items(root, "providers", problems):
        key = key_of(item, "providerKey", providers.canonical_provider)
        if key is None:
            problems.add("lost", place(item), "a provider without a key: left out", group="providers")
            continue
        _add(out, key, _name(item), text_of(item, "serviceName"), flag_list(item, "FWPM_PROVIDER_FLAG_"))
    return out


def read_contexts(root: etree._Element, problems: Problems) -> Columns:
    """Read ``providerContexts``: key, name, provider, type, and the origin that a firewall's general one stores."""
    out = _columns("context_key", "name", "provider", "type", "origin")
    for item in items(root, "providerContexts", problems):
        key = key_of(item, "providerContextKey", canonical_context)
        if key is None:
            problems.add("lost", place(item), "a provider context without a key: left out", group="contexts")
            continue
        provider = key_of(item, "providerKey", providers.canonical_provider)
        kind = text_of(item, "type")
        origin = None
        if provider == "MPSSVC_WF" and kind == "FWPM_GENERAL_CONTEXT":
            origin = statevalues.data_text(child(item, "dataBuffer"))
            if origin is None:
                what = f"provider context {key}: its data is no text"
                problems.add("doubtful", place(item), what, group="context data")
        _add(out, key, _name(item), provider, kind, origin)
    return out


def read_callouts(root: etree._Element, problems: Problems) -> Columns:
    """Read the ``callouts`` of every layer: key, run-time id, name, layer, provider, flags."""
    out = _columns("callout", "callout_id", "name", "layer", "provider", "flags")
    for item in items(root, "callouts", problems):
        key = key_of(item, "calloutKey", keys.canonical_callout)
        if key is None:
            problems.add("lost", place(item), "a callout without a key: left out", group="callouts")
            continue
        _add(
            out,
            key,
            number_of(item, "calloutId", problems, f"callout {key}"),
            _name(item),
            key_of(item, "applicableLayer", layers.canonical_layer),
            key_of(item, "providerKey", providers.canonical_provider),
            flag_list(item, "FWPM_CALLOUT_FLAG_"),
        )
    return out


def _address(item: etree._Element, side: str) -> str | None:
    for name in (f"{side}V4Address", f"{side}V6Address"):
        holder = child(item, name)
        if holder is None:
            continue
        printed = (holder.text or "").strip() or " ".join("".join(map(str, holder.itertext())).split())
        parsed = statevalues.address(printed)
        if parsed is not None:
            return str(parsed)
    return None


def read_endpoints(root: etree._Element, problems: Problems) -> Columns:
    """Read ``aleConnectedEndpoints``: id, protocol, both sides, program."""
    out = _columns(
        "endpoint_id", "protocol", "local_address", "local_port", "remote_address", "remote_port", "application"
    )
    for item in items(root, "aleConnectedEndpoints", problems):
        _add(
            out,
            number_of(item, "endpointId", problems, "endpoint"),
            number_of(item, "ipProtocol", problems, "endpoint"),
            _address(item, "local"),
            number_of(item, "localPort", problems, "endpoint"),
            _address(item, "remote"),
            number_of(item, "remotePort", problems, "endpoint"),
            statevalues.data_text(child(item, "appId")),
        )
    return out


_BOOLS: Final = {"true": True, "1": True, "false": False, "0": False}


def read_sessions(root: etree._Element, problems: Problems) -> Columns:
    """Read ``sessions``: key, name, process, user, kernel mode, flags."""
    out = _columns("session_key", "name", "process_id", "sid", "user_name", "kernel_mode", "flags")
    for item in items(root, "sessions", problems):
        key = text_of(item, "sessionKey")
        _add(
            out,
            (keys.guid(key) or key) if key else None,
            _name(item),
            number_of(item, "processId", problems, "session"),
            text_of(item, "sid"),
            text_of(item, "username"),
            _BOOLS.get((text_of(item, "kernelMode") or "").lower()),
            flag_list(item, "FWPM_SESSION_FLAG_"),
        )
    return out
