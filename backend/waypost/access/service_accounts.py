"""Service accounts: made, given on, switched off; their tokens, clients and secrets."""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import api_tokens, keys, step_up, token_scopes, tokens
from waypost.access.actor import Actor
from waypost.access.errors import OAuthClientNotFound, ServiceAccountNotFound, TooManySecrets, TooManyTokens
from waypost.access.people_editing import check_may_as_much
from waypost.access.permissions import Permission
from waypost.access.queries import granted_to
from waypost.access.service import grant_roles
from waypost.access.service_events import (
    OAuthClientMade,
    OAuthClientRevoked,
    OAuthSecretMade,
    OAuthSecretRevoked,
    ServiceAccountChanged,
    ServiceAccountMade,
)
from waypost.access.service_models import OAuthClient, OAuthSecret, ServiceAccount
from waypost.access.token_models import ApiToken
from waypost.directory.events import UserDeactivated
from waypost.directory.models import SERVICE, User
from waypost.directory.service import create_user
from waypost.kernel.clock import now
from waypost.kernel.errors import StaleVersion, invalid_field
from waypost.kernel.events import Doer, record
from waypost.kernel.paging import decode_cursor, encode_cursor
from waypost.kernel.settings_form import changed_only

MOST_CLIENTS = 20
MOST_SECRETS = 2


async def make(
    session: AsyncSession, actor: Actor, *, username: str, name: str, purpose: str, owner_id: int, roles: list[str]
) -> ServiceAccount:
    """Add a service account. Nobody gives it more than they hold. Raises `StepUpNeeded`, `NameTaken`, `Invalid`."""
    actor.require(Permission.TOKENS_CONFIGURE)
    await step_up.require(session, actor)
    await _check_owner(session, owner_id)
    user = await create_user(
        session,
        actor,
        username=username,
        email=f"{username}@service.invalid",  # RFC 2606: nobody is ever reached there
        first_name=name,
        last_name="",
        department_id=None,
        manager_id=None,
    )
    user.is_active, user.kind = False, SERVICE
    account = ServiceAccount(
        user_id=user.id, owner_id=owner_id, purpose=purpose, is_on=True, created_at=now(), version=1
    )
    session.add(account)
    await session.flush()
    made = ServiceAccountMade(user_id=user.id, owner_id=owner_id, purpose=purpose)
    await record(session, made, actor=actor)
    await grant_roles(session, actor, user.id, roles, pointer="/roles")
    return account


async def _check_owner(session: AsyncSession, owner_id: int) -> None:
    if await session.scalar(select(User.id).where(User.id == owner_id, User.is_active)) is None:
        raise invalid_field("/owner_id", "there is no such active person")


async def change(
    session: AsyncSession, actor: Actor, user_id: int, *, version: int, owner_id: int, purpose: str, is_on: bool
) -> ServiceAccount:
    """Give it to another owner, switch it on or off. Raises `ServiceAccountNotFound`, `StaleVersion`, `StepUpNeeded`."""
    actor.require(Permission.TOKENS_CONFIGURE)
    account = await find(session, user_id, lock=True)
    await step_up.require(session, actor)
    if account.version != version:
        raise StaleVersion(current_version=account.version)
    if is_on and not account.is_on:
        await check_may_as_much(session, actor, user_id)
    if is_on or owner_id != account.owner_id:
        await _check_owner(session, owner_id)
    was = {"owner_id": account.owner_id, "purpose": account.purpose, "is_on": account.is_on}
    before, after = changed_only(was, {"owner_id": owner_id, "purpose": purpose, "is_on": is_on})
    account.owner_id, account.purpose, account.is_on = owner_id, purpose, is_on
    account.version += 1
    await session.flush()
    changed = ServiceAccountChanged(
        user_id=user_id, owner_id=owner_id, is_on=is_on, reason="changed", before=before, after=after
    )
    await record(session, changed, actor=actor)
    return account


