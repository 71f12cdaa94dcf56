"""Where it stops: quorums, hand-overs and seats at exactly the limit; who is refused first; what an end leaves behind."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import pytest

from tests.approvals.examples import (
    AT,
    begun,
    changed,
    clock,
    does,
    doing,
    of,
    people,
    places,
    planned,
    stage,
    time,
    words,
)
from waypost.approvals import engine, planning, states
from waypost.approvals.definition import Mode
from waypost.approvals.engine import Receiver, open_verbs, result_of
from waypost.approvals.errors import (
    BadDelegate,
    CommentNeeded,
    NobodyAbove,
    NotAsked,
    SelfApproval,
    StepDecided,
    StepNotOpen,
)
from waypost.approvals.states import (
    Action,
    Happened,
    Stage,
    StageStatus,
    State,
    StepStatus,
    Verb,
    WorkflowStatus,
)

ONE_BY_ONE = {"mode": Mode.SEQUENTIAL}
YES, NO, OPEN = StepStatus.APPROVED, StepStatus.REJECTED, StepStatus.PENDING


# --- counting ---------------------------------------------------------------------------------------------------------


def counted(answers: tuple[StepStatus, ...], needed: int, **more: Any) -> StageStatus:
    one = stage(*range(1, len(answers) + 1), needed=needed, **more)
    return result_of(changed(one, steps=tuple(changed(s, status=a) for s, a in zip(one.steps, answers, strict=True))))


def test_enough_said_yes_or_enough_can_no_more_be_reached() -> None:
    """Every way up to four people can have answered, against every quorum."""
    for size in range(1, 5):
        for answers in itertools.product((YES, NO, OPEN), repeat=size):
            for needed in range(1, size + 1):
                yes, no = answers.count(YES), answers.count(NO)
                expected = StageStatus.OPEN
                if yes in range(needed, size + 1):
                    expected = StageStatus.APPROVED
                elif no in range(size - needed + 1, size + 1):
                    expected = StageStatus.REJECTED
                assert counted(answers, needed) is expected, (answers, needed)


def test_where_the_first_answer_counts_one_no_is_enough() -> None:
    first = {"first_answer_counts": True}
    assert counted((OPEN, OPEN, OPEN), 1, **first) is StageStatus.OPEN
    assert counted((OPEN, NO, OPEN), 1, **first) is StageStatus.REJECTED
    assert counted((OPEN, NO, NO), 1, **first) is StageStatus.REJECTED
    assert counted((OPEN, YES, OPEN), 1, **first) is StageStatus.APPROVED


def test_a_seat_stands_by_its_answer_else_by_its_newest_step() -> None:
    late, further = stage(1).steps[0], changed(stage(1).steps[0], approver=5)
    for first, second, stands in ((YES, OPEN, YES), (OPEN, NO, NO), (StepStatus.ESCALATED, OPEN, OPEN), (NO, OPEN, NO)):
        one = changed(stage(1), steps=(changed(late, status=first), changed(further, status=second)))
        assert one.seats() == {1: stands}
    assert len(stage(1, 2, 3).seats()) == 3


def test_who_has_a_part_is_who_was_asked_and_who_answered() -> None:
    state = does(begun(stage(1, 2)), Verb.APPROVE, 1)
    assert state.stages[0].involved() == {1, 2}
    state, _ = engine.act(state, Action(Verb.APPROVE, 2, 7, as_deputy=True), AT)
    assert state.stages[0].involved() == {1, 2, 7}
    assert (of(state, 2).decided_by, of(state, 2).on_behalf_of, time(of(state, 2).decided_at)) == (7, 2, "09:00")
    assert (of(state, 1).decided_by, of(state, 1).on_behalf_of) == (1, None)


# --- how often, how many ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", [Verb.DELEGATE, Verb.ESCALATE])
def test_a_seat_is_handed_on_ten_times_and_no_more(verb: Verb) -> None:
    state = begun(stage(1, 50))
    for holder in range(1, 11):
        state = does(state, verb, holder, to=holder + 1)
    assert of(state, 11).status is StepStatus.PENDING
    with pytest.raises(BadDelegate, match="handed on too often"):
        does(state, verb, 11, to=12)
    assert of(does(state, verb, 50, to=12), 12).seat == 2, "another seat has not been handed on at all"
    assert of(does(state, Verb.ADD_APPROVER, 11, to=12), 12).status is StepStatus.PENDING, "adding hands nothing on"
    assert does(state, Verb.REJECT, 11).status is WorkflowStatus.REJECTED, "they can still decide"


def test_a_hundred_people_decide_in_one_stage_and_no_more() -> None:
    state = does(begun(stage(*range(1, 100))), Verb.ADD_APPROVER, 1, to=100)
    assert len(state.stages[0].seats()) == 100
    with pytest.raises(BadDelegate, match="no more than 100"):
        does(state, Verb.ADD_APPROVER, 1, to=101)
    with pytest.raises(BadDelegate, match="no more than 100"):
        does(begun(stage(*range(1, 151))), Verb.ADD_APPROVER, 1, to=1000)
    assert of(does(state, Verb.DELEGATE, 1, to=101), 101).seat == 1, "handing on adds no seat"


@pytest.mark.parametrize(
    ("asked", "needed", "more", "then"),
    [
        ((1,), 1, {}, 2),
        ((1, 2), 1, {}, 1),
        ((1, 2), 2, {}, 3),
        ((1, 2, 3), 2, {}, 3),
        ((1,), 1, {"first_answer_counts": True}, 1),
        ((1, 2), 2, ONE_BY_ONE, 3),
        ((1,), 1, ONE_BY_ONE, 2),
    ],
)
def test_one_more_has_to_agree(asked: tuple[int, ...], needed: int, more: dict[str, Any], then: int) -> None:
    state = does(begun(stage(*asked, needed=needed, **more)), Verb.ADD_APPROVER, 1, to=9)
    assert state.stages[0].needed == then


def test_one_more_is_asked_at_once_or_after_the_others() -> None:
    state, said = doing(begun(stage(1, 2), stage(3)), Verb.ADD_APPROVER, 2, clock("10:00"), to=9, to_reason="knows it")
    assert said == ["ADDED 2 to 9", "ASKED 9"]
    step = of(state, 9)
    assert (step.id, step.seat, step.order, step.reason, step.status) == (-1, 4, 2, "knows it", StepStatus.PENDING)
    assert (time(step.requested_at), time(step.due_at)) == ("10:00", "18:00")
    state, said = doing(begun(stage(1, 2, **ONE_BY_ONE)), Verb.ADD_APPROVER, 1, to=9)
    assert said == ["ADDED 1 to 9"]
    assert (of(state, 9).order, of(state, 9).status, of(state, 9).requested_at) == (3, StepStatus.WAITING, None)
    for person in (1, 2):
        state = does(state, Verb.APPROVE, person)
    assert people(state) == [(1, "APPROVED"), (2, "APPROVED"), (9, "PENDING")]


def test_why_one_more_is_asked_is_told_and_whoever_added_them_still_decides() -> None:
    state, effects = engine.act(begun(stage(1)), Action(Verb.ADD_APPROVER, 1, 1, "Your budget as well", to=9), AT)
    added = effects[0]
    assert isinstance(added, Happened)
    assert added.step.comments == "Your budget as well"
    assert of(state, 1) == of(begun(stage(1)), 1)


def test_one_by_one_is_the_order_in_which_they_stand() -> None:
    """Whatever the numbers of the seats; and what waits together in a seat is asked together."""
    one = stage(1, 2, 3, **ONE_BY_ONE)
    steps = tuple(changed(s, seat=n) for s, n in zip(one.steps, (7, 5, 5), strict=True))
    state, effects = engine.begin(State(WorkflowStatus.RUNNING, (changed(one, steps=steps, needed=2),)), AT)
    assert words(effects) == ["ASKED 1"]
    _, said = doing(state, Verb.APPROVE, 1)
    assert said == ["APPROVED 1", "ASKED 2", "ASKED 3"]


# --- who is refused, and with what first ------------------------------------------------------------------------------


def refused(state: State, verb: Verb, **more: Any) -> Exception:
    action = Action(verb, **{"step_id": 1, "by": 1, "comments": "because"} | more)
    with pytest.raises(Exception) as checked:  # noqa: PT011 - which one is what is looked at
        engine.check(state, action)
    with pytest.raises(type(checked.value)):
        engine.act(state, action, AT)
    return checked.value


def test_the_first_thing_wrong_is_what_is_said() -> None:
    """Not asked, then one's own, then no reason, then nobody named, then too late, then who it would go to."""
    ended = does(begun(stage(1, 2)), Verb.REJECT, 2)
    ended = changed(ended, barred=frozenset({1, 3}))
    assert isinstance(refused(ended, Verb.APPROVE, by=3), NotAsked)
    assert isinstance(refused(ended, Verb.APPROVE), SelfApproval)
    for verb in (Verb.REJECT, Verb.REQUEST_INFO):
        assert isinstance(refused(ended, verb, comments=" \n"), CommentNeeded)
        assert isinstance(refused(ended, verb), StepDecided)
    for verb in (Verb.DELEGATE, Verb.ADD_APPROVER):
        assert isinstance(refused(ended, verb), BadDelegate)
        assert isinstance(refused(ended, verb, to=3), StepDecided)
    assert isinstance(refused(ended, Verb.ESCALATE), StepDecided)
    running = begun(stage(1, 2), barred=[3])
    assert isinstance(refused(running, Verb.ESCALATE), NobodyAbove)
    for verb in (Verb.DELEGATE, Verb.ESCALATE, Verb.ADD_APPROVER):
        assert "asked already" in str(refused(running, verb, to=1, to_is_able=False))
        assert "work here" in str(refused(running, verb, to=3, to_is_able=False))
        assert "asked for, wrote or changed" in str(refused(running, verb, to=3))
        assert "part in this stage" in str(refused(running, verb, to=2))


