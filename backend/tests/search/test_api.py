"""Saved views and lists with conditions, as people meet them."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, update
from sqlalchemy.exc import DBAPIError

from waypost.directory.models import TeamMember
from waypost.directory.names import names
from waypost.search.columns import LIST_COLUMNS
from waypost.search.following import run_all
from waypost.search.models import SavedView

LOW: dict[str, Any] = {"all": [{"field": "priority", "op": "eq", "value": "LOW"}]}
MINE: dict[str, Any] = {"field": "requester_id", "op": "eq", "value": "me"}


async def ids(api: Any, path: str, **params: Any) -> list[int]:
    """The ids of all pages, five at a time."""
    found: list[int] = []
    cursor = None
    while True:
        page = await api.get(path, params={**params, "limit": 5, **({"cursor": cursor} if cursor else {})})
        found += [t["id"] for t in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


async def listed(api: Any, condition: Any, **params: Any) -> list[int]:
    return await ids(api, "/tickets", condition=json.dumps(condition), **params)


@pytest.fixture
async def team(who: Any) -> dict[str, Any]:
    """The team of the agents."""
    page = await (await who("admin")).get("/teams?limit=100")
    return dict(next(t for t in page["items"] if t["name"] == "IT Support"))


async def test_a_list_is_narrowed_by_a_condition(who: Any, hardware: Any) -> None:
    employee = await who("employee")
    first = await employee.post("/tickets", hardware("4100.00", priority="LOW", title="Blue_% lamp"), expect=201)
    second = await employee.post("/tickets", hardware("90.00", priority="HIGH"), expect=201)
    since = {"field": "created_at", "op": "gte", "value": first["created_at"]}

    async def found(*parts: Any) -> set[int]:
        return set(await listed(employee, {"all": [since, MINE, *parts]})) & {first["id"], second["id"]}

    assert await found() == {first["id"], second["id"]}
    assert await found({"field": "amount", "op": "gte", "value": "4000"}) == {first["id"]}
    assert await found({"not": {"field": "amount", "op": "gte", "value": "4000"}}) == {second["id"]}
    assert await found({"field": "title", "op": "contains", "value": "bLUE_%"}) == {first["id"]}
    assert await found({"field": "title", "op": "contains", "value": "blue%"}) == set()
    assert await found({"field": "custom.budget_code", "op": "eq", "value": "MKT-1"}) == {first["id"], second["id"]}
    assert await found({"field": "custom.budget_code", "op": "in", "value": ["X", "Y"]}) == set()
    assert await found({"field": "created_at", "op": "lt", "value": "-7d"}) == set()
    assert await found({"field": "created_at", "op": "gte", "value": "-1h"}) == {first["id"], second["id"]}
    assert await found({"field": "department_id", "op": "eq", "value": "my_departments"}) == set()
    assert await found({"any": [LOW, {"field": "amount", "op": "lt", "value": "100"}]}) == {first["id"], second["id"]}


async def test_a_condition_shows_nobody_more_than_they_may_see(who: Any, hardware: Any) -> None:
    employee, outsider, agent = await who("employee"), await who("outsider"), await who("agent")
    made = await employee.post("/tickets", hardware("77.00"), expect=201)
    theirs = {"field": "requester_id", "op": "eq", "value": employee.id}
    assert made["id"] in await listed(employee, theirs)
    let_in = await ids(outsider, "/tickets", requester_id=employee.id)  # other tests' watchers
    assert made["id"] not in let_in
    assert await listed(outsider, theirs) == let_in
    assert await listed(outsider, {"any": [theirs, {"all": []}]}) == await ids(outsider, "/tickets")
    queue = {"field": "team_id", "op": "eq", "value": "my_teams"}
    seen = await listed(agent, queue)
    assert made["id"] in seen
    assert set(seen) <= set(await ids(agent, "/tickets"))
    draft = await employee.post("/tickets", {**hardware("77.00"), "submit": False}, expect=201)
    assert draft["id"] not in await listed(agent, queue)


@pytest.mark.parametrize(
    "sort", ["-created_at", "created_at", "-updated_at", "priority", "-priority", "due_date", "-due_date"]
)
async def test_pages_of_a_condition_hold_everything_once(who: Any, sort: str) -> None:
    manager = await who("manager")
    condition = {"any": [LOW, {"field": "amount", "op": "is_not_empty"}]}
    found = await listed(manager, condition, sort=sort)
    assert len(found) == len(set(found)) > 5
    assert set(found) == set(await listed(manager, condition))


DEEP: Any = LOW
for _ in range(20):
    DEEP = {"not": DEEP}
WRONG: list[tuple[Any, str]] = [
    ({"all": [{"field": "password_hash", "op": "eq", "value": "x"}]}, "/all/0/field"),
    ({"all": [{"field": "priority", "op": "regex_exec", "value": "x"}]}, "/all/0/op"),
    ({"all": "x"}, "/all"),
    ({"field": "amount", "op": "gte", "value": "many"}, "/value"),
    ({"field": "team_id", "op": "eq", "value": "me"}, "/value"),
    ({"field": "custom.nothing", "op": "eq", "value": "x"}, "/field"),
    ({"field": "created_at", "op": "gte", "value": "yesterday"}, "/value"),
    ({"field": "assignee_id", "op": "eq", "value": 2**70}, "/value"),
]


@pytest.mark.parametrize(("condition", "pointer"), WRONG)
async def test_what_cannot_be_asked_is_named(who: Any, condition: Any, pointer: str) -> None:
    employee = await who("employee")
    asked = await employee.get("/tickets", expect=422, params={"condition": json.dumps(condition)})
    assert asked["errors"][0]["pointer"] == f"?condition{pointer}"
    saved = await employee.post("/saved-views", {"name": "Wrong", "condition": condition}, expect=422)
    assert saved["code"] == "invalid_condition"
    assert saved["errors"][0]["pointer"] == f"/condition{pointer}"


@pytest.mark.parametrize(
    "text", ["{", "nonsense", '{"all": [NaN]}', "[" * 3000, '{"all":[],"all":[]}', json.dumps(DEEP), '"\\ud800"', "5"]
)
async def test_hostile_conditions_are_refused(who: Any, text: str) -> None:
    employee = await who("employee")
    answer = await employee.get("/tickets", expect=422, params={"condition": text})
    assert answer["errors"][0]["pointer"].startswith("?condition")
    await employee.get("/tickets", expect=422, params={"condition": "x" * 7000})


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": "x" * 10_000}, "/name"),
        ({"sort": "title"}, "/sort"),
        ({"columns": ["DROP TABLE"]}, "/columns/0"),
        ({"columns": ["title", "colour"]}, "/columns/1"),
        ({"columns": ["custom.budget_code", "custom.nothing"]}, "/columns/1"),
        ({"filters": {"status": ["NOWHERE"]}}, "/filters/status/0"),
        ({"filters": {"nothing": 1}}, "/filters/nothing"),
        ({"filters": {"created_from": "9999-12-31T00:00:00Z"}}, "/filters/created_from"),
        ({"filters": {"team_id": [2**70]}}, "/filters/team_id/0"),
        ({"is_admin": True}, "/is_admin"),
        ({"group": "colour"}, "/group"),
        ({"scope": "TEAM"}, "/team_id"),
        ({"team_id": 1}, "/team_id"),
        ({"scope": "ROLE"}, "/role"),
        ({"role": "agent"}, "/role"),
        ({"condition": "x"}, "/condition"),
    ],
)
async def test_a_view_that_is_wrong_is_not_saved(who: Any, more: dict[str, Any], pointer: str) -> None:
    employee = await who("employee")
    before = await employee.get("/saved-views")
    refused = await employee.post("/saved-views", {"name": "A view", **more}, expect=422)
    assert pointer in [e["pointer"] for e in refused["errors"]]
    assert await employee.get("/saved-views") == before


async def test_a_view_is_kept_changed_and_deleted(database: Any, who: Any, hardware: Any) -> None:
    employee = await who("employee")
    body = {
        "name": "  My   low ones ",
        "condition": {"all": [MINE, *LOW["all"]]},
        "filters": {"status": ["DRAFT"], "assignee_id": ["none"], "q": "lap", "created_from": "2026-01-01T00:00:00Z"},
        "sort": "-updated_at",
        "columns": ["number", "title", "custom.budget_code"],
        "group": "status",
    }
    key = {"Idempotency-Key": "view-1"}
    view = await employee.post("/saved-views", body, expect=201, headers=key)
    assert await employee.post("/saved-views", body, expect=201, headers=key) == view
    assert view["name"] == "My low ones"
    assert view["owner"]["username"] == "employee"
    assert view["allowed_actions"] == ["edit", "delete"]
    assert view["filters"] == body["filters"]
    assert {k: view[k] for k in ("condition", "sort", "columns", "group")} == {
        k: body[k] for k in ("condition", "sort", "columns", "group")
    }
    path = f"/saved-views/{view['id']}"
    assert await employee.get(path) == view
    draft = await employee.post("/tickets", hardware(None, priority="LOW", submit=False), expect=201)
    high = await employee.post("/tickets", hardware(None, priority="HIGH", submit=False), expect=201)
    await run_all(database)
    shown = await ids(employee, f"{path}/tickets")
    assert draft["id"] in shown
    assert high["id"] not in shown
    same = {"status": "DRAFT", "assignee_id": "none", "q": "lap", "sort": "-updated_at"}
    assert shown == await listed(employee, body["condition"], **same)

    body |= {"version": 1, "name": "Other", "condition": None, "filters": {}}
    changed = await employee.put(path, body)
    assert (changed["version"], changed["name"], changed["condition"]) == (2, "Other", None)
    assert high["id"] in await ids(employee, f"{path}/tickets")
    stale = await employee.put(path, body, expect=412)
    assert stale["code"] == "stale_version"
    assert (await employee.put(path, {**body, "version": 2}))["version"] == 2, "nothing changed"
    await employee.call("DELETE", path, expect=204)
    await employee.get(path, expect=404)
    await employee.call("DELETE", path, expect=404)


async def test_a_view_keeps_the_columns_it_has(who: Any, database: Any) -> None:
    """Of a field that left its form since: the view opens, and can be changed."""
    employee = await who("employee")
    body = {"name": "Old", "columns": ["number", "custom.budget_code"]}
    view = await employee.post("/saved-views", body, expect=201)
    old = ["number", "custom.gone_since", "colour"]
    async with database.transaction() as session:
        await session.execute(update(SavedView).where(SavedView.id == view["id"]).values(columns=old))
    path = f"/saved-views/{view['id']}"
    assert (await employee.get(path))["columns"] == old
    await employee.get(f"{path}/tickets")
    renamed = await employee.put(path, {"name": "Older", "columns": old, "version": 1})
    assert renamed["columns"] == old
    refused = await employee.put(path, {"name": "Older", "columns": [*old, "shape"], "version": 2}, expect=422)
    assert [e["pointer"] for e in refused["errors"]] == ["/columns/3"]
    left = await employee.put(path, {"name": "Older", "columns": ["title"], "version": 2})
    assert left["columns"] == ["title"]
    await employee.put(path, {"name": "Older", "columns": old, "version": 3}, expect=422)


def test_the_columns_of_views_are_those_of_the_list() -> None:
    text = (Path(__file__).parents[3] / "frontend/src/features/tickets/list/columns.ts").read_text("utf-8")
    listed = text[text.index("COLUMNS") : text.index("];")]
    assert tuple(re.findall(r'key: "([a-z]+)"', listed)) == LIST_COLUMNS


async def test_anothers_view_does_not_exist(who: Any) -> None:
    employee, outsider, admin = await who("employee"), await who("outsider"), await who("admin")
    view = await employee.post("/saved-views", {"name": "Between us", "condition": LOW}, expect=201)
    path = f"/saved-views/{view['id']}"
    for other in (outsider, admin):
        for ask in ("", "/tickets"):
            await other.get(f"{path}{ask}", expect=404)
        await other.put(path, {"nonsense": True}, expect=404)
        await other.put(f"{path}/pin", {"pinned": True}, expect=404)
        await other.call("DELETE", path, expect=404)
        assert "Between us" not in json.dumps(await other.get("/saved-views"))
        assert (await other.get("/saved-views/counts", params={"ids": [view["id"]]}))["items"] == []
    await (await who(None)).get(path, expect=401)


async def test_a_view_of_a_team(who: Any, team: dict[str, Any], hardware: Any, database: Any) -> None:
    agent, colleague, hragent, admin = await who("agent"), await who("agent2"), await who("hragent"), await who("admin")
    body = {
        "name": "Our queue",
        "scope": "TEAM",
        "team_id": team["id"],
        "condition": {"field": "assignee_id", "op": "eq", "value": "me"},
    }
    await hragent.post("/saved-views", body, expect=403)
    await agent.post("/saved-views", {**body, "is_default": True}, expect=422)
    view = await agent.post("/saved-views", body, expect=201)
    path = f"/saved-views/{view['id']}"
    assert (await colleague.get(path))["allowed_actions"] == []
    await colleague.put(path, {**body, "version": 1}, expect=403)
    await colleague.call("DELETE", path, expect=403)
    await hragent.get(path, expect=404)
    ticket = await (await who("employee")).post("/tickets", hardware("10.00"), expect=201)
    await admin.post(f"/tickets/{ticket['id']}/assign", {"assignee_id": colleague.id})
    assert ticket["id"] in await ids(colleague, f"{path}/tickets")
    assert ticket["id"] not in await ids(agent, f"{path}/tickets")
    async with database.transaction() as session:
        lead = (TeamMember.team_id == team["id"]) & (TeamMember.user_id == colleague.id)
        await session.execute(update(TeamMember).where(lead).values(is_lead=True))
    assert (await colleague.get(path))["allowed_actions"] == ["edit", "delete"]
    body["name"] = "Our own queue"
    assert (await colleague.put(path, {**body, "version": 1}))["name"] == "Our own queue"
    async with database.transaction() as session:
        await session.execute(update(TeamMember).where(lead).values(is_lead=False))
    changed = await admin.put(path, {**body, "name": "All of ours", "version": 2})
    assert changed["name"] == "All of ours"
    own = {**body, "scope": "PERSONAL", "team_id": None, "version": 3}
    await admin.put(path, own, expect=422)
    assert (await agent.put(path, own))["scope"] == "PERSONAL"
    await colleague.get(path, expect=404)


async def test_administrators_choose_what_a_role_opens_with(who: Any) -> None:
    admin, agent, employee = await who("admin"), await who("agent"), await who("employee")
    body = {"name": "Start here", "scope": "ROLE", "role": "agent", "is_default": True, "condition": LOW}
    await agent.post("/saved-views", body, expect=403)
    await admin.post("/saved-views", {**body, "role": "nobody"}, expect=422)
    first = await admin.post("/saved-views", body, expect=201)
    second = await admin.post("/saved-views", {**body, "name": "No, here"}, expect=201)
    assert (await agent.get(f"/saved-views/{second['id']}"))["is_default"]
    assert not (await agent.get(f"/saved-views/{first['id']}"))["is_default"]
    await agent.put(f"/saved-views/{second['id']}", {**body, "version": 1}, expect=403)
    await employee.get(f"/saved-views/{second['id']}", expect=404)
    again = await admin.get(f"/saved-views/{first['id']}")
    await admin.put(f"/saved-views/{first['id']}", {**body, "version": again["version"]})
    assert not (await agent.get(f"/saved-views/{second['id']}"))["is_default"]
    for view in (first, second):
        await admin.call("DELETE", f"/saved-views/{view['id']}", expect=204)


NOT_CLOSED = {"not": {"field": "status", "op": "eq", "value": "CLOSED"}}


class _TooLong(Exception):
    sqlstate = "57014"


async def test_five_pins_and_their_counts(who: Any, hardware: Any) -> None:
    finance = await who("finance2")
    since = (await finance.post("/tickets", hardware("5.00", priority="LOW"), expect=201))["created_at"]
    recent = {"all": [MINE, {"field": "created_at", "op": "gte", "value": since}, *LOW["all"]]}
    views = [
        await finance.post("/saved-views", {"name": f"Pin {n}", "condition": recent}, expect=201) for n in range(7)
    ]
    pins = [finance.put(f"/saved-views/{v['id']}/pin", {"pinned": True}, expect=None) for v in views]
    answers = [a.status_code for a in await asyncio.gather(*pins)]
    assert sorted(answers) == [200] * 5 + [409] * 2
    pinned = (await finance.get("/saved-views?pinned=true"))["items"]
    assert len(pinned) == 5
    await finance.post("/saved-views", {"name": "One more", "pinned": True}, expect=409)
    assert "One more" not in json.dumps(await finance.get("/saved-views"))
    asked = {"ids": [v["id"] for v in pinned]}
    counts = (await finance.get("/saved-views/counts", params=asked))["items"]
    assert counts == [{"id": i, "count": 1, "more": False} for i in sorted(asked["ids"])]
    await finance.post("/tickets", hardware("5.00", priority="LOW"), expect=201)
    assert {c["count"] for c in (await finance.get("/saved-views/counts", params=asked))["items"]} == {2}
    one = pinned[0]["id"]
    assert not (await finance.put(f"/saved-views/{one}/pin", {"pinned": False}))["pinned"]
    body = {"name": "Pin again", "condition": recent, "version": 1, "pinned": True}
    assert (await finance.put(f"/saved-views/{one}", body))["pinned"]
    await finance.get("/saved-views/counts", expect=422)
    await finance.get("/saved-views/counts", expect=422, params={"ids": list(range(1, 12))})


async def test_a_count_ends_somewhere(who: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from waypost.search import queries

    monkeypatch.setattr(queries, "MOST_ON_BADGE", 3)
    manager = await who("manager")
    view = await manager.post("/saved-views", {"name": "All"}, expect=201)
    counted = await manager.get("/saved-views/counts", params={"ids": view["id"]})
    assert counted["items"] == [{"id": view["id"], "count": 3, "more": True}]


@pytest.mark.parametrize("username", ["employee", "agent", "head", "admin"])
async def test_where_counting_takes_too_long_the_newest_are_counted_and_that_is_told(
    who: Any, monkeypatch: pytest.MonkeyPatch, username: str
) -> None:
    from waypost.search import queries

    person = await who(username)
    view = await person.post("/saved-views", {"name": "Not closed", "condition": NOT_CLOSED}, expect=201)
    asked = {"ids": view["id"]}
    (counted,) = (await person.get("/saved-views/counts", params=asked))["items"]
    assert counted["count"]
    assert not counted["more"]

    async def never(*_: Any, **__: Any) -> int:
        raise DBAPIError("", None, _TooLong())

    monkeypatch.setattr(queries, "ticket_count", never)
    assert (await person.get("/saved-views/counts", params=asked))["items"] == [counted | {"more": True}]
    monkeypatch.setattr(queries, "NEWEST", 1)
    (newest,) = (await person.get("/saved-views/counts", params=asked))["items"]
    assert newest["count"] <= counted["count"]
    assert newest["more"]


async def test_a_list_says_how_long_it_is(who: Any) -> None:
    manager = await who("manager")
    low = {"condition": json.dumps(LOW)}
    assert await manager.get("/tickets/count", params=low) == {
        "count": len(await listed(manager, LOW)),
        "more": False,
    }
    both = {"status": ["IN_REVIEW", "DRAFT"], "priority": "LOW"}
    assert (await manager.get("/tickets/count", params=both))["count"] == len(await ids(manager, "/tickets", **both))
    await manager.get("/tickets/count", expect=422, params={"condition": "{"})


async def test_a_view_that_asks_for_a_field_that_went(who: Any) -> None:
    admin, agent = await who("admin"), await who("agent")
    form = {"type": "object", "properties": {"gone_soon": {"type": "string"}}, "additionalProperties": False}
    body = {"key": "GOING", "name": "Going", "form": form}
    kind = await admin.post("/ticket-types", body, expect=201)
    condition = {"field": "custom.gone_soon", "op": "eq", "value": "x"}
    view = await agent.post("/saved-views", {"name": "Soon gone", "condition": condition}, expect=201)
    await agent.get(f"/saved-views/{view['id']}/tickets")
    form = {"type": "object", "properties": {"other": {"type": "string"}}, "additionalProperties": False}
    await admin.put(
        "/ticket-types/GOING", {"name": "Going", "form": form, "is_active": False, "version": kind["version"]}
    )
    from waypost.tickets import conditions

    conditions._known._kept = None  # five seconds later
    refused = await agent.get(f"/saved-views/{view['id']}/tickets", expect=409)
    assert refused["code"] == "view_outdated"
    counted = await agent.get("/saved-views/counts", params={"ids": view["id"]})
    assert counted["items"] == [{"id": view["id"], "count": None, "more": False}]
    assert (await agent.get(f"/saved-views/{view['id']}"))["condition"] == condition


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/tickets?limit=100&condition={custom}", 1),
        ("/saved-views?limit=100", 2),  # and of which of them one is told
        ("/tickets/count?status=DRAFT&condition={custom}", 2),
        ("/saved-views/{id}/tickets?limit=100", 2),
        ("/saved-views/counts?ids={id}&ids={other}", 6),  # the views, how long one may take, and two for each
    ],
)
async def test_views_cost_few_statements(who: Any, database: Any, path: str, most: int) -> None:
    manager = await who("manager")
    custom = {"field": "custom.budget_code", "op": "eq", "value": "MKT-1"}
    made = [await manager.post("/saved-views", {"name": "Counted", "condition": custom}, expect=201) for _ in range(2)]
    path = path.replace("{id}", str(made[0]["id"])).replace("{other}", str(made[1]["id"]))
    path = path.replace("{custom}", json.dumps(custom))
    names.forget()
    await manager.get(path)
    statements: list[str] = []

    def count(_: Any, __: Any, statement: str, *___: Any) -> None:
        if "login_sessions" not in statement:
            statements.append(statement)

    event.listen(database.read_engine.sync_engine, "before_cursor_execute", count)
    try:
        await manager.get(path)
    finally:
        event.remove(database.read_engine.sync_engine, "before_cursor_execute", count)
    assert len(statements) <= most, statements


async def test_row_and_sql_agree_on_whose_views_are_whose(database: Any, who: Any, team: dict[str, Any]) -> None:
    from sqlalchemy import select

    from waypost.access.queries import actor_of_user
    from waypost.search import policy
    from waypost.search.models import SavedView

    admin, agent = await who("admin"), await who("agent")
    for api, more in (
        (agent, {}),
        (agent, {"scope": "TEAM", "team_id": team["id"]}),
        (admin, {"scope": "ROLE", "role": "manager"}),
        (admin, {}),
    ):
        await api.post("/saved-views", {"name": "Twin", **more}, expect=201)
    async with database.read() as session:
        rows = list(await session.scalars(select(SavedView)))
        for username in ("admin", "agent", "agent2", "manager", "outsider", "auditor"):
            actor = await actor_of_user(session, (await who(username)).id)
            found = set(await session.scalars(select(SavedView.id).where(policy.visible_to(actor))))
            assert found == {v.id for v in rows if policy.may_see(actor, v)}


async def test_what_happens_to_views_is_in_the_log(who: Any) -> None:
    employee, auditor = await who("employee"), await who("auditor")
    view = await employee.post("/saved-views", {"name": "Logged"}, expect=201)
    await employee.put(f"/saved-views/{view['id']}", {"name": "Logged again", "version": 1})
    await employee.call("DELETE", f"/saved-views/{view['id']}", expect=204)
    log = await auditor.get("/audit", params={"object_type": "saved_view", "object_id": view["id"]})
    found = sorted(e["action"] for e in log["items"])
    assert found == ["saved_view.created", "saved_view.deleted", "saved_view.updated"]
    assert "Logged" not in json.dumps(log["items"])
