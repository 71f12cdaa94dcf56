"""`/oauth/token`, `/oauth/revoke` and `/oauth/introspect`, and what a program has to know to use them (RFC 8414)."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse

from waypost.access import oauth, oauth_tokens, token_scopes
from waypost.access.deps import caller_of, public
from waypost.access.errors import TooManyAttempts
from waypost.access.permissions import Permission
from waypost.access.service_schemas import AccessToken, Introspection, Nothing
from waypost.kernel.bodies import read_body
from waypost.kernel.db import database
from waypost.kernel.http import StrictRoute, json_response
from waypost.kernel.openapi import problems
from waypost.kernel.settings import get_settings

router = APIRouter(route_class=StrictRoute)
METADATA = "/.well-known/oauth-authorization-server"
_METHODS = ["client_secret_basic", "client_secret_post"]
_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "required": ["grant_type"],
                    "properties": {
                        "grant_type": {"type": "string", "const": oauth.GRANT},
                        "scope": {"type": "string", "description": "Permission words, with blanks between."},
                        "client_id": {"type": "string"},
                        "client_secret": {"type": "string"},
                    },
                },
                "example": {"grant_type": oauth.GRANT, "scope": "tickets:read"},
            }
        },
    }
}
_TOKEN = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "required": ["token"],
                    "properties": {
                        "token": {"type": "string"},
                        "token_type_hint": {"type": "string", "description": "Taken, and not needed."},
                        "client_id": {"type": "string"},
                        "client_secret": {"type": "string"},
                    },
                },
                "example": {"token": "eyJhbGciOiJFZDI1NTE5IiwidHlwIjoiYXQrand0In0…"},
            }
        },
    }
}


@router.post(
    "/oauth/token",
    tags=["Sign-in"],
    response_model=AccessToken,
    responses=problems(TooManyAttempts),
    openapi_extra=_FORM,
)
@public
async def oauth_token(request: Request) -> Response:
    """Trade a client's secret for an access token (RFC 6749, 4.4).

    The secret comes by HTTP Basic or in the form; refusals are those of RFC 6749, 5.2.
    """
    try:
        headers = request.headers
        asked = oauth.read(headers.get("content-type", ""), headers.get("authorization", ""), await read_body(request))
        granted = await oauth.grant(database(), caller_of(request), asked)
    except oauth.OAuthError as refused:
        return _refusal(refused)
    answer = {
        "access_token": granted.access_token,
        "token_type": "Bearer",
        "expires_in": granted.expires_in,
        "scope": granted.scope,
    }
    return json_response(answer, 200, {"Pragma": "no-cache"})


def _refusal(refused: oauth.OAuthError) -> Response:
    told = {"error": refused.error, "error_description": refused.description}
    basic = {"WWW-Authenticate": 'Basic realm="waypost", charset="UTF-8"'} if refused.status == 401 else {}
    return json_response(told, refused.status, {"Pragma": "no-cache", **basic})


@router.post(
    "/oauth/revoke", tags=["Sign-in"], response_model=Nothing, responses=problems(TooManyAttempts), openapi_extra=_TOKEN
)
@public
async def oauth_revoke(request: Request) -> Response:
    """Give an access token back before it ends (RFC 7009). Tokens that open nothing anyhow are no error."""
    try:
        asked, token = await _about_token(request)
        await oauth_tokens.revoke(database(), caller_of(request), asked, token)
    except oauth.OAuthError as refused:
        return _refusal(refused)
    return json_response({}, 200, {"Pragma": "no-cache"})


@router.post(
    "/oauth/introspect",
    tags=["Sign-in"],
    response_model=Introspection,
    response_model_exclude_unset=True,
    responses=problems(TooManyAttempts),
    openapi_extra=_TOKEN,
)
@public
async def oauth_introspect(request: Request) -> Response:
    """What an access token of the client's own is worth now (RFC 7662): of every other it learns only `active: false`."""
    try:
        asked, token = await _about_token(request)
        found = await oauth_tokens.introspect(database(), caller_of(request), asked, token)
    except oauth.OAuthError as refused:
        return _refusal(refused)
    return json_response(found, 200, {"Pragma": "no-cache"})


async def _about_token(request: Request) -> tuple[oauth.Asked, str]:
    headers, body = request.headers, await read_body(request)
    return oauth_tokens.read(headers.get("content-type", ""), headers.get("authorization", ""), body)


async def metadata(_: Request) -> Response:
    """What there is, for programs that look for it."""
    origin = get_settings().origin
    return JSONResponse(
        {
            "issuer": origin,
            "token_endpoint": f"{origin}/api/v1/oauth/token",
            "token_endpoint_auth_methods_supported": _METHODS,
            "revocation_endpoint": f"{origin}/api/v1/oauth/revoke",
            "revocation_endpoint_auth_methods_supported": _METHODS,
            "introspection_endpoint": f"{origin}/api/v1/oauth/introspect",
            "introspection_endpoint_auth_methods_supported": _METHODS,
            "grant_types_supported": [oauth.GRANT],
            "response_types_supported": [],
            "scopes_supported": [p.value for p in token_scopes.possible(Permission)],
            "service_documentation": f"{origin}/api/v1/docs",
        }
    )
