"""People come from a table: shown first, field by field, then done row by row, and the same file again does nothing."""

from __future__ import annotations

import asyncio
import csv
import io
import itertools
from datetime import timedelta
from typing import Any

import pytest
import xlsxwriter
from sqlalchemy import func, select, update

from tests.conftest import Api
from waypost.access.importing import service
from waypost.access.importing.models import PeopleImport, PeopleImportRow
from waypost.access.models import LoginSession, Role, RoleChange, RoleRules, UserRole
from waypost.directory.models import Department, User
from waypost.kernel import relay, table_reading
from waypost.kernel.clock import now
from waypost.kernel.confined import Bounds
from waypost.kernel.events import EventRow
from waypost.notifications.models import Delivery

HEADINGS = ["Username", "E-mail", "First name", "Last name", "Job title", "Department", "Manager", "Roles", "Active"]
FIELDS = ["username", "email", "first_name", "last_name", "job_title", "department", "manager", "roles", "active"]
COLUMNS = {name: n for n, name in enumerate(FIELDS)}
_numbers = itertools.count(1)


def workbook(rows: list[list[str]]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet()
        for n, row in enumerate([HEADINGS, *rows]):
            sheet.write_row(n, 0, row)
    return out.getvalue()


def table(rows: list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows([HEADINGS, *rows])
    return out.getvalue().encode()


def line(username: str, **said: str) -> list[str]:
    """A row about somebody."""
    return [{"username": username, **said}.get(name, "") for name in FIELDS]


def new(username: str, **said: str) -> list[str]:
    return line(username, **{"email": f"{username}@example.com", "first_name": username.title(), **said})


def fresh() -> str:
    return f"table{next(_numbers)}"


async def brought(api: Api, data: bytes, name: str = "people.csv") -> Any:
    return await api.post("/people-imports", expect=201, files={"file": (name, data, "text/csv")})


async def looked_at(api: Api, rows: list[list[str]], **more: Any) -> Any:
    job = await brought(api, table(rows))
    return await api.put(f"/people-imports/{job['id']}/plan", {"columns": COLUMNS, **more})


async def rows_of(api: Api, job: Any, **params: Any) -> list[Any]:
    return list((await api.get(f"/people-imports/{job['id']}/rows", params={"limit": 100, **params}))["items"])


async def run(database: Any, api: Api, job: Any, **body: Any) -> Any:
    told = await api.post(f"/people-imports/{job['id']}/run", body)
    assert told["status"] == "RUNNING"
    await service.jobs.finished(database, job["id"])
    return await api.get(f"/people-imports/{job['id']}")


async def known(database: Any, username: str) -> User:
    async with database.read() as session:
        return (await session.scalars(select(User).where(User.username == username))).one()


async def grow_old(database: Any, user_id: int) -> None:
    """A sign-in that proves nothing any more."""
    async with database.transaction() as session:
        old = now() - timedelta(hours=1)
        await session.execute(update(LoginSession).where(LoginSession.user_id == user_id).values(proved_at=old))


async def test_a_workbook_is_shown_done_and_the_second_time_nothing(fresh_who: Any, fresh_database: Any) -> None:
    admin, head = await fresh_who("admin"), await fresh_who("head")
    boss, person = fresh(), fresh()
    rows = [
        new(person, last_name="Doe", department="facilities", manager=f"{boss}@example.com", roles="Agent; employee"),
        new(boss, manager="head"),
        line("colleague", job_title="Chief of =1+1", department="Facilities"),
        line("employee"),
        line("nobody-here", email="x"),
    ]
    job = await brought(admin, workbook(rows), "people.xlsx")
    assert (job["encoding"], job["total"], job["status"]) == ("Excel", 5, "UPLOADED")
    assert job["suggestion"] == COLUMNS
    seen = await admin.put(f"/people-imports/{job['id']}/plan", {"columns": job["suggestion"]})
    assert seen["counts"] == {"new": 2, "change": 1, "same": 1, "wrong": 1}
    assert seen["stop"] == {"leaving": 0, "active": seen["stop"]["active"], "is_much": False} | {
        "takes_last_administrator": False
    }
    shown = {r["number"]: r for r in await rows_of(admin, job)}
    assert {"field": "manager", "before": None, "after": boss.title()} in shown[2]["changes"]
    colleague = await known(fresh_database, "colleague")
    async with fresh_database.read() as session:
        was = await session.scalar(select(Department.name).where(Department.id == colleague.department_id))
    assert shown[4]["changes"] == [
        {"field": "job_title", "before": colleague.job_title, "after": "Chief of =1+1"},
        {"field": "department", "before": was, "after": "Facilities"},
    ]
    assert shown[6]["errors"][0]["column"] == "E-mail"
    async with fresh_database.read() as session:
        assert not await session.scalar(select(User.id).where(User.username == boss)), "a look changes nothing"
    done = await run(fresh_database, admin, job)
    assert (done["status"], done["to_do"], done["done"], done["failed"]) == ("FINISHED", 3, 3, 0)
    made, above = await known(fresh_database, person), await known(fresh_database, boss)
    assert (made.manager_id, above.manager_id, made.last_name) == (above.id, head.id, "Doe")
    async with fresh_database.read() as session:
        keys = await session.scalars(
            select(Role.key).join(UserRole, UserRole.role_id == Role.id).where(UserRole.user_id == made.id)
        )
        assert set(keys) == {"agent", "employee"}
        event = (EventRow.type == "user.changed", EventRow.object_id == colleague.id)
        kept = (await session.scalars(select(EventRow).where(*event).order_by(EventRow.id.desc()).limit(1))).one()
        assert kept.channel == "people_import"
        assert kept.data["before"]["job_title"] == colleague.job_title
        assert kept.data["after"]["job_title"] == "Chief of =1+1"
        started = select(EventRow).where(EventRow.type == "people_import.started", EventRow.object_id == job["id"])
        assert (await session.scalars(started)).one().data["new"] == 2
        assert not await session.scalar(
            select(func.count()).where(Delivery.user_id == made.id, Delivery.kind == "account.invited")
        )
    again = await looked_at(admin, rows)
    assert again["counts"] == {"new": 0, "change": 0, "same": 4, "wrong": 1}
    refused = await admin.post(f"/people-imports/{again['id']}/run", {}, expect=409)
    assert refused["code"] == "people_import_elsewhere"


async def test_what_is_exported_changes_nothing(fresh_who: Any) -> None:
    admin = await fresh_who("admin")
    exported = await admin.get("/users/export", expect=None)
    job = await brought(admin, exported.content)
    seen = await admin.put(f"/people-imports/{job['id']}/plan", {"columns": job["suggestion"]})
    assert (seen["counts"]["new"], seen["counts"]["change"]) == (0, 0)
    wrong = await rows_of(admin, job, outcome="WRONG")
    assert {e["message"] for r in wrong for e in r["errors"]} <= {"is a program's account"}


async def test_who_is_new_is_invited_by_mail_when_that_is_wished(who: Any, database: Any) -> None:
    admin, name = await who("admin"), fresh()
    job = await looked_at(admin, [new(name)], invites=True)
    await run(database, admin, job)
    await relay.drain(database)
    user = await known(database, name)
    async with database.read() as session:
        told = select(Delivery).where(Delivery.user_id == user.id, Delivery.kind == "account.invited")
        mail = (await session.scalars(told)).one()
        assert mail.words["link"].partition("#")[0].endswith("/welcome")
        roles = select(Delivery.id).where(Delivery.user_id == user.id, Delivery.kind == "role.granted")
        assert (await session.scalars(roles)).all() == []
    token = mail.words["link"].partition("#")[2]
    body = {"token": token, "password": "correct horse battery staple"}
    assert (await (await who(None)).post("/auth/first-password", body))["access_token"]


async def test_only_the_one_who_brought_it_and_only_who_may(who: Any, database: Any) -> None:
    admin, employee = await who("admin"), await who("employee")
    job = await looked_at(admin, [new(fresh())])
    path = f"/people-imports/{job['id']}"
    await employee.get("/people-imports", expect=403)
    await employee.post("/people-imports", expect=403, files={"file": ("x.csv", b"a\n1\n", "text/csv")})
    await employee.get(path, expect=403)
    async with database.transaction() as session:
        role_id = await session.scalar(select(Role.id).where(Role.key == "admin"))
        other = await known(database, "hragent")
        session.add(UserRole(user_id=other.id, role_id=role_id))
    second = await who("hragent")
    for verb, body in (("run", {}), ("cancel", None), ("retry", None)):
        await second.post(f"{path}/{verb}", body, expect=404)
    await second.put(f"{path}/plan", {"nonsense": 1}, expect=404)
    await second.get(f"{path}/rows", expect=404)
    await second.get(f"{path}/wrong-rows", expect=404)
    await second.delete(path, expect=404)
    assert job["id"] not in [i["id"] for i in (await second.get("/people-imports"))["items"]]
    assert job["id"] in [i["id"] for i in (await admin.get("/people-imports"))["items"]]
    await admin.delete(path, expect=204)
    await admin.get(path, expect=404)
    async with database.transaction() as session:
        await session.delete(await session.get_one(UserRole, (other.id, role_id)))


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"columns": {}}, "/columns"),
        ({"columns": {"first_name": 0}}, "/columns/email"),
        ({"columns": {"email": 99}}, "/columns/email"),
        ({"columns": {"email": -1}}, "/columns/email"),
        ({"columns": {"password": 0}}, "/columns/password"),
        ({"columns": {"email": 0}, "invites": "yes"}, "/invites"),
        ({"columns": {"email": 0}, "more": 1}, "/more"),
    ],
)
async def test_a_plan_that_cannot_be(who: Any, body: dict[str, Any], pointer: str) -> None:
    admin = await who("admin")
    job = await brought(admin, table([new(fresh())]))
    problem = await admin.put(f"/people-imports/{job['id']}/plan", body, expect=422)
    assert problem["errors"][0]["pointer"].startswith(pointer)
    assert (await admin.get(f"/people-imports/{job['id']}"))["status"] == "UPLOADED"


