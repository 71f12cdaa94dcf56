"""Somebody's time: by the clock, or in their own working hours. What the engine asks of whoever knows calendars. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

_ZERO = timedelta()


class Hours(Protocol):
    """When somebody works, on the line of instants (UTC). Spans are zero or longer."""

    def after(self, start: datetime, span: timedelta) -> datetime:
        """The first instant at which so much of their time has passed since `start`."""
        ...

    def before(self, end: datetime, span: timedelta) -> datetime:
        """The last instant from which so much of their time is left until `end`."""
        ...

    def between(self, start: datetime, end: datetime) -> timedelta:
        """How much of their time lies between two instants; zero when `end` is not the later one."""
        ...


@dataclass(frozen=True, slots=True)
class _Clock:
    """Around the clock."""

    def after(self, start: datetime, span: timedelta) -> datetime:
        return start + span

    def before(self, end: datetime, span: timedelta) -> datetime:
        return end - span

    def between(self, start: datetime, end: datetime) -> timedelta:
        return max(end - start, _ZERO)


CLOCK: Hours = _Clock()


def left(hours: Hours, at: datetime, due: datetime) -> timedelta:
    """How much time there is until `due`; below zero how much has passed since."""
    return hours.between(at, due) if due >= at else -hours.between(due, at)


def due_with(hours: Hours, at: datetime, span: timedelta) -> datetime:
    """When something is due of which so much is left; with less than nothing it was due that long ago."""
    return hours.after(at, span) if span > _ZERO else hours.before(at, -span)
