"""Routing rules at work: requests that are sent go where the rules say, and to whom."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, event, select, text, update

from waypost.directory.models import Absence, TeamMember, User
from waypost.kernel.clock import now, rfc3339
from waypost.tickets.routing_models import RoutingRuleSet, TeamRotation, TicketRouting

_numbers = itertools.count(1)
ALWAYS_SUPPORT = {"all": [{"field": "ticket_type", "op": "eq", "value": "IT_SUPPORT"}]}


def rule(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "condition": None, **more}


async def publish(admin: Any, rules: list[dict[str, Any]], expect: int = 200, **more: Any) -> Any:
    version = (await admin.get("/routing-rules"))["version"]
    return await admin.put("/routing-rules", {"version": version, "rules": rules, **more}, expect=expect)


@pytest.fixture
async def admin(who: Any) -> Any:
    """An administrator; whatever rules a test published, none stay in force."""
    api = await who("admin")
    yield api
    await publish(api, [])


@pytest.fixture
async def team(database: Any, who: Any) -> int:
    """IT Support, with both agents there and nobody's turn."""
    agent = await who("agent")
    async with database.transaction() as session:
        await session.execute(delete(Absence))
        await session.execute(delete(TeamRotation))
        found = await session.scalar(select(TeamMember.team_id).where(TeamMember.user_id == agent.id))
    return int(found)


def support(**more: Any) -> dict[str, Any]:
    return {
        "title": f"Routed {next(_numbers)}",
        "ticket_type": "IT_SUPPORT",
        "custom_fields": {},
        "submit": True,
        **more,
    }


async def summaries(api: Any, ticket: dict[str, Any]) -> list[str]:
    return [e["summary"] for e in (await api.get(f"/tickets/{ticket['id']}/history"))["items"]]


async def test_team_and_priority_are_set_before_anybody_is_asked(
    who: Any, admin: Any, hardware: Any, find_step: Any
) -> None:
    employee, manager = await who("employee"), await who("manager")
    teams = {t["name"]: t["id"] for t in (await employee.get("/teams?limit=100"))["items"]}
    marketing = {"field": "department_id", "op": "eq", "value": employee.me["department"]["id"]}
    condition = {"all": [{"field": "amount", "op": "gte", "value": "700"}, marketing]}
    await publish(admin, [rule("Large", condition=condition, team_id=teams["Facilities"], priority="HIGH")])
    small = await employee.post("/tickets", hardware("500.00"), expect=201)
    large = await employee.post("/tickets", hardware("800.00"), expect=201)
    assert (small["team"]["name"], small["priority"]) == ("IT Support", "MEDIUM")
    assert (large["team"]["name"], large["priority"]) == ("Facilities", "HIGH")
    step = await find_step(manager, large["id"])
    assert step["ticket"]["priority"] == "HIGH"
    said = await summaries(employee, large)
    assert any("the rule “Large” held: amount is at least 700 and department is Marketing" in line for line in said), (
        said
    )
    assert not any("held" in line for line in await summaries(employee, small))
    entry = next(
        e for e in (await employee.get(f"/tickets/{large['id']}/history"))["items"] if e["type"] == "ticket.routed"
    )
    assert entry["actor"] is None
    assert entry["changes"] == [
        {"field": "team", "old": "IT Support", "new": "Facilities"},
        {"field": "priority", "old": "MEDIUM", "new": "HIGH"},
    ]


async def test_two_go_to_two_and_who_is_away_is_passed_over(who: Any, admin: Any, team: int) -> None:
    employee, agent, agent2 = await who("employee"), await who("agent"), await who("agent2")
    await publish(admin, [rule("In turn", condition=ALWAYS_SUPPORT, assign="ROUND_ROBIN")])
    made = [await employee.post("/tickets", support(), expect=201) for _ in range(4)]
    order = [t["assignee"]["id"] for t in made]
    assert order == sorted([agent.id, agent2.id]) * 2
    at = now()
    window = {"starts_at": rfc3339(at - timedelta(minutes=1)), "ends_at": rfc3339(at + timedelta(days=3))}
    await agent.post("/absences", {**window, "reason": "Okapi surgery"}, expect=201)
    made = [await employee.post("/tickets", support(), expect=201) for _ in range(2)]
    assert [t["assignee"]["id"] for t in made] == [agent2.id, agent2.id]
    said = await summaries(employee, made[0])
    assert any("by the rule “In turn”, whose turn it was; 1 away" in line for line in said), said
    assert not any("Okapi" in line for line in said)
    await agent2.post("/absences", window, expect=201)
    nobody = await employee.post("/tickets", support(), expect=201)
    assert (nobody["assignee"], nobody["team"]["id"]) == (None, team)
    assert any(
        "found nobody, because nobody of the team is there now" in line for line in await summaries(employee, nobody)
    )


