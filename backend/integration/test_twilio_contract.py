"""Every call to Twilio as its published contract has it, and what its refusals mean."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from integration.prism import prism
from tests.notifications.texting import TOKEN, set_up
from waypost.kernel.clock import now
from waypost.kernel.settings import get_settings
from waypost.notifications import sending
from waypost.notifications.models import ContactPoint, Delivery
from waypost.vendors.answers import ask, client
from waypost.vendors.fates import Delivered, Rejected
from waypost.vendors.sms import Text, Twilio, send_twilio

ACCOUNT, SENDER = "AC" + "0123456789abcdef" * 2, "+15551230000"
TEXT = Text("+4915112345678", "Größe – 5 €", "https://waypost.example.com/reports?delivery=1", timedelta(minutes=15))


@pytest.fixture(scope="module")
def twilio() -> Iterator[str]:
    with prism("twilio-messages.slice.json") as url:
        yield url


async def test_a_message_is_taken(twilio: str) -> None:
    async with client() as http:
        fate = await send_twilio(http, Twilio(twilio, ACCOUNT, TOKEN, SENDER), TEXT)
        assert isinstance(fate, Delivered), fate
        assert fate.ref
        by_service = Twilio(twilio, ACCOUNT, TOKEN, "MG" + "0123456789abcdef" * 2)
        assert isinstance(await send_twilio(http, by_service, TEXT), Delivered)


async def test_the_contract_is_held(twilio: str) -> None:
    """What it refuses, it refuses here too: so what it took above is right."""
    path = f"{twilio}/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    async with client() as http:
        assert (await ask(http, "POST", path, data={"Body": "x"}, auth=(ACCOUNT, TOKEN))).status == 422, "no To"
        assert (await ask(http, "POST", path, json={"To": "+1"}, auth=(ACCOUNT, TOKEN))).status == 415
        assert (await ask(http, "POST", path, data={"To": "+1", "Body": "x"})).status == 401
        wrong = await send_twilio(http, Twilio(twilio, "nobody", TOKEN, SENDER), TEXT)
        assert wrong == Rejected("Twilio answers 422"), "an account's id is AC and 32 digits"


async def test_a_test_goes_out(
    twilio: str, fresh_database: Any, fresh_who: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_URL", twilio)
    monkeypatch.setenv("PUBLIC_URL", "https://waypost.example.com")
    get_settings.cache_clear()
    admin = await fresh_who("admin")
    settings = {"driver": "twilio", "sender": SENDER, "account": ACCOUNT}
    await set_up(fresh_database, settings, {"auth_token": TOKEN})
    async with fresh_database.transaction() as session:
        at = now()
        session.add(
            ContactPoint(user_id=admin.id, channel="sms", address=TEXT.to, verified_at=at, details={}, created_at=at)
        )
    await admin.post("/notification-channels/sms/test", expect=202)
    await sending.send_due(fresh_database)
    async with fresh_database.read() as session:
        (sent,) = await session.scalars(select(Delivery).where(Delivery.channel == "sms"))
    assert (sent.status, sent.last_error, sent.segments) == ("SENT", None, 1)
    assert sent.provider_ref
    get_settings.cache_clear()
