"""One condition on all flows at once: every field, match type and value type, with three answers.

A field that no record tells (most flags, reauthorization, quarantine), a match type that the field's type does not
take, and a value that was not read or is of another type cannot be told; none of them is an error. Fields and match
types: REFERENCE 4.2 and Appendix B; what match types mean and which types take them: [SDK] FWP_MATCH_TYPE.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analyzer.engine.access import MAX_CHECKS, access, plain_sid
from analyzer.engine.addresses import bounds
from analyzer.engine.answers import CANNOT_TELL, NO, YES, nobody_knows, where_known
from analyzer.engine.fieldvalues import ADDRESSES, ENDPOINT_FIELDS, MACS, NUMBERS
from analyzer.engine.flows import UNKNOWN
from analyzer.wfp import sddl, sids

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from analyzer.engine.addresses import Addresses
    from analyzer.engine.answers import Answers
    from analyzer.engine.conditions import Test
    from analyzer.engine.fieldvalues import Numbers
    from analyzer.engine.flows import FlowArrays, Texts

_LIMIT: Final = 1 << 64
_COMPARE: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "EQUAL": operator.eq,
    "NOT_EQUAL": operator.ne,
    "GREATER": operator.gt,
    "LESS": operator.lt,
    "GREATER_OR_EQUAL": operator.ge,
    "LESS_OR_EQUAL": operator.le,
}
_BITS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "FLAGS_ALL_SET": lambda values, bits: (values & bits) == bits,
    "FLAGS_ANY_SET": lambda values, bits: (values & bits) != 0,
    "FLAGS_NONE_SET": lambda values, bits: (values & bits) == 0,
}
_EQUAL: Final = frozenset({"EQUAL", "EQUAL_CASE_INSENSITIVE"})


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LIMIT


def compare_numbers(numbers: Numbers, test: Test) -> Answers:
    """Compare numbers with a number or a range of them."""
    value, values = test.value, numbers.values
    if test.match == "RANGE":
        if not isinstance(value, tuple) or len(value) != 2 or not all(map(_whole, value)):
            return nobody_knows(len(values))
        return where_known((values >= value[0]) & (values <= value[1]), numbers.known)
    if not _whole(value):
        return nobody_knows(len(values))
    compare, bits = _COMPARE.get(test.match), _BITS.get(test.match)
    if compare is not None:
        return where_known(compare(values, value), numbers.known)
    if bits is not None:
        # What is not known is -1, and its bits do not count.
        return where_known(bits(values.astype(np.uint64), np.uint64(value)), numbers.known)
    return nobody_knows(len(values))


def compare_addresses(addresses: Addresses, test: Test) -> Answers:
    """Compare addresses with one, with a network or with a range; another family is in none of them."""
    ends = bounds(test.value)
    family = addresses.family
    takes_range = test.match == "RANGE"
    if ends is None or takes_range != isinstance(test.value, tuple):
        return nobody_knows(len(family))
    low, high = ends
    same, known = family == low.version, family != 0
    if takes_range or test.match in {"EQUAL", "NOT_EQUAL"}:
        inside = same & addresses.at_least(low) & addresses.at_most(high)
        return where_known(~inside if test.match == "NOT_EQUAL" else inside, known)
    if low != high:
        return nobody_knows(len(family))  # no network is greater or less than an address
    # Addresses of different families have no order.
    ordered = {
        "GREATER": lambda: ~addresses.at_most(low),
        "LESS": lambda: ~addresses.at_least(low),
        "GREATER_OR_EQUAL": lambda: addresses.at_least(low),
        "LESS_OR_EQUAL": lambda: addresses.at_most(low),
    }.get(test.match)
    return nobody_knows(len(family)) if ordered is None else where_known(ordered(), same)


def compare_texts(column: Texts, test: Test) -> Answers:
    """Compare lower-case texts. What is named PREFIX compares the end of the text ([SDK] FWP_MATCH_TYPE)."""
    if not isinstance(test.value, str):
        return nobody_knows(len(column))
    wanted = test.value.lower()
    if test.match in _EQUAL or test.match == "NOT_EQUAL":
        code = column.places.get(wanted, len(column.places))
        holds = column.codes != code if test.match == "NOT_EQUAL" else column.codes == code
        return where_known(holds, column.codes >= 0)
    if test.match == "PREFIX":
        return column.judge(lambda name: 1 if name.endswith(wanted) else -1)
    if test.match == "NOT_PREFIX":
        return column.judge(lambda name: -1 if name.endswith(wanted) else 1)
    return nobody_knows(len(column))


def compare_sids(column: Texts, test: Test) -> Answers:
    """Compare SIDs: equal or not."""
    if not isinstance(test.value, str) or test.match not in {"EQUAL", "NOT_EQUAL"}:
        return nobody_knows(len(column))
    wanted = plain_sid(test.value)
    if not sids.is_sid(wanted):
        return nobody_knows(len(column))
    same = 1 if test.match == "EQUAL" else -1
    return column.judge(lambda name: same if name == wanted else -same)


def _macs(values: NDArray[np.int64], test: Test) -> Answers:
    if not isinstance(test.value, bytes) or len(test.value) != 6 or test.match not in {"EQUAL", "NOT_EQUAL"}:
        return nobody_knows(len(values))
    return where_known(_COMPARE[test.match](values, int.from_bytes(test.value, "big")), values != UNKNOWN)


def _user(flows: FlowArrays, test: Test) -> Answers:
    """Check each distinct token against the descriptor."""
    if not isinstance(test.value, str) or test.match != "EQUAL":
        return nobody_knows(len(flows))
    descriptor = sddl.read_sddl(test.value)
    if len(descriptor.dacl or ()) * len(flows.tokens) > MAX_CHECKS:
        return nobody_knows(len(flows))
    used = np.unique(flows.token)
    table = np.zeros(len(flows.tokens), dtype=np.int8)
    for code in used.tolist():
        table[code] = access(descriptor, flows.tokens[code])
    out: Answers = table[flows.token]
    return out


def _flags(flows: FlowArrays, test: Test) -> Answers:
    """Compare flags of which each bit is set, clear or not known."""
    if not _whole(test.value) or test.value >> 32:
        return nobody_knows(len(flows))
    bits = np.uint32(test.value)
    on, off = flows.flags_set, flows.flags_clear
    if test.match == "FLAGS_ALL_SET":
        return _either((on & bits) == bits, (off & bits) != 0)
    if test.match in {"FLAGS_ANY_SET", "FLAGS_NONE_SET"}:
        some, none = (on & bits) != 0, (off & bits) == bits
        return _either(some, none) if test.match == "FLAGS_ANY_SET" else _either(none, some)
    if test.match in {"EQUAL", "NOT_EQUAL"}:
        differs = ((off & bits) != 0) | ((on & ~bits) != 0)
        equal = ~differs & ((on | off) == np.uint32(0xFFFFFFFF))
        return _either(equal, differs) if test.match == "EQUAL" else _either(differs, equal)
    return nobody_knows(len(flows))


def _either(yes: NDArray[np.bool_], no: NDArray[np.bool_]) -> Answers:
    out: Answers = np.where(yes, YES, np.where(no, NO, CANNOT_TELL)).astype(np.int8)
    return out


_SPECIAL: Final[dict[str, Callable[[FlowArrays, Test], Answers]]] = {
    "ALE_APP_ID": lambda flows, test: compare_texts(flows.application, test),
    "ALE_PACKAGE_ID": lambda flows, test: compare_sids(flows.package, test),
    "ALE_USER_ID": _user,
    "FLAGS": _flags,
}
FIELDS: Final = frozenset({*NUMBERS, *ADDRESSES, *MACS, *_SPECIAL})  # all others cannot be told


def _one(flows: FlowArrays, test: Test) -> Answers:
    name = test.field
    if name in NUMBERS:
        return compare_numbers(NUMBERS[name](flows), test)
    if name in ADDRESSES:
        return compare_addresses(ADDRESSES[name](flows), test)
    if name in MACS:
        return _macs(MACS[name](flows), test)
    special = _SPECIAL.get(name)
    return nobody_knows(len(flows)) if special is None else special(flows, test)


def one(flows: FlowArrays, test: Test) -> Answers:
    """Answer one condition for every flow, shape (n,). Where the endpoint order is uncertain, both must agree."""
    answer = _one(flows, test)
    if test.field not in ENDPOINT_FIELDS or flows.order_certain.all():
        return answer
    other = _one(flows.swapped(), test)
    out: Answers = np.where(flows.order_certain | (answer == other), answer, CANNOT_TELL).astype(np.int8)
    return out
