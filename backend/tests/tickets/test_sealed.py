"""Sensitive fields: their answers stand nowhere in the database as they were typed, and are read by those who need them."""

from __future__ import annotations

import asyncio
import csv
import io
import itertools
import json
import zipfile
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, text, update

from waypost.audit import evidence
from waypost.catalog.errors import BadForm, FormNotFilled
from waypost.catalog.forms import check_form
from waypost.catalog.sensitive import mark, mark_of, sealed_keys, without_marks
from waypost.kernel import crypto, relay, sealing
from waypost.kernel.crypto import Damaged
from waypost.kernel.db import Base
from waypost.kernel.events import EventRow
from waypost.tickets import sealed
from waypost.tickets.models import RequestDraft, Ticket
from waypost.tickets.sealed_models import SealedAnswer

_numbers = itertools.count(1)
IBAN = "DE89370400440532013000"
OTHER = "GB33BUKB20201555555555"
SALARY = 48731.25
FORM: dict[str, Any] = {
    "required": ["iban"],
    "properties": {
        "iban": {"x-kind": "text", "title": "Account", "x-sensitive": True},
        "salary": {"x-kind": "number", "title": "Salary", "x-sensitive": True},
        "why": {"x-kind": "text", "title": "Why"},
    },
}


@pytest.fixture(scope="module")
async def kind(who: Any) -> Any:
    """A type of one's own with sensitive fields."""
    admin = await who("admin")

    async def make(form: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        key = f"SEALED_{next(_numbers)}"
        body = {"key": key, "name": f"Sealed {key}", "form": form or FORM, "requires_approval": True}
        return dict(await admin.post("/ticket-types", {**body, **more}, expect=201))

    return make


async def publish(who: Any, kind: dict[str, Any], form: dict[str, Any]) -> Any:
    admin = await who("admin")
    now = await admin.get(f"/ticket-types/{kind['key']}")
    values = {f: now[f] for f in ("name", "category", "keywords", "icon", "has_amount", "requires_approval")}
    return await admin.put(f"/ticket-types/{kind['key']}", {**values, "form": form, "version": now["version"]})


def body(kind: dict[str, Any], fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"title": "Pay me", "ticket_type": kind["key"], "custom_fields": fields, "submit": True, **more}


async def places(database: Any, *words: str) -> dict[str, int]:
    """Where these words stand: every column of every table of the database, texts, JSON and bytes alike."""
    found: dict[str, int] = {}
    async with database.read() as session:
        columns = await session.execute(
            text(
                "SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns c"
                " JOIN information_schema.tables t USING (table_schema, table_name)"
                " WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'"
            )
        )
        all_columns = columns.all()
        assert len({table for table, _, _ in all_columns}) >= len(Base.metadata.tables)
        for table, column, type_ in all_columns:
            said = f"encode(\"{column}\", 'escape')" if type_ == "bytea" else f'"{column}"::text'
            for word in words:
                query = text(f'SELECT count(*) FROM "{table}" WHERE {said} ILIKE :word')
                count = await session.scalar(query, {"word": f"%{word}%"})
                if count:
                    found[f"{table}.{column}"] = count
    return found


async def revealed(api: Any, ticket_id: int) -> dict[str, Any]:
    answer = await api.post(f"/tickets/{ticket_id}/sensitive-answers/reveal")
    return {a["key"]: a["value"] for a in answer["items"]}


async def test_the_answer_stands_nowhere_in_the_database(who: Any, kind: Any, find_step: Any, database: Any) -> None:
    employee, manager, admin = await who("employee"), await who("manager"), await who("admin")
    made = await kind()
    assert await places(database, IBAN, OTHER, "48731.25") == {}
    draft = {"id": str(uuid4()), "ticket_type": made["key"], "content": {"title": "Pay", "fields": {"iban": IBAN}}}
    await employee.post("/request-drafts", draft, expect=201, headers={"Idempotency-Key": "draft-1"})
    await employee.put(
        f"/request-drafts/{draft['id']}", {"content": {"title": "Pay", "fields": {"iban": OTHER}}, "version": 1}
    )
    asked = {k: v for k, v in body(made, {"iban": IBAN}).items() if k != "submit"}
    await employee.post("/tickets/path", asked)
    sent = await employee.post(
        "/tickets",
        body(made, {"iban": IBAN, "salary": SALARY, "why": "Rent"}),
        expect=201,
        headers={"Idempotency-Key": "sealed-1"},
    )
    assert set(sent["custom_fields"]) == {"iban", "salary", "why"}
    assert mark_of(sent["custom_fields"]["iban"]) is not None
    assert {a["key"]: a["text"] for a in sent["answers"]} == {"iban": "Hidden", "salary": "Hidden", "why": "Rent"}
    again = await employee.post(
        "/tickets",
        body(made, {"iban": IBAN, "salary": SALARY, "why": "Rent"}),
        expect=201,
        headers={"Idempotency-Key": "sealed-1"},
    )
    assert again["id"] == sent["id"]
    path = f"/tickets/{sent['id']}"
    changed = await employee.put(
        path, {"custom_fields": {**sent["custom_fields"], "iban": OTHER}, "version": sent["version"]}
    )
    assert changed["custom_fields"]["salary"] == sent["custom_fields"]["salary"], "what was not answered anew stays"
    assert changed["custom_fields"]["iban"] != sent["custom_fields"]["iban"]
    history = (await employee.get(f"{path}/history"))["items"]
    told = [c for h in history for c in h["changes"] if c["field"] == "custom_fields.iban"]
    assert told == [{"field": "custom_fields.iban", "label": "Account", "old": "Hidden", "new": "Hidden, not the same"}]
    await employee.post(f"{path}/comments", {"body": "Please be quick", "visibility": "PUBLIC"}, expect=201)
    step = await find_step(manager, sent["id"])
    assert step is not None
    assert {a["key"]: a["text"] for a in step["ticket"]["answers"]}["iban"] == "Hidden"
    assert await revealed(manager, sent["id"]) == {"iban": OTHER, "salary": SALARY}
    await manager.post(f"/approvals/{step['id']}/approve", {"comments": "Yes"})
    exported = await admin.get(
        "/tickets/export",
        expect=None,
        params={"ticket_type": made["key"], "columns": ["ticket_number", "custom.iban", "custom.why"]},
    )
    rows = list(csv.reader(io.StringIO(exported.content.decode("utf-8-sig"))))
    assert rows[1][1:] == ["Hidden", "Rent"]
    pack = await admin.post(f"{path}/evidence", expect=202)
    await evidence.run_due(database)
    assert (await admin.get(f"/evidence/{pack['id']}"))["status"] == "READY"
    file = await admin.get(f"/evidence/{pack['id']}/file", expect=None)
    with zipfile.ZipFile(io.BytesIO(file.content)) as packed:
        said = b"".join(packed.read(name) for name in packed.namelist())
    assert file.status_code == 200
    assert OTHER.encode() not in said
    assert b"Rent" in said
    await relay.drain(database)
    for params in ({"q": IBAN}, {"q": OTHER}):
        assert (await employee.get("/tickets", params=params))["items"] == []
    assert await places(database, IBAN, OTHER, "48731.25") == {}
    async with database.read() as session:
        rows_ = (await session.scalars(select(SealedAnswer).where(SealedAnswer.ticket_id == sent["id"]))).all()
        assert {r.field_key for r in rows_} == {"iban", "salary"}, "the answer before was removed"


async def test_who_reads_it_and_that_it_is_recorded(who: Any, kind: Any, find_step: Any, database: Any) -> None:
    employee = await who("employee")
    made = await kind(requires_approval=True)
    sent = await employee.post("/tickets", body(made, {"iban": IBAN}), expect=201)
    path = f"/tickets/{sent['id']}"
    reads = select(func.count()).where(
        EventRow.type == "ticket.sensitive_answers_read", EventRow.object_id == sent["id"]
    )

    async def count() -> int:
        async with database.read() as session:
            return int(await session.scalar(reads) or 0)

    assert await revealed(employee, sent["id"]) == {"iban": IBAN}
    assert "reveal" in sent["allowed_actions"]
    assert await count() == 0, "one's own words"
    manager = await who("manager")
    assert await revealed(manager, sent["id"]) == {"iban": IBAN}
    assert await count() == 1
    for username, status in (("executive", 403), ("auditor", 403), ("outsider", 404), ("colleague", 404)):
        api = await who(username)
        await api.post(f"{path}/sensitive-answers/reveal", expect=status)
        if status == 403:
            seen = await api.get(path)
            assert "reveal" not in seen["allowed_actions"]
            assert IBAN not in json.dumps(seen)
    await (await who(None)).post(f"{path}/sensitive-answers/reveal", expect=401)
    assert await count() == 1
    answer = await employee.post(f"{path}/sensitive-answers/reveal", expect=None)
    assert answer.headers["cache-control"] == "no-store"


async def test_a_mark_is_no_answer_of_another(who: Any, kind: Any) -> None:
    employee, made = await who("employee"), await kind()
    one = await employee.post("/tickets", body(made, {"iban": IBAN}, submit=False), expect=201)
    two = await employee.post("/tickets", body(made, {"iban": OTHER}, submit=False), expect=201)
    stolen = {"custom_fields": {"iban": two["custom_fields"]["iban"]}, "version": one["version"]}
    refused = await employee.put(f"/tickets/{one['id']}", stolen, expect=422)
    assert [e["pointer"] for e in refused["errors"]] == ["/custom_fields/iban"]
    await employee.post("/tickets", body(made, {"iban": two["custom_fields"]["iban"]}), expect=422)
    same = await employee.put(f"/tickets/{one['id']}", {"custom_fields": {"iban": IBAN}, "version": one["version"]})
    assert (same["version"], same["custom_fields"]) == (one["version"], one["custom_fields"]), "it says the same"
    none = await employee.put(f"/tickets/{one['id']}", {"custom_fields": {}, "version": one["version"]})
    assert none["custom_fields"] == {}
    await employee.post(f"/tickets/{one['id']}/submit", expect=422)
    sent = await employee.post(f"/tickets/{two['id']}/submit")
    assert sent["status"] == "IN_REVIEW"


async def test_nothing_is_found_by_it(who: Any, kind: Any) -> None:
    employee, made = await who("employee"), await kind()
    await employee.post("/tickets", body(made, {"iban": IBAN}), expect=201)
    condition = {"field": "custom.iban", "op": "eq", "value": IBAN}
    for tree in (condition, {"all": [{"not": condition}]}, {"any": [{"field": "custom.iban", "op": "is_empty"}]}):
        refused = await employee.get("/tickets", params={"condition": json.dumps(tree)}, expect=422)
        assert "sensitive fields cannot be filtered by" in refused["detail"]
    view = {"name": "Mine", "filters": {"condition": condition}}
    await employee.post("/saved-views", view, expect=422)
    named = {f["name"] for f in (await employee.get("/ticket-fields"))["items"]}
    assert "custom.iban" not in named
    assert "custom.why" in named


async def test_an_approval_judges_it_and_keeps_none_of_it(who: Any, kind: Any, database: Any) -> None:
    employee, admin, made = await who("employee"), await who("admin"), await kind()
    document = {
        "name": f"Rich {made['key']}",
        "condition": {
            "all": [
                {"field": "ticket_type", "op": "eq", "value": made["key"]},
                {"field": "custom.salary", "op": "gt", "value": "48000"},
            ]
        },
        "stages": [{"name": "Finance", "approvers": [{"kind": "REQUESTER_MANAGER"}]}],
    }
    await admin.post("/approval-workflows", document, expect=201)
    rich = await employee.post("/tickets", body(made, {"iban": IBAN, "salary": SALARY}), expect=201)
    poor = await employee.post("/tickets", body(made, {"iban": IBAN, "salary": 100.5}), expect=201)
    names = []
    for sent in (rich, poor):
        (workflow,) = (await employee.get(f"/tickets/{sent['id']}/approvals"))["items"]
        names.append(workflow["workflow_name"])
    assert names[0] == document["name"] != names[1]
    assert await places(database, "48731.25") == {}


async def test_new_keys_old_keys_and_tampering(who: Any, kind: Any, database: Any) -> None:
    employee, made = await who("employee"), await kind()
    one = await employee.post("/tickets", body(made, {"iban": IBAN, "salary": SALARY}), expect=201)
    two = await employee.post("/tickets", body(made, {"iban": OTHER}), expect=201)
    key_id = crypto.add_key()
    assert await sealing.rewrap_all(database) >= 3
    async with database.read() as session:
        kept = set(await session.scalars(select(SealedAnswer.key_id)))
        assert kept == {key_id}
        drafts = select(RequestDraft.key_id).where(RequestDraft.sealed.is_not(None))
        assert set(await session.scalars(drafts)) <= {key_id}
    assert await revealed(employee, one["id"]) == {"iban": IBAN, "salary": SALARY}

    async def fails(statement: Any) -> None:
        async with database.transaction() as session:
            await session.execute(statement)
            ticket = await session.get_one(Ticket, one["id"], populate_existing=True)
            with pytest.raises(Damaged):
                await sealed.opened(session, ticket)
            await session.rollback()

    mine, theirs = mark_of(one["custom_fields"]["iban"]), mark_of(two["custom_fields"]["iban"])
    salary = mark_of(one["custom_fields"]["salary"])
    assert mine
    assert theirs
    assert salary
    other_value = select(SealedAnswer.value).where(SealedAnswer.id == theirs).scalar_subquery()
    of_mine = update(SealedAnswer).where(SealedAnswer.id == mine)
    await fails(of_mine.values(value=other_value))  # another ticket's answer
    await fails(of_mine.values(value=select(SealedAnswer.value).where(SealedAnswer.id == salary).scalar_subquery()))
    await fails(of_mine.values(value=func.set_byte(SealedAnswer.value, 14, (mine.int & 0xFF) or 1)))
    of_ticket = update(Ticket).where(Ticket.id == one["id"])
    await fails(of_ticket.values(custom_fields={"iban": mark(theirs), "salary": mark(salary)}))
    await fails(of_ticket.values(custom_fields={"iban": mark(salary), "salary": mark(mine)}))
    await fails(of_mine.values(field_key="salary"))
    assert await revealed(employee, one["id"]) == {"iban": IBAN, "salary": SALARY}


_values = st.one_of(
    st.text(max_size=50),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(st.text(max_size=10), max_size=5),
    st.fixed_dictionaries({"amount": st.just("12.50"), "currency": st.just("EUR")}),
)


@given(_values, st.integers(1, 2**62), st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True))
def test_what_is_sealed_opens_again_and_only_in_its_place(servers: Any, value: Any, ticket_id: int, key: str) -> None:
    row = sealed.seal(ticket_id, key, value)
    assert sealed.open_answer(row) == value
    assert mark_of(mark(row.id)) == row.id
    for name, wrong in (("ticket_id", ticket_id + 1), ("field_key", f"{key}x"), ("id", uuid4())):
        before = getattr(row, name)
        setattr(row, name, wrong)
        with pytest.raises(Damaged):
            sealed.open_answer(row)
        setattr(row, name, before)