async def test_many_at_once_are_shared_exactly(who: Any, admin: Any, team: int) -> None:
    employee = await who("employee")
    await publish(admin, [rule("In turn", condition=ALWAYS_SUPPORT, assign="ROUND_ROBIN")])
    made = await asyncio.gather(*(employee.post("/tickets", support(), expect=201) for _ in range(12)))
    came = [t["assignee"]["id"] for t in made]
    assert sorted(came.count(i) for i in set(came)) == [6, 6]


async def test_the_least_loaded_gets_it(who: Any, admin: Any, team: int) -> None:
    employee, agent, agent2 = await who("employee"), await who("agent"), await who("agent2")
    await publish(admin, [rule("Fewest", condition=ALWAYS_SUPPORT, assign="LEAST_LOADED")])
    first = await employee.post("/tickets", support(), expect=201)
    loads = {p["id"]: p["open_tickets"] for p in (await agent.get(f"/tickets/{first['id']}/assignees"))["items"]}
    assert set(loads) == {agent.id, agent2.id}
    fewest = min(loads, key=lambda i: loads[i])
    difference = abs(loads[agent.id] - loads[agent2.id])
    made = [await employee.post("/tickets", support(), expect=201) for _ in range(difference)]
    assert {t["assignee"]["id"] for t in made} <= {fewest}
    # level now: of equals, who waited longest
    two = [await employee.post("/tickets", support(), expect=201) for _ in range(2)]
    assert {t["assignee"]["id"] for t in two} == {agent.id, agent2.id}


async def test_a_person_is_assigned_once_it_is_approved(
    who: Any, admin: Any, team: int, hardware: Any, find_step: Any
) -> None:
    employee, manager, agent2 = await who("employee"), await who("manager"), await who("agent2")
    await publish(admin, [rule("To Aiko", team_id=team, assign="PERSON", assignee_id=agent2.id)])
    ticket = await employee.post("/tickets", hardware("500.00"), expect=201)
    assert (ticket["status"], ticket["assignee"]) == ("IN_REVIEW", None)
    step = await find_step(manager, ticket["id"])
    await manager.post(f"/approvals/{step['id']}/approve")
    approved = await employee.get(f"/tickets/{ticket['id']}")
    assert (approved["status"], approved["assignee"]["id"]) == ("APPROVED", agent2.id)


async def test_who_has_it_already_keeps_it(who: Any, admin: Any, team: int, hardware: Any, find_step: Any) -> None:
    employee, manager, agent = await who("employee"), await who("manager"), await who("agent")
    await publish(admin, [rule("In turn", assign="ROUND_ROBIN")])
    ticket = await employee.post("/tickets", hardware("500.00"), expect=201)
    await agent.post(f"/tickets/{ticket['id']}/claim")
    step = await find_step(manager, ticket["id"])
    await manager.post(f"/approvals/{step['id']}/approve")
    assert (await employee.get(f"/tickets/{ticket['id']}"))["assignee"]["id"] == agent.id


async def test_a_rule_whose_person_left_is_broken_and_left_out(who: Any, admin: Any, team: int, database: Any) -> None:
    employee, agent2 = await who("employee"), await who("agent2")
    await publish(
        admin,
        [
            rule("To Aiko", team_id=team, priority="LOW", assign="PERSON", assignee_id=agent2.id),
            rule("Then high", priority="HIGH"),
        ],
    )
    async with database.transaction() as session:
        await session.execute(update(User).where(User.id == agent2.id).values(is_active=False))
    try:
        shown = (await admin.get("/routing-rules"))["rules"]
        assert [r["broken"] for r in shown] == ["the person it names is not active any more", None]
        ticket = await employee.post("/tickets", support(), expect=201)
        assert (ticket["priority"], ticket["assignee"]) == ("HIGH", None)
        said = await summaries(employee, ticket)
        assert any("“To Aiko” was left out: the person it names is not active any more" in line for line in said)
        await publish(admin, [{k: v for k, v in r.items() if k not in ("broken", "unreachable")} for r in shown], 422)
    finally:
        async with database.transaction() as session:
            await session.execute(update(User).where(User.id == agent2.id).values(is_active=True))


