"""What a service level policy is: for which requests, by when, on which calendar, and what happens when time runs short. Pure.

Its document, as it is kept and crosses HTTP, is read in `policy_documents`.

Source: domain rules of service levels (units of targets, waiting for approval, warnings); OLA: targets between teams.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from waypost.kernel.conditions.evaluate import holds
from waypost.kernel.conditions.fields import Field, Kind, catalogue
from waypost.kernel.conditions.tree import Condition
from waypost.sla.calendar import Calendar, working_days
from waypost.sla.marking import Metric, Reopening, Rules

# The words of requests this room goes by; a test holds them equal to those of the room that owns them.
PRIORITIES = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
BEFORE = frozenset({"DRAFT"})
WAITING_FOR_APPROVAL = frozenset({"SUBMITTED", "IN_REVIEW"})
PAUSABLE = ("PENDING_INFO", "APPROVED", "IN_PROGRESS")  # what an author may let a clock wait in
OVER = frozenset({"REJECTED", "COMPLETED", "CLOSED"})

# What a policy's condition may speak of; a form's fields (`custom.<key>`) besides.
FIELDS = catalogue(
    Field("ticket_type", Kind.TEXT, "type"),
    Field("priority", Kind.CHOICE, "priority", PRIORITIES),
    Field("amount", Kind.NUMBER, "amount"),
    Field("currency", Kind.TEXT, "currency"),
    Field("department_id", Kind.ID, "department"),
    Field("requester_id", Kind.ID, "requester"),
    Field("team_id", Kind.ID, "team"),
    Field("title", Kind.TEXT, "title"),
)


class Unit(StrEnum):
    """What a target's amount is counted in."""

    MINUTES = "MINUTES"
    HOURS = "HOURS"
    DAYS = "DAYS"


class Days(StrEnum):
    """What a target in days means: up to the end of the n-th working day, or n times 24 hours of working time."""

    END_OF_DAY = "END_OF_DAY"
    BLOCKS = "BLOCKS"


@dataclass(frozen=True, slots=True)
class Target:
    """An amount of working time. `days` says what a day means; it is of no matter for other units."""

    amount: int
    unit: Unit
    days: Days = Days.END_OF_DAY

    def budget(self, calendar: Calendar, start: datetime) -> timedelta:
        """The working time a clock has that begins at `start`. Raises `NeverOpen` for days of a calendar without any."""
        if self.unit is Unit.MINUTES:
            return timedelta(minutes=self.amount)
        if self.unit is Unit.HOURS:
            return timedelta(hours=self.amount)
        return timedelta(days=self.amount) if self.days is Days.BLOCKS else working_days(calendar, start, self.amount)


class On(StrEnum):
    """When something is done."""

    WARNING = "WARNING"
    BREACH = "BREACH"


class Do(StrEnum):
    """What is done when a clock warns or breaches."""

    TELL_ASSIGNEE = "TELL_ASSIGNEE"
    TELL_LEADS = "TELL_LEADS"  # of the request's team
    TELL_PERSON = "TELL_PERSON"
    TELL_MANAGER = "TELL_MANAGER"  # of the assignee
    RAISE_PRIORITY = "RAISE_PRIORITY"  # by one
    HAND_TO_TEAM = "HAND_TO_TEAM"


TELLS = frozenset({Do.TELL_ASSIGNEE, Do.TELL_LEADS, Do.TELL_PERSON, Do.TELL_MANAGER})


@dataclass(frozen=True, slots=True)
class Action:
    """What is done when. `metrics` narrows it to some clocks, none to all; `percent` to one warning, None to each."""

    on: On
    do: Do
    metrics: frozenset[Metric] = frozenset()
    percent: int | None = None
    user_id: int | None = None
    team_id: int | None = None

    def is_for(self, metric: Metric, percent: int | None = None) -> bool:
        """Whether it is done when this clock breaches, or warns at so many percent."""
        if self.metrics and metric not in self.metrics:
            return False
        if percent is None:
            return self.on is On.BREACH
        return self.on is On.WARNING and self.percent in (None, percent)


Targets = Mapping[str, Target]  # by priority


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy in one version. `calendar_id` None is the default calendar; `warnings` are percents of a target, ascending."""

    id: int
    version: int
    name: str
    condition: Condition
    targets: Mapping[Metric, Targets]
    rules: Rules
    warnings: tuple[int, ...] = ()
    actions: tuple[Action, ...] = ()
    calendar_id: int | None = None
    own_time: Mapping[int, Targets] = field(default_factory=dict)  # by team

    def target(self, metric: Metric, priority: str, team_id: int | None = None) -> Target | None:
        """The target of a clock; None when the policy has none. `team_id` is whose own time is asked for."""
        if metric is Metric.OWN_TIME:
            return self.own_time.get(team_id or 0, {}).get(priority)
        return self.targets.get(metric, {}).get(priority)


def choose(policies: Iterable[Policy], facts: Mapping[str, Any]) -> Policy | None:
    """The policy of a request: the first whose condition holds, of those that are active, in their order."""
    return next((policy for policy in policies if holds(policy.condition, facts)), None)


def rules_of(paused: Iterable[str], *, counts_approval: bool, reopening: Reopening) -> Rules:
    """The rules of clocks that wait in these statuses, and while a request waits for approval unless that counts."""
    waiting = frozenset() if counts_approval else WAITING_FOR_APPROVAL
    return Rules(before=BEFORE, paused=frozenset(paused) | waiting, over=OVER, reopening=reopening)
