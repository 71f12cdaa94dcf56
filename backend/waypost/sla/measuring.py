"""From a ticket's story to its clocks: every number of them, and nothing that is not in the story. Pure.

A story is what happened, which priority held since when, and what was agreed since when (`Deal`: a policy's version with
its calendar). A clock that runs goes by what holds now, over its whole time (a retroactive start); one that is over keeps
what held when it stopped, so what was met is not missed afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from waypost.sla.calendar import NeverOpen
from waypost.sla.calendar_documents import KnownCalendar
from waypost.sla.clock import Mark, Run, moment, standing, used
from waypost.sla.marking import Happening, Metric, Rules, What, marks
from waypost.sla.policies import Policy

BREACH = 100  # the percent at which time is over
WHOLE = 0  # the team of what is no team's own time
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Deal:
    """What was agreed: a policy in one version, on a calendar in one version."""

    policy: Policy
    calendar: KnownCalendar


@dataclass(frozen=True, slots=True)
class Story:
    """Everything the clocks of one ticket go by. `priorities` and `deals` say since when what holds, ascending."""

    happenings: tuple[Happening, ...]
    priorities: tuple[tuple[datetime, str], ...]
    deals: tuple[tuple[datetime, Deal | None], ...]


class State(StrEnum):
    """How a target, or a ticket by its targets, stands, in one word."""

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    BREACHED = "BREACHED"
    MET = "MET"


@dataclass(frozen=True, slots=True)
class Clock:
    """How one target stands. `used` is what had run at the last mark; `due_at` None while it is paused, or was not due."""

    metric: Metric
    team_id: int
    deal: Deal
    priority: str
    target: timedelta
    marks: tuple[Mark, ...]
    used: timedelta
    due_at: datetime | None
    breached_at: datetime | None
    reopens: int

    @property
    def run(self) -> Run:
        return self.marks[-1].run

    @property
    def stopped_at(self) -> datetime | None:
        return self.marks[-1].at if self.run is Run.STOPPED else None

    @property
    def state(self) -> State:
        return state_of(self.run, self.breached_at)

    def moments(self) -> list[tuple[int, datetime]]:
        """When each percent that is told of is reached, the last one being the breach itself.

        Of a clock that does not run only a breach that was, so that it is told of although it is answered by now.
        """
        if self.run is not Run.RUNNING:
            return [] if self.breached_at is None else [(BREACH, self.breached_at)]
        if self.due_at is None:
            return []
        found = []
        for percent in sorted({p for p in self.deal.policy.warnings if 0 < p < BREACH}):
            at = moment(self.deal.calendar.calendar, self.marks, self.target * percent / 100)
            if at is not None:
                found.append((percent, at))
        return [*found, (BREACH, self.due_at)]


def state_of(run: Run, breached_at: datetime | None) -> State:
    """A target's state in one word."""
    if breached_at is not None:
        return State.BREACHED
    return {Run.RUNNING: State.RUNNING, Run.PAUSED: State.PAUSED, Run.STOPPED: State.MET}[run]


def in_force(since: Sequence[tuple[datetime, T]], at: datetime) -> T | None:
    """What held at an instant; before the first of them, the first: it was agreed for the whole time."""
    held = since[0][1] if since else None
    for start, value in since:
        if start <= at:
            held = value
    return held


def measure(story: Story, at: datetime) -> list[Clock]:
    """Every clock of a ticket as it stands at an instant."""
    teams = dict.fromkeys(h.team_id for h in story.happenings if h.what is What.HANDED and h.team_id)
    wanted: list[tuple[Metric, int]] = [(metric, WHOLE) for metric in Metric if metric is not Metric.OWN_TIME]
    wanted += [(Metric.OWN_TIME, team) for team in teams]
    found = (_clock(story, metric, team, at) for metric, team in wanted)
    return [clock for clock in found if clock is not None]


def _clock(story: Story, metric: Metric, team_id: int, at: datetime) -> Clock | None:
    end = story.happenings[-1].at if story.happenings else at
    deal = in_force(story.deals, max(at, end))
    if deal is None:
        return None
    made = marks(metric, deal.policy.rules, story.happenings, team_id or None)
    priority = in_force(story.priorities, max(at, end))
    if made and made[-1].run is Run.STOPPED:
        then = in_force(story.deals, made[-1].at)
        if then is not None and then is not deal:
            deal = then
            made = marks(metric, deal.policy.rules, story.happenings, team_id or None)
        priority = in_force(story.priorities, made[-1].at) if made else priority
    goal = deal.policy.target(metric, priority or "", team_id or None)
    if not made or goal is None:
        return None
    calendar = deal.calendar.calendar
    try:
        target = goal.budget(calendar, made[0].at)
        stands = standing(calendar, made, target, max(at, made[-1].at))
        due = moment(calendar, made, target)
    except NeverOpen:  # a calendar that does not open any more: the time stands still
        return None
    is_breached = stands.is_breached and due is not None
    if made[-1].run is not Run.RUNNING and not is_breached:
        due = None
    return Clock(
        metric=metric,
        team_id=team_id,
        deal=deal,
        priority=priority or "",
        target=target,
        marks=tuple(made),
        used=used(calendar, made, made[-1].at),
        due_at=due,
        breached_at=due if is_breached else None,
        reopens=_reopens(deal.policy.rules, story.happenings) if metric is Metric.RESOLUTION else 0,
    )


def promised(clock: Clock) -> datetime | None:
    """Until when a clock has or had time: its due moment; of one that is over in time, the moment it would have been due.

    None while it waits, and where it was over while it waited.
    """
    if clock.due_at is not None or clock.run is not Run.STOPPED:
        return clock.due_at
    try:
        return moment(clock.deal.calendar.calendar, clock.marks[:-1], clock.target)
    except NeverOpen:
        return None


def _reopens(rules: Rules, happenings: Iterable[Happening]) -> int:
    count, was_over = 0, False
    for one in happenings:
        if one.what is What.MOVED:
            count += was_over and one.status not in rules.over and one.status not in rules.before
            was_over = one.status in rules.over
    return count


def summary(clocks: Iterable[Clock]) -> tuple[datetime | None, State | None]:
    """What lists show of a ticket: its next due moment and how it stands. Own times of teams are not for everybody's eyes.

    A breach counts as long as its clock goes on; once all is over, any breach makes the whole one.
    """
    shown = [clock for clock in clocks if clock.metric is not Metric.OWN_TIME]
    active = [clock for clock in shown if clock.run is not Run.STOPPED]
    due = min((clock.due_at for clock in active if clock.due_at and clock.run is Run.RUNNING), default=None)
    states = {clock.state for clock in active or shown}
    for state in (State.BREACHED, State.RUNNING, State.PAUSED, State.MET):
        if state in states:
            return due, state
    return due, None


# --- how marks are kept -----------------------------------------------------------------------------------------------


def packed(made: Sequence[Mark]) -> list[list[Any]]:
    """Marks as they are kept."""
    return [[(mark.at - _EPOCH) // _MICROSECOND, mark.run.value, mark.why] for mark in made]


def unpacked(kept: Sequence[Sequence[Any]]) -> list[Mark]:
    """What `packed` made of marks."""
    return [Mark(_EPOCH + at * _MICROSECOND, Run(run), why) for at, run, why in kept]
