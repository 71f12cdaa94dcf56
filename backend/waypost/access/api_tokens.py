"""Making, listing and revoking API tokens."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import keys, step_up, token_scopes, tokens
from waypost.access.actor import Actor
from waypost.access.errors import ApiTokenNotFound, TooManyTokens
from waypost.access.models import LoginSession
from waypost.access.permissions import Permission
from waypost.access.token_actors import token_actors
from waypost.access.token_events import TokenMade, TokenRevoked
from waypost.access.token_models import ApiToken
from waypost.directory.models import User
from waypost.directory.names import names
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.errors import FieldError, Invalid
from waypost.kernel.events import Doer, record
from waypost.kernel.paging import decode_cursor, encode_cursor

MOST = 20  # live ones of one person
MOST_DAYS = 365
KEPT = timedelta(days=90)  # after they have ended


def _live() -> tuple[ColumnElement[bool], ...]:
    return ApiToken.revoked_at.is_(None), ApiToken.expires_at > now()


async def make(
    session: AsyncSession, actor: Actor, *, name: str, permissions: list[Permission], is_read_only: bool, days: int
) -> tuple[ApiToken, str]:
    """A new token of one's own, and its words, told this once.

    Raises `StepUpNeeded`, `TooManyTokens`, or `Invalid` for a permission one does not have or no token can have.
    """
    actor.require(Permission.TOKENS_OWN)
    await step_up.require(session, actor)
    possible = token_scopes.possible(actor.permissions)
    return await issue(
        session,
        actor,
        user_id=actor.user_id,
        prefix=keys.PERSONAL,
        name=name,
        permissions=checked(permissions, possible),
        is_read_only=is_read_only,
        days=days,
    )


def checked(asked: list[Permission], possible: list[Permission]) -> list[str]:
    """The words of what is asked for, each once. Raises `Invalid` naming the first that cannot be given."""
    for n, permission in enumerate(asked):
        if permission not in possible:
            raise Invalid(errors=(FieldError(f"/permissions/{n}", "is none you can give to a token"),))
    return sorted({p.value for p in asked})


async def issue(
    session: AsyncSession,
    actor: Actor,
    *,
    user_id: int,
    prefix: str,
    name: str,
    permissions: list[str],
    is_read_only: bool,
    days: int,
) -> tuple[ApiToken, str]:
    """Write a token down whose rights have been judged. Raises `TooManyTokens`."""
    # held until the end: of two made at once, the second is counted with the first
    await session.execute(select(User.id).where(User.id == user_id).with_for_update())
    count = select(func.count()).select_from(ApiToken).where(ApiToken.user_id == user_id, *_live())
    if int(await session.scalar(count) or 0) >= MOST:
        raise TooManyTokens
    vouched = select(LoginSession.is_vouched).where(LoginSession.id == actor.session_id)
    is_service = prefix == keys.SERVICE  # a program has no second factor; who made it for the account has
    at, key = now(), keys.new_key(prefix)
    row = ApiToken(
        user_id=user_id,
        made_by_id=actor.user_id,
        name=name,
        token_hash=tokens.hash_token(key),
        beginning=keys.beginning(key, prefix),
        permissions=permissions,
        is_read_only=is_read_only,
        is_vouched=is_service or bool(await session.scalar(vouched)),
        created_at=at,
        expires_at=at + timedelta(days=days),
    )
    session.add(row)
    await session.flush()
    made = TokenMade(
        user_id=user_id,
        token_id=row.id,
        name=name,
        permissions=tuple(permissions),
        is_read_only=is_read_only,
        expires_at=rfc3339(row.expires_at),
    )
    await record(session, made, actor=actor, at=at)
    return row, key


async def revoke(session: AsyncSession, actor: Actor, token_id: int, *, of_anybody: bool = False) -> None:
    """Revoke a token of one's own, or as an administrator anybody's. Raises `ApiTokenNotFound`."""
    actor.require(Permission.TOKENS_CONFIGURE if of_anybody else Permission.TOKENS_OWN)
    wanted = select(ApiToken).where(ApiToken.id == token_id, ApiToken.revoked_at.is_(None)).with_for_update()
    row = await session.scalar(wanted if of_anybody else wanted.where(ApiToken.user_id == actor.user_id))
    if row is None:
        raise ApiTokenNotFound
    await _end(session, row, actor, "revoked" if row.user_id == actor.user_id else "revoked_for_them")


async def revoke_all(
    session: AsyncSession, actor: Doer, user_id: int, reason: str, *, since: datetime | None = None
) -> int:
    """Revoke every live token of somebody (made `since` then); how many there were."""
    live = select(ApiToken).where(ApiToken.user_id == user_id, *_live()).order_by(ApiToken.id).with_for_update()
    rows = list(await session.scalars(live if since is None else live.where(ApiToken.created_at >= since)))
    for row in rows:
        await _end(session, row, actor, reason)
    return len(rows)


async def _end(session: AsyncSession, row: ApiToken, actor: Doer, reason: str) -> None:
    row.revoked_at = now()
    await session.flush()
    ended = TokenRevoked(user_id=row.user_id, token_id=row.id, name=row.name, reason=reason)
    await record(session, ended, actor=actor)
    token_actors.forget(row.token_hash)


async def page(
    session: AsyncSession, *, user_id: int | None, cursor: str | None, limit: int
) -> tuple[list[ApiToken], str | None]:
    """Tokens in force, newest first: somebody's, or everybody's."""
    statement = select(ApiToken).where(*_live()).order_by(ApiToken.id.desc()).limit(limit + 1)
    if user_id is not None:
        statement = statement.where(ApiToken.user_id == user_id)
    if cursor:
        (last,) = decode_cursor(cursor, "api tokens", int)
        statement = statement.where(ApiToken.id < last)
    rows = list(await session.scalars(statement))
    following = encode_cursor("api tokens", rows[limit - 1].id) if len(rows) > limit else None
    return rows[:limit], following


def token_json(row: ApiToken) -> dict[str, Any]:
    """A token as its person sees it."""
    return {
        "id": row.id,
        "name": row.name,
        "beginning": row.beginning,
        "permissions": row.permissions,
        "is_read_only": row.is_read_only,
        "created_at": rfc3339(row.created_at),
        "expires_at": rfc3339(row.expires_at),
        "used_at": row.used_at and rfc3339(row.used_at),
        "used_from": row.used_from,
    }


async def with_people(session: AsyncSession, rows: list[ApiToken]) -> list[dict[str, Any]]:
    """Tokens as administrators see them."""
    people = await names.people(session, [i for row in rows for i in (row.user_id, row.made_by_id)])
    return [token_json(row) | {"user": people.get(row.user_id), "made_by": people.get(row.made_by_id)} for row in rows]


async def forget_old_tokens(session: AsyncSession) -> None:
    """Remove those that ended a while ago: nobody asks for them any more, and the log keeps what they did."""
    await session.execute(delete(ApiToken).where(ApiToken.expires_at < now() - KEPT))
