"""Being told of what is new in a view: each for oneself, of any view one sees."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.directory.models import User
from waypost.kernel.clock import now, zone_of
from waypost.search import queries
from waypost.search.alerting import next_digest
from waypost.search.errors import MOST_ALERTS, TooManyAlerts
from waypost.search.models import SavedView, ViewAlert, ViewAlertMatch
from waypost.tickets.listing import newest_ids

MOST_SEEDED = 2000  # tickets that are known from the start; of a view with more, only newer tickets are news
OUTDATED = "view_outdated"
_KEEP = text(
    "INSERT INTO view_alert_matches (user_id, view_id, ticket_id, told_at)"
    " SELECT :user_id, :view_id, k.id, :at FROM unnest(CAST(:ids AS bigint[])) AS k(id)"
    " JOIN tickets t ON t.id = k.id ON CONFLICT DO NOTHING"
)


async def set_alert(session: AsyncSession, actor: Actor, view_id: int, how: str | None) -> SavedView:
    """Be told of a view in this way; None: not any more. Raises `ViewNotFound`, `ViewOutdated` or `TooManyAlerts`."""
    view = await queries.find_view(session, actor, view_id)
    mine = ViewAlert.user_id == actor.user_id
    if how is None:
        await session.execute(delete(ViewAlert).where(mine, ViewAlert.view_id == view_id))
        return view
    me = (
        await session.execute(
            select(User.timezone).where(User.id == actor.user_id).with_for_update(key_share=True)
        )  # counting and adding are one step
    ).one()
    others = select(func.count()).select_from(ViewAlert).where(mine, ViewAlert.view_id != view_id)
    if (await session.scalar(others) or 0) >= MOST_ALERTS:
        raise TooManyAlerts
    at = now()
    values: dict[str, Any] = {"how": how, "next_at": next_digest(how, at, zone_of(me.timezone))}
    row = {"user_id": actor.user_id, "view_id": view_id, "is_seeded": False, "created_at": at, **values}
    is_new = await session.scalar(insert(ViewAlert).values(row).on_conflict_do_nothing().returning(ViewAlert.view_id))
    if is_new is None:
        await session.execute(update(ViewAlert).where(mine, ViewAlert.view_id == view_id).values(**values, why=None))
    else:
        await seed(session, actor, view)
    return view


async def seed(session: AsyncSession, actor: Actor, view: SavedView) -> None:
    """Keep what a view shows somebody now as known. Raises `ViewOutdated`."""
    filters = await queries.filters_of(session, actor, view)
    ids = await newest_ids(session, actor, filters, most=MOST_SEEDED + 1)
    whose = {"user_id": actor.user_id, "view_id": view.id}
    known = ids[:MOST_SEEDED]
    await session.execute(_KEEP, {**whose, "ids": known, "at": now()})
    after = max(ids) if len(ids) > MOST_SEEDED else None
    await session.execute(update(ViewAlert).filter_by(**whose).values(is_seeded=True, after_ticket_id=after, why=None))


async def seed_anew(session: AsyncSession, view_id: int) -> None:
    """What a view asks for has changed: what it shows now is known to all who are told of it, once the worker has looked."""
    await session.execute(update(ViewAlert).where(ViewAlert.view_id == view_id).values(is_seeded=False, why=None))


async def name_of_view(session: AsyncSession, view_id: int) -> str | None:
    """How a view is called; None when it is gone."""
    return await session.scalar(select(SavedView.name).where(SavedView.id == view_id))


async def keep_matches(session: AsyncSession, user_id: int, view_id: int, ids: list[int], *, told: bool) -> list[int]:
    """Keep what an alert has met; those of it that are new to it."""
    if not ids:
        return []
    at = now() if told else None
    values = [{"user_id": user_id, "view_id": view_id, "ticket_id": i, "told_at": at} for i in ids]
    made = insert(ViewAlertMatch).values(values).on_conflict_do_nothing().returning(ViewAlertMatch.ticket_id)
    return sorted(await session.scalars(made), reverse=True)
