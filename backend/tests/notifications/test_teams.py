"""Teams: the bot's messages, the activity feed, webhooks of teams' channels, and who may press a button on a card."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema_rs
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from sqlalchemy import select, update

from tests.notifications.wire import CLOSE, HANG, Request, Said, Wire, wire
from waypost.kernel import outgoing, relay
from waypost.kernel.clock import clock, now
from waypost.kernel.events import EventRow
from waypost.kernel.settings import get_settings
from waypost.notifications import sending
from waypost.notifications.channels import teams
from waypost.notifications.channels.registry import seal
from waypost.notifications.models import ChannelSettings, ContactPoint, Delivery
from waypost.vendors import bot_tokens, microsoft

PAYLOADS = Path(__file__).parent / "payloads"
SCHEMA = jsonschema_rs.validator_for(json.loads((PAYLOADS / "adaptive-card-1.5.schema.json").read_text()))
INVOKE = json.loads((PAYLOADS / "teams_invoke.json").read_text())["json"]
TENANT, BOT = "00000000-0000-0000-0000-0000000000001", "7b1c9d1e-app"
KEY = RSAKey.generate_key(2048, {"kid": "k1"})
OTHER = RSAKey.generate_key(2048, {"kid": "k1"})


def account(email: str) -> str:
    return f"aad-{email.partition('@')[0]}"


@dataclass
class Microsoft:
    """Sign-in, Graph, the Connector and its published keys, for the demo company's people."""

    url: str = ""
    instead: dict[str, list[Any]] = field(default_factory=dict)  # beginning of a path → what it says next, once each
    sent: int = 0
    tokens: int = 0

    def __call__(self, request: Request) -> Any:
        path = request.path.partition("?")[0]
        for begins, says in self.instead.items():
            if path.startswith(begins) and says:
                return says.pop(0)
        if path.startswith("/login/"):
            self.tokens += 1
            return {"access_token": f"token-{self.tokens}", "expires_in": 3600}
        if path == "/keys/configuration":
            return {"jwks_uri": f"{self.url}/keys/all"}
        if path == "/keys/all":
            return {"keys": [KEY.as_dict(private=False) | {"endorsements": ["msteams"]}, {"kty": "EC"}, 5]}
        if path.startswith("/graph/users/") and request.method == "GET":
            who = unquote(path.removeprefix("/graph/users/"))
            return {"id": account(who) if "@" in who else who, "accountEnabled": True, "mail": f"{who[4:]}@example.com"}
        if path == "/bot/v3/conversations":
            return Said({"id": f"a:{request.json['members'][0]['id']}"}, 201)
        if path.startswith("/bot/v3/"):
            self.sent += 1
            return {"id": f"17954521687{self.sent:02}"}
        return Said(b"", 204)


@dataclass
class Chat:
    wire: Wire
    microsoft: Microsoft
    database: Any
    who: Any
    hardware: Any

    async def ask(self) -> dict[str, Any]:
        made: dict[str, Any] = await (await self.who("employee")).post("/tickets", self.hardware("500.00"), expect=201)
        await self.tell()
        return made

    async def tell(self) -> None:
        await relay.drain(self.database)
        await sending.send_due(self.database)

    def sent(self, method: str = "POST") -> list[Any]:
        return [r.json for r in self.wire.taken if "/activities" in r.path and r.method == method]

    def card(self) -> Any:
        return self.sent()[-1]["attachments"][0]["content"]

    async def row(self) -> Delivery:
        async with self.database.read() as session:
            (row,) = await session.scalars(
                select(Delivery).where(Delivery.channel == "teams", Delivery.kind == "approval.requested")
            )
        return row  # type: ignore[no-any-return]

    async def press(self, verb: str, username: str = "manager", *, words: str = "", **more: Any) -> Any:
        press = next(p for p in presses(self.card()) if p["verb"] == verb)
        email = (await self.who(username)).me["email"]
        data = press["data"] | ({"words": words} if words else {})
        activity = INVOKE | {
            "from": {"id": "29:x", "name": "Mike Manager", "aadObjectId": account(email)},
            "serviceUrl": f"{self.wire.url}/bot/",
            "value": {"action": {"type": "Action.Execute", "verb": verb, "data": data}, "trigger": "manual"},
            **more,
        }
        answer = await self.send(activity)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def send(self, activity: Any, token: str | None = None) -> Any:
        api = await self.who("employee")
        headers = {"Authorization": f"Bearer {token or self.token()}", "content-type": "application/json"}
        return await api.http.post("/integrations/teams/messages", content=json.dumps(activity), headers=headers)

    def token(self, key: Any = KEY, alg: str = "RS256", header: Any = None, **claims: Any) -> str:
        at = int(now().timestamp())
        said = {
            "iss": "https://api.botframework.com",
            "aud": BOT,
            "exp": at + 600,
            "nbf": at - 5,
            "serviceurl": f"{self.wire.url}/bot/",
            **claims,
        }
        kept = {k: v for k, v in said.items() if v is not None}
        return jwt.encode({"alg": alg, "kid": "k1", **(header or {})}, kept, key, algorithms=[alg])


