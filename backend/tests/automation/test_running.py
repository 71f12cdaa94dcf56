"""Rules at work: what they do, once, in order, and never in a circle."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from tests.automation.conftest import COMMENT
from waypost.automation import acting, running
from waypost.automation.models import AutomationRun
from waypost.kernel import relay
from waypost.kernel.events import EventRow, recorded
from waypost.notifications.models import Notification

HIGH = {"field": "priority", "op": "eq", "value": "HIGH"}


async def ticket_of(who: Any, made: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = await (await who("admin")).get(f"/tickets/{made['id']}")
    return found


async def test_an_urgent_request_goes_to_a_team_and_is_commented(
    who: Any, rule: Any, support: Any, drain: Any, runs: Any
) -> None:
    agent, employee = await who("agent"), await who("employee")
    made_rule = await rule("SUBMITTED", {"do": "ASSIGN", "to": "ROUND_ROBIN"}, COMMENT, condition=HIGH)
    low, high = await support(priority="LOW"), await support(priority="HIGH")
    await drain()
    assert (await ticket_of(who, low))["assignee"] is None
    assert (await ticket_of(who, high))["assignee"] is not None
    (said,) = (await agent.get(f"/tickets/{high['id']}/comments"))["items"]
    assert said["body"] == f"Seen, {employee.me['name'].split()[0]}: {high['ticket_number'].replace('_', '')}"
    assert (said["author"], said["by_rule"], said["visibility"]) == (None, made_rule["name"], "INTERNAL")
    assert (await employee.get(f"/tickets/{high['id']}/comments"))["items"] == []
    (run,) = await runs(ticket_id=high["id"])
    assert run["outcome"] == "DONE"
    assert [a["done"] for a in run["actions"]] == [True, True]
    assert run["why"] == {
        "kind": "IS",
        "held": True,
        "text": "priority is HIGH",
        "value": "HIGH",
        "parts": [],
    }
    assert await runs(ticket_id=low["id"]) == []
    (not_held,) = await runs(ticket_id=low["id"], all_asked=True)
    assert (not_held["outcome"], not_held["why"]["value"]) == ("NOT_HELD", "LOW")
    history = (await agent.get(f"/tickets/{high['id']}/history", params={"limit": 100}))["items"]
    told = [h["summary"] for h in history if h["summary"].endswith(f"by the rule “{made_rule['name']}”")]
    assert len(told) == 2, [h["summary"] for h in history]
    listed = await (await who("admin")).get(f"/automation/rules/{made_rule['id']}")
    assert (listed["fired"], listed["failed"], listed["last_fired_at"] is not None) == (1, 0, True)


async def test_an_event_is_followed_once_whoever_brings_it_again(
    database: Any, who: Any, rule: Any, support: Any, drain: Any
) -> None:
    await rule("SUBMITTED", COMMENT)
    made = await support()
    await drain()
    sent = select(EventRow).where(EventRow.object_id == made["id"], EventRow.type == "ticket.submitted")
    async with database.read() as session:
        again = recorded((await session.scalars(sent)).one())

    async def follow() -> None:
        async with database.transaction() as session:
            await running.follow(session, again)

    await asyncio.gather(follow(), follow(), follow())
    assert len((await (await who("agent")).get(f"/tickets/{made['id']}/comments"))["items"]) == 1


async def test_rules_are_asked_in_their_order_each_of_what_is_left_until_one_stops(
    who: Any, rule: Any, support: Any, drain: Any, runs: Any
) -> None:
    first = await rule("SUBMITTED", {"do": "SET_PRIORITY", "priority": "CRITICAL"}, condition=HIGH)
    second = await rule(
        "SUBMITTED",
        {"do": "ADD_TAGS", "tags": ["urgent"]},
        condition={"field": "priority", "op": "eq", "value": "CRITICAL"},
        stops=True,
    )
    await rule("SUBMITTED", {"do": "ADD_TAGS", "tags": ["late"]})
    made = await support(priority="HIGH")
    await drain()
    now = await ticket_of(who, made)
    assert (now["priority"], now["tags"]) == ("CRITICAL", ["urgent"])
    assert [r["rule"]["id"] for r in await runs(ticket_id=made["id"])] == [second["id"], first["id"]]
    rules = (await (await who("admin")).get("/automation/rules"))["items"]
    turned = [r["id"] for r in reversed(rules)]
    await (await who("admin")).put("/automation/order", {"rule_ids": turned}, expect=204)
    another = await support(priority="HIGH")
    await drain()
    assert (await ticket_of(who, another))["tags"] == ["late"]


async def test_a_refusal_undoes_the_rule_is_written_down_and_stops_no_other(
    who: Any, rule: Any, support: Any, drain: Any, runs: Any
) -> None:
    bad = await rule("SUBMITTED", COMMENT, {"do": "TRANSITION", "to": "COMPLETED"})
    await rule("SUBMITTED", {"do": "TRANSITION", "to": "IN_PROGRESS"})
    made = await support()
    await drain()
    now = await ticket_of(who, made)
    assert now["status"] == "IN_PROGRESS"
    assert (await (await who("agent")).get(f"/tickets/{made['id']}/comments"))["items"] == []
    refused = next(r for r in await runs(ticket_id=made["id"]) if r["rule"]["id"] == bad["id"])
    assert refused["outcome"] == "REFUSED"
    assert "cannot become COMPLETED" in refused["reason"]
    assert [(a["done"], bool(a["wrong"])) for a in refused["actions"]] == [(False, False), (False, True)]
    listed = await (await who("admin")).get(f"/automation/rules/{bad['id']}")
    assert (listed["fired"], listed["failed"]) == (0, 1)


async def test_a_defect_is_written_down_and_stops_no_other(
    who: Any, rule: Any, support: Any, drain: Any, runs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rule("SUBMITTED", {"do": "ESCALATE", "how": "REQUESTERS_MANAGER"})
    await rule("SUBMITTED", {"do": "ADD_TAGS", "tags": ["seen"]})

    async def broken(*_: Any) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(acting, "_escalate", broken)
    made = await support()
    await drain()
    assert (await ticket_of(who, made))["tags"] == ["seen"]
    outcomes = {r["outcome"]: r["reason"] for r in await runs(ticket_id=made["id"])}
    assert set(outcomes) == {"DONE", "FAILED"}
    assert "RuntimeError" in outcomes["FAILED"]
    assert "a defect" not in outcomes["FAILED"]


# --- loops ------------------------------------------------------------------------------------------------------------


async def test_no_rule_follows_itself_and_two_do_not_chase_each_other(
    who: Any, rule: Any, support: Any, drain: Any, runs: Any
) -> None:
    one = await rule({"on": "UPDATED"}, {"do": "ESCALATE", "how": "RAISE_PRIORITY"})
    two = await rule(
        {"on": "UPDATED", "fields": ["priority"]},
        {"do": "SET_PRIORITY", "priority": "LOW"},
        condition={"field": "priority", "op": "ne", "value": "LOW"},
    )
    made = await support(priority="LOW")
    agent = await who("agent")
    now = await ticket_of(who, made)
    await agent.put(f"/tickets/{made['id']}", {"tags": ["go"], "version": now["version"]})
    await drain()
    log = await runs(ticket_id=made["id"])
    done = [r["rule"]["id"] for r in log if r["outcome"] == "DONE"]
    assert sorted(done) == sorted([one["id"], two["id"]]), log
    stopped = [r for r in log if r["outcome"] == "STOPPED"]
    assert stopped
    assert all("does not follow itself" in r["reason"] for r in stopped)


async def test_a_chain_has_an_end_and_administrators_hear_of_it_once(
    database: Any, who: Any, rule: Any, support: Any, drain: Any, runs: Any
) -> None:
    admin = await who("admin")
    for n in range(7):
        await rule(
            {"on": "UPDATED", "fields": ["tags"]} if n else "SUBMITTED",
            {"do": "ADD_TAGS", "tags": [f"step {n}"]},
            condition={"field": "tags", "op": "contains", "value": f"step {n - 1}"} if n else None,
        )
    # the rules above are asked again of the same event, so let each be below what it follows
    rules = (await admin.get("/automation/rules"))["items"]
    await admin.put("/automation/order", {"rule_ids": [r["id"] for r in reversed(rules)]}, expect=204)
    for _ in range(2):
        made = await support()
        await drain()
        assert len((await ticket_of(who, made))["tags"]) == 5
        last = (await runs(ticket_id=made["id"]))[0]
        assert (last["outcome"], len(last["chain"])) == ("STOPPED", 5)
    async with database.read() as session:
        told = (
            await session.scalars(
                select(Notification).where(Notification.kind == "automation.stopped", Notification.user_id == admin.id)
            )
        ).all()
    assert len(told) == 1
    assert made["ticket_number"] not in told[0].title


async def test_rules_fire_for_one_request_so_often_in_an_hour(
    database: Any, who: Any, rule: Any, support: Any, drain: Any, runs: Any
) -> None:
    made_rule = await rule("COMMENTED", {"do": "ADD_TAGS", "tags": ["talked"]})
    made = await support()
    await drain()
    async with database.transaction() as session:
        for n in range(60):
            session.add(_fired(made_rule["id"], made["id"], n))
    await (await who("agent")).post(
        f"/tickets/{made['id']}/comments", {"body": "x", "visibility": "PUBLIC"}, expect=201
    )
    await drain()
    assert (await ticket_of(who, made))["tags"] == []
    assert (await runs(ticket_id=made["id"]))[0]["outcome"] == "STOPPED"


def _fired(rule_id: int, ticket_id: int, n: int) -> AutomationRun:
    from waypost.kernel.clock import now

    return AutomationRun(
        rule_id=rule_id,
        rule_version=1,
        rule_name="x",
        ticket_id=ticket_id,
        cause=f"event:-{n}",
        trigger="COMMENTED",
        outcome="DONE",
        why={"kind": "ALL", "held": True, "text": "", "value": None, "parts": []},
        actions=[],
        chain=[],
        took_ms=1,
        at=now(),
    )


# --- what they do -----------------------------------------------------------------------------------------------------


async def test_everything_a_rule_can_do(
    database: Any, who: Any, rule: Any, support: Any, drain: Any, runs: Any
) -> None:
    agent, manager = await who("agent"), await who("manager")
    team = (await support())["team"]["id"]
    await rule(
        {"on": "COMMENTED", "by": "REQUESTER", "visibility": "PUBLIC"},
        {"do": "ASSIGN", "to": "PERSON", "user_id": agent.id, "team_id": team},
        {"do": "SET_DUE", "amount": 2, "unit": "WORKING_DAYS"},
        {"do": "ADD_TAGS", "tags": ["VIP"]},
        {"do": "ESCALATE", "how": "REQUESTERS_MANAGER"},
        {"do": "NOTIFY", "to": [{"kind": "ASSIGNEE"}, {"kind": "TEAM"}], "message": "About {{ ticket.number }}"},
        {"do": "TRANSITION", "to": "IN_PROGRESS"},
    )
    made = await support()
    employee = await who("employee")
    await employee.post(f"/tickets/{made['id']}/comments", {"body": "Hello?", "visibility": "PUBLIC"}, expect=201)
    await drain()
    (run,) = await runs(ticket_id=made["id"])
    assert run["outcome"] == "DONE", run["reason"]
    now = await ticket_of(who, made)
    assert (now["status"], now["assignee"]["id"], now["tags"]) == ("IN_PROGRESS", agent.id, ["vip"])
    assert now["due_date"] is not None
    await manager.get(f"/tickets/{made['id']}")
    async with database.read() as session:
        rows = (
            await session.scalars(
                select(Notification).where(
                    Notification.ticket_id == made["id"], Notification.kind == "ticket.told_by_rule"
                )
            )
        ).all()
    assert {agent.id, manager.id} <= {row.user_id for row in rows}
    assert any(made["ticket_number"] in row.body for row in rows)
    # whom a rule told what is the team's business
    seen = await employee.get(f"/tickets/{made['id']}/history", params={"limit": 100})
    assert not [h for h in seen["items"] if h["type"] == "ticket.told_by_rule"]
    seen = await agent.get(f"/tickets/{made['id']}/history", params={"limit": 100})
    assert [h["summary"] for h in seen["items"] if h["type"] == "ticket.told_by_rule"]


async def test_who_did_it_and_what_was_before_can_be_asked(who: Any, rule: Any, support: Any, drain: Any) -> None:
    await rule(
        {"on": "UPDATED", "fields": ["priority"]},
        {"do": "ADD_TAGS", "tags": ["was low"]},
        condition={
            "all": [
                {"field": "before.priority", "op": "eq", "value": "LOW"},
                {"field": "change.by", "op": "eq", "value": "TEAM"},
                {"field": "change.fields", "op": "contains", "value": "priority"},
            ]
        },
    )
    agent = await who("agent")
    first, second = await support(priority="LOW"), await support(priority="MEDIUM")
    for made in (first, second):
        now = await ticket_of(who, made)
        await agent.put(f"/tickets/{made['id']}", {"priority": "HIGH", "version": now["version"]})
    await drain()
    assert (await ticket_of(who, first))["tags"] == ["was low"]
    assert (await ticket_of(who, second))["tags"] == []


async def test_a_priority_that_a_rule_sets_in_review_asks_the_approvers_it_concerns(
    who: Any, rule: Any, hardware: Any, drain: Any, find_step: Any
) -> None:
    await rule("SUBMITTED", {"do": "SET_FIELD", "field": "custom.budget_code", "value": "RULE-1"})
    employee, manager = await who("employee"), await who("manager")
    made = await employee.post("/tickets", hardware("300.00"), expect=201)
    await drain()
    now = await ticket_of(who, made)
    assert now["custom_fields"]["budget_code"] == "RULE-1"
    assert now["status"] == "IN_REVIEW"
    assert await find_step(manager, made["id"]) is not None


async def test_a_draft_is_nothing_to_rules(who: Any, rule: Any, support: Any, drain: Any, runs: Any) -> None:
    await rule("CREATED", {"do": "ADD_TAGS", "tags": ["new"]})
    draft = await support(submit=False)
    await drain()
    assert await runs(ticket_id=draft["id"]) == []
    await (await who("employee")).post(f"/tickets/{draft['id']}/submit")
    await drain()
    assert (await ticket_of(who, draft))["tags"] == ["new"]


async def test_the_relay_goes_on_after_a_rule(database: Any, rule: Any, support: Any, drain: Any) -> None:
    await rule("SUBMITTED", COMMENT)
    await support()
    await drain()
    assert await relay.drain(database) == 0
