"""`/auth/oidc/…`: where an OpenID Connect provider sends browsers back to, and where it says that somebody signed out."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Query, Request, Response

from waypost.access.deps import caller_of, public
from waypost.access.providers import oidc_answers
from waypost.access.providers.errors import ProviderNotFound
from waypost.access.providers.oidc_answers import Answered
from waypost.kernel.bodies import read_body
from waypost.kernel.db import database
from waypost.kernel.http import StrictRoute, json_response
from waypost.kernel.openapi import problems

router = APIRouter(route_class=StrictRoute, tags=["Sign-in"])
Said = Annotated[str | None, Query(max_length=8000)]


def sent_on(path: str, fragment: str) -> Response:
    """To a page of ours. What stands behind # is not sent to any server, nor kept in a log."""
    headers = {"Location": f"{path}#{fragment}", "Referrer-Policy": "no-referrer"}
    return Response(status_code=303, headers=headers)


def page_for(purpose: str, next_path: str) -> str:
    """Which page of ours goes on with what came back."""
    return next_path if purpose != "sign_in" else f"/login?next={quote(next_path, safe='/')}"


@router.get(
    "/auth/oidc/{key}/callback",
    status_code=303,
    response_class=Response,
    responses={303: {"description": "To the page that goes on"}, **problems(ProviderNotFound)},
)
@public
async def oidc_callback(
    key: str,
    request: Request,
    state: Said = None,
    code: Said = None,
    iss: Said = None,
    error: Said = None,
) -> Response:
    """Where a provider sends a browser back to: the answer is checked, and the browser sent on to fetch it."""
    answered = Answered(state=state, code=code, issuer=iss, error=error)
    came = await oidc_answers.take_answer(database(), caller_of(request), key, answered)
    page = page_for(came.purpose, came.next_path)
    return sent_on(page, f"came={came.ticket}" if came.ticket else f"refused={came.refused}")


@router.post(
    "/auth/oidc/{key}/back-channel-logout",
    responses={
        200: {"description": "Done", "content": {"application/json": {"example": {"ended": 1}}}},
        **problems(ProviderNotFound),
    },
    openapi_extra={
        "requestBody": {
            "content": {
                "application/x-www-form-urlencoded": {
                    "schema": {"type": "object", "properties": {"logout_token": {"type": "string"}}},
                    "example": {"logout_token": "eyJhbGciOiJSUzI1NiIsInR5cCI6ImxvZ291dCtqd3QifQ…"},
                }
            }
        }
    },
)
@public
async def oidc_back_channel_logout(key: str, request: Request) -> Response:
    """A provider says, signed, that somebody signed out there: their sign-ins by it end here at once."""
    body = (await read_body(request)).decode("utf-8", "replace")
    try:
        form: dict[str, list[str]] = parse_qs(body, max_num_fields=20)
    except ValueError:  # so many fields are no form of a provider
        form = {}
    (token, *more) = form.get("logout_token", [""])
    ended = None if more else await oidc_answers.take_logout(database(), caller_of(request), key, token)
    answer: dict[str, Any] = {"ended": ended} if ended is not None else {"error": "invalid_request"}
    return json_response(answer, 200 if ended is not None else 400)