async def test_a_named_person_who_is_away_gets_nothing(who: Any, admin: Any, team: int) -> None:
    employee, agent2 = await who("employee"), await who("agent2")
    await publish(admin, [rule("To Aiko", condition=ALWAYS_SUPPORT, assign="PERSON", assignee_id=agent2.id)])
    at = now()
    await agent2.post(
        "/absences", {"starts_at": rfc3339(at - timedelta(hours=1)), "ends_at": rfc3339(at + timedelta(hours=1))}, 201
    )
    ticket = await employee.post("/tickets", support(), expect=201)
    assert ticket["assignee"] is None
    assert any("the person it names is away" in line for line in await summaries(employee, ticket))


async def test_sent_again_the_rules_look_again(who: Any, admin: Any, hardware: Any, database: Any) -> None:
    employee = await who("employee")
    teams = {t["name"]: t["id"] for t in (await employee.get("/teams?limit=100"))["items"]}
    condition = {"all": [{"field": "amount", "op": "gte", "value": "700"}]}
    await publish(admin, [rule("Large", condition=condition, team_id=teams["Facilities"], priority="CRITICAL")])
    ticket = await employee.post("/tickets", hardware("800.00"), expect=201)
    path = f"/tickets/{ticket['id']}"
    assert ticket["priority"] == "CRITICAL"
    await employee.post(f"{path}/transitions", {"to": "DRAFT"})
    draft = await employee.get(path)
    await employee.put(path, {"version": draft["version"], "amount": "500.00"})
    sent = await employee.post(f"{path}/submit")
    assert (sent["team"]["name"], sent["priority"]) == ("IT Support", "MEDIUM")
    assert any("what the rules had set before was taken back" in line for line in await summaries(employee, sent))
    async with database.read() as session:
        assert await session.get(TicketRouting, ticket["id"]) is None


async def test_without_rules_sending_costs_one_look(who: Any, admin: Any, database: Any) -> None:
    employee = await who("employee")
    await publish(admin, [])
    await employee.post("/tickets", support(), expect=201)  # this process has read them now
    statements: list[str] = []

    def count(_: Any, __: Any, statement: str, *___: Any) -> None:
        statements.append(statement)

    event.listen(database.write_engine.sync_engine, "before_cursor_execute", count)
    try:
        await employee.post("/tickets", support(), expect=201)
    finally:
        event.remove(database.write_engine.sync_engine, "before_cursor_execute", count)
    spent = [s for s in statements if "routing" in s]
    assert len(spent) == 2, spent  # the rules' version when it is sent, what they decided when it is approved


# --- publishing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("username", ["employee", "manager", "agent", "executive", "auditor"])
async def test_only_administrators_set_up_rules(who: Any, username: str) -> None:
    api = await who(username)
    await api.get("/routing-rules", expect=403)
    await api.get("/routing-rules/versions", expect=403)
    await api.get("/routing-rules/versions/1", expect=403)
    await api.put("/routing-rules", {"version": 0, "rules": [], "unknown": 1}, expect=403)
    await api.post("/routing-rules/dry-run", {"rules": []}, expect=403)
    await api.post("/routing-rules/versions/1/restore", {"instead_of": 1}, expect=403)


async def test_every_mistake_is_named_at_its_place(admin: Any, who: Any) -> None:
    async def refused(*rules: dict[str, Any]) -> dict[str, str]:
        answer = await publish(admin, list(rules), expect=422)
        return {e["pointer"]: e["message"] for e in answer["errors"]}

    wrong = {"all": [{"field": "amount", "op": "gte", "value": "many"}]}
    assert list(await refused(rule("ok", priority="LOW"), rule("x", priority="LOW", condition=wrong))) == [
        "/rules/1/condition/all/0/value"
    ]
    assert list(
        await refused(rule("x", condition={"field": "status", "op": "eq", "value": "DRAFT"}, priority="LOW"))
    ) == ["/rules/0/condition/field"]
    assert list(await refused(rule("x"))) == ["/rules/0"]
    assert list(await refused(rule("x", assign="PERSON"))) == ["/rules/0/assignee_id"]
    assert list(await refused(rule("x", assign="NOBODY", assignee_id=1))) == ["/rules/0/assignee_id"]
    assert list(await refused(rule("x", team_id=10**15))) == ["/rules/0/team_id"]
    assert list(await refused(rule("x", assign="PERSON", assignee_id=10**15))) == ["/rules/0/assignee_id"]
    assert list(await refused(rule("a", key="k", priority="LOW"), rule("b", key="k", priority="LOW"))) == [
        "/rules/1/key"
    ]
    for body in (
        rule("", priority="LOW"),
        rule("x" * 101, priority="LOW"),
        rule("x\x00", priority="LOW"),
        rule("x", priority="URGENT"),
        rule("x", team_id=2**63),
        rule("x", priority="LOW", more=1),
        rule("x", priority="LOW", stops="yes"),
        rule("x", priority="LOW", key="No Key"),
    ):
        answer = await publish(admin, [body], expect=422)
        assert answer["errors"], body
    assert (await publish(admin, [rule("x", priority="LOW")] * 201, expect=422))["errors"]
    deep: Any = {"field": "amount", "op": "is_empty"}
    for _ in range(20):
        deep = {"not": deep}
    assert await refused(rule("x", priority="LOW", condition=deep))