@pytest.mark.parametrize(
    "value", [None, "x", {}, {"sealed": 1}, {"sealed": "no"}, {"sealed": str(uuid4()).upper()}, [{"sealed": "x"}]]
)
def test_what_is_no_mark(value: Any) -> None:
    assert mark_of(value) is None
    assert without_marks({"a": value}) == {"a": value}


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"x-kind": "person", "title": "Who"}, "x-sensitive"),
        ({"x-kind": "department", "title": "Where"}, "x-sensitive"),
        ({"x-kind": "file", "title": "Papers"}, "x-sensitive"),
        ({"type": "string"}, "x-sensitive"),
        ({"x-kind": "text", "title": "Known", "default": "x"}, "default"),
        ({"x-kind": "text", "title": "Odd", "x-sensitive": "yes"}, "x-sensitive"),
    ],
)
def test_fields_that_cannot_be_sensitive(schema: dict[str, Any], place: str) -> None:
    with pytest.raises(BadForm) as refused:
        check_form({"properties": {"a": {"x-sensitive": True, **schema}}}, pointer="/form")
    assert refused.value.errors[0].pointer == f"/form/properties/a/{place}"


def test_other_fields_do_not_depend_on_it() -> None:
    shown = {"x-kind": "text", "title": "B", "x-show-when": {"field": "custom.a", "op": "is_not_empty"}}
    form = {"properties": {"a": {"x-kind": "text", "title": "A", "x-sensitive": True}, "b": shown}}
    with pytest.raises(Exception, match="sensitive"):
        check_form(form, pointer="/form")


