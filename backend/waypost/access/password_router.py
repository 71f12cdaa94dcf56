"""`/auth/password` and what helps who has forgotten theirs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response

from waypost.access import factors, passwords, queries, resets
from waypost.access.actor import Actor
from waypost.access.deps import caller_of, permit, public
from waypost.access.errors import (
    ForeignOrigin,
    LinkUsedUp,
    StepUpNeeded,
    TooManyAttempts,
    WeakPassword,
    WrongProof,
)
from waypost.access.password_schemas import NotMe, PasswordChange, PasswordForgotten, PasswordState
from waypost.access.permissions import Permission
from waypost.access.router import same_origin
from waypost.directory.errors import PersonNotFound
from waypost.kernel.clock import rfc3339
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.http import StrictRoute, json_response
from waypost.kernel.ids import PathId
from waypost.kernel.openapi import problems

router = APIRouter(route_class=StrictRoute)
Oneself = Annotated[Actor, permit(Permission.SESSIONS_OWN)]


@router.get("/auth/password", tags=["Sign-in"], response_model=PasswordState)
async def password_state(session: ReadSession, actor: Oneself) -> Response:
    """Whether one has a password here, and how long a new one has to be."""
    changed_at = await queries.password_since(session, actor.user_id)
    beside = bool(await factors.methods_of(session, actor.user_id))
    return json_response(
        {
            "has_password": changed_at is not None,
            "changed_at": changed_at and rfc3339(changed_at),
            "least": passwords.LEAST_BESIDE if beside else passwords.LEAST_ALONE,
            "most": passwords.MAX_LENGTH,
        }
    )


@router.post(
    "/auth/password",
    tags=["Sign-in"],
    status_code=204,
    responses=problems(WeakPassword, WrongProof, StepUpNeeded, TooManyAttempts),
)
async def change_password(request: Request, body: PasswordChange, actor: Oneself) -> Response:
    """Set a password of one's own. Every other sign-in ends, and a mail says so."""
    await resets.change(database(), caller_of(request), actor, password=body.password, current=body.current_password)
    return Response(status_code=204)


@router.post("/auth/forgot-password", tags=["Sign-in"], status_code=204, responses=problems(TooManyAttempts))
@public
async def forgot_password(request: Request, body: PasswordForgotten) -> Response:
    """Ask for a mail with a link to a new password. The answer is the same for a name that is nobody's."""
    await resets.ask(database(), caller_of(request), username=body.username)
    return Response(status_code=204)


@router.post("/auth/not-me", tags=["Sign-in"], status_code=204, responses=problems(LinkUsedUp, ForeignOrigin))
@public
async def not_me(request: Request, body: NotMe, session: WriteSession) -> Response:
    """Say that a sign-in was not one's own: its password is void, and a link to a new one comes by mail."""
    same_origin(request)
    await resets.disown(session, caller_of(request), token=body.token)
    return Response(status_code=204)


@router.post(
    "/users/{user_id}/password-reset",
    tags=["Administration"],
    status_code=204,
    responses=problems(PersonNotFound),
)
async def send_password_reset(
    user_id: PathId,
    request: Request,
    session: WriteSession,
    actor: Annotated[Actor, permit(Permission.DIRECTORY_CONFIGURE)],
) -> Response:
    """Let somebody have a mail with a link to a new password."""
    await resets.send(session, caller_of(request), actor, user_id)
    return Response(status_code=204)
