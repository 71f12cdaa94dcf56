"""The saved views that name a person (`directory/mentions.py`). People's own are only counted."""

from __future__ import annotations

from typing import Any

from sqlalchemy import cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import JSONPATH
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.directory.mentions import MOST_NAMED, Mention
from waypost.search.models import SavedView

_FIELDS = ("requester_id", "assignee_id")


async def views_naming_person(session: AsyncSession, actor: Any, user_id: int) -> list[Mention]:
    """Teams' and roles' views that look for this person or are theirs, by name; their own as a number."""
    looked_for = " || ".join(f'@.field == "{field}"' for field in _FIELDS)
    path = f"$.** ? (({looked_for}) && (@.value == {user_id}))"  # lax: a list of values is looked into
    names_them = or_(
        func.jsonb_path_exists(SavedView.condition, cast(literal(path), JSONPATH)),
        *(SavedView.filters.contains({field: [str(user_id)]}) for field in _FIELDS),
        SavedView.owner_id == user_id,
    )
    shared = select(SavedView.id, SavedView.name, SavedView.owner_id).where(SavedView.scope != "PERSONAL", names_them)
    rows = await session.execute(shared.order_by(SavedView.name, SavedView.id).limit(MOST_NAMED))
    found = [Mention("saved_view", r.id, r.name, "owner" if r.owner_id == user_id else "condition") for r in rows]
    own = await session.scalar(select(func.count()).where(SavedView.owner_id == user_id, SavedView.scope == "PERSONAL"))
    return found + ([Mention("own_view", None, "", "owner", own)] if own else [])
