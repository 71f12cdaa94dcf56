"""Tables become tickets: looked at first, by the rules of requests, each row once, in nobody's mailbox."""

from __future__ import annotations

import asyncio
import csv
import io
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from waypost.kernel import relay
from waypost.kernel.clock import clock, now
from waypost.kernel.events import EventRow
from waypost.notifications.models import Delivery, Notification
from waypost.tickets import importing
from waypost.tickets.import_models import ImportRow
from waypost.tickets.models import Ticket

HEADINGS = "Key;Subject;Priority;E-mail;Status;Budget code;Justification;Amount"
PLAN = {
    "ticket_type": "IT_HARDWARE",
    "columns": {
        "external_key": 0,
        "title": 1,
        "priority": 2,
        "requester": 3,
        "status": 4,
        "custom.budget_code": 5,
        "custom.justification": 6,
        "amount": 7,
    },
    "defaults": {"description": "From the old desk"},
}


async def bring(api: Any, lines: list[str], name: str = "old desk.csv", encoding: str = "utf-8") -> Any:
    data = "\r\n".join(lines).encode(encoding)
    return await api.post("/ticket-imports", expect=201, files={"file": (name, data, "text/csv")})


async def looked_at(database: Any, api: Any, lines: list[str], plan: dict[str, Any] = PLAN) -> Any:
    made = await bring(api, lines)
    path = f"/ticket-imports/{made['id']}"
    await api.put(f"{path}/plan", plan)
    assert (await api.post(f"{path}/check"))["status"] == "CHECKING"
    await importing.run_due(database, seconds=600)  # however slow the machine is
    return await api.get(path)


async def rows_of(api: Any, job: Any) -> list[dict[str, Any]]:
    return list((await api.get(f"/ticket-imports/{job['id']}/rows", params={"limit": 100}))["items"])


async def test_a_long_title_is_told_like_everything_else(database: Any, who: Any) -> None:
    admin = await who("admin")
    job = await looked_at(database, admin, [HEADINGS, f"L-1;{'x' * 201};Low;employee;Draft;;;"])
    (row,) = await rows_of(admin, job)
    assert "must have at most 200 characters" in str(row)


async def test_the_whole_way(database: Any, who: Any) -> None:
    admin, employee, manager = await who("admin"), await who("employee"), await who("manager")
    await relay.drain(database)
    async with database.read() as session:
        mails = await session.scalar(select(func.count()).select_from(Delivery))
        tickets = await session.scalar(select(func.count()).select_from(Ticket))
    lines = [
        HEADINGS,
        "A-1;Laptop from a table;High;employee@example.com;Submitted;MKT-1;It is old;500",
        "A-2;Draft from a table;low;EMPLOYEE;Draft;;;",
        "A-3;;;nobody@x.example;Submitted;;;",
        "A-4;Wrong;asap;employee;Closed;MKT;x;1,450",
        "A-1;The same again;;employee;Draft;;;",
    ]
    made = await bring(admin, lines, encoding="cp1252")
    assert (made["total"], made["separator"], made["status"]) == (5, ";", "UPLOADED")
    assert made["first_rows"][0]["cells"][0] == "A-1"
    path = f"/ticket-imports/{made['id']}"
    hint = await admin.get(f"{path}/suggestion", params={"ticket_type_key": "IT_HARDWARE"})
    assert hint["columns"] == {
        "external_key": 0, "title": 1, "priority": 2, "requester": 3, "status": 4,
        "custom.budget_code": 5, "custom.justification": 6, "amount": 7,
    }  # fmt: skip
    await admin.put(f"{path}/plan", PLAN)
    await admin.post(f"{path}/run", expect=409)
    await admin.post(f"{path}/check")
    await importing.run_due(database)
    checked = await admin.get(path)
    assert checked["status"] == "CHECKED"
    assert (checked["counts"]["ready"], checked["counts"]["wrong"]) == (2, 3)
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Ticket)) == tickets, "nothing is made by looking"
    rows = await rows_of(admin, made)
    errors = {(r["number"], e["column"]): e["message"] for r in rows for e in r["errors"]}
    assert errors[4, "Subject"] == "is needed"
    assert "e-mail address" in errors[4, "E-mail"]
    assert errors[5, "Amount"].startswith("could be read in two ways")
    assert errors[5, "Priority"]
    assert errors[5, "Status"]
    assert errors[6, "Key"] == "stands in row 2 too"

    answer = await admin.get(f"{path}/wrong-rows", expect=None)
    read = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert read[0] == [*HEADINGS.split(";"), "What is wrong"]
    assert [r[0] for r in read[1:]] == ["A-3", "A-4", "A-1"]
    assert "old%20desk-to-mend.csv" in answer.headers["content-disposition"]

    await admin.post(f"{path}/run")
    await importing.run_due(database)
    ended = await admin.get(path)
    assert (ended["status"], ended["counts"]["done"], ended["counts"]["wrong"]) == ("FINISHED", 2, 3)
    first, second, *_ = await rows_of(admin, made)
    ticket = await employee.get(f"/tickets/{first['ticket']['id']}")
    assert (ticket["status"], ticket["priority"], ticket["amount"]) == ("IN_REVIEW", "HIGH", "500.00")
    assert (ticket["requester"]["username"], ticket["description"]) == ("employee", "From the old desk")
    assert ticket["custom_fields"]["budget_code"] == "MKT-1"
    history = (await employee.get(f"/tickets/{ticket['id']}/history"))["items"]
    assert history[0]["actor"]["username"] == "admin"
    assert (await employee.get(f"/tickets/{second['ticket']['id']}"))["status"] == "DRAFT"

    await relay.drain(database)
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Delivery)) == mails, "nobody gets a mail"
        told = await session.scalars(select(Notification.user_id).where(Notification.ticket_id == ticket["id"]))
        assert list(told) == [manager.id], "whoever must decide finds it in their notices"
        kinds = await session.scalars(
            select(EventRow.type).where(EventRow.object_type == "ticket_import", EventRow.object_id == made["id"])
        )
        assert sorted(kinds) == ["import.finished", "import.started"]

    again = await looked_at(database, admin, lines[:3])
    assert again["counts"]["duplicates"] == 2
    assert {r["ticket"]["id"] for r in await rows_of(admin, again)} == {first["ticket"]["id"], second["ticket"]["id"]}
    same = await bring(admin, lines, encoding="cp1252")
    assert same["same_file_as"] == made["id"]