async def on_user_deactivated(session: AsyncSession, event: UserDeactivated, actor: Doer) -> None:
    """What somebody who leaves answered for is switched off, until somebody else does."""
    theirs = select(ServiceAccount).where(ServiceAccount.owner_id == event.user_id, ServiceAccount.is_on)
    for account in await session.scalars(theirs.order_by(ServiceAccount.user_id).with_for_update()):
        account.is_on = False
        account.version += 1
        await session.flush()
        off = ServiceAccountChanged(
            user_id=account.user_id,
            owner_id=event.user_id,
            is_on=False,
            reason="owner_left",
            before={"is_on": True},
            after={"is_on": False},
        )
        await record(session, off, actor=actor)


async def find(session: AsyncSession, user_id: int, *, lock: bool = False) -> ServiceAccount:
    """Raises `ServiceAccountNotFound`."""
    account = await session.get(ServiceAccount, user_id, with_for_update=lock or None, populate_existing=lock)
    if account is None:
        raise ServiceAccountNotFound
    return account


async def page(
    session: AsyncSession, *, cursor: str | None, limit: int
) -> tuple[list[tuple[ServiceAccount, User]], str | None]:
    """Service accounts, newest first."""
    statement = (
        select(ServiceAccount, User)
        .join(User, User.id == ServiceAccount.user_id)
        .order_by(ServiceAccount.user_id.desc())
        .limit(limit + 1)
    )
    if cursor:
        (last,) = decode_cursor(cursor, "service accounts", int)
        statement = statement.where(ServiceAccount.user_id < last)
    rows = [(account, user) for account, user in await session.execute(statement)]
    following = encode_cursor("service accounts", rows[limit - 1][0].user_id) if len(rows) > limit else None
    return rows[:limit], following


# --- what it comes with -----------------------------------------------------------------------------------------------


async def make_token(
    session: AsyncSession,
    actor: Actor,
    user_id: int,
    *,
    name: str,
    permissions: list[Permission],
    is_read_only: bool,
    days: int,
) -> tuple[ApiToken, str]:
    """A token of a service account. Raises what `api_tokens.make` does, and `ServiceAccountNotFound`."""
    await _prepare(session, actor, user_id)
    possible = token_scopes.possible(await granted_to(session, user_id))
    return await api_tokens.issue(
        session,
        actor,
        user_id=user_id,
        prefix=keys.SERVICE,
        name=name,
        permissions=api_tokens.checked(permissions, possible),
        is_read_only=is_read_only,
        days=days,
    )


async def make_client(
    session: AsyncSession, actor: Actor, user_id: int, *, name: str, permissions: list[Permission]
) -> tuple[OAuthClient, OAuthSecret, str]:
    """An OAuth client with its first secret, told this once. Raises `TooManyTokens`, `Invalid`, `StepUpNeeded`."""
    await _prepare(session, actor, user_id)
    live = select(func.count()).where(OAuthClient.user_id == user_id, OAuthClient.revoked_at.is_(None))
    if int(await session.scalar(live) or 0) >= MOST_CLIENTS:
        raise TooManyTokens
    possible = token_scopes.possible(await granted_to(session, user_id))
    client = OAuthClient(
        user_id=user_id,
        client_id=secrets.token_hex(16),
        name=name,
        permissions=api_tokens.checked(permissions, possible),
        created_at=now(),
    )
    session.add(client)
    await session.flush()
    made = OAuthClientMade(
        user_id=user_id, client_id=client.client_id, name=name, permissions=tuple(client.permissions)
    )
    await record(session, made, actor=actor)
    secret, words = await _new_secret(session, actor, client)
    return client, secret, words


async def _prepare(session: AsyncSession, actor: Actor, user_id: int) -> None:
    """Asked for and held: of two at once, the second is counted with the first."""
    actor.require(Permission.TOKENS_CONFIGURE)
    await find(session, user_id, lock=True)
    await check_may_as_much(session, actor, user_id)
    await step_up.require(session, actor)


async def make_secret(
    session: AsyncSession, actor: Actor, user_id: int, oauth_client_id: int
) -> tuple[OAuthClient, OAuthSecret, str]:
    """Another secret of a client, so that the first can go. Raises `TooManySecrets`."""
    await _prepare(session, actor, user_id)
    client = await _client(session, user_id, oauth_client_id)
    return client, *await _new_secret(session, actor, client)


