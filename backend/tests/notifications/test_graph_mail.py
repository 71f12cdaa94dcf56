"""Mail through a mailbox at Microsoft: sent as it is written, and what each answer means."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest

from tests.notifications.wire import CLOSE, Request, Said, Wire, wire
from waypost.kernel.settings import get_settings
from waypost.notifications.channels import Message
from waypost.notifications.channels.email import GRAPH, Email
from waypost.notifications.words import Words
from waypost.vendors import microsoft
from waypost.vendors.fates import Delivered, Fate, Misconfigured, Rejected, TryLater

CONFIG = {"way": GRAPH, "sender": "desk@example.com", "tenant": "t", "client_id": "c", "client_secret": "s"}


@pytest.fixture(autouse=True)
def no_tokens() -> None:
    microsoft._tokens.clear()
    microsoft._asking.clear()


def message(subject: str = "Prïnter") -> Message:
    words = Words(subject, "It burns.", "http://localhost/tickets/1")
    return Message("<1.2@example.com>", 1, "jane@example.com", subject, (words,), {"Auto-Submitted": "auto-generated"})


@asynccontextmanager
async def graph(monkeypatch: pytest.MonkeyPatch, says: Callable[[Request], Any]) -> AsyncIterator[Wire]:
    def answer(request: Request) -> Any:
        return {"access_token": "t0", "expires_in": 3600} if request.path.endswith("/token") else says(request)

    async with wire(answer) as made:
        monkeypatch.setenv("GRAPH_URL", made.url)
        monkeypatch.setenv("MICROSOFT_LOGIN_URL", made.url)
        get_settings.cache_clear()
        yield made
    monkeypatch.undo()
    get_settings.cache_clear()


async def fates(config: dict[str, str], *messages: Message) -> list[Fate]:
    return [fate async for fate in Email().send(config, messages)]


async def test_a_mail_goes_out_as_it_is_written(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async with graph(monkeypatch, lambda request: Said(b"", 202)) as made:
        assert await fates(CONFIG, message(), message("Two")) == [Delivered(), Delivered()]
        first, _ = made.of("/users/desk%40example.com/sendMail")
    assert first.headers["content-type"] == "text/plain"
    assert first.headers["authorization"] == "Bearer t0"
    mail = message_from_bytes(base64.b64decode(first.body, validate=True), policy=policy.default)
    assert mail["From"].addresses[0].addr_spec == "desk@example.com"
    assert (mail["To"], mail["Subject"], mail["Message-ID"]) == ("jane@example.com", "Prïnter", "<1.2@example.com>")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "It burns." in mail.get_body(("plain",)).get_content()


@pytest.mark.parametrize(
    ("said", "fate"),
    [
        (Said({}, 429, {"retry-after": "7"}), TryLater("", timedelta(seconds=7), for_all=True)),
        (Said({}, 503), TryLater("", for_all=True)),
        (Said({"error": {"code": "ErrorAccessDenied"}}, 403), Misconfigured("")),
        (Said({}, 401), Misconfigured("")),
        (Said({"error": {"code": "MailboxNotEnabledForRESTAPI"}}, 404), Misconfigured("")),
        (Said({"error": {"code": "ErrorMimeContentInvalidBase64String"}}, 400), Rejected("")),
        (CLOSE, TryLater("", for_all=True)),
    ],
)
async def test_what_an_answer_means(database: Any, monkeypatch: pytest.MonkeyPatch, said: Any, fate: Fate) -> None:
    async with graph(monkeypatch, lambda request: said):
        (told,) = await fates(CONFIG, message())
    assert type(told) is type(fate)
    if isinstance(told, TryLater) and isinstance(fate, TryLater):
        assert told.for_all
        assert fate.after is None or told.after == fate.after
    if isinstance(told, Rejected):
        assert not told.is_gone


async def test_what_is_missing_is_said_when_it_is_set_up(fresh_database: Any, fresh_who: Any) -> None:
    admin = await fresh_who("admin")
    path = "/notification-channels/email"
    version = (await admin.get(path))["version"]
    refused = await admin.put(path, {"version": version, "is_on": True, "settings": {"way": GRAPH}}, expect=422)
    assert [e["pointer"] for e in refused["errors"]] == [
        f"/settings/{key}" for key in ("sender", "tenant", "client_id", "client_secret")
    ]
    await admin.put(path, {"version": version, "is_on": False, "settings": {}}, expect=422)
    made = await admin.put(path, {"version": version, "is_on": True, "settings": CONFIG})
    assert "s" not in [f["value"] for f in made["fields"]]
    assert made["is_fixed"]
    back = await admin.put(path, {"version": made["version"], "is_on": True, "settings": {"way": "SMTP"}})
    assert back["fields"][0]["value"] == "SMTP"