def test_what_is_decided_says_how_and_what_waits_says_so() -> None:
    state = does(begun(stage(1, 2, 3), stage(4)), Verb.APPROVE, 1)
    error = refused(state, Verb.APPROVE)
    assert isinstance(error, StepDecided)
    assert "APPROVED already" in str(error)
    assert error.facts == {"status_now": "APPROVED"}
    for verb in Verb:
        assert isinstance(refused(state, verb, to=9), StepDecided), "also what a question would close"
    error = refused(state, Verb.APPROVE, step_id=4, by=4)
    assert isinstance(error, StepNotOpen)
    assert "waits for others" in str(error)
    error = refused(does(state, Verb.REQUEST_INFO, 2), Verb.REQUEST_INFO, step_id=2, by=2)
    assert isinstance(error, StepNotOpen)
    assert "question is asked" in str(error)


@pytest.mark.parametrize("status", [StepStatus.PENDING, StepStatus.INFO_REQUESTED, StepStatus.WAITING])
def test_an_ended_workflow_takes_no_answer_whatever_its_rows_say(status: StepStatus) -> None:
    state = begun(stage(1))
    state = changed(state, stages=(state.stages[0].holding(changed(of(state, 1), status=status)),))
    for ended in (WorkflowStatus.APPROVED, WorkflowStatus.REJECTED, WorkflowStatus.CANCELLED):
        odd = changed(state, status=ended)
        assert isinstance(refused(odd, Verb.APPROVE), StepDecided)
        with pytest.raises(StepDecided):
            engine.reroute(odd, 1, Receiver(7, "left"), AT)
        with pytest.raises(StepDecided, match="ended"):
            engine.cancel(odd)
        with pytest.raises(StepDecided, match="ended"):
            engine.override(odd, 9, approves=True, comments="because", at=AT)


