"""A change of many people is taken back, for who is still as it left them."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from tests.conftest import Api
from waypost.access import people_jobs, people_undo
from waypost.access.models import LoginSession, Role, RoleChange, RoleRules, UserRole
from waypost.access.people_job_models import PeopleJob
from waypost.directory.models import Department, User
from waypost.kernel.clock import now
from waypost.kernel.events import EventRow

_numbers = itertools.count(1)


async def people(admin: Api, count: int) -> list[int]:
    """New people."""
    made = []
    for _ in range(count):
        n = next(_numbers)
        name = f"undo{n}"
        body = {"username": name, "email": f"{name}@example.com", "first_name": "Many", "last_name": f"No{n}"}
        made.append((await admin.post("/users", body, expect=201))["id"])
    return made


async def known(database: Any, ids: list[int]) -> list[User]:
    async with database.read() as session:
        return list(await session.scalars(select(User).where(User.id.in_(ids)).order_by(User.id)))


async def undone(database: Any, admin: Api, job_id: int, **body: Any) -> tuple[Any, list[dict[str, Any]]]:
    """What became of each when it was taken back."""
    back = await admin.post(f"/people-jobs/{job_id}/undo", body, expect=201)
    assert back["is_undo"]
    await people_jobs.jobs.finished(database, back["id"])
    told = await admin.get(f"/people-jobs/{back['id']}")
    return told, list((await admin.get(f"/people-jobs/{back['id']}/items"))["items"])


async def begun(database: Any, admin: Api, ids: list[int], action: dict[str, Any], **more: Any) -> int:
    job = await admin.post("/users/bulk", {"user_ids": ids, "action": action, **more}, expect=202)
    await people_jobs.jobs.finished(database, job["id"])
    return int(job["id"])


async def test_a_department_goes_back_for_who_is_still_in_it(fresh_who: Any, fresh_database: Any) -> None:
    admin = await fresh_who("admin")
    ids = await people(admin, 3)
    async with fresh_database.read() as session:
        names = {n: i for i, n in await session.execute(select(Department.id, Department.name))}
    await begun(fresh_database, admin, ids[:1], {"type": "department", "department_id": names["Finance"]})
    job = await begun(fresh_database, admin, ids, {"type": "department", "department_id": names["Facilities"]})
    assert (await admin.get(f"/people-jobs/{job}"))["can_undo"]
    moved = (await known(fresh_database, ids))[2]
    body = {"version": moved.version, "department_id": names["Finance"]}
    await admin.call("PATCH", f"/users/{moved.id}", body)
    told, items = await undone(fresh_database, admin, job)
    assert (told["done"], told["failed"], told["can_undo"]) == (2, 1, False)
    assert (items[2]["error"]["code"], items[2]["user"]["id"]) == ("changed_since", moved.id)
    assert [u.department_id for u in await known(fresh_database, ids)] == [names["Finance"], None, names["Finance"]]
    for again in (job, told["id"]):
        assert (await admin.post(f"/people-jobs/{again}/undo", {}, expect=409))["code"] == "nothing_to_undo"
    async with fresh_database.read() as session:
        started = (EventRow.type == "people.bulk_started", EventRow.object_id == told["id"])
        assert (await session.scalars(select(EventRow).where(*started))).one().data["undo_of"] == job
        back = (EventRow.type == "user.changed", EventRow.object_id == ids[0])
        newest = select(EventRow).where(*back).order_by(EventRow.id.desc()).limit(1)
        assert (await session.scalars(newest)).one().data["before"] == {"department_id": names["Facilities"]}
    same = await begun(fresh_database, admin, ids[:1], {"type": "department", "department_id": names["Finance"]})
    assert (await admin.post(f"/people-jobs/{same}/undo", {}, expect=409))["code"] == "nothing_to_undo"


async def test_managers_and_accounts_go_back(fresh_who: Any, fresh_database: Any) -> None:
    admin, head = await fresh_who("admin"), await fresh_who("head")
    ids = await people(admin, 2)
    to_head = await begun(fresh_database, admin, ids, {"type": "manager", "manager_id": head.id})
    await undone(fresh_database, admin, to_head)
    assert {u.manager_id for u in await known(fresh_database, ids)} == {None}
    left = await begun(fresh_database, admin, ids, {"type": "deactivate"})
    await admin.put(f"/users/{ids[1]}/active", {"is_active": True})
    told, items = await undone(fresh_database, admin, left)
    assert (told["done"], told["failed"]) == (1, 1)
    assert items[1]["error"]["code"] == "changed_since"
    assert {u.is_active for u in await known(fresh_database, ids)} == {True}


async def test_who_was_sent_away_anew_meanwhile_stays_away(fresh_who: Any, fresh_database: Any) -> None:
    admin = await fresh_who("admin")
    ids = await people(admin, 2)
    left = await begun(fresh_database, admin, ids, {"type": "deactivate"})
    for is_active in (True, False):  # let in again by mistake, and sent away by somebody who knows why
        await admin.put(f"/users/{ids[0]}/active", {"is_active": is_active})
    told, items = await undone(fresh_database, admin, left)
    assert (told["done"], told["failed"]) == (1, 1)
    assert items[0]["error"]["code"] == "changed_since"
    assert [u.is_active for u in await known(fresh_database, ids)] == [False, True]


async def test_who_was_let_in_again_leaves_again_and_many_are_said_to_be_meant(
    fresh_who: Any, fresh_database: Any
) -> None:
    admin = await fresh_who("admin")
    ids = await people(admin, 5)
    await begun(fresh_database, admin, ids, {"type": "deactivate"}, leaving=5)
    back = await begun(fresh_database, admin, ids, {"type": "reactivate"})
    refused = await admin.post(f"/people-jobs/{back}/undo", {}, expect=409)
    assert (refused["code"], refused["leaving"]) == ("too_many_leave", 5)
    told, _ = await undone(fresh_database, admin, back, leaving=5)
    assert told["done"] == 5
    assert {u.is_active for u in await known(fresh_database, ids)} == {False}


async def test_roles_go_back_as_they_were(fresh_who: Any, fresh_database: Any) -> None:
    admin = await fresh_who("admin")
    ids = await people(admin, 3)
    async with fresh_database.read() as session:
        role_id = await session.scalar(select(Role.id).where(Role.key == "agent"))
    until = (now() + timedelta(days=9)).isoformat(timespec="seconds").replace("+00:00", "Z")
    give = {"type": "give_role", "role_id": role_id}
    await begun(fresh_database, admin, ids[:1], give | {"expires_at": until, "reason": "stands in"})
    given = await begun(fresh_database, admin, ids, give)
    await admin.delete(f"/roles/{role_id}/people/{ids[2]}", expect=204)
    told, items = await undone(fresh_database, admin, given)
    assert (told["done"], items[2]["error"]["code"]) == (2, "changed_since")

    async def grants() -> dict[int, tuple[Any, str]]:
        async with fresh_database.read() as session:
            rows = await session.scalars(select(UserRole).where(UserRole.role_id == role_id, UserRole.user_id.in_(ids)))
            return {r.user_id: (r.expires_at, r.reason) for r in rows}

    first = await grants()
    assert list(first) == ids[:1]
    assert (first[ids[0]][0].replace(microsecond=0), first[ids[0]][1]) == (datetime.fromisoformat(until), "stands in")
    taken = await begun(fresh_database, admin, ids, {"type": "take_role", "role_id": role_id})
    assert await grants() == {}
    told, _ = await undone(fresh_database, admin, taken)
    assert (told["total"], told["done"]) == (1, 1)
    assert await grants() == first


async def test_what_waits_for_a_second_administrator_is_dropped(fresh_who: Any, fresh_database: Any) -> None:
    admin, second = await fresh_who("admin"), await fresh_who("hragent")
    ids = await people(admin, 2)
    async with fresh_database.transaction() as session:
        role_id = await session.scalar(select(Role.id).where(Role.key == "admin"))
        session.add(UserRole(user_id=second.id, role_id=role_id))
        await session.execute(update(RoleRules).values(needs_two=True))
    job = await begun(fresh_database, admin, ids, {"type": "give_role", "role_id": role_id})
    async with fresh_database.read() as session:
        change = await session.scalar(select(RoleChange.id).where(RoleChange.user_id == ids[0]))
    other = await fresh_who("hragent")  # with the role of an administrator now
    await other.post(f"/role-changes/{change}/refuse")
    told, items = await undone(fresh_database, admin, job)
    assert (told["done"], items[0]["error"]["code"]) == (1, "changed_since")
    async with fresh_database.read() as session:
        outcome = select(RoleChange.outcome).where(RoleChange.user_id == ids[1])
        assert await session.scalar(outcome) == "DROPPED"


async def test_undoing_has_its_time_its_owner_and_its_proof(fresh_who: Any, fresh_database: Any) -> None:
    admin, second = await fresh_who("admin"), await fresh_who("hragent")
    ids = await people(admin, 1)
    async with fresh_database.transaction() as session:
        role_id = await session.scalar(select(Role.id).where(Role.key == "admin"))
        session.add_all([UserRole(user_id=second.id, role_id=role_id), UserRole(user_id=ids[0], role_id=role_id)])
    other = await fresh_who("hragent")
    job = await begun(fresh_database, admin, ids, {"type": "take_role", "role_id": role_id})
    assert (await other.post(f"/people-jobs/{job}/undo", {"x": 1}, expect=404))["code"] == "people_job_not_found"
    await admin.post(f"/people-jobs/{job}/undo", {"x": 1}, expect=422)
    async with fresh_database.transaction() as session:
        old = now() - timedelta(hours=1)
        await session.execute(update(LoginSession).where(LoginSession.user_id == admin.id).values(proved_at=old))
    assert (await admin.post(f"/people-jobs/{job}/undo", {}, expect=403))["code"] == "step_up_needed"
    async with fresh_database.transaction() as session:
        late = now() - people_undo.WITHIN - timedelta(seconds=1)
        await session.execute(update(PeopleJob).where(PeopleJob.id == job).values(finished_at=late))
    assert not (await admin.get(f"/people-jobs/{job}"))["can_undo"]
    assert (await admin.post(f"/people-jobs/{job}/undo", {}, expect=409))["code"] == "nothing_to_undo"
