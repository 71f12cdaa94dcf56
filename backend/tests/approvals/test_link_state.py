"""How a link stands, case by case."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from waypost.approvals.link_state import Closed, LinkFacts, LinkState, SignIn, state_of
from waypost.approvals.states import ASKED, StageStatus, StepStatus

ROUTINE = LinkFacts(
    mode="open",
    is_theirs=None,
    is_used=False,
    has_expired=False,
    is_current=True,
    is_running=True,
    step=StepStatus.PENDING,
    stage=StageStatus.OPEN,
    is_decided=False,
    is_able=True,
    may_act=True,
    sign_in=None,
)


@pytest.mark.parametrize(
    ("changed", "state", "closed"),
    [
        ({}, "OPEN", None),
        ({"is_theirs": True}, "OPEN", None),
        ({"step": StepStatus.INFO_REQUESTED}, "OPEN", None),
        ({"is_current": False}, "STALE", None),
        ({"sign_in": SignIn.AMOUNT}, "SIGN_IN", None),
        ({"sign_in": SignIn.AMOUNT, "is_current": False}, "SIGN_IN", None),
        ({"sign_in": SignIn.AMOUNT, "is_theirs": True}, "OPEN", None),
        ({"sign_in": SignIn.POLICY, "is_theirs": True, "is_current": False}, "STALE", None),
        ({"is_theirs": False}, "WRONG_PERSON", None),
        ({"is_theirs": False, "is_used": True}, "WRONG_PERSON", None),
        ({"is_used": True}, "USED", None),
        ({"is_used": True, "step": StepStatus.APPROVED, "is_decided": True}, "USED", None),
        ({"step": StepStatus.APPROVED, "is_decided": True}, "DECIDED", None),
        ({"step": StepStatus.NOT_NEEDED, "is_decided": True, "has_expired": True}, "DECIDED", None),
        ({"step": StepStatus.NOT_NEEDED}, "CLOSED", Closed.NOT_NEEDED),
        ({"step": StepStatus.CANCELLED, "is_running": False, "is_decided": True}, "DECIDED", None),
        ({"step": StepStatus.CANCELLED, "is_running": False}, "CLOSED", Closed.ENDED),
        ({"step": StepStatus.WAITING}, "CLOSED", Closed.ENDED),
        ({"step": StepStatus.DELEGATED}, "CLOSED", Closed.HANDED_ON),
        ({"step": StepStatus.REROUTED, "is_running": False}, "CLOSED", Closed.HANDED_ON),
        ({"step": StepStatus.APPROVED, "stage": StageStatus.SUPERSEDED}, "CLOSED", Closed.ASKED_AGAIN),
        ({"is_able": False}, "CLOSED", Closed.NOT_ABLE),
        ({"may_act": False}, "CLOSED", Closed.NOT_THEIRS),
        ({"has_expired": True}, "EXPIRED", None),
        ({"has_expired": True, "sign_in": SignIn.STEP_UP}, "EXPIRED", None),
        ({"mode": "off"}, "CLOSED", Closed.SWITCHED_OFF),
        ({"mode": "off", "is_used": True}, "USED", None),
    ],
)
def test_how_a_link_stands(changed: dict[str, object], state: str, closed: Closed | None) -> None:
    assert state_of(replace(ROUTINE, **changed)) == (LinkState(state), closed)  # type: ignore[arg-type]


def test_only_who_may_decide_now_can_decide_with_a_link() -> None:
    """Over every combination: where something can be decided, nothing stands against it."""
    flags = (False, True)
    count = 0
    for mode, theirs, used, old, current, running, decided, able, act, sign_in, step, stage in product(
        ("open", "off"),
        (None, *flags),
        flags,
        flags,
        flags,
        flags,
        flags,
        flags,
        flags,
        (None, SignIn.AMOUNT),
        StepStatus,
        StageStatus,
    ):
        facts = LinkFacts(mode, theirs, used, old, current, running, step, stage, decided, able, act, sign_in)
        state, closed = state_of(facts)
        assert (closed is not None) == (state is LinkState.CLOSED)
        if theirs is False:
            assert state is LinkState.WRONG_PERSON
        if state in (LinkState.OPEN, LinkState.STALE):
            count += 1
            assert mode != "off"
            assert not used
            assert not old
            assert not decided
            assert running
            assert able
            assert act
            assert step in ASKED
            assert stage is not StageStatus.SUPERSEDED
            assert theirs or sign_in is None
            assert (state is LinkState.OPEN) == current
    assert count > 50