def test_who_left_is_replaced_only_where_they_have_not_answered() -> None:
    state = does(begun(stage(1, 2)), Verb.APPROVE, 1)
    with pytest.raises(StepDecided):
        engine.reroute(state, 1, Receiver(7, "left"), AT)


def test_nobody_says_yes_for_who_is_barred_whoever_says_it() -> None:
    state = begun(stage(1, 2, 3))
    assert isinstance(refused(changed(state, barred=frozenset({1})), Verb.APPROVE), SelfApproval)
    handed = does(state, Verb.DELEGATE, 1, to=7)
    for barred in (1, 7):
        odd = changed(handed, barred=frozenset({barred}))
        assert isinstance(refused(odd, Verb.APPROVE, step_id=of(odd, 7).id, by=7), SelfApproval), barred
    assert does(changed(handed, barred=frozenset({2})), Verb.APPROVE, 7).status is WorkflowStatus.RUNNING


def deputy(state: State, verb: Verb = Verb.APPROVE, by: int = 7, **more: Any) -> State:
    action = Action(verb, **{"step_id": 1, "by": by, "comments": "because", "as_deputy": True} | more)
    return engine.act(state, action, AT)[0]


def test_a_deputy_may_do_what_the_approver_may_but_hand_it_on() -> None:
    state = begun(stage(1, 2))
    assert isinstance(refused(state, Verb.APPROVE, by=7), NotAsked), "a deputy is who the service has found to be one"
    done = of(deputy(state), 1)
    assert (done.status, done.approver, done.decided_by, done.on_behalf_of) == (StepStatus.APPROVED, 1, 7, 1)
    assert of(deputy(begun(stage(5)), by=3), 5).on_behalf_of == 5
    for verb in (Verb.REJECT, Verb.REQUEST_INFO, Verb.ESCALATE, Verb.ADD_APPROVER):
        deputy(state, verb, to=9)
    gone = of(deputy(state, Verb.ESCALATE, to=9), 1)
    assert (gone.status, gone.decided_by) == (StepStatus.ESCALATED, 7)
    assert isinstance(refused(state, Verb.DELEGATE, by=7, to=9, as_deputy=True), NotAsked)
    assert does(state, Verb.APPROVE, 1, as_deputy=True).stages[0].steps[0].decided_by == 1, (
        "the approver is the approver"
    )


