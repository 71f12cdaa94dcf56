"""Who may act for whom: dated windows, and the chains they make. Pure.

A standing delegation is a right, not a row: nothing is handed over, and so nothing has to come back. While its window is
open (from its start up to but not including its end) the deputy may decide what the approver may. Who stands in for one
who stands in for a third may act for the third as well, as far as all windows of the chain are open and all their scopes
hold; a chain has at most five links and passes nobody twice. Who may not decide something does not choose who does: no
chain passes through somebody who is barred.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from waypost.approvals.scopes import EVERYTHING, Scope, covers

MOST_LINKS = 5


@dataclass(frozen=True, slots=True)
class Window:
    """One delegation. `asked_from`: it covers what was asked from then on only; None covers what waits already too."""

    id: int
    approver: int
    deputy: int
    starts_at: datetime
    ends_at: datetime
    asked_from: datetime | None = None
    scope: Scope = EVERYTHING


@dataclass(frozen=True, slots=True)
class Right:
    """That somebody may act for another in a time; `links` are the windows it comes from, the approver's own first."""

    approver: int
    deputy: int
    starts_at: datetime
    ends_at: datetime
    asked_from: datetime | None
    links: tuple[Window, ...]

    @property
    def through(self) -> tuple[int, ...]:
        """Those between the two, who chose the next one."""
        return tuple(w.deputy for w in self.links[:-1])


@dataclass(frozen=True, slots=True)
class Asked:
    """A step somebody is asked about: who, since when, what is judged (`facts` as kept), who may have no say in it.

    `taken` are those who have a seat in its stage, or have answered there.
    """

    approver: int
    requested_at: datetime
    facts: Mapping[str, Any] | None
    barred: frozenset[int] = frozenset()
    taken: frozenset[int] = frozenset()


def rights(windows: Iterable[Window], approver: int | None = None) -> Iterator[Right]:
    """Every right these windows give, or those to act for one person; chains included."""
    by_approver = _by_approver(windows)
    for person in by_approver if approver is None else (approver,):
        yield from _from(person, by_approver)


def _by_approver(windows: Iterable[Window]) -> dict[int, list[Window]]:
    found: dict[int, list[Window]] = {}
    for window in windows:
        found.setdefault(window.approver, []).append(window)
    return found


def _from(approver: int, by_approver: Mapping[int, Sequence[Window]]) -> Iterator[Right]:
    waiting = [
        Right(approver, w.deputy, w.starts_at, w.ends_at, w.asked_from, (w,)) for w in by_approver.get(approver, ())
    ]
    while waiting:
        right = waiting.pop()
        yield right
        if len(right.links) < MOST_LINKS:
            visited = {approver, *(w.deputy for w in right.links)}
            waiting += [longer for w in by_approver.get(right.deputy, ()) if (longer := _longer(right, w, visited))]


def _longer(right: Right, window: Window, visited: set[int]) -> Right | None:
    starts_at, ends_at = max(right.starts_at, window.starts_at), min(right.ends_at, window.ends_at)
    if window.deputy in visited or starts_at >= ends_at:
        return None
    asked = [a for a in (right.asked_from, window.asked_from) if a is not None]
    links = (*right.links, window)
    return Right(right.approver, window.deputy, starts_at, ends_at, max(asked, default=None), links)


def makes_loop(windows: Iterable[Window], new: Window) -> bool:
    """Whether, with this window, somebody would at some moment stand in for themself by way of others."""
    by_approver = _by_approver(windows)
    waiting = [(new.deputy, new.starts_at, new.ends_at)]
    seen = set(waiting)
    while waiting:
        person, starts_at, ends_at = waiting.pop()
        if person == new.approver:
            return True
        for window in by_approver.get(person, ()):
            start, end = max(starts_at, window.starts_at), min(ends_at, window.ends_at)
            if start < end and (window.deputy, start, end) not in seen:
                seen.add((window.deputy, start, end))
                waiting.append((window.deputy, start, end))
    return False


def may_act(windows: Sequence[Window], person: int, asked: Asked, at: datetime) -> bool:
    """Whether somebody may decide a step as the approver's deputy at an instant."""
    if person in asked.barred or person in asked.taken:
        return False
    return any(
        r.deputy == person
        and asked.barred.isdisjoint(r.through)
        and r.starts_at <= at < r.ends_at
        and (r.asked_from is None or asked.requested_at >= r.asked_from)
        and all(covers(w.scope, asked.facts) for w in r.links)
        for r in rights(windows, asked.approver)
    )
