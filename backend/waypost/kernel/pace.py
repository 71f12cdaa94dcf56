"""How often something may be asked for from one place: counted in Valkey, minute by minute."""

from __future__ import annotations

import time

from redis.asyncio import Redis
from redis.exceptions import RedisError

from waypost.kernel.logs import get_logger

log = get_logger(__name__)
MINUTE = 60


async def seconds_to_wait(valkey: Redis, what: str, whose: str, *, allowed: int) -> int:
    """Count one more; how long to wait when it is more than `allowed` in this minute, else 0.

    While Valkey is away nothing is counted: it slows down who tries many, and is nobody's only lock.
    """
    minute, second = divmod(int(time.time()), MINUTE)
    key = f"waypost:pace:{what}:{whose}:{minute}"
    try:
        async with valkey.pipeline(transaction=False) as pipe:
            pipe.incr(key)
            pipe.expire(key, 2 * MINUTE)
            count, _ = await pipe.execute()
    except (RedisError, OSError) as away:
        log.warning("nothing is counted", what=what, why=type(away).__name__)
        return 0
    return MINUTE - second if count > allowed else 0
