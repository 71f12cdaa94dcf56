"""Reading saved views, and through them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.directory.models import TeamMember
from waypost.directory.names import names
from waypost.kernel.clock import rfc3339
from waypost.kernel.conditions.tree import InvalidCondition
from waypost.kernel.paging import after, decode_cursor, encode_cursor
from waypost.search import policy
from waypost.search.errors import ViewNotFound, ViewOutdated
from waypost.search.models import SavedView, SavedViewPin, ViewAlert
from waypost.tickets.conditions import condition_of, filters_from
from waypost.tickets.listing import MOST_COUNTED, Filters, ticket_count, ticket_list
from waypost.tickets.wording import read_wording


async def view_page(
    session: AsyncSession, actor: Actor, *, pinned: bool | None, cursor: str | None, limit: int
) -> dict[str, Any]:
    """The views of this person, their teams and their roles by name; pinned ones only when asked, in pinning's order."""
    statement = (
        select(SavedView, SavedViewPin.pinned_at)
        .outerjoin(SavedViewPin, and_(SavedViewPin.view_id == SavedView.id, SavedViewPin.user_id == actor.user_id))
        .where(policy.visible_to(actor))
        .order_by(SavedView.name, SavedView.id)
        .limit(limit + 1)
    )
    if pinned is not None:
        is_pinned = SavedViewPin.pinned_at
        statement = statement.where(is_pinned.is_not(None) if pinned else is_pinned.is_(None))
    if cursor:
        name, view_id = decode_cursor(cursor, "views", str, int)
        statement = statement.where(after([(SavedView.name, name, False), (SavedView.id, view_id, False)]))
    rows = (await session.execute(statement)).all()
    end = rows[limit - 1][0] if len(rows) > limit else None
    following = encode_cursor("views", end.name, end.id) if end else None
    return {
        "items": await view_json(session, actor, [(r[0], r[1] is not None) for r in rows[:limit]]),
        "next_cursor": following,
    }


async def find_view(session: AsyncSession, actor: Actor, view_id: int, *, lock: bool = False) -> SavedView:
    """A view this person may see. Raises `ViewNotFound`."""
    statement = select(SavedView).where(SavedView.id == view_id)
    view = await session.scalar(statement.with_for_update(key_share=True) if lock else statement)
    if view is None or not policy.may_see(actor, view):
        raise ViewNotFound
    return view


async def teams_led(session: AsyncSession, actor: Actor, views: Sequence[SavedView]) -> frozenset[int]:
    """The teams this person leads, where that decides who changes one of these views. At most one statement."""
    if all(v.scope != "TEAM" or v.owner_id == actor.user_id for v in views):
        return frozenset()
    led = select(TeamMember.team_id).where(TeamMember.user_id == actor.user_id, TeamMember.is_lead)
    return frozenset(await session.scalars(led))


async def is_pinned(session: AsyncSession, actor: Actor, view_id: int) -> bool:
    """Whether this person keeps it in their side bar."""
    return await session.get(SavedViewPin, (actor.user_id, view_id)) is not None


async def alerts_of(session: AsyncSession, actor: Actor, view_ids: list[int]) -> dict[int, ViewAlert]:
    """How this person is told of these views. At most one statement."""
    if not view_ids:
        return {}
    mine = select(ViewAlert).where(ViewAlert.user_id == actor.user_id, ViewAlert.view_id.in_(view_ids))
    return {alert.view_id: alert for alert in await session.scalars(mine)}


async def view_json(
    session: AsyncSession, actor: Actor, views: Sequence[tuple[SavedView, bool]]
) -> list[dict[str, Any]]:
    """Views as clients read them, each with whether the reader pinned it."""
    people = await names.people(session, [v.owner_id for v, _ in views])
    teams = await names.teams(session, [v.team_id for v, _ in views])
    led = await teams_led(session, actor, [v for v, _ in views])
    told = await alerts_of(session, actor, [v.id for v, _ in views])
    return [
        {
            "id": v.id,
            "name": v.name,
            "scope": v.scope,
            "owner": people.get(v.owner_id),
            "team": teams.get(v.team_id),
            "role": v.role,
            "condition": v.condition,
            "filters": v.filters,
            "sort": v.sort,
            "columns": v.columns,
            "group": v.group_by,
            "is_default": v.is_default,
            "pinned": pinned,
            "alert": _alert_json(told.get(v.id)),
            "version": v.version,
            "created_at": rfc3339(v.created_at),
            "updated_at": rfc3339(v.updated_at),
            "allowed_actions": ["edit", "delete"] if policy.may_change(actor, v, led) else [],
        }
        for v, pinned in views
    ]


def _alert_json(alert: ViewAlert | None) -> dict[str, Any] | None:
    if alert is None:
        return None
    return {"how": alert.how, "next_at": alert.next_at and rfc3339(alert.next_at), "is_stopped": alert.why is not None}


async def filters_of(session: AsyncSession, actor: Actor, view: SavedView) -> Filters:
    """What a view narrows the list to, for this reader now. Raises `ViewOutdated`."""
    try:
        condition = await condition_of(session, actor, view.condition, pointer="/condition")
    except InvalidCondition as wrong:
        raise ViewOutdated(errors=wrong.errors) from wrong
    plain = {name: value for name, value in view.filters.items() if name != "q"}
    words = await read_wording(session, actor, view.filters.get("q"))
    return filters_from(actor, condition=condition, words=words, **plain)


async def view_tickets(
    session: AsyncSession, actor: Actor, view_id: int, *, sort: str | None, cursor: str | None, limit: int
) -> dict[str, Any]:
    """A page of what a view shows this reader, like every list of tickets."""
    view = await find_view(session, actor, view_id)
    filters = await filters_of(session, actor, view)
    return await ticket_list(session, actor, filters, sort=sort or view.sort, cursor=cursor, limit=limit)


async def view_counts(session: AsyncSession, actor: Actor, view_ids: Sequence[int]) -> list[dict[str, Any]]:
    """How many tickets each of these views shows this reader, exact up to `MOST_COUNTED`; one statement a view.

    Views that are not theirs are left out; `count` is null for one that asks for what is not there any more.
    """
    views = await session.scalars(
        select(SavedView).where(SavedView.id.in_(view_ids), policy.visible_to(actor)).order_by(SavedView.id)
    )
    counted = []
    for view in views.all():
        try:
            filters = await filters_of(session, actor, view)
            found = await ticket_count(session, actor, filters, most=MOST_COUNTED)
        except ViewOutdated:
            counted.append({"id": view.id, "count": None, "more": False})
            continue
        counted.append({"id": view.id, "count": min(found, MOST_COUNTED), "more": found > MOST_COUNTED})
    return counted
