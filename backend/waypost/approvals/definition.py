"""What a workflow is: a name, the tickets it is for, and ordered stages. Pure.

Its document, in the shape of `POST /approval-workflows`, is read in `reading`.

A committee is a stage: its members are the stage's approvers (a team, a role, named people), its rule is the quorum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from waypost.kernel.conditions import tree
from waypost.kernel.conditions.fields import Field, Kind, catalogue

MAX_NAME = 100
MAX_STAGES = 20
MAX_APPROVERS = 50
MAX_MINUTES = 60 * 24 * 365
MAX_LEVELS = 10
MAX_REMINDERS = 5
MAX_JUDGED = 50
DUE_IN_MINUTES = 2 * 24 * 60
EMERGENCY_MINUTES = 15
ESCALATE_AFTER_MINUTES = 24 * 60
WORKING_DAY_MINUTES = 8 * 60
DUE_IN_AT_WORK_MINUTES = 2 * WORKING_DAY_MINUTES
ONE_BY_ONE_ABOVE = Decimal(5000)


class Mode(StrEnum):
    """How a stage's approvers are asked: one after the other, or all at once."""

    SEQUENTIAL = "SEQUENTIAL"
    PARALLEL = "PARALLEL"


class Counts(StrEnum):
    """How a stage counts its times: by the clock, or in the working hours of the one who is asked."""

    CLOCK = "CLOCK"
    WORKING_TIME = "WORKING_TIME"


def usual_due_in(counts: Counts) -> int:
    """The minutes of a stage that says none: two days by the clock, two working days of eight hours at work."""
    return DUE_IN_AT_WORK_MINUTES if counts is Counts.WORKING_TIME else DUE_IN_MINUTES


class ApproverKind(StrEnum):
    """How an approver is found; each is a file of `approvers/`."""

    USER = "USER"
    USERS = "USERS"
    REQUESTER_MANAGER = "REQUESTER_MANAGER"
    MANAGERS_MANAGER = "MANAGERS_MANAGER"
    MANAGER_LEVEL = "MANAGER_LEVEL"
    DEPARTMENT_HEAD = "DEPARTMENT_HEAD"
    ROLE = "ROLE"
    TEAM = "TEAM"
    FORM_FIELD = "FORM_FIELD"
    NEXT_MANAGER = "NEXT_MANAGER"  # above the one who did not answer; escalation only


class Final(StrEnum):
    """What happens when everybody further up was asked in vain. Nothing is ever approved by time."""

    ADMINISTRATORS = "ADMINISTRATORS"
    REJECT = "REJECT"


GROUPS = frozenset({ApproverKind.ROLE, ApproverKind.TEAM})


@dataclass(frozen=True, slots=True)
class Approver:
    """A way to find approvers. `target` says which user(s), role, team, level or field; `department_id` whose head."""

    kind: ApproverKind
    target: int | str | tuple[int, ...] | None = None
    department_id: int | None = None

    @property
    def is_group(self) -> bool:
        """Whether it can stand for several people, how many being known only when they are asked."""
        return self.kind in GROUPS

    @property
    def number(self) -> int:
        """The id or level it says; 0 where it says none."""
        return self.target if isinstance(self.target, int) else 0

    @property
    def named(self) -> tuple[int, ...]:
        """The people it names by id; none where it says how to find them."""
        if isinstance(self.target, tuple):
            return self.target
        return (self.target,) if self.kind is ApproverKind.USER and isinstance(self.target, int) else ()

    @property
    def most(self) -> int | None:
        """How many people it can stand for at most; None when that is known only when they are asked."""
        return None if self.is_group else len(self.named) or 1


@dataclass(frozen=True, slots=True)
class Escalation:
    """What happens when nobody answers: reminders so many minutes before a step is due (the earliest first); then
    `to` is asked as well, `after_minutes` after it was due and again after each of `repeat` times; then `finally_`.

    With `repeat` 0 nobody further is asked.
    """

    remind_before_minutes: tuple[int, ...]
    after_minutes: int
    to: Approver
    repeat: int
    finally_: Final


# Of a stage that says nothing: one reminder when it is due, after a day up the manager line, then an administrator.
ESCALATION = Escalation(
    remind_before_minutes=(0,),
    after_minutes=ESCALATE_AFTER_MINUTES,
    to=Approver(ApproverKind.NEXT_MANAGER),
    repeat=MAX_LEVELS,
    finally_=Final.ADMINISTRATORS,
)
# The same of one that counts in working time: a day of it is eight hours.
ESCALATION_AT_WORK = replace(ESCALATION, after_minutes=WORKING_DAY_MINUTES)


@dataclass(frozen=True, slots=True)
class Stage:
    """One round of asking. `quorum` is `ALL`, `ANY`, `FIRST` (the first answer counts), a number, or a percentage.

    `fallback` is asked when nobody is found among `approvers` nor above them, before an administrator is. `judges`
    names the facts whose change asks this stage again; None when it says nothing, and then it judges all of them that
    no other stage names. `counts` says how `due_in_minutes` and the times of `escalation` are meant.
    """

    name: str
    condition: tree.Condition
    approvers: tuple[Approver, ...]
    mode: Mode
    quorum: str | int | float
    due_in_minutes: int
    escalation: Escalation
    fallback: tuple[Approver, ...] = ()
    judges: tuple[str, ...] | None = None
    counts: Counts = Counts.CLOCK

    def needed(self, seats: int) -> int:
        """How many must say yes when `seats` people are asked; a percentage is rounded up."""
        if self.mode is Mode.SEQUENTIAL or self.quorum == "ALL":
            return seats
        if isinstance(self.quorum, int):
            return min(self.quorum, seats)
        if isinstance(self.quorum, float):
            return max(1, math.ceil(seats * self.quorum / 100 - 1e-9))
        return 1

    @property
    def first_answer_counts(self) -> bool:
        """Whether one no ends it as one yes does."""
        return self.mode is Mode.PARALLEL and self.quorum == "FIRST"


@dataclass(frozen=True, slots=True)
class Definition:
    """A workflow as written: for which subjects, and its stages in order.

    What is worth more than `one_by_one_above` (in the company's own currency) is not decided together with others.
    """

    name: str
    condition: tree.Condition
    stages: tuple[Stage, ...]
    one_by_one_above: Decimal = ONE_BY_ONE_ABOVE


# What every subject can be judged by. A form's fields (`custom.<key>`) are added by the room that owns the form.
FIELDS = catalogue(
    Field("ticket_type", Kind.TEXT, "type"),
    Field("priority", Kind.CHOICE, "priority", ("LOW", "MEDIUM", "HIGH", "CRITICAL")),
    Field("amount", Kind.NUMBER, "amount"),
    Field("currency", Kind.TEXT, "currency"),
    Field("department_id", Kind.ID, "department"),
    Field("requester_id", Kind.ID, "requester"),
    Field("title", Kind.TEXT, "title"),
    Field("due_date", Kind.INSTANT, "due date"),
)
# What a stage may say it judges; a form's fields (`custom.<key>`) besides.
JUDGED = frozenset(FIELDS) | {"description"}
