"""The tables of layers, fields, providers, sublayers, fixed filters, codes and values."""

import pytest

from analyzer.wfp import codes, fields, fixed_filters, flags, keys, layers, protocols, providers, sublayers, values


@pytest.mark.parametrize(
    "key",
    [
        "FWPM_LAYER_ALE_AUTH_CONNECT_V4",
        "fwpm_layer_ale_auth_connect_v4",
        "ALE_AUTH_CONNECT_V4",
        "{c38d57d1-05a7-4c33-904f-7fbceee60e82}",
        "{C38D57D1-05A7-4C33-904F-7FBCEEE60E82}",
        " c38d57d1-05a7-4c33-904f-7fbceee60e82 ",
    ],
)
def test_a_layer_key_has_one_spelling(key):
    assert layers.canonical_layer(key) == "ALE_AUTH_CONNECT_V4"


def test_unknown_keys_are_kept():
    assert layers.canonical_layer("FWPM_LAYER_FROM_THE_FUTURE") == "FROM_THE_FUTURE"
    unknown = "{01234567-89AB-CDEF-0123-456789ABCDEF}"
    assert layers.canonical_layer(unknown) == unknown.lower()
    assert keys.is_guid(unknown)
    assert not keys.is_guid("MPSSVC_WF")


def test_only_stable_ids_name_a_layer():
    assert layers.symbol_of(48) == "ALE_AUTH_CONNECT_V4"
    assert layers.symbol_of(81) == "OUTBOUND_MAC_FRAME_NATIVE_FAST"
    assert layers.symbol_of(82) is None
    assert layers.symbol_of(93) is None
    assert len(layers.SYMBOL_BY_ID) == 82
    assert len(layers.RECENT_SYMBOL_BY_ID) == 99


@pytest.mark.parametrize(
    ("symbol", "direction", "family", "words"),
    [
        ("ALE_AUTH_CONNECT_V4", "outbound", 4, "connect, IPv4"),
        ("ALE_AUTH_CONNECT_V6_DISCARD", "outbound", 6, "connect, IPv6, discarded"),
        ("ALE_AUTH_RECV_ACCEPT_V6", "inbound", 6, "receive/accept, IPv6"),
        ("ALE_AUTH_LISTEN_V4", "listen", 4, "listen, IPv4"),
        ("ALE_RESOURCE_ASSIGNMENT_V4", "bind", 4, "bind (resource assignment), IPv4"),
        ("ALE_FLOW_ESTABLISHED_V4", None, 4, "flow established, IPv4"),
        ("IPFORWARD_V6", "forward", 6, "IP forwarding, IPv6"),
        ("INBOUND_TRANSPORT_V4_DISCARD", "inbound", 4, "transport, inbound, IPv4, discarded"),
        ("OUTBOUND_ICMP_ERROR_V6", "outbound", 6, "ICMP error, outbound, IPv6"),
        ("KM_AUTHORIZATION", None, None, "keying authorization"),
        ("{29243af8-ecaf-4436-a44e-f9fb7070aa04}", None, None, "{29243af8-ecaf-4436-a44e-f9fb7070aa04}"),
    ],
)
def test_what_a_layer_says(symbol, direction, family, words):
    assert layers.direction(symbol) == direction
    assert layers.family(symbol) == family
    assert layers.layer_words(symbol) == words
    assert layers.is_discard(symbol) == symbol.endswith("_DISCARD")
    assert layers.is_ale(symbol) == symbol.startswith("ALE_")


def test_every_layer_with_a_symbol_has_words():
    unnamed = [s for s in layers.GUID_BY_SYMBOL if layers.layer_words(s) == s and not s.startswith("{")]
    assert unnamed == ["INBOUND_RESERVED2"]


def test_condition_fields():
    assert fields.canonical_field("{AF043A0A-B34D-4F86-979C-C90371AF6E66}") == "ALE_USER_ID"
    assert fields.canonical_field("FWPM_CONDITION_IP_REMOTE_PORT") == "IP_REMOTE_PORT"
    assert fields.canonical_field("FWPM_CONDITION_ALE_PACKAGE_FAMILY_NAME") == "ALE_PACKAGE_FAMILY_NAME"
    assert len(fields.GUID_BY_SYMBOL) == len(fields.SYMBOL_BY_GUID) == 141
    assert set(fields.PROFILE_FIELDS) <= set(fields.GUID_BY_SYMBOL)
    assert set(fields.ADDRESS_FIELDS) <= set(fields.GUID_BY_SYMBOL)


def test_symbol_and_guid_of_the_firewalls_provider_are_one():
    for key in ("FWPM_PROVIDER_MPSSVC_WF", "{DECC16CA-3F33-4346-BE1E-8FB4AE0F3D62}"):
        assert providers.canonical_provider(key) == "MPSSVC_WF"
    assert providers.is_windows("{8e44982a-f477-11df-85ce-78e7d1810190}")
    assert "MPSSVC_WSH" in providers.FIREWALL_KEYS
    assert "IKEEXT" not in providers.FIREWALL_KEYS


