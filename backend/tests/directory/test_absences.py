"""Absences and teams: who is away, who may say so, who learns why; who is in a team and leads it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete

from waypost.directory.absences import away_until
from waypost.directory.models import Absence
from waypost.kernel.clock import rfc3339

START = datetime(2031, 3, 1, 8, tzinfo=UTC)
REASON = "Okapi surgery"


@pytest.fixture(autouse=True)
async def _no_absences(database: Any) -> AsyncIterator[None]:
    yield
    async with database.transaction() as session:
        await session.execute(delete(Absence))


def window(days: float = 3, start: datetime = START, **more: Any) -> dict[str, Any]:
    return {"starts_at": rfc3339(start), "ends_at": rfc3339(start + timedelta(days=days)), **more}


async def team_of(api: Any) -> dict[str, Any]:
    teams = (await api.get("/teams?limit=100"))["items"]
    return next(t for t in teams if any(m["id"] == api.id for m in t["members"]))


async def test_ones_own_absence_comes_and_goes(who: Any) -> None:
    agent = await who("agent")
    made = await agent.post("/absences", window(reason=REASON), expect=201)
    assert (made["person"]["id"], made["reason"], made["is_now"]) == (agent.id, REASON, False)
    mine = (await agent.get("/absences"))["items"]
    assert [a["id"] for a in mine] == [made["id"]]
    await agent.call("DELETE", f"/absences/{made['id']}", expect=204)
    await agent.call("DELETE", f"/absences/{made['id']}", expect=404)
    assert (await agent.get("/absences"))["items"] == []


async def test_taken_back_several_times_at_once_it_goes_once(who: Any) -> None:
    agent = await who("agent")
    made = await agent.post("/absences", window(), expect=201)
    calls = (agent.call("DELETE", f"/absences/{made['id']}", expect=None) for _ in range(5))
    assert sorted(a.status_code for a in await asyncio.gather(*calls)) == [204, 404, 404, 404, 404]


async def test_all_learn_that_but_not_why(who: Any) -> None:
    agent, employee, admin = await who("agent"), await who("employee"), await who("admin")
    made = await agent.post("/absences", window(reason=REASON), expect=201)
    assert (await employee.get("/absences"))["items"] == []
    seen = (await employee.get(f"/absences?user_id={agent.id}"))["items"]
    assert [a["id"] for a in seen] == [made["id"]]
    assert (seen[0]["reason"], seen[0]["set_by"], seen[0]["allowed_actions"]) == (None, None, [])
    assert (await admin.get(f"/absences?user_id={agent.id}"))["items"][0]["reason"] == REASON
    auditor = await who("auditor")
    for path in (f"/absences?user_id={agent.id}", "/audit-events?limit=100", "/audit?limit=100"):
        answer = await auditor.get(path, expect=None)
        assert REASON not in answer.text


async def test_who_is_away_now_is_said_in_pickers(who: Any, database: Any) -> None:
    agent, employee = await who("agent"), await who("employee")
    at = datetime.now(UTC)
    made = await agent.post("/absences", window(start=at - timedelta(hours=1)), expect=201)
    assert made["is_now"]
    people = {p["id"]: p for p in (await employee.get(f"/people?id={agent.id}&id={employee.id}"))["items"]}
    assert people[agent.id]["away_until"] == made["ends_at"]
    assert people[employee.id]["away_until"] is None
    async with database.read() as session:
        assert set(await away_until(session, [agent.id, employee.id, None], at)) == {agent.id}
        # half-open: away from the first instant, there again at the last
        ends = datetime.fromisoformat(made["ends_at"])
        starts = datetime.fromisoformat(made["starts_at"])
        assert await away_until(session, [agent.id], ends) == {}
        assert await away_until(session, [agent.id], starts) == {agent.id: ends}
        assert await away_until(session, [], at) == {}


async def test_leads_say_it_of_their_team_and_nobody_else_does(who: Any) -> None:
    admin, agent, agent2, employee = [await who(n) for n in ("admin", "agent", "agent2", "employee")]
    for_agent = window(user_id=agent.id, reason=REASON)
    await agent2.post("/absences", for_agent, expect=403)
    await employee.post("/absences", for_agent, expect=403)
    team = await team_of(agent)
    path = f"/teams/{team['id']}/members/{agent2.id}"
    led = await admin.put(path, {"is_lead": True})
    assert led["lead_ids"] == [agent2.id]
    try:
        made = await agent2.post("/absences", for_agent, expect=201)
        assert made["set_by"]["id"] == agent2.id
        assert (await agent2.get("/absences"))["items"][0]["reason"] == REASON
        assert (await agent2.get(f"/absences?team_id={team['id']}"))["items"][0]["id"] == made["id"]
        await agent2.post("/absences", window(user_id=employee.id), expect=403)
        await employee.call("DELETE", f"/absences/{made['id']}", expect=403)
        await agent2.call("DELETE", f"/absences/{made['id']}", expect=204)
    finally:
        await admin.put(path, {"is_lead": False})
    await admin.post("/absences", for_agent, expect=201)


async def test_windows_do_not_overlap_and_are_half_open(who: Any) -> None:
    agent = await who("agent")
    await agent.post("/absences", window(3), expect=201)
    await agent.post("/absences", window(3, START + timedelta(days=3)), expect=201)
    for start, days in ((START + timedelta(days=1), 1), (START - timedelta(days=1), 30), (START, 3)):
        refused = await agent.post("/absences", window(days, start), expect=409)
        assert refused["code"] == "absence_overlaps"
    answers = await asyncio.gather(
        *(agent.post("/absences", window(2, START + timedelta(days=40)), expect=None) for _ in range(4))
    )
    assert sorted(a.status_code for a in answers) == [201, 409, 409, 409]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (window(0), "/ends_at"),
        (window(-1), "/ends_at"),
        (window(1, datetime(2020, 1, 1, tzinfo=UTC)), "/ends_at"),
        (window(1000), "/ends_at"),
        ({**window(), "starts_at": "2031-03-01"}, "/starts_at"),
        ({**window(), "ends_at": "9999-12-31T23:59:59Z"}, "/ends_at"),
        ({**window(), "reason": "x" * 201}, "/reason"),
        ({**window(), "reason": "a\x00b"}, None),
        ({**window(), "user_id": 2**63}, "/user_id"),
        ({**window(), "more": 1}, "/more"),
    ],
)
async def test_bad_windows_are_refused(who: Any, body: dict[str, Any], pointer: str | None) -> None:
    agent = await who("agent")
    refused = await agent.post("/absences", body, expect=None)
    assert refused.status_code in (400, 422), refused.text
    if pointer:
        assert [e["pointer"] for e in refused.json()["errors"]] == [pointer]
    assert (await agent.get("/absences"))["items"] == []


async def test_unknown_people_and_pages(who: Any) -> None:
    admin = await who("admin")
    refused = await admin.post("/absences", window(user_id=10**15), expect=422)
    assert refused["errors"][0]["pointer"] == "/user_id"
    auditor = await who("auditor")
    await auditor.post("/absences", window(), expect=403)
    for n in range(3):
        await admin.post("/absences", window(1, START + timedelta(days=2 * n)), expect=201)
    first = await admin.get("/absences?limit=2")
    rest = await admin.get(f"/absences?limit=2&cursor={first['next_cursor']}")
    assert (len(first["items"]), len(rest["items"]), rest["next_cursor"]) == (2, 1, None)


async def test_a_key_makes_it_once(who: Any) -> None:
    agent = await who("agent")
    headers = {"Idempotency-Key": "away-once"}
    one = await agent.post("/absences", window(), expect=201, headers=headers)
    two = await agent.post("/absences", window(), expect=201, headers=headers)
    assert one == two


async def test_members_come_and_go(who: Any) -> None:
    admin, employee, hragent = await who("admin"), await who("employee"), await who("hragent")
    team = await admin.post("/teams", {"name": "Print shop of absences"}, expect=201)
    path = f"/teams/{team['id']}/members/{employee.id}"
    await hragent.put(path, {}, expect=403)
    joined = await admin.put(path, {})
    assert ([m["id"] for m in joined["members"]], joined["lead_ids"]) == ([employee.id], [])
    assert await admin.put(path, {}) == joined
    assert (await admin.put(path, {"is_lead": True}))["lead_ids"] == [employee.id]
    assert (await employee.get(f"/teams/{team['id']}"))["lead_ids"] == [employee.id]
    assert (await admin.call("DELETE", path))["members"] == []
    await admin.call("DELETE", path, expect=404)
    await admin.put(f"/teams/{10**15}/members/{employee.id}", {}, expect=404)
    await admin.put(f"/teams/{team['id']}/members/{10**15}", {}, expect=422)
    await admin.put(path, {"is_lead": "yes"}, expect=422)
    await admin.get(f"/teams/{10**15}", expect=404)
