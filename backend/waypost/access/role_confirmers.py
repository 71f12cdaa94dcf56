"""For whom a change of roles waits: those who may confirm it, as `role_changes.may_confirm` judges each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.models import RoleChange
from waypost.access.queries import actors_of_users
from waypost.access.role_changes import may_confirm
from waypost.access.role_rules import able_to_confirm

MOST_NAMED = 10  # on a screen: who it is matters, not all of a long list


async def confirmers(
    session: AsyncSession, changes: Sequence[RoleChange], role_keys: Mapping[int, str]
) -> dict[int, list[int]]:
    """Who may confirm each of these changes, by the change's id: two statements, however many changes there are."""
    if not changes:
        return {}
    able = await actors_of_users(session, await able_to_confirm(session))
    return {
        c.id: sorted(i for i, actor in able.items() if may_confirm(actor, c, role_keys.get(c.role_id or 0)))
        for c in changes
    }