async def test_looking_uses_up_no_numbers(database: Any, who: Any) -> None:
    admin, employee = await who("admin"), await who("employee")

    async def number() -> int:
        body = {"title": "x", "ticket_type": "FACILITY", "custom_fields": {}}
        return int((await employee.post("/tickets", body, expect=201))["ticket_number"].rpartition("-")[2])

    before = await number()
    plan = {"ticket_type": "FACILITY", "columns": {"title": 0}}
    job = await looked_at(database, admin, ["title", *(f"Row {n}" for n in range(20))], plan)
    assert job["counts"]["ready"] == 20
    assert await number() == before + 1


async def test_assignees_by_the_rules_of_assigning(database: Any, who: Any) -> None:
    admin = await who("admin")
    plan = {
        "ticket_type": "IT_SUPPORT",
        "columns": {"title": 0, "assignee": 1, "status": 2},
        "defaults": {"requester": "employee"},
    }
    lines = [
        "title,who,status",
        "One,agent,submitted",
        "Two,outsider,submitted",
        "Three,agent,draft",
        "Four,,submitted",
    ]
    job = await looked_at(database, admin, lines, plan)
    rows = await rows_of(admin, job)
    assert [r["status"] for r in rows] == ["READY", "WRONG", "WRONG", "READY"]
    assert rows[1]["errors"][0]["column"] == "who"
    await admin.post(f"/ticket-imports/{job['id']}/run")
    await importing.run_due(database)
    done = [r for r in await rows_of(admin, job) if r["status"] == "DONE"]
    assert (await admin.get(f"/tickets/{done[0]['ticket']['id']}"))["assignee"]["username"] == "agent"


async def test_only_for_those_who_may(who: Any) -> None:
    admin, agent, nobody = await who("admin"), await who("agent"), await who(None)
    made = await bring(admin, ["title", "x"])
    await nobody.get("/ticket-imports", expect=401)
    for path in ("", f"/{made['id']}", f"/{made['id']}/rows", f"/{made['id']}/wrong-rows"):
        await agent.get(f"/ticket-imports{path}", expect=403)
    await agent.put(f"/ticket-imports/{made['id']}/plan", {"x": 1}, expect=403)
    await admin.put("/ticket-imports/999999/plan", {"x": 1}, expect=404)
    await admin.get("/ticket-imports/999999", expect=404)
    page = await admin.get("/ticket-imports", params={"limit": 1})
    assert page["items"][0]["id"] == made["id"]
    if page["next_cursor"]:
        await admin.get("/ticket-imports", params={"limit": 1, "cursor": page["next_cursor"]})
    await admin.get("/ticket-imports", params={"cursor": "x"}, expect=422)


