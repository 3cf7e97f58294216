"""Providers: who added a filter. Symbols, GUIDs, owners.

Sources: REFERENCE 3.1 (`fwpmu.h`, NtObjectManager, four dumps). The display name of nearly all of Windows' own is
"Microsoft Corporation", or its translation: it is no identity. A raw GUID or a missing provider does not prove a
third party.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from analyzer.wfp import keys

PREFIX: Final = "FWPM_PROVIDER_"


class Provider(NamedTuple):
    """One of Windows' own providers; ``symbol`` is our name where the platform has none (lower case, no prefix)."""

    symbol: str
    guid: str
    owner: str
    service: str | None = None  # the provider's <serviceName>, never localized
    has_symbol: bool = True


WINDOWS: Final[tuple[Provider, ...]] = (
    Provider("MPSSVC_WF", "{decc16ca-3f33-4346-be1e-8fb4ae0f3d62}", "Windows Firewall: rules and defaults", "mpssvc"),
    Provider("MPSSVC_WSH", "{4b153735-1049-4480-aab4-d1b9bdc03710}", "Windows service hardening", "mpssvc"),
    Provider("MPSSVC_EDP", "{a90296f7-46b8-4457-8f84-b05e05d3c622}", "Enterprise data protection", "mpssvc"),
    Provider("MPSSVC_TENANT_RESTRICTIONS", "{d0718ff9-44da-4f50-9dc2-c963a4247613}", "Tenant restrictions", "mpssvc"),
    Provider("MPSSVC_APP_ISOLATION", "{3cc2631f-2d5d-43a0-b174-614837d863a1}", "App containers", "mpssvc"),
    Provider("IKEEXT", "{10ad9216-ccde-456c-8b16-e9f04e60a90b}", "IPsec keying", "IKEEXT"),
    Provider("IPSEC_DOSP_CONFIG", "{3c6c05a9-c05c-4bb9-8338-2327814ce8bf}", "IPsec denial-of-service protection"),
    Provider("TCP_CHIMNEY_OFFLOAD", "{896aa19e-9a34-4bcb-ae79-beb9127c84b9}", "TCP offload"),
    Provider("TCP_TEMPLATES", "{76cfcd30-3394-432d-bed3-441ae50e63c3}", "TCP templates"),
    Provider(
        "{1bebc969-61a5-4732-a177-847a0817862a}",
        "{1bebc969-61a5-4732-a177-847a0817862a}",
        "Windows Firewall: IPsec policy",
        "mpssvc",
        has_symbol=False,
    ),
    Provider(
        "{aa6a7d87-7f8f-4d2a-be53-fda555cd5fe3}",
        "{aa6a7d87-7f8f-4d2a-be53-fda555cd5fe3}",
        "IPsec policy agent",
        "Policyagent",
        has_symbol=False,
    ),
    Provider(
        "{8e44982a-f477-11df-85ce-78e7d1810190}",
        "{8e44982a-f477-11df-85ce-78e7d1810190}",
        "Network data usage monitor",
        "NDU",
        has_symbol=False,
    ),
    Provider(
        "{893a4f22-9bba-49b7-8c66-3d40929c8fd5}",
        "{893a4f22-9bba-49b7-8c66-3d40929c8fd5}",
        "Teredo (IP Helper)",
        None,
        has_symbol=False,
    ),
)

BY_KEY: Final[dict[str, Provider]] = {provider.symbol: provider for provider in WINDOWS}
SYMBOL_BY_GUID: Final[dict[str, str]] = {provider.guid: provider.symbol for provider in WINDOWS if provider.has_symbol}
GUID_BY_SYMBOL: Final[dict[str, str]] = {symbol: key for key, symbol in SYMBOL_BY_GUID.items()}

WINDOWS_KEYS: Final = frozenset(BY_KEY)  # canonical keys of Windows' own providers
FIREWALL_KEYS: Final = frozenset(key for key in BY_KEY if key.startswith("MPSSVC_"))
IPSEC_KEYS: Final = frozenset(
    {
        "IKEEXT",
        "IPSEC_DOSP_CONFIG",
        "{1bebc969-61a5-4732-a177-847a0817862a}",
        "{aa6a7d87-7f8f-4d2a-be53-fda555cd5fe3}",
    }
)
# Services behind Windows' own providers, compared without case.
WINDOWS_SERVICES: Final = frozenset({"mpssvc", "ikeext", "policyagent", "ndu", "bfe", "iphlpsvc"})

# First eight hex digits of third-party providers met in dumps -> product (REFERENCE 3.1).
THIRD_PARTY_PREFIXES: Final[dict[str, str]] = {
    "450ec398": "WinDivert",
    "63dd0fa6": "Sophos",
    "20865f68": "Proton VPN",
    "d71febb8": "Proton VPN",
    "af617412": "Npcap",
    "b92c1468": "Internet Download Manager",
}
# <serviceName> of a provider, lower case -> product.
THIRD_PARTY_SERVICES: Final[dict[str, str]] = {
    "npcap": "Npcap",
    "npf": "WinPcap",
    "windivert": "WinDivert",
    "windivert14": "WinDivert",
}


def canonical_provider(key: str) -> str:
    """Return the symbol without prefix where one is known, else the lower-case GUID in braces."""
    return keys.canonical(key, PREFIX, SYMBOL_BY_GUID)


def is_windows(key: str) -> bool:
    """Tell whether a canonical key is one of Windows' own providers; False proves nothing."""
    return key in WINDOWS_KEYS


def owner(key: str) -> str | None:
    """Return who stands behind a canonical provider key: a part of Windows, a known product, or None."""
    provider = BY_KEY.get(key)
    return provider.owner if provider is not None else third_party(key)


def third_party(key: str | None, service_name: str | None = None) -> str | None:
    """Return the product behind a provider that is known not to be Windows' own, or None.

    Parameters
    ----------
    key
        canonical provider key.
    service_name
        the provider's ``<serviceName>``, where the state lists it.
    """
    if key is not None and key.startswith("{"):
        product = THIRD_PARTY_PREFIXES.get(key[1:9].lower())
        if product is not None:
            return product
    return THIRD_PARTY_SERVICES.get((service_name or "").lower())