def presses(card: Any) -> list[Any]:
    found = [a for a in card.get("actions", ()) if a["type"] == "Action.Execute"]
    shown = [a["card"] for a in card.get("actions", ()) if a["type"] == "Action.ShowCard"]
    return found + [p for inner in shown for p in presses(inner)]


@pytest.fixture
async def chat(
    fresh_database: Any, fresh_who: Any, hardware: Any, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Chat]:
    known: dict[str, Any] = {}

    async def who(username: str) -> Any:
        if username not in known:
            known[username] = await fresh_who(username)
        return known[username]

    for kept in (teams._talks, microsoft._tokens, microsoft._asking, bot_tokens._kept):
        kept.clear()  # type: ignore[attr-defined]
    async with wire(Microsoft()) as made:
        made.says.url = made.url  # type: ignore[attr-defined]
        for name, part in (
            ("MICROSOFT_LOGIN_URL", "/login"),
            ("GRAPH_URL", "/graph"),
            ("TEAMS_BOT_URL", "/bot"),
            ("TEAMS_OPENID_URL", "/keys/configuration"),
        ):
            monkeypatch.setenv(name, made.url + part)
        monkeypatch.setenv("OUTGOING_ALLOW", '["127.0.0.1/32"]')
        get_settings.cache_clear()
        async with fresh_database.transaction() as session:
            await session.execute(update(Delivery).values(status="SENT"))
            row = ChannelSettings(
                key="teams", is_on=True, settings={"tenant": TENANT, "client_id": BOT}, updated_at=now()
            )
            seal(row, {"client_secret": "s3cret", "rooms": f"IT Support = {made.url}/hook/a?sig=b=c"})
            session.add(row)
        yield Chat(made, made.says, fresh_database, who, hardware)  # type: ignore[arg-type]
        get_settings.cache_clear()


async def change(chat: Chat, **settings: Any) -> None:
    async with chat.database.transaction() as session:
        row = await session.get(ChannelSettings, "teams")
        assert row is not None
        row.settings = {**row.settings, **settings}


async def happened(chat: Chat, ticket: Any, kind: str) -> list[EventRow]:
    async with chat.database.read() as session:
        found = select(EventRow).where(EventRow.object_id == ticket["id"], EventRow.type == kind)
        return list(await session.scalars(found))


# --- what goes out ----------------------------------------------------------------------------------------------------


async def test_who_is_asked_gets_a_card_with_buttons(chat: Chat) -> None:
    await chat.ask()
    card = chat.card()
    SCHEMA.validate(card)
    row = await chat.row()
    assert [p["verb"] for p in presses(card)] == ["approve", "reject", "request_info"]
    assert {p["data"]["press"] for p in presses(card)} == {f"{row.step_id}.1"}
    email = (await chat.who("manager")).me["email"]
    assert (row.status, row.provider_ref) == ("SENT", f"a:{account(email)};1795452168701")
    (opened,) = [r for r in chat.wire.taken if r.path == "/bot/v3/conversations"]
    assert opened.json["channelData"] == {"tenant": {"id": TENANT}}
    form = next(r for r in chat.wire.taken if r.path.startswith("/login/"))
    assert form.path == f"/login/{TENANT}/oauth2/v2.0/token"
    assert b"grant_type=client_credentials" in form.body
    async with chat.database.read() as session:
        (point,) = await session.scalars(select(ContactPoint))
    assert point.address == account(email)
    await chat.ask()
    assert len([r for r in chat.wire.taken if r.path.startswith("/graph/users/")]) == 1, "looked for once"
    assert len([r for r in chat.wire.taken if r.path == "/bot/v3/conversations"]) == 1


