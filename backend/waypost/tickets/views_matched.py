"""Tickets that came into a view somebody wants to hear of: the fact, between the room that finds and the one that tells."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.kernel.events import Event

MOST_TOLD = 20  # tickets that are named in one message; the others are counted


@dataclass(frozen=True, kw_only=True)
class ViewMatched(Event):
    """New tickets in a view, for one person. The view's name stands in the view: a personal one is nobody else's business.

    `ticket_ids` are the newest, at most `MOST_TOLD`; `count` is how many there are. `how` is how they are told.
    """

    type: ClassVar[str] = "saved_view.matched"
    object_type: ClassVar[str] = "saved_view"
    view_id: int
    user_id: int
    how: str
    ticket_ids: tuple[int, ...]
    count: int

    @property
    def object_id(self) -> int:
        return self.view_id


Naming = Callable[[AsyncSession, int], Awaitable[str | None]]


class _Views:
    name_of: Naming


_views = _Views()


def use_view_names(name_of: Naming) -> None:
    """Say how a view is called; None for one that is gone (`wiring.py` brings it in)."""
    _views.name_of = name_of


async def name_of_view(session: AsyncSession, view_id: int) -> str | None:
    """How a view is called; None when it is gone."""
    return await _views.name_of(session, view_id)
