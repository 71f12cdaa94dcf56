"""The engine by properties: random workflows, random answers, and what must always hold."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waypost.approvals import engine
from waypost.approvals.definition import Mode
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
    ASKED,
    UNDECIDED,
    Action,
    Ended,
    Happened,
    Ladder,
    QuestionsClosed,
    Receiver,
    Stage,
    StageStatus,
    State,
    Step,
    StepStatus,
    Verb,
    What,
    WorkflowStatus,
)
from waypost.kernel.errors import Refusal

AT = datetime(2026, 1, 5, 9, tzinfo=UTC)


def workflow(*stages: tuple[Mode, int, list[int]], barred: frozenset[int] = frozenset(), first: bool = False) -> State:
    made, number = [], 0
    for n, (mode, needed, people) in enumerate(stages):
        steps = []
        for person in people:
            number += 1
            steps.append(Step(number, number, number, person, StepStatus.WAITING))
        made.append(
            Stage(n + 1, n + 1, f"Stage {n}", mode, needed, first, timedelta(days=1), StageStatus.WAITING, tuple(steps))
        )
    return State(WorkflowStatus.RUNNING, tuple(made), barred)


P, S = Mode.PARALLEL, Mode.SEQUENTIAL


def begun(*stages: tuple[Mode, int, list[int]], **more: Any) -> State:
    return engine.begin(workflow(*stages, **more), AT)[0]


def act(state: State, verb: Verb, step: int, by: int, comments: str = "because", **more: Any) -> State:
    return engine.act(state, Action(verb, step, by, comments, **more), AT)[0]


def statuses(state: State) -> list[StepStatus]:
    return [s.status for stage in state.stages for s in stage.steps]


def test_two_of_three() -> None:
    """Votes yes, no, yes approve; no, no reject, and nobody stays asked."""
    state = begun((P, 2, [1, 2, 3]))
    state = act(act(state, Verb.APPROVE, 1, 1), Verb.REJECT, 2, 2)
    assert state.status is WorkflowStatus.RUNNING
    assert act(state, Verb.APPROVE, 3, 3).status is WorkflowStatus.APPROVED
    state = act(act(begun((P, 2, [1, 2, 3])), Verb.REJECT, 1, 1), Verb.REJECT, 2, 2)
    assert state.status is WorkflowStatus.REJECTED
    assert statuses(state)[2] is StepStatus.NOT_NEEDED


def test_all_and_any() -> None:
    assert act(begun((P, 3, [1, 2, 3])), Verb.REJECT, 2, 2).status is WorkflowStatus.REJECTED
    assert act(begun((P, 1, [1, 2, 3])), Verb.APPROVE, 2, 2).status is WorkflowStatus.APPROVED
    state = act(begun((P, 1, [1, 2])), Verb.REJECT, 1, 1)
    assert state.status is WorkflowStatus.RUNNING, "somebody may still say yes"
    assert act(state, Verb.REJECT, 2, 2).status is WorkflowStatus.REJECTED


def test_first_answer_counts() -> None:
    assert act(begun((P, 1, [1, 2]), first=True), Verb.REJECT, 1, 1).status is WorkflowStatus.REJECTED


def test_one_after_the_other() -> None:
    state = begun((S, 2, [1, 2]), (P, 1, [3]))
    assert statuses(state) == [StepStatus.PENDING, StepStatus.WAITING, StepStatus.WAITING]
    with pytest.raises(StepNotOpen):
        act(state, Verb.APPROVE, 2, 2)
    state = act(state, Verb.APPROVE, 1, 1)
    assert statuses(state)[1] is StepStatus.PENDING
    state = act(state, Verb.APPROVE, 2, 2)
    assert [s.status for s in state.stages] == [StageStatus.APPROVED, StageStatus.OPEN]
    assert act(state, Verb.APPROVE, 3, 3).status is WorkflowStatus.APPROVED
    ended = act(state, Verb.REJECT, 3, 3)
    assert ended.status is WorkflowStatus.REJECTED


def test_nobody_left_to_ask_is_approved() -> None:
    state, effects = engine.begin(State(WorkflowStatus.RUNNING, ()), AT)
    assert state.status is WorkflowStatus.APPROVED
    assert effects == [Ended(WorkflowStatus.APPROVED, "")]


def test_refusals() -> None:
    state = begun((P, 2, [1, 2]), barred=frozenset({2}))
    with pytest.raises(NotAsked):
        act(state, Verb.APPROVE, 1, 2)
    with pytest.raises(SelfApproval):
        act(state, Verb.APPROVE, 2, 2)
    for verb in (Verb.REJECT, Verb.REQUEST_INFO):
        with pytest.raises(CommentNeeded):
            act(state, verb, 1, 1, comments="  ")
    with pytest.raises(BadDelegate, match="needed"):
        act(state, Verb.DELEGATE, 1, 1)
    with pytest.raises(NobodyAbove):
        act(state, Verb.ESCALATE, 1, 1)
    for to, why in ((1, "already"), (2, "changed"), (3, "work here")):
        with pytest.raises(BadDelegate, match=why):
            act(state, Verb.DELEGATE, 1, 1, to=to, to_is_able=to != 3)
    ended = act(state, Verb.REJECT, 1, 1)
    with pytest.raises(StepDecided):
        act(ended, Verb.APPROVE, 1, 1)
    with pytest.raises(KeyError):
        state.find(77)
    assert act(state, Verb.REJECT, 2, 2).status is WorkflowStatus.REJECTED, "denying one's own is allowed"


def test_delegating_keeps_the_seat() -> None:
    state = begun((P, 2, [1, 2]))
    handed, effects = engine.act(state, Action(Verb.DELEGATE, 1, 1, "You know it", to=7), AT)
    answered, asked = effects
    assert isinstance(answered, Happened)
    assert isinstance(asked, Happened)
    assert (answered.what, asked.what) == (What.DELEGATED, What.ASKED)
    assert (asked.step.approver, asked.step.on_behalf_of, asked.step.seat) == (7, 1, 1)
    with pytest.raises(BadDelegate, match="part in this stage"):
        act(handed, Verb.DELEGATE, asked.step.id, 7, to=2)
    again = act(handed, Verb.DELEGATE, asked.step.id, 7, to=8)
    assert again.asked()[0].on_behalf_of == 1, "still for the one it began with"
    up = act(handed, Verb.ESCALATE, asked.step.id, 7, to=9)
    assert up.asked()[0].on_behalf_of is None, "who is higher up decides in their own name"
    state = act(again, Verb.APPROVE, again.asked()[0].id, 8)
    assert act(state, Verb.APPROVE, 2, 2).status is WorkflowStatus.APPROVED


def test_handing_on_ends_somewhere() -> None:
    state = begun((P, 1, [1]))
    for to in range(2, 2 + engine.MAX_HANDOVERS):
        step = state.asked()[0]
        state = act(state, Verb.DELEGATE, step.id, step.approver, to=to)
    step = state.asked()[0]
    with pytest.raises(BadDelegate, match="too often"):
        act(state, Verb.DELEGATE, step.id, step.approver, to=99)


def test_a_question_stops_the_clock() -> None:
    state, effects = engine.act(begun((P, 2, [1, 2])), Action(Verb.REQUEST_INFO, 1, 1, "Which?"), AT)
    assert isinstance(effects[0], Happened)
    with pytest.raises(StepNotOpen):
        act(state, Verb.REQUEST_INFO, 1, 1)
    with pytest.raises(CommentNeeded):
        engine.answer(state, " ", AT)
    later = AT + timedelta(hours=5)
    state, effects = engine.answer(state, "The light one", later)
    assert effects == [QuestionsClosed((1,), "The light one", lapsed=False)]
    assert state.asked()[0].due_at == AT + timedelta(days=1, hours=5)
    assert state.asked()[1].due_at == AT + timedelta(days=1), "nobody asked for that clock to stop"


def test_a_decision_lets_the_question_lapse() -> None:
    state = act(begun((P, 1, [1, 2])), Verb.REQUEST_INFO, 1, 1)
    _, effects = engine.act(state, Action(Verb.APPROVE, 2, 2), AT)
    assert [type(e) for e in effects] == [Happened, QuestionsClosed, Ended]
    own = act(state, Verb.REJECT, 1, 1)
    assert own.status is WorkflowStatus.RUNNING
    _, effects = engine.act(state, Action(Verb.REJECT, 1, 1, "no"), AT)
    assert [type(e) for e in effects] == [Happened, QuestionsClosed]


def test_cancelling() -> None:
    state = act(begun((P, 2, [1, 2]), (P, 1, [3])), Verb.APPROVE, 1, 1)
    state, effects = engine.cancel(state)
    assert effects == []
    assert statuses(state) == [StepStatus.APPROVED, StepStatus.CANCELLED, StepStatus.CANCELLED]
    assert {s.status for s in state.stages} == {StageStatus.CANCELLED}
    with pytest.raises(StepDecided):
        engine.cancel(state)
    done, _ = engine.cancel(act(begun((P, 1, [1]), (P, 1, [2])), Verb.APPROVE, 1, 1))
    assert done.stages[0].status is StageStatus.APPROVED


def test_what_can_be_done() -> None:
    assert engine.open_verbs(StepStatus.PENDING, is_barred=False) == tuple(Verb)
    assert Verb.REQUEST_INFO not in engine.open_verbs(StepStatus.INFO_REQUESTED, is_barred=False)
    assert Verb.APPROVE not in engine.open_verbs(StepStatus.PENDING, is_barred=True)
    assert engine.open_verbs(StepStatus.APPROVED, is_barred=False) == ()


@st.composite
def started(draw: Any) -> State:
    stages = []
    for _ in range(draw(st.integers(1, 3))):
        people = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4, unique=True))
        mode = draw(st.sampled_from(Mode))
        stages.append((mode, len(people) if mode is S else draw(st.integers(1, len(people))), people))
    return begun(*stages, barred=draw(st.frozensets(st.integers(6, 8), max_size=2)), first=draw(st.booleans()))


ACTIONS = st.lists(
    st.builds(
        Action,
        verb=st.sampled_from(Verb),
        step_id=st.integers(0, 30),
        by=st.integers(1, 9),
        comments=st.sampled_from(["", "words"]),
        to=st.none() | st.integers(1, 9),
        to_is_able=st.booleans(),
    )
    | st.just("answer"),
    max_size=25,
)


def run(state: State, actions: list[Any]) -> list[State]:
    """Every state on the way. A random step id means "one of those asked", so that many actions hit."""
    seen = [state]
    for n, action in enumerate(actions):
        at = AT + timedelta(minutes=n)
        asked = state.asked()
        try:
            if action == "answer":
                state, _ = engine.answer(state, "here", at)
            elif asked:
                step = asked[action.step_id % len(asked)]
                by = step.approver if action.by % 3 else action.by
                state, _ = engine.act(state, replace(action, step_id=step.id, by=by), at)
        except Refusal:
            continue
        seen.append(state)
    return seen


@given(started(), ACTIONS)
@settings(max_examples=300, deadline=None)
def test_what_always_holds(state: State, actions: list[Any]) -> None:
    seen = run(state, actions)
    for before, after in itertools.pairwise(seen):
        for stage in before.stages:
            for step in stage.steps:
                if step.status not in UNDECIDED:
                    assert after.find(step.id)[1] == step, "a decided step changed"
        if before.status is not WorkflowStatus.RUNNING:
            assert after == before, "an ended workflow changed"
    for now in seen:
        for stage in now.stages:
            held = {}
            for s in stage.steps:
                held[s.seat] = s.approver
            assert len(held) == len(set(held.values())), "a person holds two seats of a stage"
        for step in (s for stage in now.stages for s in stage.steps):
            assert not (step.status is StepStatus.APPROVED and step.approver in now.barred), "a self-approval"
        waits = bool(now.asked())
        assert waits == (now.status is WorkflowStatus.RUNNING), (
            "a running workflow waits for somebody, an ended for nobody"
        )
        ids = [s.id for stage in now.stages for s in stage.steps]
        assert len(ids) == len(set(ids))
    assert run(state, actions) == seen, "replaying gives the same"


@given(started())
@settings(max_examples=100, deadline=None)
def test_every_workflow_can_end(state: State) -> None:
    for verb, status in ((Verb.APPROVE, WorkflowStatus.APPROVED), (Verb.REJECT, WorkflowStatus.REJECTED)):
        now = state
        while asked := now.asked():
            now = act(now, verb, asked[0].id, asked[0].approver)
        assert now.status is status


@given(started(), st.randoms())
@settings(max_examples=100, deadline=None)
def test_order_of_votes_does_not_matter_for_a_count(state: State, random: Any) -> None:
    """Of one stage's answers, any order gives the same result: nothing a race could change."""
    stage = state.stages[0]
    if stage.mode is S or stage.first_answer_counts:
        return
    votes = {s.id: random.choice([Verb.APPROVE, Verb.REJECT]) for s in stage.steps}
    results = set()
    for _ in range(4):
        order = list(stage.steps)
        random.shuffle(order)
        now = state
        for step in order:
            if now.stages[0].status is StageStatus.OPEN:
                now = act(now, votes[step.id], step.id, step.approver)
        results.add(now.stages[0].status)
    assert len(results) == 1
    assert not ASKED & {s.status for s in now.stages[0].steps}


