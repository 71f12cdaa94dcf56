"""A month of work, made up by dice, on calendars made up by dice: every number of every clock is what a model finds that
goes through the month minute by minute with a pencil.

The model knows nothing of spans, budgets or marks: in each minute it looks at the status, at who spoke last and at the clock
on the wall, and counts.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from tests.sla.test_calendar import MINUTE, ZONES, is_open, utc
from waypost.kernel.conditions.tree import ALWAYS
from waypost.sla.calendar import Calendar
from waypost.sla.calendar_documents import KnownCalendar
from waypost.sla.clock import Kind, Run, ledger
from waypost.sla.marking import Happening, Metric, Reopening, What
from waypost.sla.measuring import BREACH, Clock, Deal, Story, measure
from waypost.sla.policies import PRIORITIES, Policy, Target, Unit, rules_of

MONTH = 28 * 24 * 60
MONTHS = 30  # of one request each, on a calendar of its own
counts: Counter[str] = Counter()


@dataclass
class Day:
    """The dice, and what they made."""

    dice: random.Random
    start: datetime
    happenings: list[Happening] = field(default_factory=list)
    priorities: list[tuple[datetime, str]] = field(default_factory=list)

    def at(self, minute: int) -> datetime:
        return self.start + MINUTE * minute


def a_calendar(dice: random.Random, start: datetime) -> Calendar:
    def hours() -> tuple[tuple[int, int], ...]:
        if dice.random() < 0.25:
            return ()
        opens, noon = dice.randrange(6 * 60, 10 * 60), dice.randrange(11 * 60, 13 * 60)
        closes = dice.randrange(16 * 60, 20 * 60)
        return ((opens, noon), (noon + dice.randrange(1, 90), closes)) if dice.random() < 0.5 else ((opens, closes),)

    days = [(start + timedelta(days=dice.randrange(28))).date() for _ in range(4)]
    week = [*(hours() for _ in range(6)), ((8 * 60, 18 * 60),)]
    dice.shuffle(week)
    return Calendar(
        dice.choice(ZONES),
        tuple(week),
        closed=frozenset(days[:2]),
        yearly=frozenset({(days[2].month, days[2].day)}),
        special=((days[3], ((10 * 60, 12 * 60),)),),
    )


FOLLOWS = {
    "DRAFT": ("IN_REVIEW", "APPROVED"),
    "IN_REVIEW": ("APPROVED", "PENDING_INFO", "DRAFT", "REJECTED"),
    "PENDING_INFO": ("IN_REVIEW",),
    "APPROVED": ("IN_PROGRESS",),
    "IN_PROGRESS": ("COMPLETED",),
    "COMPLETED": ("IN_PROGRESS", "CLOSED"),
    "REJECTED": ("CLOSED",),
    "CLOSED": (),
}


def a_life(dice: random.Random, start: datetime) -> Day:
    day = Day(dice, start)
    day.happenings.append(Happening(start, What.MOVED, status="DRAFT"))
    day.happenings.append(Happening(start, What.HANDED, team_id=1))
    day.priorities.append((start, dice.choice(PRIORITIES)))
    status = "DRAFT"
    for minute in sorted(dice.sample(range(1, MONTH // 2), dice.randrange(4, 24))):
        at = day.at(minute)
        what = dice.random()
        if what < 0.5 and FOLLOWS[status]:
            status = dice.choice(FOLLOWS[status])
            day.happenings.append(Happening(at, What.MOVED, status=status))
        elif what < 0.65:
            day.happenings.append(Happening(at, What.ANSWERED))
        elif what < 0.8:
            day.happenings.append(Happening(at, What.ASKED))
        elif what < 0.9:
            day.happenings.append(Happening(at, What.HANDED, team_id=dice.choice([1, 2, None])))
        elif status not in ("COMPLETED", "CLOSED", "REJECTED"):
            day.priorities.append((at, dice.choice(PRIORITIES)))
    return day


def a_deal(dice: random.Random, calendar: Calendar) -> Deal:
    def targets() -> dict[str, Target]:
        return {p: Target(dice.randrange(1, 900), Unit.MINUTES) for p in PRIORITIES}

    policy = Policy(
        id=1,
        version=1,
        name="Dice",
        condition=ALWAYS,
        targets={m: targets() for m in Metric if m is not Metric.OWN_TIME},
        rules=rules_of(
            ["PENDING_INFO"] if dice.random() < 0.8 else [],
            counts_approval=dice.random() < 0.3,
            reopening=dice.choice(list(Reopening)),
        ),
        warnings=(50, 75),
        own_time={1: targets(), 2: targets()},
    )
    return Deal(policy, KnownCalendar(1, 1, "Dice", calendar, {}, {}))


# --- the model --------------------------------------------------------------------------------------------------------


@dataclass
class Pencil:
    """One clock as somebody would keep it who writes down each minute."""

    counted: list[datetime] = field(default_factory=list)  # the minutes that count, since it began (anew)
    run: Run | None = None  # None: it has not begun
    since: datetime | None = None
    stopped: datetime | None = None
    reopens: int = 0


def by_pencil(
    day: Day,
    deal: Deal,
    metric: Metric,
    team: int | None,
    until: datetime,
    is_open: Callable[[Calendar, datetime], bool] = is_open,
) -> Pencil:
    rules = deal.policy.rules
    pencil = Pencil()
    status, holder, begun, over, answered, asked, stays = "", None, False, False, False, False, False
    coming: Iterator[Happening] = iter(day.happenings)
    following = next(coming, None)
    at = day.start
    while at < until:
        while following is not None and following.at <= at:
            one, following = following, next(coming, None)
            was_over = over
            if one.what is What.MOVED:
                status = one.status
                begun = begun or status not in rules.before
            if one.what is What.HANDED:
                holder = one.team_id
            if not begun:
                continue
            over = status in rules.over
            stands = status in rules.paused or status in rules.before
            if metric is Metric.FIRST_RESPONSE:
                answered = answered or over or one.what is What.ANSWERED
                now = Run.STOPPED if answered else Run.PAUSED if stands else Run.RUNNING
            elif metric is Metric.NEXT_UPDATE:
                if over or one.what is What.ANSWERED:
                    answered, asked = True, False
                elif one.what is What.ASKED and answered and not asked:
                    asked = True
                    pencil = Pencil()
                now = Run.STOPPED if not asked else Run.PAUSED if stands else Run.RUNNING
            else:
                if was_over and not over:
                    stays = stays or rules.reopening is Reopening.STAY
                    if rules.reopening is Reopening.RESTART:
                        pencil = Pencil()
                now = Run.STOPPED if over or stays else Run.PAUSED if stands else Run.RUNNING
                if metric is Metric.OWN_TIME and now is Run.RUNNING and holder != team:
                    now = Run.PAUSED
            if now is Run.STOPPED and pencil.run is not Run.STOPPED:
                pencil.stopped = one.at
            pencil.run, pencil.since = now, pencil.since or one.at
        if pencil.run is Run.RUNNING and is_open(deal.calendar.calendar, at):
            pencil.counted.append(at)
        at += MINUTE
    return pencil


def priority_at(day: Day, at: datetime) -> str:
    return [p for since, p in day.priorities if since <= at][-1]


def compare(clock: Clock, pencil: Pencil, day: Day, until: datetime) -> None:
    end = clock.stopped_at or until
    assert clock.run is pencil.run
    assert clock.priority == priority_at(day, end)
    calendar = clock.deal.calendar.calendar
    lines = ledger(calendar, clock.marks, until)
    ran = sum((line.length for line in lines if line.kind is Kind.RUNNING), timedelta())
    assert ran == MINUTE * len(pencil.counted)
    assert sum((line.length for line in lines), timedelta()) == until - clock.marks[0].at
    budget = clock.target // MINUTE
    if len(pencil.counted) > budget or (len(pencil.counted) == budget and clock.run is Run.RUNNING):
        assert clock.breached_at == pencil.counted[budget - 1] + MINUTE
        counts["breached"] += 1
    else:
        assert clock.breached_at is None
        counts["in time"] += clock.run is Run.STOPPED
    moments = dict(clock.moments())
    if clock.run is Run.RUNNING:
        for percent in (50, 75, BREACH):
            minutes = clock.target * percent / 100
            if len(pencil.counted) * MINUTE >= minutes:
                whole = -(-minutes // MINUTE)
                assert moments[percent] <= pencil.counted[whole - 1] + MINUTE
                assert moments[percent] > pencil.counted[whole - 1]
            else:
                assert moments[percent] > until - MINUTE
            counts["moments"] += 1
    counts["minutes"] += len(pencil.counted)
    counts["clocks"] += 1
    counts["lines"] += len(lines)


def a_month(seed: int) -> None:
    dice = random.Random(seed)
    start = utc(2024, 1, 1) + MINUTE * dice.randrange(4 * 365 * 1440)
    day = a_life(dice, start)
    deal = a_deal(dice, a_calendar(dice, start))
    until = day.at(MONTH)
    story = Story(tuple(day.happenings), tuple(day.priorities), ((start, deal),))
    found = {(clock.metric, clock.team_id): clock for clock in measure(story, until)}
    teams = {h.team_id for h in day.happenings if h.what is What.HANDED and h.team_id}
    wanted: list[tuple[Metric, int]] = [(m, 0) for m in Metric if m is not Metric.OWN_TIME]
    for metric, team in [*wanted, *((Metric.OWN_TIME, t) for t in sorted(teams))]:
        pencil = by_pencil(day, deal, metric, team or None, until)
        clock = found.pop((metric, team), None)
        if clock is None:
            assert not pencil.counted, "what is not there has not run"
            continue
        compare(clock, pencil, day, until)
    assert found == {}
    counts["happenings"] += len(day.happenings)


def test_months_are_what_the_pencil_says(capsys: pytest.CaptureFixture[str]) -> None:
    counts.clear()
    for seed in range(MONTHS):
        a_month(seed)
    with capsys.disabled():
        sys.stdout.write(f"\n{MONTHS} months: " + ", ".join(f"{n} {what}" for what, n in counts.items()) + "\n")
    assert counts["clocks"] > 3 * MONTHS
    assert min(counts["breached"], counts["in time"], counts["moments"]) >= 10
