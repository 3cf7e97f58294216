"""Small dumps made by hand for the tests; names and addresses are invented."""

from __future__ import annotations

DEFAULT_CONTEXT = "{11111111-2222-4333-8444-555555555555}"


def blob(text: str, *, nul: bool = True) -> str:
    return (text + ("\x00" if nul else "")).encode("utf-16-le").hex()


def condition(field: str, match: str, kind: str, value: str) -> str:
    return (
        f"<item><fieldKey>FWPM_CONDITION_{field}</fieldKey><matchType>FWP_MATCH_{match}</matchType>"
        f"<conditionValue><type>FWP_{kind}</type>{value}</conditionValue></item>"
    )


def filter_item(
    filter_id: object = 70000,
    *,
    layer: str = "<layerKey>FWPM_LAYER_ALE_AUTH_CONNECT_V4</layerKey>",
    action: str = "<action><type>FWP_ACTION_BLOCK</type><filterType/></action>",
    flags: tuple[str, ...] = (),
    conditions: tuple[str, ...] = (),
    context: str = "<rawContext>0</rawContext>",
    weight: str = "<weight><type>FWP_UINT8</type><uint8>8</uint8></weight>",
    name: str = "Default Outbound",
    extra: str = "",
) -> str:
    flag_items = "".join(f"<item>{flag}</item>" for flag in flags)
    return f"""
<item>
  <filterKey>{{0a0b0c0d-0000-4000-8000-{str(filter_id)[-12:]:0>12}}}</filterKey>
  <displayData><name>{name}</name><description/></displayData>
  <flags numItems="{len(flags)}">{flag_items}</flags>
  <providerKey>{{DECC16CA-3f33-4346-be1e-8fb4ae0f3d62}}</providerKey>
  <providerData><data>ec2c000000000000</data><asString>.,......</asString></providerData>
  {layer}
  <subLayerKey>FWPM_SUBLAYER_MPSSVC_WF</subLayerKey>
  {weight}
  <filterCondition numItems="{len(conditions)}">{"".join(conditions)}</filterCondition>
  {action}
  {context}
  <reserved/>
  <filterId>{filter_id}</filterId>
  <effectiveWeight><type>FWP_UINT64</type><uint64>9223372036854777840</uint64></effectiveWeight>
  {extra}
</item>"""


def origin_context(text: str = "Default Outbound", key: str = DEFAULT_CONTEXT, data: str | None = None) -> str:
    return f"""
<item>
  <providerContextKey>{key}</providerContextKey>
  <displayData><name>MPSSVC</name><description>Stores filter origin</description></displayData>
  <flags/>
  <providerKey>FWPM_PROVIDER_MPSSVC_WF</providerKey>
  <providerData/>
  <type>FWPM_GENERAL_CONTEXT</type>
  <dataBuffer><data>{blob(text) if data is None else data}</data><asString>wrong on purpose</asString></dataBuffer>
</item>"""


def listing(name: str, *items: str) -> str:
    return f'<{name} numItems="{len(items)}">{"".join(items)}</{name}>' if items else f"<{name}/>"


LAYER = """<layer><layerKey>FWPM_LAYER_ALE_AUTH_CONNECT_V4</layerKey>
<displayData><name>ALE Connect v4 Layer</name></displayData><layerId>48</layerId></layer>"""
SUBLAYER = """<item><subLayerKey>{b3cdd441-af90-41ba-a745-7c6008ff2301}</subLayerKey><displayData><name/></displayData>
<flags/><providerKey>FWPM_PROVIDER_MPSSVC_WF</providerKey><weight>2</weight></item>"""


def state(*filters: str, contexts: tuple[str, ...] = (), tail: str = "", head: str = "") -> str:
    layer = f"<item>{LAYER}<callouts/>{listing('filters', *filters)}</item>"
    return f"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<wfpstate>
<timeStamp>2025-03-01T12:00:00.125Z</timeStamp>
{head}
{listing("layers", layer)}
{listing("providerContexts", *contexts)}
{listing("subLayers", SUBLAYER)}
{tail}
</wfpstate>
<firewallState><dynamicKeywordAddresses/></firewallState>
"""