def test_one_more_never_makes_it_easier() -> None:
    """Whoever is asked adds a friend: as many of the others have to agree as before."""
    state = begun((P, 2, [1, 2, 3, 4]))
    state = act(state, Verb.ADD_APPROVER, 1, 1, to=9)
    assert state.stages[0].needed == 3
    friend = next(s for s in state.asked() if s.approver == 9)
    state = act(act(state, Verb.APPROVE, 1, 1), Verb.APPROVE, friend.id, 9)
    assert state.status is WorkflowStatus.RUNNING
    assert act(state, Verb.APPROVE, 2, 2).status is WorkflowStatus.APPROVED
    for needed, people, first, expected in ((1, [1, 2], False, 1), (1, [1], False, 2), (1, [1], True, 1)):
        grown = act(begun((P, needed, people), first=first), Verb.ADD_APPROVER, 1, 1, to=9)
        assert grown.stages[0].needed == expected


def test_nobody_says_yes_for_who_is_barred() -> None:
    state = begun((P, 2, [1, 2]))
    handed = act(state, Verb.DELEGATE, 1, 1, to=7)
    step = handed.asked()[0]
    assert (step.approver, step.on_behalf_of) == (7, 1)
    barred = replace(handed, barred=frozenset({1}))
    with pytest.raises(SelfApproval):
        act(barred, Verb.APPROVE, step.id, 7)
    assert act(barred, Verb.REJECT, step.id, 7).status is WorkflowStatus.REJECTED
    with pytest.raises(SelfApproval):
        act(replace(state, barred=frozenset({1})), Verb.APPROVE, 1, 8, as_deputy=True)


