"""After a commit: wake the relay and the open screens at once, instead of at their next look.

A hint is a courtesy. It is lost when Valkey is away, and then the timers find the work seconds later.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.kernel import background, tls
from waypost.kernel.db import Database
from waypost.kernel.logs import get_logger
from waypost.kernel.settings import Settings

log = get_logger(__name__)
CHANNEL = "waypost:events"
RELAY = "relay.drain"  # the task that hands events to their consumers
QUIET = 0.02  # seconds between two hints of one process: a burst of commits is one hint
wake: Callable[[str], None] | None = None  # how to ask a worker for a task; set by the door that knows Celery


def connect(settings: Settings) -> Redis:
    """A client that gives up quickly: nothing a person waits for depends on it."""
    if settings.redis_url is None:
        raise RuntimeError("REDIS_URL is not set; start with `make run`, which brings its own Valkey")
    address = settings.redis_url.get_secret_value()
    trust: dict[str, Any] = {}
    if address.startswith("rediss://"):
        trust = {"ssl_ciphers": tls.CIPHERS, "ssl_min_version": ssl.TLSVersion.TLSv1_2}
    if settings.redis_ca_file:
        trust["ssl_ca_certs"] = str(settings.redis_ca_file)
    return Redis.from_url(
        address,
        socket_connect_timeout=1,
        socket_timeout=5,
        health_check_interval=30,
        **trust,
    )


async def ask(task: str) -> None:
    """Ask a worker to run a task now. Losing this is no error: its timer runs it."""
    if wake is None:
        return
    try:
        await asyncio.to_thread(wake, task)
    except (RedisError, OSError, TimeoutError) as error:
        log.warning("hint lost", error=type(error).__name__)
    except Exception as error:  # Celery wraps a broker that is away in errors of its own
        if type(error).__name__ != "OperationalError":
            raise
        log.warning("hint lost", error="broker")


async def give(valkey: Redis) -> None:
    """One hint: open screens are woken by the channel, the relay by its task. Losing it is no error."""
    try:
        await valkey.publish(CHANNEL, b"")
        await ask(RELAY)
    except (RedisError, OSError, TimeoutError) as error:
        log.warning("hint lost", error=type(error).__name__)


async def _loop(valkey: Redis, wanted: asyncio.Event) -> None:
    while True:
        await wanted.wait()
        wanted.clear()
        await give(valkey)
        await asyncio.sleep(QUIET)


@asynccontextmanager
async def running(settings: Settings, database: Database) -> AsyncIterator[Redis]:
    """While this is open, each commit that recorded an event gives a hint."""
    wanted = asyncio.Event()
    valkey = connect(settings)

    def after_commit(session: AsyncSession) -> None:
        if session.info.get("recorded"):
            wanted.set()

    database.after_commit.append(after_commit)
    task = asyncio.create_task(_loop(valkey, wanted))
    try:
        yield valkey
    finally:
        await background.end(task)
        database.after_commit.remove(after_commit)
        await valkey.aclose()
