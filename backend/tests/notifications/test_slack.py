"""Slack: what goes out, what comes back, who may press a button, and a network that misbehaves."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import select, update

from tests.notifications.wire import CLOSE, HANG, Request, Said, Wire, wire
from waypost.kernel import relay
from waypost.kernel.clock import clock, now
from waypost.kernel.events import EventRow
from waypost.kernel.settings import get_settings
from waypost.notifications import sending, slack_actions, slack_blocks
from waypost.notifications.channels.registry import seal
from waypost.notifications.channels.slack import Slack, _accounts, _talks
from waypost.notifications.models import ChannelSettings, ContactPoint, Delivery
from waypost.tickets.models import Ticket
from waypost.vendors import answers

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
PAYLOADS = Path(__file__).parent / "payloads"


@dataclass
class Workspace:
    """A workspace in which the demo company's people have accounts: `U` and what stands before the @ of their address."""

    instead: dict[str, list[Any]] = field(default_factory=dict)  # method → what it says next, once each
    posted: int = 0

    def __call__(self, request: Request) -> Any:
        method = request.path.strip("/")
        if self.instead.get(method):
            said = self.instead[method].pop(0)
            return said(request) if callable(said) else said
        if method == "users.lookupByEmail":
            return {"ok": True, "user": {"id": "U" + request.json["email"].partition("@")[0].upper()}}
        if method == "conversations.open":
            return {"ok": True, "channel": {"id": "D" + request.json["users"]}}
        if method == "chat.postMessage":
            self.posted += 1
            return {"ok": True, "channel": request.json["channel"], "ts": f"1700000000.{self.posted:06}"}
        return {"ok": True}


