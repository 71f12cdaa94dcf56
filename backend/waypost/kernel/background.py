"""Tasks that run beside a process's work, and how they end with it."""

from __future__ import annotations

import asyncio
from typing import Any

from waypost.kernel.logs import get_logger

log = get_logger(__name__)
AGAIN_AFTER = 0.5  # seconds


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks until all are over; what one of them had failed with is logged.

    A cancellation may be lost where a library races it with a timeout of its own, and a task that goes round would then
    never end: it is cancelled again.
    """
    waiting = set(tasks)
    while waiting:
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=AGAIN_AFTER)
    for task in tasks:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a task beside the work had failed", task=task.get_name(), exc_info=error)
