"""The approval engine: `(state, action, at) → (state, effects)`, and nothing else. Pure.

A *seat* is a place in a stage that one answer fills: it begins with one approver and may pass to another by delegation
or escalation, each hand-over being a new step of the same seat. Seats are counted, so nobody counts twice.

Held by property tests: a decided step never changes; a person holds one seat of a stage; nobody approves what they are
barred from (their own request, directly or as a delegate); a running workflow always has somebody to wait for; the
same actions replayed give the same state; no order of concurrent actions gives two outcomes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

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

MAX_HANDOVERS = 10


class WorkflowStatus(StrEnum):
    """How the whole stands."""

    RUNNING = "RUNNING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"


class StageStatus(StrEnum):
    """How a stage stands. `SKIPPED`: its condition did not hold."""

    WAITING = "WAITING"
    OPEN = "OPEN"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    SKIPPED = "SKIPPED"
    CANCELLED = "CANCELLED"


class StepStatus(StrEnum):
    """How one person's answer stands. `NOT_NEEDED`: the stage ended without it."""

    WAITING = "WAITING"
    PENDING = "PENDING"
    INFO_REQUESTED = "INFO_REQUESTED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    DELEGATED = "DELEGATED"
    ESCALATED = "ESCALATED"
    CANCELLED = "CANCELLED"
    NOT_NEEDED = "NOT_NEEDED"


class Verb(StrEnum):
    """What an approver can do with a step (specification, Actions)."""

    APPROVE = "approve"
    REJECT = "reject"
    REQUEST_INFO = "request_info"
    DELEGATE = "delegate"
    ESCALATE = "escalate"


ASKED = frozenset({StepStatus.PENDING, StepStatus.INFO_REQUESTED})
UNDECIDED = ASKED | {StepStatus.WAITING}


@dataclass(frozen=True, slots=True)
class Step:
    """One person's part. `id` is the row's, negative while new. `on_behalf_of` is whom the approver stands in for."""

    id: int
    seat: int
    order: int
    approver: int
    status: StepStatus
    on_behalf_of: int | None = None
    reason: str = ""
    requested_at: datetime | None = None
    due_at: datetime | None = None
    info_requested_at: datetime | None = None
    decided_at: datetime | None = None
    decided_by: int | None = None
    comments: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a running workflow: its seats in order, how many must say yes, and for how long they may think."""

    id: int
    name: str
    mode: Mode
    needed: int
    first_answer_counts: bool
    due_in: timedelta
    status: StageStatus
    steps: tuple[Step, ...]
    reason: str = ""

    def holders(self) -> dict[int, Step]:
        """The step that stands for each seat now, by seat."""
        return {s.seat: s for s in self.steps}


@dataclass(frozen=True, slots=True)
class State:
    """A workflow as it runs. `barred` may not say yes: who asked, wrote or changed what is judged."""

    status: WorkflowStatus
    stages: tuple[Stage, ...]
    barred: frozenset[int] = frozenset()

    def find(self, step_id: int) -> tuple[Stage, Step]:
        """The step and its stage. Raises `KeyError`."""
        for stage in self.stages:
            for step in stage.steps:
                if step.id == step_id:
                    return stage, step
        raise KeyError(step_id)

    def asked(self) -> list[Step]:
        """The steps that wait for somebody now."""
        return [s for stage in self.stages for s in stage.steps if s.status in ASKED]


@dataclass(frozen=True, slots=True)
class Action:
    """Somebody's answer to a step. `to` is the person a delegation or escalation goes to, and why them.

    `as_deputy`: the service has found that `by` stands in for the approver now, for this subject.
    """

    verb: Verb
    step_id: int
    by: int
    comments: str = ""
    to: int | None = None
    to_is_able: bool = True
    to_reason: str = ""
    as_deputy: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody is asked now."""

    step: Step
    stage: Stage


@dataclass(frozen=True, slots=True)
class Answered:
    """A step was approved, rejected, handed on, or a question was asked; `step` is as it stands afterwards."""

    verb: Verb
    step: Step
    stage: Stage
    to: Step | None = None


@dataclass(frozen=True, slots=True)
class QuestionsClosed:
    """No question is open any more; `askers` had one open. `lapsed`: it was decided without an answer."""

    askers: tuple[int, ...]
    comments: str
    lapsed: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """The workflow has its result."""

    status: WorkflowStatus
    comments: str


Effect = Asked | Answered | QuestionsClosed | Ended


@dataclass(slots=True)
class _Work:
    """The state in the making, with the effects in the order they happened."""

    state: State
    at: datetime
    effects: list[Effect] = field(default_factory=list)

    def put(self, stage: Stage) -> Stage:
        stages = tuple(stage if s.id == stage.id else s for s in self.state.stages)
        self.state = replace(self.state, stages=stages)
        return stage


def begin(state: State, at: datetime) -> tuple[State, list[Effect]]:
    """Open the first stage that applies. With none left to ask, the workflow is approved."""
    work = _Work(state, at)
    _open_next(work, "")
    return work.state, work.effects