@dataclass
class Chat:
    wire: Wire
    workspace: Workspace
    database: Any
    who: Any
    hardware: Any

    async def ask(self, amount: str = "500.00", **more: Any) -> dict[str, Any]:
        """A request of the employee's, and the manager told of it in Slack."""
        made: dict[str, Any] = await (await self.who("employee")).post(
            "/tickets", self.hardware(amount, **more), expect=201
        )
        await self.tell()
        return made

    async def tell(self) -> None:
        await relay.drain(self.database)
        await sending.send_due(self.database)

    def message(self) -> Any:
        return [r.json for r in self.wire.of("chat.postMessage") if r.json["channel"].startswith("D")][-1]

    def button(self, verb: str) -> dict[str, Any]:
        actions = [b for b in self.message()["blocks"] if b["type"] == "actions"]
        return next(e for e in actions[0]["elements"] if e["action_id"] == verb)

    async def send(self, payload: Any, path: str = "interactions", **headers: str) -> Any:
        body = (urlencode({"payload": json.dumps(payload)}) if path == "interactions" else json.dumps(payload)).encode()
        anybody = await self.who("employee")
        sent = {**signed(body), "content-type": "application/x-www-form-urlencoded", **headers}
        return await anybody.http.post(f"/integrations/slack/{path}", content=body, headers=sent)

    async def press(self, button: dict[str, Any], user: str = "UMANAGER", **more: Any) -> Any:
        payload = {
            "type": "block_actions",
            "user": {"id": user},
            "team": {"id": "T1"},
            "trigger_id": "1.2.x",
            "response_url": f"{self.wire.url}/answers/1",
            "actions": [{"action_id": button["action_id"], "value": button.get("value"), "type": "button"}],
            **more,
        }
        answer = await self.send(payload)
        assert answer.status_code == 200, answer.text
        assert answer.content == b""
        return answer

    async def submit(self, words: str | None, user: str = "UMANAGER") -> Any:
        view = self.wire.of("views.open")[-1].json["view"]
        state = {"values": {"words": {"words": {"type": "plain_text_input", "value": words}}}}
        return await self.send({"type": "view_submission", "user": {"id": user}, "view": {**view, "state": state}})

    def whispers(self) -> list[str]:
        return [r.json["text"] for r in self.wire.of("answers/1")]


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    at = str(int(now().timestamp()))
    made = hmac.new(secret.encode(), f"v0:{at}:".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": f"v0={made}"}


async def connect(database: Any, **settings: Any) -> None:
    async with database.transaction() as session:
        await session.execute(update(Delivery).values(status="SENT"))
        row = ChannelSettings(key="slack", is_on=True, settings=settings, updated_at=now())
        seal(row, {"token": "xoxb-1", "signing_secret": SECRET})
        session.add(row)


@pytest.fixture
async def chat(
    fresh_database: Any, fresh_who: Any, hardware: Any, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Chat]:
    workspace = Workspace()
    known: dict[str, Any] = {}

    async def who(username: str) -> Any:
        if username not in known:
            known[username] = await fresh_who(username)
        return known[username]

    async with wire(workspace) as made:
        monkeypatch.setenv("SLACK_API_URL", made.url)
        monkeypatch.setenv("SLACK_HOOKS_URL", f"{made.url}/answers/")
        get_settings.cache_clear()
        _talks.clear()
        _accounts.clear()
        await connect(fresh_database, rooms="IT Support = C0IT; HR Services = C0HR")
        yield Chat(made, workspace, fresh_database, who, hardware)
        get_settings.cache_clear()


async def deliveries(database: Any) -> list[Delivery]:
    async with database.read() as session:
        rows = select(Delivery).where(Delivery.channel == "slack").order_by(Delivery.id)
        return list(await session.scalars(rows))


async def events_of(database: Any, ticket: Any, kind: str) -> list[EventRow]:
    async with database.read() as session:
        found = select(EventRow).where(EventRow.object_id == ticket["id"], EventRow.type == kind)
        return list(await session.scalars(found))


# --- what goes out ----------------------------------------------------------------------------------------------------


async def test_who_is_asked_gets_a_message_with_buttons(chat: Chat) -> None:
    ticket = await chat.ask(title="Laptop <!channel> & more")
    sent = chat.message()
    assert sent["channel"] == "DUMANAGER"
    assert sent["text"].startswith(f"[{ticket['ticket_number']}] Please decide: Laptop &lt;!channel&gt; &amp; more")
    assert not any("<!channel>" in b["text"]["text"] for b in sent["blocks"] if b["type"] == "section" and "text" in b)
    assert [chat.button(v)["value"] for v in ("approve", "reject", "request_info")] == [
        f"{(await deliveries(chat.database))[-1].step_id}.1"
    ] * 3
    assert chat.wire.taken[0].headers["authorization"] == "Bearer xoxb-1"
    (row,) = [d for d in await deliveries(chat.database) if d.user_id]
    assert (row.status, (row.provider_ref or "").partition(":")[0]) == ("SENT", "DUMANAGER")


async def test_a_person_is_looked_for_once(chat: Chat) -> None:
    await chat.ask()
    await chat.ask()
    assert len(chat.wire.of("users.lookupByEmail")) == 1
    assert len(chat.wire.of("conversations.open")) == 1
    async with chat.database.read() as session:
        (point,) = await session.scalars(select(ContactPoint))
    assert (point.channel, point.address) == ("slack", "UMANAGER")
    assert point.verified_at is not None


async def test_somebody_who_is_not_there_is_not_looked_for_again_today(chat: Chat) -> None:
    chat.workspace.instead["users.lookupByEmail"] = [{"ok": False, "error": "users_not_found"}] * 2
    await chat.ask()
    (row,) = [d for d in await deliveries(chat.database) if d.user_id]
    assert (row.status, row.last_error) == ("FAILED", "Slack says users_not_found")
    await chat.ask()
    assert len(chat.wire.of("users.lookupByEmail")) == 1
    assert len([d for d in await deliveries(chat.database) if d.user_id]) == 1


async def test_a_team_is_told_in_its_channel_but_not_of_what_is_confidential(chat: Chat) -> None:
    jane = await chat.who("employee")
    body = {"title": "Printer", "ticket_type": "IT_SUPPORT", "custom_fields": {}, "submit": True}
    types = {t["key"]: t for t in (await jane.get("/ticket-types"))["items"]}
    for key in types["IT_SUPPORT"]["form"].get("required", []):
        body["custom_fields"][key] = "x"
    await jane.post("/tickets", body, expect=201)
    await jane.post("/tickets", body | {"title": "Secret", "is_confidential": True}, expect=201)
    await chat.tell()
    told = [r.json for r in chat.wire.of("chat.postMessage") if r.json["channel"] == "C0IT"]
    assert ["Printer" in t["text"] for t in told] == [True]
    assert not any(
        e["action_id"] == "approve" for b in told[0]["blocks"] for e in b.get("elements", ()) if "action_id" in e
    )


# --- deciding ---------------------------------------------------------------------------------------------------------


async def test_a_press_approves_as_the_person_and_the_message_says_so(chat: Chat) -> None:
    ticket = await chat.ask()
    before = len(chat.wire.taken)
    await chat.press(chat.button("approve"))
    assert len(chat.wire.taken) == before, "nobody is called while Slack waits"
    manager = await chat.who("manager")
    assert (await (await chat.who("employee")).get(f"/tickets/{ticket['id']}"))["status"] == "APPROVED"
    (event,) = await events_of(chat.database, ticket, "approval.approved")
    assert (event.actor_id, event.channel) == (manager.id, "slack")
    await chat.tell()
    (changed,) = [r.json for r in chat.wire.of("chat.update")]
    assert changed["channel"] == "DUMANAGER"
    assert "Approved by" in changed["text"]
    assert "approve" not in [e.get("action_id") for b in changed["blocks"] for e in b.get("elements", ())]
    await chat.tell()
    assert len(chat.wire.of("chat.update")) == 1


async def test_a_double_press_decides_once(chat: Chat) -> None:
    ticket = await chat.ask()
    button = chat.button("approve")
    await asyncio.gather(*(chat.press(button) for _ in range(5)))
    assert len(await events_of(chat.database, ticket, "approval.approved")) == 1
    assert chat.whispers() == []


async def test_what_is_decided_elsewhere_changes_the_message(chat: Chat, find_step: Any) -> None:
    ticket = await chat.ask()
    manager = await chat.who("manager")
    step = await find_step(manager, ticket["id"])
    await manager.post(f"/approvals/{step['id']}/reject", {"version": step["version"], "comments": "No money"})
    await chat.tell()
    (changed,) = [r.json for r in chat.wire.of("chat.update")]
    assert "Rejected by" in changed["text"]
    await chat.press(chat.button("approve"))
    assert ["REJECTED already" in w for w in chat.whispers()] == [True], chat.whispers()


async def test_a_request_withdrawn_takes_the_buttons_away(chat: Chat) -> None:
    ticket = await chat.ask()
    jane = await chat.who("employee")
    await jane.post(f"/tickets/{ticket['id']}/transitions", {"to": "DRAFT"})
    await chat.tell()
    assert [("Not to be decided" in r.json["text"]) for r in chat.wire.of("chat.update")] == [True]


async def test_what_is_decided_while_the_message_is_on_its_way_is_caught_up_with(chat: Chat, find_step: Any) -> None:
    manager = await chat.who("manager")
    ticket = await (await chat.who("employee")).post("/tickets", chat.hardware("500.00"), expect=201)
    await relay.drain(chat.database)
    (letter,) = [one for one in await sending.take(chat.database, "slack") or () if one.message.user_id]
    step = await find_step(manager, ticket["id"])
    await manager.post(f"/approvals/{step['id']}/approve", {"version": step["version"]})
    await relay.drain(chat.database)
    assert chat.wire.taken == [], "nothing arrived yet, so there is nothing to change"
    await sending._mark(chat.database, "slack", letter, answers_delivered(), is_probe=False)
    await sending.send_due(chat.database)
    assert [r.json["ts"] for r in chat.wire.of("chat.update")] == ["9.9"]


def answers_delivered() -> Any:
    from waypost.vendors.fates import Delivered

    return Delivered("D1:9.9")


async def test_what_waits_still_goes_out_without_buttons(chat: Chat, find_step: Any) -> None:
    manager = await chat.who("manager")
    ticket = await (await chat.who("employee")).post("/tickets", chat.hardware("500.00"), expect=201)
    await relay.drain(chat.database)
    step = await find_step(manager, ticket["id"])
    await manager.post(f"/approvals/{step['id']}/approve", {"version": step["version"]})
    await chat.tell()
    sent = next(r.json for r in chat.wire.of("chat.postMessage") if r.json["channel"] == "DUMANAGER")
    assert "Approved by" in sent["text"]
    assert chat.wire.of("chat.update") == []


@pytest.mark.parametrize(("verb", "status"), [("reject", "REJECTED"), ("request_info", "PENDING_INFO")])
async def test_no_and_a_question_ask_for_words(chat: Chat, verb: str, status: str) -> None:
    ticket = await chat.ask()
    await chat.press(chat.button(verb))
    (opened,) = chat.wire.of("views.open")
    assert opened.json["trigger_id"] == "1.2.x"
    lacking = await chat.submit("   ")
    assert lacking.json()["response_action"] == "errors"
    assert (await (await chat.who("employee")).get(f"/tickets/{ticket['id']}"))["status"] == "IN_REVIEW"
    sent = await chat.submit("Too dear <for> us")
    assert (sent.status_code, sent.content) == (200, b"")
    read = await (await chat.who("employee")).get(f"/tickets/{ticket['id']}")
    assert read["status"] == status
    event = "approval.rejected" if verb == "reject" else "approval.info_requested"
    (happened,) = await events_of(chat.database, ticket, event)
    assert (happened.data["comments"], happened.channel) == ("Too dear <for> us", "slack")
    again = await chat.submit("Too dear <for> us")
    assert again.status_code == 200
    assert len(await events_of(chat.database, ticket, event)) == 1


async def test_a_form_that_comes_too_late_says_so_in_its_place(chat: Chat, find_step: Any) -> None:
    ticket = await chat.ask()
    await chat.press(chat.button("request_info"))
    manager = await chat.who("manager")
    step = await find_step(manager, ticket["id"])
    await manager.post(f"/approvals/{step['id']}/approve", {"version": step["version"]})
    answer = (await chat.submit("Which one?")).json()
    assert answer["response_action"] == "update"
    assert f"/approvals?ticket={ticket['id']}" in json.dumps(answer["view"])


async def test_a_request_that_changed_is_refused_with_the_difference(chat: Chat) -> None:
    ticket = await chat.ask()
    button = chat.button("approve")
    jane = await chat.who("employee")
    read = await jane.get(f"/tickets/{ticket['id']}")
    await jane.put(f"/tickets/{ticket['id']}", {"title": "A better laptop", "version": read["version"]})
    await chat.press(button)
    await chat.press(button | {"action_id": "reject"})
    assert len(chat.whispers()) == 2
    assert all("Title: " in w and "→ A better laptop" in w for w in chat.whispers())
    assert await events_of(chat.database, ticket, "approval.approved") == []
    assert chat.wire.of("views.open") == []


async def test_another_person_decides_nothing(chat: Chat) -> None:
    ticket = await chat.ask()
    for username in ("employee", "outsider"):
        account = f"U{username.upper()}"
        email = (await chat.who(username)).me["email"]
        user = {"id": account, "profile": {"email": email}, "is_email_confirmed": True}
        chat.workspace.instead["users.info"] = [{"ok": True, "user": user}]
        await chat.press(chat.button("approve"), account)
    assert len(chat.whispers()) == 2
    assert await events_of(chat.database, ticket, "approval.approved") == []


@pytest.mark.parametrize(
    "user",
    [
        {"id": "UX", "profile": {"email": "nobody@elsewhere.example"}},
        {"id": "UX", "profile": {}},
        {"id": "UX", "profile": {"email": "manager"}, "is_email_confirmed": False},
        {"id": "UX", "profile": {"email": "manager"}, "is_stranger": True},
        {"id": "UX", "profile": {"email": "manager"}, "deleted": True},
        {"id": "UOTHER", "profile": {"email": "manager"}},
        None,
        Said(b"", 503),
    ],
)
async def test_who_is_not_known_is_told_so_and_decides_nothing(chat: Chat, user: Any) -> None:
    ticket = await chat.ask()
    if isinstance(user, dict) and user["profile"].get("email") == "manager":
        user["profile"]["email"] = (await chat.who("manager")).me["email"]
    chat.workspace.instead["users.info"] = [user if isinstance(user, Said) else {"ok": True, "user": user}]
    await chat.press(chat.button("approve"), "UX")
    (whispered,) = chat.whispers()
    assert "account" in whispered
    assert await events_of(chat.database, ticket, "approval.approved") == []


async def test_somebody_new_is_found_by_the_address_slack_has_verified(chat: Chat) -> None:
    ticket = await chat.ask()
    async with chat.database.transaction() as session:
        await session.execute(update(ContactPoint).values(stopped_at=now()))
    user = {"id": "UMANAGER", "profile": {"email": (await chat.who("manager")).me["email"].upper()}}
    chat.workspace.instead["users.info"] = [{"ok": True, "user": user}]
    await chat.press(chat.button("approve"))
    assert len(await events_of(chat.database, ticket, "approval.approved")) == 1


async def test_a_form_that_does_not_open_is_said(chat: Chat) -> None:
    await chat.ask()
    for n, away in enumerate(({"ok": False, "error": "expired_trigger_id"}, CLOSE), 1):
        chat.workspace.instead["views.open"] = [away]
        await chat.press(chat.button("reject"))
        assert len(chat.whispers()) == n
    assert "press again" in chat.whispers()[-1]


async def test_answers_go_to_slack_only(chat: Chat) -> None:
    await chat.ask()
    for where in ("http://127.0.0.1:1/answers/1", f"{chat.wire.url}.evil.example/answers/", 5, None):
        await chat.press(chat.button("approve"), "UNOBODY", response_url=where)
    assert chat.whispers() == []


# --- the door ---------------------------------------------------------------------------------------------------------


async def test_what_is_not_signed_by_slack_is_refused(chat: Chat) -> None:
    await chat.ask()
    captured = json.loads((PAYLOADS / "slack_block_actions.json").read_text())["json"]
    assert (await chat.send(captured)).status_code == 200
    assert (await chat.send(captured)).content == b""
    old = str(int(now().timestamp()) - 301)
    for headers in (
        {"X-Slack-Signature": "v0=" + "0" * 64},
        {"X-Slack-Signature": "v0=é"},
        {"X-Slack-Signature": ""},
        {"X-Slack-Request-Timestamp": "abc"},
        {"X-Slack-Request-Timestamp": "-1"},
        {"X-Slack-Request-Timestamp": ""},
        {"X-Slack-Request-Timestamp": "9" * 30},
        {"X-Slack-Request-Timestamp": old},
    ):
        answer = await chat.send(captured, **{k: v.encode("utf-8") for k, v in headers.items()})  # type: ignore[arg-type]
        assert answer.status_code == 401, headers
        assert answer.json()["code"] == "not_signed"
    async with chat.database.transaction() as session:
        await session.execute(update(ChannelSettings).values(is_on=False))
    assert (await chat.send(captured)).status_code == 401


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"type": "block_actions"},
        {"type": "block_actions", "actions": "x"},
        {"type": "block_actions", "actions": [{"action_id": "approve", "value": "1"}]},
        {"type": "block_actions", "actions": [{"action_id": "delegate", "value": "1.1"}]},
        {"type": "block_actions", "actions": [{"action_id": ["approve"], "value": "1.1"}]},
        {"type": "block_actions", "actions": [{"action_id": "approve", "value": "9" * 400 + ".1"}]},
        {"type": "block_actions", "actions": [{"action_id": "approve", "value": "999999999.1"}]},
        {"type": "block_actions", "user": {"id": 5}, "actions": [{"action_id": "approve", "value": "1.1"}]},
        {"type": "view_submission", "view": {"callback_id": "waypost-words", "private_metadata": "{"}},
        {"type": "view_submission", "view": {"callback_id": "waypost-words", "private_metadata": "[]"}},
        {"type": "view_submission", "view": 5},
        {"type": "shortcut"},
    ],
)
async def test_signed_nonsense_does_nothing(chat: Chat, payload: Any) -> None:
    assert (await chat.send(payload)).status_code == 200


