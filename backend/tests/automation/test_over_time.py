"""Rules over time: on time, once, also after nobody worked; calls, dry runs, and who may save what."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from tests.access.test_step_up import age
from tests.automation.conftest import COMMENT
from tests.conftest import PASSWORD
from waypost.automation import calls, timing
from waypost.automation.models import AutomationCall, AutomationDue, AutomationRule, AutomationRuleVersion
from waypost.kernel.clock import clock, now
from waypost.kernel.events import EventRow

QUIET = {"on": "QUIET", "amount": 3, "unit": "HOURS"}


async def comments_of(who: Any, made: dict[str, Any]) -> int:
    return len((await (await who("agent")).get(f"/tickets/{made['id']}/comments"))["items"])


async def later(database: Any, span: timedelta) -> None:
    at = now() + span
    with clock(lambda: at):
        while await timing.run_due(database):
            pass


async def test_it_fires_when_its_moment_has_come_once(
    database: Any, who: Any, rule: Any, support: Any, drain: Any
) -> None:
    await rule({"on": "IN_STATUS", "statuses": ["APPROVED"], "amount": 2, "unit": "HOURS"}, COMMENT)
    made = await support()
    await drain()
    await later(database, timedelta(hours=1, minutes=59))
    assert await comments_of(who, made) == 0
    # three workers come back after a day at once
    await asyncio.gather(*(later(database, timedelta(days=1)) for _ in range(3)))
    assert await comments_of(who, made) == 1
    await drain()
    await later(database, timedelta(days=30))
    assert await comments_of(who, made) == 1


async def test_what_moved_on_is_not_reached(database: Any, who: Any, rule: Any, support: Any, drain: Any) -> None:
    await rule(QUIET, COMMENT)
    quiet, talked = await support(), await support()
    await drain()
    async with database.read() as session:
        rows = await session.scalars(select(AutomationDue).where(AutomationDue.ticket_id == talked["id"]))
        before = rows.one().due_at
    await (await who("agent")).post(
        f"/tickets/{talked['id']}/comments", {"body": "On it", "visibility": "INTERNAL"}, expect=201
    )
    await drain()
    async with database.read() as session:
        rows = await session.scalars(select(AutomationDue).where(AutomationDue.ticket_id == talked["id"]))
        assert rows.one().due_at > before
    await later(database, timedelta(hours=3, minutes=1))
    assert await comments_of(who, quiet) == 1
    assert await comments_of(who, talked) == 2  # by the agent, and three hours later by the rule


async def test_tickets_from_before_a_rule_are_planned_and_none_is_reached_back(
    database: Any, who: Any, rule: Any, support: Any, drain: Any
) -> None:
    made = await support()
    await drain()
    await rule({"on": "IN_STATUS", "statuses": ["APPROVED", "IN_PROGRESS"], "amount": 1, "unit": "HOURS"}, COMMENT)
    await later(database, timedelta(0))
    async with database.read() as session:
        planned = set(await session.scalars(select(AutomationDue.ticket_id)))
    assert made["id"] in planned
    await later(database, timedelta(hours=1, minutes=1))
    assert await comments_of(who, made) == 1


async def test_a_call_is_signed_and_holds_no_words_of_the_team(
    database: Any, who: Any, rule: Any, support: Any, drain: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_rule = await rule("SUBMITTED", COMMENT, {"do": "WEBHOOK", "url": "https://hooks.example.com/x"})
    secret = (await (await who("admin")).post(f"/automation/rules/{made_rule['id']}/secret"))["secret"]
    made = await support(description="A secret description")
    await drain()
    sent: list[dict[str, Any]] = []

    async def ask(_http: Any, _method: str, _url: str, **more: Any) -> Any:
        sent.append(more)
        status = 500 if len(sent) == 1 else 204
        return calls.answers.Answer(status, {}, b"")

    monkeypatch.setattr(calls.answers, "ask", ask)
    await calls.run_due(database)
    async with database.read() as session:
        call = (await session.scalars(select(AutomationCall))).one()
        assert (call.status, call.attempts, call.last_error) == ("WAITING", 1, "it answered 500")
    at = now() + timedelta(hours=1)
    with clock(lambda: at):
        await calls.run_due(database)
    body, headers = sent[1]["content"], sent[1]["headers"]
    seconds, proof = (part.split("=")[1] for part in headers[calls.SIGNATURE].split(","))
    assert proof == hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    assert made["ticket_number"].encode() in body
    assert b"secret description" not in body
    assert b"Seen" not in body
    page = await (await who("admin")).get(f"/automation/rules/{made_rule['id']}/calls")
    assert page["items"][0]["status"] == "DONE"


async def test_an_address_in_this_house_is_not_called(database: Any, rule: Any, support: Any, drain: Any) -> None:
    await rule("SUBMITTED", {"do": "WEBHOOK", "url": "https://127.0.0.1/x"})
    await support()
    await drain()
    await calls.run_due(database)
    async with database.read() as session:
        call = (await session.scalars(select(AutomationCall).order_by(AutomationCall.id.desc()))).first()
    assert call is not None
    assert call.last_error is not None
    assert call.status == "WAITING"


async def test_a_dry_run_writes_nothing(database: Any, who: Any, rule: Any, support: Any, drain: Any) -> None:
    admin = await who("admin")
    made = await support(priority="HIGH")
    await drain()
    async with database.read() as session:
        before = await session.scalar(select(EventRow.id).order_by(EventRow.id.desc()).limit(1))
    draft = {
        "trigger": {"on": "SUBMITTED"},
        "condition": {"field": "priority", "op": "eq", "value": "HIGH"},
        "actions": [COMMENT, {"do": "TRANSITION", "to": "COMPLETED"}],
    }
    many = await admin.post("/automation/rules/dry-run", draft)
    assert many["would_fire"] >= 1
    assert many["items"][0]["held"]
    one = await admin.post("/automation/rules/dry-run", {**draft, "ticket_id": made["id"]})
    assert "cannot become COMPLETED" in one["items"][0]["reason"]
    over = await admin.post("/automation/rules/dry-run", {**draft, "trigger": QUIET})
    assert over["looked_at"] > 0
    async with database.read() as session:
        after = await session.scalar(select(EventRow.id).order_by(EventRow.id.desc()).limit(1))
    assert after == before
    await admin.post("/automation/rules/dry-run", {**draft, "ticket_id": 987654321}, expect=404)


async def test_a_dry_run_calls_nobody_and_tells_of_what_never_comes(
    database: Any, who: Any, support: Any, drain: Any
) -> None:
    made, admin = await support(), await who("admin")
    await drain()
    draft = {"trigger": {"on": "SUBMITTED"}, "ticket_id": made["id"]}
    call = {"do": "WEBHOOK", "url": "https://hooks.example.com/x"}
    tried = await admin.post("/automation/rules/dry-run", {**draft, "actions": [COMMENT, call]})
    assert [a["done"] for a in tried["items"][0]["actions"]] == [True, True]
    async with database.read() as session:
        assert await session.scalar(select(AutomationCall.id).where(AutomationCall.ticket_id == made["id"])) is None
    never = {"do": "SET_DUE", "amount": 100_000, "unit": "WORKING_DAYS"}
    refused = await admin.post("/automation/rules/dry-run", {**draft, "actions": [never]})
    assert "never comes" in refused["items"][0]["reason"]


async def test_a_moment_that_never_comes_keeps_no_other_rule_from_its_turn(
    database: Any, who: Any, rule: Any, support: Any, drain: Any
) -> None:
    made = await rule({**QUIET, "unit": "WORKING_DAYS", "amount": 3}, COMMENT)
    await rule("SUBMITTED", COMMENT)
    async with database.transaction() as session:  # saved before there was a bound, or the calendar opens no more
        row = await session.get_one(AutomationRule, made["id"])
        row.document = {**row.document, "trigger": {**row.document["trigger"], "amount": 100_000}}
    asked = await support()
    await drain()
    assert await comments_of(who, asked) == 1
    await later(database, timedelta(days=1))
    assert await comments_of(who, asked) == 1


async def test_a_rule_that_calls_another_system_is_saved_with_a_proof(who: Any, rule: Any, database: Any) -> None:
    admin = await who("admin")
    call, proof = {"do": "WEBHOOK", "url": "https://hooks.example.com/x?token=1"}, {"password": PASSWORD}
    calling, plain = await rule("SUBMITTED", call), await rule("SUBMITTED", COMMENT)
    await age(database, admin)
    path, other = f"/automation/rules/{calling['id']}", f"/automation/rules/{plain['id']}"
    body = {"name": "Calls", "trigger": {"on": "SUBMITTED"}, "actions": [COMMENT]}
    await admin.put(other, {**body, "version": 1})  # what stays in the house needs none
    changes = [
        ("POST", "/automation/rules", {**body, "name": "New", "actions": [call]}),
        ("PUT", other, {**body, "actions": [COMMENT, call], "version": 2}),
        (
            "PUT",
            path,
            {**body, "name": "Elsewhere", "actions": [{**call, "url": "https://x.example.com"}], "version": 1},
        ),
        ("POST", f"{path}/secret", None),
    ]
    for method, where, sent in changes:
        refused = await admin.call(method, where, sent, expect=403)
        assert (refused["code"], refused["factors"]) == ("step_up_needed", ["password"]), where
    off = {**body, "name": calling["name"], "actions": [call], "is_active": False, "version": 1}
    assert (await admin.put(path, off))["is_active"] is False, "to stop one needs none"
    refused = await admin.put(path, {**off, "is_active": True, "version": 2}, expect=403)
    assert refused["code"] == "step_up_needed"
    await admin.post("/auth/step-up", {"factor": "password", **proof})
    assert (await admin.put(path, {**off, "is_active": True, "version": 2}))["is_active"]
    shown = await admin.get(f"{path}/versions")
    assert {v["actions"][0]["url"] for v in shown["items"]} == {"https://hooks.example.com"}, "tokens stand behind it"
    async with database.read() as session:
        kept = await session.scalars(
            select(AutomationRuleVersion.document).where(AutomationRuleVersion.rule_id == calling["id"])
        )
        assert "token" not in str(list(kept))
    assert (await admin.post(f"{path}/secret"))["secret"]


async def test_who_may_and_what_is_wrong(who: Any, rule: Any) -> None:
    admin, agent = await who("admin"), await who("agent")
    await agent.get("/automation/rules", expect=403)
    made = await rule("SUBMITTED", COMMENT)
    path = f"/automation/rules/{made['id']}"
    body = {"name": made["name"], "trigger": {"on": "SUBMITTED"}, "actions": [COMMENT]}
    await admin.put(path, body, expect=428)
    await admin.put(path, {**body, "version": 7}, expect=412)
    off = await admin.put(path, {**body, "is_active": False, "version": 1})
    assert (off["version"], off["is_active"]) == (2, False)
    versions = (await admin.get(f"{path}/versions"))["items"]
    assert [v["version"] for v in versions] == [2, 1]
    await admin.post("/automation/rules", body, expect=409)
    wrong = [
        ({"trigger": {"on": "QUIET"}}, "/trigger/amount"),
        ({"actions": [{"do": "ASSIGN", "to": "PERSON", "user_id": 987654321}]}, "/actions/0/user_id"),
        ({"actions": [{**COMMENT, "body": "{{ nothing }}"}]}, "/actions/0/body"),
        ({"actions": [{**COMMENT, "body": "{{ me.name }}"}]}, "/actions/0/body"),
        ({"actions": [{"do": "WEBHOOK", "url": "ftp://x"}]}, "/actions/0/url"),
        ({"condition": {"field": "nothing", "op": "eq", "value": 1}}, "/condition/field"),
        ({"actions": []}, "/actions"),
        ({"trigger": {**QUIET, "unit": "WORKING_DAYS", "amount": 367}}, "/trigger/amount"),
        ({"trigger": {**QUIET, "unit": "WORKING_HOURS", "amount": 9000}}, "/trigger/amount"),
    ]
    for part, pointer in wrong:
        answer = await admin.post("/automation/rules", {**body, "name": "Wrong", **part}, expect=422)
        assert pointer in [e["pointer"] for e in answer["errors"]], answer
    await admin.put("/automation/order", {"rule_ids": [made["id"], 987654321]}, expect=409)


@pytest.mark.parametrize("way", ["one", "events", "time"])
async def test_who_reads_what_is_confidential_in_a_dry_run_is_kept(
    database: Any, who: Any, hardware: Any, drain: Any, way: str
) -> None:
    admin = await who("admin")
    secret = await admin.post("/tickets", hardware(is_confidential=True), expect=201)
    plain = await admin.post("/tickets", hardware(), expect=201)
    await drain()
    draft: dict[str, Any] = {"trigger": {"on": "SUBMITTED"}, "condition": None, "actions": [COMMENT]}
    at = now()
    if way == "one":
        draft["ticket_id"] = secret["id"]
    elif way == "time":
        draft["trigger"], at = {"on": "QUIET", "amount": 1, "unit": "MINUTES"}, at + timedelta(minutes=2)
    with clock(lambda: at):
        if way == "one":
            await admin.post("/automation/rules/dry-run", draft | {"ticket_id": plain["id"]})
        answers = [await admin.post("/automation/rules/dry-run", draft) for _ in range(2)]
    assert secret["id"] in [item["ticket"]["id"] for item in answers[0]["items"]]
    async with database.read() as session:
        read = select(EventRow.object_id).where(EventRow.type == "ticket.read", EventRow.actor_id == admin.id)
        kept = list(await session.scalars(read))
    assert kept.count(secret["id"]) == 1
    assert plain["id"] not in kept