def test_a_deputy_who_is_barred_or_has_a_part_in_the_stage_is_none() -> None:
    state = begun(stage(1, 2, 3), barred=[7])
    for step_id, by in ((1, 7), (1, 2), (1, 3), (2, 1), (3, 2)):
        assert isinstance(refused(state, Verb.APPROVE, step_id=step_id, by=by, as_deputy=True), NotAsked)
    state = deputy(begun(stage(1, 2, 3)), step_id=2)
    assert isinstance(refused(state, Verb.APPROVE, by=7, as_deputy=True), NotAsked), "they have answered once already"
    elsewhere = does(begun(stage(1), stage(2)), Verb.APPROVE, 1)
    assert deputy(elsewhere, step_id=2, by=1).status is WorkflowStatus.APPROVED, (
        "a part in another stage is none in this"
    )


def test_what_is_offered_is_what_is_taken() -> None:
    every = (Verb.APPROVE, Verb.REJECT, Verb.REQUEST_INFO, Verb.DELEGATE, Verb.ESCALATE, Verb.ADD_APPROVER)
    without_question = tuple(v for v in every if v is not Verb.REQUEST_INFO)
    assert open_verbs(StepStatus.PENDING, is_barred=False) == every
    assert open_verbs(StepStatus.PENDING, is_barred=True) == every[1:]
    assert open_verbs(StepStatus.INFO_REQUESTED, is_barred=False) == without_question
    assert open_verbs(StepStatus.INFO_REQUESTED, is_barred=True) == without_question[1:]
    for status in set(StepStatus) - {StepStatus.PENDING, StepStatus.INFO_REQUESTED}:
        assert open_verbs(status, is_barred=False) == ()


# --- handing on -------------------------------------------------------------------------------------------------------


def test_who_hands_it_on_is_kept_and_for_whom_it_is_decided() -> None:
    state, said = doing(begun(stage(1, 2)), Verb.DELEGATE, 1, clock("10:00"), to=7, comments="You know it")
    assert said == ["DELEGATED 1 to 7", "ASKED 7"]
    gone, new, other = state.stages[0].steps
    assert (gone.status, gone.decided_by, gone.comments, gone.timer_at) == (
        StepStatus.DELEGATED,
        1,
        "You know it",
        None,
    )
    assert time(gone.decided_at) == "10:00"
    assert (new.approver, new.on_behalf_of, new.seat, new.order) == (7, 1, gone.seat, gone.order)
    assert other == of(begun(stage(1, 2)), 2)
    again = does(state, Verb.DELEGATE, 7, to=8)
    assert of(again, 8).on_behalf_of == 1, "for the one it began with"
    assert of(does(again, Verb.APPROVE, 8), 8).on_behalf_of == 1
    assert of(does(state, Verb.ESCALATE, 7, to=9), 9).on_behalf_of is None, "who is higher up decides in their own name"


