"""How much one caller may ask for: so many requests a minute, whoever answers them.

Each process counts what comes to it, and once a second tells the others through Valkey and hears what they counted. So a
request waits for nobody, and what a burst gets beyond its limit is what comes within that second. While Valkey is away
every process goes on with its own count: the limit grows with the number of processes, and is never gone.

The headers are those of draft-ietf-httpapi-ratelimit-headers (version 10 and later): `RateLimit-Policy: "person";q=…;w=60`
and `RateLimit: "person";r=…;t=…`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import RedisError

from waypost.kernel import background
from waypost.kernel.errors import Kind, Refusal
from waypost.kernel.logs import get_logger

log = get_logger(__name__)
WINDOW = 60  # seconds a quota is for
SHARED_EVERY = 1.0


class TooManyRequests(Refusal):
    """Too many requests in a short time. Please wait a moment."""

    code, kind, title = "too_many_requests", Kind.THROTTLED, "Please wait"


@dataclass(frozen=True, slots=True)
class Policy:
    """A limit by name: `quota` requests in a window of `WINDOW` seconds."""

    name: str
    quota: int

    def __str__(self) -> str:
        return f'"{self.name}";q={self.quota};w={WINDOW}'


@dataclass(frozen=True, slots=True)
class Standing:
    """How somebody stands after a request: `remaining` of the quota, which begins anew in `reset` seconds."""

    policy: Policy
    remaining: int
    reset: int

    @property
    def is_over(self) -> bool:
        """Whether this request was one too many."""
        return self.remaining < 0

    def headers(self) -> dict[str, str]:
        """What the answer says of it."""
        return {
            "RateLimit-Policy": str(self.policy),
            "RateLimit": f'"{self.policy.name}";r={max(0, self.remaining)};t={self.reset}',
        }


@dataclass(slots=True)
class _Count:
    window: int
    own: int = 0  # taken in this process
    told: int = 0  # of them the others know of
    others: int = 0  # taken in other processes, as far as we know


class Limiter:
    """The counts of one process. `clock` gives seconds of the day's clock, which all processes share."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._counts: dict[tuple[str, str], _Count] = {}
        self._is_away = False

    def take(self, policy: Policy, whose: str) -> Standing:
        """Count one request, and say how its caller stands now."""
        window, passed = divmod(int(self._clock()), WINDOW)
        count = self._counts.get((policy.name, whose))
        if count is None or count.window != window:
            count = self._counts[policy.name, whose] = _Count(window)
        count.own += 1
        return Standing(policy, policy.quota - count.own - count.others, WINDOW - passed)

    def give_back(self, policy: Policy, whose: str) -> None:
        """Uncount one request, which turned out to be counted elsewhere."""
        count = self._counts.get((policy.name, whose))
        if count is not None and count.window == int(self._clock()) // WINDOW and count.own > 0:
            count.own -= 1

    async def share(self, valkey: Redis) -> None:
        """Tell the others what was counted here since the last time, and hear of theirs; forget what is over."""
        window = int(self._clock()) // WINDOW
        self._counts = {key: count for key, count in self._counts.items() if count.window == window}
        fresh = [(key, count, count.own - count.told) for key, count in self._counts.items() if count.own != count.told]
        if not fresh:
            return
        try:
            async with valkey.pipeline(transaction=False) as pipe:
                for (name, whose), _, new in fresh:
                    key = f"waypost:limit:{name}:{whose}:{window}"
                    pipe.incrby(key, new)
                    pipe.expire(key, 2 * WINDOW)
                totals = (await pipe.execute())[::2]
        except (RedisError, OSError) as away:
            if not self._is_away:
                log.warning("requests are counted by each process alone", why=type(away).__name__)
            self._is_away = True
            return
        self._is_away = False
        for (_, count, new), total in zip(fresh, totals, strict=True):
            count.told += new
            count.others = int(total) - count.told


limiter = Limiter()


def slow_down(policy: Policy, whose: str, refusal: type[Refusal] = TooManyRequests) -> Standing:
    """Count one request under a limit, and say how its caller stands. Raises `refusal` when it is one too many."""
    standing = limiter.take(policy, whose)
    if standing.is_over:
        raise refusal(retry_after=standing.reset, policy=str(policy))
    return standing


@asynccontextmanager
async def shared(valkey: Redis) -> AsyncIterator[None]:
    """While this is open, the counts of this process and those of the others come together every second."""

    async def keep_sharing() -> None:
        while True:
            await asyncio.sleep(SHARED_EVERY)
            await limiter.share(valkey)

    task = asyncio.create_task(keep_sharing())
    try:
        yield
    finally:
        await background.end(task)
