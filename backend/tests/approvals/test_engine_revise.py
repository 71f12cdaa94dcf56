"""An edit while it is judged: what is asked again and in which order, what stands, and what nobody can mix up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.approvals.examples import (
    begun,
    changed,
    clock,
    does,
    late,
    of,
    people,
    places,
    planned,
    stage,
    time,
    words,
)
from waypost.approvals import engine
from waypost.approvals.definition import Mode
from waypost.approvals.errors import SelfApproval
from waypost.approvals.states import Receiver, Stage, State, Step, Verb, WorkflowStatus

ELEVEN = clock("11:00")


def revised(
    state: State, stages: tuple[Stage, ...], *keep: int, barred: tuple[int, ...] = ()
) -> tuple[State, list[str]]:
    """The same places as they would be now; those that are kept stay as they are."""
    now, effects = engine.revise(state, planned(*stages).stages, frozenset(keep), frozenset(barred), ELEVEN)
    ids = [s.id for one in now.stages for s in one.steps]
    assert len(ids) == len(set(ids)), "no two steps are one"
    assert len({one.id for one in now.stages}) == len(now.stages), "no two places are one"
    seats = [{s.seat for s in one.steps} for one in now.stages]
    assert sum(map(len, seats)) == len(set().union(*seats)), "no seat belongs to two places"
    return now, words(effects)


def test_a_decision_that_stands_is_the_same_to_the_letter() -> None:
    state = does(begun(stage(1), stage(2), stage(3)), Verb.APPROVE, 1)
    now, said = revised(state, (stage(1), stage(2, 5), stage(3)), 1, 3)
    assert said == ["REOPENED Stage 2", "ASKED 2", "ASKED 5"]
    assert places(now) == [(1, "APPROVED"), (2, "SUPERSEDED"), (2, "OPEN"), (3, "WAITING")]
    assert people(now) == [(1, "APPROVED"), (2, "CANCELLED"), (2, "PENDING"), (5, "PENDING"), (3, "WAITING")]
    assert now.stages[0] == state.stages[0]
    assert now.stages[3] == state.stages[2]
    assert (of(now, 5).reason, time(of(now, 5).requested_at), time(of(now, 5).due_at)) == ("", "11:00", "19:00")


def test_ids_and_seats_go_on_below_and_above_what_there_is() -> None:
    state = begun(stage(1, 2), stage(3))
    now, _ = revised(state, (stage(1, 2), stage(3)))
    assert [one.id for one in now.stages] == [1, -3, 2, -5]
    assert [[s.id for s in one.steps] for one in now.stages] == [[1, 2], [-1, -2], [3], [-3]]
    assert [[s.seat for s in one.steps] for one in now.stages] == [[1, 2], [4, 5], [3], [6]]
    handed = does(now, Verb.DELEGATE, 1, to=9)
    again, _ = revised(handed, (stage(1, 2), stage(3)))
    assert len(again.stages) == 6
    assert [one.position for one in again.stages] == [1, 1, 1, 2, 2, 2], "what was, then what is"
    assert places(again)[:3] == [(1, "SUPERSEDED"), (1, "SUPERSEDED"), (1, "OPEN")]


def test_a_later_stage_waits_while_an_earlier_one_is_asked_again() -> None:
    state = does(begun(stage(1), stage(2, 3, 4), stage(5)), Verb.APPROVE, 1)
    state = does(does(state, Verb.APPROVE, 2), Verb.REQUEST_INFO, 3)
    now, said = revised(state, (stage(1), stage(2, 3, 4), stage(5)), 2, 3)
    assert said == ["REOPENED Stage 1", "ASKED 1", "QUESTIONS CLOSED 3: The request was changed. (lapsed)"]
    assert places(now) == [(1, "SUPERSEDED"), (1, "OPEN"), (2, "WAITING"), (3, "WAITING")]
    assert people(now) == [
        (1, "APPROVED"),
        (1, "PENDING"),
        (2, "APPROVED"),
        (3, "WAITING"),
        (4, "WAITING"),
        (5, "WAITING"),
    ]
    assert of(now, 2) == of(state, 2), "their answer stands"
    for person in (3, 4):
        step = of(now, person)
        assert (step.due_at, step.timer_at, step.info_requested_at) == (None, None, None)
        assert time(step.requested_at) == "09:00", "they were asked once"
    then = does(now, Verb.APPROVE, 1, clock("12:00"))
    assert people(then)[2:5] == [(2, "APPROVED"), (3, "PENDING"), (4, "PENDING")], "put to them anew, in their seats"
    assert [(time(of(then, p).due_at), time(of(then, p).timer_at)) for p in (3, 4)] == [("20:00", "16:00")] * 2


def test_what_waits_again_begins_its_ladder_anew() -> None:
    state = does(begun(stage(1), stage(2)), Verb.APPROVE, 1)
    for at in ("13:00", "17:00"):
        state, _ = late(state, 2, clock(at))
    state, _ = late(state, 2, clock("19:00"), above=[9])
    assert (of(state, 2).reminders, of(state, 9).climbs) == (2, 1)
    now, _ = revised(state, (stage(1), stage(2)), 2)
    assert [(of(now, p).reminders, of(now, p).climbs) for p in (2, 9)] == [(0, 0), (0, 0)]
    now = does(now, Verb.APPROVE, 1, clock("12:00"))
    assert people(now)[2:] == [(2, "PENDING"), (9, "PENDING")], "both of a seat that had two"
    assert does(now, Verb.APPROVE, 9).status is WorkflowStatus.APPROVED


def test_a_stage_that_is_open_goes_on_when_only_later_ones_change() -> None:
    state = does(begun(stage(1, 2), stage(3), stage(4)), Verb.APPROVE, 1)
    now, said = revised(state, (stage(1, 2), stage(7), stage(4)), 1, 3)
    assert said == [], "nobody had been asked there"
    assert places(now) == [(1, "OPEN"), (2, "SUPERSEDED"), (2, "WAITING"), (3, "WAITING")]
    assert now.stages[0] == state.stages[0]
    assert people(now) == [(1, "APPROVED"), (2, "PENDING"), (3, "CANCELLED"), (7, "WAITING"), (4, "WAITING")]


def test_a_stage_that_waits_or_is_decided_does_not_open_twice() -> None:
    """Of two kept behind the one asked again, the decided one stays decided and the open one waits."""
    state = does(does(begun(stage(1), stage(2), stage(3)), Verb.APPROVE, 1), Verb.APPROVE, 2)
    now, _ = revised(state, (stage(1), stage(2), stage(3)), 2, 3)
    assert places(now) == [(1, "SUPERSEDED"), (1, "OPEN"), (2, "APPROVED"), (3, "WAITING")]
    now = does(now, Verb.APPROVE, 1)
    assert places(now)[1:] == [(1, "APPROVED"), (2, "APPROVED"), (3, "OPEN")]


def test_a_stage_that_applies_no_more_is_left_out_and_nobody_waits_for_it() -> None:
    state = does(begun(stage(1), stage(2), stage(3)), Verb.APPROVE, 1)
    now, said = revised(state, (stage(), stage(2), stage(3)), 2, 3)
    assert said == ["DROPPED Stage 1"]
    assert places(now) == [(1, "SUPERSEDED"), (1, "SKIPPED"), (2, "OPEN"), (3, "WAITING")], "no reason to wait"
    now, said = revised(state, (stage(1), stage(), stage(3)), 1, 3)
    assert said == ["DROPPED Stage 2", "ASKED 3"]
    assert places(now) == [(1, "APPROVED"), (2, "SUPERSEDED"), (2, "SKIPPED"), (3, "OPEN")]
    now, said = revised(state, (stage(1), stage(), stage()), 1)
    assert said == [
        "DROPPED Stage 2",
        "DROPPED Stage 3",
        "ENDED APPROVED: After the change, everybody who has to agree has agreed.",
    ]
    assert now.status is WorkflowStatus.APPROVED


def test_a_stage_that_applies_only_now_is_asked_and_is_no_question_put_again() -> None:
    state = does(begun(stage(1), stage(), stage(3)), Verb.APPROVE, 1)
    now, said = revised(state, (stage(1), stage(2), stage(3)), 1, 3)
    assert said == ["ASKED 2"]
    assert places(now) == [(1, "APPROVED"), (2, "SUPERSEDED"), (2, "OPEN"), (3, "WAITING")]
    now, said = revised(state, (stage(1), stage(), stage(3)), 1, 2, 3)
    assert (now, said) == (state, [])
    now, said = revised(state, (stage(1), stage(), stage(3)), 1)
    assert said == ["REOPENED Stage 3", "ASKED 3"], "not of one that never applied"


def test_one_of_those_asked_before_is_enough_to_be_asked_again() -> None:
    one_by_one = stage(1, 2, mode=Mode.SEQUENTIAL)
    _, said = revised(begun(one_by_one), (one_by_one,))
    assert said == ["REOPENED Stage 1", "ASKED 1"]


def test_an_open_question_of_a_place_asked_again_is_closed() -> None:
    state = does(begun(stage(1, 2)), Verb.REQUEST_INFO, 1)
    now, said = revised(state, (stage(1, 2),))
    assert said == ["REOPENED Stage 1", "ASKED 1", "ASKED 2", "QUESTIONS CLOSED 1: The request was changed. (lapsed)"]
    assert of(now, 1).info_requested_at is None
    now, said = revised(state, (stage(1, 2),), 1)
    assert (now, said) == (state, [])


def test_who_changed_it_may_not_say_yes_to_it() -> None:
    state = begun(stage(1, 2), barred=[8])
    now, _ = revised(state, (stage(1, 2),), 1, barred=(2, 8))
    assert now.barred == {2, 8}
    with pytest.raises(SelfApproval):
        does(now, Verb.APPROVE, 2)


def test_what_was_replaced_is_never_asked_closed_or_counted_again() -> None:
    state, _ = revised(does(begun(stage(1, 2), stage(3)), Verb.APPROVE, 1), (stage(1, 2), stage(3)), 2)
    old = state.stages[0]
    for verb in (Verb.APPROVE, Verb.REJECT):
        ended = does(state, verb, 1) if verb is Verb.REJECT else does(does(state, verb, 1), verb, 2)
        assert ended.stages[0] == old
    assert engine.cancel(state)[0].stages[0] == old
    again, _ = revised(state, (stage(1, 2), stage(3)), 1, 2)
    assert again == state


@pytest.mark.parametrize("verb", list(Verb))
def test_after_an_edit_everything_works_as_before(verb: Verb) -> None:
    state, _ = revised(begun(stage(1, 2), stage(3)), (stage(1, 2), stage(3)))
    more: dict[str, Any] = {"to": 9} if verb in (Verb.DELEGATE, Verb.ESCALATE, Verb.ADD_APPROVER) else {}
    now = does(state, verb, 1, ELEVEN, **more)
    ids = [s.id for one in now.stages for s in one.steps]
    assert len(ids) == len(set(ids))
    if more:
        assert of(now, 9).id == min(ids), "new to everything"
    if verb is Verb.ADD_APPROVER:
        assert of(now, 9).seat == max(s.seat for one in now.stages for s in one.steps if s.approver != 9) + 1


def test_who_left_in_a_place_that_waits_again_was_not_asked_in_person() -> None:
    """So their replacement is somebody new, not somebody who is asked again."""
    state = does(begun(stage(1), stage(2)), Verb.APPROVE, 1)
    now, _ = revised(state, (stage(1), stage(2)), 2)
    assert of(now, 2).requested_at is not None
    now, _ = engine.reroute(now, of(now, 2).id, Receiver(7, "2 left"), ELEVEN + timedelta(hours=1))
    replaced: Step = of(now, 7)
    assert replaced.requested_at is None
    assert people(does(now, Verb.APPROVE, 1))[-1] == (7, "PENDING")


def test_the_order_of_places_is_theirs_not_that_of_their_ids() -> None:
    state = begun(stage(1), stage(2), stage(3))
    odd = changed(state, stages=tuple(changed(one, id=9 - one.id) for one in state.stages))
    now, _ = revised(odd, (stage(1), stage(2), stage(3)), 1)
    assert places(now) == [(1, "OPEN"), (2, "SUPERSEDED"), (2, "WAITING"), (3, "SUPERSEDED"), (3, "WAITING")]
