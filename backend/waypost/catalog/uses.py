"""Who speaks of a form's field: what an administrator is told before taking it away.

The rooms above know (tickets hold values, workflows and rules name fields in conditions); each gives a finder, and
`wiring.py` lists them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.catalog.models import TicketType


@dataclass(frozen=True, slots=True)
class Use:
    """Something that speaks of a field. `count` is for what is only counted (tickets), `has_more` when it is a bound."""

    kind: str
    id: int | None
    name: str
    count: int = 1
    has_more: bool = False


Finder = Callable[[AsyncSession, TicketType, str], Awaitable[list[Use]]]
_finders: list[Finder] = []


def use_finders(finders: tuple[Finder, ...]) -> None:
    """The finders in force (`wiring.py`)."""
    _finders[:] = finders


async def uses_of(session: AsyncSession, kind: TicketType, key: str) -> list[Use]:
    """Everything that speaks of a field of this type, those that only count last."""
    found = [use for finder in _finders for use in await finder(session, kind, key)]
    return sorted(found, key=lambda u: (u.id is None, u.kind, u.name))
