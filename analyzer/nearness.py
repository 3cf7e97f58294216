"""How far an allow filter is from matching a flow: what fails, weighed by how telling that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analyzer import missing
from analyzer.engine.answers import CANNOT_TELL, NO, YES
from analyzer.wfp.sddl import allowed_sids
from analyzer.wfp.sids import is_service_sid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from analyzer.engine.conditions import Test
    from analyzer.engine.evaluate import Evaluator
    from analyzer.engine.flows import FlowArrays
    from analyzer.engine.policy import Policy

MOST_MISSING: Final = 2
# How far away a rule is by the field that fails; judgement. What is not here counts 3, and 0.25 if it cannot be told.
_FAR: Final[dict[str, float]] = {
    "ORIGINAL_PROFILE_ID": 0.5,  # both name one profile
    "CURRENT_PROFILE_ID": 0.5,
    missing.USER: 1.5,
    "IP_REMOTE_PORT": 2,
    "IP_LOCAL_PORT": 2,
    "IP_REMOTE_ADDRESS": 2,
    "IP_LOCAL_ADDRESS": 2,
    missing.PROTOCOL: 4,
}
_OTHER: Final = 3.0
_OPEN: Final = 0.25
_SAME_NAME: Final = 3.0  # a program of the same name in another folder
_NAMELESS: Final = 1.5  # a rule that names neither program nor user is for everybody, not for this
# A filter that fails in one of these is for other traffic, however little else is missing.
_OTHER_TRAFFIC: Final = frozenset({"ALE_PACKAGE_ID", "FLAGS", "ALE_SIO_FIREWALL_SYSTEM_PORT"})


def distance(policy: Policy, evaluator: Evaluator, row: int) -> NDArray[np.float64]:
    """Return how far a filter is from matching each flow, shape (n,); infinite for other traffic."""
    program, flows = policy.program, evaluator.flows
    away = np.zeros(len(flows))
    failing = np.zeros(len(flows), dtype=np.int64)
    personal = False
    for place in program.of(row):
        test = program.predicates[program.fields[place][0]]
        answer = evaluator.field(place)
        no = answer == NO
        if test.field in _OTHER_TRAFFIC:
            away[no] = np.inf
        elif test.field == missing.APPLICATION:
            names = {str(program.predicates[i].value).lower().rpartition("\\")[2] for i in program.fields[place]}
            away += np.where(no, np.where(_named(flows, names), _SAME_NAME, np.inf), 0)
        else:
            away += np.where(no, _FAR.get(test.field, _OTHER), 0)
        if test.field == missing.USER:
            away[_of_other_services([program.predicates[i] for i in program.fields[place]], flows)] = np.inf
        away += np.where(answer == CANNOT_TELL, _OPEN, 0)
        failing += no & (test.field != "CURRENT_PROFILE_ID")
        personal |= test.field in (missing.APPLICATION, missing.USER)
    if not personal:
        away += _NAMELESS
    away[failing > MOST_MISSING] = np.inf
    return away


def _of_other_services(tests: Sequence[Test], flows: FlowArrays) -> NDArray[np.bool_]:
    """Tell where a user condition allows services alone, and the process is known to host none of them."""
    allowed = [sid for test in tests if isinstance(test.value, str) for sid in allowed_sids(test.value)]
    if not allowed or not all(is_service_sid(sid) for sid in allowed):
        return np.zeros(len(flows), dtype=bool)
    other = [token.services is not None and token.services.isdisjoint(allowed) for token in flows.tokens]
    return np.array(other, dtype=bool)[flows.token]


def _named(flows: FlowArrays, names: set[str]) -> NDArray[np.bool_]:
    """Tell which programs have one of these file names, in whatever folder."""
    out: NDArray[np.bool_] = flows.application.judge(lambda path: 1 if path.rpartition("\\")[2] in names else -1) == YES
    return out
