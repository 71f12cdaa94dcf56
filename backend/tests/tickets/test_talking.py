"""Comments: mentions, newer replies, other words, taking back; what internal words never reach."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from waypost.kernel import relay
from waypost.kernel.clock import clock
from waypost.notifications.models import Delivery
from waypost.tickets.talk_models import CommentDraft, CommentVersion


@pytest.fixture
async def ticket(who: Any, hardware: Any) -> dict[str, Any]:
    made: dict[str, Any] = await (await who("employee")).post("/tickets", hardware(), expect=201)
    return made


def at(ticket: dict[str, Any], rest: str = "comments") -> str:
    return f"/tickets/{ticket['id']}/{rest}"


async def say(api: Any, ticket: dict[str, Any], body: str, visibility: str = "PUBLIC", **more: Any) -> Any:
    expect = more.pop("expect", 201)
    return await api.post(at(ticket), {"body": body, "visibility": visibility, **more}, expect=expect)


async def bodies(api: Any, ticket: dict[str, Any]) -> list[str]:
    return [c["body"] for c in (await api.get(at(ticket)))["items"]]


# --- mentions ---------------------------------------------------------------------------------------------------------


async def test_who_is_mentioned_is_told_in_the_app_and_by_mail(who: Any, ticket: Any, database: Any) -> None:
    agent, agent2 = await who("agent"), await who("agent2")
    said = await say(agent, ticket, "Please look, @Agent2 and @agent: ![screen.png](attachment:999999)")
    assert [m["username"] for m in said["mentions"]] == ["agent2", "agent"]
    await relay.drain(database)
    notices = [n for n in (await agent2.get("/notifications"))["items"] if f"/tickets/{ticket['id']}#" in n["link"]]
    assert [n["kind"] for n in notices] == ["comment.mentioned"]
    assert notices[0]["link"] == f"/tickets/{ticket['id']}#comment-{said['id']}"
    assert agent2.me["name"] in notices[0]["body"], "by name, not by username"
    assert not [n for n in (await agent.get("/notifications"))["items"] if f"/tickets/{ticket['id']}#" in n["link"]], (
        "not oneself"
    )
    async with database.read() as session:
        mails = (await session.scalars(select(Delivery).where(Delivery.kind == "comment.mentioned"))).all()
    mine = [m for m in mails if f"/tickets/{ticket['id']}#" in m.words.get("link", "")]
    assert [m.user_id for m in mine] == [agent2.id]
    assert "[picture: screen.png]" in mine[0].words["body"]


async def test_an_internal_mention_reaches_the_team_and_nobody_else(who: Any, ticket: Any, database: Any) -> None:
    agent, employee, manager = await who("agent"), await who("employee"), await who("manager")
    for username in ("employee", "manager", "outsider"):
        refused = await say(agent, ticket, f"Numbat, @{username}", "INTERNAL", expect=422)
        assert refused["code"] == "cannot_mention"
        assert "cannot see internal comments" in refused["detail"]
        assert refused["errors"][0]["pointer"] == "/body"
    await say(agent, ticket, "Numbat, @agent2", "INTERNAL")
    await relay.drain(database)
    async with database.read() as session:
        found = (await session.scalars(select(Delivery).where(Delivery.words["body"].astext.contains("Numbat")))).all()
    assert {m.user_id for m in found} == {(await who("agent2")).id}
    assert "internal note" in found[0].words["body"]
    for api in (employee, manager):
        assert "Numbat" not in (await api.get("/notifications", expect=None)).text


async def test_whoever_cannot_see_the_ticket_is_not_mentioned(who: Any, ticket: Any) -> None:
    employee = await who("employee")
    refused = await say(employee, ticket, "Hello @outsider and @hragent", expect=422)
    assert "cannot see this ticket" in refused["detail"]
    outsider = await who("outsider")
    assert outsider.me["name"] in refused["detail"]
    assert await bodies(employee, ticket) == []
    said = await say(employee, ticket, "`@outsider`, and @nobody.at.all")
    assert said["mentions"] == []
    crowd = " ".join(f"@{n}" for n in ("agent", "agent2", "manager", "head", "admin", "auditor", "executive"))
    assert len((await say(employee, ticket, crowd))["mentions"]) == 7


async def test_the_list_of_whom_to_mention_is_the_policys(who: Any, ticket: Any) -> None:
    """Everybody it offers can be mentioned, and everybody of the company it leaves out cannot."""
    names = ["employee", "colleague", "manager", "head", "finance1", "outsider", "agent2", "hragent", "executive"]
    agent = await who("agent")
    for visibility in ("PUBLIC", "INTERNAL"):
        answer = await agent.get(at(ticket, f"mentionable?limit=100&visibility={visibility}"))
        offered = {p["username"] for p in answer["items"]}
        assert "agent" not in offered
        for name in names:
            answer = await say(agent, ticket, f"@{name}", visibility, expect=None)
            assert (answer.status_code == 201) == (name in offered), f"{visibility} {name}"
    assert {"employee", "manager", "head", "agent2"} <= {
        p["username"] for p in (await agent.get(at(ticket, "mentionable?limit=100")))["items"]
    }
    first = (await agent.get(at(ticket, "mentionable?q=JANE&limit=1")))["items"]
    assert [p["username"] for p in first] == ["employee"]
    for q in ("%", "_", "!", "\\", "'"):
        assert (await agent.get(at(ticket, "mentionable"), params={"q": q}))["items"] == []
    employee = await who("employee")
    await employee.get(at(ticket, "mentionable?visibility=INTERNAL"), expect=403)
    await (await who("outsider")).get(at(ticket, "mentionable"), expect=404)


# --- newer replies ----------------------------------------------------------------------------------------------------


async def test_a_newer_reply_is_shown_before_one_sends_over_it(who: Any, ticket: Any) -> None:
    employee, agent, agent2 = await who("employee"), await who("agent"), await who("agent2")
    first = await say(employee, ticket, "one", after_comment_id=0)
    internal = await say(agent2, ticket, "among us", "INTERNAL")
    own = await say(agent, ticket, "my own does not warn me", "INTERNAL")
    refused = await say(agent, ticket, "two", after_comment_id=first["id"], expect=409)
    assert refused["code"] == "newer_reply"
    assert refused["comment_ids"] == [internal["id"]]
    # what one may not know of is no reason to warn
    assert await say(employee, ticket, "three", after_comment_id=first["id"])
    refused = await say(agent, ticket, "two", after_comment_id=own["id"], expect=409)
    assert len(refused["comment_ids"]) == 1
    assert await say(agent, ticket, "two")


async def test_of_two_sending_at_once_one_is_warned(who: Any, ticket: Any) -> None:
    agent, agent2 = await who("agent"), await who("agent2")
    answers = await asyncio.gather(
        *(say(api, ticket, "at once", after_comment_id=0, expect=None) for api in (agent, agent2))
    )
    assert sorted(a.status_code for a in answers) == [201, 409]


async def test_a_refused_one_is_sent_with_the_same_key(who: Any, ticket: Any) -> None:
    agent, agent2 = await who("agent"), await who("agent2")
    await say(agent2, ticket, "first")
    key = {"headers": {"Idempotency-Key": f"newer-{ticket['id']}"}}
    body = {"body": "second", "visibility": "PUBLIC"}
    await agent.post(at(ticket), body | {"after_comment_id": 0}, expect=409, **key)
    one = await agent.post(at(ticket), body, expect=201, **key)
    again = await agent.post(at(ticket), body, expect=201, **key)
    assert one["id"] == again["id"]


@pytest.mark.parametrize("value", [-1, 2**63, "7", 1.5, True])
async def test_what_is_no_comment_is_refused(who: Any, ticket: Any, value: Any) -> None:
    refused = await say(await who("agent"), ticket, "x", after_comment_id=value, expect=422)
    assert refused["errors"][0]["pointer"] == "/after_comment_id"


# --- other words, and taking back -------------------------------------------------------------------------------------


async def test_an_author_finds_better_words_and_all_of_them_are_kept(who: Any, ticket: Any, database: Any) -> None:
    agent, employee, agent2 = await who("agent"), await who("employee"), await who("agent2")
    said = await say(agent, ticket, "frist")
    assert said["allowed_actions"] == ["edit", "remove"]
    assert said["editable_until"]
    path = at(ticket, f"comments/{said['id']}")
    better = await agent.put(path, {"body": "first, @agent2", "version": 1})
    assert (better["version"], better["body"], better["visibility"]) == (2, "first, @agent2", "PUBLIC")
    assert better["edited_at"]
    await agent.put(path, {"body": "first", "version": 1}, expect=412)
    await agent.put(path, {"body": "first, @agent2", "version": 2})
    await agent.put(path, {"body": "first of all, @agent2", "version": 2})
    await agent.put(path, {"body": "to @outsider", "version": 3}, expect=422)
    await employee.put(path, {"body": "no", "version": 3}, expect=403)
    await employee.delete(path, expect=403)
    await (await who("outsider")).put(path, {"nonsense": 1}, expect=404)
    seen = (await employee.get(at(ticket)))["items"][0]
    assert (seen["body"], seen["allowed_actions"], seen["editable_until"]) == ("first of all, @agent2", [], None)
    versions = (await employee.get(f"{path}/versions"))["items"]
    assert [v["body"] for v in versions] == ["frist", "first, @agent2", "first of all, @agent2"]
    await relay.drain(database)
    told = [n for n in (await agent2.get("/notifications"))["items"] if f"/tickets/{ticket['id']}#" in n["link"]]
    assert [n["kind"] for n in told] == ["comment.mentioned"], "once, though the text was changed again"
    words = [e["summary"] for e in (await employee.get(at(ticket, "history")))["items"]]
    assert words[-3:] == ["commented", "changed a comment", "changed a comment"]


async def test_of_a_removed_comment_a_place_remains(who: Any, ticket: Any, database: Any) -> None:
    agent, employee, auditor = await who("agent"), await who("employee"), await who("auditor")
    said = await say(agent, ticket, "the password is Wombat, @agent2")
    path = at(ticket, f"comments/{said['id']}")
    assert (await employee.get(at(ticket, "comments")))["items"][0]["body"]
    before = (await employee.get(f"/tickets/{ticket['id']}"))["comment_count"]
    await agent.delete(path, expect=204)
    assert (await employee.get(f"/tickets/{ticket['id']}"))["comment_count"] == before - 1
    left = (await employee.get(at(ticket)))["items"][0]
    assert (left["body"], left["mentions"], left["author"]["username"]) == ("", [], "agent")
    assert left["removed_at"]
    for api in (employee, agent):
        await api.get(f"{path}/versions", expect=403)
        assert "Wombat" not in (await api.get(at(ticket, "history"), expect=None)).text
    assert "Wombat" in (await auditor.get(f"{path}/versions"))["items"][0]["body"]
    await agent.delete(path, expect=409)
    refused = await agent.put(path, {"body": "again", "version": 2}, expect=409)
    assert refused["code"] == "comment_removed"
    await relay.drain(database)
    async with database.read() as session:
        assert not (
            await session.scalars(select(Delivery).where(Delivery.words["body"].astext.contains("Wombat")))
        ).all()


async def test_after_a_while_words_stand(who: Any, ticket: Any) -> None:
    agent = await who("agent")
    with clock(lambda: datetime.now(UTC) - timedelta(minutes=15, seconds=1)):
        said = await say(agent, ticket, "said a while ago")
    path = at(ticket, f"comments/{said['id']}")
    refused = await agent.put(path, {"body": "something else", "version": 1}, expect=409)
    assert refused["code"] == "edit_window_over"
    assert "15 minutes" in refused["detail"]
    await agent.delete(path, expect=409)
    assert (await agent.get(at(ticket)))["items"][0]["allowed_actions"] == []


async def test_internal_words_stay_internal_in_every_version(who: Any, ticket: Any, database: Any) -> None:
    agent, employee, auditor = await who("agent"), await who("employee"), await who("auditor")
    said = await say(agent, ticket, "Numbat", "INTERNAL")
    path = at(ticket, f"comments/{said['id']}")
    changed = await agent.put(path, {"body": "Numbats", "version": 1})
    assert changed["visibility"] == "INTERNAL"
    await agent.put(path, {"body": "Numbats", "visibility": "PUBLIC", "version": 2}, expect=422)
    for api in (employee, await who("manager")):
        await api.get(f"{path}/versions", expect=404)
        await api.put(path, {"body": "x", "version": 2}, expect=404)
        await api.delete(path, expect=404)
        assert "Numbat" not in (await api.get(at(ticket), expect=None)).text
        assert not [e for e in (await api.get(at(ticket, "history")))["items"] if e["type"].startswith("comment.")]
    assert len((await auditor.get(f"{path}/versions"))["items"]) == 2
    # under another ticket's address it is not found either
    other = await employee.post("/tickets", {"title": "Other", "ticket_type": "IT_SUPPORT"}, expect=201)
    await employee.get(f"/tickets/{other['id']}/comments/{said['id']}/versions", expect=404)


async def test_two_edits_at_once_leave_no_text_behind(who: Any, ticket: Any, database: Any) -> None:
    agent = await who("agent")
    said = await say(agent, ticket, "zero")
    path = at(ticket, f"comments/{said['id']}")
    answers = await asyncio.gather(
        *(agent.put(path, {"body": f"edit {n}", "version": 1}, expect=None) for n in range(4))
    )
    assert sorted(a.status_code for a in answers) == [200, 412, 412, 412]
    async with database.read() as session:
        rows = (await session.scalars(select(CommentVersion).where(CommentVersion.comment_id == said["id"]))).all()
    assert [(v.version, v.body) for v in rows] == [(1, "zero")]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"body": "x"},
        {"body": "  ", "version": 1},
        {"body": "x" * 20_001, "version": 1},
        {"body": "x\0", "version": 1},
        {"body": "x", "version": 0},
        {"body": "x", "version": 2**40},
        {"body": "x", "version": "1"},
        {"body": ["x"], "version": 1},
    ],
)
async def test_bad_edits_change_nothing(who: Any, ticket: Any, body: Any) -> None:
    agent = await who("agent")
    said = await say(agent, ticket, "as it was")
    answer = await agent.put(at(ticket, f"comments/{said['id']}"), body, expect=None)
    assert 400 <= answer.status_code < 500
    assert await bodies(agent, ticket) == ["as it was"]


# --- drafts -----------------------------------------------------------------------------------------------------------


async def test_a_draft_is_its_writers_alone(who: Any, ticket: Any) -> None:
    agent, agent2, employee = await who("agent"), await who("agent2"), await who("employee")
    path = at(ticket, "comment-drafts")
    await agent.put(f"{path}/PUBLIC", {"body": "Dear"})
    await agent.put(f"{path}/PUBLIC", {"body": "Dear Jane"})
    await agent.put(f"{path}/INTERNAL", {"body": "Bilby"})
    kept = (await agent.get(path))["items"]
    assert {d["visibility"]: d["body"] for d in kept} == {"PUBLIC": "Dear Jane", "INTERNAL": "Bilby"}
    for api in (agent2, employee):
        assert (await api.get(path))["items"] == []
    await agent2.delete(f"{path}/INTERNAL", expect=204)
    assert len((await agent.get(path))["items"]) == 2, "nobody takes another's draft away"
    await agent.delete(f"{path}/INTERNAL", expect=204)
    await agent.delete(f"{path}/INTERNAL", expect=204)
    assert [d["visibility"] for d in (await agent.get(path))["items"]] == ["PUBLIC"]
    assert await bodies(employee, ticket) == []


async def test_drafts_follow_the_right_to_write(who: Any, ticket: Any, database: Any) -> None:
    employee, outsider = await who("employee"), await who("outsider")
    path = at(ticket, "comment-drafts")
    await employee.put(f"{path}/INTERNAL", {"body": "x"}, expect=403)
    for method, body in (("GET", None), ("PUT", {"body": "x"}), ("DELETE", None)):
        where = path if method == "GET" else f"{path}/PUBLIC"
        await outsider.call(method, where, body, expect=404)
    await (await who("auditor")).put(f"{path}/PUBLIC", {"body": "x"}, expect=403)
    await employee.put(f"{path}/SECRET", {"body": "x"}, expect=404)
    for body in ({}, {"body": " "}, {"body": "x" * 20_001}, {"body": 7}, {"body": "x", "more": 1}):
        await employee.put(f"{path}/PUBLIC", body, expect=422)
    async with database.transaction() as session:  # written while it was allowed
        session.add(
            CommentDraft(
                user_id=employee.id,
                ticket_id=ticket["id"],
                visibility="INTERNAL",
                body="Bilby",
                updated_at=datetime.now(UTC),
            )
        )
    assert (await employee.get(path))["items"] == []


async def test_old_drafts_are_forgotten(fresh_database: Any) -> None:
    from waypost.tickets.comment_drafts import KEPT, forget_old_comment_drafts

    async with fresh_database.transaction() as session:
        for n, age in ((1, timedelta()), (2, KEPT + timedelta(days=1))):
            session.add(
                CommentDraft(user_id=1, ticket_id=n, visibility="PUBLIC", body="x", updated_at=datetime.now(UTC) - age)
            )
    async with fresh_database.transaction() as session:
        await forget_old_comment_drafts(session)
    async with fresh_database.read() as session:
        assert (await session.scalars(select(CommentDraft.ticket_id))).all() == [1]


# --- many at once and by other doors ----------------------------------------------------------------------------------


async def test_a_bulk_comment_says_where_a_mention_is_refused(who: Any, hardware: Any) -> None:
    agent, employee = await who("agent"), await who("employee")
    one = await employee.post("/tickets", hardware(), expect=201)
    action = {"type": "comment", "body": "@outsider look"}
    answer = await agent.post("/tickets/bulk", {"ticket_ids": [one["id"]], "action": action})
    assert answer["results"][0]["error"]["code"] == "cannot_mention"


async def test_words_with_a_step_call_only_those_who_see_it(who: Any, database: Any) -> None:
    employee, agent = await who("employee"), await who("agent")
    body = {"title": "Printer", "ticket_type": "IT_SUPPORT", "custom_fields": {}, "submit": True}
    ticket = await employee.post("/tickets", body, expect=201)
    await agent.post(f"/tickets/{ticket['id']}/assign", {"assignee_id": agent.id})
    await agent.post(
        f"/tickets/{ticket['id']}/transitions", {"to": "IN_PROGRESS", "comment": "@outsider and @agent2 know more"}
    )
    said = (await employee.get(at(ticket)))["items"][-1]
    assert [m["username"] for m in said["mentions"]] == ["agent2"]


async def test_whom_the_team_lets_in_can_be_mentioned(who: Any, ticket: Any) -> None:
    agent, outsider = await who("agent"), await who("outsider")
    path = at(ticket, "mentionable?limit=100")
    assert "outsider" not in {p["username"] for p in (await agent.get(path))["items"]}
    await agent.put(at(ticket, f"watchers/{outsider.id}"), expect=None)
    assert "outsider" in {p["username"] for p in (await agent.get(path))["items"]}
    assert (await say(agent, ticket, "Welcome, @outsider"))["mentions"][0]["id"] == outsider.id
    await say(agent, ticket, "@outsider", "INTERNAL", expect=422)
