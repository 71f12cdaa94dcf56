"""A server on loopback that answers as it is told to, keeps what it took, and can misbehave as networks do."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

HANG, CLOSE, CUT, DRIP, ENDLESS = "hang", "close", "cut", "drip", "endless"


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Said:
    """An answer. `body` is JSON unless it is bytes."""

    body: Any = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Wire:
    """`says` makes the answer to a request, at once or awaited: a `Said`, a JSON document, or one of `HANG`,
    `CLOSE`, `CUT` (in the middle of the answer), `DRIP` (byte by byte, for long) and `ENDLESS`."""

    says: Callable[[Request], Any]
    url: str = ""
    taken: list[Request] = field(default_factory=list)

    def of(self, path: str) -> list[Request]:
        return [r for r in self.taken if r.path.partition("?")[0].strip("/") == path.strip("/")]


async def _badly(writer: asyncio.StreamWriter, how: str) -> None:
    writer.write(b"HTTP/1.1 200 X\r\ncontent-length: 1000000000\r\n\r\n")
    if how == CUT:
        writer.write(b'{"ok": true')
    while how != CUT:
        writer.write(b" " if how == DRIP else b" " * 65536)
        await writer.drain()
        await asyncio.sleep(0.02 if how == DRIP else 0)
    await writer.drain()


@asynccontextmanager
async def wire(says: Callable[[Request], Any]) -> AsyncIterator[Wire]:
    made = Wire(says)
    tasks: set[Any] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        tasks.add(task)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                first, *lines = head.strip().split("\r\n")
                method, path, _ = first.split(" ")
                headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                request = Request(method, path, headers, body)
                made.taken.append(request)
                answer = made.says(request)
                if inspect.isawaitable(answer):
                    answer = await answer
                if answer == HANG:
                    await asyncio.sleep(60)
                if answer in (CUT, DRIP, ENDLESS):
                    await _badly(writer, answer)
                if answer in (HANG, CLOSE, CUT, DRIP, ENDLESS):
                    return
                said = answer if isinstance(answer, Said) else Said(answer)
                content = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
                more = "".join(f"{k}: {v}\r\n" for k, v in said.headers.items())
                writer.write(
                    f"HTTP/1.1 {said.status} X\r\ncontent-length: {len(content)}\r\n{more}\r\n".encode() + content
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()
            tasks.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        server.close()
        await server.wait_closed()
