"""What a running approval is made of, what can be done to it and what happens by it: frozen values, no rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from waypost.approvals.definition import Mode
from waypost.approvals.hours import CLOCK, Hours


class WorkflowStatus(StrEnum):
    """How the whole stands."""

    RUNNING = "RUNNING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"


class StageStatus(StrEnum):
    """How a stage stands. `SKIPPED`: its condition did not hold. `SUPERSEDED`: asked again after an edit."""

    WAITING = "WAITING"
    OPEN = "OPEN"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    SKIPPED = "SKIPPED"
    CANCELLED = "CANCELLED"
    SUPERSEDED = "SUPERSEDED"


class StepStatus(StrEnum):
    """How one person's answer stands. `NOT_NEEDED`: it ended without it. `REROUTED`: they left, another was asked."""

    WAITING = "WAITING"
    PENDING = "PENDING"
    INFO_REQUESTED = "INFO_REQUESTED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    DELEGATED = "DELEGATED"
    ESCALATED = "ESCALATED"
    REROUTED = "REROUTED"
    CANCELLED = "CANCELLED"
    NOT_NEEDED = "NOT_NEEDED"


class Verb(StrEnum):
    """What an approver can do with a step (specification, Actions)."""

    APPROVE = "approve"
    REJECT = "reject"
    REQUEST_INFO = "request_info"
    DELEGATE = "delegate"
    ESCALATE = "escalate"
    ADD_APPROVER = "add_approver"


ASKED = frozenset({StepStatus.PENDING, StepStatus.INFO_REQUESTED})


UNDECIDED = ASKED | {StepStatus.WAITING}


_ANSWERED = frozenset({StepStatus.APPROVED, StepStatus.REJECTED})


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
    timer_at: datetime | None = None
    reminders: int = 0
    climbs: int = 0


@dataclass(frozen=True, slots=True)
class Ladder:
    """What happens while nobody answers: reminders so long before a step is due, `after` it is due somebody further
    up is asked as well, again after `every`, `repeat` times in all; then it is rejected, or administrators are asked.

    The times are counted in the `hours` of the one who is asked.
    """

    remind_before: tuple[timedelta, ...] = (timedelta(0),)
    after: timedelta = timedelta(days=1)
    every: timedelta = timedelta(days=1)
    repeat: int = 10
    rejects: bool = False

    def fires_at(self, step: Step, at: datetime, hours: Hours = CLOCK) -> datetime | None:
        """When something is due next for a step that is asked. Reminders whose time has passed are left out."""
        if step.due_at is None or step.climbs > self.repeat:
            return None
        if step.climbs:
            return step.due_at
        if self.reminds(step):
            return max(hours.before(step.due_at, self.remind_before[step.reminders]), at)
        return hours.after(step.due_at, self.after)

    def reminds(self, step: Step) -> bool:
        """Whether what is due next is a reminder."""
        return not step.climbs and step.reminders < len(self.remind_before)

    def passed(self, due_at: datetime, at: datetime, hours: Hours = CLOCK) -> int:
        """How many reminders lie before `at` when a step is due at `due_at`."""
        return sum(hours.before(due_at, before) <= at for before in self.remind_before)


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a running workflow: its seats in order, how many must say yes, and for how long they may think.

    `position` is its place in the definition; a superseded stage and the one that took its place share it. With
    `in_working_time` every time of it, and of its ladder, counts in the working hours of the one who is asked.
    """

    id: int
    position: int
    name: str
    mode: Mode
    needed: int
    first_answer_counts: bool
    due_in: timedelta
    status: StageStatus
    steps: tuple[Step, ...]
    reason: str = ""
    ladder: Ladder = Ladder()
    in_working_time: bool = False

    def seats(self) -> dict[int, StepStatus]:
        """How each seat stands: by its answer when it has one, else by the step that was added last."""
        found: dict[int, StepStatus] = {}
        for step in self.steps:
            if found.get(step.seat) not in _ANSWERED:
                found[step.seat] = step.status
        return found

    def holding(self, step: Step, *new: Step) -> Stage:
        """The stage with this step as it is now, and new ones behind it: those of a seat in the order they are asked."""
        return replace(
            self, steps=tuple(s for was in self.steps for s in ((step, *new) if was.id == step.id else (was,)))
        )

    def involved(self) -> frozenset[int]:
        """Everybody who has or had a part in this stage, or answered for somebody who has."""
        return frozenset(p for s in self.steps for p in (s.approver, s.decided_by) if p is not None)


@dataclass(frozen=True, slots=True)
class State:
    """A workflow as it runs. `barred` may not say yes: who asked, wrote or changed what is judged.

    `hours` are the working hours, as they are now, of everybody it may come to; they are given to it and no part of it.
    """

    status: WorkflowStatus
    stages: tuple[Stage, ...]
    barred: frozenset[int] = frozenset()
    hours: Mapping[int, Hours] = field(default_factory=dict, compare=False)

    def hours_of(self, stage: Stage, person: int) -> Hours:
        """In whose hours a stage counts somebody's time. Raises `KeyError` when theirs were not given."""
        return self.hours[person] if stage.in_working_time else CLOCK

    def find(self, step_id: int) -> tuple[Stage, Step]:
        """The step and its stage. Raises `KeyError`."""
        for stage in self.stages:
            for step in stage.steps:
                if step.id == step_id:
                    return stage, step
        raise KeyError(step_id)

    def new_id(self) -> int:
        """An id for a step: below every other, because what is new has no row yet."""
        return min([0, *(s.id for stage in self.stages for s in stage.steps)]) - 1

    def asked(self) -> list[Step]:
        """The steps that wait for somebody now."""
        return [s for stage in self.stages for s in stage.steps if s.status in ASKED]


@dataclass(frozen=True, slots=True)
class Action:
    """Somebody's answer to a step. `to` is the person a delegation, an escalation or an addition goes to, and why them.

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
class Receiver:
    """Somebody who could be asked further up, and why them."""

    person: int
    why: str


class What(StrEnum):
    """What happened to a step. `CLIMBED`: not answered in time, so somebody is asked beside it."""

    ASKED = "ASKED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    INFO_REQUESTED = "INFO_REQUESTED"
    DELEGATED = "DELEGATED"
    ESCALATED = "ESCALATED"
    ADDED = "ADDED"
    REMINDED = "REMINDED"
    CLIMBED = "CLIMBED"
    REROUTED = "REROUTED"


@dataclass(frozen=True, slots=True)
class Happened:
    """Something happened to a step, as it stands afterwards; `to` is the step that another person got by it.

    `again`: the same brought it to several people, and this is not the first of them.
    """

    what: What
    step: Step
    stage: Stage
    to: Step | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Reopened:
    """What `stage` judged has changed: it does not count any more, and its place is asked anew."""

    stage: Stage


@dataclass(frozen=True, slots=True)
class Dropped:
    """After a change `stage` does not apply any more."""

    stage: Stage


@dataclass(frozen=True, slots=True)
class QuestionsClosed:
    """No question is open any more; `askers` had one open. `lapsed`: it was decided without an answer."""

    askers: tuple[int, ...]
    comments: str
    lapsed: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """The workflow has its result; `overridden_by` when it is somebody's who was not asked."""

    status: WorkflowStatus
    comments: str
    overridden_by: int | None = None


Effect = Happened | Reopened | Dropped | QuestionsClosed | Ended