def test_third_parties_are_known_by_the_start_of_their_guid_or_by_their_service():
    assert providers.third_party("{af617412-ce10-4058-8996-abc79fd805ff}") == "Npcap"
    assert providers.third_party("{af617412-0000-0000-0000-000000000000}") == "Npcap"
    assert providers.third_party("{01234567-0000-0000-0000-000000000000}", "npcap") == "Npcap"
    assert providers.third_party("{01234567-0000-0000-0000-000000000000}") is None
    assert providers.third_party("MPSSVC_WF") is None
    assert providers.third_party(None) is None
    assert providers.owner("{450ec398-1eaf-49f5-85e0-228f0d293921}") == "WinDivert"


def test_sublayers():
    assert sublayers.canonical_sublayer("{b3cdd441-af90-41ba-a745-7c6008ff2300}") == "MPSSVC_WSH"
    assert sublayers.canonical_sublayer("FWPM_SUBLAYER_EDGE_TRAVERSAL") == "TEREDO"
    assert sublayers.canonical_sublayer("{ba69dc66-5176-4979-9c89-26a7b46a8327}") == "TEREDO"
    assert sublayers.known_weight("MPSSVC_WF") == 2
    assert sublayers.known_weight(sublayers.TEREDO_AUTHORIZATION) is None
    assert sublayers.known_weight("{01234567-0000-0000-0000-000000000000}") is None
    assert sublayers.owner(sublayers.WINDEFEND) == "Microsoft Defender (windefend)"
    weights = [s.weight for s in sublayers.SUBLAYERS if s.weight is not None]
    assert weights == sorted(weights, reverse=True)


def test_fixed_filters():
    found = fixed_filters.fixed_filter("{D870C96C-75EE-46A6-8A02-8E4401A73423}")
    assert found is not None
    assert (found.name, found.action, found.origin) == (
        "Quarantine Default Inbound Block",
        "block",
        "Quarantine Default",
    )
    assert fixed_filters.fixed_filter("{01234567-0000-0000-0000-000000000000}") is None
    assert len(fixed_filters.FIXED_FILTERS) == 48
    for row in fixed_filters.FIXED_FILTERS.values():
        assert row.layer in layers.GUID_BY_SYMBOL
        assert row.sublayer in sublayers.BY_KEY
        assert row.flag in ("BOOTTIME", "PERSISTENT")


def test_message_codes():
    assert codes.event_direction("%%14592") == "inbound"
    assert codes.event_direction("%%14593") == "outbound"
    assert codes.event_direction("Outbound") == "outbound"
    assert codes.event_direction("%%9999") is None
    assert codes.event_direction(None) is None
    assert codes.layer_text("%%14610") == "Receive/Accept"
    assert codes.change("%%16385") == "delete"
    assert codes.action("%%16389") == "block"
    assert codes.action("%%16384") is None
    assert codes.code_number("%%²") is None
    assert codes.TEXTS[16388] == "Not persistent"


def test_protocols():
    assert protocols.protocol_name(6) == "TCP"
    assert protocols.protocol_name(88) == "EIGRP"
    assert protocols.protocol_name(2) == "IGMP"
    assert protocols.protocol_name(253) == "253"
    assert protocols.protocol_name(None) is None
    assert protocols.is_icmp(58)
    assert not protocols.has_ports(1)
    assert protocols.icmp_words(1, 8, 0) == "echo request"
    assert protocols.icmp_words(1, 3, 3) == "port unreachable"
    assert protocols.icmp_words(58, 1, 4) == "port unreachable"
    assert protocols.icmp_words(58, 200) == "type 200"


def test_flags_and_values():
    assert flags.flag_names(0x46, flags.FILTER_FLAGS) == ("BOOTTIME", "HAS_PROVIDER_CONTEXT", "INDEXED")
    assert flags.flag_names(0x80001, flags.CONDITION_FLAGS) == ("LOOPBACK", "INBOUND_PASS_THRU")
    assert flags.flag_names(0x40000001, flags.FILTER_FLAGS) == ("PERSISTENT", "0x40000000")
    assert flags.condition_flag_words(1) == "loopback"
    assert values.canonical_action("FWP_ACTION_CALLOUT_TERMINATING") == "callout-terminating"
    assert values.canonical_action("fwp_action_block") == "block"
    assert values.canonical_action("FWP_ACTION_CONTINUE") == "FWP_ACTION_CONTINUE"
    assert values.number_words("CURRENT_PROFILE_ID", 2) == "private"
    assert values.number_words("IP_PROTOCOL", 2) is None
    assert set(values.MATCH_WORDS) == set(values.MATCH_TYPES)
