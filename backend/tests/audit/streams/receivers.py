"""Receivers of the trail for tests: they keep what comes, and can be slow, away, or say no."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any


class SyslogReceiver:
    """Takes octet-counted messages over TCP."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.port = 0
        self.dies_after: int | None = None  # bytes of one connection, then it breaks off with the rest unread
        self.delay = 0.0

    async def hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(self.delay)
        if self.dies_after is not None:
            await reader.read(self.dies_after)
            writer.transport.abort()
            return
        content = await reader.read()
        while content:
            length, _, rest = content.partition(b" ")
            self.messages.append(rest[: int(length)])
            content = rest[int(length) :]
        writer.close()

    def positions(self) -> list[int]:
        return [json.loads(m[m.index(b"\xef\xbb\xbf") + 3 :])["position"] for m in self.messages]


@asynccontextmanager
async def syslog_receiver(port: int = 0) -> AsyncIterator[SyslogReceiver]:
    made = SyslogReceiver()
    server = await asyncio.start_server(made.hear, "127.0.0.1", port, limit=2**24)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()


class HttpReceiver:
    """Takes POSTs; answers with `status`."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.status = "204 No Content"
        self.more = ""
        self.port = 0

    async def hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head.split("\r\n")[1:])}
        content = await reader.readexactly(int(headers.get("content-length", 0)))
        self.headers.append(headers)
        if headers.get("content-encoding") == "gzip":
            content = gzip.decompress(content)
        if self.status.startswith("2"):
            is_array = headers["content-type"] == "application/json"
            self.entries += json.loads(content) if is_array else [json.loads(x) for x in content.splitlines()]
        writer.write(f"HTTP/1.1 {self.status}\r\n{self.more}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    def positions(self) -> list[int]:
        return [e["position"] for e in self.entries]


@asynccontextmanager
async def http_receiver() -> AsyncIterator[HttpReceiver]:
    made = HttpReceiver()
    server = await asyncio.start_server(made.hear, "127.0.0.1", 0, limit=2**24)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
