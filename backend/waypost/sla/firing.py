"""What is said of the moments of one clock that have come: the breach alone, or the last of its warnings. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from waypost.sla.measuring import BREACH


@dataclass(frozen=True, slots=True)
class Due:
    """A moment that has come."""

    percent: int
    fires_at: datetime


def said(due: Iterable[Due], due_at: datetime | None, breached_at: datetime | None, at: datetime) -> Due | None:
    """Which of a clock's moments that have come is told, all of them being over with that; None when nothing is.

    After a time in which nothing was told, the earlier warnings are stale, and all of them are once time is over.
    """
    latest = max(due, key=lambda one: (one.percent, one.fires_at), default=None)
    if latest is None or latest.percent == BREACH:
        return latest
    is_over = breached_at is not None or due_at is None or due_at <= at
    return None if is_over else latest
