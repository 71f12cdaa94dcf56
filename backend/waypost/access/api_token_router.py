"""`/auth/tokens`: one's own API tokens; `/api-tokens`: everybody's, for administrators."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Response

from waypost.access import api_tokens, token_scopes
from waypost.access.actor import Actor
from waypost.access.api_token_schemas import (
    AllApiTokensPage,
    ApiTokenCreate,
    ApiTokenMade,
    ApiTokenPage,
    TokenScopes,
)
from waypost.access.deps import permit
from waypost.access.errors import ApiTokenNotFound, StepUpNeeded, TooManyTokens
from waypost.access.permissions import Permission
from waypost.kernel.db import ReadSession, WriteSession
from waypost.kernel.http import StrictRoute, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import PathId
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit

router = APIRouter(route_class=StrictRoute)
Oneself = Annotated[Actor, permit(Permission.TOKENS_OWN)]
Administrator = Annotated[Actor, permit(Permission.TOKENS_CONFIGURE)]


def with_secret(answer: Response, member: str, secret: str | None) -> Response:
    """The answer with what is told once. It is put in here, behind what is kept for repeated requests."""
    if secret is None:
        return answer
    return json_response({**msgspec.json.decode(answer.body), member: secret}, answer.status_code)


@router.get("/auth/tokens", tags=["Sign-in"], response_model=ApiTokenPage)
async def api_tokens_of_mine(
    session: ReadSession, actor: Oneself, limit: Limit = 25, cursor: Cursor = None
) -> Response:
    """One's own API tokens in force, newest first."""
    rows, following = await api_tokens.page(session, user_id=actor.user_id, cursor=cursor, limit=limit)
    return json_response({"items": [api_tokens.token_json(r) for r in rows], "next_cursor": following})


@router.get("/auth/token-scopes", tags=["Sign-in"], response_model=TokenScopes)
async def token_scopes_of_mine(actor: Oneself) -> Response:
    """What one can give to a token, in groups: of what one may oneself."""
    groups = [
        {"key": k, "permissions": [p.value for p in v]} for k, v in token_scopes.groups(actor.permissions).items()
    ]
    return json_response({"groups": groups, "most_days": api_tokens.MOST_DAYS, "most_tokens": api_tokens.MOST})


@router.post(
    "/auth/tokens",
    tags=["Sign-in"],
    status_code=201,
    response_model=ApiTokenMade,
    responses=problems(StepUpNeeded, TooManyTokens),
)
async def make_api_token(body: ApiTokenCreate, session: WriteSession, actor: Oneself, once: OnceOnly) -> Response:
    """Make an API token. It is told this once: a repeated request names it, without its words."""
    told: str | None = None

    async def work() -> Response:
        nonlocal told
        row, told = await api_tokens.make(
            session,
            actor,
            name=body.name,
            permissions=body.permissions,
            is_read_only=body.is_read_only,
            days=body.expires_in_days,
        )
        return json_response(api_tokens.token_json(row) | {"token": None}, 201)

    return with_secret(await once.answer(session, actor.user_id, work), "token", told)


@router.delete("/auth/tokens/{token_id}", tags=["Sign-in"], status_code=204, responses=problems(ApiTokenNotFound))
async def revoke_api_token(token_id: PathId, session: WriteSession, actor: Oneself) -> Response:
    """Revoke one of one's own API tokens: it opens nothing from the next second on."""
    await api_tokens.revoke(session, actor, token_id)
    return Response(status_code=204)


@router.get("/api-tokens", tags=["Administration"], response_model=AllApiTokensPage)
async def all_api_tokens(session: ReadSession, _: Administrator, limit: Limit = 25, cursor: Cursor = None) -> Response:
    """Everybody's API tokens in force, newest first."""
    rows, following = await api_tokens.page(session, user_id=None, cursor=cursor, limit=limit)
    return json_response({"items": await api_tokens.with_people(session, rows), "next_cursor": following})


@router.delete("/api-tokens/{token_id}", tags=["Administration"], status_code=204, responses=problems(ApiTokenNotFound))
async def revoke_anybodys_api_token(token_id: PathId, session: WriteSession, actor: Administrator) -> Response:
    """Revoke anybody's API token."""
    await api_tokens.revoke(session, actor, token_id, of_anybody=True)
    return Response(status_code=204)
