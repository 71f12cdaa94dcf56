"""Sending a mail through Microsoft Graph as its published contract has it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest

from integration.prism import prism
from tests.notifications.wire import Wire, wire
from waypost.vendors import microsoft
from waypost.vendors.answers import client
from waypost.vendors.fates import Delivered, TryLater

MAIL = (
    b"From: desk@example.com\r\nTo: jane@example.com\r\nSubject: Hello\r\nMessage-ID: <1@example.com>\r\n\r\nHello\r\n"
)


@pytest.fixture(scope="module")
def graph() -> Iterator[str]:
    with prism("msgraph-v1.oas30.json") as url:
        yield url


@pytest.fixture
async def login() -> AsyncIterator[Wire]:
    microsoft._tokens.clear()
    microsoft._asking.clear()
    async with wire(lambda request: {"access_token": "t", "expires_in": 3600}) as made:
        yield made


async def test_a_mail_as_the_contract_has_it(graph: str, login: Wire) -> None:
    app = microsoft.App(login.url, graph, "", "t", "c", "s")
    async with client() as http:
        assert await microsoft.send_mail(http, app, "desk@example.com", MAIL) == Delivered()


async def test_being_busy_as_the_contract_has_it(graph: str, login: Wire) -> None:
    app = microsoft.App(login.url, graph, "", "t", "c", "s")
    async with client(headers={"Prefer": "code=429"}) as http:
        fate = await microsoft.send_mail(http, app, "desk@example.com", MAIL)
    assert isinstance(fate, TryLater)
    assert (fate.after, fate.for_all) == (timedelta(seconds=2), True)
