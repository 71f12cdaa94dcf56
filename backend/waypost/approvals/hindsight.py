"""Looking back at broken glass: who looks, and when they are told again. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

CLIMBS_AFTER = timedelta(days=1)
AGAIN_AFTER = timedelta(days=7)


def reviewers(
    asked: Iterable[int], administrators: Iterable[int], *, barred: Collection[int], broken_by: int
) -> tuple[int, ...]:
    """Who may give the verdict, each once: never who broke the glass, nor who asked for it, wrote it or changed it."""
    kept = dict.fromkeys([*asked, *administrators])
    return tuple(i for i in kept if i != broken_by and i not in barred)


@dataclass(frozen=True, slots=True)
class Rung:
    """What is due for a review nobody decided: its reviewers are told, or the administrators; and when it is next."""

    rungs: int
    climbs: bool
    next_at: datetime


def rung_at(due_at: datetime, rung: int) -> datetime:
    """When a review is due for the nth time (0: its day has come), without end: it is mandatory."""
    if rung == 0:
        return due_at
    return due_at + CLIMBS_AFTER + (rung - 1) * AGAIN_AFTER


def due_now(due_at: datetime, rungs: int, at: datetime) -> Rung | None:
    """What is due at an instant when so many rungs are behind; None when nothing is.

    Of several that passed meanwhile (nothing ran for a while) only the last is done.
    """
    passed = rungs
    while rung_at(due_at, passed) <= at:
        passed += 1
    if passed == rungs:
        return None
    return Rung(passed, passed > 1, rung_at(due_at, passed))
