"""`/auth`: coming in, staying in, leaving."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from waypost.access import cookies, devices, people_editing, queries, schemas, service, sessions
from waypost.access.actor import Actor
from waypost.access.deps import caller_of, current_actor, permit, public
from waypost.access.errors import (
    ForeignOrigin,
    LinkUsedUp,
    SessionEnded,
    TokensRenewed,
    TooManyAttempts,
    WeakPassword,
    WrongCredentials,
)
from waypost.access.factors import SecondFactorAsked
from waypost.access.permissions import Permission
from waypost.access.providers.errors import NotLetIn
from waypost.access.providers.ldap.errors import DirectoryAway, DirectoryPasswordOver
from waypost.access.providers.ldap.signing_in import Directories
from waypost.access.schemas import FirstPassword, Login, Me, Refresh, SignedInAnswer
from waypost.access.sessions import SignedIn
from waypost.directory.names import names
from waypost.kernel.cautions import is_open_demo
from waypost.kernel.clock import rfc3339
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.errors import Refusal
from waypost.kernel.http import StrictRoute, json_response
from waypost.kernel.openapi import problems
from waypost.kernel.problems import problem
from waypost.kernel.settings import get_settings

router = APIRouter(route_class=StrictRoute)
RefreshCookie = Annotated[cookies.Given | None, Depends(cookies.refresh_given)]


def same_origin(request: Request) -> None:
    """Raises `ForeignOrigin` for a request that another site's page made."""
    # The cookie is SameSite=Strict already; this also stops a page on a sibling domain.
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise ForeignOrigin
    origin = request.headers.get("origin")
    if origin and origin not in (get_settings().origin, f"{request.url.scheme}://{request.headers.get('host')}"):
        raise ForeignOrigin


async def answer_of(signed_in: SignedIn | SecondFactorAsked) -> Response:
    """What a sign-in answers: tokens and the person, or that a second factor is asked for."""
    if isinstance(signed_in, SecondFactorAsked):
        asked = {"mfa_required": True, "mfa_token": signed_in.token, "methods": signed_in.methods}
        return json_response(asked)
    async with database().read() as session:
        actor = await queries.actor_of_session(session, user_id=signed_in.user_id, session_id=signed_in.session_id)
        if actor is None:
            raise SessionEnded
        user = await _me(session, actor)
    response = json_response({**token_json(signed_in), "user": user})
    give_cookies(response, signed_in)
    return response


def token_json(signed_in: SignedIn) -> dict[str, object]:
    """An access token, and how long the sign-in it is for lasts."""
    return {
        "access_token": signed_in.access_token,
        "token_type": "bearer",
        "expires_in": signed_in.expires_in,
        "session": {
            "idle_seconds": int(signed_in.idle.total_seconds()),
            "ends_at": rfc3339(signed_in.ends_at),
        },
    }


def give_cookies(response: Response, signed_in: SignedIn) -> None:
    """What a browser keeps of a sign-in, and what it is known by later."""
    cookies.give(response, cookies.REFRESH, signed_in.refresh_token, until=signed_in.ends_at)
    if signed_in.device:
        # it has to come along when somebody is sent back from their provider
        cookies.give(response, cookies.DEVICE, signed_in.device, life=devices.KEPT, same_site="lax")


async def _me(session: ReadSession, actor: Actor) -> dict[str, object]:
    user = await people_editing.one_user(session, actor.user_id)
    people = await names.people(session, [user.manager_id])
    departments = await names.departments(session, [user.department_id])
    teams = await names.teams(session, actor.team_ids)
    return {
        "id": user.id,
        "username": user.username,
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "name": user.name,
        "roles": (await queries.roles_of(session, [user.id]))[user.id],
        "permissions": sorted(p.value for p in actor.permissions),
        "department": departments.get(user.department_id),
        "manager": people.get(user.manager_id),
        "teams": sorted(teams.values(), key=lambda t: str(t["name"])),
        "timezone": user.timezone,
        "locale": user.locale,
        "must_enrol": actor.must_enrol,
        "is_open_demo": is_open_demo(get_settings()),
    }


@router.post(
    "/auth/login",
    tags=["Sign-in"],
    response_model=SignedInAnswer | schemas.SecondFactorAsked,
    responses=problems(WrongCredentials, DirectoryPasswordOver, TooManyAttempts, NotLetIn, DirectoryAway),
)
@public
async def login(request: Request, body: Login) -> Response:
    """Sign in with a username or e-mail address and a password: the one kept here, or else that of a directory."""
    return await answer_of(
        await service.log_in(
            database(),
            caller_of(request),
            username=body.username,
            password=body.password,
            elsewhere=Directories(),
        )
    )


@router.post(
    "/auth/refresh",
    tags=["Sign-in"],
    response_model=SignedInAnswer,
    responses=problems(SessionEnded, TokensRenewed, ForeignOrigin),
)
@public
async def refresh(request: Request, given: RefreshCookie, body: Refresh | None = None) -> Response:
    """Trade the refresh cookie for a new access token; the cookie is replaced by its successor.

    `tokens_renewed`: another tab has a newer one, which this browser shows when it asks again.
    """
    same_origin(request)
    idle = body.idle_seconds if body else 0
    try:
        return await answer_of(await sessions.refresh(database(), given, idle_seconds=idle))
    except SessionEnded as ended:
        response = problem(ended, request)
        cookies.take_refresh(response)
        return response


@router.post("/auth/logout", tags=["Sign-in"], status_code=204, responses=problems(ForeignOrigin))
@public
async def logout(request: Request, session: WriteSession, given: RefreshCookie) -> Response:
    """End this session: neither its refresh token nor its access token opens anything afterwards."""
    same_origin(request)
    try:
        actor = await current_actor(request)
    except Refusal:
        actor = None
    await sessions.log_out(session, given.value if given else None, actor)
    response = Response(status_code=204)
    cookies.take_refresh(response)
    return response


@router.post(
    "/auth/first-password",
    tags=["Sign-in"],
    response_model=SignedInAnswer | schemas.SecondFactorAsked,
    responses=problems(LinkUsedUp, WeakPassword),
)
@public
async def first_password(request: Request, body: FirstPassword) -> Response:
    """Set a password with a one-time link, and sign in."""
    same_origin(request)
    async with database().transaction() as session:
        signed_in = await service.use_password_link(
            session, caller_of(request), token=body.token, password=body.password
        )
    return await answer_of(signed_in)


@router.get("/auth/me", tags=["Sign-in"], response_model=Me)
async def me(
    session: ReadSession, actor: Annotated[Actor, permit(Permission.SESSIONS_OWN, also_programs=True)]
) -> Response:
    """The signed-in person with roles, permissions, department, manager and teams; of a token, with what it may."""
    return json_response(await _me(session, actor))
