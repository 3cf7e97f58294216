"""What to try after the change: a short list that follows from what was found, the most doubtful first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.review import values
from analyzer.reviewmodel import ToTest
from analyzer.wording import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.reviewmodel import Decision, DefaultChange, Expect, Exposed, FlowGroup, Replay, Side

MOST_GROUPS: Final = 6  # of each outcome of recorded traffic
MOST_BOXES: Final = 5  # of each outcome of the exposure
_RECORDED: Final[dict[Decision, tuple[Expect, str]]] = {
    "newly-blocked": ("refused", "it was allowed when it was recorded: somebody may miss it"),
    "newly-allowed": ("connects", "it was refused when it was recorded"),
    "cannot-tell": ("find-out", "the files can't tell what becomes of it"),
}


def trials(
    sides: tuple[Side, Side],
    defaults: Sequence[DefaultChange],
    exposure: Sequence[Exposed],
    replay: Replay | None = None,
    *,
    changed: bool,
) -> tuple[ToTest, ...]:
    """Return what to try; ``changed`` tells whether anything changed at all."""
    return (
        *_of_defaults(defaults),
        *(() if replay is None else _of_traffic(replay)),
        *_of_boxes(exposure),
        *_always(sides, changed=changed),
    )


def _of_defaults(defaults: Sequence[DefaultChange]) -> Iterator[ToTest]:
    for item in defaults:
        if item.after in ("block", "block-all"):
            yield ToTest(
                "look",
                f"watch the {item.direction} blocks of the {item.profile} profile for a working day (event 5157)",
                f"the {item.direction} default is now block: what no rule names is refused",
            )
        else:
            yield ToTest(
                "look",
                f"make sure that the {item.direction} default of the {item.profile} profile was meant to be "
                f"{item.after}",
                "it is the widest change that a firewall knows",
            )


def _of_traffic(replay: Replay) -> Iterator[ToTest]:
    for what, (expect, why) in _RECORDED.items():
        groups = [group for group in replay.groups if group.what == what]
        for group in groups[:MOST_GROUPS]:
            yield ToTest(expect, _traffic(group), _why(group, why))
        if len(groups) > MOST_GROUPS:
            more = plural(len(groups) - MOST_GROUPS, "more group", "more groups")
            yield ToTest(expect, f"{more} of recorded flows, listed above", why)


def _traffic(group: FlowGroup) -> str:
    program = values.file_name(group.application) if group.application else "program not recorded"
    service = f" (service {', '.join(group.services)})" if group.services else ""
    example = group.examples[0] if group.examples else ""
    more = f", and {plural(group.flows - 1, 'more flow')}" if group.flows > 1 else ""
    return f"{program}{service}: {example}{more}"


def _why(group: FlowGroup, why: str) -> str:
    reason = group.before.why or group.after.why if group.what == "cannot-tell" else None
    return f"{why} ({reason})" if reason else why


def _of_boxes(exposure: Sequence[Exposed]) -> Iterator[ToTest]:
    opened, closed, unclear = (
        [item for item in exposure if item.what == what] for what in ("newly-allowed", "newly-blocked", "cannot-tell")
    )
    for item in closed[:MOST_BOXES]:
        yield ToTest("refused", item.words, _by(item, "the change blocks it"))
    for item in opened[:MOST_BOXES]:
        where = "from a machine that should not reach it too" if item.direction == "inbound" else ""
        why = _by(item, "the change allows it")
        yield ToTest("connects", item.words, f"{why}; try it {where}" if where else why)
    for item in unclear[:MOST_BOXES]:
        yield ToTest("find-out", item.words, f"nobody can tell from the files {'; '.join(item.why)}")


def _by(item: Exposed, why: str) -> str:
    return f"{why} ({', '.join(item.rules)})" if item.rules else why


def _always(sides: tuple[Side, Side], *, changed: bool) -> Iterator[ToTest]:
    if not changed:
        return
    if all(side.state is not None for side in sides):
        yield ToTest(
            "look",
            "save the state again afterwards (netsh wfp show state) and compare it with AFTER: nothing should differ",
            "what is in force is what counts, not what was planned",
        )
    live = {profile for side in sides for profile in side.profiles_in_force}
    if live and live != {"domain", "private", "public"}:
        yield ToTest(
            "look",
            "repeat the tests in every other network profile that this computer meets",
            f"the states show what is in force in {' and '.join(sorted(live))}, and no rules of other profiles",
        )
