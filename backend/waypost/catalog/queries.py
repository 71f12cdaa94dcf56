"""The catalogue as people see it."""

from __future__ import annotations

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.catalog.errors import FormVersionNotFound, TicketTypeNotFound
from waypost.catalog.models import FormVersion, TicketType
from waypost.kernel.paging import after, decode_cursor, encode_cursor


async def ticket_type_page(
    session: AsyncSession, actor: Actor, *, is_active: bool | None, q: str | None, cursor: str | None, limit: int
) -> tuple[list[TicketType], str | None]:
    """Ticket types by name; inactive ones only for those who configure them."""
    statement = select(TicketType).order_by(TicketType.name, TicketType.id).limit(limit + 1)
    if not actor.may(Permission.CATALOG_CONFIGURE):
        statement = statement.where(TicketType.is_active)
    if is_active is not None:
        statement = statement.where(TicketType.is_active == is_active)
    if q and q.strip():
        words = q.strip().lower()
        statement = statement.where(
            or_(func.strpos(func.lower(TicketType.name), words) > 0, func.strpos(func.lower(TicketType.key), words) > 0)
        )
    if cursor:
        name, type_id = decode_cursor(cursor, "types", str, int)
        statement = statement.where(after([(TicketType.name, name, False), (TicketType.id, type_id, False)]))
    rows = list((await session.scalars(statement)).all())
    end = rows[limit - 1] if len(rows) > limit else None
    return rows[:limit], encode_cursor("types", end.name, end.id) if end else None


async def ticket_type(session: AsyncSession, actor: Actor, key: str) -> TicketType:
    """One type. Raises `TicketTypeNotFound`."""
    found = await session.scalar(select(TicketType).where(TicketType.key == key))
    if found is None or not (found.is_active or actor.may(Permission.CATALOG_CONFIGURE)):
        raise TicketTypeNotFound
    return found


async def check_known(session: AsyncSession, key: str, version: int | None) -> None:
    """Raises `TicketTypeNotFound`, or `FormVersionNotFound` when a version is named that the form never had."""
    kind = await session.scalar(select(TicketType.id).where(TicketType.key == key))
    if kind is None:
        raise TicketTypeNotFound
    if version is not None and await session.get(FormVersion, (kind, version)) is None:
        raise FormVersionNotFound
