"""Queues: what waits in a team, and that one ticket is claimed by one person."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

_numbers = itertools.count(1)


async def make(api: Any, **more: Any) -> dict[str, Any]:
    body = {
        "title": f"Queue {next(_numbers)}",
        "ticket_type": "IT_SUPPORT",
        "custom_fields": {},
        "submit": True,
        **more,
    }
    return dict(await api.post("/tickets", body, expect=201))


async def counts(api: Any) -> dict[str, int]:
    mine = next(q for q in (await api.get("/queues"))["items"] if q["is_mine"])
    return {k: v for k, v in mine.items() if isinstance(v, int) and k != "is_mine"}


async def test_a_queue_counts_what_waits(who: Any) -> None:
    employee, agent, agent2 = await who("employee"), await who("agent"), await who("agent2")
    before = await counts(agent)
    late = await make(employee, due_date="2020-01-01T00:00:00Z")
    await make(employee)
    await employee.post(
        "/tickets",
        {
            "title": "In review",
            "ticket_type": "IT_HARDWARE",
            "amount": "12.00",
            "custom_fields": {"budget_code": "X", "justification": "Y"},
            "submit": True,
        },
        expect=201,
    )
    await agent.post(f"/tickets/{late['id']}/claim")
    after = await counts(agent)
    grown = {k: after[k] - before[k] for k in after}
    assert grown == {"open": 2, "unassigned": 1, "mine": 1, "overdue": 1, "in_review": 1}
    others = await counts(agent2)
    assert {k: others[k] for k in others if k != "mine"} == {k: after[k] for k in after if k != "mine"}


async def test_who_may_see_which_queue(who: Any) -> None:
    agent, admin = await who("agent"), await who("admin")
    items = (await agent.get("/queues"))["items"]
    assert [q["team"]["name"] for q in items] == ["IT Support"]
    assert len((await admin.get("/queues"))["items"]) >= 4
    team_id = items[0]["team"]["id"]
    for username in ("employee", "manager", "executive"):
        await (await who(username)).get("/queues", expect=403)
        await (await who(username)).get(f"/queues/{team_id}/tickets", expect=403)
        await (await who(username)).post(f"/queues/{team_id}/claim-next", expect=403)
    other = await who("hragent")
    await other.get(f"/queues/{team_id}/tickets", expect=403)
    await other.post(f"/queues/{team_id}/claim-next", expect=403)
    await agent.get(f"/queues/{10**15}/tickets", expect=404)
    await agent.post(f"/queues/{10**15}/claim-next", expect=404)
    await admin.post(f"/queues/{team_id}/claim-next", expect=403)


async def test_most_urgent_first_of_those_the_oldest(fresh_who: Any) -> None:
    employee, agent = await fresh_who("employee"), await fresh_who("agent")
    team_id = (await agent.get("/queues"))["items"][0]["team"]["id"]
    made = [await make(employee, priority=p) for p in ("HIGH", "LOW", "HIGH", "CRITICAL")]
    ids = {t["id"]: n for n, t in enumerate(made)}
    seen: list[int] = []
    cursor = ""
    while True:
        page = await agent.get(f"/queues/{team_id}/tickets?limit=3{cursor}")
        seen += [ids[i["id"]] for i in page["items"] if i["id"] in ids]
        assert all(i["assignee"] is None and i["may_claim"] for i in page["items"])
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [3, 0, 2, 1]
    await agent.post(f"/tickets/{made[0]['id']}/claim")
    mine = (await agent.get(f"/queues/{team_id}/tickets?show=mine&limit=100"))["items"]
    assert made[0]["id"] in {i["id"] for i in mine}
    everything = (await agent.get(f"/queues/{team_id}/tickets?show=all&limit=100"))["items"]
    assert {t["id"] for t in made} <= {i["id"] for i in everything}
    await agent.get(f"/queues/{team_id}/tickets?show=other", expect=422)
    await agent.get(f"/queues/{team_id}/tickets?cursor=nonsense", expect=422)


async def test_one_of_two_who_reach_for_it_gets_it(who: Any) -> None:
    employee, agent, agent2 = await who("employee"), await who("agent"), await who("agent2")
    for _ in range(5):
        path = f"/tickets/{(await make(employee))['id']}"
        answers = await asyncio.gather(*(a.post(f"{path}/claim", expect=None) for a in (agent, agent2)))
        assert sorted(a.status_code for a in answers) == [200, 409]
        taken = next(a.json() for a in answers if a.status_code == 200)["assignee"]
        refused = next(a.json() for a in answers if a.status_code == 409)
        assert refused["code"] == "already_taken"
        assert refused["detail"] == f"{taken['name']} has it."
        assert (await employee.get(path))["assignee"] == taken


async def test_who_claims_next_at_once_gets_different_ones(who: Any) -> None:
    employee, agent, agent2 = await who("employee"), await who("agent"), await who("agent2")
    team_id = (await agent.get("/queues"))["items"][0]["team"]["id"]
    for _ in range(6):
        await make(employee, priority="CRITICAL")
    people = [agent, agent2] * 3
    got = await asyncio.gather(*(a.post(f"/queues/{team_id}/claim-next") for a in people))
    assert len({t["id"] for t in got}) == len(people)
    for api, ticket in zip(people, got, strict=True):
        assert ticket["assignee"]["id"] == api.id


async def test_an_empty_queue_says_so(fresh_who: Any) -> None:
    agent = await fresh_who("agent")
    team_id = (await agent.get("/queues"))["items"][0]["team"]["id"]
    for _ in range(100):
        answer = await agent.post(f"/queues/{team_id}/claim-next", expect=None)
        if answer.status_code != 200:
            break
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_claim")
    assert (await counts(agent))["unassigned"] == 0


async def test_claiming_and_giving_back(who: Any) -> None:
    employee, agent, agent2 = await who("employee"), await who("agent"), await who("agent2")
    path = f"/tickets/{(await make(employee))['id']}"
    assert {"claim"} == {"claim", "release"} & set((await agent.get(path))["allowed_actions"])
    await agent.post(f"{path}/release", expect=409)
    taken = await agent.post(f"{path}/claim")
    assert taken["assignee"]["id"] == agent.id
    assert {"release"} == {"claim", "release"} & set(taken["allowed_actions"])
    assert not {"claim", "release"} & set((await agent2.get(path))["allowed_actions"])
    version = taken["version"]
    assert (await agent.post(f"{path}/claim"))["version"] == version  # once more changes nothing
    await agent2.post(f"{path}/release", expect=409)
    assert (await agent.post(f"{path}/release"))["assignee"] is None
    said = [e["summary"] for e in (await employee.get(f"{path}/history"))["items"]]
    assert said[-2:] == ["claimed it", "gave it back to the team"]


@pytest.mark.parametrize(
    ("username", "status"), [("employee", 403), ("admin", 409), ("outsider", 404), ("hragent", 404)]
)
async def test_only_the_team_claims(who: Any, username: str, status: int) -> None:
    path = f"/tickets/{(await make(await who('employee')))['id']}"
    await (await who(username)).post(f"{path}/claim", expect=status)
    await (await who(username)).post(f"{path}/release", expect=status)
    await (await who(username)).get(f"{path}/assignees", expect=200 if username == "admin" else status)


async def test_what_is_closed_is_not_claimed(who: Any) -> None:
    employee, agent = await who("employee"), await who("agent")
    path = f"/tickets/{(await make(employee))['id']}"
    for to in ("IN_PROGRESS", "COMPLETED", "CLOSED"):
        await agent.post(f"{path}/transitions", {"to": to})
    await agent.post(f"{path}/claim", expect=409)
    assert "claim" not in (await agent.get(path))["allowed_actions"]