def act(state: State, action: Action, at: datetime) -> tuple[State, list[Effect]]:
    """Take an answer. Refused in this order: not the one asked, decided already, one's own request, a missing reason.

    Raises `NotAsked` (403), `StepDecided` or `StepNotOpen` (409), `SelfApproval` (403), `CommentNeeded` or
    `BadDelegate` (422).
    """
    stage, step = state.find(action.step_id)
    check(state, action)
    work = _Work(state, at)
    if action.verb in (Verb.APPROVE, Verb.REJECT):
        _vote(work, stage, step, action)
    elif action.verb is Verb.REQUEST_INFO:
        asking = replace(step, status=StepStatus.INFO_REQUESTED, info_requested_at=at, comments=action.comments)
        stage = work.put(_with(stage, asking))
        work.effects.append(Answered(action.verb, asking, stage))
    else:
        _hand_on(work, stage, step, action)
    if _askers(state) and not _askers(work.state):
        # Before the end, so that who listens sees the question closed first and the result afterwards.
        where = next((n for n, e in enumerate(work.effects) if isinstance(e, Ended)), len(work.effects))
        work.effects.insert(where, QuestionsClosed(_askers(state), "", lapsed=True))
    return work.state, work.effects


def check(state: State, action: Action) -> None:
    """Raises what `act` would refuse with, and changes nothing."""
    stage, step = state.find(action.step_id)
    if action.by != step.approver and not (action.as_deputy and may_stand_in(state, stage, action)):
        raise NotAsked
    if action.verb is Verb.APPROVE and action.by in state.barred:
        raise SelfApproval
    if action.verb in (Verb.REJECT, Verb.REQUEST_INFO) and not action.comments.strip():
        raise CommentNeeded
    if action.verb is Verb.DELEGATE and action.to is None:
        raise BadDelegate("a person is needed")
    if state.status is not WorkflowStatus.RUNNING or step.status not in ASKED:
        if step.status is StepStatus.WAITING and state.status is WorkflowStatus.RUNNING:
            raise StepNotOpen("This step waits for others to decide first.")
        raise StepDecided(f"This step is {step.status.value} already.", status_now=step.status.value)
    if action.verb not in open_verbs(step.status, is_barred=False):
        raise StepNotOpen("The question is asked; the answer has not come yet.")
    if action.verb in (Verb.DELEGATE, Verb.ESCALATE):
        _check_receiver(state, stage, step, action)


def may_stand_in(state: State, stage: Stage, action: Action) -> bool:
    """Whether a deputy may do this: who is barred may not, nor who has a part in the stage; and nobody hands it on."""
    has_part = any(action.by in (s.approver, s.decided_by) for s in stage.steps if s.id != action.step_id)
    return action.verb is not Verb.DELEGATE and action.by not in state.barred and not has_part


def open_verbs(status: StepStatus, *, is_barred: bool) -> tuple[Verb, ...]:
    """What the person asked may do with a step in this status, in the order buttons show it."""
    if status not in ASKED:
        return ()
    closed = {Verb.REQUEST_INFO} if status is StepStatus.INFO_REQUESTED else set()
    return tuple(v for v in Verb if v not in closed and not (is_barred and v is Verb.APPROVE))


def _check_receiver(state: State, stage: Stage, step: Step, action: Action) -> None:
    if action.to is None:
        raise NobodyAbove
    if action.to == step.approver:
        raise BadDelegate("they are the one who is asked already")
    if not action.to_is_able:
        raise BadDelegate("they do not work here any more, or may not decide")
    if action.to in state.barred:
        raise BadDelegate("nobody decides what they asked for, wrote or changed themselves")
    if any(s.approver == action.to for s in stage.steps):
        raise BadDelegate("they have a part in this stage already")
    if sum(s.seat == step.seat for s in stage.steps) > MAX_HANDOVERS:
        raise BadDelegate("this has been handed on too often")


def answer(state: State, comments: str, at: datetime) -> tuple[State, list[Effect]]:
    """The requester answered: open questions are closed, and the time they took is added to what is left."""
    if not comments.strip():
        raise CommentNeeded
    work = _Work(state, at)
    for stage in state.stages:
        steps = tuple(_resumed(s, at) if s.status is StepStatus.INFO_REQUESTED else s for s in stage.steps)
        work.put(replace(stage, steps=steps))
    work.effects.append(QuestionsClosed(_askers(state), comments, lapsed=False))
    return work.state, work.effects


def cancel(state: State) -> tuple[State, list[Effect]]:
    """End it without a result; open steps are cancelled. Raises `StepDecided` when it has ended."""
    if state.status is not WorkflowStatus.RUNNING:
        raise StepDecided("This approval has ended already.")
    stages = tuple(
        replace(
            stage,
            status=StageStatus.CANCELLED if stage.status in (StageStatus.OPEN, StageStatus.WAITING) else stage.status,
            steps=tuple(_closed(s, StepStatus.CANCELLED) for s in stage.steps),
        )
        for stage in state.stages
    )
    return replace(state, status=WorkflowStatus.CANCELLED, stages=stages), []


