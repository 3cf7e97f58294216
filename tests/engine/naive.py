"""A second engine: one flow, one filter, plain Python, slow and simple. Written from REFERENCE 4, 5.3 and Appendix B.

It shares with the engine the reading of descriptors' text and the types of values, and nothing else.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import itertools

from analyzer.wfp import sddl

YES, OPEN, NO = 1, 0, -1
V4, V6 = ipaddress.IPv4Address, ipaddress.IPv6Address
NETS = (ipaddress.IPv4Network, ipaddress.IPv6Network)


def three(truth):
    """True, False or None as an answer."""
    return OPEN if truth is None else YES if truth else NO


# ---------------------------------------------------------------------------------------------------------------
# Tokens and access checks


def holds(token, sid):
    """Whether a token holds a SID: True, False, None. Its user is known, or whether it is the anonymous one."""
    anonymous = token.user == "S-1-5-7" if token.user else token.anonymous
    if sid == "S-1-0-0":
        return False
    if sid == "S-1-1-0":
        return None if anonymous else True
    if sid == "S-1-5-7":
        return anonymous
    if sid in ("S-1-5-18", "S-1-5-19", "S-1-5-20"):
        if token.user:
            return token.user == sid
        return False if anonymous else None
    if sid == "S-1-5-11":
        if anonymous:
            return False
        family = ("S-1-5-18", "S-1-5-19", "S-1-5-20", "S-1-5-21-", "S-1-12-1-")
        return True if token.user and token.user.startswith(family) and not token.user.endswith("-501") else None
    if sid == "S-1-5-32-544":
        return True if token.user == "S-1-5-18" else False if anonymous else None
    if sid.startswith(("S-1-15-2-", "S-1-15-3-")):
        if token.package is None:
            return None
        if token.package == "S-1-0-0":
            return False
        if sid == token.package:
            return True
        if sid.startswith("S-1-15-3-"):
            return None if token.capabilities is None else sid in token.capabilities
        return None if sid in ("S-1-15-2-1", "S-1-15-2-2") else False
    if sid == token.user:
        return True
    if sid.startswith("S-1-5-80-"):
        if token.own == -1 or anonymous:
            return False
        if token.own == 1 and token.services is not None:
            if sid == "S-1-5-80-0":
                return True
            if sid not in token.services:
                return False
            return True if len(token.services) == 1 else None
        return None
    if sid in token.accounts and (token.user or anonymous):
        return False
    return None


def _matched(ace, token, hopeful):
    """Whether an entry applies, where what is not known is decided for or against the token."""
    bits = ace.rights
    sure_right = bits is not None and bits & 0x10000001
    maybe_right = bits is None or bits & 0xE0000000
    if not sure_right and not maybe_right:
        return False
    known = None if ace.sid in ("DA", "DU", "LA", "LG", "DC") else holds(token, ace.sid)
    if known is False:
        return False
    if known and sure_right and ace.type in ("A", "D") and ace.condition is None and ace.object_guid is None:
        return True
    return hopeful == (ace.type in ("A", "OA", "XA", "ZA"))


def _granted(aces, token, hopeful):
    for ace in aces:
        if "IO" not in ace.flags and _matched(ace, token, hopeful):
            return ace.type in ("A", "OA", "XA", "ZA")
    return False


def access(text, token):
    """The access check twice: as well as it may go for the token, and as badly."""
    descriptor = sddl.read_sddl(text)
    if not descriptor.complete or any(ace.type == "ML" for ace in descriptor.sacl or ()):
        return OPEN
    cases = [token]
    if token.user is None and token.anonymous is None:
        cases = [_but(token, anonymous=False), _but(token, anonymous=True)]
    answers = set()
    for case in cases:
        for hopeful in (True, False):
            packages = [None, "S-1-0-0"] if case.package is None else [case.package]
            for package in packages:
                answers.add(_passes(descriptor, case, package, hopeful))
    return three(answers.pop()) if len(answers) == 1 else OPEN


def _but(token, **change):
    return dataclasses.replace(token, **change)


def _passes(descriptor, token, package, hopeful):
    if descriptor.dacl is None:
        return True

    def contained(ace):
        return ace.sid.startswith(("S-1-15-2-", "S-1-15-3-"))

    own = _granted([ace for ace in descriptor.dacl if not contained(ace)], token, hopeful)
    if package == "S-1-0-0":
        return own
    return own and _granted([ace for ace in descriptor.dacl if contained(ace)], token, hopeful)


# ---------------------------------------------------------------------------------------------------------------
# Fields


def swap(flow):
    return dataclasses.replace(
        flow, local=flow.remote, remote=flow.local, local_port=flow.remote_port, remote_port=flow.local_port
    )


def type_of(text, own):
    """Address type: 1 unicast, 3 multicast, 4 broadcast, None."""
    if text is None:
        return None
    item = ipaddress.ip_address(text)
    if item.version == 4:
        if 224 <= item.packed[0] <= 239:
            return 3
        if str(item) == "255.255.255.255":
            return 4
    elif item.packed[0] == 0xFF:
        return 3
    if int(item) == 0:
        return None
    if own:
        return 1
    return 1 if item.version == 4 and item.packed[3] % 4 != 3 else None


def number_of(flow, name):
    """The number that the record has for a field, or None."""
    inbound, outbound = flow.direction == "inbound", flow.direction == "outbound"
    luid = flow.interface_luid or None
    kind = None if luid is None else luid >> 48 or None
    if name in ("IP_SOURCE_PORT", "IP_DESTINATION_PORT"):
        if flow.direction is None:
            return None
        is_local = inbound == (name == "IP_DESTINATION_PORT")
        return flow.local_port if is_local else flow.remote_port
    if name == "IP_DESTINATION_ADDRESS_TYPE":
        if flow.direction is None:
            return None
        return type_of(flow.local if inbound else flow.remote, own=False)
    return {
        "IP_PROTOCOL": flow.protocol,
        "IP_LOCAL_PORT": flow.local_port,
        "IP_REMOTE_PORT": flow.remote_port,
        "ICMP_TYPE": flow.local_port,
        "ICMP_CODE": flow.remote_port,
        "IP_LOCAL_ADDRESS_TYPE": type_of(flow.local, own=outbound),
        "ORIGINAL_PROFILE_ID": flow.original_profile,
        "CURRENT_PROFILE_ID": flow.current_profile,
        "DIRECTION": {"outbound": 0, "inbound": 1}.get(flow.direction),
        "INTERFACE_INDEX": flow.interface_index,
        "ARRIVAL_INTERFACE_INDEX": flow.interface_index if inbound else None,
        "NEXTHOP_INTERFACE_INDEX": flow.interface_index if outbound else None,
        "IP_ARRIVAL_INTERFACE": luid if inbound else None,
        "IP_NEXTHOP_INTERFACE": luid if outbound else None,
        "ARRIVAL_INTERFACE_TYPE": kind if inbound else None,
        "NEXTHOP_INTERFACE_TYPE": kind if outbound else None,
        "ARRIVAL_TUNNEL_TYPE": 0 if inbound and kind not in (None, 131) else None,
        "NEXTHOP_TUNNEL_TYPE": 0 if outbound and kind not in (None, 131) else None,
        "ETHER_TYPE": flow.ether_type,
    }.get(name)


def address_of(flow, name):
    inbound = flow.direction == "inbound"
    if name.startswith("IP_LOCAL_ADDRESS"):
        text = flow.local
    elif name.startswith("IP_REMOTE_ADDRESS"):
        text = flow.remote
    elif flow.direction is None:
        return None
    else:
        text = flow.local if inbound == (name == "IP_DESTINATION_ADDRESS") else flow.remote
    if text is None:
        return None
    found = ipaddress.ip_address(text)
    return None if name[-3:] in ("_V4", "_V6") and f"_V{found.version}" != name[-3:] else found


NUMBERS = {
    "IP_PROTOCOL",
    "IP_LOCAL_PORT",
    "IP_REMOTE_PORT",
    "ICMP_TYPE",
    "ICMP_CODE",
    "IP_SOURCE_PORT",
    "IP_DESTINATION_PORT",
    "IP_LOCAL_ADDRESS_TYPE",
    "IP_DESTINATION_ADDRESS_TYPE",
    "ORIGINAL_PROFILE_ID",
    "CURRENT_PROFILE_ID",
    "DIRECTION",
    "INTERFACE_INDEX",
    "ARRIVAL_INTERFACE_INDEX",
    "NEXTHOP_INTERFACE_INDEX",
    "IP_ARRIVAL_INTERFACE",
    "IP_NEXTHOP_INTERFACE",
    "ARRIVAL_INTERFACE_TYPE",
    "NEXTHOP_INTERFACE_TYPE",
    "ARRIVAL_TUNNEL_TYPE",
    "NEXTHOP_TUNNEL_TYPE",
    "ETHER_TYPE",
}
ADDRESSES = {
    "IP_LOCAL_ADDRESS",
    "IP_REMOTE_ADDRESS",
    "IP_LOCAL_ADDRESS_V4",
    "IP_LOCAL_ADDRESS_V6",
    "IP_REMOTE_ADDRESS_V4",
    "IP_REMOTE_ADDRESS_V6",
    "IP_SOURCE_ADDRESS",
    "IP_DESTINATION_ADDRESS",
}
FLAG_BITS = {0x1: "loopback", 0x8: "wildcard"}


def compare(match, a, b):
    """Numbers or addresses of one family; None where the match type is for something else."""
    return {
        "EQUAL": a == b,
        "NOT_EQUAL": a != b,
        "GREATER": a > b,
        "LESS": a < b,
        "GREATER_OR_EQUAL": a >= b,
        "LESS_OR_EQUAL": a <= b,
    }.get(match)


def is_number(value):
    return type(value) is int and 0 <= value <= 2**64 - 1


def number_answer(flow, test):
    have, want = number_of(flow, test.field), test.value
    if have is None:
        return OPEN
    if test.match == "RANGE":
        good = isinstance(want, tuple) and len(want) == 2 and is_number(want[0]) and is_number(want[1])
        return three(want[0] <= have <= want[1]) if good else OPEN
    if not is_number(want):
        return OPEN
    if test.match == "FLAGS_ALL_SET":
        return three(have & want == want)
    if test.match == "FLAGS_ANY_SET":
        return three(have & want > 0)
    if test.match == "FLAGS_NONE_SET":
        return three(have & want == 0)
    return three(compare(test.match, have, want))


def address_answer(flow, test):
    have, want = address_of(flow, test.field), test.value
    if have is None:
        return OPEN
    if test.match == "RANGE":
        if not isinstance(want, tuple) or len(want) != 2 or type(want[0]) is not type(want[1]):
            return OPEN
        if not isinstance(want[0], (V4, V6)):
            return OPEN
        return three(type(have) is type(want[0]) and want[0] <= have <= want[1])
    if isinstance(want, NETS):
        inside = have.version == want.version and have in want
        if want.num_addresses > 1 and test.match not in ("EQUAL", "NOT_EQUAL"):
            return OPEN
        if test.match in ("EQUAL", "NOT_EQUAL"):
            return three(inside == (test.match == "EQUAL"))
        want = want.network_address
    if not isinstance(want, (V4, V6)):
        return OPEN
    if test.match in ("EQUAL", "NOT_EQUAL"):
        return three((have == want) == (test.match == "EQUAL"))
    return three(compare(test.match, have, want)) if type(have) is type(want) else OPEN


def app_answer(flow, test):
    if flow.application is None or not isinstance(test.value, str):
        return OPEN
    have, want = flow.application.lower(), test.value.lower()
    return three(
        {
            "EQUAL": have == want,
            "EQUAL_CASE_INSENSITIVE": have == want,
            "NOT_EQUAL": have != want,
            "PREFIX": have.endswith(want),
            "NOT_PREFIX": not have.endswith(want),
        }.get(test.match)
    )


def package_answer(flow, test):
    have, want = flow.token.package, test.value
    if have is None or not isinstance(want, str) or not want.upper().startswith("S-1-"):
        return OPEN
    want = want.upper()
    return three({"EQUAL": have == want, "NOT_EQUAL": have != want}.get(test.match))


def flag_answer(flow, test):
    """Try every combination of the flags that are not known."""
    want = test.value
    if not is_number(want) or want >= 2**32:
        return OPEN
    on = (1 if flow.loopback else 0) | (8 if flow.wildcard else 0)
    off = (0xC00001 if flow.loopback is False else 0) | (8 if flow.wildcard is False else 0)
    # Of the bits that are asked for, and of all others taken together.
    asked = [1 << n for n in range(32) if want >> n & 1 and not (on | off) >> n & 1]
    others = 0xFFFFFFFF & ~(want | on | off)
    results = set()
    for chosen in (
        itertools.product((False, True), repeat=len(asked))
        if len(asked) < 8
        else [(False,) * len(asked), (True,) * len(asked)]
    ):
        for extra in {0, others}:
            have = on | extra | sum(bit for bit, is_on in zip(asked, chosen, strict=True) if is_on)
            results.add(
                {
                    "FLAGS_ALL_SET": have & want == want,
                    "FLAGS_ANY_SET": have & want != 0,
                    "FLAGS_NONE_SET": have & want == 0,
                    "EQUAL": have == want,
                    "NOT_EQUAL": have != want,
                }.get(test.match)
            )
    return three(results.pop()) if len(results) == 1 else OPEN


def mac_answer(flow, test):
    have = {
        "MAC_SOURCE_ADDRESS": flow.source_mac,
        "MAC_DESTINATION_ADDRESS": flow.destination_mac,
        "MAC_LOCAL_ADDRESS": {"outbound": flow.source_mac, "inbound": flow.destination_mac}.get(flow.direction),
        "MAC_REMOTE_ADDRESS": {"outbound": flow.destination_mac, "inbound": flow.source_mac}.get(flow.direction),
    }[test.field]
    if have is None or not isinstance(test.value, bytes) or len(test.value) != 6:
        return OPEN
    same = have.to_bytes(6, "big") == test.value
    return three({"EQUAL": same, "NOT_EQUAL": not same}.get(test.match))


def condition(flow, test):
    """One condition, in one order of the endpoints."""
    if test.field in NUMBERS:
        return number_answer(flow, test)
    if test.field in ADDRESSES:
        return address_answer(flow, test)
    if test.field == "ALE_APP_ID":
        return app_answer(flow, test)
    if test.field == "ALE_PACKAGE_ID":
        return package_answer(flow, test)
    if test.field == "FLAGS":
        return flag_answer(flow, test)
    if test.field.startswith("MAC_") and test.field.count("_") == 2 and "INTERFACE" not in test.field:
        return mac_answer(flow, test)
    if test.field == "ALE_USER_ID" and test.match == "EQUAL" and isinstance(test.value, str):
        return access(test.value, flow.token)
    return OPEN


def answer(flow, tests):
    """A whole filter."""
    by_field = {}
    for test in tests:
        said = condition(flow, test)
        if not flow.certain and said != condition(swap(flow), test):
            said = OPEN
        by_field.setdefault(test.field, []).append(said)
    return min((max(said) for said in by_field.values()), default=YES)


# ---------------------------------------------------------------------------------------------------------------
# Arbitration. A result of a filter is (action, hard, by a callout); None goes on.

SOFT_PERMIT, HARD_PERMIT, HARD_BLOCK = ("permit", False, False), ("permit", True, False), ("block", True, False)
BY_CALLOUT = [(action, hard, True) for action in ("permit", "block") for hard in (False, True)]


def in_force(item):
    return not {"DISABLED", "BOOTTIME"} & set(item.flags)


def results(item):
    """All that a matching filter may do."""
    permit = HARD_PERMIT if "CLEAR_ACTION_RIGHT" in item.flags else SOFT_PERMIT
    if item.action == "permit":
        return [permit]
    if item.action == "block":
        return [HARD_BLOCK]
    if item.action in ("callout-inspection", "FWP_ACTION_CONTINUE", "FWP_ACTION_NONE"):
        return [None]
    if item.action not in ("callout-terminating", "callout-unknown"):
        return [None, HARD_BLOCK, *BY_CALLOUT]
    instead = permit if "PERMIT_IF_CALLOUT_UNREGISTERED" in item.flags else HARD_BLOCK
    if item.registered is False:
        return [instead]
    out = list(BY_CALLOUT)
    if item.registered is None:
        out.append(instead)
    return [*out, None] if item.action == "callout-unknown" else out


def sublayer_worlds(filters, answers):
    """Every (filter, result) that may end a sublayer of a few filters; (None, None): nothing ends it.

    All orders that the weights allow are tried, and for each filter that cannot be told both answers.
    """
    out = set()
    for order in itertools.permutations(range(len(filters))):
        known = [filters[place].weight for place in order if filters[place].weight is not None]
        if known != sorted(known, reverse=True):
            continue
        out |= _walk(filters, answers, order)
    return out


def _walk(filters, answers, order):
    out = set()
    for place in order:
        item = filters[place]
        sure = not {"SYSTEMOS_ONLY", "GAMEOS_ONLY"} & set(item.flags)
        if answers[place] == NO:
            continue
        found = results(item)
        out |= {(place, one) for one in found if one is not None}
        if answers[place] == YES and sure and None not in found:
            return out
    return out | {(None, None)}


def sublayer_plainly(filters, answers):
    """The same for many filters with weights: those of equal weight are taken together."""
    out = set()
    order = sorted(range(len(filters)), key=lambda place: -filters[place].weight)
    for _, places in itertools.groupby(order, key=lambda place: filters[place].weight):
        ended = False
        for place in places:
            if answers[place] != NO:
                found = results(filters[place])
                out |= {(place, one) for one in found if one is not None}
                ended |= answers[place] == YES and None not in found
        if ended:
            return out
    return out | {(None, None)}


def layer_decision(said):
    """The documented evaluation: the current action, and whether lower sublayers may write over it."""
    current, writable = None, True
    for result in said:
        if result is None:
            continue
        action, hard, by_callout = result
        if not writable:
            if current == "permit" and action == "block" and by_callout:
                current = "block"  # a veto
            continue
        current, writable = action, not hard
    return current or "permit"


def decisions(worlds, weights):
    """All decisions of a layer. ``worlds``: per sublayer its possible results; ``weights``: of the sublayers."""
    found = set()
    choices = [{result for _, result in world} for world in worlds]
    for order in itertools.permutations(range(len(worlds))):
        known = [weights[place] for place in order if weights[place] is not None]
        if known != sorted(known, reverse=True):
            continue
        for said in itertools.product(*(choices[place] for place in order)):
            found.add(layer_decision(said))
    return found