async def test_the_activity_feed_is_a_nudge(chat: Chat) -> None:
    await change(chat, people="activity feed", app_id="manifest-1")
    ticket = await chat.ask()
    (nudge,) = [r for r in chat.wire.taken if r.path.endswith("/teamwork/sendActivityNotification")]
    assert nudge.json["activityType"] == "approvalRequired"
    assert nudge.json["topic"]["webUrl"].startswith(
        "https://teams.microsoft.com/l/entity/manifest-1/waypost?webUrl=http%3A"
    )
    assert ticket["ticket_number"] in nudge.json["topic"]["value"]
    assert len(nudge.json["previewText"]["content"]) <= 150
    assert (await chat.row()).provider_ref is None


async def test_a_teams_channel_hears_by_its_webhook_and_its_address_stays_secret(chat: Chat) -> None:
    await chat.ask()
    (hook,) = [r for r in chat.wire.taken if r.path.startswith("/hook/")]
    assert hook.path == "/hook/a?sig=b=c"
    assert hook.json["type"] == "message"
    card = hook.json["attachments"][0]["content"]
    SCHEMA.validate(card)
    assert [a["type"] for a in card["actions"]] == ["Action.OpenUrl"]
    async with chat.database.read() as session:
        rows = list(
            await session.scalars(select(Delivery).where(Delivery.channel == "teams", Delivery.user_id.is_(None)))
        )
    assert [(r.recipient, r.status) for r in rows] == [("IT Support", "SENT")]


@pytest.mark.parametrize(
    ("said", "status", "why"),
    [
        (Said(b"", 404), "FAILED", "the webhook of IT Support answers 404"),
        (Said(b"", 302, {"Location": "http://127.0.0.1:1/"}), "FAILED", "the webhook of IT Support answers 302"),
        (Said(b"", 429, {"Retry-After": "90"}), "PENDING", "the webhook of IT Support answers 429"),
        (CLOSE, "PENDING", "the webhook of IT Support cannot be reached"),
    ],
)
async def test_a_webhook_that_fails_is_its_teams_only(chat: Chat, said: Any, status: str, why: str) -> None:
    chat.microsoft.instead["/hook/"] = [said]
    await chat.ask()
    async with chat.database.read() as session:
        (row,) = await session.scalars(select(Delivery).where(Delivery.channel == "teams", Delivery.user_id.is_(None)))
        channel = await session.get(ChannelSettings, "teams")
    assert row.status == status
    assert (row.last_error or "").startswith(why)
    assert "sig" not in (row.last_error or "")
    assert channel is not None
    assert channel.open_until is None
    assert (await chat.row()).status == "SENT"


