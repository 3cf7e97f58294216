"""Net events, as ``analyzer.readers.netevents`` reads them.

A header field whose flag is not set is missing, not zero.
"""

from __future__ import annotations

from typing import Final

from analyzer.schemas.types import NUMBER, OBJECT, TEXT, TIME

NETEVENTS: Final[dict[str, str]] = {
    "input": TEXT,  # name of the input file
    "entry": "int64",  # number of the net event in its file, from 1: what evidence cites
    "line": "int64",  # where it begins, in the file or in the archive's member
    "type": TEXT,  # CLASSIFY_DROP: without FWPM_NET_EVENT_TYPE_ and PUBLIC_
    "decision": TEXT,  # drop, permit; missing for types that decide nothing
    "time": TIME,  # header/timeStamp
    "ip_version": NUMBER,  # 4, 6
    "protocol": NUMBER,
    "local_address": TEXT,  # in the shortest form
    "local_port": NUMBER,  # for ICMP: the type
    "remote_address": TEXT,
    "remote_port": NUMBER,  # for ICMP: the code
    "scope_id": NUMBER,  # of IPv6; 0 is missing
    "application": TEXT,
    "user_sid": TEXT,  # the user of the token
    "package_sid": TEXT,  # S-1-0-0: no package
    "enterprise_id": TEXT,
    "policy_flags": NUMBER,
    "effective_name": TEXT,
    "filter_id": NUMBER,  # 0: no filter named
    "layer_id": NUMBER,
    "reauth_reason": NUMBER,
    "original_profile": NUMBER,
    "current_profile": NUMBER,
    "direction": TEXT,  # as printed: inbound, outbound, forward, loopback
    "is_loopback": TEXT,  # true, false
    "vswitch_id": TEXT,
    "vswitch_source_port": NUMBER,
    "vswitch_destination_port": NUMBER,
    "capability": TEXT,  # of CAPABILITY_DROP and _ALLOW, without FWPM_APPC_NETWORK_CAPABILITY_
    "failure": TEXT,  # error code of IKE and IPsec events, as printed
    "spi": NUMBER,
    "local_mac": TEXT,
    "remote_mac": TEXT,
    "ether_type": NUMBER,
    "vlan_tag": NUMBER,
    "media_type": NUMBER,
    "interface_type": NUMBER,
    "interface_luid": NUMBER,
    "interface_index": NUMBER,
    "compartment_id": NUMBER,
    "origin": TEXT,  # internalFields/filterOrigin
    "process_id": NUMBER,  # newer builds alone
    "service_sids": TEXT,  # newer builds alone, as printed
    "policy_app_id": TEXT,
    "capabilities": OBJECT,  # tuple of str, without FWP_CAPABILITIES_FLAG_; None where none is listed
    "fqbn_version": NUMBER,
    "fqbn_name": TEXT,
    "remote_address_bitmap": TEXT,
    "details": OBJECT,  # dict of further fields as printed (IKE), or None
}

NETEVENT_FILTERS: Final[dict[str, str]] = {  # terminatingFiltersInfo: one row per sublayer that decided
    "input": TEXT,
    "entry": "int64",
    "netevent_row": "int64",  # position of the net event in the NETEVENTS frame
    "index": "int64",  # position among the net event's terminating filters
    "filter_id": NUMBER,
    "sublayer": TEXT,  # symbol (`MPSSVC_WF`)
    "action": TEXT,  # block, permit, callout-..., or the raw text
}
