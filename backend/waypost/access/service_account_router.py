"""`/service-accounts`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import api_tokens, queries, service_accounts, token_scopes
from waypost.access.actor import Actor
from waypost.access.api_token_router import with_secret
from waypost.access.api_token_schemas import ApiTokenCreate, ApiTokenMade
from waypost.access.deps import permit
from waypost.access.errors import (
    OAuthClientNotFound,
    ServiceAccountNotFound,
    StepUpNeeded,
    TooManySecrets,
    TooManyTokens,
)
from waypost.access.permissions import Permission
from waypost.access.service_models import ServiceAccount
from waypost.access.service_schemas import (
    OAuthClientCreate,
    OAuthSecretMade,
    ServiceAccountChange,
    ServiceAccountCreate,
    ServiceAccountPage,
    ServiceAccountRead,
)
from waypost.directory.errors import NameTaken
from waypost.directory.models import User
from waypost.directory.names import names
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.errors import StaleVersion
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import PathId, path_id
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit

router = APIRouter(route_class=StrictRoute, prefix="/service-accounts", tags=["Administration"])
Administrator = Annotated[Actor, permit(Permission.TOKENS_CONFIGURE)]


async def _as_json(session: AsyncSession, rows: list[tuple[ServiceAccount, User]]) -> list[dict[str, Any]]:
    ids = [account.user_id for account, _ in rows]
    owners = await names.people(session, [account.owner_id for account, _ in rows])
    roles = await queries.roles_of(session, ids)
    granted = await queries.granted_to_all(session, ids)
    clients = await service_accounts.clients_of(session, ids)
    return [
        {
            "id": account.user_id,
            "username": user.username,
            "name": user.name,
            "purpose": account.purpose,
            "owner": owners.get(account.owner_id),
            "is_on": account.is_on,
            "version": account.version,
            "created_at": account.created_at,
            "roles": roles[account.user_id],
            "permissions": [p.value for p in token_scopes.possible(granted[account.user_id])],
            "clients": clients[account.user_id],
        }
        for account, user in rows
    ]


async def _one(session: AsyncSession, account: ServiceAccount, status: int = 200) -> Response:
    user = await session.get_one(User, account.user_id)
    return json_response((await _as_json(session, [(account, user)]))[0], status)


async def _is_there(request: Request) -> None:
    """404 before a 422."""
    account_id = path_id(request.path_params.get("account_id"))
    async with database().read() as session:
        await service_accounts.find(session, account_id)


@router.get("", response_model=ServiceAccountPage)
async def list_service_accounts(
    session: ReadSession, _: Administrator, limit: Limit = 25, cursor: Cursor = None
) -> Response:
    """Service accounts with their clients, newest first."""
    rows, following = await service_accounts.page(session, cursor=cursor, limit=limit)
    return json_response({"items": await _as_json(session, rows), "next_cursor": following})


@router.post("", status_code=201, response_model=ServiceAccountRead, responses=problems(NameTaken, StepUpNeeded))
async def create_service_account(
    body: ServiceAccountCreate, session: WriteSession, actor: Administrator, once: OnceOnly
) -> Response:
    """Add a service account; nobody gives it more than they have themselves."""

    async def work() -> Response:
        account = await service_accounts.make(session, actor, **body.model_dump())
        return await _one(session, account, 201)

    return await once.answer(session, actor.user_id, work)


@router.put(
    "/{account_id}",
    response_model=ServiceAccountRead,
    responses=problems(ServiceAccountNotFound, StaleVersion, StepUpNeeded),
)
@guarded(_is_there)
async def change_service_account(
    account_id: PathId, body: ServiceAccountChange, session: WriteSession, actor: Administrator
) -> Response:
    """Give it to another owner, switch it on or off, say anew what it is for."""
    return await _one(session, await service_accounts.change(session, actor, account_id, **body.model_dump()))


@router.post(
    "/{account_id}/tokens",
    status_code=201,
    response_model=ApiTokenMade,
    responses=problems(ServiceAccountNotFound, StepUpNeeded, TooManyTokens),
)
@guarded(_is_there)
async def make_service_token(
    account_id: PathId, body: ApiTokenCreate, session: WriteSession, actor: Administrator, once: OnceOnly
) -> Response:
    """Make an API token of a service account, told this once."""
    told: str | None = None

    async def work() -> Response:
        nonlocal told
        row, told = await service_accounts.make_token(
            session,
            actor,
            account_id,
            name=body.name,
            permissions=body.permissions,
            is_read_only=body.is_read_only,
            days=body.expires_in_days,
        )
        return json_response(api_tokens.token_json(row) | {"token": None}, 201)

    return with_secret(await once.answer(session, actor.user_id, work), "token", told)


@router.post(
    "/{account_id}/clients",
    status_code=201,
    response_model=OAuthSecretMade,
    responses=problems(ServiceAccountNotFound, StepUpNeeded, TooManyTokens),
)
@guarded(_is_there)
async def make_oauth_client(
    account_id: PathId, body: OAuthClientCreate, session: WriteSession, actor: Administrator, once: OnceOnly
) -> Response:
    """Make an OAuth client with its first secret, told this once."""
    told: str | None = None

    async def work() -> Response:
        nonlocal told
        client, _, told = await service_accounts.make_client(
            session, actor, account_id, name=body.name, permissions=body.permissions
        )
        return json_response({"id": client.id, "client_id": client.client_id, "client_secret": None}, 201)

    return with_secret(await once.answer(session, actor.user_id, work), "client_secret", told)


@router.post(
    "/{account_id}/clients/{client_id}/secrets",
    status_code=201,
    response_model=OAuthSecretMade,
    responses=problems(ServiceAccountNotFound, OAuthClientNotFound, StepUpNeeded, TooManySecrets),
)
async def make_oauth_secret(
    account_id: PathId, client_id: PathId, session: WriteSession, actor: Administrator, once: OnceOnly
) -> Response:
    """Another secret beside the one there is, so that programs can go over to it."""
    told: str | None = None

    async def work() -> Response:
        nonlocal told
        client, secret, told = await service_accounts.make_secret(session, actor, account_id, client_id)
        return json_response({"id": secret.id, "client_id": client.client_id, "client_secret": None}, 201)

    return with_secret(await once.answer(session, actor.user_id, work), "client_secret", told)


@router.delete("/{account_id}/clients/{client_id}", status_code=204, responses=problems(OAuthClientNotFound))
async def revoke_oauth_client(
    account_id: PathId, client_id: PathId, session: WriteSession, actor: Administrator
) -> Response:
    """Revoke a client: its secrets and the access tokens it got open nothing from the next second on."""
    await service_accounts.revoke_client(session, actor, account_id, client_id)
    return Response(status_code=204)


@router.delete(
    "/{account_id}/clients/{client_id}/secrets/{secret_id}", status_code=204, responses=problems(OAuthClientNotFound)
)
async def revoke_oauth_secret(
    account_id: PathId, client_id: PathId, secret_id: PathId, session: WriteSession, actor: Administrator
) -> Response:
    """Revoke one secret of a client, with the access tokens it was traded for."""
    await service_accounts.revoke_secret(session, actor, account_id, client_id, secret_id)
    return Response(status_code=204)
