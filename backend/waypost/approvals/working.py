"""Whose working hours a running approval needs, from the room that knows calendars (the wiring says which one that is)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals.hours import Hours
from waypost.approvals.states import State

Finder = Callable[[AsyncSession, Collection[int]], Awaitable[Mapping[int, Hours]]]
_finders: list[Finder] = []


def use_working_hours(finder: Finder) -> None:
    """Say who knows when people work: for each of these people an answer (called once, by the wiring)."""
    _finders[:] = [finder]


async def with_hours(session: AsyncSession, state: State, people: Iterable[int] = ()) -> State:
    """The same approval, knowing the working hours of everybody in it and of these `people`, whom it may come to next."""
    return (await all_with_hours(session, [state], people))[0]


async def all_with_hours(session: AsyncSession, states: Sequence[State], people: Iterable[int] = ()) -> list[State]:
    """The same for many approvals at once. Where none has a stage that counts in working time nothing is read."""
    counting = [s for s in states if any(stage.in_working_time for stage in s.stages)]
    if not counting:
        return list(states)
    in_them = {step.approver for s in counting for stage in s.stages for step in stage.steps}
    [finder] = _finders
    hours = await finder(session, in_them | set(people))
    return [replace(s, hours=hours) for s in states]
