"""Work that takes long and holds a connection meanwhile: so much of it at a time in a process, the others wait in turn.

What else there is to answer keeps the rest of the pool, however many ask for such work at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from waypost.kernel.errors import Unavailable
from waypost.kernel.settings import get_settings

AGAIN_IN = 2  # seconds until it is worth asking again


class Turns:
    """`share` of a pool's connections at most; who waits longer than `patience` seconds is told to come again."""

    def __init__(self, *, share: float, patience: float, refusal: type[Unavailable]) -> None:
        self.patience = patience
        self.waiting = 0
        self._share = share
        self._refusal = refusal
        self._gate: asyncio.Semaphore | None = None

    @property
    def at_once(self) -> int:
        """How many go on at a time."""
        return max(1, int(get_settings().database_pool_size * self._share))

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Have a turn while this is open. Raises the refusal. Ask before a connection is taken, never while holding one."""
        if self._gate is None:
            self._gate = asyncio.Semaphore(self.at_once)
        gate = self._gate
        self.waiting += 1
        try:
            async with asyncio.timeout(self.patience):
                await gate.acquire()
        except TimeoutError as late:
            raise self._refusal(retry_after=AGAIN_IN) from late
        finally:
            self.waiting -= 1
        try:
            yield
        finally:
            gate.release()
