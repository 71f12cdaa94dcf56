"""Many tickets at once: each on its own, exactly once, rehearsed, tried again, taken back."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from waypost.kernel.clock import clock, now
from waypost.kernel.events import EventRow
from waypost.search.following import run_all
from waypost.tickets import bulk


async def make(who: Any, count: int) -> list[int]:
    employee = await who("employee")
    body = {"title": "Many", "ticket_type": "IT_SUPPORT", "submit": True, "custom_fields": {}}
    return [(await employee.post("/tickets", body, expect=201))["id"] for _ in range(count)]


async def test_each_on_its_own(who: Any, hardware: Any) -> None:
    agent, agent2, outsider = await who("agent"), await who("agent2"), await who("outsider")
    ids = await make(who, 4)
    foreign = await outsider.post("/tickets", {"title": "x", "ticket_type": "HR", "custom_fields": {}}, expect=201)
    asked = [*ids, foreign["id"], 2_000_000_000]
    body = {"ticket_ids": asked, "action": {"type": "assign", "assignee_id": agent2.id}}
    rehearsed = (await agent.post("/tickets/bulk/preview", body))["results"]
    assert [(r["ticket_id"], r["ok"]) for r in rehearsed] == [(i, i in ids) for i in asked]
    assert (await agent.get(f"/tickets/{ids[0]}"))["assignee"] is None, "nothing is changed by looking"
    answer = await agent.post("/tickets/bulk", body)
    assert answer["results"] == rehearsed
    assert (answer["job"]["status"], answer["job"]["done"], answer["job"]["failed"]) == ("FINISHED", 4, 2)
    assert (await agent.get(f"/tickets/{ids[3]}"))["assignee"]["username"] == "agent2"
    history = (await agent.get(f"/tickets/{ids[0]}/history"))["items"]
    assert history[-1]["actor"]["username"] == "agent"
    page = await agent.get(f"/bulk-jobs/{answer['job']['id']}/items", params={"status": "FAILED"})
    assert [i["ticket_number"] for i in page["items"]] == [None, None], "others' numbers are not told"
    first = await agent.get(f"/bulk-jobs/{answer['job']['id']}/items", params={"limit": 4})
    rest = await agent.get(
        f"/bulk-jobs/{answer['job']['id']}/items", params={"limit": 4, "cursor": first["next_cursor"]}
    )
    assert [i["ticket_id"] for i in first["items"] + rest["items"]] == asked
    for path in ("", "/items"):
        await outsider.get(f"/bulk-jobs/{answer['job']['id']}{path}", expect=404)
    for verb in ("retry", "undo"):
        await outsider.post(f"/bulk-jobs/{answer['job']['id']}/{verb}", expect=404)


async def test_every_action(who: Any) -> None:
    agent = await who("agent")
    ids = await make(who, 2)
    for action in (
        {"type": "transition", "to": "IN_PROGRESS"},
        {"type": "update", "priority": "HIGH", "due_date": "2030-01-15T00:00:00Z"},
        {"type": "comment", "body": "Soon", "visibility": "INTERNAL"},
        {"type": "update", "due_date": None},
        {"type": "transition", "to": "COMPLETED", "comment": "Done"},
    ):
        results = (await agent.post("/tickets/bulk", {"ticket_ids": ids, "action": action}))["results"]
        assert all(r["ok"] for r in results), (action, results)
    read = await agent.get(f"/tickets/{ids[1]}")
    assert (read["status"], read["priority"], read["due_date"]) == ("COMPLETED", "HIGH", None)
    bodies = [c["body"] for c in (await agent.get(f"/tickets/{ids[1]}/comments"))["items"]]
    assert bodies == ["Soon", "Done"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"ticket_ids": [], "action": {"type": "assign"}}, "/ticket_ids"),
        ({"ticket_ids": list(range(1, 2002)), "action": {"type": "assign"}}, "/ticket_ids"),
        ({"action": {"type": "assign"}}, "/ticket_ids"),
        ({"ticket_ids": [1], "all_matching": True, "action": {"type": "assign"}}, "/ticket_ids"),
        ({"ticket_ids": [1], "action": {"type": "tag"}}, "/action"),
        ({"ticket_ids": [1], "action": {"type": "tag", "add": [" "]}}, "/action"),
        ({"ticket_ids": [1], "action": {"type": "watch", "on": "yes"}}, "/action"),
        ({"ticket_ids": [1], "action": {"type": "destroy"}}, "/action"),
        ({"ticket_ids": [1], "action": {"type": "assign", "colour": 1}}, "/action"),
        ({"ticket_ids": [1], "action": {"type": "update"}}, "/action"),
        ({"ticket_ids": [1], "action": {"type": "update", "priority": None}}, "/action"),
        ({"ticket_ids": [1], "action": {"type": "comment", "body": " "}}, "/action"),
        ({"ticket_ids": ["x"], "action": {"type": "assign"}}, "/ticket_ids/0"),
    ],
)
async def test_bad_bodies(who: Any, body: Any, pointer: str) -> None:
    agent = await who("agent")
    for path in ("/tickets/bulk", "/tickets/bulk/preview"):
        wrong = await agent.post(path, body, expect=422)
        assert wrong["errors"][0]["pointer"].startswith(pointer), wrong


async def test_taking_it_back(who: Any) -> None:
    agent, agent2 = await who("agent"), await who("agent2")
    ids = await make(who, 3)
    body = {"ticket_ids": ids, "action": {"type": "assign", "assignee_id": agent2.id}}
    job = (await agent.post("/tickets/bulk", body))["job"]
    assert job["can_undo"]
    await agent.post(f"/tickets/{ids[1]}/assign", {"assignee_id": agent.id})  # somebody changed one since
    undo = await agent.post(f"/bulk-jobs/{job['id']}/undo", expect=201)
    await agent.post(f"/bulk-jobs/{job['id']}/undo", expect=409)
    from waypost.kernel.db import database

    await bulk.finished(database(), undo["id"])
    page = (await agent.get(f"/bulk-jobs/{undo['id']}/items"))["items"]
    assert [(i["status"], (i["error"] or {}).get("code")) for i in page] == [
        ("DONE", None),
        ("FAILED", "changed_since"),
        ("DONE", None),
    ]
    assignees = [(await agent.get(f"/tickets/{i}"))["assignee"] for i in ids]
    assert [a and a["username"] for a in assignees] == [None, "agent", None]
    await agent.post(f"/bulk-jobs/{undo['id']}/undo", expect=409)
    moved = await agent.post(
        "/tickets/bulk", {"ticket_ids": ids, "action": {"type": "transition", "to": "IN_PROGRESS"}}
    )
    assert not moved["job"]["can_undo"], "no way leads back"
    await agent.post(f"/bulk-jobs/{moved['job']['id']}/undo", expect=409)
    raised = await agent.post("/tickets/bulk", {"ticket_ids": ids, "action": {"type": "update", "priority": "LOW"}})
    late = now() + bulk.UNDO_WITHIN * 2
    with clock(lambda: late):
        assert not bulk.can_undo(await _job(raised["job"]["id"]), late)


async def _taken_back(api: Any, job: dict[str, Any]) -> list[tuple[str, str | None]]:
    from waypost.kernel.db import database

    undo = await api.post(f"/bulk-jobs/{job['id']}/undo", expect=201)
    await bulk.finished(database(), undo["id"])
    page = (await api.get(f"/bulk-jobs/{undo['id']}/items"))["items"]
    return [(i["status"], (i["error"] or {}).get("code")) for i in page]


async def test_what_went_to_another_team_is_taken_back(who: Any) -> None:
    """Also by who does not see it there any more; not when somebody did something with it since."""
    agent, hragent, admin = await who("agent"), await who("hragent"), await who("admin")
    ids = await make(who, 2)
    await agent.post(f"/tickets/{ids[0]}/assign", {"assignee_id": agent.id})
    team = (await agent.get(f"/tickets/{ids[0]}"))["team"]
    hr = next(t["id"] for t in (await admin.get("/teams?limit=100"))["items"] if t["name"] == "HR Services")
    job = (await agent.post("/tickets/bulk", {"ticket_ids": ids, "action": {"type": "assign", "team_id": hr}}))["job"]
    await agent.get(f"/tickets/{ids[0]}", expect=404)
    await hragent.post(f"/tickets/{ids[1]}/assign", {"assignee_id": hragent.id})
    assert await _taken_back(agent, job) == [("DONE", None), ("FAILED", "ticket_not_found")]
    back = await agent.get(f"/tickets/{ids[0]}")
    assert (back["team"], back["assignee"]["id"]) == (team, agent.id)


async def test_a_ticket_of_no_team_is_of_none_again(who: Any) -> None:
    admin = await who("admin")
    form = {"type": "object", "properties": {}}
    await admin.post("/ticket-types", {"key": "OF_NO_TEAM", "name": "Of no team", "form": form}, expect=201)
    body = {"title": "x", "ticket_type": "OF_NO_TEAM", "submit": True, "custom_fields": {}}
    ticket_id = (await (await who("employee")).post("/tickets", body, expect=201))["id"]
    assert (await admin.get(f"/tickets/{ticket_id}"))["team"] is None
    team = (await admin.get("/teams?limit=100"))["items"][0]
    body = {"ticket_ids": [ticket_id], "action": {"type": "assign", "team_id": team["id"]}}
    job = (await admin.post("/tickets/bulk", body))["job"]
    assert await _taken_back(admin, job) == [("DONE", None)]
    assert (await admin.get(f"/tickets/{ticket_id}"))["team"] is None


async def _job(job_id: int) -> Any:
    from waypost.kernel.db import database
    from waypost.tickets.models import BulkJob

    async with database().read() as session:
        return await session.get_one(BulkJob, job_id)


async def test_what_failed_is_tried_again(who: Any) -> None:
    agent = await who("agent")
    ids = await make(who, 2)
    await agent.post(f"/tickets/{ids[0]}/transitions", {"to": "IN_PROGRESS"})
    answer = await agent.post("/tickets/bulk", {"ticket_ids": ids, "action": {"type": "transition", "to": "COMPLETED"}})
    assert [r["ok"] for r in answer["results"]] == [True, False]
    await agent.post(f"/tickets/{ids[1]}/transitions", {"to": "IN_PROGRESS"})
    again = await agent.post(f"/bulk-jobs/{answer['job']['id']}/retry")
    assert (again["status"], again["failed"]) == ("RUNNING", 0)
    from waypost.kernel.db import database

    await bulk.finished(database(), again["id"])
    job = await agent.get(f"/bulk-jobs/{again['id']}")
    assert (job["status"], job["done"], job["failed"]) == ("FINISHED", 2, 0)
    assert (await agent.post(f"/bulk-jobs/{again['id']}/retry"))["status"] == "FINISHED", "nothing is left to try"


async def test_several_workers_do_each_ticket_once(who: Any, database: Any) -> None:
    agent = await who("agent")
    ids = await make(who, 30)
    body = {"ticket_ids": ids, "action": {"type": "comment", "body": "Once"}, "wait": False}
    job = (await agent.post("/tickets/bulk", body))["job"]
    assert job["status"] == "RUNNING"
    await asyncio.gather(*(bulk.run_job(database, job["id"]) for _ in range(4)), bulk.run_due(database))
    await bulk.finished(database, job["id"])
    async with database.read() as session:
        counted = select(EventRow.object_id, func.count()).where(
            EventRow.type == "comment.created", EventRow.object_id.in_(ids)
        )
        assert dict((await session.execute(counted.group_by(EventRow.object_id))).all()) == dict.fromkeys(ids, 1)
    assert (await agent.get(f"/bulk-jobs/{job['id']}"))["done"] == 30


async def test_a_worker_that_dies_leaves_the_rest(who: Any, database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = await who("agent")
    ids = await make(who, 6)
    body = {"ticket_ids": ids, "action": {"type": "comment", "body": "Once"}, "wait": False}
    job = (await agent.post("/tickets/bulk", body))["job"]
    plain, count = bulk._apply, 0

    async def dying(*arguments: Any) -> Any:
        nonlocal count
        count += 1
        if count == 4:
            raise asyncio.CancelledError  # what a killed process looks like from inside: the transaction never commits
        return await plain(*arguments)

    monkeypatch.setattr(bulk, "_apply", dying)
    with pytest.raises(asyncio.CancelledError):
        await bulk.run_job(database, job["id"])
    monkeypatch.undo()
    assert (await agent.get(f"/bulk-jobs/{job['id']}"))["done"] == 3
    assert await bulk.run_due(database) >= 1
    done = await agent.get(f"/bulk-jobs/{job['id']}")
    assert (done["status"], done["done"]) == ("FINISHED", 6)
    for ticket_id in ids:
        assert len((await agent.get(f"/tickets/{ticket_id}/comments"))["items"]) == 1


async def test_a_defect_stops_one_ticket_only(who: Any, database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = await who("agent")
    ids = await make(who, 3)
    plain = bulk._apply

    async def broken(session: Any, actor: Any, ticket_id: int, action: Any) -> Any:
        if ticket_id == ids[1]:
            raise RuntimeError("a defect")
        return await plain(session, actor, ticket_id, action)

    monkeypatch.setattr(bulk, "_apply", broken)
    action = {"type": "comment", "body": "Once"}
    results = (await agent.post("/tickets/bulk", {"ticket_ids": ids, "action": action}))["results"]
    assert [(r["error"] or {}).get("code") for r in results] == [None, "internal_error", None]


async def test_who_left_does_nothing_more(fresh_database: Any, fresh_who: Any) -> None:
    from waypost.directory.models import User

    agent = await fresh_who("agent")
    ids = await make(fresh_who, 1)
    body = {"ticket_ids": ids, "action": {"type": "comment", "body": "Late"}, "wait": False}
    job = (await agent.post("/tickets/bulk", body))["job"]
    async with fresh_database.transaction() as session:
        (await session.get_one(User, agent.id)).is_active = False
    await bulk.run_due(fresh_database, seconds=600)  # however slow the machine is
    async with fresh_database.read() as session:
        (result,) = await bulk.results(session, job["id"])
    assert result["error"]["code"] == "ticket_not_found"


async def test_old_jobs_are_forgotten(who: Any, database: Any) -> None:
    agent = await who("agent")
    ids = await make(who, 1)
    job = (await agent.post("/tickets/bulk", {"ticket_ids": ids, "action": {"type": "comment", "body": "x"}}))["job"]
    later = now() + bulk.KEPT * 2
    async with database.transaction() as session:
        with clock(lambda: later):
            await bulk.forget_old_jobs(session)
    await agent.get(f"/bulk-jobs/{job['id']}", expect=404)


async def test_tags_watching_and_closing(who: Any, database: Any) -> None:
    agent, employee = await who("agent"), await who("employee")
    ids = await make(who, 2)
    await agent.post("/tickets/bulk", {"ticket_ids": ids[:1], "action": {"type": "tag", "add": ["old", "both"]}})
    action = {"type": "tag", "add": ["new", "both"], "remove": ["old", "none"]}
    tagged = await agent.post("/tickets/bulk", {"ticket_ids": ids, "action": action})
    assert all(r["ok"] for r in tagged["results"])
    assert [(await agent.get(f"/tickets/{i}"))["tags"] for i in ids] == [["both", "new"], ["new", "both"]]
    undo = await agent.post(f"/bulk-jobs/{tagged['job']['id']}/undo", expect=201)
    await bulk.finished(database, undo["id"])
    assert [(await agent.get(f"/tickets/{i}"))["tags"] for i in ids] == [["old", "both"], []]

    for on in (True, False):
        watched = await agent.post("/tickets/bulk", {"ticket_ids": ids, "action": {"type": "watch", "on": on}})
        assert all(r["ok"] for r in watched["results"])
        surroundings = await agent.get(f"/tickets/{ids[0]}/surroundings")
        assert surroundings["is_watching"] is on
    for to in ("IN_PROGRESS", "COMPLETED"):
        await agent.post("/tickets/bulk", {"ticket_ids": ids, "action": {"type": "transition", "to": to}})
    closed = await employee.post("/tickets/bulk", {"ticket_ids": ids, "action": {"type": "close"}})
    assert all(r["ok"] for r in closed["results"])
    assert (await agent.get(f"/tickets/{ids[1]}"))["status"] == "CLOSED"


async def test_all_that_match_are_those_of_the_list(database: Any, who: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    agent, employee = await who("agent"), await who("employee")
    body = {"title": "Echidna", "ticket_type": "IT_SUPPORT", "submit": True, "custom_fields": {}}
    ids = {(await employee.post("/tickets", body, expect=201))["id"] for _ in range(3)}
    foreign = await employee.post("/tickets", {**body, "ticket_type": "HR"}, expect=201)
    matching = {"all_matching": True, "action": {"type": "update", "priority": "HIGH"}}
    await run_all(database)
    seen = await agent.post("/tickets/bulk/preview", matching, params={"q": "echidna"})
    assert seen["total"] == 3
    assert {r["ticket_id"] for r in seen["results"]} == ids
    answer = await agent.post("/tickets/bulk", matching, params={"q": "echidna", "status": "APPROVED"})
    assert {r["ticket_id"] for r in answer["results"]} == ids, "what one may not see does not match"
    assert (await employee.get(f"/tickets/{foreign['id']}"))["priority"] == "MEDIUM"
    monkeypatch.setattr(bulk, "MOST_TICKETS", 2)
    refused = await agent.post("/tickets/bulk", matching, params={"q": "echidna"}, expect=422)
    assert refused["code"] == "too_many_matching"
    monkeypatch.undo()
    monkeypatch.setattr(bulk, "MOST_REHEARSED", 2)
    seen = await agent.post("/tickets/bulk/preview", matching, params={"q": "echidna"})
    assert (seen["total"], len(seen["results"])) == (3, 2)
    monkeypatch.setattr(bulk, "MOST_WAITED", 2)
    answer = await agent.post("/tickets/bulk", matching, params={"q": "echidna"})
    assert (answer["job"]["status"], answer["results"]) == ("RUNNING", [])
    from waypost.kernel.db import database

    await bulk.finished(database(), answer["job"]["id"])
    await agent.post("/tickets/bulk", matching, params={"status": "NONE"}, expect=422)
    for path in ("/tickets/bulk", "/tickets/bulk/preview"):  # a filter that is none would narrow nothing
        wrong = await agent.post(path, matching, params={"q": "echidna", "stauts": "APPROVED"}, expect=422)
        assert [e["pointer"] for e in wrong["errors"]] == ["?stauts"]


async def test_jobs_have_turns_and_the_worker_comes_back(who: Any, database: Any) -> None:
    agent = await who("agent")
    ids = await make(who, 3)
    body = {"ticket_ids": ids, "action": {"type": "comment", "body": "Turns"}, "wait": False}
    job = (await agent.post("/tickets/bulk", body))["job"]
    assert await bulk.run_due(database, seconds=0) == 0
    assert (await agent.get(f"/bulk-jobs/{job['id']}"))["done"] == 0
    assert await bulk.run_due(database) == 3
    assert await bulk.run_due(database) == 0


WORKER = """
import asyncio
from waypost.kernel.db import Database, use_database
from waypost.kernel.events import use_wiring
from waypost.kernel.settings import get_settings
from waypost.tickets import bulk
from waypost.wiring import build_wiring

