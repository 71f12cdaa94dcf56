"""When a digest of a view is due. Pure."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

AT_ONCE, DAILY, WEEKLY = "AT_ONCE", "DAILY", "WEEKLY"
TOLD_AT = time(8)  # by the clock of who is told; a week's on Mondays
MONDAY = 0


def next_digest(how: str, at: datetime, zone: ZoneInfo) -> datetime | None:
    """The first eight o'clock (of a Monday) after this moment where they live; None for what is told at once."""
    if how == AT_ONCE:
        return None
    local = at.astimezone(zone)
    day = local.date()
    if how == WEEKLY:
        day += timedelta(days=(MONDAY - day.weekday()) % 7)
    due = datetime.combine(day, TOLD_AT, zone)
    if due.timestamp() <= at.timestamp():
        due = datetime.combine(day + timedelta(days=7 if how == WEEKLY else 1), TOLD_AT, zone)
    return due
