"""Conditions as people read them: what the ids and keys in them are called. Names come from memory when they can."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.catalog.models import TicketType
from waypost.directory.names import names
from waypost.kernel.conditions.fields import Field
from waypost.kernel.conditions.tree import Condition, leaves

FRESH = 30.0
TYPE = "ticket_type"
REFERS_TO = {
    "requester_id": "person",
    "assignee_id": "person",
    "team_id": "team",
    "department_id": "department",
}
Call = Callable[[Field, object], str | None]


class _Types:
    """The names of the types, at most `FRESH` seconds old: conditions on them cost no statement."""

    def __init__(self) -> None:
        self._kept: tuple[float, dict[str, str]] | None = None

    async def get(self, session: AsyncSession) -> dict[str, str]:
        tick = time.monotonic()
        if self._kept is None or tick - self._kept[0] > FRESH:
            rows = await session.execute(select(TicketType.key, TicketType.name))
            self._kept = (tick, {row.key: row.name for row in rows})
        return self._kept[1]

    def forget(self) -> None:
        """Read them anew next time."""
        self._kept = None


types = _Types()


def whose(field: Field) -> str | None:
    """Whether a field holds the id of a person, a team or a department; None when it holds something else."""
    return field.refers_to or REFERS_TO.get(field.name)


async def namer(session: AsyncSession, conditions: Iterable[Condition]) -> Call:
    """What the people, teams, departments and types in some conditions are called, for `describe`."""
    wanted: dict[str, set[int]] = {"person": set(), "team": set(), "department": set()}
    called: dict[str, str] = {}
    for leaf in (leaf for condition in conditions for leaf in leaves(condition)):
        if leaf.value is None:
            continue
        kind = whose(leaf.field)
        if kind is not None:
            wanted[kind].update(leaf.value if isinstance(leaf.value, tuple) else (leaf.value,))
        elif leaf.field.name == TYPE and not called:
            called = await types.get(session)
    people, teams, departments = await names.all(
        session, people=wanted["person"], teams=wanted["team"], departments=wanted["department"]
    )
    known = {"person": people, "team": teams, "department": departments}

    def call(field: Field, value: object) -> str | None:
        if field.name == TYPE:
            return called.get(str(value))
        kind = whose(field)
        found = known[kind].get(value) if kind is not None and isinstance(value, int) else None
        return str(found["name"]) if found else None

    return call