async def test_a_broken_rule_may_stay_when_it_is_switched_off(admin: Any) -> None:
    kept = await publish(admin, [rule("x", team_id=10**15, is_active=False)])
    assert kept["rules"][0]["broken"] == "its team is not there any more"


async def test_two_who_publish_at_once(admin: Any) -> None:
    version = (await admin.get("/routing-rules"))["version"]
    body = {"version": version, "rules": [rule("x", priority="LOW", condition=ALWAYS_SUPPORT)]}
    answers = await asyncio.gather(*(admin.put("/routing-rules", body, expect=None) for _ in range(5)))
    assert sorted(a.status_code for a in answers) == [200, 412, 412, 412, 412]
    stale = next(a.json() for a in answers if a.status_code == 412)
    assert stale["code"] == "stale_version"


async def test_versions_say_who_changed_what_and_come_back(admin: Any) -> None:
    first = await publish(admin, [rule("One", priority="LOW"), rule("Two", priority="HIGH")], note="A beginning")
    one, two = ({k: v for k, v in r.items() if k not in ("broken", "unreachable")} for r in first["rules"])
    assert first["rules"][1]["unreachable"] == "“One” above always ends the search before it"
    await publish(admin, [two, {**one, "priority": "MEDIUM"}])
    page = await admin.get("/routing-rules/versions?limit=2")
    newest, before = page["items"]
    assert page["next_cursor"]
    kinds = [c["kind"] for c in newest["changes"]]
    assert sorted(kinds) == ["changed", "moved"]
    changed = newest["changes"][kinds.index("changed")]
    assert changed["name"] == "One"
    assert changed["fields"] == [{"field": "priority", "old": "LOW", "new": "MEDIUM"}]
    assert (before["note"], before["published_by"]["username"]) == ("A beginning", "admin")
    await admin.get(f"/routing-rules/versions?limit=2&cursor={page['next_cursor']}")
    path = f"/routing-rules/versions/{first['version']}"
    assert [r["name"] for r in (await admin.get(path))["rules"]] == ["One", "Two"]
    await admin.post(f"{path}/restore", {"instead_of": first["version"]}, expect=412)
    again = await admin.post(f"{path}/restore", {"instead_of": newest["version"]})
    assert again["version"] == newest["version"] + 1
    assert [r["priority"] for r in again["rules"]] == ["LOW", "HIGH"]
    latest = (await admin.get("/routing-rules/versions?limit=1"))["items"][0]
    assert latest["restored_from"] == first["version"]
    await admin.get("/routing-rules/versions/999999", expect=404)
    await admin.post("/routing-rules/versions/999999/restore", {"instead_of": again["version"]}, expect=404)
    nothing = await admin.post("/routing-rules/versions/0/restore", {"instead_of": again["version"]})
    assert nothing["rules"] == []


# --- dry run ----------------------------------------------------------------------------------------------------------


