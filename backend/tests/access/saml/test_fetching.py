"""Metadata from an address somebody typed in: what comes, what is too much, too slow, or not to be called."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tests.access.saml.test_core import described
from waypost.access.providers.saml import bounded, fetching
from waypost.access.providers.saml.errors import MetadataUnusable
from waypost.kernel.settings import get_settings


@pytest.fixture(autouse=True)
async def house(monkeypatch: pytest.MonkeyPatch, servers: dict[str, str]) -> AsyncIterator[None]:
    """This machine may be called."""
    monkeypatch.setenv("OUTGOING_ALLOW", '["127.0.0.0/8"]')
    get_settings.cache_clear()
    yield
    monkeypatch.undo()
    get_settings.cache_clear()
    await bounded.close()


@asynccontextmanager
async def answering(work: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[str]:
    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        try:
            await work(writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/metadata"


def plain(status: str, body: bytes) -> Callable[[asyncio.StreamWriter], Awaitable[None]]:
    async def work(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        await writer.drain()

    return work


async def endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    while True:
        writer.write(b" " * 65536)
        await writer.drain()


async def silent(_: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3)


async def test_what_stands_at_the_address() -> None:
    async with answering(plain("200 OK", described().encode())) as url:
        found = await fetching.read_metadata(url=url, document=None)
    assert found.settings["entity_id"] == "https://idp.example.com/metadata"


@pytest.mark.parametrize(
    ("work", "words"),
    [
        (plain("404 Not Found", b""), "answers 404"),
        (plain("302 Found\r\nLocation: http://169.254.169.254/", b""), "answers 302"),
        (plain("200 OK", b"<html>hello</html>"), "0 identity providers"),
        (endless, "too much"),
        (silent, "No answer within 1 seconds"),
    ],
)
async def test_what_is_of_no_use(
    work: Callable[[asyncio.StreamWriter], Awaitable[None]], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "LONGEST", 1.0)
    async with answering(work) as url:
        with pytest.raises(MetadataUnusable, match=words):
            await fetching.read_metadata(url=url, document=None)


async def test_addresses_that_are_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MetadataUnusable, match="Nothing answers"):
        await fetching.read_metadata(url="http://127.0.0.1:9/", document=None)
    monkeypatch.setenv("OUTGOING_ALLOW", "[]")
    get_settings.cache_clear()
    for url in ("http://127.0.0.1:9/", "https://127.0.0.1:9/", "https://[::ffff:127.0.0.1]/", "ftp://example.com/"):
        with pytest.raises(MetadataUnusable, match="not called"):
            await fetching.read_metadata(url=url, document=None)
