"""`/identity-providers/{id}/provisioning` and below: how an administrator sets up and watches what is pushed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from waypost.access import step_up
from waypost.access.actor import Actor
from waypost.access.deps import current_actor, permit
from waypost.access.errors import StepUpNeeded
from waypost.access.permissions import Permission
from waypost.access.providers.errors import ProviderNotFound
from waypost.access.scim import queries, requests, stops, tokens
from waypost.access.scim.errors import NotStopped, TokenNotFound, TokensUsedUp
from waypost.access.scim.schemas import (
    Provisioning,
    ProvisioningStop,
    PushedGroupPage,
    PushedRequestPage,
    ScimTokenCreate,
    ScimTokenMade,
)
from waypost.kernel.clock import rfc3339
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.ids import PathId, path_id
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit

router = APIRouter(route_class=StrictRoute, prefix="/identity-providers", tags=["Provisioning"])
Administrator = Annotated[Actor, permit(Permission.IDENTITY_CONFIGURE)]


async def provider_is_there(request: Request) -> None:
    """403 and 404 before a 422."""
    (await current_actor(request)).require(Permission.IDENTITY_CONFIGURE)
    async with database().read() as session:
        await queries.find(session, path_id(request.path_params["provider_id"]))


@router.get("/{provider_id}/provisioning", response_model=Provisioning, responses=problems(ProviderNotFound))
async def provisioning(provider_id: PathId, session: ReadSession, _: Administrator) -> Response:
    """The address to push to, the tokens, how many people and groups there are, and whether it was stopped."""
    return json_response(await queries.provisioning(session, provider_id))


@router.post(
    "/{provider_id}/provisioning/tokens",
    status_code=201,
    response_model=ScimTokenMade,
    responses=problems(ProviderNotFound, StepUpNeeded, TokensUsedUp),
)
@guarded(provider_is_there)
async def make_scim_token(
    provider_id: PathId, body: ScimTokenCreate, session: WriteSession, actor: Administrator
) -> Response:
    """Make a token and tell it, this once.

    Repeating the request makes another: an answer that could be had again would have to be kept, and the token with it.
    """
    provider = await queries.find(session, provider_id)
    await step_up.require(session, actor)
    row, token = await tokens.make(session, actor, provider, days=body.days)
    return json_response({**(await queries.tokens_json(session, [row]))[0], "token": token}, 201)


@router.delete(
    "/{provider_id}/provisioning/tokens/{token_id}",
    status_code=204,
    responses=problems(ProviderNotFound, TokenNotFound, StepUpNeeded),
)
async def revoke_scim_token(
    provider_id: PathId, token_id: PathId, session: WriteSession, actor: Administrator
) -> Response:
    """Take a token back: from now on it opens nothing."""
    provider = await queries.find(session, provider_id)
    await step_up.require(session, actor)
    await tokens.revoke(session, actor, provider, token_id)
    return Response(status_code=204)


@router.post(
    "/{provider_id}/provisioning/allow",
    response_model=ProvisioningStop,
    responses=problems(ProviderNotFound, StepUpNeeded, NotStopped),
)
async def allow_leavers(provider_id: PathId, session: WriteSession, actor: Administrator) -> Response:
    """Let a stopped provider deactivate as many people as it wants, for an hour."""
    provider = await queries.find(session, provider_id)
    await step_up.require(session, actor)
    stop = await stops.allow(session, actor, provider)
    return json_response(queries.stop_json(stop))


@router.get("/{provider_id}/provisioning/groups", response_model=PushedGroupPage, responses=problems(ProviderNotFound))
async def pushed_groups(
    provider_id: PathId, session: ReadSession, _: Administrator, limit: Limit = 25, cursor: Cursor = None
) -> Response:
    """The groups that were pushed, by name, with the roles each gives."""
    await queries.find(session, provider_id)
    items, following = await queries.group_page(session, provider_id, cursor=cursor, limit=limit)
    return json_response({"items": items, "next_cursor": following})


@router.get(
    "/{provider_id}/provisioning/requests", response_model=PushedRequestPage, responses=problems(ProviderNotFound)
)
async def pushed_requests(
    provider_id: PathId,
    session: ReadSession,
    _: Administrator,
    only_errors: Annotated[bool, Query(description="Those that were refused.", examples=[False])] = False,
    limit: Limit = 25,
    cursor: Cursor = None,
) -> Response:
    """The last two hundred requests, newest first."""
    await queries.find(session, provider_id)
    items, following = await requests.page(session, provider_id, only_errors=only_errors, cursor=cursor, limit=limit)
    return json_response({"items": [{**i, "at": rfc3339(i["at"])} for i in items], "next_cursor": following})