async def test_a_dry_run_says_what_would_be_and_writes_nothing(
    who: Any, admin: Any, hardware: Any, database: Any
) -> None:
    employee = await who("employee")
    teams = {t["name"]: t["id"] for t in (await employee.get("/teams?limit=100"))["items"]}
    ticket = await employee.post("/tickets", hardware("812.34"), expect=201)
    exact = {"all": [{"field": "amount", "op": "eq", "value": "812.34"}]}
    rules = [
        rule(
            "Exact", key="exact", condition=exact, team_id=teams["Facilities"], priority="HIGH", assign="LEAST_LOADED"
        ),
        rule("Again", key="again", condition=exact, priority="LOW"),
        rule("None", key="none", condition={"all": [{"field": "amount", "op": "eq", "value": "0.07"}]}, priority="LOW"),
    ]
    async with database.read() as session:
        before = await session.scalar(text("SELECT max(id) FROM events"))
    told = await admin.post("/routing-rules/dry-run", {"rules": rules})
    async with database.read() as session:
        assert await session.scalar(text("SELECT max(id) FROM events")) == before
        assert await session.get(TicketRouting, ticket["id"]) is None
    assert told["looked_at"] >= 1
    assert [(r["key"], r["held"], bool(r["unreachable"])) for r in told["rules"]] == [
        ("exact", 1, False),
        ("again", 0, True),
        ("none", 0, False),
    ]
    item = next(i for i in told["items"] if i["ticket"]["id"] == ticket["id"])
    assert item["differs"] == ["team", "priority", "way"]
    assert (item["now"]["team"]["name"], item["then"]["team"]["name"]) == ("IT Support", "Facilities")
    assert item["then"]["way"] == "LEAST_LOADED"
    wrong = await admin.post("/routing-rules/dry-run", {"rules": [rule("x")]}, expect=422)
    assert wrong["errors"][0]["pointer"] == "/rules/0"


async def test_a_dry_run_sees_priorities_as_they_were_sent(who: Any, admin: Any, hardware: Any) -> None:
    employee = await who("employee")
    raise_ = rule("Raise", condition={"all": [{"field": "amount", "op": "eq", "value": "813.34"}]}, priority="HIGH")
    await publish(admin, [raise_])
    ticket = await employee.post("/tickets", hardware("813.34"), expect=201)
    assert ticket["priority"] == "HIGH"
    medium = {"all": [raise_["condition"], {"field": "priority", "op": "eq", "value": "MEDIUM"}]}
    told = await admin.post("/routing-rules/dry-run", {"rules": [{**raise_, "condition": medium}]})
    item = next(i for i in told["items"] if i["ticket"]["id"] == ticket["id"])
    assert (item["rules"], item["differs"]) == (["Raise"], [])


async def test_a_dry_run_costs_few_statements(admin: Any, who: Any, database: Any) -> None:
    rules = [rule(f"r{n}", condition=ALWAYS_SUPPORT, priority="LOW", team_id=1, stops=False) for n in range(50)]
    await admin.post("/routing-rules/dry-run", {"rules": rules})
    statements: list[str] = []

    def count(_: Any, __: Any, statement: str, *___: Any) -> None:
        if "login_sessions" not in statement:
            statements.append(statement)

    event.listen(database.read_engine.sync_engine, "before_cursor_execute", count)
    try:
        await admin.post("/routing-rules/dry-run", {"rules": rules})
    finally:
        event.remove(database.read_engine.sync_engine, "before_cursor_execute", count)
    # forms, what rules name, the tickets, what they name besides; and now and then a name that is half a minute old
    assert len(statements) <= 5, statements


async def test_dry_runs_come_one_at_a_time_and_of_bounded_size(admin: Any) -> None:
    from waypost.tickets import rehearsal
    from waypost.tickets.rules import MOST_COMPARISONS

    leaf = {"field": "amount", "op": "eq", "value": "1"}
    large = [rule(f"r{n}", condition={"any": [leaf] * 50}, priority="LOW") for n in range(MOST_COMPARISONS // 50 + 1)]
    for refused in (
        await admin.post("/routing-rules/dry-run", {"rules": large}, expect=422),
        await publish(admin, large, expect=422),
    ):
        assert refused["errors"][0]["pointer"] == "/rules"
    with rehearsal._alone:
        busy = await admin.post("/routing-rules/dry-run", {"rules": large[:1]}, expect=409)
    assert busy["code"] == "rehearsal_running"
    await admin.post("/routing-rules/dry-run", {"rules": large[:-1]})


async def test_rules_keep_what_their_fields_meant(admin: Any, who: Any, hardware: Any, database: Any) -> None:
    employee = await who("employee")
    condition = {"all": [{"field": "custom.budget_code", "op": "eq", "value": "ROUTE-ME"}]}
    kept = await publish(admin, [rule("By budget", condition=condition, priority="CRITICAL")])
    async with database.read() as session:
        row = await session.get(RoutingRuleSet, kept["version"])
        assert row is not None
        assert row.field_kinds == {"custom.budget_code": {"kind": "text", "label": "Budget code", "choices": []}}
    body = hardware("20.00")
    body["custom_fields"]["budget_code"] = "ROUTE-ME"
    assert (await employee.post("/tickets", body, expect=201))["priority"] == "CRITICAL"