async def test_a_body_that_is_none_is_refused(chat: Chat) -> None:
    api = await chat.who("employee")
    for body in (b"", b"payload=", b"payload=[1]", b"payload=%7B", b"\xff\xfe", b"payload=%7B%22a%22%3A%22%00%22%7D"):
        answer = await api.http.post("/integrations/slack/interactions", content=body, headers=signed(body))
        assert answer.status_code == 422, body


async def test_the_address_is_confirmed(chat: Chat) -> None:
    answer = await chat.send({"type": "url_verification", "challenge": "3eZbrw1a"}, "events")
    assert answer.json() == {"challenge": "3eZbrw1a"}
    assert (await chat.send({"type": "event_callback"}, "events")).content == b""


# --- a network that misbehaves ----------------------------------------------------------------------------------------


async def test_what_arrives_when_slack_misbehaves(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "LONGEST", 0.3)
    monkeypatch.setattr("waypost.vendors.slack.LONGEST", 0.3)
    monkeypatch.setattr(sending, "wait_before", lambda attempts: timedelta(seconds=1))
    rounds = [
        Said({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": "40"}),
        Said(b"upstream", 503),
        HANG,
        CLOSE,
        Said(b""),
        Said(b"<html>"),
        {"ok": False, "error": "internal_error"},
    ]
    post = list(rounds)
    chat.workspace.instead["chat.postMessage"] = post
    monkeypatch.setitem(chat.workspace.instead, "conversations.history", [])
    async with chat.database.transaction() as session:
        await session.execute(update(ChannelSettings).values(settings={}))
    began = now()
    await chat.ask()
    assert len(post) == len(rounds) - 1
    (row,) = [d for d in await deliveries(chat.database) if d.user_id]
    assert row.status == "PENDING"
    assert timedelta(seconds=39) < row.next_at - began < timedelta(seconds=50), "Retry-After is honoured"
    at, tries = began, 1
    while post or row.status == "PENDING":
        at += timedelta(minutes=10)
        with clock(lambda moment=at: moment):  # type: ignore[misc]
            await sending.send_due(chat.database)
        tries += 1
        (row,) = [d for d in await deliveries(chat.database) if d.user_id]
        assert tries < 12
    assert row.status == "SENT"
    assert chat.workspace.posted == 1


async def test_wrong_settings_stop_the_channel_and_lose_nothing(chat: Chat) -> None:
    chat.workspace.instead["users.lookupByEmail"] = [{"ok": False, "error": "invalid_auth"}]
    await chat.ask()
    (row,) = [d for d in await deliveries(chat.database) if d.user_id]
    assert (row.status, row.last_error) == ("PENDING", "Slack says invalid_auth")
    async with chat.database.read() as session:
        channel = await session.get(ChannelSettings, "slack")
        assert channel is not None
        assert channel.open_until is not None


async def test_a_message_that_arrived_before_we_died_is_not_sent_twice(chat: Chat) -> None:
    def took_it(request: Request) -> Any:
        kept = {"ts": "5.5", "metadata": request.json["metadata"]}
        chat.workspace.instead["conversations.history"] = [{"ok": True, "messages": [{"ts": "4.4"}, kept]}]
        return CLOSE

    async with chat.database.transaction() as session:
        await session.execute(update(ChannelSettings).values(settings={}))
    chat.workspace.instead["chat.postMessage"] = [took_it]
    await chat.ask()
    later = now() + timedelta(minutes=10)
    with clock(lambda: later):
        await sending.send_due(chat.database)
    (row,) = [d for d in await deliveries(chat.database) if d.user_id]
    assert (row.status, row.provider_ref, len(chat.wire.of("chat.postMessage"))) == ("SENT", "DUMANAGER:5.5", 1)


async def test_however_much_was_said_meanwhile_what_arrived_is_found(chat: Chat) -> None:
    """Three were taken and arrived, and nobody lived to say so; hundreds of others stand above them by now."""
    async with chat.database.transaction() as session:
        await session.execute(update(ChannelSettings).values(settings={}))
    for _ in range(3):
        await (await chat.who("employee")).post("/tickets", chat.hardware("500.00"), expect=201)
    await relay.drain(chat.database)
    taken = await sending.take(chat.database, "slack")
    assert taken is not None
    kept = [{"ts": f"{n}.5", "metadata": {"event_type": "waypost_message", "event_payload": {"id": t.message.id}}}
            for n, t in enumerate(taken)]  # fmt: skip
    others = {"ok": True, "messages": [{"ts": "9.9"}] * 200, "response_metadata": {"next_cursor": "more"}}
    chat.workspace.instead["conversations.history"] = [others, {"ok": True, "messages": kept[:2]}]
    later = now() + timedelta(minutes=10)
    with clock(lambda: later):
        await sending.send_due(chat.database)
    rows = [d for d in await deliveries(chat.database) if d.user_id]
    assert [(d.status, d.provider_ref) for d in rows[:2]] == [("SENT", "DUMANAGER:0.5"), ("SENT", "DUMANAGER:1.5")]
    assert [r.json["metadata"]["event_payload"]["id"] for r in chat.wire.of("chat.postMessage")] == [rows[2].message_id]
    first, second = (r.json for r in chat.wire.of("conversations.history"))
    assert "cursor" not in first
    assert second["cursor"] == "more"
    assert float(first["oldest"]) < rows[0].created_at.timestamp(), "back to when the oldest of them was made"


def test_how_it_is_set_up() -> None:
    assert {f.key: f.kind for f in Slack.fields} == {"token": "secret", "signing_secret": "secret", "rooms": "text"}


async def test_what_asks_who_one_is_leads_to_the_web(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEP_UP_ABOVE", "100")
    get_settings.cache_clear()
    ticket = await chat.ask()
    await chat.press(chat.button("approve"))
    (whispered,) = chat.whispers()
    assert "confirm" in whispered
    assert f"/approvals?ticket={ticket['id']}|" in whispered
    assert await events_of(chat.database, ticket, "approval.approved") == []
    assert "/decide/" not in json.dumps(chat.message()), "the link that opens a decision is for mails only"


@asynccontextmanager
async def locked(database: Any, ticket: Any) -> AsyncIterator[None]:
    """While somebody else's change of this ticket takes its time."""
    async with database.transaction() as session:
        await session.execute(select(Ticket.id).where(Ticket.id == ticket["id"]).with_for_update())
        yield


async def test_slack_is_answered_in_time_and_the_decision_goes_on(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slack_actions, "PATIENCE", 0.2)
    ticket = await chat.ask()
    config = {"token": "xoxb-1"}
    press = {"type": "block_actions", "user": {"id": "UMANAGER"}, "response_url": f"{chat.wire.url}/answers/1"}
    press |= {"actions": [{"action_id": "approve", "value": chat.button("approve")["value"]}]}
    async with locked(chat.database, ticket):
        first = await slack_actions.react(chat.database, config, press)
        kept = json.dumps({"verb": "reject", "value": chat.button("reject")["value"]})
        view = {"callback_id": slack_blocks.FORM, "private_metadata": kept}
        view["state"] = {"values": {"words": {"words": {"value": "Too dear"}}}}
        form = {"type": "view_submission", "user": {"id": "UMANAGER"}, "view": view}
        second = await slack_actions.react(chat.database, config, form)
        assert await events_of(chat.database, ticket, "approval.approved") == [], "it waits"
    assert first.body is None
    assert second.body is None
    assert first.after is not None
    assert second.after is not None
    await asyncio.gather(first.after(), second.after())
    assert len(await events_of(chat.database, ticket, "approval.approved")) == 1
    assert await events_of(chat.database, ticket, "approval.rejected") == []
    (told,) = [r.json for r in chat.wire.of("chat.postMessage") if r.json["channel"] == "UMANAGER"]
    assert "already" in told["text"]


async def test_secrets_that_cannot_be_opened_hold_up_no_other_channel(chat: Chat) -> None:
    async with chat.database.transaction() as session:
        await session.execute(update(ChannelSettings).values(sealed=b"x" * 40))
    ticket = await (await chat.who("employee")).post("/tickets", chat.hardware("500.00"), expect=201)
    await relay.drain(chat.database)
    async with chat.database.read() as session:
        found = select(Delivery.channel).where(Delivery.words["ticket_id"].as_integer() == ticket["id"])
        assert sorted(await session.scalars(found)) == ["email", "slack"]
    await sending.send_due(chat.database)
    assert [d.status for d in await deliveries(chat.database)] == ["PENDING"]
