"""A load generator: connections that are kept alive, each sending its next request when the last one is answered."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import uvloop


@dataclass(frozen=True, slots=True)
class Result:
    """What a run gave. Latencies are in milliseconds."""

    requests: int
    errors: int
    seconds: float
    p50: float
    p99: float
    mean: float
    body_bytes: int

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.requests / self.seconds

    def holds(self, concurrency: int) -> float:
        """Little's law: rate times mean latency, over the connections; far from 1 means the figures are not to be trusted."""
        return self.rate * self.mean / 1000 / concurrency


class _Line(asyncio.Protocol):
    def __init__(self, run: _Run) -> None:
        self.run = run
        self.data = bytearray()
        self.sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.ask()

    def ask(self) -> None:
        self.data.clear()
        self.wanted = -1
        self.sent = time.perf_counter()
        self.transport.write(self.run.next_request())

    def data_received(self, data: bytes) -> None:
        self.data += data
        if self.wanted < 0:
            end = self.data.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self.data[:end]).lower()
            at = head.find(b"content-length:")
            length = (
                int(head[at + 15 : head.find(b"\r\n", at) if head.find(b"\r\n", at) > 0 else None]) if at > 0 else 0
            )
            self.wanted = end + 4 + length
            self.length = length
        if len(self.data) >= self.wanted:
            self.run.answered(self.data[9:12], time.perf_counter() - self.sent, self.length)
            if self.run.is_over:
                self.transport.close()
            else:
                self.ask()

    def connection_lost(self, error: Exception | None) -> None:
        self.run.lost()


class _Run:
    def __init__(self, request: Callable[[int], bytes], connections: int, warm_up: float, seconds: float) -> None:
        self._request = request
        self._numbers = itertools.count()
        self._open = connections
        self.ended = asyncio.get_running_loop().create_future()
        self.begin = time.perf_counter() + warm_up
        self.end = self.begin + seconds
        self.is_over = False
        self.latencies: list[float] = []
        self.errors = self.length = 0

    def next_request(self) -> bytes:
        return self._request(next(self._numbers))

    def answered(self, status: bytes, took: float, length: int) -> None:
        at = time.perf_counter()
        self.is_over = at >= self.end
        if self.begin <= at < self.end:
            self.latencies.append(took)
            self.length += length
            self.errors += not status.startswith(b"2")

    def lost(self) -> None:
        self._open -= 1
        if not self._open and not self.ended.done():
            self.ended.set_result(None)


def measure(
    host: str,
    port: int,
    request: Callable[[int], bytes],
    *,
    connections: int = 16,
    warm_up: float = 1.0,
    seconds: float = 5.0,
) -> Result:
    """Send `request(n)` for n = 0, 1, … over so many connections for so long."""

    async def go() -> Result:
        loop = asyncio.get_running_loop()
        run = _Run(request, connections, warm_up, seconds)
        for _ in range(connections):
            await loop.create_connection(lambda: _Line(run), host, port)
        await run.ended
        took = sorted(run.latencies)
        if not took:
            raise SystemExit("the server gave no answer")
        return Result(
            requests=len(took),
            errors=run.errors,
            seconds=seconds,
            p50=took[len(took) // 2] * 1000,
            p99=took[int(len(took) * 0.99)] * 1000,
            mean=sum(took) / len(took) * 1000,
            body_bytes=run.length // len(took),  # on average
        )

    return uvloop.run(go())


def http(method: str, path: str, token: str, body: bytes = b"") -> bytes:
    """A request's bytes."""
    head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body
