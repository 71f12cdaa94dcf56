"""The index follows what happens: every way a ticket's words change, and the whole filled anew, give the same rows."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import text

from waypost.search.following import fill_anew, run_all, run_due

ROWS = text("SELECT ticket_id, is_inner, is_fullest, language, words::text, marks FROM search_documents ORDER BY 1, 2")


async def rows(database: Any) -> list[Any]:
    async with database.read() as session:
        return [tuple(r) for r in await session.execute(ROWS)]


async def test_followed_is_the_same_as_filled_anew(fresh_database: Any, fresh_who: Any, hardware: Any) -> None:
    database = fresh_database
    employee, agent, admin = await fresh_who("employee"), await fresh_who("agent"), await fresh_who("admin")
    ticket = await employee.post("/tickets", hardware("90.00", title="A first wallaby"), expect=201)
    at = f"/tickets/{ticket['id']}"
    draft = await employee.post("/tickets", hardware(None, submit=False, title="Only a draft"), expect=201)
    await run_all(database)
    said = await employee.post(f"{at}/comments", {"body": "An open bilby"}, expect=201)
    await agent.post(f"{at}/comments", {"body": "An inner numbat", "visibility": "INTERNAL"}, expect=201)
    inner = {"visibility": (None, "INTERNAL"), "file": ("inner.txt", b"x", "text/plain")}
    await agent.post(f"{at}/attachments", files=inner, expect=201)
    await run_all(database)

    async def words(inner: bool) -> str:
        return next(str(r[4]) for r in await rows(database) if r[0] == ticket["id"] and r[1] is inner)

    assert "numbat" in await words(True)
    assert "numbat" not in await words(False)
    assert "bilby" in await words(False)
    await employee.put(f"{at}/comments/{said['id']}", {"body": "An open dunnart", "version": 1})
    await employee.put(f"/tickets/{draft['id']}", {"title": "Still a quoll", "version": draft["version"]})
    await run_all(database)
    assert "dunnart" in await words(False)
    assert "bilby" not in await words(False)
    await employee.call("DELETE", f"{at}/comments/{said['id']}", None, None)
    person = await admin.get(f"/users/{employee.id}")
    await admin.put(f"/users/{employee.id}", {"last_name": "Bandicoot", "version": person["version"]}, expect=None)
    await run_all(database)
    assert "dunnart" not in await words(False)
    followed = await rows(database)
    async with database.transaction() as session:
        await session.execute(text("DELETE FROM search_documents"))
    await fill_anew(database)
    await run_all(database)
    assert await rows(database) == followed


async def test_one_process_at_a_time_and_nothing_is_passed_by(
    fresh_database: Any, fresh_who: Any, hardware: Any
) -> None:
    employee = await fresh_who("employee")

    async def make(n: int) -> int:
        made = await employee.post("/tickets", hardware(None, submit=False, title=f"Pademelon {n}"), expect=201)
        return int(made["id"])

    made: list[int] = []
    for n in range(0, 12, 4):
        answers = await asyncio.gather(
            *(make(n + k) for k in range(4)), run_due(fresh_database), run_due(fresh_database)
        )
        made += [a for a in answers if type(a) is int]
    await run_all(fresh_database)
    assert set(made) <= {r[0] for r in await rows(fresh_database)}
