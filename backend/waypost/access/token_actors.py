"""Who is behind an API token: its person, with what both of them may. Read in one statement, kept for a second."""

from __future__ import annotations

import time
from collections import OrderedDict
from datetime import timedelta

from sqlalchemy import or_, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import tokens
from waypost.access.actor import Actor
from waypost.access.queries import FACTS, FRESH, KEPT, NEEDS_FACTOR, actor_from
from waypost.access.token_models import ApiToken
from waypost.access.tokens import Claims
from waypost.kernel.clock import now
from waypost.kernel.db import Database

CHANNEL = "api"
NOTED = timedelta(minutes=1)  # how exactly the last use is kept

_of_token = text(
    FACTS
    + ","
    + NEEDS_FACTOR.format(vouched="t.is_vouched")
    + ", t.id AS token_id, t.permissions AS granted, t.is_read_only"
    " FROM api_tokens t JOIN users u ON u.id = t.user_id LEFT JOIN service_accounts a ON a.user_id = u.id"
    " WHERE (u.is_active OR a.is_on) AND t.token_hash = :token_hash AND t.revoked_at IS NULL AND t.expires_at > :at"
)


_of_client = text(
    FACTS + ", c.id AS oauth_client_id, c.permissions AS granted"  # noqa: S608 - our own words
    " FROM oauth_clients c JOIN users u ON u.id = c.user_id JOIN service_accounts a ON a.user_id = u.id AND a.is_on"
    " JOIN oauth_secrets s ON s.oauth_client_id = c.id AND s.id = :secret_id AND s.revoked_at IS NULL"
    " WHERE c.client_id = :client AND c.revoked_at IS NULL AND u.id = :user_id"
    " AND NOT EXISTS (SELECT 1 FROM revoked_tokens x WHERE x.jti_hash = :jti_hash)"
)


async def actor_of_client(session: AsyncSession, claims: Claims) -> Actor | None:
    """The actor behind an OAuth client's access token; None once it, the client, its secret or its account is not in force."""
    asked = {
        "secret_id": claims.secret_id,
        "client": claims.client,
        "user_id": claims.user_id,
        "jti_hash": tokens.hash_token(claims.jti),
    }
    row = (await session.execute(_of_client, asked)).first()
    if row is None:
        return None
    words = set(row.granted) & set(claims.scope)
    return actor_from(row, None, CHANNEL).limited(words, by=f"client:{row.oauth_client_id}")


class ClientActorCache:
    """Actors by what their access token says, at most `FRESH` seconds old."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Claims, tuple[float, Actor]] = OrderedDict()

    async def get(self, database: Database, claims: Claims) -> Actor | None:
        """The client's actor, from memory when fresh."""
        kept, tick = self._kept.get(claims), time.monotonic()
        if kept is not None and tick - kept[0] < FRESH:
            return kept[1]
        self._kept.pop(claims, None)
        async with database.read() as session:
            actor = await actor_of_client(session, claims)
        if actor is not None:
            self._kept[claims] = (tick, actor)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return actor

    def forget(self, claims: Claims) -> None:
        """Ask the database again next time."""
        self._kept.pop(claims, None)


client_actors = ClientActorCache()


async def actor_of_token(session: AsyncSession, token_hash: bytes) -> Actor | None:
    """The actor behind a token in force; None for every other one, and when the person is not active any more."""
    row = (await session.execute(_of_token, {"token_hash": token_hash, "at": now()})).first()
    if row is None:
        return None
    person = actor_from(row, None, CHANNEL)
    return person.limited(row.granted, by=f"token:{row.token_id}", is_read_only=row.is_read_only)


class TokenActorCache:
    """Actors by the hash of their token, at most `FRESH` seconds old."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, tuple[float, Actor]] = OrderedDict()
        self._noted: dict[bytes, tuple[float, str]] = {}

    async def get(self, database: Database, token: str, address: str) -> Actor | None:
        """The token's actor, from memory when fresh; None when there is none. Notes when and from where it was used."""
        token_hash = tokens.hash_token(token)
        kept, tick = self._kept.get(token_hash), time.monotonic()
        if kept is not None and tick - kept[0] < FRESH and kept[1].is_good(now()):
            return kept[1]
        async with database.read() as session:
            actor = await actor_of_token(session, token_hash)
        if actor is None:
            self._kept.pop(token_hash, None)
            return None
        noted = self._noted.get(token_hash)
        if noted is None or noted[1] != address or tick - noted[0] > NOTED.total_seconds():
            await _note_use(database, token_hash, address)
            self._noted[token_hash] = (tick, address)
        self._kept[token_hash] = (tick, actor)
        self._kept.move_to_end(token_hash)
        if len(self._kept) > KEPT:
            gone, _ = self._kept.popitem(last=False)
            self._noted.pop(gone, None)
        return actor

    def forget(self, token_hash: bytes) -> None:
        """Ask the database again next time."""
        self._kept.pop(token_hash, None)


async def _note_use(database: Database, token_hash: bytes, address: str) -> None:
    at = now()
    async with database.transaction() as session:
        await session.execute(
            update(ApiToken)
            .where(
                ApiToken.token_hash == token_hash,
                or_(ApiToken.used_at.is_(None), ApiToken.used_at < at - NOTED, ApiToken.used_from != address),
            )
            .values(used_at=at, used_from=address)
        )


token_actors = TokenActorCache()
