"""What repeats and where it goes: the pattern of weekdays in counts by day, and their moving average. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

WEEK = 7
FLAT = 0.1  # a change smaller than this is called none


@dataclass(frozen=True, slots=True)
class Season:
    """`weekdays`: how many come on an average Monday, Tuesday, …; `smooth`: for each day the mean of the seven days that
    end with it (None before there are seven). `change`: how the last four whole weeks differ from the four before, as a share."""

    weekdays: tuple[float, ...]
    smooth: tuple[float | None, ...]
    change: float | None


def season(days: Sequence[tuple[date, int]]) -> Season:
    """The season of counts by day, in order and without gaps; the last day (today) is not over and counts for nothing but
    its own moving average."""
    counts = [n for _, n in days]
    smooth = tuple(None if i < WEEK - 1 else sum(counts[i - WEEK + 1 : i + 1]) / WEEK for i in range(len(counts)))
    over = days[:-1]
    by_weekday: list[list[int]] = [[] for _ in range(WEEK)]
    for day, n in over:
        by_weekday[day.weekday()].append(n)
    weekdays = tuple(sum(ns) / len(ns) if ns else 0.0 for ns in by_weekday)
    month = 4 * WEEK
    change = None
    if len(over) >= 2 * month:
        new = sum(n for _, n in over[-month:])
        old = sum(n for _, n in over[-2 * month : -month])
        change = (new - old) / old if old else None
    return Season(weekdays, smooth, change)
