"""What tests of several channels share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.notifications.texting import HOOK, TOKEN, Network, Texting, set_up
from tests.notifications.wire import wire
from waypost.kernel.settings import get_settings


@pytest.fixture
async def texting(
    fresh_database: Any, fresh_who: Any, hardware: Any, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Texting]:
    """An installation that sends text messages by a gateway on loopback, and takes answers."""
    network, known = Network(), dict[str, Any]()

    async def who(username: str) -> Any:
        if username not in known:
            known[username] = await fresh_who(username)
        return known[username]

    async with wire(network) as made:
        monkeypatch.setenv("OUTGOING_ALLOW", '["127.0.0.0/8"]')
        monkeypatch.setenv("TWILIO_URL", made.url)
        monkeypatch.setenv("PUBLIC_URL", "https://waypost.example.com")
        monkeypatch.setenv("NOTIFY_GATHER_SECONDS", "0")
        get_settings.cache_clear()
        settings = {
            "driver": "generic-http",
            "sender": "+4932211234567",
            "url": f"{made.url}/send?key=1",
            "username": "us&er",
            "parameters": "username={username}&password={password}&to={to}&text={text}&coding={coding}&dlr-url={report_url}",
            "takes_replies": True,
        }
        await set_up(fresh_database, settings, {"password": "pass word&", "hook_secret": HOOK})
        yield Texting(made, network, fresh_database, who, hardware)
        get_settings.cache_clear()


@pytest.fixture
async def twilio(texting: Texting) -> Texting:
    """The same by Twilio."""
    settings = {"driver": "twilio", "sender": "+4932211234567", "account": "AC" + "0" * 32, "takes_replies": True}
    await set_up(texting.database, settings, {"auth_token": TOKEN})
    return texting
