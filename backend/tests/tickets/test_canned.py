"""Canned replies: whose they are, how they are found, what they say on a ticket."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from waypost.access.actor import Actor
from waypost.access.permissions import SYSTEM_ROLES, Permission, Scope
from waypost.tickets import desk_policy

_numbers = itertools.count(1)


async def write(api: Any, title: str, body: str = "Hello {{ requester.first_name }}", **more: Any) -> Any:
    return await api.post("/canned-replies", {"title": title, "body": body, **more}, expect=more.pop("expect", 201))


async def team_of(api: Any, name: str) -> int:
    teams = (await api.get("/teams?limit=100"))["items"]
    return int(next(t["id"] for t in teams if t["name"] == name))


async def titles(api: Any, **params: Any) -> list[str]:
    found, cursor = [], None
    while True:
        asked = params | {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = await api.get("/canned-replies", params=asked)
        assert len(page["items"]) <= 2
        found += [r["title"] for r in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def actor(role: str | None, *, team: int | None = None, scope: Scope | None = None) -> Actor:
    granted = dict(SYSTEM_ROLES[role][1]) if role else {}
    if scope is not None:
        granted[Permission.TICKETS_MANAGE_REPLIES] = scope
    return Actor(1, "x", None, granted, team_ids=frozenset({team}) if team else frozenset())


@pytest.mark.parametrize(
    ("who", "owner", "team", "reads", "edits"),
    [
        (actor("agent", team=7), 1, None, True, True),
        (actor("agent", team=7), 2, None, False, False),
        (actor("agent", team=7), None, 7, True, False),
        (actor("agent", team=7), None, 8, False, False),
        (actor("agent", team=7, scope=Scope.TEAM), None, 7, True, True),
        (actor("agent", team=7, scope=Scope.TEAM), None, 8, False, False),
        (actor("agent", team=7, scope=Scope.OWN), None, 7, True, False),
        (actor("admin"), None, 8, True, True),
        (actor("admin"), 2, None, False, False),
    ],
)
def test_whose_a_reply_is(who: Actor, owner: int | None, team: int | None, reads: bool, edits: bool) -> None:
    assert desk_policy.may_read_reply(who, owner, team) is reads
    assert desk_policy.may_edit_reply(who, owner, team) is edits


async def test_ones_own_are_ones_own(who: Any) -> None:
    agent, agent2, admin = await who("agent"), await who("agent2"), await who("admin")
    mine = await write(agent, "Mine alone")
    assert (mine["team"], mine["version"], mine["allowed_actions"]) == (None, 1, ["edit", "remove"])
    path = f"/canned-replies/{mine['id']}"
    for api in (agent2, admin):
        assert "Mine alone" not in await titles(api)
        await api.get(path, expect=404)
        await api.put(path, {"nonsense": 1}, expect=404)
        await api.delete(path, expect=404)
    changed = await agent.put(path, {"title": "Mine still", "body": "Hi", "version": 1})
    assert (changed["title"], changed["version"]) == ("Mine still", 2)
    await agent.put(path, {"title": "Too late", "body": "Hi", "version": 1}, expect=412)
    await agent.delete(path)
    await agent.get(path, expect=404)


async def test_a_teams_are_read_by_the_team_and_written_by_who_manages_them(who: Any) -> None:
    admin, agent, hragent = await who("admin"), await who("agent"), await who("hragent")
    team = await team_of(admin, "IT Support")
    body = {"title": "Team words", "body": "Hello", "team_id": team}
    refused = await agent.post("/canned-replies", body, expect=403)
    assert "manage" in refused["detail"]
    made = await admin.post("/canned-replies", body, expect=201)
    path = f"/canned-replies/{made['id']}"
    seen = await agent.get(path)
    assert (seen["team"]["name"], seen["allowed_actions"]) == ("IT Support", [])
    await agent.put(path, {"nonsense": 1}, expect=403)
    await agent.delete(path, expect=403)
    await hragent.get(path, expect=404)
    assert "Team words" in await titles(agent)
    assert "Team words" not in await titles(hragent)
    refused = await admin.post("/canned-replies", {**body, "team_id": 2**40}, expect=422)
    assert refused["errors"][0]["pointer"] == "/team_id"
    await admin.delete(path)


async def test_they_are_found_and_come_in_the_order_of_ones_own_use(who: Any, hardware: Any) -> None:
    agent2, employee = await who("agent2"), await who("employee")
    ticket = await employee.post("/tickets", hardware(), expect=201)
    made = {}
    for title in ("Aardwolf 100%", "aardwolf_two", "Aardwolf three"):
        made[title] = await write(agent2, title)
    for title, times in (("aardwolf_two", 2), ("Aardwolf three", 1)):
        for _ in range(times):
            filled = await agent2.post(f"/tickets/{ticket['id']}/canned-replies/{made[title]['id']}/take")
            assert filled["body"] == "Hello Jane"
    assert await titles(agent2, q="AARDWOLF") == ["Aardwolf 100%", "Aardwolf three", "aardwolf_two"]
    assert await titles(agent2, q="aardwolf", sort="use") == ["aardwolf_two", "Aardwolf three", "Aardwolf 100%"]
    assert await titles(agent2, q="0%") == ["Aardwolf 100%"]
    assert await titles(agent2, q="f_t") == ["aardwolf_two"]
    assert await titles(agent2, q="requester.first_name")
    assert await titles(agent2, q="no such") == []
    cursor = (await agent2.get("/canned-replies?limit=1&sort=use"))["next_cursor"]
    refused = await agent2.get("/canned-replies", expect=422, params={"cursor": cursor, "sort": "title"})
    assert refused["code"] == "bad_cursor"


async def test_a_reply_is_filled_for_its_ticket(who: Any, hardware: Any) -> None:
    agent, employee = await who("agent"), await who("employee")
    hostile = "{{ me.name }} ![x](attachment:1) @agent2"
    ticket = await employee.post("/tickets", hardware(title=hostile), expect=201)
    body = "{{ ticket.title }}|{{ assignee.name }}|{{ me.name }}|{{ticket.number}}|{{ ticket.type }}|{{ team.name }}"
    asked = {"ticket_id": ticket["id"], "body": body}
    filled = (await agent.post("/canned-replies/preview", asked))["body"]
    title, assignee, me, number, kind, team = filled.split("|")
    assert title == r"{{ me.name }} !\[x\](attachment:1) \@agent2"
    assert (assignee, me, number, kind, team) == (
        "IT Support",
        agent.me["name"],
        ticket["ticket_number"],
        "IT hardware",
        "IT Support",
    )
    said = await agent.post(f"/tickets/{ticket['id']}/comments", {"body": filled}, expect=201)
    assert said["mentions"] == []
    await (await who("outsider")).post("/canned-replies/preview", asked, expect=404)
    mine = await write(agent, f"For me {next(_numbers)}")
    path = f"/tickets/{ticket['id']}/canned-replies/{mine['id']}/take"
    await employee.post(path, expect=404)
    await (await who("outsider")).post(path, expect=404)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"title": "x", "body": "{{ requester.salary }}"}, "/body"),
        ({"title": "x", "body": "{{ me.name"}, "/body"),
        ({"title": "x", "body": " "}, "/body"),
        ({"title": "x", "body": "y" * 10_001}, "/body"),
        ({"title": "x" * 101, "body": "y"}, "/title"),
        ({"title": "\n", "body": "y"}, "/title"),
        ({"title": "x", "body": "y", "team_id": 2**63}, "/team_id"),
        ({"title": "x", "body": "y", "owner_id": 3}, "/owner_id"),
        ({"title": ["x"], "body": "y"}, "/title"),
    ],
)
async def test_bad_replies_are_refused_by_name(who: Any, body: Any, pointer: str) -> None:
    agent = await who("agent")
    before = await titles(agent)
    refused = await agent.post("/canned-replies", body, expect=422)
    assert pointer in {e["pointer"] for e in refused["errors"]}
    assert await titles(agent) == before


async def test_who_only_reads_has_none(who: Any) -> None:
    auditor = await who("auditor")
    await auditor.get("/canned-replies", expect=403)
    await auditor.post("/canned-replies", {"title": "x", "body": "y"}, expect=403)


async def test_every_variable_is_told_and_can_be_used(who: Any, hardware: Any) -> None:
    agent = await who("agent")
    ticket = await (await who("employee")).post("/tickets", hardware(), expect=201)
    variables = (await agent.get("/canned-replies/variables"))["items"]
    body = " ".join(f"{{{{ {v['name']} }}}}" for v in variables)
    filled = (await agent.post("/canned-replies/preview", {"ticket_id": ticket["id"], "body": body}))["body"]
    assert "{{" not in filled
    assert all(v["example"] for v in variables)
