"""The saved views that speak of a form's field (`catalog/uses.py`). Whose own a view is, is nobody else's business: those
are only counted.
"""

from __future__ import annotations

from sqlalchemy import Text, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.catalog.models import TicketType
from waypost.catalog.uses import Use
from waypost.kernel.conditions.fields import CUSTOM
from waypost.search.models import SavedView

MOST_NAMED = 100


async def views_naming(session: AsyncSession, kind: TicketType, key: str) -> list[Use]:
    """Teams' and roles' views by name, people's own as a number."""
    names_it = func.strpos(cast(SavedView.condition, Text), f'"{CUSTOM}{key}"') > 0
    shared = select(SavedView.id, SavedView.name).where(names_it, SavedView.scope != "PERSONAL")
    rows = await session.execute(shared.order_by(SavedView.name, SavedView.id).limit(MOST_NAMED))
    found = [Use("saved_view", row.id, row.name) for row in rows]
    own = await session.scalar(select(func.count()).where(names_it, SavedView.scope == "PERSONAL")) or 0
    return found + ([Use("own_view", None, "", own)] if own else [])
