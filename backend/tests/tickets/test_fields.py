"""What conditions say of tickets: on a row and in the database alike."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select

from waypost.kernel.conditions.evaluate import holds
from waypost.kernel.conditions.fields import Kind
from waypost.kernel.conditions.sql import compiled
from waypost.kernel.conditions.tree import parse
from waypost.tickets.fields import FIELDS, column, known_fields, record_of
from waypost.tickets.models import PAIRS, Ticket

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


async def test_the_catalogue_says_what_a_condition_may_speak_of(who: Any) -> None:
    employee = await who("employee")
    items = (await employee.get("/ticket-fields"))["items"]
    known = {f["name"]: f for f in items}
    assert {"ticket_type", "status", "amount", "requester_id", "team_id", "custom.budget_code"} <= set(known)
    assert {"value": "IT_HARDWARE", "label": "IT hardware"} in known["ticket_type"]["choices"]
    assert known["status"]["choices"][2] == {"value": "IN_REVIEW", "label": "In review"}
    assert known["department_id"]["refers_to"] == "department"
    assert known["requester_id"]["refers_to"] == "person"
    assert (known["amount"]["kind"], known["amount"]["currency"]) == ("number", "USD")
    assert "gte" in known["amount"]["operators"]
    assert "gte" not in known["priority"]["operators"]
    assert known["custom.budget_code"]["label"] == "Budget code"
    assert {"key": "IT_HARDWARE", "name": "IT hardware"} in known["custom.budget_code"]["types"]
    assert known["custom.needed_by"]["kind"] == "date"


async def test_routing_speaks_of_what_is_known_when_a_request_is_sent(who: Any) -> None:
    employee = await who("employee")
    names = {f["name"] for f in (await employee.get("/ticket-fields?use=routing"))["items"]}
    assert {"ticket_type", "amount", "custom.budget_code"} <= names
    assert not {"status", "assignee_id", "team_id", "created_at"} & names
    await employee.get("/ticket-fields?use=other", expect=422)


async def test_people_are_found_by_number_active_or_not(who: Any) -> None:
    employee = await who("employee")
    manager = (await who("manager")).id
    found = (await employee.get(f"/people?id={employee.id}&id={manager}"))["items"]
    assert {p["id"] for p in found} == {employee.id, manager}
    assert all(p["is_active"] for p in found)
    await employee.get("/people?id=0", expect=422)
    await employee.get("/people?" + "&".join("id=1" for _ in range(101)), expect=422)


def test_every_text_is_among_the_letters_that_are_looked_up() -> None:
    """`ix_tickets_pairs` answers for all of them: one that is left out would never be found by one or two letters."""
    texts = {name for name, field in FIELDS.items() if field.kind is Kind.TEXT}
    assert all(re.search(rf"\b{name}\b", PAIRS) for name in texts)
    assert "custom_fields" in PAIRS
