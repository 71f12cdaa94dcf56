"""Browsers somebody has signed in with before, as each of them says by a random number it was given then."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, literal_column, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import tokens
from waypost.access.models import KnownDevice
from waypost.directory.models import User
from waypost.directory.queries import by_login
from waypost.kernel.ids import random_token

KEPT = timedelta(days=400)  # unused, a browser is forgotten then, and forgets by itself
_LOOK = re.compile(r"wpd_[A-Za-z0-9_-]{43}")


def _is_one(token: str) -> bool:
    return _LOOK.fullmatch(token) is not None


async def known(session: AsyncSession, token: str, username: str) -> str | None:
    """Under which key tries from this browser are counted, when the person of that name has used it; else None."""
    if not _is_one(token):
        return None
    found = await session.scalar(
        select(KnownDevice.id)
        .join(User, User.id == KnownDevice.user_id)
        .where(by_login(username), KnownDevice.token_hash == tokens.hash_token(token))
    )
    return f"device:{found}" if found else None


async def recognise(
    session: AsyncSession, user_id: int, token: str, at: datetime, *, is_old_name: bool = False
) -> tuple[str, bool]:
    """What this browser is to be told from others by, and whether it is new while others of the person are known.

    One browser keeps its number, whoever signs in; it is theirs only who signed in with it. Under the cookie's old name,
    which another host may have planted, a number counts only when it is theirs already.
    """
    if is_old_name and _is_one(token):
        mine = exists().where(KnownDevice.user_id == user_id, KnownDevice.token_hash == tokens.hash_token(token))
        token = token if await session.scalar(select(mine)) else ""
    token = token if _is_one(token) else random_token("wpd_")
    token_hash = tokens.hash_token(token)
    has_others = await session.scalar(
        select(exists().where(KnownDevice.user_id == user_id, KnownDevice.token_hash != token_hash))
    )
    row = insert(KnownDevice).values(user_id=user_id, token_hash=token_hash, created_at=at, used_at=at)
    is_first = await session.scalar(
        row.on_conflict_do_update(index_elements=["user_id", "token_hash"], set_={"used_at": at}).returning(
            literal_column("xmax = 0")
        )
    )
    return token, bool(is_first and has_others)


async def forget(session: AsyncSession, user_id: int, *, but: str = "") -> None:
    """Know none of somebody's browsers any more, `but` perhaps the one they are at."""
    theirs = delete(KnownDevice).where(KnownDevice.user_id == user_id)
    await session.execute(theirs.where(KnownDevice.token_hash != tokens.hash_token(but)) if _is_one(but) else theirs)


async def forget_old(session: AsyncSession, at: datetime) -> None:
    """Remove what no browser remembers any more."""
    await session.execute(delete(KnownDevice).where(KnownDevice.used_at < at - KEPT))