async def main():
    use_wiring(build_wiring())
    database = Database.connect(get_settings())
    use_database(database)
    await bulk.run_due(database)
    await database.dispose()

asyncio.run(main())
"""


async def test_a_process_killed_half_way_does_nothing_twice(fresh_database: Any, fresh_who: Any) -> None:
    """150 tickets; the system ends a real worker process among them, and another one goes on."""
    agent = await fresh_who("agent")
    ids = await make(fresh_who, 150)
    body = {"ticket_ids": ids, "action": {"type": "comment", "body": "Once"}, "wait": False}
    job = (await agent.post("/tickets/bulk", body))["job"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}

    async def done() -> int:
        return int((await agent.get(f"/bulk-jobs/{job['id']}"))["done"])

    process = subprocess.Popen([sys.executable, "-c", WORKER], env=environment)  # noqa: ASYNC220
    while process.poll() is None and await done() < 40:  # noqa: ASYNC110 - another process works
        await asyncio.sleep(0.01)
    assert process.poll() is None, "it was still at work"
    process.send_signal(signal.SIGKILL)
    await asyncio.to_thread(process.wait)
    at_kill = await done()
    assert 40 <= at_kill < 150
    await bulk.finished(fresh_database, job["id"])
    ended = await agent.get(f"/bulk-jobs/{job['id']}")
    assert (ended["status"], ended["done"], ended["failed"]) == ("FINISHED", 150, 0)
    async with fresh_database.read() as session:
        counted = select(EventRow.object_id, func.count()).where(
            EventRow.type == "comment.created", EventRow.object_id.in_(ids)
        )
        assert dict((await session.execute(counted.group_by(EventRow.object_id))).all()) == dict.fromkeys(ids, 1)
