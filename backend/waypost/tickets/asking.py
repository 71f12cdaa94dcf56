"""For whom a request is: oneself, or somebody for whom one may ask."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission, Scope
from waypost.directory.models import User
from waypost.directory.names import names
from waypost.directory.queries import people_page
from waypost.kernel.errors import invalid_field
from waypost.tickets import policy
from waypost.tickets.errors import NotYoursToAskFor


async def requester_of(session: AsyncSession, actor: Actor, requester_id: int | None) -> User:
    """The person a new request is for. Raises `NotYoursToAskFor`, or names `requester_id` when nobody works here by it.

    Whoever may not ask for everybody gets the same answer for a person out of reach and for one who does not exist.
    """
    wanted = actor.user_id if requester_id is None else requester_id
    person = await session.scalar(select(User).where(User.id == wanted))
    asks_for_all = actor.scope(Permission.TICKETS_CREATE) is Scope.ALL
    if not asks_for_all and (person is None or not policy.may_ask_for(actor, person.id, person.department_id)):
        raise NotYoursToAskFor
    if person is None or not (person.is_active or person.id == actor.user_id):  # a program asks for itself only
        raise invalid_field("/requester_id", "is nobody who works here")
    return person


async def requester_page(
    session: AsyncSession, actor: Actor, *, q: str | None, cursor: str | None, limit: int
) -> dict[str, Any]:
    """Those besides oneself for whom one may ask, by name: `{items, next_cursor}`. One statement when names are known."""
    among = and_(User.id != actor.user_id, policy.people_to_ask_for(actor))
    rows, following = await people_page(session, q=q, cursor=cursor, limit=limit, only_active=True, among=among)
    departments = await names.departments(session, [u.department_id for u, _ in rows])
    items = [
        {"id": u.id, "username": u.username, "name": u.name, "department": departments.get(u.department_id)}
        for u, _ in rows
    ]
    return {"items": items, "next_cursor": following}
