"""Every check of `scim2-tester`, over HTTP as an identity system would ask, in this process."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

from waypost.access.providers.models import IdentityProvider

from .pushing import a_token


class Across(httpx2.BaseTransport):
    """A blocking client in a thread of its own, answered by the app in the loop of the tests."""

    def __init__(self, app: Any, loop: asyncio.AbstractEventLoop) -> None:
        self.inner = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        self.loop = loop

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        async def answered() -> httpx2.Response:
            answer = await self.inner.handle_async_request(request)
            body = await answer.aread()
            return httpx2.Response(answer.status_code, headers=answer.headers, content=body)

        return asyncio.run_coroutine_threadsafe(answered(), self.loop).result(180)


async def test_every_check_of_the_tester_passes(app: Any, database: Any, provider: IdentityProvider) -> None:
    from waypost.access.scim.door import base_url

    token = await a_token(database, provider)
    transport = Across(app, asyncio.get_running_loop())
    http = httpx2.Client(
        transport=transport, base_url=base_url(), headers={"Authorization": f"Bearer {token}"}, timeout=180
    )

    results = await asyncio.to_thread(lambda: check_server(SyncSCIMClient(http)))

    http.close()
    bad = [
        f"{r.status.name} {r.title}: {r.reason}" for r in results if r.status not in (Status.SUCCESS, Status.COMPLIANT)
    ]
    assert bad == []
    assert len(results) > 100
