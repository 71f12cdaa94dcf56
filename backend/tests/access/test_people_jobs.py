"""The same with many people: rehearsed, done one by one exactly once, with the guards that hold for one."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from tests.conftest import Api
from waypost.access import people_jobs
from waypost.access.models import LoginSession, Role, RoleChange, RoleRules, UserRole
from waypost.access.people_job_models import PeopleJob
from waypost.access.queries import actors
from waypost.directory.models import Department, User
from waypost.kernel.clock import now
from waypost.kernel.events import EventRow

_numbers = itertools.count(1)


async def people(admin: Api, count: int) -> list[int]:
    """New people."""
    made = []
    for _ in range(count):
        n = next(_numbers)
        name = f"many{n}"
        body = {"username": name, "email": f"{name}@example.com", "first_name": "Many", "last_name": f"No{n}"}
        made.append((await admin.post("/users", body, expect=201))["id"])
    return made


async def done(database: Any, admin: Api, ids: list[int], action: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """What became of each."""
    job = await admin.post("/users/bulk", {"user_ids": ids, "action": action, **more}, expect=202)
    await people_jobs.jobs.finished(database, job["id"])
    told = await admin.get(f"/people-jobs/{job['id']}")
    assert (told["status"], told["done"] + told["failed"]) == ("FINISHED", len(ids))
    return list((await admin.get(f"/people-jobs/{job['id']}/items"))["items"])


async def known(database: Any, ids: list[int]) -> list[User]:
    async with database.read() as session:
        return list(await session.scalars(select(User).where(User.id.in_(ids)).order_by(User.id)))


async def test_a_department_a_manager_and_back(fresh_who: Any, fresh_database: Any) -> None:
    admin, head = await fresh_who("admin"), await fresh_who("head")
    ids = await people(admin, 3)
    async with fresh_database.read() as session:
        department = await session.scalar(select(Department.id).where(Department.name == "Facilities"))
    move = {"type": "department", "department_id": department}
    look = await admin.post("/users/bulk/preview", {"user_ids": ids, "action": move})
    assert [(r["user"]["id"], r["outcome"], r["error"]) for r in look["results"]] == [(i, "DONE", None) for i in ids]
    assert (look["total"], look["is_much"]) == (3, False)
    assert {u.department_id for u in await known(fresh_database, ids)} == {None}, "a preview changes nothing"
    assert [i["outcome"] for i in await done(fresh_database, admin, ids, move)] == ["DONE"] * 3
    assert {u.department_id for u in await known(fresh_database, ids)} == {department}
    assert [i["outcome"] for i in await done(fresh_database, admin, ids, move)] == ["SAME"] * 3
    to_head = {"type": "manager", "manager_id": head.id}
    found = await done(fresh_database, admin, [*ids, head.id], to_head)
    assert [(i["status"], i["error"] and i["error"]["code"]) for i in found] == [("DONE", None)] * 3 + [
        ("FAILED", "manager_circle")
    ]
    assert {u.manager_id for u in await known(fresh_database, ids)} == {head.id}
    async with fresh_database.read() as session:
        changed = (EventRow.type == "user.changed", EventRow.object_id.in_(ids))
        assert set(await session.scalars(select(EventRow.channel).where(*changed))) == {"bulk"}


async def test_who_leaves_is_signed_out_and_their_decisions_are_given_on(
    fresh_who: Any, fresh_database: Any, hardware: Any
) -> None:
    admin, employee, manager = await fresh_who("admin"), await fresh_who("employee"), await fresh_who("manager")
    ticket = await employee.post("/tickets", hardware("500.00"), expect=201)
    found = await done(fresh_database, admin, [manager.id, admin.id], {"type": "deactivate"})
    assert [i["status"] for i in found] == ["DONE", "FAILED"], "nobody deactivates themselves"
    async with fresh_database.read() as session:
        live = (LoginSession.user_id == manager.id, LoginSession.ended_at.is_(None))
        assert await session.scalar(select(func.count()).where(*live)) == 0
    head = await fresh_who("head")
    waiting = (await head.get("/approvals/pending"))["items"]
    assert ticket["id"] in [step["ticket"]["id"] for step in waiting], "it went to the next in line"
    back = await done(fresh_database, admin, [manager.id], {"type": "reactivate"})
    assert back[0]["outcome"] == "DONE"


async def test_many_who_leave_are_said_to_be_meant(fresh_who: Any, fresh_database: Any) -> None:
    admin = await fresh_who("admin")
    ids = await people(admin, 5)
    leave = {"user_ids": ids, "action": {"type": "deactivate"}}
    look = await admin.post("/users/bulk/preview", leave)
    assert (look["leaving"], look["is_much"]) == (5, True)
    for said in (None, 4):
        refused = await admin.post("/users/bulk", leave | {"leaving": said}, expect=409)
        assert (refused["code"], refused["leaving"]) == ("too_many_leave", 5)
    await done(fresh_database, admin, ids, {"type": "deactivate"}, leaving=5)
    assert {u.is_active for u in await known(fresh_database, ids)} == {False}


async def test_the_last_administrator_stays_one(fresh_who: Any, fresh_database: Any) -> None:
    admin, second = await fresh_who("admin"), await fresh_who("hragent")
    async with fresh_database.transaction() as session:
        role_id = await session.scalar(select(Role.id).where(Role.key == "admin"))
        session.add(UserRole(user_id=second.id, role_id=role_id))
    found = await done(fresh_database, admin, [second.id, admin.id], {"type": "take_role", "role_id": role_id})
    assert [(i["status"], (i["error"] or {}).get("code")) for i in found] == [
        ("DONE", None),
        ("FAILED", "last_administrator"),
    ]


async def test_a_role_that_gives_power_waits_for_each(fresh_who: Any, fresh_database: Any) -> None:
    admin, second = await fresh_who("admin"), await fresh_who("hragent")
    made = await admin.post(
        "/roles", {"key": "many_power", "name": "Many", "permissions": {"audit:read": "ALL"}}, expect=201
    )
    ids = await people(admin, 2)
    async with fresh_database.transaction() as session:
        role_id = await session.scalar(select(Role.id).where(Role.key == "admin"))
        session.add(UserRole(user_id=second.id, role_id=role_id))
        await session.execute(update(RoleRules).values(needs_two=True))
    actors._kept.clear()
    give = {"type": "give_role", "role_id": made["id"], "reason": "The review"}
    look = await admin.post("/users/bulk/preview", {"user_ids": ids, "action": give})
    assert [r["outcome"] for r in look["results"]] == ["WAITS", "WAITS"]
    assert [i["outcome"] for i in await done(fresh_database, admin, ids, give)] == ["WAITS", "WAITS"]
    async with fresh_database.read() as session:
        waiting = list(await session.scalars(select(RoleChange).order_by(RoleChange.id)))
        assert [(c.user_id, c.reason) for c in waiting] == [(i, "The review") for i in ids]
    again = await done(fresh_database, admin, ids, give)
    assert {i["error"]["code"] for i in again} == {"role_change_waits"}
    # who has not shown for long that it is them is asked first
    async with fresh_database.transaction() as session:
        await session.execute(update(LoginSession).values(proved_at=now() - timedelta(hours=1)))
    needed = await admin.post("/users/bulk", {"user_ids": ids, "action": give}, expect=None)
    assert needed.json()["code"] == "step_up_needed"


async def test_several_workers_do_each_once_and_what_failed_is_tried_again(fresh_who: Any, fresh_database: Any) -> None:
    admin = await fresh_who("admin")
    ids = await people(admin, 12)
    made = await admin.post("/roles", {"key": "many_plain", "name": "Many", "permissions": {}}, expect=201)
    body = {"user_ids": ids, "action": {"type": "give_role", "role_id": made["id"]}}
    headers = {"Idempotency-Key": "many-once"}
    job = await admin.post("/users/bulk", body, expect=202, headers=headers)
    assert (await admin.post("/users/bulk", body, expect=202, headers=headers))["id"] == job["id"]
    async with fresh_database.transaction() as session:
        await session.execute(update(User).where(User.id == ids[0]).values(is_active=False))
    await asyncio.gather(*(people_jobs.jobs.run(fresh_database, job["id"]) for _ in range(4)))
    assert await people_jobs.jobs.run_due(fresh_database) == 0
    told = await admin.get(f"/people-jobs/{job['id']}")
    assert (told["status"], told["done"], told["failed"]) == ("FINISHED", 11, 1)
    async with fresh_database.read() as session:
        given = (EventRow.type == "role.granted", EventRow.data["roles"].contains(["many_plain"]))
        assert await session.scalar(select(func.count()).where(*given)) == 11
    (failed,) = (await admin.get(f"/people-jobs/{job['id']}/items", params={"status": "FAILED"}))["items"]
    assert failed["user"]["id"] == ids[0]
    async with fresh_database.transaction() as session:
        await session.execute(update(User).where(User.id == ids[0]).values(is_active=True))
    await admin.post(f"/people-jobs/{job['id']}/retry")
    await people_jobs.jobs.run_due(fresh_database)
    told = await admin.get(f"/people-jobs/{job['id']}")
    assert (told["status"], told["done"], told["failed"]) == ("FINISHED", 12, 0)
    async with fresh_database.transaction() as session:
        await session.execute(update(PeopleJob).values(finished_at=now() - people_jobs.KEPT * 2))
        await people_jobs.forget_old_jobs(session)
    await admin.get(f"/people-jobs/{job['id']}", expect=404)


async def test_what_one_may_not_any_more_is_not_done(fresh_who: Any, fresh_database: Any) -> None:
    """Whoever asked is asked for their permission when each person's turn comes."""
    admin, second = await fresh_who("admin"), await fresh_who("hragent")
    async with fresh_database.transaction() as session:
        role_id = await session.scalar(select(Role.id).where(Role.key == "admin"))
        session.add(UserRole(user_id=second.id, role_id=role_id))
    actors._kept.clear()
    ids = await people(admin, 2)
    body = {"user_ids": ids, "action": {"type": "deactivate"}}
    job = await second.post("/users/bulk", body, expect=202)
    await admin.get(f"/people-jobs/{job['id']}", expect=404)
    await admin.delete(f"/roles/{role_id}/people/{second.id}")
    await people_jobs.jobs.finished(fresh_database, job["id"])
    assert {u.is_active for u in await known(fresh_database, ids)} == {True}


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"user_ids": []}, "/user_ids"),
        ({"user_ids": [2**61]}, "/user_ids/0"),
        ({"user_ids": [2**70]}, "/user_ids/0"),
        ({"user_ids": list(range(1, 1002))}, "/user_ids"),
        ({"action": {"type": "promote"}}, "/action"),
        ({"action": {"type": "department", "department_id": 2**61}}, "/action/department_id"),
        ({"action": {"type": "manager", "manager_id": 2**61}}, "/action/manager_id"),
        ({"action": {"type": "deactivate", "more": 1}}, "/action/deactivate/more"),
        ({"leaving": -1}, "/leaving"),
        ({"extra": 1}, "/extra"),
    ],
)
async def test_bad_wishes_are_named(who: Any, more: dict[str, Any], pointer: str) -> None:
    admin = await who("admin")
    body = {"user_ids": [admin.id], "action": {"type": "reactivate"}} | more
    wrong = await admin.post("/users/bulk", body, expect=422)
    assert pointer.rsplit("/", 1)[0] in wrong["errors"][0]["pointer"], wrong


