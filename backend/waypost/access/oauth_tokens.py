"""What becomes of an access token a client holds: giving it back (RFC 7009), and asking what it is worth (RFC 7662).

A client does both with tokens of its own only: what another holds is nothing it learns about.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert

from waypost.access import oauth, tokens
from waypost.access.errors import SessionEnded
from waypost.access.oauth import Asked, OAuthError
from waypost.access.service_events import OAuthTokenRevoked
from waypost.access.service_models import RevokedToken
from waypost.access.sessions import Caller
from waypost.access.token_actors import client_actors
from waypost.access.tokens import Claims
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.events import System, record

INACTIVE: dict[str, Any] = {"active": False}


def read(content_type: str, authorization: str, body: bytes) -> tuple[Asked, str]:
    """Who asks, and about which token. Pure. Raises `OAuthError`."""
    fields = oauth.read_form(content_type, body)
    client_id, secret, by_header = oauth.read_client(authorization, fields)
    if not fields.get("token"):
        raise OAuthError("invalid_request", "Say which token.")
    return Asked(client_id, secret, None, by_header), fields["token"]


def _claims(token: str) -> Claims | None:
    try:
        return tokens.read_access_token(token)
    except SessionEnded:
        return None


async def revoke(database: Database, caller: Caller, asked: Asked, token: str) -> None:
    """Let an access token open nothing any more. One that is none of ours, or has ended, is no error.

    Raises `OAuthError` for one of another client's, and what asking for one does.
    """
    client, _ = await oauth.authenticate(database, caller, asked)
    claims = _claims(token)
    if claims is None:
        return
    if claims.client != client.client_id:
        raise OAuthError("unauthorized_client", "This token is not this client's.")
    ends = datetime.fromtimestamp(claims.expires + tokens.LEEWAY, UTC)
    row = insert(RevokedToken).values(
        jti_hash=tokens.hash_token(claims.jti), oauth_client_id=client.id, expires_at=ends
    )
    async with database.transaction() as session:
        is_new = await session.scalar(row.on_conflict_do_nothing().returning(RevokedToken.oauth_client_id))
        if is_new is not None:
            given_back = OAuthTokenRevoked(user_id=client.user_id, client_id=client.client_id)
            await record(session, given_back, actor=System(channel="api"), at=now())
    client_actors.forget(claims)


async def introspect(database: Database, caller: Caller, asked: Asked, token: str) -> dict[str, Any]:
    """What an access token of the client's is worth now. Raises what asking for one does."""
    client, _ = await oauth.authenticate(database, caller, asked)
    claims = _claims(token)
    if claims is None or claims.client != client.client_id:
        return INACTIVE
    actor = await client_actors.get(database, claims)
    if actor is None:
        return INACTIVE
    return {
        "active": True,
        "scope": " ".join(sorted(p.value for p in actor.permissions)),
        "client_id": claims.client,
        "username": actor.username,
        "token_type": "Bearer",
        "exp": claims.expires,
        "iat": claims.issued,
        "sub": str(claims.user_id),
        "aud": tokens.AUDIENCE,
        "iss": tokens.ISSUER,
        "jti": claims.jti,
    }
