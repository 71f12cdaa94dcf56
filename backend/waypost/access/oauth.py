"""OAuth 2.0 client credentials (RFC 6749, 4.4): a client trades its secret for an access token of a few minutes.

The client says who it is by HTTP Basic or in the body, never both. It may ask for less than it has (`scope`, permission
words), never for more. Nothing else is offered: no codes, no passwords, no refresh tokens.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote_plus

from sqlalchemy import select, update

from waypost.access import keys, throttling, tokens
from waypost.access.errors import TooManyAttempts
from waypost.access.permissions import Permission
from waypost.access.service_events import OAuthTokenRefused
from waypost.access.service_models import OAuthClient, OAuthSecret, ServiceAccount
from waypost.access.sessions import Caller
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.events import SYSTEM, record
from waypost.kernel.settings import get_settings

GRANT = "client_credentials"
MOST_FIELDS = 10
_KNOWN = frozenset(p.value for p in Permission)


class OAuthError(Exception):
    """A refusal in the words of RFC 6749, 5.2."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error, self.description, self.status = error, description, status


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asks for. `by_header`: it said who it is by HTTP Basic."""

    client_id: str
    secret: str
    scope: str | None
    by_header: bool


def read(content_type: str, authorization: str, body: bytes) -> Asked:
    """A request to the token endpoint. Pure. Raises `OAuthError`."""
    fields = read_form(content_type, body)
    if not fields.get("grant_type"):
        raise OAuthError("invalid_request", "Say which grant_type.")
    if fields["grant_type"] != GRANT:
        raise OAuthError("unsupported_grant_type", f"Only {GRANT} is offered.")
    client_id, secret, by_header = read_client(authorization, fields)
    return Asked(client_id, secret, fields.get("scope"), by_header)


def read_form(content_type: str, body: bytes) -> dict[str, str]:
    """A form in which nothing stands twice. Pure. Raises `OAuthError`."""
    if content_type.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise OAuthError("invalid_request", "Send a form: application/x-www-form-urlencoded.")
    try:
        pairs = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=MOST_FIELDS
        )
    except (ValueError, UnicodeDecodeError):
        raise OAuthError("invalid_request", "The form cannot be read.") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise OAuthError("invalid_request", "A field stands twice in the form.")
    return fields


def read_client(authorization: str, fields: dict[str, str]) -> tuple[str, str, bool]:
    """Who a client says it is, its secret, and whether the header said it. Pure. Raises `OAuthError`."""
    if not authorization:
        return fields.get("client_id", ""), fields.get("client_secret", ""), False
    if "client_secret" in fields:
        raise OAuthError("invalid_request", "Say who you are in one way, not in two.")
    scheme, _, given = authorization.partition(" ")
    try:
        client_id, colon, secret = base64.b64decode(given.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        colon = client_id = secret = ""
    if scheme.lower() != "basic" or not colon:
        raise OAuthError("invalid_client", "This is no HTTP Basic header.", 401)
    client_id, secret = unquote_plus(client_id), unquote_plus(secret)
    if fields.get("client_id", client_id) != client_id:
        raise OAuthError("invalid_request", "Header and form name two clients.")
    return client_id, secret, True


def narrowed(had: list[str], scope: str | None) -> list[str]:
    """What of a client's permissions is asked for: all of them when it does not say. Pure. Raises `OAuthError`."""
    if scope is None or not scope.strip():
        return sorted(set(had) & _KNOWN)
    words = set(scope.split(" ")) - {""}
    if not words <= set(had) & _KNOWN:
        raise OAuthError("invalid_scope", "This client may not have all of that.")
    return sorted(words)


@dataclass(frozen=True, slots=True)
class Granted:
    """An access token, its life in seconds and what it may."""

    access_token: str
    expires_in: int
    scope: str


async def grant(database: Database, caller: Caller, asked: Asked) -> Granted:
    """Trade a secret for an access token. Raises `OAuthError` or `TooManyAttempts`."""
    at = now()
    client, secret_id = await authenticate(database, caller, asked)
    scope = narrowed(client.permissions, asked.scope)
    async with database.transaction() as session:
        used = update(OAuthClient).where(OAuthClient.id == client.id)
        await session.execute(used.values(used_at=at, used_from=caller.ip_address[:45]))
    token, life = tokens.issue_client_token(client.user_id, client.client_id, secret_id, scope, at)
    return Granted(token, life, " ".join(scope))


async def authenticate(database: Database, caller: Caller, asked: Asked) -> tuple[OAuthClient, int]:
    """The client that asks, and which secret of its was right.

    Wrong ones are counted by address; never by client, which strangers could lock out. Raises `OAuthError` or
    `TooManyAttempts`.
    """
    at, address = now(), throttling.address(caller.network)
    wanted = (
        select(OAuthClient, OAuthSecret.id)
        .join(OAuthSecret, OAuthSecret.oauth_client_id == OAuthClient.id)
        .join(ServiceAccount, ServiceAccount.user_id == OAuthClient.user_id)
        .where(
            OAuthClient.client_id == asked.client_id,
            OAuthClient.revoked_at.is_(None),
            OAuthSecret.secret_hash == tokens.hash_token(asked.secret),
            OAuthSecret.revoked_at.is_(None),
            ServiceAccount.is_on,
        )
    )
    is_one = keys.is_key(asked.secret, keys.CLIENT_SECRET) and "\x00" not in asked.client_id
    async with database.read() as session:
        waiting = await throttling.seconds_to_wait(session, [address], at)
        found = (await session.execute(wanted)).first() if is_one and not waiting else None
    if waiting:
        raise TooManyAttempts(retry_after=waiting, policy=throttling.policy())
    if found is None:
        await _refuse(database, caller, asked, address)
        raise OAuthError("invalid_client", "This client or this secret is not known.", 401)
    client, secret_id = found
    return client, int(secret_id)


async def _refuse(database: Database, caller: Caller, asked: Asked, address: str) -> None:
    async with database.transaction() as session:
        await throttling.count_try(session, address, get_settings().login_attempts_per_address)
        known = await session.scalar(
            select(OAuthClient.user_id).where(OAuthClient.client_id == asked.client_id.replace("\x00", ""))
        )
        name = asked.client_id.replace("\x00", "")[:64]
        refused = OAuthTokenRefused(user_id=known or 0, client_id=name, ip_address=caller.ip_address)
        await record(session, refused, actor=SYSTEM)
