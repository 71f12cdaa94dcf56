"""Which columns a saved view may name: those of the list of tickets, and the fields of the forms there are."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.catalog.models import TicketType
from waypost.kernel.errors import FieldError, Invalid
from waypost.tickets.sheets import CUSTOM, form_columns

# As the web app's list has them (`features/tickets/list/columns.ts`); a test holds both equal.
LIST_COLUMNS = (
    "number",
    "title",
    "status",
    "priority",
    "type",
    "amount",
    "requester",
    "assignee",
    "team",
    "department",
    "tags",
    "due",
    "sla",
    "updated",
    "created",
)


async def check_columns(session: AsyncSession, columns: Sequence[str], *, kept: Collection[str] = ()) -> None:
    """Raises `Invalid` naming each column nobody knows. `kept` are those the view has already: a field may have left its form
    since, and a view is not to be lost, nor to be unchangeable, for that. At most one statement.
    """
    known = {*LIST_COLUMNS, *kept}
    if any(key.startswith(CUSTOM) and key not in known for key in columns):
        for form in await session.scalars(select(TicketType.form)):
            known.update(form_columns(form))
    wrong = tuple(
        FieldError(f"/columns/{n}", "is no column of a list, nor a field of any form")
        for n, key in enumerate(columns)
        if key not in known
    )
    if wrong:
        raise Invalid("A view shows columns that lists and forms have.", errors=wrong)
