"""Workflows tried out on tickets: the path is the one that follows, replay tells what would differ, nothing is written."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
from sqlalchemy import event, text

NUMBER = count(1)
MANAGER = {"name": "Manager", "approvers": [{"kind": "REQUESTER_MANAGER"}]}
HEAD = {"name": "Head", "approvers": [{"kind": "DEPARTMENT_HEAD"}]}


def only(key: str) -> dict[str, Any]:
    return {"all": [{"field": "ticket_type", "op": "eq", "value": key}]}


def above(amount: str) -> dict[str, Any]:
    return {"all": [{"field": "amount", "op": "gt", "value": amount}]}


@pytest.fixture
async def kind(who: Any) -> str:
    key = f"TRIED_{next(NUMBER)}"
    form = {"type": "object", "properties": {"size": {"type": "integer"}}}
    body = {"key": key, "name": key, "form": form, "has_amount": True}
    await (await who("admin")).post("/ticket-types", body, expect=201)
    return key


@pytest.fixture
async def flow(who: Any, kind: str) -> dict[str, Any]:
    body = {"name": kind, "condition": only(kind), "stages": [MANAGER]}
    return dict(await (await who("admin")).post("/approval-workflows", body, expect=201))


async def sent(who: Any, key: str, by: str = "employee", **more: Any) -> dict[str, Any]:
    body = {"title": "Own type", "ticket_type": key, "submit": True, "custom_fields": {}, **more}
    return dict(await (await who(by)).post("/tickets", body, expect=201))


def people(path: dict[str, Any]) -> list[list[str]]:
    return [[p["person"]["username"] for p in s["people"]] for s in path["stages"] if s["applies"]]


async def rows(database: Any) -> dict[str, tuple[int, int]]:
    """What every table holds: how many rows were ever written, and how many there are."""
    async with database.transaction() as session:
        names = await session.scalars(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'login_sessions'")
        )
        found = {}
        for name in sorted(names):
            counted = text(f'SELECT count(*), coalesce(max(xmin::text::bigint), 0) FROM "{name}"')
            found[name] = tuple((await session.execute(counted)).one())
        return found


@contextmanager
def counted(database: Any) -> Iterator[list[str]]:
    statements: list[str] = []

    def keep(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    engine = database.read_engine.sync_engine
    event.listen(engine, "before_cursor_execute", keep)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", keep)


def timeless(told: Any) -> Any:
    """What was told, without by when: each look counts from its own moment."""
    if isinstance(told, dict):
        return {k: timeless(v) for k, v in told.items() if k != "due_at"}
    return [timeless(v) for v in told] if isinstance(told, list) else told


async def test_what_is_simulated_is_what_follows(who: Any, kind: str, flow: dict[str, Any]) -> None:
    admin, employee = await who("admin"), await who("employee")
    path = f"/approval-workflows/{flow['id']}"
    stages = [MANAGER | {"condition": {"not": above("1000")}}, HEAD | {"condition": above("1000")}]
    document = {"name": "Better", "condition": only(kind), "stages": stages}
    ticket = {"ticket_type": kind, "requester_id": employee.id, "amount": "1500.00"}
    now = await admin.post(f"{path}/simulate", {"ticket": ticket})
    assert (people(now), now["is_used"], now["why_not"]) == ([["manager"]], True, None)
    assert now["workflow"]["version"] == 1
    tried = await admin.post(f"{path}/simulate", {"document": document, "ticket": ticket})
    assert (people(tried), tried["workflow"]["name"], tried["workflow"]["version"]) == ([["head"]], "Better", None)
    assert [s["applies"] for s in tried["stages"]] == [False, True]
    await admin.put(f"{path}/draft", {"document": document, "draft_version": 0})
    drafted = await admin.post(f"{path}/simulate", {"ticket": ticket})
    assert timeless(drafted) == timeless(tried), "without a document it is the draft"
    await admin.post(f"{path}/publish", {"draft_version": 1})
    made = await sent(who, kind, amount="1500.00")
    steps = (await employee.get(f"/tickets/{made['id']}/approvals"))["items"][0]["stages"]
    assert [s["approver"]["username"] for stage in steps for s in stage["steps"]] == ["head"]
    there = await admin.post(f"{path}/simulate", {"ticket_id": made["id"]})
    assert people(there) == [["head"]]


async def test_a_workflow_that_is_not_used_says_why(who: Any, kind: str, flow: dict[str, Any]) -> None:
    admin = await who("admin")
    ticket = {"ticket_type": kind, "amount": "10.00"}

    async def why(condition: Any, stages: list[Any] | None = None, at: str = "") -> tuple[bool, str]:
        document = {"name": "New", "condition": condition, "stages": stages or [HEAD]}
        told = await admin.post(f"/approval-workflows{at}/simulate", {"document": document, "ticket": ticket})
        return told["is_used"], told["why_not"]

    assert await why(only(kind)) == (True, None), "as specific, and newer"
    assert (await why(None))[1] == f"“{kind}” fits as well and is more specific, or as specific and newer"
    assert (await why(only("HR")))[1] == "it is for requests of which this holds: type is HR request"
    both = {"all": [*only(kind)["all"], {"field": "amount", "op": "gt", "value": "5"}]}
    assert (await why(both, [HEAD | {"condition": above("50")}]))[1] == "none of its stages applies"
    plain = await admin.post("/approval-workflows/simulate", {"ticket": ticket})
    assert (plain["workflow"]["id"], plain["is_used"]) == (flow["id"], None)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/ticket"),
        ({"ticket": {"ticket_type": "HR"}, "ticket_id": 1}, "/ticket"),
        ({"ticket": {"ticket_type": "NOPE"}}, "/ticket/ticket_type"),
        ({"ticket": {"ticket_type": "HR", "requester_id": 999_999}}, "/ticket/requester_id"),
        ({"ticket": {"ticket_type": "HR", "department_id": 999_999}}, "/ticket/department_id"),
        ({"ticket": {"ticket_type": "HR", "amount": "NaN"}}, "/ticket/amount"),
        ({"ticket": {"ticket_type": "HR", "amount": "-5"}}, "/ticket/amount"),
        ({"ticket": {"ticket_type": "HR", "due_date": "9999-12-31T00:00:00Z"}}, "/ticket/due_date"),
        ({"ticket": {"ticket_type": "HR", "title": "x" * 10_000}}, "/ticket/title"),
        ({"ticket": {"ticket_type": "HR", "wage": 1}}, "/ticket/wage"),
        ({"ticket_id": 2**63}, "/ticket_id"),
        ({"ticket": {"ticket_type": "HR"}, "document": {"name": "x"}}, "/document/stages"),
        ({"ticket": {"ticket_type": "HR"}, "document": {"name": "x", "stages": [{}]}}, "/document/stages/0/name"),
        ({"ticket": {"ticket_type": "HR"}, "document": []}, "/document"),
    ],
)
async def test_what_cannot_be_simulated(who: Any, flow: dict[str, Any], body: dict[str, Any], pointer: str) -> None:
    admin = await who("admin")
    for path in ("/approval-workflows/simulate", f"/approval-workflows/{flow['id']}/simulate"):
        assert (await admin.post(path, body, expect=422))["errors"][0]["pointer"] == pointer
    await admin.post("/approval-workflows/999999/simulate", body, expect=404)


async def test_who_may_try(who: Any, flow: dict[str, Any]) -> None:
    for username in ("employee", "manager", "agent", "auditor", "executive"):
        person = await who(username)
        await person.post(f"/approval-workflows/{flow['id']}/simulate", {"ticket_id": 1}, expect=403)
        await person.post("/approval-workflows/simulate", {"ticket_id": 1}, expect=403)
        await person.post(f"/approval-workflows/{flow['id']}/replay", {}, expect=403)
    await (await who(None)).post(f"/approval-workflows/{flow['id']}/replay", {}, expect=401)
    await (await who("admin")).post(f"/approval-workflows/{flow['id']}/simulate", {"ticket_id": 999_999}, expect=404)


async def test_replay_tells_what_would_differ(who: Any, kind: str, flow: dict[str, Any]) -> None:
    admin = await who("admin")
    path = f"/approval-workflows/{flow['id']}/replay"
    small, large = await sent(who, kind, amount="10.00"), await sent(who, kind, amount="9000.00")
    urgent = await sent(who, kind, amount="9500.00", priority="CRITICAL")
    await sent(who, "HR")
    unsent = {"title": "Draft", "ticket_type": kind, "custom_fields": {}, "amount": "9000.00"}
    await (await who("employee")).post("/tickets", unsent, expect=201)
    same = await admin.post(path)
    assert (same["total"], same["changed"], same["different"]) == (same["same"], 0, [])
    renamed = {"name": "Other", "condition": only(kind), "stages": [MANAGER | {"name": "Boss"}]}
    assert (await admin.post(path, {"document": renamed}))["changed"] == 0, "names are not the way"
    stages = [MANAGER, HEAD | {"condition": above("5000")}]
    told = await admin.post(path, {"document": {"name": "New", "condition": only(kind), "stages": stages}})
    assert (told["changed"], told["same"], told["hidden"], told["cannot"]) == (2, told["total"] - 2, 0, [])
    assert [d["ticket"]["id"] for d in told["different"]] == [urgent["id"], large["id"]], "newest first"
    assert small["id"] not in [d["ticket"]["id"] for d in told["different"]]
    once, now = told["different"][1]["before"], told["different"][1]["after"]
    assert once["workflow"]["id"] == now["workflow"]["id"] == flow["id"]
    assert [[p["username"] for p in s["people"]] for s in once["stages"]] == [["manager"]]
    assert [[p["username"] for p in s["people"]] for s in now["stages"]] == [["manager"], ["head"]]
    assert told["different"][1]["ticket"]["requester"]["username"] == "employee"
    assert [(p["person"]["username"], p["before"], p["after"]) for p in told["people"]] == [("head", 0, 2)]
    gone = await admin.post(path, {"document": {"name": "New", "condition": only("HR"), "stages": [MANAGER]}})
    assert {d["after"]["workflow"]["name"] for d in gone["different"]} <= {"Manager's approval"}
    await admin.post(path, {"document": {"name": "New"}}, expect=422)
    await admin.post(path, {"document": {}, "more": 1}, expect=422)
    await admin.post("/approval-workflows/999999/replay", {"more": 1}, expect=404)


async def test_tickets_one_may_not_see_are_counted_and_not_shown(who: Any, kind: str, flow: dict[str, Any]) -> None:
    """Somebody who configures workflows and sees their own tickets only."""
    admin, colleague = await who("admin"), await who("colleague")
    key = f"configurer_{flow['id']}"
    grants = {"permissions": {"approvals:configure": "ALL"}}
    await admin.post("/roles", {"key": key, "name": key, **grants}, expect=201)
    user = {
        "username": key,
        "email": f"{key}@demo.example",
        "first_name": "Con",
        "last_name": "Figurer",
        "roles": ["employee", key],
        "password": "demo-Passw0rd-2026",
    }
    await admin.post("/users", user, expect=201)
    configurer = await who(key)
    title = "Quokka"
    theirs = await sent(who, kind, title=title, amount="9000.00")
    own = await sent(who, kind, by=key, amount="9000.00")
    document = {
        "name": "New",
        "condition": only(kind),
        "stages": [{"name": "Them", "approvers": [{"kind": "USER", "user_id": colleague.id}]}],
    }
    told = await configurer.post(f"/approval-workflows/{flow['id']}/replay", {"document": document})
    assert (told["changed"], told["hidden"]) == (2, 1)
    assert [d["ticket"]["id"] for d in told["different"]] == [own["id"]]
    assert title not in str(told)
    assert theirs["ticket_number"] not in str(told)
    assert [p["after"] for p in told["people"] if p["person"]["username"] == "colleague"] == [1]
    simulated = {"ticket_id": theirs["id"], "document": document}
    await configurer.post(f"/approval-workflows/{flow['id']}/simulate", simulated, expect=404)


async def test_nothing_is_written(who: Any, database: Any, kind: str, flow: dict[str, Any]) -> None:
    admin = await who("admin")
    made = await sent(who, kind, amount="9000.00")
    document = {"name": "New", "condition": only(kind), "stages": [HEAD]}
    before = await rows(database)
    path = f"/approval-workflows/{flow['id']}"
    await admin.post(f"{path}/simulate", {"document": document, "ticket_id": made["id"]})
    await admin.post(f"{path}/simulate", {"document": document, "ticket": {"ticket_type": kind, "amount": "1.00"}})
    await admin.post(f"{path}/replay", {"document": document})
    await admin.post("/approval-workflows/check", {"document": document})
    assert await rows(database) == before


async def test_five_hundred_in_a_handful_of_statements(fresh_database: Any, fresh_who: Any) -> None:
    admin = await fresh_who("admin")
    async with fresh_database.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO tickets (ticket_number, title, ticket_type_id, ticket_type, form_version, status, priority,"
                " amount, currency, requester_id, created_by_id, department_id, version, round, created_at, updated_at,"
                " submitted_at) SELECT 'T-' || n, 'Old ' || n, t.id, t.key, 1, 'APPROVED', 'MEDIUM', n * 13 % 9000,"
                " 'USD', u.id, u.id, u.department_id, 1, 1, now() + n * interval '1 ms', now(), now()"
                " FROM generate_series(1, 600) n, ticket_types t, LATERAL (SELECT id, department_id FROM users"
                " WHERE is_active ORDER BY id OFFSET n % 10 LIMIT 1) u WHERE t.key = 'IT_HARDWARE'"
            )
        )
    page = await admin.get("/approval-workflows")
    (purchases,) = [d for d in page["items"] if d["name"] == "Purchases by amount"]
    document = {m: purchases[m] for m in ("name", "condition", "stages")}
    document["stages"][1] = document["stages"][1] | {"approvers": [{"kind": "MANAGER_LEVEL", "level": 3}]}
    path = f"/approval-workflows/{purchases['id']}/replay"
    await admin.post(path, {"document": document})  # names and forms are known from here on
    with counted(fresh_database) as statements:
        began = time.perf_counter()
        told = await admin.post(path, {"document": document})
        took = time.perf_counter() - began
    assert told["total"] == 500
    assert 100 < told["changed"] < 400
    assert len(statements) <= 20, statements
    assert took < 5, took