@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"only headings", b"a\x00b\n1"]
)
async def test_a_file_that_is_no_table(who: Any, data: bytes) -> None:
    admin = await who("admin")
    answer = await admin.post("/people-imports", expect=422, files={"file": ("x.xlsx", data, "text/csv")})
    assert answer["code"] == "bad_file"


@pytest.mark.parametrize("path", ["/people-imports", "/ticket-imports"])
async def test_a_file_that_would_take_too_much_is_refused_and_holds_no_connection(
    who: Any, database: Any, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    admin = await who("admin")
    held: list[int] = []
    read = table_reading.read

    async def counted(data: bytes) -> Any:
        held.append(sum(engine.pool.checkedout() for engine in (database.read_engine, database.write_engine)))
        return await read(data)

    monkeypatch.setattr(table_reading, "read", counted)
    monkeypatch.setattr(table_reading, "BOUNDS", Bounds(memory=32 * 1024 * 1024, seconds=20, patience=40.0))
    data = workbook([new(fresh())])
    answer = await admin.post(path, expect=422, files={"file": ("x.xlsx", data, "text/csv")})
    assert (answer["code"], answer["errors"][0]["pointer"]) == ("bad_file", "/file")
    assert "too much memory" in answer["detail"]
    assert held == [0]


async def test_many_who_leave_stop_it_until_their_number_is_said(fresh_who: Any, fresh_database: Any) -> None:
    admin = await fresh_who("admin")
    names = [fresh() for _ in range(5)]
    await run(fresh_database, admin, await looked_at(admin, [new(n) for n in names]))
    job = await looked_at(admin, [line(n, active="No") for n in names])
    assert (job["stop"]["leaving"], job["stop"]["is_much"]) == (5, True)
    for said in (None, 4):
        refused = await admin.post(f"/people-imports/{job['id']}/run", {"leaving": said}, expect=409)
        assert (refused["code"], refused["leaving"]) == ("too_many_leave", 5)
    done = await run(fresh_database, admin, job, leaving=5)
    assert done["done"] == 5
    assert not (await known(fresh_database, names[0])).is_active
    three = [fresh() for _ in range(3)]
    await run(fresh_database, admin, await looked_at(admin, [new(n) for n in three]))
    few = await looked_at(admin, [line(n, active="No") for n in three])
    assert few["stop"]["is_much"], "in parts it is as much as at once"
    ids = [(await known(fresh_database, n)).id for n in three]
    bulk = {"user_ids": ids, "action": {"type": "deactivate"}}
    assert (await admin.post("/users/bulk", bulk, expect=409))["code"] == "too_many_leave"


async def test_the_last_administrator_stops_it(fresh_who: Any, fresh_database: Any) -> None:
    """Of two who administer, one for a time: by the file the one for good would go."""
    admin = await fresh_who("admin")
    async with fresh_database.transaction() as session:
        role_id = await session.scalar(select(Role.id).where(Role.key == "admin"))
        second = await known(fresh_database, "hragent")
        session.add(UserRole(user_id=second.id, role_id=role_id, expires_at=now() + timedelta(days=1)))
    other = await fresh_who("hragent")
    job = await looked_at(other, [line("admin", active="No")])
    assert job["stop"]["takes_last_administrator"]
    refused = await other.post(f"/people-imports/{job['id']}/run", {"leaving": 1}, expect=409)
    assert refused["code"] == "takes_last_administrator"
    mine = await looked_at(admin, [line("admin", active="No")])
    assert mine["counts"]["wrong"] == 1


async def test_another_address_and_power_take_a_proof(fresh_who: Any, fresh_database: Any) -> None:
    admin, name = await fresh_who("admin"), fresh()
    await run(fresh_database, admin, await looked_at(admin, [new(name)]))
    await grow_old(fresh_database, admin.id)
    plain = await looked_at(admin, [line(name, job_title="Painter")])
    await run(fresh_database, admin, plain)
    for said in ({"email": "elsewhere@example.com"}, {"roles": "Administrator"}):
        job = await looked_at(admin, [line(name, **said)])
        assert (await admin.post(f"/people-imports/{job['id']}/run", {}, expect=403))["code"] == "step_up_needed"
    assert (await known(fresh_database, name)).email == f"{name}@example.com"


async def test_power_waits_for_a_second_administrator(fresh_who: Any, fresh_database: Any) -> None:
    admin, name = await fresh_who("admin"), fresh()
    async with fresh_database.transaction() as session:
        role_id = await session.scalar(select(Role.id).where(Role.key == "admin"))
        second = await known(fresh_database, "hragent")
        session.add(UserRole(user_id=second.id, role_id=role_id))
        await session.execute(update(RoleRules).values(needs_two=True))
    job = await looked_at(admin, [new(name, roles="Employee, Administrator")])
    done = await run(fresh_database, admin, job)
    assert done["done"] == 1
    (row,) = await rows_of(admin, job)
    assert (row["status"], row["waits"]) == ("DONE", 1)
    async with fresh_database.read() as session:
        change = (await session.scalars(select(RoleChange).where(RoleChange.user_id == row["user_id"]))).one()
        assert (change.role_id, change.settled_at) == (role_id, None)
        has = select(func.count()).where(UserRole.user_id == row["user_id"], UserRole.role_id == role_id)
        assert await session.scalar(has) == 0


async def test_who_may_not_configure_roles_gives_none_that_may_more(fresh_who: Any, fresh_database: Any) -> None:
    admin = await fresh_who("admin")
    made = await admin.post(
        "/roles",
        {
            "key": "registrar",
            "name": "Registrar",
            "permissions": {"directory:configure": "ALL", "directory:read": "ALL", "directory:look_up": "ALL"},
        },
        expect=201,
    )
    async with fresh_database.transaction() as session:
        second = await known(fresh_database, "hragent")
        session.add(UserRole(user_id=second.id, role_id=made["id"]))
    registrar, name = await fresh_who("hragent"), fresh()
    job = await looked_at(
        registrar, [new(name), new(fresh(), roles="Administrator"), line("admin", email="a@b.example")]
    )
    found = {r["number"]: r for r in await rows_of(registrar, job)}
    assert "may more than you" in found[3]["errors"][0]["message"]
    done = await run(fresh_database, registrar, job)
    assert (done["done"], done["failed"]) == (1, 1)
    (failed,) = await rows_of(registrar, job, status="FAILED")
    assert (failed["number"], failed["error"]["code"]) == (4, "may_more")


async def test_what_changed_meanwhile_is_not_written_over(who: Any, database: Any) -> None:
    admin, name, other = await who("admin"), fresh(), fresh()
    await run(database, admin, await looked_at(admin, [new(name, job_title="Painter"), new(other)]))
    job = await looked_at(admin, [line(name, job_title="Carpenter"), line(other, job_title="Smith")])
    user = await known(database, name)
    await admin.call("PATCH", f"/users/{user.id}", {"version": user.version, "job_title": "Plumber"})
    done = await run(database, admin, job)
    assert (done["done"], done["failed"]) == (1, 1)
    (row,) = await rows_of(admin, job, status="FAILED")
    assert row["error"]["code"] == "changed_since"
    assert (await known(database, name)).job_title == "Plumber"
    mend = (await admin.get(f"/people-imports/{job['id']}/wrong-rows", expect=None)).text
    assert [word in mend for word in ("Carpenter", "Somebody changed this", "Smith")] == [True, True, False]
    await admin.call("PATCH", f"/users/{user.id}", {"version": user.version + 1, "job_title": "Painter"})
    await admin.post(f"/people-imports/{job['id']}/retry")
    await service.jobs.finished(database, job["id"])
    assert (await known(database, name)).job_title == "Carpenter"


async def test_who_reports_to_somebody_who_was_not_made_is_not_made(who: Any, database: Any) -> None:
    admin, boss, person = await who("admin"), fresh(), fresh()
    job = await looked_at(admin, [new(person, manager=boss), new(boss)])
    taken = {"username": boss, "email": f"{boss}@other.example", "first_name": "Other", "last_name": "One"}
    await admin.post("/users", taken, expect=201)
    done = await run(database, admin, job)
    assert (done["done"], done["failed"]) == (0, 2)
    codes = {r["number"]: r["error"]["code"] for r in await rows_of(admin, job)}
    assert codes == {2: "manager_not_made", 3: "name_taken"}


async def test_workers_share_it_and_a_stop_leaves_the_rest(who: Any, database: Any) -> None:
    admin = await who("admin")
    names = [fresh() for _ in range(12)]
    job = await looked_at(admin, [new(n) for n in names])
    await admin.post(f"/people-imports/{job['id']}/run", {})
    await asyncio.gather(*(service.run_due(database) for _ in range(4)))
    await service.jobs.finished(database, job["id"])
    async with database.read() as session:
        made = select(func.count()).where(EventRow.type == "user.created", EventRow.data["username"].astext.in_(names))
        assert await session.scalar(made) == 12, "each exactly once"
    assert (await admin.post(f"/people-imports/{job['id']}/cancel", expect=409))["code"] == "people_import_elsewhere"
    rest = await looked_at(admin, [new(fresh()) for _ in range(3)])
    await admin.post(f"/people-imports/{rest['id']}/run", {})
    assert (await admin.delete(f"/people-imports/{rest['id']}", expect=409))["code"] == "people_import_elsewhere"
    stopped = await admin.post(f"/people-imports/{rest['id']}/cancel")
    await service.run_due(database)
    assert (stopped["status"], stopped["done"]) == ("CANCELLED", 0)
    assert {r["status"] for r in await rows_of(admin, rest)} == {"WAITING"}
    again = await admin.put(f"/people-imports/{rest['id']}/plan", {"columns": COLUMNS}, expect=409)
    assert again["code"] == "people_import_elsewhere"


async def test_once_asked_twice(who: Any) -> None:
    admin = await who("admin")
    files = {"file": ("x.csv", table([new(fresh())]), "text/csv")}
    key = {"Idempotency-Key": f"people-import-{next(_numbers)}"}
    first = await admin.post("/people-imports", expect=201, files=files, headers=key)
    assert (await admin.post("/people-imports", expect=201, files=files, headers=key))["id"] == first["id"]


async def test_old_ones_are_forgotten(who: Any, database: Any) -> None:
    admin = await who("admin")
    job = await looked_at(admin, [new(fresh())])
    async with database.transaction() as session:
        old = now() - service.KEPT * 2
        await session.execute(update(PeopleImport).where(PeopleImport.id == job["id"]).values(created_at=old))
        await service.forget_old_imports(session)
    async with database.read() as session:
        left = select(func.count()).select_from(PeopleImportRow).where(PeopleImportRow.job_id == job["id"])
        assert await session.scalar(left) == 0


async def test_five_thousand_rows(fresh_who: Any) -> None:
    admin = await fresh_who("admin")
    rows = [new(f"mass{n}", manager=f"mass{n - 1}" if n else "head") for n in range(5_000)]
    began = now()
    job = await looked_at(admin, rows)
    assert job["counts"]["new"] == 5_000
    assert now() - began < timedelta(seconds=60)
