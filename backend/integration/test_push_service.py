"""A push service that is not ours: it checks who sends, opens what was sealed for a browser, and lets one go."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from integration.systems import npm, running
from waypost.kernel import outgoing, relay
from waypost.kernel.embedded import free_port
from waypost.kernel.settings import get_settings
from waypost.notifications import sending
from waypost.notifications.channels import push
from waypost.notifications.models import Delivery


@pytest.fixture(scope="module")
def pushes() -> Iterator[str]:
    programs = npm("web-push-testing", "1.2.2")
    port = free_port()
    server = programs.parent / "web-push-testing" / "src" / "bin" / "server.js"
    with running("node", str(server), str(port), ready="Server running"):
        yield f"http://localhost:{port}"


@pytest.fixture
async def service(pushes: str, fresh_database: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    monkeypatch.setenv("PUSH_SERVICES", '["localhost"]')
    monkeypatch.setenv("OUTGOING_ALLOW", '["127.0.0.0/8", "::1/128"]')
    get_settings.cache_clear()
    push._busy.clear()
    async with httpx2.AsyncClient(base_url=pushes) as http:
        yield http
    monkeypatch.undo()
    get_settings.cache_clear()
    outgoing._allowed.cache_clear()


async def test_a_browser_is_told_until_it_is_gone(
    service: Any, fresh_database: Any, fresh_who: Any, hardware: Any
) -> None:
    jane, mike = await fresh_who("employee"), await fresh_who("manager")
    key = (await mike.get("/push/key"))["public_key"]
    asked = {"userVisibleOnly": "true", "applicationServerKey": key}  # the option as this service reads it
    answer = await service.post("/subscribe", json=asked)
    assert answer.status_code == 200, answer.text
    given = answer.json()["data"]
    subscription = {"endpoint": given["endpoint"], "keys": given["keys"]}
    body = {"channel": "push", "subscription": subscription, "label": "Chrome on Linux"}
    made = await mike.post("/contact-points", body, expect=201)

    ticket = await jane.post("/tickets", hardware("500.00"), expect=201)
    await relay.drain(fresh_database)
    await sending.send_due(fresh_database)
    assert [(d.status, d.last_error) for d in await deliveries(fresh_database)] == [("SENT", None)]
    answer = await service.post("/get-notifications", json={"clientHash": given["clientHash"]})
    (read,) = answer.json()["data"]["messages"]
    said = json.loads(read)
    assert ticket["title"] in said["title"]
    assert said["body"] == ticket["ticket_number"]
    assert said["tag"].startswith("step-")

    await service.post(f"/expire-subscription/{given['clientHash']}")
    await mike.post(f"/contact-points/{made['id']}/test", expect=202)
    await sending.send_due(fresh_database)
    last = (await deliveries(fresh_database))[-1]
    assert (last.status, "410" in last.last_error) == ("FAILED", True)
    assert [p["is_stopped"] for p in (await mike.get("/contact-points"))["items"]] == [True]


async def test_a_message_signed_with_another_key_is_not_taken(
    service: Any, fresh_database: Any, fresh_who: Any
) -> None:
    mike = await fresh_who("manager")
    await mike.get("/push/key")
    other = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
    answer = await service.post("/subscribe", json={"userVisibleOnly": "true", "applicationServerKey": other})
    given = answer.json()["data"]
    subscription = {"endpoint": given["endpoint"], "keys": given["keys"]}
    made = await mike.post("/contact-points", {"channel": "push", "subscription": subscription}, expect=201)
    await mike.post(f"/contact-points/{made['id']}/test", expect=202)
    await sending.send_due(fresh_database)
    (row,) = await deliveries(fresh_database)
    assert row.status == "FAILED"
    assert "400" in row.last_error


async def deliveries(database: Any) -> list[Delivery]:
    async with database.read() as session:
        return list(await session.scalars(select(Delivery).where(Delivery.channel == "push").order_by(Delivery.id)))