@pytest.mark.parametrize(
    ("plan", "pointer"),
    [
        ({"ticket_type": "NONE", "columns": {"title": 0}}, "/ticket_type"),
        ({"ticket_type": "HR", "columns": {}}, "/columns/title"),
        ({"ticket_type": "HR", "columns": {"title": 1}}, "/columns/title"),
        ({"ticket_type": "HR", "columns": {"title": -1}}, "/columns/title"),
        ({"ticket_type": "HR", "columns": {"title": 0, "password": 0}}, "/columns/password"),
        ({"ticket_type": "HR", "columns": {"title": 0}, "defaults": {"custom.x": "1"}}, "/defaults/custom.x"),
        ({"ticket_type": "HR", "columns": {"title": 0}, "defaults": {"external_key": "1"}}, "/defaults/external_key"),
        (
            {"ticket_type": "HR", "columns": {"title": 0}, "defaults": {"description": "x" * 3000}},
            "/defaults/description",
        ),
        ({"ticket_type": "HR", "columns": {"title": 0}, "dates": "x"}, "/dates"),
        ({"ticket_type": "HR", "columns": {"title": 0}, "colour": 1}, "/colour"),
    ],
)
async def test_wrong_plans_are_refused(who: Any, plan: dict[str, Any], pointer: str) -> None:
    admin = await who("admin")
    made = await bring(admin, ["title", "x"])
    problem = await admin.put(f"/ticket-imports/{made['id']}/plan", plan, expect=422)
    assert problem["errors"][0]["pointer"].startswith(pointer)
    await admin.post(f"/ticket-imports/{made['id']}/check", expect=409)