async def test_a_webhook_inside_this_network_is_not_called(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTGOING_ALLOW", "[]")
    get_settings.cache_clear()
    await chat.ask()
    assert [r for r in chat.wire.taken if r.path.startswith("/hook/")] == []
    async with chat.database.read() as session:
        (row,) = await session.scalars(select(Delivery).where(Delivery.channel == "teams", Delivery.user_id.is_(None)))
    assert (row.status, row.last_error) == (
        "FAILED",
        "the webhook of IT Support is not called: its address is not allowed",
    )


async def test_one_asks_for_the_token_of_many(chat: Chat) -> None:
    settings = get_settings()
    app = microsoft.App(settings.microsoft_login_url, settings.graph_url, settings.teams_bot_url, "t", "c", "s")
    async with microsoft.httpx2.AsyncClient() as http:
        got = await asyncio.gather(*(microsoft.token(http, app, microsoft.BOT) for _ in range(20)))
    assert len(set(got)) == 1
    assert chat.microsoft.tokens == 1


async def test_a_token_taken_back_is_asked_for_again_once(chat: Chat) -> None:
    await chat.ask()
    before = chat.microsoft.tokens
    chat.microsoft.instead["/bot/v3/conversations/"] = [Said(b"", 401)]
    await (await chat.who("employee")).post("/tickets", chat.hardware("500.00"), expect=201)
    await chat.tell()
    assert chat.microsoft.tokens == before + 1
    assert len(chat.sent()) == 3
    chat.microsoft.instead["/bot/v3/conversations/"] = [Said(b"", 401), Said(b"", 401)]
    await (await chat.who("employee")).post("/tickets", chat.hardware("500.00"), expect=201)
    await chat.tell()
    async with chat.database.read() as session:
        channel = await session.get(ChannelSettings, "teams")
    assert channel is not None
    assert channel.last_error == "The bot service answers 401"


@pytest.mark.parametrize(
    ("where", "said", "status", "why"),
    [
        (
            "/login/",
            Said({"error": "invalid_client"}, 401),
            "PENDING",
            "Microsoft does not let the app in: invalid_client",
        ),
        ("/login/", Said(b"", 503), "PENDING", "Microsoft's sign-in answers 503"),
        ("/graph/users/", Said({"error": {"code": "Request_ResourceNotFound"}}, 404), "FAILED", "Graph knows nobody"),
        ("/graph/users/", {"id": "x", "accountEnabled": False}, "FAILED", "nobody who works in this tenant"),
        (
            "/bot/v3/conversations",
            Said({"error": {"code": "Forbidden", "message": "not installed"}}, 403),
            "FAILED",
            "The bot",
        ),
        (
            "/bot/v3/conversations",
            Said({"error": {"code": "x", "message": "y"}}, 403),
            "PENDING",
            "The bot service answers 403",
        ),
        ("/bot/v3/conversations", Said({"error": {"code": "BadSyntax"}}, 400), "FAILED", "The bot service answers 400"),
        ("/bot/v3/conversations", Said(b"", 412), "PENDING", "The bot service answers 412"),
        ("/bot/v3/conversations", Said(b"", 429, {"Retry-After": "33"}), "PENDING", "The bot service answers 429"),
        ("/bot/v3/conversations", Said(b"", 503), "PENDING", "The bot service answers 503"),
        ("/bot/v3/conversations", CLOSE, "PENDING", "The bot service cannot be reached"),
        ("/bot/v3/conversations", HANG, "PENDING", "The bot service cannot be reached: no answer in time"),
        ("/bot/v3/conversations", Said(b"<html>"), "PENDING", "Teams opened no conversation"),
    ],
)
async def test_what_microsofts_answers_mean(
    chat: Chat, where: str, said: Any, status: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(microsoft.call, "__kwdefaults__", {**microsoft.call.__kwdefaults__, "within": 0.5})
    chat.microsoft.instead[where] = [said]
    await chat.ask()
    row = await chat.row()
    assert (row.status, (row.last_error or "")[: len(why)]) == (status, why)
    later = now() + timedelta(minutes=10)
    with clock(lambda: later):
        await sending.send_due(chat.database)
    assert (await chat.row()).status == ("SENT" if status == "PENDING" else "FAILED")


# --- deciding ---------------------------------------------------------------------------------------------------------


async def test_a_press_approves_and_the_card_says_so(chat: Chat) -> None:
    ticket = await chat.ask()
    answer = await chat.press("approve")
    assert (answer["statusCode"], answer["type"]) == (200, "application/vnd.microsoft.card.adaptive")
    SCHEMA.validate(answer["value"])
    assert presses(answer["value"]) == []
    assert "Approved." in json.dumps(answer["value"])
    (event,) = await happened(chat, ticket, "approval.approved")
    assert (event.actor_id, event.channel) == ((await chat.who("manager")).id, "teams")
    await chat.tell()
    (changed,) = chat.sent("PUT")
    assert changed["id"] == "1795452168701"
    assert "Approved by" in json.dumps(changed)
    assert presses(changed["attachments"][0]["content"]) == []


async def test_a_double_press_decides_once(chat: Chat) -> None:
    ticket = await chat.ask()
    answers = await asyncio.gather(*(chat.press("approve") for _ in range(4)))
    assert {a["type"] for a in answers} == {"application/vnd.microsoft.card.adaptive"}
    assert len(await happened(chat, ticket, "approval.approved")) == 1


async def test_no_and_a_question_need_words(chat: Chat) -> None:
    ticket = await chat.ask()
    assert "reason" in (await chat.press("reject"))["value"]
    asked = await chat.press("request_info", words="Which one?")
    assert asked["value"] == "Your question is on its way."
    assert (await happened(chat, ticket, "approval.info_requested"))[0].data["comments"] == "Which one?"
    await chat.press("reject", words="Too dear")
    (no,) = await happened(chat, ticket, "approval.rejected")
    assert (no.data["comments"], no.channel) == ("Too dear", "teams")


async def test_a_request_that_changed_is_refused_with_the_difference(chat: Chat) -> None:
    ticket = await chat.ask()
    jane = await chat.who("employee")
    read = await jane.get(f"/tickets/{ticket['id']}")
    await jane.put(f"/tickets/{ticket['id']}", {"title": "A better laptop", "version": read["version"]})
    answer = await chat.press("approve")
    assert answer["type"] == "application/vnd.microsoft.activity.message"
    assert "→ A better laptop" in answer["value"]
    assert await happened(chat, ticket, "approval.approved") == []


async def test_others_decide_nothing(chat: Chat) -> None:
    ticket = await chat.ask()
    for username in ("employee", "outsider"):
        answer = await chat.press("approve", username)
        assert answer["type"] == "application/vnd.microsoft.activity.message"
    strange = await chat.press(
        "approve", **{"from": {"id": "29:y", "name": "Mike Manager", "aadObjectId": "aad-stranger"}}
    )
    nobody = await chat.press("approve", **{"from": {"id": "29:y", "name": "Mike Manager"}})
    assert "does not know your account" in strange["value"]
    assert "does not know your account" in nobody["value"]
    elsewhere = await chat.press("approve", channelData={"tenant": {"id": "another"}})
    assert elsewhere["value"] == "This is another company's Teams."
    assert await happened(chat, ticket, "approval.approved") == []


async def test_graph_being_away_is_said(chat: Chat) -> None:
    await chat.ask()
    async with chat.database.transaction() as session:
        await session.execute(update(ContactPoint).values(stopped_at=now()))
    chat.microsoft.instead["/graph/users/"] = [Said(b"", 503)]
    assert "press again" in (await chat.press("approve"))["value"]
    assert (await chat.press("approve"))["type"] == "application/vnd.microsoft.card.adaptive"


# --- the door ---------------------------------------------------------------------------------------------------------


def with_the_public_key_as_secret(claims: str) -> str:
    """The old trick: a token signed by HMAC, its secret what everybody can read."""
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"k1"}').rstrip(b"=").decode()
    made = hmac.digest(KEY.as_pem(private=False), f"{head}.{claims}".encode(), "sha256")
    return f"{head}.{claims}.{base64.urlsafe_b64encode(made).rstrip(b'=').decode()}"


async def test_only_the_connector_is_believed(chat: Chat) -> None:
    await chat.ask()
    at = int(now().timestamp())
    activity = INVOKE | {"serviceUrl": f"{chat.wire.url}/bot/"}
    assert (await chat.send(activity)).status_code == 200
    header, claims, signature = chat.token().split(".")
    wrong = [
        "x",
        "a.b.c",
        "é.b.c",
        f"{header}.{claims}.",
        f"{header}.{claims[:-3]}abc.{signature}",
        f"{'W' * 9000}.{claims}.{signature}",
        chat.token(OTHER),
        chat.token(header={"kid": "k2"}),
        chat.token(iss="https://sts.windows.net/x/"),
        chat.token(iss=None),
        chat.token(aud="another-bot"),
        chat.token(aud=None),
        chat.token(exp=at - 301),
        chat.token(exp=None),
        chat.token(exp="soon"),
        chat.token(nbf=at + 900),
        chat.token(serviceurl="https://evil.example/bot/"),
        chat.token(serviceurl=None),
        chat.token(alg="RS512"),
    ]
    wrong.append(with_the_public_key_as_secret(claims))
    for token in wrong:
        headers_ok = token.isascii()
        answer = await chat.send(activity, token if headers_ok else "x.y.z")
        assert answer.status_code == 401, token
        assert answer.json()["code"] == "not_signed"
    evil = activity | {"serviceUrl": "https://evil.example/bot/"}
    assert (await chat.send(evil, chat.token(serviceurl="https://evil.example/bot/"))).status_code == 401
    api = await chat.who("employee")
    assert (await api.http.post("/integrations/teams/messages", json=activity)).status_code == 401
    reads = [r for r in chat.wire.taken if r.path == "/keys/configuration"]
    assert len(reads) == 1, "an unknown key is looked for at most every few minutes"
    assert (await chat.send(activity, chat.token(exp=at - 200))).status_code == 200, "clocks may differ a little"


async def test_keys_that_cannot_be_read_are_no_refusal(chat: Chat) -> None:
    chat.microsoft.instead["/keys/"] = [Said(b"", 503)]
    answer = await chat.send({})
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    chat.microsoft.instead["/keys/"] = [{"jwks_uri": "http://127.0.0.1:1/keys"}]
    assert (await chat.send({})).status_code == 503
    chat.microsoft.instead["/keys/all"] = [{"keys": [KEY.as_dict(private=False) | {"endorsements": ["webchat"]}]}]
    assert (await chat.send({})).status_code == 503
    assert (await chat.send({"serviceUrl": f"{chat.wire.url}/bot"})).status_code == 200


async def test_a_channel_that_is_off_takes_nothing(chat: Chat) -> None:
    async with chat.database.transaction() as session:
        await session.execute(update(ChannelSettings).values(is_on=False))
    assert (await chat.send(INVOKE | {"serviceUrl": f"{chat.wire.url}/bot"})).status_code == 401


@pytest.mark.parametrize(
    "activity",
    [
        {"type": "message", "text": "hello"},
        {"type": "conversationUpdate"},
        {"type": "invoke", "name": "task/fetch"},
        {"type": "invoke", "name": "adaptiveCard/action"},
        {"type": "invoke", "name": "adaptiveCard/action", "value": {"action": {"verb": "approve", "data": "x"}}},
        {
            "type": "invoke",
            "name": "adaptiveCard/action",
            "value": {"action": {"verb": "approve", "data": {"press": "1.1"}}},
        },
    ],
)
async def test_vouched_nonsense_does_nothing(chat: Chat, activity: Any) -> None:
    assert (await chat.send(activity | {"serviceUrl": f"{chat.wire.url}/bot"})).status_code == 200


async def test_a_body_that_is_none_is_refused(chat: Chat) -> None:
    assert (await chat.send([1])).status_code == 422


# --- addresses somebody typed in ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "http://example.com/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://[::ffff:10.0.0.1]/x",
        "https://169.254.169.254/latest",
        "https://10.1.2.3/",
        "https://localhost/x",
        "https://0.0.0.0/",
        "https://user:word@example.com/",
        "ftp://example.com/",
        "https://",
        "file:///etc/passwd",
        "https://224.0.0.1/",
        "https://100.64.0.1/",
    ],
)
async def test_what_lies_inside_is_not_called(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def found(host: str, port: int, **more: Any) -> Any:
        at = {"localhost": "127.0.0.1", "example.com": "93.184.215.14"}.get(host, host.strip("[]"))
        return [(2, 1, 6, "", (at, port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", found, raising=False)
    async with outgoing.httpx2.AsyncClient(transport=outgoing.guarded()) as http:
        with pytest.raises((outgoing.NotAllowed, outgoing.httpx2.UnsupportedProtocol)):
            await http.get(address)


def test_what_lies_outside_and_what_was_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert outgoing.is_outside(outgoing.ipaddress.ip_address("93.184.215.14"))
    assert not outgoing.is_outside(outgoing.ipaddress.ip_address("2002:7f00:1::"))
    monkeypatch.setenv("OUTGOING_ALLOW", '["10.0.0.0/8"]')
    get_settings.cache_clear()
    assert outgoing.is_allowed(outgoing.ipaddress.ip_address("::ffff:10.1.1.1"))
    assert not outgoing.is_allowed(outgoing.ipaddress.ip_address("11.1.1.1"))
    monkeypatch.undo()
    get_settings.cache_clear()


def test_whom_a_token_is_for() -> None:
    assert bot_tokens.is_for({"aud": "b", "serviceurl": "https://X.example/"}, "b", "https://X.example", {"x.example"})
    assert not bot_tokens.is_for(
        {"aud": "b", "serviceurl": "https://x.example"}, "", "https://x.example", {"x.example"}
    )


async def test_webhooks_alone_are_for_teams_channels_only(chat: Chat) -> None:
    await change(chat, client_id="")
    await chat.ask()
    assert {r.path.partition("?")[0] for r in chat.wire.taken} == {"/hook/a"}
    async with chat.database.read() as session:
        rows = list(await session.scalars(select(Delivery).where(Delivery.channel == "teams")))
        channel = await session.get(ChannelSettings, "teams")
    assert [(r.user_id, r.status) for r in rows] == [(None, "SENT")]
    assert channel is not None
    assert channel.failures == 0
