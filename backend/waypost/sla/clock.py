"""The clock of one target: what has run of it, what is left, when it is over. Pure.

A clock is what happened to it (`Mark`s: it runs, it is paused, it is stopped) on a calendar; nothing else is kept, so that
whoever computes it again from the log gets the same numbers. Only open time while it runs counts. A pause freezes what is
left: no instant is moved by the length of a hold. Another target or another calendar is simply computed on the same marks,
from the original start and with the earlier pauses (a retroactive start).

Source: domain rules of service levels (pauses, retroactive start, exact breaches).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from waypost.sla.calendar import Calendar, Span, after, elapsed, holidays, spans

_ZERO = timedelta()


class Run(StrEnum):
    """Whether a clock runs. Stopped is over: answered, resolved, cancelled; a request that is opened again runs on."""

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    STOPPED = "STOPPED"


class Kind(StrEnum):
    """What a stretch of time was to a clock."""

    RUNNING = "RUNNING"
    CLOSED = "CLOSED"  # outside working hours
    HOLIDAY = "HOLIDAY"  # what would be working hours on a day that is closed
    PAUSED = "PAUSED"
    STOPPED = "STOPPED"


@dataclass(frozen=True, slots=True)
class Mark:
    """Since when a clock runs, is paused or is stopped; `why` are words for people (a status, a question)."""

    at: datetime
    run: Run
    why: str = ""


@dataclass(frozen=True, slots=True)
class Segment:
    """A line of the ledger: from `start` up to `end`, UTC. The lines of kind `RUNNING` add up to what has run."""

    start: datetime
    end: datetime
    kind: Kind
    why: str = ""

    @property
    def length(self) -> timedelta:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Standing:
    """How a clock stands at an instant.

    `due_at` is when its target is over if it goes on running, or was; None while it is paused or stopped before that.
    `left` is below zero when it is late.
    """

    run: Run
    used: timedelta
    left: timedelta
    due_at: datetime | None
    is_breached: bool


def stretches(marks: Sequence[Mark], until: datetime) -> Iterator[tuple[Span, Mark]]:
    """The time from the first mark up to `until`, mark by mark; of several at one instant the last one counts.

    Raises `ValueError` when they do not ascend.
    """
    for mark, following in pairwise(marks):
        if following.at < mark.at:
            raise ValueError("marks do not ascend")
        if mark.at < min(following.at, until):
            yield Span(mark.at, min(following.at, until)), mark
    if marks and marks[-1].at < until:
        yield Span(marks[-1].at, until), marks[-1]


def used(calendar: Calendar, marks: Sequence[Mark], until: datetime) -> timedelta:
    """How much of its time a clock has run by an instant."""
    running = (span for span, mark in stretches(marks, until) if mark.run is Run.RUNNING)
    return sum((elapsed(calendar, span.start, span.end) for span in running), _ZERO)


def moment(calendar: Calendar, marks: Sequence[Mark], budget: timedelta) -> datetime | None:
    """When a clock has run for `budget`: an instant that was, or one to come if it goes on running as it does.

    None when it is paused or stopped before that. Raises `NeverOpen` when the calendar has not so much open time.
    """
    left = budget
    for mark, following in pairwise(marks):
        if following.at < mark.at:
            raise ValueError("marks do not ascend")
        if mark.run is not Run.RUNNING:
            continue
        ran = elapsed(calendar, mark.at, following.at)
        if ran >= left and ran > _ZERO:
            return after(calendar, mark.at, left)
        left -= ran
    if marks and marks[-1].run is Run.RUNNING:
        return after(calendar, marks[-1].at, left)
    return None


def standing(calendar: Calendar, marks: Sequence[Mark], target: timedelta, at: datetime) -> Standing:
    """How a clock stands at an instant, of what has happened by then.

    What is stopped or paused at the very instant it is due is in time; what still runs then is late.
    """
    known = [mark for mark in marks if mark.at <= at]
    run = known[-1].run if known else Run.STOPPED
    ran, due = used(calendar, known, at), moment(calendar, known, target)
    late = ran > target or (run is Run.RUNNING and due is not None and due <= at)
    return Standing(run, ran, target - ran, due, late)


def ledger(calendar: Calendar, marks: Sequence[Mark], until: datetime) -> list[Segment]:
    """Every stretch from the first mark up to `until`, without gaps, each with what it was."""
    lines: list[Segment] = []
    for span, mark in stretches(marks, until):
        if mark.run is Run.RUNNING:
            _add(lines, *_running(calendar, span, mark.why))
        else:
            _add(lines, Segment(span.start, span.end, Kind[mark.run.name], mark.why))
    return lines


def _running(calendar: Calendar, span: Span, why: str) -> Iterator[Segment]:
    """A stretch in which a clock ran, cut into open hours, closed ones and holidays."""
    named = [(found, Kind.RUNNING) for found in spans(calendar, span.start, span.end)]
    named += [(found, Kind.HOLIDAY) for found in holidays(calendar, span.start, span.end)]
    at = span.start
    for found, kind in sorted(named, key=lambda one: one[0].start):
        if at < found.start:
            yield Segment(at, found.start, Kind.CLOSED, why)
        yield Segment(found.start, found.end, kind, why)
        at = found.end
    if at < span.end:
        yield Segment(at, span.end, Kind.CLOSED, why)


def _add(lines: list[Segment], *new: Segment) -> None:
    """Add to the ledger; what goes on as it was is one line."""
    for line in new:
        goes_on = lines and (lines[-1].end, lines[-1].kind, lines[-1].why) == (line.start, line.kind, line.why)
        lines.append(Segment(lines.pop().start, line.end, line.kind, line.why) if goes_on else line)