def test_handing_on_takes_the_question_back() -> None:
    state = does(begun(stage(1)), Verb.REQUEST_INFO, 1)
    state, said = doing(state, Verb.ESCALATE, 1, to=9)
    assert said == ["ESCALATED 1 to 9", "ASKED 9", "QUESTIONS CLOSED 1:  (lapsed)"]
    assert (of(state, 1).info_requested_at, of(state, 9).info_requested_at) == (None, None)
    two = does(does(begun(stage(1, 2)), Verb.REQUEST_INFO, 1), Verb.REQUEST_INFO, 2)
    _, said = doing(two, Verb.ESCALATE, 1, to=9)
    assert said == ["ESCALATED 1 to 9", "ASKED 9"], "the other's question is still open"


def test_who_waits_and_left_is_replaced_without_being_asked() -> None:
    state = begun(stage(1, 2, **ONE_BY_ONE))
    state, effects = engine.reroute(state, 2, Receiver(7, "2 left"), AT)
    assert words(effects) == ["REROUTED 2 to 7"]
    assert people(state) == [(1, "PENDING"), (2, "REROUTED"), (7, "WAITING")]
    step = of(state, 7)
    assert (step.seat, step.order, step.reason, step.due_at, step.requested_at) == (2, 2, "2 left", None, None)
    assert people(does(state, Verb.APPROVE, 1))[2] == (7, "PENDING")


def test_what_was_decided_for_somebody_goes_back_to_them_in_their_own_name() -> None:
    state = does(begun(stage(1, 2)), Verb.DELEGATE, 1, to=7)
    for to, behalf in ((1, None), (8, 1)):
        given, _ = engine.reroute(state, of(state, 7).id, Receiver(to, "7 left"), AT)
        assert of(given, to).on_behalf_of == behalf
        waiting = changed(state, stages=(state.stages[0].holding(changed(of(state, 7), status=StepStatus.WAITING)),))
        given, _ = engine.reroute(waiting, of(state, 7).id, Receiver(to, "7 left"), AT)
        assert given.stages[0].steps[2].on_behalf_of == behalf


# --- the end ----------------------------------------------------------------------------------------------------------


def test_a_yes_opens_the_next_stage_that_applies_and_the_last_one_ends_it() -> None:
    state, effects = engine.begin(planned(stage(), stage(1), stage(), stage(2)), AT)
    assert words(effects) == ["ASKED 1"]
    assert places(state) == [(1, "SKIPPED"), (2, "OPEN"), (3, "SKIPPED"), (4, "WAITING")]
    state, said = doing(state, Verb.APPROVE, 1)
    assert said == ["APPROVED 1", "ASKED 2"]
    state, said = doing(state, Verb.APPROVE, 2, comments="Fine")
    assert said == ["APPROVED 2", "ENDED APPROVED: Fine"]
    assert places(state) == [(1, "SKIPPED"), (2, "APPROVED"), (3, "SKIPPED"), (4, "APPROVED")]


def test_a_no_ends_it_and_nobody_stays_asked() -> None:
    state = does(begun(stage(1, 2, 3), stage(4)), Verb.APPROVE, 3)
    state, said = doing(state, Verb.REJECT, 1, clock("10:00"), comments="Too dear")
    assert said == ["REJECTED 1", "ENDED REJECTED: Too dear"]
    assert people(state) == [(1, "REJECTED"), (2, "NOT_NEEDED"), (3, "APPROVED"), (4, "NOT_NEEDED")]
    assert places(state) == [(1, "REJECTED"), (2, "CANCELLED")]
    assert [s.timer_at for one in state.stages for s in one.steps] == [None] * 4
    done = of(state, 1)
    assert (done.comments, time(done.decided_at), done.decided_by) == ("Too dear", "10:00", 1)
    assert (of(state, 2).decided_at, of(state, 2).decided_by, of(state, 2).comments) == (None, None, "")


def test_an_answer_while_one_s_own_question_is_open_closes_it() -> None:
    state = does(begun(stage(1, 2)), Verb.REQUEST_INFO, 1)
    state, said = doing(state, Verb.APPROVE, 1, comments="Found it")
    assert said == ["APPROVED 1", "QUESTIONS CLOSED 1:  (lapsed)"]
    assert (of(state, 1).info_requested_at, of(state, 1).comments) == (None, "Found it")


