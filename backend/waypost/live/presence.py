"""Who has a ticket open, and who is writing: kept in Valkey only, for as long as beats come.

Everybody with a ticket open sends a beat every few seconds and gets in its answer who else is there, so being seen and
seeing are one request; there is nothing to clean up after a browser that died. A beat costs one round trip to Valkey.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, cast

from redis.asyncio import Redis

State = Literal["VIEWING", "TYPING", "IDLE"]
LIFE = timedelta(seconds=11)  # without a beat for so long, a screen is gone
MOST_SHOWN = 20
MOST_SCREENS = 100  # of one ticket that are kept
_RANK: dict[str, int] = {"TYPING": 2, "VIEWING": 1, "IDLE": 0}


@dataclass(frozen=True, slots=True)
class Screen:
    """One open screen: whose, which of theirs, and what they do there. An internal note is written in secret."""

    user_id: int
    name: str
    state: State
    is_internal: bool
    until: datetime

    @property
    def field(self) -> str:
        return f"{self.user_id}:{self.name}"

    @property
    def value(self) -> str:
        return f"{self.state}:{int(self.is_internal)}:{int(self.until.timestamp() * 1000)}"


def read_screen(field: str, value: str, at: datetime) -> Screen | None:
    """A screen as it was kept; None when its time is over, or when it is not one of ours."""
    try:
        user_id, name = field.split(":", 1)
        state, internal, until = value.split(":")
        ends = int(until)
        if state not in _RANK or ends <= at.timestamp() * 1000:
            return None
        return Screen(
            int(user_id), name, cast(State, state), internal == "1", datetime.fromtimestamp(ends / 1000, at.tzinfo)
        )
    except (ValueError, OverflowError, OSError):
        return None


def others(screens: Iterable[Screen], *, me: int, reads_internal: bool) -> list[tuple[int, State]]:
    """Who else is there, each person once with the liveliest of what they do; those who write first.

    That somebody writes an internal note is for those who may read it; to others they look on.
    """
    found: dict[int, State] = {}
    for screen in screens:
        if screen.user_id == me:
            continue
        is_secret = screen.state == "TYPING" and screen.is_internal and not reads_internal
        state: State = "VIEWING" if is_secret else screen.state
        if screen.user_id not in found or _RANK[state] > _RANK[found[screen.user_id]]:
            found[screen.user_id] = state
    ranked = sorted(found.items(), key=lambda entry: (-_RANK[entry[1]], entry[0]))
    return ranked[:MOST_SHOWN]


def _key(ticket_id: int) -> str:
    return f"waypost:presence:{ticket_id}"


def _screens(kept: Mapping[bytes, bytes], at: datetime) -> tuple[list[Screen], list[bytes]]:
    alive, dead = [], []
    for field, value in kept.items():
        screen = read_screen(field.decode(errors="replace"), value.decode(errors="replace"), at)
        if screen is None:
            dead.append(field)
        else:
            alive.append(screen)
    return alive, dead


async def beat(valkey: Redis, ticket_id: int, screen: Screen, at: datetime) -> list[Screen]:
    """Say that a screen is there and learn of all that are."""
    key = _key(ticket_id)
    async with valkey.pipeline(transaction=False) as pipe:
        pipe.hset(key, screen.field, screen.value)
        pipe.pexpire(key, LIFE)
        pipe.hgetall(key)
        *_, kept = await pipe.execute()
    alive, dead = _screens(kept, at)
    if len(alive) > MOST_SCREENS:
        # Far more than people have open: the ones heard of longest ago make room.
        alive.sort(key=lambda s: s.until, reverse=True)
        dead += [s.field.encode() for s in alive[MOST_SCREENS:]]
        del alive[MOST_SCREENS:]
    if dead:
        await valkey.hdel(key, *dead)
    return alive


async def look(valkey: Redis, ticket_id: int, at: datetime) -> list[Screen]:
    """Learn of all screens that are there, and leave no trace."""
    async with valkey.pipeline(transaction=False) as pipe:
        pipe.hgetall(_key(ticket_id))
        (kept,) = await pipe.execute()
    alive, _ = _screens(kept, at)
    return alive


async def leave(valkey: Redis, ticket_id: int, user_id: int, name: str) -> None:
    """A screen was closed."""
    await valkey.hdel(_key(ticket_id), f"{user_id}:{name}")
