"""`/auth/passkeys`: making them, signing in with them, and confirming what weighs more."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from waypost.access import passkeys
from waypost.access.actor import Actor
from waypost.access.deps import caller_of, permit, public
from waypost.access.errors import (
    ChallengeOver,
    FactorInUse,
    NoPasskeysHere,
    PasskeyNotFound,
    PasskeyRefused,
    PasswordTooShort,
    StepUpNeeded,
    TooManyAttempts,
    TooManyPasskeys,
)
from waypost.access.models import Passkey
from waypost.access.passkey_schemas import PasskeyAsk, PasskeyCreate, PasskeyMade, PasskeyOptions, PasskeySignIn
from waypost.access.passkeys import Here
from waypost.access.permissions import Permission
from waypost.access.router import answer_of
from waypost.access.schemas import SignedInAnswer
from waypost.kernel.clock import rfc3339
from waypost.kernel.db import WriteSession, database
from waypost.kernel.http import StrictRoute, json_response
from waypost.kernel.ids import PathId
from waypost.kernel.openapi import problems

router = APIRouter(route_class=StrictRoute, tags=["Sign-in"], prefix="/auth/passkeys")
Oneself = Annotated[Actor, permit(Permission.SESSIONS_OWN)]


def origin_of(request: Request) -> str:
    """The address a request without an `Origin` came to."""
    return f"{request.url.scheme}://{request.headers.get('host', '')}"


def _here(request: Request) -> Here:
    return passkeys.here(request.headers.get("origin") or origin_of(request))


def passkey_json(row: Passkey) -> dict[str, Any]:
    """A passkey as its owner sees it."""
    return {
        "id": row.id,
        "name": row.name,
        "created_at": rfc3339(row.created_at),
        "used_at": row.used_at and rfc3339(row.used_at),
        "is_synced": row.is_synced,
    }


@router.post(
    "/options", response_model=PasskeyOptions, responses=problems(StepUpNeeded, TooManyPasskeys, NoPasskeysHere)
)
async def passkey_options(request: Request, session: WriteSession, actor: Oneself) -> Response:
    """What the browser needs to make a passkey; good for five minutes."""
    return json_response({"options": await passkeys.begin(session, actor, _here(request))})


@router.post(
    "",
    status_code=201,
    response_model=PasskeyMade,
    responses=problems(StepUpNeeded, PasskeyRefused, TooManyPasskeys, NoPasskeysHere),
)
async def add_passkey(request: Request, body: PasskeyCreate, session: WriteSession, actor: Oneself) -> Response:
    """Keep the passkey a device made. What it signed counts once, so the same cannot be kept twice."""
    credential = body.credential.model_dump(exclude_none=True)
    row, codes = await passkeys.add(session, actor, _here(request), name=body.name, credential=credential)
    return json_response({**passkey_json(row), "recovery_codes": codes}, 201)


@router.delete(
    "/{passkey_id}", status_code=204, responses=problems(StepUpNeeded, PasskeyNotFound, FactorInUse, PasswordTooShort)
)
async def remove_passkey(passkey_id: PathId, session: WriteSession, actor: Oneself) -> Response:
    """Do without a passkey."""
    await passkeys.remove(session, actor, passkey_id)
    return Response(status_code=204)


@router.post("/step-up/options", response_model=PasskeyOptions, responses=problems(NoPasskeysHere))
async def passkey_step_up_options(request: Request, session: WriteSession, actor: Oneself) -> Response:
    """What the browser needs to let a device confirm that it is oneself."""
    asked = await passkeys.ask(session, _here(request), passkeys.STEP_UP, user_id=actor.user_id)
    return json_response({"options": asked})


@router.post("/sign-in/options", response_model=PasskeyOptions, responses=problems(ChallengeOver, NoPasskeysHere))
@public
async def passkey_sign_in_options(request: Request, body: PasskeyAsk, session: WriteSession) -> Response:
    """What the browser needs to let a device sign in; says nothing of who has one."""
    if body.mfa_token is None:
        return json_response({"options": await passkeys.ask(session, _here(request), passkeys.SIGN_IN)})
    user_id = await passkeys.waiting_person(session, body.mfa_token)
    asked = await passkeys.ask(session, _here(request), passkeys.SECOND, user_id=user_id)
    return json_response({"options": asked})


@router.post(
    "/sign-in", response_model=SignedInAnswer, responses=problems(PasskeyRefused, ChallengeOver, TooManyAttempts)
)
@public
async def passkey_sign_in(request: Request, body: PasskeySignIn) -> Response:
    """Sign in with a passkey alone, or finish a sign-in that waits for its second factor."""
    credential = body.credential.model_dump(exclude_none=True)
    signed_in = await passkeys.sign_in(database(), caller_of(request), _here(request), credential, body.mfa_token)
    return await answer_of(signed_in)
