"""`/oauth/token`, and what a program has to know to use it (RFC 8414)."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse

from waypost.access import oauth, token_scopes
from waypost.access.deps import caller_of, public
from waypost.access.errors import TooManyAttempts
from waypost.access.permissions import Permission
from waypost.access.service_schemas import AccessToken
from waypost.kernel.bodies import read_body
from waypost.kernel.db import database
from waypost.kernel.http import StrictRoute, json_response
from waypost.kernel.openapi import problems
from waypost.kernel.settings import get_settings

router = APIRouter(route_class=StrictRoute)
METADATA = "/.well-known/oauth-authorization-server"
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
        told = {"error": refused.error, "error_description": refused.description}
        basic = {"WWW-Authenticate": 'Basic realm="waypost", charset="UTF-8"'} if refused.status == 401 else {}
        return json_response(told, refused.status, {"Pragma": "no-cache", **basic})
    answer = {
        "access_token": granted.access_token,
        "token_type": "Bearer",
        "expires_in": granted.expires_in,
        "scope": granted.scope,
    }
    return json_response(answer, 200, {"Pragma": "no-cache"})


async def metadata(_: Request) -> Response:
    """What there is, for programs that look for it."""
    origin = get_settings().origin
    return JSONResponse(
        {
            "issuer": origin,
            "token_endpoint": f"{origin}/api/v1/oauth/token",
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "grant_types_supported": [oauth.GRANT],
            "response_types_supported": [],
            "scopes_supported": [p.value for p in token_scopes.possible(Permission)],
            "service_documentation": f"{origin}/api/v1/docs",
        }
    )
