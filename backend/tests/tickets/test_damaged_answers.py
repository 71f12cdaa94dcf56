# ruff: noqa: F811 - fixtures of other files
"""Answers that do not open: nobody brings one about, and one that is there stops nothing but itself."""

from __future__ import annotations

import copy
from typing import Any
from uuid import uuid4

from sqlalchemy import delete, func, select, text, update

from tests.tickets.test_resealing import OPEN, finish
from tests.tickets.test_sealed import FORM, IBAN, body, kind, places, publish, revealed  # noqa: F401
from waypost.catalog.sensitive import mark
from waypost.kernel.events import EventRow
from waypost.tickets.models import RequestDraft, Ticket
from waypost.tickets.sealed_models import SealedAnswer

MINE, THEIRS = "NL91ABNA0417164399", "BE68539007547099"
LOOSE = copy.deepcopy(OPEN)
LOOSE["properties"]["any"] = {"type": "object"}
LOOSE["properties"]["anything"] = {"title": "Anything"}
LOOSE_SEALED = copy.deepcopy(FORM)
LOOSE_SEALED["properties"] |= {key: LOOSE["properties"][key] for key in ("any", "anything")}


async def plant(database: Any, ticket_id: int, fields: dict[str, Any]) -> None:
    """As somebody could before marks were refused."""
    async with database.transaction() as session:
        await session.execute(update(Ticket).where(Ticket.id == ticket_id).values(custom_fields=fields))


async def test_nobody_brings_a_mark_along(who: Any, kind: Any) -> None:
    employee, admin, made = await who("employee"), await who("admin"), await kind(LOOSE)
    for key in ("any", "anything"):
        for submit in (True, False):
            given = body(made, {"iban": IBAN, key: mark(uuid4())}, submit=submit)
            refused = await employee.post("/tickets", given, expect=422)
            assert [e["pointer"] for e in refused["errors"]] == [f"/custom_fields/{key}"]
        new = {"title": "Pay", "ticket_type": made["key"], "custom_fields": {"iban": IBAN, key: mark(uuid4())}}
        refused = await employee.post("/tickets/path", new, expect=422)
        assert [e["pointer"] for e in refused["errors"]] == [f"/custom_fields/{key}"]
    sent = await employee.post("/tickets", body(made, {"iban": IBAN, "any": {"sealed": "no id"}}), expect=201)
    given = {"custom_fields": {**sent["custom_fields"], "anything": mark(uuid4())}, "version": sent["version"]}
    await employee.put(f"/tickets/{sent['id']}", given, expect=422)
    await admin.get(f"/tickets/{sent['id']}")


async def test_a_damaged_answer_is_a_clear_problem(who: Any, kind: Any, database: Any) -> None:
    employee, made = await who("employee"), await kind(FORM)
    sent = await employee.post("/tickets", body(made, {"iban": IBAN}, submit=False), expect=201)
    path = f"/tickets/{sent['id']}"
    async with database.transaction() as session:
        await session.execute(delete(SealedAnswer).where(SealedAnswer.ticket_id == sent["id"]))
    assert (await employee.get(path))["custom_fields"] == sent["custom_fields"]
    change = {"title": "Another", "version": sent["version"]}
    for refused in (
        await employee.put(path, change, expect=409),
        await employee.post(f"{path}/submit", expect=409),
        await employee.post(f"{path}/sensitive-answers/reveal", expect=409),
    ):
        assert refused["code"] == "answer_damaged"
        assert [e["pointer"] for e in refused["errors"]] == ["/custom_fields/iban"]


async def test_a_damaged_draft_can_be_written_anew_or_discarded(who: Any, kind: Any, database: Any) -> None:
    employee, made = await who("employee"), await kind(FORM)
    draft = {"id": str(uuid4()), "ticket_type": made["key"], "content": {"title": "Pay", "fields": {"iban": IBAN}}}
    path = f"/request-drafts/{draft['id']}"
    await employee.post("/request-drafts", draft, expect=201)
    async with database.transaction() as session:
        await session.execute(update(RequestDraft).where(RequestDraft.id == draft["id"]).values(sealed=b"x" * 40))
    assert (await employee.get(path, expect=409))["code"] == "draft_damaged"
    await employee.put(path, {"content": draft["content"], "version": 1})
    assert (await employee.get(path))["content"] == draft["content"]


async def test_one_damaged_answer_stops_no_other(who: Any, kind: Any, database: Any) -> None:
    employee, first, second = await who("employee"), await kind(LOOSE), await kind(OPEN)
    planted = await employee.post("/tickets", body(first, {"iban": MINE}, submit=False), expect=201)
    sound = await employee.post("/tickets", body(first, {"iban": THEIRS}, submit=False), expect=201)
    later = await employee.post("/tickets", body(second, {"iban": THEIRS}, submit=False), expect=201)
    wrong = mark(uuid4())
    await plant(database, planted["id"], {"iban": MINE, "any": wrong})
    await publish(who, first, LOOSE_SEALED)
    await publish(who, second, FORM)
    await finish(database)
    assert await places(database, MINE, THEIRS) == {}
    assert await revealed(employee, sound["id"]) == {"iban": THEIRS}
    assert await revealed(employee, later["id"]) == {"iban": THEIRS}
    fields = (await employee.get(f"/tickets/{planted['id']}"))["custom_fields"]
    assert fields["any"] == wrong
    async with database.read() as session:
        told = select(EventRow.data["values"]["which"].astext).where(
            EventRow.type == "system.alarm", EventRow.data["topic"].astext == f"answers.{first['id']}"
        )
        assert list(await session.scalars(told)) == [planted["ticket_number"]]
        kept = select(func.count()).where(SealedAnswer.ticket_id == planted["id"])
        assert await session.scalar(kept) == 1


async def test_drafts_stay_sealed_whether_they_open_or_not(who: Any, kind: Any, database: Any) -> None:
    employee, made = await who("employee"), await kind(FORM)
    ids = [str(uuid4()) for _ in range(2)]
    for draft_id in ids:
        content = {"title": "Pay", "fields": {"iban": IBAN}}
        await employee.post(
            "/request-drafts", {"id": draft_id, "ticket_type": made["key"], "content": content}, expect=201
        )
    async with database.transaction() as session:
        await session.execute(text("UPDATE request_drafts SET sealed = '\\x00' WHERE id = :id"), {"id": ids[0]})
    await publish(who, made, OPEN)
    await publish(who, made, FORM)
    await finish(database)
    async with database.read() as session:
        rows = await session.execute(select(RequestDraft.id, RequestDraft.sealed).where(RequestDraft.id.in_(ids)))
        is_sealed = {str(row.id): row.sealed is not None for row in rows}
    assert is_sealed == dict.fromkeys(ids, True)
    assert (await employee.get(f"/request-drafts/{ids[1]}"))["content"] == content
