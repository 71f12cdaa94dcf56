"""The worker's door: builds Celery and decides nothing.

A worker process makes one event loop and, on it, its own connection pools after the fork; a task runs one coroutine on
that loop. Celery carries wake-ups and timers only: all work to be done stands in PostgreSQL.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from celery import Celery
from celery.signals import setup_logging, worker_process_init, worker_process_shutdown
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.kernel import hints, logs
from waypost.kernel.db import Database, use_database
from waypost.kernel.events import use_wiring
from waypost.kernel.settings import get_settings
from waypost.wiring import SCHEDULE, build_wiring, tasks

Result = TypeVar("Result")
_settings = get_settings()
_broker = _settings.redis_url.get_secret_value() if _settings.redis_url else "redis://127.0.0.1:6379/0"

celery = Celery("waypost", broker=_broker)
celery.conf.update(
    task_ignore_result=True,
    task_acks_late=False,  # work is not in the message: losing one costs until the next timer, never the work
    task_default_expires=30,
    worker_prefetch_multiplier=1,
    worker_max_tasks_per_child=5000,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={"socket_connect_timeout": 2, "socket_timeout": 30, "socket_keepalive": True},
    timezone="UTC",
    enable_utc=True,
    beat_schedule=SCHEDULE,
)

_loop: asyncio.AbstractEventLoop | None = None
_database: Database | None = None
_valkey: Redis | None = None
_recorded = False


@setup_logging.connect
def _logging(**_: Any) -> None:
    logs.configure(get_settings())


@worker_process_init.connect
def _start(**_: Any) -> None:
    global _loop, _database, _valkey  # noqa: PLW0603
    use_wiring(build_wiring())
    _loop = asyncio.new_event_loop()
    asyncio.set_event_loop(_loop)
    _database = Database.connect(get_settings())
    _valkey = hints.connect(get_settings())
    _database.after_commit.append(_remember)
    use_database(_database)


@worker_process_shutdown.connect
def _stop(**_: Any) -> None:
    if _loop is not None and _database is not None:
        _loop.run_until_complete(_database.dispose())
        _loop.close()


def _remember(session: AsyncSession) -> None:
    global _recorded  # noqa: PLW0603
    _recorded = _recorded or bool(session.info.get("recorded"))


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine on this process's loop, then wake the screens if it recorded anything."""
    global _recorded  # noqa: PLW0603
    if _loop is None:
        raise RuntimeError("a task runs in a worker process only")
    result = _loop.run_until_complete(work)
    if _recorded and _valkey is not None:
        _recorded = False
        _loop.run_until_complete(hints.give(_valkey))
    return result


for _name, _work in tasks().items():

    def _task(work: Any = _work) -> None:
        assert _database is not None
        run(work(_database))

    celery.task(name=_name)(_task)


def wake_relay() -> None:
    """Ask a worker to run the relay now. Raises when the broker is away; the timer does it then."""
    celery.send_task("relay.drain", retry=False, expires=10)
