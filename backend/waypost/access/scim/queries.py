"""Reading how provisioning goes, for whoever looks after it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.models import Role
from waypost.access.providers.errors import ProviderNotFound
from waypost.access.providers.models import IdentityProvider, ProviderGroup
from waypost.access.scim import tokens
from waypost.access.scim.door import base_url
from waypost.access.scim.models import ScimGroup, ScimMember, ScimPerson, ScimStop, ScimToken
from waypost.directory.models import User
from waypost.directory.names import names
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.paging import after, decode_cursor, encode_cursor


async def find(session: AsyncSession, provider_id: int) -> IdentityProvider:
    """A provider that pushes people. Raises `ProviderNotFound`, also for one of another kind."""
    row = await session.get(IdentityProvider, provider_id, populate_existing=True)
    if row is None or row.kind != tokens.KIND:
        raise ProviderNotFound
    return row


async def provisioning(session: AsyncSession, provider_id: int) -> dict[str, Any]:
    """How it goes with one."""
    await find(session, provider_id)
    at = now()
    counted = select(func.count(), func.count().filter(User.is_active)).select_from(ScimPerson)
    people = counted.join(User, User.id == ScimPerson.user_id).where(
        ScimPerson.provider_id == provider_id, ScimPerson.deleted_at.is_(None)
    )
    people_count, active_count = (await session.execute(people)).one()
    groups = select(func.count()).select_from(ScimGroup).where(ScimGroup.provider_id == provider_id)
    listed = await tokens.of_provider(session, provider_id)
    stop = await session.get(ScimStop, provider_id)
    return {
        "base_url": base_url(),
        "people_count": people_count,
        "active_count": active_count,
        "group_count": await session.scalar(groups) or 0,
        "tokens": await tokens_json(session, listed),
        "may_make_token": sum(t.expires_at > at for t in listed) < tokens.MOST,
        "stop": stop_json(stop) if stop is not None else None,
    }


def stop_json(stop: ScimStop) -> dict[str, Any] | None:
    """What is stopped or let go on; nothing when that is over."""
    allowed_until = stop.allowed_until if stop.allowed_until and stop.allowed_until > now() else None
    if stop.stopped_at is None and allowed_until is None:
        return None
    return {
        "stopped_at": rfc3339(stop.stopped_at) if stop.stopped_at else None,
        "why": stop.why if stop.stopped_at else "",
        "allowed_until": rfc3339(allowed_until) if allowed_until else None,
    }


async def tokens_json(session: AsyncSession, rows: list[ScimToken]) -> list[dict[str, Any]]:
    """Tokens with who made them."""
    at = now()
    people = await names.people(session, [t.created_by_id for t in rows])
    return [
        {
            "id": t.id,
            "prefix": t.prefix,
            "created_by": people[t.created_by_id],
            "created_at": rfc3339(t.created_at),
            "expires_at": rfc3339(t.expires_at),
            "is_expired": t.expires_at <= at,
            "used_at": rfc3339(t.used_at) if t.used_at else None,
        }
        for t in rows
    ]


async def group_page(
    session: AsyncSession, provider_id: int, *, cursor: str | None, limit: int
) -> tuple[list[dict[str, Any]], str | None]:
    """The groups of a provider by name, with how many are in each and the roles it gives."""
    members = select(func.count()).where(ScimMember.group_id == ScimGroup.id).scalar_subquery()
    wanted = select(ScimGroup, members).where(ScimGroup.provider_id == provider_id)
    if cursor:
        name, group_id = decode_cursor(cursor, "pushed_groups", str, int)
        wanted = wanted.where(
            after([(func.lower(ScimGroup.display_name), name, False), (ScimGroup.id, group_id, False)])
        )
    wanted = wanted.order_by(func.lower(ScimGroup.display_name), ScimGroup.id).limit(limit + 1)
    found = [(group, count) for group, count in await session.execute(wanted)]
    page = found[:limit]
    given: dict[str, list[dict[str, str]]] = {group.display_name: [] for group, _ in page}
    rows = await session.execute(
        select(ProviderGroup.group_name, Role.key, Role.name)
        .join(Role, Role.id == ProviderGroup.role_id)
        .where(ProviderGroup.provider_id == provider_id, ProviderGroup.group_name.in_(list(given)))
        .order_by(Role.key)
    )
    for group_name, key, role_name in rows:
        given[group_name].append({"key": key, "name": role_name})
    items = [
        {
            "id": group.id,
            "name": group.display_name,
            "member_count": count,
            "roles": given[group.display_name],
            "updated_at": rfc3339(group.updated_at),
        }
        for group, count in page
    ]
    end = page[-1][0] if len(found) > limit else None
    return items, encode_cursor("pushed_groups", end.display_name.lower(), end.id) if end else None
