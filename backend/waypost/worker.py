"""The worker's door: builds Celery and decides nothing.

A worker process makes one event loop and, on it, its own connection pools after the fork; a task runs one coroutine on
that loop. Celery carries wake-ups and timers only: all work to be done stands in PostgreSQL.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from celery.signals import setup_logging, worker_process_init, worker_process_shutdown
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.duties import SCHEDULE, Task, tasks
from waypost.kernel import hints, logs, memory, processes, queue
from waypost.kernel.cautions import in_the_open
from waypost.kernel.db import Database, use_database
from waypost.kernel.events import use_wiring
from waypost.kernel.settings import get_settings
from waypost.wiring import build_wiring

Result = TypeVar("Result")
processes.end_with_supervisor()
if _words := in_the_open(get_settings()):
    sys.exit(_words)
celery = queue.build(get_settings())
celery.conf.beat_schedule = SCHEDULE

_loop: asyncio.AbstractEventLoop | None = None
_database: Database | None = None
_valkey: Redis | None = None
_recorded = False


@setup_logging.connect  # type: ignore[untyped-decorator]
def _logging(**_: Any) -> None:
    logs.configure(get_settings())


@worker_process_init.connect  # type: ignore[untyped-decorator]
def _start(**_: Any) -> None:
    global _loop, _database, _valkey  # noqa: PLW0603
    use_wiring(build_wiring())
    _loop = asyncio.new_event_loop()
    asyncio.set_event_loop(_loop)
    _database = Database.connect(get_settings())
    _valkey = hints.connect(get_settings())
    _database.after_commit.append(_remember)
    use_database(_database)
    memory.keep_what_is_there()


@worker_process_shutdown.connect  # type: ignore[untyped-decorator]
def _stop(**_: Any) -> None:
    if _loop is not None and _database is not None:
        _loop.run_until_complete(_database.dispose())
        _loop.close()


def _remember(session: AsyncSession) -> None:
    global _recorded  # noqa: PLW0603
    _recorded = _recorded or bool(session.info.get("recorded"))


def run(work: Awaitable[Result]) -> Result:
    """Run a coroutine on this process's loop, then wake the screens if it recorded anything."""
    global _recorded  # noqa: PLW0603
    if _loop is None:
        raise RuntimeError("a task runs in a worker process only")
    result = _loop.run_until_complete(work)
    if _recorded and _valkey is not None:
        _recorded = False
        _loop.run_until_complete(hints.give(_valkey))
    return result


def _task(work: Task) -> Callable[[], None]:
    def task() -> None:
        if _database is None:
            raise RuntimeError("a task runs in a worker process only")
        run(work(_database))

    return task


for _name, _work in tasks().items():
    celery.task(name=_name)(_task(_work))


hints.wake = queue.waker(celery)
