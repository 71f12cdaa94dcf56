"""What a condition may say of a ticket, and where it stands: for one row, and as SQL. A property test holds both equal.

Saved views, routing rules and their dry runs speak of tickets in these words; a form's fields are `custom.<key>`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals.definition import FIELDS as SUBJECT_FIELDS
from waypost.catalog.models import TicketType
from waypost.kernel.conditions.fields import CUSTOM, Catalogue, Field, Kind, catalogue, form_fields
from waypost.kernel.conditions.sql import custom_column
from waypost.tickets.lifecycle import Status
from waypost.tickets.models import Ticket

FIELDS: Catalogue = {
    **SUBJECT_FIELDS,
    **catalogue(
        Field("status", Kind.CHOICE, "status", tuple(s.value for s in Status)),
        Field("assignee_id", Kind.ID, "assignee"),
        Field("team_id", Kind.ID, "team"),
        Field("ticket_number", Kind.TEXT, "number"),
        Field("created_at", Kind.INSTANT, "created"),
        Field("updated_at", Kind.INSTANT, "updated"),
        Field("submitted_at", Kind.INSTANT, "submitted"),
        Field("completed_at", Kind.INSTANT, "completed"),
    ),
}


async def known_fields(session: AsyncSession) -> Catalogue:
    """Every field there is now: a ticket's own, and those of all types' current forms."""
    known: dict[str, Field] = {}
    for form in await session.scalars(select(TicketType.form)):
        known |= form_fields(form)
    return {**known, **FIELDS}


def column(field: Field) -> ColumnElement[Any]:
    """Where a field stands in the table, NULL where it is empty (for `conditions.sql.compiled`)."""
    if field.name.startswith(CUSTOM):
        return custom_column(Ticket.__table__.c.custom_fields, field)
    found: ColumnElement[Any] = Ticket.__table__.c[field.name]
    return found


def record_of(ticket: Ticket) -> dict[str, Any]:
    """A ticket as `conditions.evaluate.holds` looks at it."""
    return {name: getattr(ticket, name) for name in FIELDS} | {
        f"{CUSTOM}{key}": value for key, value in ticket.custom_fields.items()
    }