async def test_wrong_files_are_refused(who: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = await who("admin")
    for data in (b"", b"a,b\r\n", b"\x00\x01\x02", b"a\r\n" + b"x\r\n" * 5001):
        answer = await admin.post("/ticket-imports", expect=422, files={"file": ("x.csv", data, "text/csv")})
        assert answer["errors"][0]["pointer"] == "/file"
    await admin.post("/ticket-imports", {"file": "x"}, expect=415)
    big = b"a\r\n" + b"x" * (10 * 1024 * 1024)
    await admin.post("/ticket-imports", expect=413, files={"file": ("x.csv", big, "text/csv")})
    bigger = b"x" * (11 * 1024 * 1024)
    await admin.post("/ticket-imports", expect=413, files={"file": ("x.csv", bigger, "text/csv")})


async def test_hostile_rows_store_nothing(database: Any, who: Any) -> None:
    admin = await who("admin")
    plan = {"ticket_type": "IT_HARDWARE", "columns": {"title": 0, "amount": 1, "due_date": 2, "currency": 3}}
    lines = [
        "title,amount,due,currency",
        f"{'x' * 10_000},1,,",
        "a,NaN,,",
        "a,-5,,",
        "a,99999999999999999999,,",
        "a,,9999-12-31T23:59:59Z,",
        "a,1,,euros",
        "\u200b,1,,",
        "=HYPERLINK(1),1,2030-01-01,EUR",
    ]
    job = await looked_at(database, admin, lines, plan)
    rows = await rows_of(admin, job)
    assert [r["status"] for r in rows] == ["WRONG"] * 7 + ["READY"], [r["errors"] for r in rows]
    assert all(e["field"] in ("title", "amount", "due_date", "currency") for r in rows for e in r["errors"])


async def test_stopped_and_begun_again(database: Any, who: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = await who("admin")
    plan = {"ticket_type": "FACILITY", "columns": {"title": 0}}
    made = await bring(admin, ["title", *(f"Stop {n}" for n in range(6))])
    path = f"/ticket-imports/{made['id']}"
    await admin.put(f"{path}/plan", plan)
    await admin.post(f"{path}/check")
    await importing._one(database, made["id"])
    await admin.call("DELETE", path, expect=409)
    assert (await admin.post(f"{path}/cancel"))["status"] == "UPLOADED"
    await admin.post(f"{path}/cancel", expect=409)
    await admin.post(f"{path}/check")
    await importing.run_due(database)
    await admin.post(f"{path}/run")
    await importing._one(database, made["id"])
    stopped = await admin.post(f"{path}/cancel")
    assert (stopped["status"], stopped["counts"]["done"], stopped["counts"]["ready"]) == ("CANCELLED", 1, 5)
    assert await importing.run_due(database) == 0
    for verb in ("run", "check"):
        await admin.post(f"{path}/{verb}", expect=409)
    await admin.put(f"{path}/plan", plan, expect=409)
    await admin.call("DELETE", path, expect=204)
    await admin.get(path, expect=404)


async def test_old_imports_are_forgotten(database: Any, who: Any) -> None:
    admin = await who("admin")
    made = await bring(admin, ["title", "x"])
    with clock(lambda: now_later):
        async with database.transaction() as session:
            await importing.forget_old_imports(session)
    await admin.get(f"/ticket-imports/{made['id']}", expect=404)


now_later = now() + timedelta(days=31)


async def test_who_lost_the_right_makes_no_more(database: Any, who: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = await who("admin")
    job = await looked_at(database, admin, ["title", "a"], {"ticket_type": "FACILITY", "columns": {"title": 0}})
    await admin.post(f"/ticket-imports/{job['id']}/run")

    async def nobody(*_: Any, **__: Any) -> None:
        return None

    monkeypatch.setattr(importing, "actor_of_user", nobody)
    await importing.run_due(database)
    monkeypatch.undo()
    ended = await admin.get(f"/ticket-imports/{job['id']}")
    assert (ended["status"], ended["counts"]["done"]) == ("CANCELLED", 0)


async def test_a_defect_fails_its_row_only(database: Any, who: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = await who("admin")
    made = await bring(admin, ["title", "a", "b"])
    path = f"/ticket-imports/{made['id']}"
    await admin.put(f"{path}/plan", {"ticket_type": "FACILITY", "columns": {"title": 0}})
    real = importing.make_ticket

    async def make(*args: Any, **more: Any) -> int:
        if args[4].number == 2:
            raise RuntimeError("a defect")
        return await real(*args, **more)

    monkeypatch.setattr(importing, "make_ticket", make)
    await admin.post(f"{path}/check")
    await importing.run_due(database)
    assert [r["status"] for r in await rows_of(admin, made)] == ["WRONG", "READY"]


WORKER = """
import asyncio
from waypost.kernel.db import Database, use_database
from waypost.kernel.events import use_wiring
from waypost.kernel.settings import get_settings
from waypost.tickets import importing
from waypost.wiring import build_wiring

async def main():
    use_wiring(build_wiring())
    database = Database.connect(get_settings())
    use_database(database)
    await importing.run_due(database)
    await database.dispose()

asyncio.run(main())
"""


async def test_a_killed_worker_makes_nothing_twice(fresh_database: Any, fresh_who: Any) -> None:
    """A real process, ended by the system in the middle of its work; another one goes on."""
    admin = await fresh_who("admin")
    count = 120
    plan = {"ticket_type": "FACILITY", "columns": {"title": 0, "external_key": 1}}
    lines = ["title,key", *(f"Killed {n},k{n}" for n in range(count))]
    job = await looked_at(fresh_database, admin, lines, plan)
    assert job["counts"]["ready"] == count
    await admin.post(f"/ticket-imports/{job['id']}/run")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}

    def worker() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", WORKER], env=environment)

    async def done() -> int:
        async with fresh_database.read() as session:
            found = await session.scalar(
                select(func.count()).where(ImportRow.import_id == job["id"], ImportRow.status == "DONE")
            )
            return int(found or 0)

    kills = 0
    while kills < 3 and await done() < count:
        process = worker()
        before = await done()
        while process.poll() is None and await done() < before + 10:  # noqa: ASYNC110 - another process works
            await asyncio.sleep(0.01)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        await asyncio.to_thread(process.wait)
    assert kills >= 1, "the worker was killed half-way"
    async with fresh_database.read() as session:  # a connection whose process died is let go of by the server
        for _ in range(100):
            if await session.scalar(text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")) == 0:
                break
            await asyncio.sleep(0.05)
    await importing.run_due(fresh_database, seconds=600)  # however slow the machine is
    ended = await admin.get(f"/ticket-imports/{job['id']}")
    assert (ended["status"], ended["counts"]["done"]) == ("FINISHED", count)
    async with fresh_database.read() as session:
        titles = list(await session.scalars(select(Ticket.title).where(Ticket.title.like("Killed %"))))
    assert sorted(titles) == sorted(f"Killed {n}" for n in range(count)), "each row once"
