"""Reading saved views, and through them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.directory.models import TeamMember
from waypost.directory.names import names
from waypost.kernel.clock import rfc3339
from waypost.kernel.conditions.tree import InvalidCondition
from waypost.kernel.db import database, in_time, took_too_long
from waypost.kernel.paging import after, decode_cursor, encode_cursor
from waypost.search import policy
from waypost.search.errors import ViewNotFound, ViewOutdated
from waypost.search.models import SavedView, SavedViewPin, ViewAlert
from waypost.tickets.conditions import condition_of, filters_from
from waypost.tickets.listing import Filters, newest_count, ticket_count, ticket_list
from waypost.tickets.wording import read_wording

MOST_ON_BADGE = 1_000  # a badge says "1,000+" beyond
A_COUNT = 250  # milliseconds a statement that counts may take
A_COUNT_OF_ALL = 0.5  # seconds all of them may take together; of the others the newest tickets are counted
NEWEST = 1_000  # tickets of each way that are counted where all would take too long


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
    """How many tickets each of these views shows this reader, counted up to `MOST_ON_BADGE`.

    `more`: there are more, or may be, because looking at all would have taken too long: then the newest tickets were counted.
    Views that are not theirs are left out; `count` is null for one that asks for what is not there any more.
    """
    found = await session.scalars(
        select(SavedView).where(SavedView.id.in_(view_ids), policy.visible_to(actor)).order_by(SavedView.id)
    )
    views = found.all()
    if not views:
        return []
    wanted: list[tuple[int, Filters | None]] = []
    for view in views:
        try:
            wanted.append((view.id, await filters_of(session, actor, view)))
        except ViewOutdated:
            wanted.append((view.id, None))
    await session.close()  # counting takes a connection of its own, which must not wait for others who hold one
    counts = await _in_full(actor, [filters for _, filters in wanted])
    left = [filters for _, filters in wanted[len(counts) :]]
    if left:
        counts += await _of_the_newest(actor, left)
    return [
        {"id": view_id, "count": n and min(n, MOST_ON_BADGE), "more": more or (n or 0) > MOST_ON_BADGE}
        for (view_id, _), (n, more) in zip(wanted, counts, strict=True)
    ]


Counts = list[tuple[int | None, bool]]  # how many, and whether there may be more


async def _in_full(actor: Actor, wanted: Sequence[Filters | None]) -> Counts:
    """The first of these, as far as time allows. A statement that takes too long ends it: nothing is asked after it."""
    counts: Counts = []
    until = time.monotonic() + A_COUNT_OF_ALL
    try:
        async with database().limited_read(A_COUNT) as limited:
            for filters in wanted:
                if filters is None:
                    counts.append((None, False))
                elif time.monotonic() > until:
                    break
                else:
                    counts.append(await ticket_count(limited, actor, filters, most=MOST_ON_BADGE))
    except DBAPIError as error:
        if not took_too_long(error):
            raise
    return counts


async def _of_the_newest(actor: Actor, wanted: Sequence[Filters | None]) -> Counts:
    counts: Counts = []
    async with database().limited_read(A_COUNT) as limited:
        for filters in wanted:
            work = None if filters is None else newest_count(limited, actor, filters, most=MOST_ON_BADGE, among=NEWEST)
            counts.append((None, False) if work is None else (await in_time(limited, work), True))
    return counts