async def _new_secret(session: AsyncSession, actor: Actor, client: OAuthClient) -> tuple[OAuthSecret, str]:
    live = select(func.count()).where(OAuthSecret.oauth_client_id == client.id, OAuthSecret.revoked_at.is_(None))
    if int(await session.scalar(live) or 0) >= MOST_SECRETS:
        raise TooManySecrets
    words = keys.new_key(keys.CLIENT_SECRET)
    secret = OAuthSecret(
        oauth_client_id=client.id,
        secret_hash=tokens.hash_token(words),
        beginning=keys.beginning(words, keys.CLIENT_SECRET),
        created_at=now(),
    )
    session.add(secret)
    await session.flush()
    made = OAuthSecretMade(user_id=client.user_id, client_id=client.client_id, secret_id=secret.id)
    await record(session, made, actor=actor)
    return secret, words


async def _client(session: AsyncSession, user_id: int, oauth_client_id: int) -> OAuthClient:
    client = await session.scalar(
        select(OAuthClient)
        .where(OAuthClient.id == oauth_client_id, OAuthClient.user_id == user_id, OAuthClient.revoked_at.is_(None))
        .with_for_update()
    )
    if client is None:
        raise OAuthClientNotFound
    return client


async def revoke_client(session: AsyncSession, actor: Actor, user_id: int, oauth_client_id: int) -> None:
    """Revoke a client. Raises `OAuthClientNotFound`."""
    actor.require(Permission.TOKENS_CONFIGURE)
    client = await _client(session, user_id, oauth_client_id)
    client.revoked_at = now()
    await session.flush()
    await record(session, OAuthClientRevoked(user_id=user_id, client_id=client.client_id), actor=actor)


async def revoke_secret(
    session: AsyncSession, actor: Actor, user_id: int, oauth_client_id: int, secret_id: int
) -> None:
    """Revoke one secret of a client. Raises `OAuthClientNotFound`."""
    actor.require(Permission.TOKENS_CONFIGURE)
    client = await _client(session, user_id, oauth_client_id)
    secret = await session.scalar(
        select(OAuthSecret)
        .where(OAuthSecret.id == secret_id, OAuthSecret.oauth_client_id == client.id, OAuthSecret.revoked_at.is_(None))
        .with_for_update()
    )
    if secret is None:
        raise OAuthClientNotFound
    secret.revoked_at = now()
    await session.flush()
    gone = OAuthSecretRevoked(user_id=user_id, client_id=client.client_id, secret_id=secret.id)
    await record(session, gone, actor=actor)


async def clients_of(session: AsyncSession, user_ids: list[int]) -> dict[int, list[dict[str, Any]]]:
    """The clients in force of these accounts, with their secrets as far as they are shown. Two statements."""
    clients = list(
        await session.scalars(
            select(OAuthClient)
            .where(OAuthClient.user_id.in_(user_ids), OAuthClient.revoked_at.is_(None))
            .order_by(OAuthClient.id)
        )
    )
    kept = await session.scalars(
        select(OAuthSecret)
        .where(OAuthSecret.oauth_client_id.in_([c.id for c in clients]), OAuthSecret.revoked_at.is_(None))
        .order_by(OAuthSecret.id)
    )
    by_client: dict[int, list[OAuthSecret]] = {}
    for secret in kept:
        by_client.setdefault(secret.oauth_client_id, []).append(secret)
    found: dict[int, list[dict[str, Any]]] = {i: [] for i in user_ids}
    for client in clients:
        found[client.user_id].append(client_json(client, by_client.get(client.id, [])))
    return found


def client_json(client: OAuthClient, kept: list[OAuthSecret]) -> dict[str, Any]:
    """A client as administrators see it."""
    return {
        "id": client.id,
        "client_id": client.client_id,
        "name": client.name,
        "permissions": client.permissions,
        "created_at": client.created_at,
        "used_at": client.used_at,
        "used_from": client.used_from,
        "secrets": [{"id": s.id, "beginning": s.beginning, "created_at": s.created_at} for s in kept],
    }
