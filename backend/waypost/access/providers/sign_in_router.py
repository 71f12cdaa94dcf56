"""`/auth/providers/…`: leaving for a provider's page, coming back, signing out; and `/auth/identities`, one's own links."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Request, Response

from waypost.access import cookies
from waypost.access.actor import Actor
from waypost.access.deps import caller_of, current_actor, permit, public
from waypost.access.errors import ForeignOrigin, StepUpNeeded
from waypost.access.permissions import Permission
from waypost.access.providers import identities, queries, signing_in, signing_out
from waypost.access.providers.errors import (
    IdentityNotFound,
    IdentityTaken,
    LastWayIn,
    NotLetIn,
    ProviderFails,
    ProviderNotFound,
    ProviderOff,
    SignInRefused,
)
from waypost.access.providers.router import provider_is_there
from waypost.access.providers.sign_in_schemas import (
    IdentityList,
    Leave,
    LeaveFor,
    SignedOut,
    TicketGiven,
    TriedRead,
)
from waypost.access.router import RefreshCookie, answer_of, same_origin
from waypost.access.schemas import SecondFactorAsked, SignedInAnswer
from waypost.access.step_up import require as require_step_up
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.errors import Refusal
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.ids import PathId, random_token
from waypost.kernel.openapi import problems

router = APIRouter(route_class=StrictRoute)
Oneself = Annotated[Actor, permit(Permission.SESSIONS_OWN)]
Administrator = Annotated[Actor, permit(Permission.IDENTITY_CONFIGURE)]
_BROWSER = re.compile(r"[A-Za-z0-9_-]{43}")
_LIFE = timedelta(hours=1)  # several tabs share it


def _browser(request: Request) -> str | None:
    given = request.cookies.get(cookies.name_of(cookies.SIGN_IN), "")
    return given if _BROWSER.fullmatch(given) else None


async def _go(request: Request, provider_id: int, next_path: str, purpose: str, actor: Actor | None = None) -> Response:
    browser = _browser(request) or random_token()
    going = await signing_in.leave(
        database(), provider_id, browser=browser, next_path=next_path, purpose=purpose, actor=actor
    )
    response = json_response({"url": going.url})
    cookies.give(response, cookies.SIGN_IN, browser, life=_LIFE)
    return response


async def _provider_id(key: str) -> int:
    async with database().read() as session:
        return (await queries.provider_by_key(session, key)).id


async def _way_is_there(request: Request) -> None:
    """404 before a 422."""
    await _provider_id(str(request.path_params["key"]))


@router.post(
    "/auth/providers/{key}/leave",
    tags=["Sign-in"],
    response_model=LeaveFor,
    responses=problems(ProviderNotFound, ProviderOff, ProviderFails, ForeignOrigin),
)
@guarded(_way_is_there)
@public
async def leave_to_sign_in(key: str, body: Leave, request: Request) -> Response:
    """Where to go to sign in at a provider's page. The browser gets a cookie without which it cannot come back."""
    same_origin(request)
    return await _go(request, await _provider_id(key), body.next, signing_in.SIGN_IN)


@router.post(
    "/auth/providers/come-in",
    tags=["Sign-in"],
    response_model=SignedInAnswer | SecondFactorAsked,
    responses=problems(SignInRefused, NotLetIn, ProviderOff, ForeignOrigin),
)
@public
async def come_in_by_provider(body: TicketGiven, request: Request) -> Response:
    """Finish a sign-in that came back from a provider, with the ticket in the address it came back to."""
    same_origin(request)
    signed_in = await signing_in.come_in(database(), caller_of(request), ticket=body.ticket, browser=_browser(request))
    return await answer_of(signed_in)


@router.post("/auth/sign-out", tags=["Sign-in"], response_model=SignedOut, responses=problems(ForeignOrigin))
@public
async def sign_out(request: Request, given: RefreshCookie) -> Response:
    """End this session, as `logout` does; and where to go to end it at the provider too, when one signed in there."""
    same_origin(request)
    try:
        actor = await current_actor(request)
    except Refusal:
        actor = None
    url = await signing_out.sign_out(database(), given.value if given else None, actor)
    response = json_response({"url": url})
    cookies.take_refresh(response)
    return response


@router.post(
    "/identity-providers/{provider_id}/tries",
    tags=["Identity providers"],
    response_model=LeaveFor,
    responses=problems(ProviderNotFound, ProviderFails),
)
async def try_identity_provider(provider_id: PathId, request: Request, actor: Administrator) -> Response:
    """Where to go to try a sign-in at a provider, which may be off still. Nobody is signed in by it."""
    back = f"/settings/identity-providers/{provider_id}"
    return await _go(request, provider_id, back, signing_in.TRY, actor)


@router.post(
    "/identity-providers/{provider_id}/tried",
    tags=["Identity providers"],
    response_model=TriedRead,
    responses=problems(ProviderNotFound, SignInRefused),
)
@guarded(provider_is_there)
async def tried_identity_provider(
    provider_id: PathId, body: TicketGiven, request: Request, actor: Administrator
) -> Response:
    """What a tried sign-in showed: the claims, who it would be here, and the roles their groups would give."""
    seen = await signing_in.foresee(database(), actor, ticket=body.ticket, browser=_browser(request))
    if seen["provider_id"] != provider_id:
        raise ProviderNotFound
    return json_response(seen)


@router.get("/auth/identities", tags=["Sign-in"], response_model=IdentityList)
async def own_identities(session: ReadSession, actor: Oneself) -> Response:
    """The providers by which one can sign in to one's own account, and those by which one could."""
    return json_response(await identities.of_person(session, actor.user_id))


@router.post(
    "/auth/identities/{key}/leave",
    tags=["Sign-in"],
    response_model=LeaveFor,
    responses=problems(ProviderNotFound, ProviderOff, ProviderFails, StepUpNeeded),
)
async def leave_to_link(key: str, request: Request, actor: Oneself) -> Response:
    """Where to go to show a provider that one is its person too, so that one can sign in by it."""
    async with database().read() as session:
        provider_id = (await queries.provider_by_key(session, key)).id
        await require_step_up(session, actor)
    return await _go(request, provider_id, "/account/security", signing_in.LINK, actor)


@router.post(
    "/auth/identities",
    tags=["Sign-in"],
    status_code=204,
    responses=problems(SignInRefused, IdentityTaken, StepUpNeeded, ProviderOff),
)
async def link_identity(body: TicketGiven, request: Request, actor: Oneself) -> Response:
    """Take what a provider has just shown as one's own: from now on one signs in by it."""
    await signing_in.take_as_own(database(), actor, ticket=body.ticket, browser=_browser(request))
    return Response(status_code=204)


@router.delete(
    "/auth/identities/{identity_id}",
    tags=["Sign-in"],
    status_code=204,
    responses=problems(IdentityNotFound, LastWayIn, StepUpNeeded),
)
async def unlink_identity(identity_id: PathId, session: WriteSession, actor: Oneself) -> Response:
    """Do without a provider for one's own account; what signed in by it ends. The last way in stays."""
    await identities.unlink(session, actor, identity_id)
    return Response(status_code=204)