def test_questions_are_closed_before_the_end_is_told() -> None:
    asking = does(does(begun(stage(1, 2, 3), stage(4)), Verb.REQUEST_INFO, 1), Verb.REQUEST_INFO, 2)
    _, said = doing(asking, Verb.REJECT, 3, comments="No")
    assert said == ["REJECTED 3", "QUESTIONS CLOSED 1, 2:  (lapsed)", "ENDED REJECTED: No"]
    state, said = doing(asking, Verb.APPROVE, 1)
    assert said == ["APPROVED 1"], "2 still waits for an answer"
    assert people(state)[1] == (2, "INFO_REQUESTED")


def test_cancelling_leaves_answers_and_decided_stages_as_they_are() -> None:
    state = does(does(begun(stage(1), stage(2, 3), stage(), stage(4)), Verb.APPROVE, 1), Verb.APPROVE, 2)
    state, effects = engine.cancel(state)
    assert effects == []
    assert state.status is WorkflowStatus.CANCELLED
    assert people(state) == [(1, "APPROVED"), (2, "APPROVED"), (3, "CANCELLED"), (4, "CANCELLED")]
    assert places(state) == [(1, "APPROVED"), (2, "CANCELLED"), (3, "SKIPPED"), (4, "CANCELLED")]
    assert of(state, 3).timer_at is None


@pytest.mark.parametrize(("approves", "status"), [(True, "APPROVED"), (False, "REJECTED")])
def test_an_override_ends_it_with_somebody_s_word_and_makes_up_no_answer(approves: bool, status: str) -> None:
    state = does(does(begun(stage(1), stage(2, 3), stage(4)), Verb.APPROVE, 1), Verb.REQUEST_INFO, 2)
    state, effects = engine.override(state, 9, approves=approves, comments="On a boat", at=AT)
    assert words(effects) == ["QUESTIONS CLOSED 2:  (lapsed)", f"ENDED {status} by 9: On a boat"]
    assert state.status.value == status
    assert people(state) == [(1, "APPROVED"), (2, "NOT_NEEDED"), (3, "NOT_NEEDED"), (4, "NOT_NEEDED")]
    assert places(state) == [(1, "APPROVED"), (2, "CANCELLED"), (3, "CANCELLED")]


def test_who_may_not_override() -> None:
    state = begun(stage(1), barred=[9])
    with pytest.raises(SelfApproval):
        engine.override(state, 9, approves=True, comments=" ", at=AT)
    with pytest.raises(CommentNeeded):
        engine.override(state, 9, approves=False, comments=" ", at=AT)
    with pytest.raises(CommentNeeded):
        engine.override(engine.cancel(state)[0], 8, approves=True, comments=" ", at=AT)
    ended, _ = engine.override(state, 9, approves=False, comments="Nonsense", at=AT)
    assert ended.status is WorkflowStatus.REJECTED, "denying one's own is allowed"
    assert engine.override(state, 8, approves=True, comments="x", at=AT)[0].status is WorkflowStatus.APPROVED


# --- values -----------------------------------------------------------------------------------------------------------


def test_nothing_that_is_decided_upon_can_be_changed_in_place() -> None:
    values = [
        v
        for module in (states, planning)
        for v in vars(module).values()
        if dataclasses.is_dataclass(v) and v.__module__ == module.__name__
    ]
    assert {Stage, State, Action, planning.Candidate} <= set(values)
    for kind in values:
        blank = object.__new__(kind)
        assert not hasattr(blank, "__dict__"), "nor can anything be hung on to it"
        for field in dataclasses.fields(kind):
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(blank, field.name, None)


def test_what_is_new_has_an_id_below_every_other() -> None:
    assert State(WorkflowStatus.RUNNING, ()).new_id() == -1
    assert begun(stage(1, 2)).new_id() == -1
    assert planned(stage(1, 2), stage(3)).new_id() == -4


def test_a_new_step_stands_behind_the_one_it_comes_from() -> None:
    one = stage(1, 2, 3)
    first, second, third = one.steps
    new = changed(second, id=-9, approver=9)
    assert one.holding(changed(second, comments="x"), new).steps == (first, changed(second, comments="x"), new, third)
    assert one.holding(first) == one
