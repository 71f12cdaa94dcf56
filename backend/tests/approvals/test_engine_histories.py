"""The engine against a small independent model: random histories of everything that can happen to an approval.

The model knows no steps and no timers. It keeps, of each place, who may fill which seat and how each was filled, and
says by counting alone who is asked and how it ends. `HISTORIES` sets how many are generated.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from waypost.approvals import engine, states
from waypost.approvals.definition import Mode
from waypost.approvals.states import (
    ASKED,
    UNDECIDED,
    Action,
    Happened,
    Ladder,
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

HISTORIES = int(os.environ.get("HISTORIES", "1500"))
AT = datetime(2026, 1, 5, 9, tzinfo=UTC)
PEOPLE = st.integers(1, 9)
RUNNING = WorkflowStatus.RUNNING


@dataclass
class Seat:
    """Who may fill it now, how it was filled, and how often it was handed on."""

    holders: set[int]
    answer: bool | None = None
    steps: int = 1


@dataclass
class Place:
    """A stage: `needed` of its seats must say yes."""

    one_by_one: bool
    needed: int
    first_counts: bool
    seats: list[Seat]
    involved: set[int] = field(default_factory=set)

    def result(self) -> bool | None:
        answers = [s.answer for s in self.seats]
        if answers.count(True) >= self.needed:
            return True
        hopeless = len(answers) - answers.count(False) < self.needed
        return False if hopeless or (self.first_counts and False in answers) else None


@dataclass
class Model:
    """What must be the case, by counting."""

    places: list[Place | None]  # None: it does not apply
    ended: WorkflowStatus | None = None

    def status(self) -> WorkflowStatus:
        if self.ended:
            return self.ended
        results = [p.result() for p in self.places if p]
        if False in results:
            return WorkflowStatus.REJECTED
        return WorkflowStatus.APPROVED if all(results) else RUNNING

    def open_place(self) -> Place | None:
        return next((p for p in self.places if p and p.result() is None), None)

    def asked(self) -> list[int]:
        place = self.open_place()
        if place is None or self.status() is not RUNNING:
            return []
        empty = [s for s in place.seats if s.answer is None]
        return sorted(p for s in (empty[:1] if place.one_by_one else empty) for p in s.holders)


@st.composite
def stages(draw: Any, count: int | None = None) -> tuple[Stage, ...]:
    """Stages as planning makes them: negative ids, positions from 1, people each once per stage."""
    made: list[Stage] = []
    number = 0
    for position in range(1, (count or draw(st.integers(1, 3))) + 1):
        applies = draw(st.sampled_from([True, True, True, False])) or (position == 1 and count is None)
        people = draw(st.lists(PEOPLE, min_size=1, max_size=4, unique=True)) if applies else []
        mode = draw(st.sampled_from(Mode))
        first = mode is Mode.PARALLEL and draw(st.sampled_from([False, False, True]))
        needed = len(people) if mode is Mode.SEQUENTIAL else 1 if first else draw(st.integers(1, max(len(people), 1)))
        steps = []
        for person in people:
            number += 1
            steps.append(Step(-number, number, number, person, StepStatus.WAITING))
        made.append(
            Stage(
                id=-position,
                name=f"Stage {position}",
                mode=mode,
                needed=needed,
                first_answer_counts=first,
                due_in=timedelta(days=1),
                status=StageStatus.WAITING if applies else StageStatus.SKIPPED,
                steps=tuple(steps),
                position=position,
                ladder=draw(LADDERS),
            )
        )
    return tuple(made)


LADDERS = st.builds(
    Ladder,
    remind_before=st.sampled_from([(), (timedelta(0),), (timedelta(hours=8), timedelta(hours=1))]),
    after=st.sampled_from([timedelta(0), timedelta(hours=6)]),
    every=st.just(timedelta(hours=6)),
    repeat=st.integers(0, 3),
    rejects=st.booleans(),
)


def place_of(stage: Stage) -> Place | None:
    if stage.status is StageStatus.SKIPPED:
        return None
    seats = [Seat({s.approver}) for s in stage.steps]
    everybody = {s.approver for s in stage.steps}
    return Place(stage.mode is Mode.SEQUENTIAL, stage.needed, stage.first_answer_counts, seats, everybody)


class Histories(RuleBasedStateMachine):
    """Every rule does the same to the engine and to the model; they must never differ."""

    state: State
    first: State
    model: Model

    @initialize(planned=stages(), barred=st.frozensets(PEOPLE, max_size=2))
    def begin(self, planned: tuple[Stage, ...], barred: frozenset[int]) -> None:
        self.at = AT
        self.first = State(RUNNING, planned, barred)
        self.log: list[tuple[Any, tuple[Any, ...]]] = []
        self.model = Model([place_of(s) for s in planned])
        self.state = self.first
        self.do(engine.begin, self.at)

    def do(self, function: Any, *given: Any, **more: Any) -> list[states.Effect]:
        before = self.state
        self.state, effects = function(self.state, *given, **more)
        self.log.append((function, (given, more)))
        for stage in before.stages:
            for step in stage.steps:
                if step.status not in UNDECIDED:
                    assert self.state.find(step.id)[1] == step, "a decided step changed"
        if before.status is not RUNNING:
            assert self.state == before, "an ended workflow changed"
        self.check_words(effects)
        return list(effects)

    def check_words(self, effects: list[states.Effect]) -> None:
        ends = [e for e in effects if isinstance(e, states.Ended)]
        assert len(ends) <= 1
        if ends:
            assert ends[0] == effects[-1], "something happened after the end"
        for effect in effects:
            if isinstance(effect, Happened) and effect.what is What.ASKED and not ends:
                assert self.state.find(effect.step.id)[1].status in ASKED

    def seat(self, step: Step) -> tuple[Place, Seat]:
        place = self.model.open_place()
        assert place is not None
        return place, next(s for s in place.seats if step.approver in s.holders)

    def pick(self, n: int) -> Step:
        asked = self.state.asked()
        return asked[n % len(asked)]

    @precondition(lambda self: self.state.asked())
    @rule(
        n=st.integers(0, 20),
        yes=st.booleans(),
        words=st.sampled_from(["", "words"]),
        other=PEOPLE,
        deputy=st.booleans(),
    )
    def vote(self, n: int, yes: bool, words: str, other: int, deputy: bool) -> None:
        step = self.pick(n)
        place, seat = self.seat(step)
        by = other if deputy else step.approver
        is_theirs = by == step.approver or (deputy and by not in place.involved and by not in self.state.barred)
        theirs = {by, step.approver, step.on_behalf_of}
        allowed = is_theirs and not (yes and theirs & self.state.barred) and (yes or bool(words))
        action = Action(Verb.APPROVE if yes else Verb.REJECT, step.id, by, words, as_deputy=deputy)
        self.expect(allowed, action)
        if allowed:
            seat.answer = yes
            place.involved.add(by)
            done = self.state.find(step.id)[1]
            assert (done.approver, done.decided_by) == (step.approver, by)
            assert by == step.approver or done.on_behalf_of == (step.on_behalf_of or step.approver), (
                "both names are kept"
            )

    def expect(self, allowed: bool, action: Action) -> None:
        try:
            engine.check(self.state, action)
        except Refusal:
            assert not allowed, action
            with pytest.raises(Refusal):
                engine.act(self.state, action, self.at)
            return
        assert allowed, action
        self.do(engine.act, action, self.at)

    @precondition(lambda self: self.state.asked())
    @rule(n=st.integers(0, 20), by=PEOPLE)
    def somebody_else_tries(self, n: int, by: int) -> None:
        step = self.pick(n)
        if by != step.approver:
            self.expect(False, Action(Verb.APPROVE, step.id, by, "mine?"))

    @precondition(lambda self: self.state.asked())
    @rule(
        n=st.integers(0, 20),
        verb=st.sampled_from([Verb.DELEGATE, Verb.ESCALATE, Verb.ADD_APPROVER]),
        to=st.none() | PEOPLE,
        able=st.sampled_from([True, True, True, False]),
    )
    def hand_on(self, n: int, verb: Verb, to: int | None, able: bool) -> None:
        step = self.pick(n)
        place, seat = self.seat(step)
        fits = to is not None and able and to not in self.state.barred and to not in place.involved
        allowed = fits and (verb is Verb.ADD_APPROVER or seat.steps <= engine.MAX_HANDOVERS)
        self.expect(allowed, Action(verb, step.id, step.approver, "please", to, to_is_able=able))
        if not allowed or to is None:
            return
        place.involved.add(to)
        if verb is Verb.ADD_APPROVER:
            one_is_enough = place.first_counts or (place.needed == 1 and len(place.seats) > 1)
            place.needed += not one_is_enough
            place.seats.append(Seat({to}))
        else:
            seat.steps += 1
            seat.holders = seat.holders - {step.approver} | {to}

    @precondition(lambda self: self.state.asked())
    @rule(n=st.integers(0, 20))
    def ask_back(self, n: int) -> None:
        step = self.pick(n)
        allowed = step.status is StepStatus.PENDING
        self.expect(allowed, Action(Verb.REQUEST_INFO, step.id, step.approver, "Which?"))

    @precondition(lambda self: any(s.status is StepStatus.INFO_REQUESTED for s in self.state.asked()))
    @rule(hours=st.integers(0, 40))
    def answer(self, hours: int) -> None:
        self.at += timedelta(hours=hours)
        before = {s.id: s for s in self.state.asked()}
        self.do(engine.answer, "The light one", self.at)
        for step in self.state.asked():
            was = before[step.id]
            if was.status is StepStatus.INFO_REQUESTED and was.due_at and was.info_requested_at and step.due_at:
                assert step.due_at - self.at == was.due_at - was.info_requested_at, "the clock stood still"

    @precondition(lambda self: self.state.asked())
    @rule(
        hours=st.integers(0, 60),
        above=st.lists(PEOPLE, max_size=3, unique=True),
        administrators=st.lists(PEOPLE, max_size=2, unique=True),
    )
    def time_passes(self, hours: int, above: list[int], administrators: list[int]) -> None:
        self.at += timedelta(hours=hours)
        due = [s for s in self.state.asked() if s.timer_at and s.timer_at <= self.at]
        early = next((s for s in self.state.asked() if s not in due), None)
        if early is not None:
            assert engine.on_time(self.state, early.id, [], [], self.at) == (self.state, [])
        if not due:
            return
        step = min(due, key=lambda s: (s.timer_at, s.id))
        place, seat = self.seat(step)
        said = [[Receiver(p, "late") for p in people] for people in (above, administrators)]
        effects = self.do(engine.on_time, step.id, *said, self.at)
        assert effects
        happened = [e for e in effects if isinstance(e, Happened)]
        assert all(e.what is not What.APPROVED for e in happened), "time alone never approves"
        for effect in happened:
            if effect.what is What.CLIMBED:
                assert effect.to is not None
                to = effect.to.approver
                assert to not in place.involved
                assert to not in self.state.barred
                place.involved.add(to)
                seat.holders.add(to)
                seat.steps += 1
            elif effect.what is What.REJECTED:
                seat.answer = False
            elif effect.what is What.REMINDED and effect.step.id != step.id:
                assert place.first_counts, "only where one ladder is for all"
        if self.state.status is RUNNING and self.state.find(step.id)[1].status in ASKED:
            after = self.state.find(step.id)[1]
            assert after.timer_at is None or after.reminders > step.reminders, "the same is never due twice"

    @precondition(lambda self: self.state.status is RUNNING)
    @rule(n=st.integers(0, 50), to=PEOPLE)
    def somebody_leaves(self, n: int, to: int) -> None:
        undecided = [
            (stage, s)
            for stage in self.state.stages
            for s in stage.steps
            if s.status in UNDECIDED and stage.status is not StageStatus.SUPERSEDED
        ]
        stage, step = undecided[n % len(undecided)]
        place = self.model.places[stage.position - 1]
        assert place is not None
        if to in place.involved or to in self.state.barred:
            return
        self.do(engine.reroute, step.id, Receiver(to, "who was asked has left"), self.at)
        seat = next(s for s in place.seats if s.answer is None and step.approver in s.holders)
        seat.holders = seat.holders - {step.approver} | {to}
        seat.steps += 1
        place.involved.add(to)

    @precondition(lambda self: self.state.status is RUNNING)
    @rule(data=st.data(), keep=st.sets(st.integers(1, 3)), more=st.none() | PEOPLE)
    def edit(self, data: Any, keep: set[int], more: int | None) -> None:
        count = len(self.model.places)
        planned = data.draw(stages(count=count))
        keep &= set(range(1, count + 1))
        new = [self.model.places[s.position - 1] if s.position in keep else place_of(s) for s in planned]
        if not any(new):
            return  # nobody would be asked: the caller begins a new round instead
        barred = self.state.barred | ({more} if more else set())
        self.do(engine.revise, planned, frozenset(keep), barred, self.at)
        self.model.places = new

    @precondition(lambda self: self.state.status is RUNNING)
    @rule(by=PEOPLE, yes=st.booleans(), words=st.sampled_from(["", "words", "words"]), really=st.integers(0, 4))
    def override(self, by: int, yes: bool, words: str, really: int) -> None:
        if really:
            return
        if (yes and by in self.state.barred) or not words:
            with pytest.raises(Refusal):
                engine.override(self.state, by, approves=yes, comments=words, at=self.at)
            return
        before = self.answered()
        self.do(engine.override, by, approves=yes, comments=words, at=self.at)
        self.model.ended = WorkflowStatus.APPROVED if yes else WorkflowStatus.REJECTED
        assert self.answered() == before, "nobody's answer is made up"

    def answered(self) -> list[Step]:
        decided = (StepStatus.APPROVED, StepStatus.REJECTED)
        return [s for stage in self.state.stages for s in stage.steps if s.status in decided]

    @precondition(lambda self: self.state.status is RUNNING)
    @rule(really=st.integers(0, 9))
    def recall(self, really: int) -> None:
        if not really:
            self.do(lambda state: engine.cancel(state))
            self.model.ended = WorkflowStatus.CANCELLED

    @rule(n=st.integers(0, 50), verb=st.sampled_from(Verb))
    def too_late(self, n: int, verb: Verb) -> None:
        """What has ended stays as it is, whatever comes in afterwards."""
        steps = [s for stage in self.state.stages for s in stage.steps]
        if self.state.status is RUNNING:
            return
        step = steps[n % len(steps)]
        self.expect(False, Action(verb, step.id, step.approver, "too late", to=9))
        assert engine.on_time(self.state, step.id, [], [Receiver(9, "admin")], self.at) == (self.state, [])
        for ending in (
            lambda: engine.cancel(self.state),
            lambda: engine.override(self.state, 9, approves=False, comments="no", at=self.at),
            lambda: engine.reroute(self.state, step.id, Receiver(9, "left"), self.at),
        ):
            with pytest.raises(Refusal):
                ending()

    @invariant()
    def they_agree(self) -> None:
        assert self.state.status is self.model.status()
        assert sorted(s.approver for s in self.state.asked()) == self.model.asked()
        if self.state.status is RUNNING:
            assert self.state.asked(), "a running workflow waits for somebody"

    @invariant()
    def what_always_holds(self) -> None:
        ids = [s.id for stage in self.state.stages for s in stage.steps]
        assert len(ids) == len(set(ids))
        assert len({s.id for s in self.state.stages}) == len(self.state.stages)
        for stage in self.state.stages:
            answered = [s for s in self.answered() if s in stage.steps]
            voters = [s.decided_by for s in answered if s.decided_by]
            assert len(voters) == len(set(voters)), "somebody answered twice in a stage"
            assert len({s.seat for s in answered}) == len(answered), "a seat has two answers"
            for step in stage.steps:
                assert (step.timer_at is None) or step.status in ASKED, "a timer runs for nobody"
                assert step.status not in ASKED or stage.status is StageStatus.OPEN

    def teardown(self) -> None:
        if not hasattr(self, "state"):
            return
        again = self.first
        for function, (given, more) in self.log:
            again, _ = function(again, *given, **more)
        assert again == self.state, "replaying gives the same"


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=HISTORIES,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
