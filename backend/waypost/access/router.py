"""`/auth` and `/roles`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Cookie, Request, Response

from waypost.access import devices, people_editing, queries, schemas, service
from waypost.access.actor import Actor
from waypost.access.deps import caller_of, current_actor, permit, public
from waypost.access.errors import (
    ForeignOrigin,
    LinkUsedUp,
    SessionEnded,
    SessionNotFound,
    TooManyAttempts,
    WeakPassword,
    WrongCredentials,
)
from waypost.access.factors import SecondFactorAsked
from waypost.access.models import LoginSession
from waypost.access.permissions import Permission
from waypost.access.providers.errors import NotLetIn
from waypost.access.providers.ldap.errors import DirectoryAway, DirectoryPasswordOver
from waypost.access.providers.ldap.signing_in import Directories
from waypost.access.schemas import FirstPassword, Login, Me, SessionPage, SignedInAnswer
from waypost.directory.names import names
from waypost.kernel.clock import rfc3339
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.errors import Refusal
from waypost.kernel.http import StrictRoute, json_response
from waypost.kernel.ids import PathId
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit
from waypost.kernel.problems import problem
from waypost.kernel.settings import get_settings

router = APIRouter(route_class=StrictRoute)
COOKIE = "waypost_refresh"
RefreshCookie = Annotated[str | None, Cookie(alias=COOKIE, include_in_schema=False)]


def same_origin(request: Request) -> None:
    """Raises `ForeignOrigin` for a request that another site's page made."""
    # The cookie is SameSite=Strict already; this also stops a page on a sibling domain.
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise ForeignOrigin
    origin = request.headers.get("origin")
    if origin and origin not in (get_settings().origin, f"{request.url.scheme}://{request.headers.get('host')}"):
        raise ForeignOrigin


async def answer_of(signed_in: service.SignedIn | SecondFactorAsked) -> Response:
    """What a sign-in answers: tokens and the person, or that a second factor is asked for."""
    if isinstance(signed_in, SecondFactorAsked):
        asked = {"mfa_required": True, "mfa_token": signed_in.token, "methods": signed_in.methods}
        return json_response(asked)
    async with database().read() as session:
        actor = await queries.actor_of_session(session, user_id=signed_in.user_id, session_id=signed_in.session_id)
        if actor is None:
            raise SessionEnded
        user = await _me(session, actor)
    response = json_response(
        {
            "access_token": signed_in.access_token,
            "token_type": "bearer",
            "expires_in": signed_in.expires_in,
            "user": user,
        }
    )
    response.set_cookie(
        COOKIE,
        signed_in.refresh_token,
        expires=signed_in.refresh_expires_at,
        path="/api/v1/auth",
        httponly=True,
        secure=get_settings().is_https,
        samesite="strict",
    )
    if signed_in.device:
        response.set_cookie(
            devices.COOKIE,
            signed_in.device,
            max_age=int(devices.KEPT.total_seconds()),
            path="/api/v1/auth",
            httponly=True,
            secure=get_settings().is_https,
            samesite="lax",  # it has to come along when somebody is sent back from their provider
        )
    return response


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
    "/auth/refresh", tags=["Sign-in"], response_model=SignedInAnswer, responses=problems(SessionEnded, ForeignOrigin)
)
@public
async def refresh(request: Request, token: RefreshCookie = None) -> Response:
    """Trade the refresh cookie for a new access token; the cookie is replaced by its successor."""
    same_origin(request)
    try:
        return await answer_of(await service.refresh(database(), token))
    except SessionEnded as ended:
        response = problem(ended, request)
        response.delete_cookie(COOKIE, path="/api/v1/auth")
        return response


@router.post("/auth/logout", tags=["Sign-in"], status_code=204, responses=problems(ForeignOrigin))
@public
async def logout(request: Request, session: WriteSession, token: RefreshCookie = None) -> Response:
    """End this session: neither its refresh token nor its access token opens anything afterwards."""
    same_origin(request)
    try:
        actor = await current_actor(request)
    except Refusal:
        actor = None
    await service.log_out(session, token, actor)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path="/api/v1/auth")
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


@router.get("/auth/sessions", tags=["Sign-in"], response_model=SessionPage)
async def sessions(
    session: ReadSession,
    actor: Annotated[Actor, permit(Permission.SESSIONS_OWN)],
    limit: Limit = 25,
    cursor: Cursor = None,
) -> Response:
    """One's live sessions, newest first."""
    rows, following = await queries.session_page(session, actor.user_id, cursor=cursor, limit=limit)
    return json_response({"items": [session_json(r, actor) for r in rows], "next_cursor": following})


def session_json(row: LoginSession, actor: Actor) -> dict[str, object]:
    """A sign-in as its person and administrators see it."""
    return {
        "id": row.id,
        "created_at": rfc3339(row.created_at),
        "last_seen_at": rfc3339(row.last_seen_at),
        "ip_address": row.ip_address,
        "user_agent": row.user_agent,
        "is_current": row.id == actor.session_id,
    }


@router.delete("/auth/sessions/{session_id}", tags=["Sign-in"], status_code=204, responses=problems(SessionNotFound))
async def revoke_session(
    session_id: PathId, session: WriteSession, actor: Annotated[Actor, permit(Permission.SESSIONS_OWN)]
) -> Response:
    """End one of one's own sessions."""
    await service.revoke_session(session, actor, session_id)
    return Response(status_code=204)