def result_of(stage: Stage) -> StageStatus:
    """A stage's result by its seats: open until enough said yes, or so many no that enough can not be reached."""
    seats = list(stage.holders().values())
    yes = sum(s.status is StepStatus.APPROVED for s in seats)
    no = sum(s.status is StepStatus.REJECTED for s in seats)
    if yes >= stage.needed:
        return StageStatus.APPROVED
    if len(seats) - no < stage.needed or (stage.first_answer_counts and no):
        return StageStatus.REJECTED
    return StageStatus.OPEN


def _vote(work: _Work, stage: Stage, step: Step, action: Action) -> None:
    said = StepStatus.APPROVED if action.verb is Verb.APPROVE else StepStatus.REJECTED
    done = replace(
        step,
        status=said,
        decided_at=work.at,
        decided_by=action.by,
        on_behalf_of=step.on_behalf_of or (step.approver if action.by != step.approver else None),
        comments=action.comments,
        info_requested_at=None,
    )
    stage = work.put(_with(stage, done))
    work.effects.append(Answered(action.verb, done, stage))
    result = result_of(stage)
    if result is StageStatus.OPEN:
        if stage.mode is Mode.SEQUENTIAL:
            following = next(s for s in stage.steps if s.status is StepStatus.WAITING)
            _ask(work, stage, [following])
        return
    steps = tuple(_closed(s, StepStatus.NOT_NEEDED) for s in stage.steps)
    work.put(replace(stage, status=result, steps=steps))
    if result is StageStatus.REJECTED:
        _end(work, WorkflowStatus.REJECTED, action.comments)
    else:
        _open_next(work, action.comments)


def _hand_on(work: _Work, stage: Stage, step: Step, action: Action) -> None:
    assert action.to is not None
    verb = action.verb
    status = StepStatus.DELEGATED if verb is Verb.DELEGATE else StepStatus.ESCALATED
    gone = replace(
        step, status=status, decided_at=work.at, decided_by=action.by, comments=action.comments, info_requested_at=None
    )
    # A delegate decides for the one who asked them; who is higher up decides in their own name.
    behalf = (step.on_behalf_of or step.approver) if verb is Verb.DELEGATE else None
    new = Step(
        id=-1 - sum(len(s.steps) for s in work.state.stages),
        seat=step.seat,
        order=step.order,
        approver=action.to,
        status=StepStatus.PENDING,
        on_behalf_of=behalf,
        reason=action.to_reason,
        requested_at=work.at,
        due_at=max(step.due_at or work.at, work.at + min(stage.due_in, timedelta(hours=8))),
    )
    steps = [s for kept in stage.steps for s in ((gone, new) if kept.id == step.id else (kept,))]
    stage = work.put(replace(stage, steps=tuple(steps)))
    work.effects += [Answered(verb, gone, stage, to=new), Asked(new, stage)]


def _open_next(work: _Work, comments: str) -> None:
    for stage in work.state.stages:
        if stage.status is StageStatus.WAITING:
            opened = work.put(replace(stage, status=StageStatus.OPEN))
            holders = list(opened.holders().values())
            _ask(work, opened, holders[:1] if stage.mode is Mode.SEQUENTIAL else holders)
            return
    _end(work, WorkflowStatus.APPROVED, comments)


def _ask(work: _Work, stage: Stage, steps: Iterable[Step]) -> None:
    for step in steps:
        asked = replace(step, status=StepStatus.PENDING, requested_at=work.at, due_at=work.at + stage.due_in)
        stage = work.put(_with(stage, asked))
        work.effects.append(Asked(asked, stage))


def _end(work: _Work, status: WorkflowStatus, comments: str) -> None:
    stages = tuple(
        replace(
            s,
            status=StageStatus.CANCELLED if s.status is StageStatus.WAITING else s.status,
            steps=tuple(_closed(step, StepStatus.NOT_NEEDED) for step in s.steps),
        )
        for s in work.state.stages
    )
    work.state = replace(work.state, status=status, stages=stages)
    work.effects.append(Ended(status, comments))


def _askers(state: State) -> tuple[int, ...]:
    return tuple(s.approver for stage in state.stages for s in stage.steps if s.status is StepStatus.INFO_REQUESTED)


def _resumed(step: Step, at: datetime) -> Step:
    waited = at - step.info_requested_at if step.info_requested_at else timedelta(0)
    due = step.due_at + waited if step.due_at else None
    return replace(step, status=StepStatus.PENDING, due_at=due, info_requested_at=None)


def _closed(step: Step, status: StepStatus) -> Step:
    return replace(step, status=status, info_requested_at=None) if step.status in UNDECIDED else step


def _with(stage: Stage, step: Step) -> Stage:
    return replace(stage, steps=tuple(step if s.id == step.id else s for s in stage.steps))
