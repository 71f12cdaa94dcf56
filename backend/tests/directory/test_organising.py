"""Departments and teams: renamed, moved without circles, closed with what was theirs given on, by those who may."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest
from sqlalchemy import select

from waypost.kernel.events import EventRow

_numbers = itertools.count(1)


async def department(who: Any, **more: Any) -> dict[str, Any]:
    body = {"name": f"Department {next(_numbers)}", **more}
    return dict(await (await who("admin")).post("/departments", body, expect=201))


async def team(who: Any, **more: Any) -> dict[str, Any]:
    return dict(await (await who("admin")).post("/teams", {"name": f"Team {next(_numbers)}", **more}, expect=201))


async def person(who: Any, **more: Any) -> dict[str, Any]:
    name = f"member{next(_numbers)}"
    body = {"username": name, "email": f"{name}@example.com", "first_name": "M", "last_name": name, **more}
    return dict(await (await who("admin")).post("/users", body, expect=201))


async def kept(database: Any, kind: str, object_id: int) -> list[EventRow]:
    wanted = (EventRow.type == kind, EventRow.object_id == object_id)
    async with database.read() as session:
        return list(await session.scalars(select(EventRow).where(*wanted).order_by(EventRow.id)))


async def test_a_department_is_renamed_moved_and_headed(who: Any, database: Any) -> None:
    admin, top = await who("admin"), await department(who)
    made, head = await department(who), await who("head")
    path = f"/departments/{made['id']}"
    name = f"Renamed {made['id']}"
    body = {"version": 1, "name": name, "parent_id": top["id"], "head_id": head.id}
    changed = await admin.call("PATCH", path, body)
    assert (changed["name"], changed["parent"]["id"], changed["head"]["id"]) == (name, top["id"], head.id)
    assert changed["version"] == 2
    await admin.call("PATCH", path, {"version": 1, "name": "Too late"}, expect=412)
    await admin.call("PATCH", path, {"name": "Which?"}, expect=428)
    await admin.call("PATCH", path, {"version": 2, "name": top["name"]}, expect=409)
    assert (await admin.call("PATCH", path, {"version": 2, "head_id": None}))["head"] is None
    first = (await kept(database, "department.changed", made["id"]))[0]
    assert first.data["before"] == {"name": made["name"], "parent_id": None, "head_id": None}
    assert first.actor_id == admin.id


async def test_no_department_lies_below_itself(who: Any) -> None:
    admin, a = await who("admin"), await department(who)
    b = await department(who, parent_id=a["id"])
    c = await department(who, parent_id=b["id"])
    for parent in (a, b, c):
        told = await admin.call(
            "PATCH", f"/departments/{a['id']}", {"version": 1, "parent_id": parent["id"]}, expect=409
        )
        assert told["code"] == "department_circle"
    told = await admin.delete(f"/departments/{a['id']}?to={c['id']}", expect=409)
    assert told["code"] == "department_circle"


async def test_two_at_once_make_no_circle_of_departments(who: Any) -> None:
    admin = await who("admin")
    for _ in range(3):
        a, b = await department(who), await department(who)
        answers = await asyncio.gather(
            admin.call("PATCH", f"/departments/{a['id']}", {"version": 1, "parent_id": b["id"]}, expect=None),
            admin.call("PATCH", f"/departments/{b['id']}", {"version": 1, "parent_id": a["id"]}, expect=None),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_closing_a_department_gives_on_what_is_in_it(who: Any, app: Any, database: Any) -> None:
    from tests.conftest import PASSWORD, Api

    admin, old, new = await who("admin"), await department(who), await department(who)
    child = await department(who, parent_id=old["id"])
    worker = await person(who, department_id=old["id"], password=PASSWORD)
    api = await Api(app, worker["username"]).sign_in()
    body = {"title": "Chair", "ticket_type": "IT_SUPPORT", "custom_fields": {}, "submit": True}
    ticket = await api.post("/tickets", body, expect=201)
    told = await admin.delete(f"/departments/{old['id']}", expect=409)
    assert told["code"] == "department_in_use"
    await admin.delete(f"/departments/{old['id']}?to={old['id']}", expect=409)
    await admin.delete(f"/departments/{old['id']}?to=999999", expect=422)
    await admin.delete(f"/departments/{old['id']}?to={new['id']}")
    await admin.delete(f"/departments/{old['id']}", expect=404)
    assert (await admin.get(f"/users/{worker['id']}"))["department"]["id"] == new["id"]
    assert (await admin.get(f"/tickets/{ticket['id']}"))["department"]["id"] == new["id"]
    page = await admin.get("/departments", params={"limit": 100})
    byid = {d["id"]: d for d in page["items"]}
    assert old["id"] not in byid
    assert byid[new["id"]]["people_count"] == 1
    assert byid[child["id"]]["parent"]["id"] == new["id"]
    (event,) = await kept(database, "department.deleted", old["id"])
    assert (event.data["moved_to_id"], event.data["people"], event.data["departments"]) == (new["id"], 1, 1)
    (moved,) = await kept(database, "user.changed", worker["id"])
    assert moved.data["after"] == {"department_id": new["id"]}
    await api.http.aclose()


async def test_an_empty_department_simply_closes(who: Any) -> None:
    made = await department(who)
    await (await who("admin")).delete(f"/departments/{made['id']}")


async def test_a_department_that_a_workflow_names_stays(who: Any) -> None:
    admin, made = await who("admin"), await department(who)
    other = await department(who)
    boss = await who("head")
    stage = {"name": "Named", "approvers": [{"kind": "USER", "user_id": boss.id}]}
    condition = {"all": [{"field": "department_id", "op": "eq", "value": made["id"]}]}
    body = {"name": f"For {made['name']}", "condition": condition, "stages": [stage]}
    await admin.post("/approval-workflows", body, expect=201)
    told = await admin.delete(f"/departments/{made['id']}?to={other['id']}", expect=409)
    assert "workflow" in told["detail"]


async def test_a_team_is_renamed_of_the_version_one_read(who: Any, database: Any) -> None:
    admin, made = await who("admin"), await team(who)
    path = f"/teams/{made['id']}"
    changed = await admin.call("PATCH", path, {"version": 1, "description": "New\nwords"})
    assert (changed["description"], changed["version"], changed["name"]) == ("New\nwords", 2, made["name"])
    await admin.call("PATCH", path, {"version": 1, "name": "Too late"}, expect=412)
    (event,) = await kept(database, "team.changed", made["id"])
    assert event.data["before"] == {"description": ""}


async def test_closing_a_team_gives_its_requests_on(fresh_who: Any, fresh_database: Any) -> None:
    database = fresh_database
    admin, agent, agent2, employee = [await fresh_who(n) for n in ("admin", "agent", "agent2", "employee")]
    old = await team(fresh_who, member_ids=[agent.id, agent2.id])
    new = await team(fresh_who, member_ids=[agent.id])
    key = f"CLOSING{old['id']}"
    made = {"key": key, "name": key, "form": {}, "team_id": old["id"]}
    answer = await admin.post("/ticket-types", made, expect=None)
    assert answer.status_code == 201, answer.text
    tickets = []
    for assignee in (agent, agent2):
        body = {"title": "Fix it", "ticket_type": key, "custom_fields": {}, "submit": True}
        ticket = await employee.post("/tickets", body, expect=201)
        assigned = await admin.post(
            f"/tickets/{ticket['id']}/assign", {"assignee_id": assignee.id, "team_id": old["id"]}
        )
        assert assigned["team"]["id"] == old["id"]
        tickets.append(ticket["id"])
    await agent2.post("/canned-replies", {"title": "Hello", "body": "Hello", "team_id": old["id"]}, expect=None)
    assert (await admin.delete(f"/teams/{old['id']}", expect=409))["code"] == "team_in_use"
    await admin.delete(f"/teams/{old['id']}?to={old['id']}", expect=422)
    await admin.delete(f"/teams/{old['id']}?to={new['id']}")
    first, second = [await admin.get(f"/tickets/{i}") for i in tickets]
    assert (first["team"]["id"], first["assignee"]["id"]) == (new["id"], agent.id)
    assert (second["team"]["id"], second["assignee"]) == (new["id"], None), "who is not in the new team lets go"
    assert len(await kept(database, "ticket.assigned", tickets[1])) == 2
    types = {t["key"]: t for t in (await admin.get("/ticket-types", params={"limit": 100}))["items"]}
    assert types[key]["team"]["id"] == new["id"]
    await admin.get(f"/teams/{old['id']}", expect=404)
    (event,) = await kept(database, "team.deleted", old["id"])
    assert event.data["moved_to_id"] == new["id"]


async def test_an_empty_team_simply_closes(who: Any) -> None:
    made = await team(who, member_ids=[(await person(who))["id"]])
    await (await who("admin")).delete(f"/teams/{made['id']}")


@pytest.mark.parametrize("username", ["employee", "manager", "agent", "auditor"])
async def test_who_may_not_changes_nothing(who: Any, username: str) -> None:
    api, place, group = await who(username), await department(who), await team(who)
    await api.call("PATCH", f"/departments/{place['id']}", {"version": 1, "name": "Mine"}, expect=403)
    await api.delete(f"/departments/{place['id']}", expect=403)
    await api.call("PATCH", f"/teams/{group['id']}", {"version": 1, "name": "Mine"}, expect=403)
    await api.delete(f"/teams/{group['id']}", expect=403)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": " "}, "/name"),
        ({"name": "x" * 101}, "/name"),
        ({"parent_id": 999_999}, "/parent_id"),
        ({"head_id": 999_999}, "/head_id"),
        ({"head_id": 2**63}, "/head_id"),
        ({"people_count": 3}, "/people_count"),
    ],
)
async def test_bad_values_are_named(who: Any, body: dict[str, Any], pointer: str) -> None:
    admin, made = await who("admin"), await department(who)
    told = await admin.call("PATCH", f"/departments/{made['id']}", {"version": 1, **body}, expect=422)
    assert told["errors"][0]["pointer"] == pointer
    await admin.call("PATCH", "/departments/999999", {"version": "?"}, expect=404)
    await admin.call("PATCH", "/teams/999999", {"version": "?"}, expect=404)
