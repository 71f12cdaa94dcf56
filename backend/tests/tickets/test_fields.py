"""What conditions say of tickets: on a row and in the database alike."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from waypost.kernel.conditions.evaluate import holds
from waypost.kernel.conditions.sql import compiled
from waypost.kernel.conditions.tree import parse
from waypost.tickets.fields import FIELDS, column, known_fields, record_of
from waypost.tickets.models import Ticket

CONDITIONS: list[Any] = [
    {"field": "status", "op": "eq", "value": "IN_REVIEW"},
    {"field": "status", "op": "not_in", "value": ["DRAFT", "CLOSED"]},
    {"field": "amount", "op": "gte", "value": "1000"},
    {"field": "assignee_id", "op": "is_empty"},
    {"field": "custom.budget_code", "op": "is_not_empty"},
    {"field": "custom.budget_code", "op": "starts_with", "value": "MKT"},
    {
        "any": [
            {"field": "title", "op": "contains", "value": "LAPTOP"},
            {"field": "priority", "op": "eq", "value": "HIGH"},
        ]
    },
    {"not": {"field": "created_at", "op": "lt", "value": "2020-01-01T00:00:00Z"}},
    {"field": "ticket_number", "op": "starts_with", "value": "ith-"},
    None,
]


@pytest.mark.parametrize("condition", CONDITIONS)
async def test_the_row_and_the_database_agree(database: Any, who: Any, hardware: Any, condition: Any) -> None:
    await (await who("employee")).post("/tickets", hardware("1450.00"), expect=201)
    async with database.read() as session:
        known = await known_fields(session)
        parsed = parse(condition, known)
        found = set(await session.scalars(select(Ticket.id).where(compiled(parsed, column))))
        rows = (await session.scalars(select(Ticket))).all()
    assert found == {row.id for row in rows if holds(parsed, record_of(row))}
    assert found, "the demo company has such a ticket"


def test_every_field_is_a_column() -> None:
    for field in FIELDS.values():
        assert column(field) is not None
