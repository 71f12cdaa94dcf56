"""What happens by itself, in worked examples with exact instants: reminders, rungs, the end; and what stops them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from tests.approvals.examples import (
    AT,
    DAY,
    HOUR,
    LADDER,
    begun,
    changed,
    clock,
    does,
    doing,
    late,
    of,
    people,
    planned,
    stage,
    time,
    unanswered,
    words,
)
from waypost.approvals import engine
from waypost.approvals.states import Happened, Ladder, StepStatus, Verb, WorkflowStatus

EMERGENCY = Ladder((), timedelta(0), timedelta(minutes=15))


def one_above(person: int) -> Sequence[int]:
    """Above 1 is 11, above 11 is 21, and so on."""
    return [person + 10]


def nobody(_: int) -> Sequence[int]:
    return ()


# --- from the first reminder to the end -------------------------------------------------------------------------------


def test_reminded_then_asked_further_up_then_the_administrators() -> None:
    state, said = unanswered(begun(stage(1)), one_above)
    assert said == [
        "13:00 REMINDED 1",
        "17:00 REMINDED 1",
        "19:00 CLIMBED 1 to 11",
        "19:00 ASKED 11",
        "20:00 CLIMBED 11 to 21",
        "20:00 ASKED 21",
        "21:00 CLIMBED 21 to 90",
        "21:00 ASKED 90",
    ]
    assert people(state) == [(1, "PENDING"), (11, "PENDING"), (21, "PENDING"), (90, "PENDING")]
    assert [time(s.due_at) for s in state.asked()] == ["17:00", "20:00", "21:00", "22:00"], "an hour for each rung"
    assert [time(s.requested_at) for s in state.asked()] == ["09:00", "19:00", "20:00", "21:00"]
    assert [s.climbs for s in state.asked()] == [0, 1, 2, 3]
    assert [s.reason for s in state.asked()] == ["", "boss 11", "boss 21", "boss 90"]
    assert {s.seat for s in state.asked()} == {1}, "one answer is enough"
    assert [s.id for s in state.asked()] == [1, -1, -2, -3]
    assert does(state, Verb.APPROVE, 1).status is WorkflowStatus.APPROVED, "late is not never"


def test_in_the_end_it_may_be_rejected_and_by_nobody() -> None:
    state, said = unanswered(begun(stage(1, ladder=changed(LADDER, rejects=True))), one_above)
    assert said[-2:] == ["21:00 REJECTED 21", "21:00 ENDED REJECTED: Nobody answered in time."]
    assert people(state) == [(1, "NOT_NEEDED"), (11, "NOT_NEEDED"), (21, "REJECTED")]
    last = of(state, 21)
    assert (last.decided_by, last.comments, last.timer_at) == (None, "Nobody answered in time.", None)
    assert time(last.decided_at) == "21:00"


def test_with_nobody_further_up_the_end_comes_at_once() -> None:
    _, said = unanswered(begun(stage(1)), nobody)
    assert said[2:] == ["19:00 CLIMBED 1 to 90", "19:00 ASKED 90"]
    _, said = unanswered(begun(stage(1, ladder=changed(LADDER, rejects=True))), nobody)
    assert said[2] == "19:00 REJECTED 1"


def test_a_ladder_without_rungs_goes_to_the_administrators() -> None:
    for rejects, expected in ((False, "19:00 CLIMBED 1 to 90"), (True, "19:00 REJECTED 1")):
        _, said = unanswered(begun(stage(1, ladder=changed(LADDER, repeat=0, rejects=rejects))), one_above)
        assert said[2] == expected


def test_with_nobody_at_all_it_stays_with_who_is_asked() -> None:
    state, said = unanswered(begun(stage(1)), nobody, admins=())
    assert said == ["13:00 REMINDED 1", "17:00 REMINDED 1", "19:00 REMINDED 1"]
    assert people(state) == [(1, "PENDING")]
    assert of(state, 1).timer_at is None


def test_a_stage_that_says_nothing() -> None:
    """One reminder when it is due, after a day somebody further up, daily, ten times, then the administrators."""
    state, said = unanswered(begun(stage(1, due_in=DAY, ladder=Ladder())), one_above)
    assert said[0] == "+1 09:00 REMINDED 1"
    climbed = [s for s in said if "CLIMBED" in s]
    assert climbed[0] == "+2 09:00 CLIMBED 1 to 11"
    assert climbed[1] == "+3 09:00 CLIMBED 11 to 21"
    assert climbed[9] == "+11 09:00 CLIMBED 91 to 101"
    assert climbed[10] == "+12 09:00 CLIMBED 101 to 90"
    assert len(climbed) == 11
    assert of(state, 90).climbs == 11


def test_time_is_up_for_one_of_two() -> None:
    """Rejecting by time is one answer: where one yes is enough, the other is still asked, and the stage goes on."""
    state = begun(stage(1, 2, needed=1, ladder=changed(LADDER, rejects=True)))
    state, _ = late(state, 1, clock("17:00"))
    state, effects = late(state, 1, clock("19:00"))
    assert words(effects) == ["REJECTED 1"]
    assert people(state) == [(1, "REJECTED"), (2, "PENDING")]
    assert time(of(state, 2).timer_at) == "13:00", "the other ladder is untouched"


# --- which of them, and when ------------------------------------------------------------------------------------------


def test_reminders_whose_time_has_passed_are_left_out() -> None:
    """Eight hours to decide: a day before is long gone, eight hours before is this moment."""
    many = Ladder((DAY, 8 * HOUR, HOUR, 0 * HOUR), 2 * HOUR, HOUR, 2)
    state = begun(stage(1, ladder=many))
    assert of(state, 1).reminders == 2
    _, said = unanswered(state, nobody)
    assert said[:3] == ["16:00 REMINDED 1", "17:00 REMINDED 1", "19:00 CLIMBED 1 to 90"]


def test_after_downtime_what_was_missed_is_one_reminder() -> None:
    many = Ladder((6 * HOUR, 4 * HOUR, HOUR, 0 * HOUR), 2 * HOUR, HOUR, 2)
    state = begun(stage(1, ladder=many))
    assert time(of(state, 1).timer_at) == "11:00"
    now, effects = late(state, 1, clock("13:00"))
    assert words(effects) == ["REMINDED 1"]
    assert (of(now, 1).reminders, time(of(now, 1).timer_at)) == (2, "16:00")
    now, _ = late(state, 1, clock("12:59"))
    assert (of(now, 1).reminders, time(of(now, 1).timer_at)) == (1, "13:00")
    now, effects = late(state, 1, clock("20:30"))
    assert words(effects) == ["REMINDED 1"], "reminded before anybody else is asked"
    assert (of(now, 1).reminders, time(of(now, 1).timer_at)) == (4, "19:00")
    _, effects = late(now, 1, clock("20:30"), above=[5])
    assert words(effects) == ["CLIMBED 1 to 5", "ASKED 5"]


def test_nothing_is_due_before_its_time() -> None:
    state = begun(stage(1))
    early = clock("13:00") - timedelta(microseconds=1)
    assert late(state, 1, early) == (state, [])
    assert words(late(state, 1, clock("13:00"))[1]) == ["REMINDED 1"]


def test_a_timer_left_over_does_nothing() -> None:
    """Of a step that is answered, one that has no timer, or a workflow that has ended: whatever the rows say."""
    state = begun(stage(1, 2))
    step = of(state, 1)
    long_after = clock("+9 09:00")
    for left in (
        changed(step, status=StepStatus.APPROVED),
        changed(step, status=StepStatus.WAITING),
        changed(step, timer_at=None),
    ):
        odd = changed(state, stages=(state.stages[0].holding(left),))
        assert engine.on_time(odd, 1, [], [], long_after) == (odd, [])
    for status in (WorkflowStatus.APPROVED, WorkflowStatus.REJECTED, WorkflowStatus.CANCELLED):
        odd = changed(state, status=status)
        assert engine.on_time(odd, 1, [], [], long_after) == (odd, [])


def test_the_same_reminder_is_never_given_twice() -> None:
    """Not even when its timer comes early, as after somebody prolonged what there is to decide."""
    state = begun(stage(1))
    early = changed(of(state, 1), timer_at=clock("10:00"))
    state, effects = late(changed(state, stages=(state.stages[0].holding(early),)), 1, clock("10:00"))
    assert words(effects) == ["REMINDED 1"]
    assert (of(state, 1).reminders, time(of(state, 1).timer_at)) == (1, "17:00")


def test_there_are_no_more_reminders_than_were_asked_for() -> None:
    step = of(begun(stage(1)), 1)
    assert [LADDER.reminds(changed(step, reminders=n)) for n in range(4)] == [True, True, False, False]
    assert not LADDER.reminds(changed(step, climbs=1)), "who is asked further up is not reminded"


def test_without_a_due_time_nothing_is_ever_due() -> None:
    assert LADDER.fires_at(changed(of(begun(stage(1)), 1), due_at=None), AT) is None


# --- several at once --------------------------------------------------------------------------------------------------


def test_several_further_up_are_asked_together_and_one_ladder_goes_on() -> None:
    state = begun(stage(1, 2, ladder=changed(LADDER, remind_before=())), stage(3), barred=[8])
    state, effects = late(state, 1, clock("19:00"), above=[5, 2, 6, 8, 5, 1, 7], admins=[90])
    assert words(effects) == [
        "CLIMBED 1 to 5",
        "ASKED 5",
        "CLIMBED 1 to 6 (again)",
        "ASKED 6",
        "CLIMBED 1 to 7 (again)",
        "ASKED 7",
    ], "not who has a part in the stage, who is barred, or anybody twice"
    assert [p for p, _ in people(state)] == [1, 5, 6, 7, 2, 3], "behind the late one, in their order"
    assert [time(of(state, p).timer_at) for p in (1, 5, 6, 7)] == [None, "20:00", None, None]
    assert {of(state, p).climbs for p in (5, 6, 7)} == {1}
    assert len({s.id for one in state.stages for s in one.steps}) == 6
    _, effects = late(state, 5, clock("20:00"), above=[1, 6], admins=[7, 90])
    assert words(effects) == ["CLIMBED 5 to 90", "ASKED 90"], "administrators too only when they are new to it"
    answered = does(state, Verb.APPROVE, 6, clock("19:30"))
    assert [of(answered, p).status.value for p in (1, 5, 6, 7)] == [
        "NOT_NEEDED",
        "NOT_NEEDED",
        "APPROVED",
        "NOT_NEEDED",
    ]
    assert [of(answered, p).timer_at for p in (1, 5, 6, 7)] == [None] * 4


def test_who_is_barred_and_has_a_part_is_not_asked_either() -> None:
    """As after an edit by one who is asked themself."""
    state = begun(stage(1, 2, ladder=changed(LADDER, remind_before=())), barred=[2])
    _, effects = late(state, 1, clock("19:00"), above=[2], admins=[2, 90])
    assert words(effects) == ["CLIMBED 1 to 90", "ASKED 90"]


def test_each_of_a_committee_has_a_ladder() -> None:
    state = begun(stage(1, 2, needed=1))
    assert [time(of(state, p).timer_at) for p in (1, 2)] == ["13:00", "13:00"]
    state, effects = late(state, 1, clock("13:00"))
    assert words(effects) == ["REMINDED 1"], "everybody by their own"
    assert [time(of(state, p).timer_at) for p in (1, 2)] == ["17:00", "13:00"]
    assert [of(state, p).reminders for p in (1, 2)] == [1, 0]


# --- an emergency -----------------------------------------------------------------------------------------------------


def emergency(*asked: int, ladder: Ladder = EMERGENCY) -> engine.State:
    return begun(stage(*asked, needed=1, first_answer_counts=True, due_in=timedelta(minutes=15), ladder=ladder))


def test_an_emergency_goes_further_up_every_fifteen_minutes() -> None:
    state = emergency(1, 2, 3)
    assert [time(of(state, p).timer_at) for p in (1, 2, 3)] == ["09:15", None, None], "one ladder is enough"
    assert [time(of(state, p).due_at) for p in (1, 2, 3)] == ["09:15"] * 3
    _, said = unanswered(state, one_above)
    assert said[:6] == [
        "09:15 CLIMBED 1 to 11",
        "09:15 ASKED 11",
        "09:30 CLIMBED 11 to 21",
        "09:30 ASKED 21",
        "09:45 CLIMBED 21 to 31",
        "09:45 ASKED 31",
    ]
    assert said[-2:] == ["11:45 CLIMBED 101 to 90", "11:45 ASKED 90"]


def test_an_emergency_does_not_wait_for_an_answer() -> None:
    state = does(emergency(1, 2), Verb.REQUEST_INFO, 1, clock("09:05"))
    assert time(of(state, 1).timer_at) == "09:15"
    state, effects = engine.answer(state, "The light one", clock("09:12"))
    assert words(effects) == ["QUESTIONS CLOSED 1: The light one"]
    assert (time(of(state, 1).due_at), time(of(state, 1).timer_at)) == ("09:22", "09:15")
    state = does(emergency(1, 2), Verb.REQUEST_INFO, 1, clock("09:05"))
    state, effects = late(state, 1, clock("09:15"), above=[5])
    assert words(effects) == ["CLIMBED 1 to 5", "ASKED 5"]
    state, _ = engine.answer(state, "The light one", clock("09:20"))
    assert [time(of(state, p).timer_at) for p in (1, 2, 5)] == [None, None, "09:30"]


def test_in_an_emergency_the_ladder_goes_with_who_is_handed_it() -> None:
    state = emergency(1, 2)
    with_it = does(state, Verb.DELEGATE, 1, clock("09:05"), to=7)
    assert [time(of(with_it, p).timer_at) for p in (1, 2, 7)] == [None, None, "09:20"]
    without = does(state, Verb.DELEGATE, 2, clock("09:05"), to=7)
    assert [time(of(without, p).timer_at) for p in (1, 2, 7)] == ["09:15", None, None]
    more = does(state, Verb.ADD_APPROVER, 2, clock("09:05"), to=7)
    assert [time(of(more, p).timer_at) for p in (1, 2, 7)] == ["09:15", None, None]


def test_where_the_first_answer_counts_one_ladder_reminds_everybody_still_asked() -> None:
    state = emergency(1, 2, 3, 4, ladder=Ladder((timedelta(minutes=5), timedelta(0)), HOUR, HOUR, 2))
    state = does(state, Verb.REQUEST_INFO, 3, clock("09:01"))
    state, effects = late(state, 1, clock("09:10"))
    assert words(effects) == ["REMINDED 1", "REMINDED 2", "REMINDED 4"]
    assert [of(state, p).reminders for p in (1, 2, 3, 4)] == [1, 1, 0, 1]
    assert [time(of(state, p).timer_at) for p in (1, 2, 3, 4)] == ["09:15", None, None, None]
    state = emergency(1, 2, 3, ladder=Ladder((timedelta(0),), HOUR, HOUR, 2))
    with_second = [changed(s, timer_at=clock("09:15") if s.approver == 2 else None) for s in state.stages[0].steps]
    _, effects = late(changed(state, stages=(changed(state.stages[0], steps=tuple(with_second)),)), 2, clock("09:15"))
    assert words(effects) == ["REMINDED 2", "REMINDED 1", "REMINDED 3"], "whoever of them has it"
    state = does(emergency(1, 2, ladder=LADDER), Verb.ADD_APPROVER, 1, to=5)
    assert of(state, 5).timer_at is None


def test_who_was_asked_late_is_not_reminded_with_the_others() -> None:
    """Somebody further up has a ladder without reminders; handed on by them, it begins anew for the one who gets it."""
    state = emergency(1, 2, ladder=Ladder((timedelta(0),), HOUR, HOUR, 5))
    state, _ = late(state, 1, clock("09:15"))
    state, effects = late(state, 1, clock("10:15"), above=[5, 6])
    assert words(effects) == ["CLIMBED 1 to 5", "ASKED 5", "CLIMBED 1 to 6 (again)", "ASKED 6"]
    state = does(state, Verb.ESCALATE, 5, clock("10:20"), to=7)
    assert time(of(state, 7).timer_at) == "11:15", "due when the one who handed it on would have been"
    state, effects = late(state, 7, clock("11:15"))
    assert words(effects) == ["REMINDED 7", "REMINDED 1", "REMINDED 2"]


# --- questions --------------------------------------------------------------------------------------------------------


def test_a_question_stops_the_ladder_for_as_long_as_it_is_open() -> None:
    asked = does(begun(stage(1, 2)), Verb.REQUEST_INFO, 1, clock("12:00"))
    step = of(asked, 1)
    assert (step.timer_at, time(step.info_requested_at), step.comments) == (None, "12:00", "because")
    state, effects = engine.answer(asked, "The light one", clock("15:30"))
    assert words(effects) == ["QUESTIONS CLOSED 1: The light one"]
    step = of(state, 1)
    assert (time(step.due_at), time(step.timer_at)) == ("20:30", "16:30")
    assert (step.status, step.info_requested_at, step.reminders) == (StepStatus.PENDING, None, 0)
    assert (time(of(state, 2).due_at), time(of(state, 2).timer_at)) == ("17:00", "13:00")


def test_after_the_reminders_a_question_puts_off_the_rung() -> None:
    state = begun(stage(1))
    for reminder in ("13:00", "17:00"):
        state, _ = late(state, 1, clock(reminder))
    assert time(of(state, 1).timer_at) == "19:00"
    state = does(state, Verb.REQUEST_INFO, 1, clock("18:00"))
    state, _ = engine.answer(state, "Here", clock("+1 08:00"))
    assert time(of(state, 1).timer_at) == "+1 09:00"


def test_a_reminder_that_was_due_when_the_question_was_put_comes_with_the_answer() -> None:
    state = does(begun(stage(1)), Verb.REQUEST_INFO, 1, clock("13:30"))
    state, _ = engine.answer(state, "Here", clock("14:00"))
    assert (time(of(state, 1).due_at), time(of(state, 1).timer_at)) == ("17:30", "14:00")


def test_a_question_nobody_knows_the_time_of_moves_nothing() -> None:
    state = begun(stage(1))
    odd = changed(of(state, 1), status=StepStatus.INFO_REQUESTED, timer_at=None)
    state, _ = engine.answer(changed(state, stages=(state.stages[0].holding(odd),)), "Here", clock("12:00"))
    assert (time(of(state, 1).due_at), time(of(state, 1).timer_at)) == ("17:00", "13:00")
    undated = changed(odd, due_at=None)
    state, _ = engine.answer(changed(state, stages=(state.stages[0].holding(undated),)), "Here", clock("12:00"))
    assert (of(state, 1).due_at, of(state, 1).timer_at) == (None, None)


def asked_and_answered(state: engine.State, *asking: int, at: str) -> list[int]:
    """These ask back and are answered: for whom the ladder goes on."""
    for person in asking:
        state = does(state, Verb.REQUEST_INFO, person, clock(at))
    state, _ = engine.answer(state, "Here", clock(at))
    return [s.approver for s in state.asked() if s.timer_at]


def test_after_a_question_a_seat_has_the_one_ladder_it_had() -> None:
    """With the first of those asked last: never with two, and never with nobody, whoever asked back."""
    state = begun(stage(1, ladder=changed(LADDER, remind_before=(), repeat=3)))
    state, _ = late(state, 1, clock("19:00"), above=[5, 6])
    for asking in ((1,), (5,), (6,), (1, 5), (5, 6), (1, 5, 6)):
        assert asked_and_answered(state, *asking, at="19:10") == [5], asking
    handed = does(state, Verb.ESCALATE, 5, clock("19:05"), to=8)
    for asking in ((1,), (6,), (8,), (1, 6, 8)):
        assert asked_and_answered(handed, *asking, at="19:10") == [8], asking
    left, _ = engine.reroute(state, of(state, 5).id, engine.Receiver(8, "left"), clock("19:05"))
    assert asked_and_answered(left, 8, at="19:10") == [8]
    higher, _ = late(state, 5, clock("20:00"), above=[9])
    for asking in ((5,), (9,), (1, 5, 9)):
        assert asked_and_answered(higher, *asking, at="20:10") == [9], asking


def test_another_seats_question_is_no_business_of_this_one() -> None:
    state = begun(stage(1, 2))
    assert asked_and_answered(state, 1, at="10:00") == [1, 2]
    assert asked_and_answered(state, 1, 2, at="10:00") == [1, 2]
    for handing, other in ((1, 2), (2, 1)):
        handed = does(state, Verb.DELEGATE, handing, clock("09:30"), to=7)
        assert sorted(asked_and_answered(handed, other, at="10:00")) == [other, 7], "whoever was asked later elsewhere"


def test_when_the_ladder_is_over_a_question_does_not_begin_it_again() -> None:
    state, _ = unanswered(begun(stage(1)), one_above)
    for asking in (1, 11, 21, 90):
        assert asked_and_answered(state, asking, at="22:00") == []


# --- handing on -------------------------------------------------------------------------------------------------------


def test_who_is_handed_it_has_the_whole_ladder_before_them() -> None:
    state = begun(stage(1))
    for reminder in ("13:00", "17:00"):
        state, _ = late(state, 1, clock(reminder))
    state, said = doing(state, Verb.DELEGATE, 1, clock("18:00"), to=7, to_reason="knows it")
    assert said == ["DELEGATED 1 to 7", "ASKED 7"]
    step = of(state, 7)
    assert (step.reminders, step.climbs, step.reason) == (0, 0, "knows it")
    assert (time(step.requested_at), time(step.due_at), time(step.timer_at)) == ("18:00", "+1 02:00", "22:00")


@pytest.mark.parametrize(
    ("due_in", "at", "due"),
    [
        (DAY, "10:00", "+1 09:00"),  # the time there was is not shortened
        (DAY, "+1 00:59", "+1 09:00"),
        (DAY, "+1 01:01", "+1 09:01"),  # at least eight hours
        (DAY, "+2 09:00", "+2 17:00"),
        (HOUR, "09:30", "10:30"),  # or all there is in the stage, if it is less
    ],
)
@pytest.mark.parametrize("verb", [Verb.DELEGATE, Verb.ESCALATE])
def test_who_is_handed_it_has_time_to_decide(due_in: timedelta, at: str, due: str, verb: Verb) -> None:
    state = does(begun(stage(1, due_in=due_in)), verb, 1, clock(at), to=7)
    assert time(of(state, 7).due_at) == due


@pytest.mark.parametrize(("at", "due"), [("09:00", "17:00"), ("10:00", "18:00"), ("+3 10:00", "+3 18:00")])
def test_in_place_of_who_left_there_is_all_the_time_of_the_stage(at: str, due: str) -> None:
    state, effects = engine.reroute(begun(stage(1)), 1, engine.Receiver(7, "1 left"), clock(at))
    assert words(effects) == ["REROUTED 1 to 7", "ASKED 7"]
    gone, step = state.stages[0].steps
    assert (gone.status, gone.comments, gone.timer_at) == (StepStatus.REROUTED, "1 left", None)
    assert (time(step.due_at), step.reason, step.seat, step.order) == (due, "1 left", gone.seat, gone.order)


def test_a_step_due_later_than_the_stage_gives_stays_due_then() -> None:
    state = does(begun(stage(1)), Verb.REQUEST_INFO, 1, AT)
    state, _ = engine.answer(state, "Here", clock("+1 09:00"))
    assert time(of(state, 1).due_at) == "+1 17:00"
    state, _ = engine.reroute(state, 1, engine.Receiver(7, "left"), clock("+1 09:00") - HOUR)
    assert time(of(state, 7).due_at) == "+1 17:00"


def test_everybody_is_asked_as_of_the_moment_their_turn_comes() -> None:
    state = begun(stage(1), stage(2))
    state = does(state, Verb.APPROVE, 1, clock("11:00"))
    step = of(state, 2)
    assert (time(step.requested_at), time(step.due_at), time(step.timer_at)) == ("11:00", "19:00", "15:00")


def test_what_is_planned_has_no_timer_yet() -> None:
    for step in planned(stage(1, 2)).stages[0].steps:
        assert (step.timer_at, step.requested_at, step.due_at, step.reminders, step.climbs) == (None, None, None, 0, 0)
    state, effects = engine.begin(planned(stage(1, 2), stage(3)), AT)
    assert words(effects) == ["ASKED 1", "ASKED 2"]
    assert all(isinstance(e, Happened) and e.step == state.find(e.step.id)[1] for e in effects)