def climbing(*people: int) -> State:
    """They are asked, nobody is reminded, and whoever is late is not asked alone any more."""
    planned = workflow((P, 1, list(people)))
    ladder = Ladder((), timedelta(0), timedelta(days=1))
    return engine.begin(replace(planned, stages=(replace(planned.stages[0], ladder=ladder),)), AT)[0]


def test_a_question_of_who_was_late_starts_no_second_ladder() -> None:
    further_up = [Receiver(p, "further up") for p in (5, 6)]
    state, _ = engine.on_time(climbing(1), 1, further_up, [], AT + timedelta(days=1))
    one, five, six = (next(s for s in state.asked() if s.approver == p) for p in (1, 5, 6))
    assert [bool(s.timer_at) for s in (one, five, six)] == [False, True, False]
    for step, goes_on in ((one, False), (five, True), (six, False)):
        paused = act(state, Verb.REQUEST_INFO, step.id, step.approver)
        answered, _ = engine.answer(paused, "Here", AT + timedelta(days=2))
        assert bool(answered.find(step.id)[1].timer_at) is goes_on, step.approver


def test_what_brings_it_to_several_says_so_once() -> None:
    receivers = [Receiver(p, "team") for p in (5, 6, 7)]
    _, effects = engine.on_time(climbing(1), 1, receivers, [], AT + timedelta(days=1))
    climbed = [e for e in effects if isinstance(e, Happened) and e.what is What.CLIMBED]
    assert [e.again for e in climbed] == [False, True, True]


def test_everybody_is_reminded_where_the_first_answer_counts() -> None:
    state = begun((P, 1, [1, 2, 3]), first=True)
    state = act(state, Verb.REQUEST_INFO, 3, 3)
    assert [bool(s.timer_at) for s in state.stages[0].steps] == [True, False, False]
    state, effects = engine.on_time(state, 1, [], [], AT + timedelta(days=1))
    reminded = [e.step.approver for e in effects if isinstance(e, Happened) and e.what is What.REMINDED]
    assert reminded == [1, 2], "not who waits for an answer themself"
    assert [s.reminders for s in state.stages[0].steps] == [1, 1, 0]


def test_what_was_handed_on_comes_back() -> None:
    state = act(begun((P, 1, [1, 2])), Verb.DELEGATE, 1, 1, to=7)
    step = state.asked()[0]
    state, effects = engine.reroute(state, step.id, Receiver(1, "given back"), AT)
    back = next(s for s in state.asked() if s.approver == 1)
    assert (back.seat, back.on_behalf_of) == (step.seat, None)
    assert [e.what for e in effects if isinstance(e, Happened)] == [What.REROUTED, What.ASKED]
    assert act(state, Verb.APPROVE, back.id, 1).status is WorkflowStatus.APPROVED
