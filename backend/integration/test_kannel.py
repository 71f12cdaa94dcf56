"""A real gateway: what goes out arrives and is reported, what a phone answers decides."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from sqlalchemy import select

from integration.kannel import PASSWORD, USERNAME, kannel
from tests.notifications.texting import HOOK, set_up
from tests.notifications.wire import Request, Said, wire
from waypost.kernel import relay
from waypost.kernel.clock import now
from waypost.kernel.settings import get_settings
from waypost.notifications import sending
from waypost.notifications.models import ChannelSettings, ContactPoint, Delivery
from waypost.notifications.sms_models import IncomingSms

PHONE, STRANGER = "+4915112345678", "+4915100000000"
PARAMETERS = (
    "username={username}&password={password}&from={sender}&to={to}&text={text}&charset=UTF-8&coding={coding}"
    "&dlr-mask=31&dlr-url={report_url}%26status%3D%d"
)


async def until(done: Callable[[], Any], what: str) -> Any:
    for _ in range(200):
        found = done()
        found = await found if asyncio.iscoroutine(found) else found
        if found:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"never: {what}")


@pytest.fixture
async def door(fresh_who: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """The product at an address of its own, as Kannel reaches it."""
    anybody = await fresh_who("employee")

    async def serve(request: Request) -> Said:
        path = request.path.removeprefix("/api/v1")
        answer = await anybody.http.request(request.method, path, content=request.body)
        return Said(answer.content, answer.status_code)

    async with wire(serve) as made:
        monkeypatch.setenv("PUBLIC_URL", made.url)
        monkeypatch.setenv("OUTGOING_ALLOW", '["127.0.0.0/8"]')
        get_settings.cache_clear()
        yield made
        get_settings.cache_clear()


async def test_a_decision_over_a_real_gateway(door: Any, fresh_database: Any, fresh_who: Any, hardware: Any) -> None:
    jane, mike = await fresh_who("employee"), await fresh_who("manager")
    hook = f"{door.url}/api/v1/integrations/sms/gateway/{HOOK}/messages"
    with kannel(hook) as gateway:
        settings = {
            "driver": "generic-http",
            "sender": "13013",
            "url": gateway.url,
            "username": USERNAME,
            "parameters": PARAMETERS,
            "taken_when": "Accepted",
            "takes_replies": True,
        }
        await set_up(fresh_database, settings, {"password": PASSWORD, "hook_secret": HOOK})
        async with fresh_database.transaction() as session:
            at = now()
            session.add(
                ContactPoint(user_id=mike.id, channel="sms", address=PHONE, verified_at=at, details={}, created_at=at)
            )
        chosen = await mike.get("/notifications/preferences")
        chosen["events"] = {"approval.requested": {"sms": True}}
        await mike.put("/notifications/preferences", chosen)

        with gateway.phone(STRANGER, "APPROVE 33333") as network:
            ticket = await jane.post("/tickets", hardware("500.00", title="Notebook für „Größe“ & co"), expect=201)
            await relay.drain(fresh_database)
            await sending.send_due(fresh_database)
            (asked,) = await deliveries(fresh_database)
            assert (asked.status, asked.last_error, asked.segments) == ("SENT", None, 2)
            code = await until(
                lambda: re.search(r"Reply[ +]APPROVE[ +]([0-9A-Z]{5})", network.got()), "the message reaches the phone"
            )
            assert PHONE in network.got()

            async def arrived() -> bool:
                return (await deliveries(fresh_database))[0].receipt == "DELIVERED"

            await until(arrived, "the network reports that it arrived")

            async def strangers() -> list[Any]:
                async with fresh_database.read() as session:
                    return list(await session.scalars(select(IncomingSms.outcome)))

            assert await until(strangers, "what a stranger says comes in") == ["UNKNOWN"]

        with gateway.phone(PHONE, f"approve {code[1]} go ahead") as phone:

            async def decided() -> bool:
                return bool((await jane.get(f"/tickets/{ticket['id']}"))["status"] == "APPROVED")

            await until(decided, "the answer decides")
            await sending.send_due(fresh_database)
            await until(lambda: "Approved" in phone.got(), "the phone reads what became of it")
        assert len(await deliveries(fresh_database)) == 2, "a stranger is answered nothing"


async def test_a_wrong_password_is_a_wrong_setting(
    door: Any, fresh_database: Any, fresh_who: Any, hardware: Any
) -> None:
    admin = await fresh_who("admin")
    with kannel(f"{door.url}/api/v1/x") as gateway:
        settings = {"driver": "generic-http", "sender": "1", "url": gateway.url, "username": USERNAME}
        await set_up(fresh_database, settings, {"password": "wrong"})
        async with fresh_database.transaction() as session:
            at = now()
            session.add(
                ContactPoint(user_id=admin.id, channel="sms", address=PHONE, verified_at=at, details={}, created_at=at)
            )
        await admin.post("/notification-channels/sms/test", expect=202)
        await sending.send_due(fresh_database)
        (sent,) = await deliveries(fresh_database)
        assert (sent.status, sent.last_error) == ("PENDING", "the gateway answers 403")
        async with fresh_database.read() as session:
            channel = await session.get(ChannelSettings, "sms")
        assert channel.open_until is not None


async def deliveries(database: Any) -> list[Delivery]:
    async with database.read() as session:
        found = select(Delivery).where(Delivery.channel == "sms").order_by(Delivery.id)
        return list(await session.scalars(found))
