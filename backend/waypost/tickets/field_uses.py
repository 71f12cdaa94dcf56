"""What of tickets speaks of a form's field: their values, and the routing rules in force (`catalog/uses.py`)."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.catalog.models import TicketType
from waypost.catalog.uses import Use
from waypost.kernel.conditions.fields import CUSTOM
from waypost.kernel.conditions.tree import leaves
from waypost.tickets import rules
from waypost.tickets.models import Ticket

MOST_COUNTED = 1000


async def tickets_with(session: AsyncSession, kind: TicketType, key: str) -> list[Use]:
    """How many tickets of a type hold a value in a field, counted up to a bound."""
    holding = select(Ticket.id).where(Ticket.ticket_type_id == kind.id, Ticket.custom_fields.has_key(key))
    count = await session.scalar(select(func.count()).select_from(holding.limit(MOST_COUNTED + 1).subquery())) or 0
    if not count:
        return []
    return [Use("ticket", None, "", min(count, MOST_COUNTED), count > MOST_COUNTED)]


async def rules_naming(session: AsyncSession, kind: TicketType, key: str) -> list[Use]:
    """The routing rules in force whose condition looks at a field; their `id` is their place among the rules."""
    found = rules.rules_of(await rules.newest(session))
    return [
        Use("routing_rule", n, rule.name)
        for n, rule in enumerate(found, 1)
        if any(leaf.field.name == f"{CUSTOM}{key}" for leaf in leaves(rule.condition))
    ]
