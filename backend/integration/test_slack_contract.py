"""Every call to Slack as its published contract has it, and what its refusals mean; whole decisions on the way."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import select

from integration.prism import prism
from tests.notifications.test_slack import connect, signed
from waypost.kernel import relay
from waypost.kernel.settings import get_settings
from waypost.notifications import sending, slack_blocks
from waypost.notifications.channels.slack import _talks
from waypost.notifications.models import Delivery
from waypost.vendors.answers import client
from waypost.vendors.fates import Rejected, TryLater
from waypost.vendors.slack import SlackError, Workspace, call


@pytest.fixture(scope="module")
def slack() -> Iterator[str]:
    with prism("slack-web-api.oas31.json") as url:
        yield url


@pytest.fixture
async def connected(slack: str, fresh_database: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    monkeypatch.setenv("SLACK_API_URL", slack)
    get_settings.cache_clear()
    _talks.clear()
    await connect(fresh_database)
    yield fresh_database
    get_settings.cache_clear()


async def test_a_decision_from_its_message_to_its_end(connected: Any, fresh_who: Any, hardware: Any) -> None:
    jane = await fresh_who("employee")
    ticket = await jane.post("/tickets", hardware("500.00"), expect=201)
    await relay.drain(connected)
    await sending.send_due(connected)
    (asked,) = await deliveries(connected)
    assert (asked.status, asked.last_error) == ("SENT", None)
    assert asked.provider_ref == "C1H9RESGL:1503435956.000247", "as the contract's example has it"
    press = {"action_id": "approve", "value": slack_blocks.button_value(asked.words["decide"]), "type": "button"}
    # the account in the contract's example of users.lookupByEmail
    payload = {"type": "block_actions", "user": {"id": "W012A3CDE"}, "trigger_id": "1.2.x", "actions": [press]}
    body = urlencode({"payload": json.dumps(payload)}).encode()
    answer = await jane.http.post("/integrations/slack/interactions", content=body, headers=signed(body))
    assert (answer.status_code, answer.content) == (200, b"")
    assert (await jane.get(f"/tickets/{ticket['id']}"))["status"] == "APPROVED"
    await relay.drain(connected)
    await sending.send_due(connected)
    settled = (await deliveries(connected))[-1]
    assert (settled.kind, settled.status, settled.last_error) == ("approval.settled", "SENT", None)


async def deliveries(database: Any) -> list[Delivery]:
    async with database.read() as session:
        found = select(Delivery).where(Delivery.channel == "slack").order_by(Delivery.id)
        return list(await session.scalars(found))


async def test_a_form_is_taken(slack: str) -> None:
    view = slack_blocks.form("reject", "ITH-2026-000001 Laptop", {"verb": "reject", "value": "5.1"})
    async with client() as http:
        assert (await call(http, Workspace(slack, "xoxb-1"), "views.open", {"trigger_id": "1", "view": view}))["ok"]


async def test_a_person_is_asked_for(slack: str) -> None:
    async with client() as http:
        found = await call(http, Workspace(slack, "xoxb-1"), "users.info", {"user": "W012A3CDE"})
    assert "@" in found["user"]["profile"]["email"]


async def fate(slack: str, prefer: str, method: str, arguments: dict[str, Any], token: str = "xoxb-1") -> Any:
    async with client(headers={"Prefer": prefer} if prefer else {}) as http:
        with pytest.raises(SlackError) as refused:
            await call(http, Workspace(slack, token), method, arguments)
    return refused.value.fate


async def test_what_its_refusals_mean(slack: str) -> None:
    message = {"channel": "C1", "text": "x"}
    busy = await fate(slack, "code=429", "chat.postMessage", message)
    assert busy == TryLater("Slack answers 429", timedelta(seconds=1), for_all=True)
    refused = await fate(slack, "example=error", "chat.postMessage", message)
    assert refused == Rejected("Slack says too_many_attachments")
    unknown = await fate(slack, "example=error", "users.lookupByEmail", {"email": "x@example.com"})
    assert unknown == Rejected("Slack says users_not_found", is_gone=True)
    lacking = await fate(slack, "", "chat.postMessage", {"text": "x"})
    assert lacking == Rejected("Slack answers 422"), "the contract is held: a message needs its channel"