def test_which_keys_are_sealed() -> None:
    plain, marked = {"x-kind": "text", "title": "A"}, {"x-kind": "text", "title": "A", "x-sensitive": True}
    assert sealed_keys({"properties": {"a": marked, "b": plain}}, ()) == ["a"]
    assert sealed_keys({"properties": {"a": plain}}, ["a"]) == []
    assert sealed_keys({"properties": {"b": plain}}, ["a"]) == ["a"], "taking a field away opens nothing"
    assert (
        check_form({"properties": {"a": {**plain, "x-sensitive": False}}}, pointer="")["properties"]["a"].get(
            "x-sensitive"
        )
        is None
    )


def test_a_mark_that_was_not_read_here_is_refused() -> None:
    kept = {"a": mark(uuid4())}
    assert sealed.filled_in({"a": kept["a"], "b": 1}, kept, {"a": "x"}) == {"a": "x", "b": 1}
    with pytest.raises(FormNotFilled):
        sealed.filled_in({"a": mark(uuid4())}, kept, {"a": "x"})
    with pytest.raises(FormNotFilled):
        sealed.filled_in({"b": kept["a"]}, kept, {"a": "x"})


async def test_two_who_answer_at_once(who: Any, kind: Any, database: Any) -> None:
    employee, made = await who("employee"), await kind()
    one = await employee.post("/tickets", body(made, {"iban": IBAN}, submit=False), expect=201)
    answers = await asyncio.gather(
        *(
            employee.put(
                f"/tickets/{one['id']}", {"custom_fields": {"iban": f"A{n}"}, "version": one["version"]}, expect=None
            )
            for n in range(3)
        )
    )
    assert sorted(a.status_code for a in answers) == [200, 412, 412]
    assert all("A0" not in a.text and "A1" not in a.text for a in answers)
    async with database.read() as session:
        of_it = select(func.count()).where(SealedAnswer.ticket_id == one["id"])
        assert await session.scalar(of_it) == 1