async def test_not_for_everybody(who: Any) -> None:
    body = {"user_ids": [1], "action": {"type": "deactivate"}}
    for username in ("employee", "manager", "agent", "auditor"):
        api = await who(username)
        await api.post("/users/bulk", body, expect=403)
        await api.post("/users/bulk/preview", body, expect=403)
        await api.get("/people-jobs/1", expect=403)
    admin = await who("admin")
    await admin.post("/users/bulk", body | {"action": {"type": "take_role", "role_id": 2**61}}, expect=404)


async def test_several_small_jobs_are_no_way_around_the_guard(fresh_who: Any, fresh_database: Any) -> None:
    admin = await fresh_who("admin")
    ids = await people(admin, 6)
    leave = {"type": "deactivate"}
    await done(fresh_database, admin, ids[:3], leave)
    look = await admin.post("/users/bulk/preview", {"user_ids": ids[3:], "action": leave})
    assert (look["leaving"], look["is_much"]) == (3, True)
    refused = await admin.post("/users/bulk", {"user_ids": ids[3:], "action": leave}, expect=409)
    assert refused["code"] == "too_many_leave"
    await done(fresh_database, admin, ids[3:], leave, leaving=3)


async def test_a_role_that_gets_power_meanwhile_is_not_given_on_without_a_proof(
    fresh_who: Any, fresh_database: Any
) -> None:
    admin = await fresh_who("admin")
    made = await admin.post("/roles", {"key": "many_meek", "name": "Meek", "permissions": {}}, expect=201)
    ids = await people(admin, 2)
    job = await admin.post(
        "/users/bulk", {"user_ids": ids, "action": {"type": "give_role", "role_id": made["id"]}}, expect=202
    )
    async with fresh_database.transaction() as session:
        await session.execute(update(Role).where(Role.id == made["id"]).values(is_privileged=True))
    await people_jobs.jobs.finished(fresh_database, job["id"])
    items = (await admin.get(f"/people-jobs/{job['id']}/items"))["items"]
    assert {(i["status"], i["error"]["code"]) for i in items} == {("FAILED", "step_up_needed")}
    await admin.post(f"/people-jobs/{job['id']}/retry")  # which asks for it
    await people_jobs.jobs.finished(fresh_database, job["id"])
    items = (await admin.get(f"/people-jobs/{job['id']}/items"))["items"]
    assert {i["status"] for i in items} == {"DONE"}
