"""`/auth/mfa`, who needs a second factor, and what to do for somebody who has lost theirs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response

from waypost.access import factor_resets, factors, second_factor
from waypost.access.actor import Actor
from waypost.access.deps import caller_of, permit, public
from waypost.access.errors import (
    AnotherMust,
    ChallengeOver,
    FactorInUse,
    NoPasskeysHere,
    NothingToConfirm,
    PasswordTooShort,
    ResetNotFound,
    ResetWaits,
    RoleNotFound,
    StepUpNeeded,
    TooManyAttempts,
    WrongCode,
)
from waypost.access.models import Role
from waypost.access.passkey_router import origin_of, passkey_json
from waypost.access.passkeys import here, passkeys_of
from waypost.access.permissions import Permission
from waypost.access.role_queries import role_json
from waypost.access.role_schemas import RoleRead
from waypost.access.router import answer_of
from waypost.access.schemas import SignedInAnswer
from waypost.access.second_factor_schemas import (
    CodeGiven,
    Enrolment,
    Factors,
    RecoveryCodes,
    ResetCreate,
    ResetPage,
    ResetRead,
    RoleNeed,
    Verify,
)
from waypost.directory.names import names
from waypost.kernel.clock import rfc3339
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import PathId, path_id
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit

router = APIRouter(route_class=StrictRoute)
Oneself = Annotated[Actor, permit(Permission.SESSIONS_OWN)]
Administrator = Annotated[Actor, permit(Permission.ROLES_CONFIGURE)]


@router.post(
    "/auth/mfa/verify",
    tags=["Sign-in"],
    response_model=SignedInAnswer,
    responses=problems(ChallengeOver, WrongCode, TooManyAttempts),
)
@public
async def verify_second_factor(request: Request, body: Verify) -> Response:
    """Finish a sign-in with a code of the authenticator app, or a recovery code. Each opens once."""
    signed_in = await second_factor.go_on(database(), caller_of(request), token=body.mfa_token, code=body.code)
    return await answer_of(signed_in)


@router.get("/auth/mfa", tags=["Sign-in"], response_model=Factors)
async def second_factors(request: Request, session: ReadSession, actor: Oneself) -> Response:
    """One's second factors."""
    try:
        here(request.headers.get("origin") or origin_of(request))
        has_passkeys = True
    except NoPasskeysHere:
        has_passkeys = False
    confirmed = await factors.totp_since(session, actor.user_id)
    return json_response(
        {
            "totp": {"enrolled_at": rfc3339(confirmed)} if confirmed else None,
            "passkeys": [passkey_json(row) for row in await passkeys_of(session, actor.user_id)],
            "has_passkeys_here": has_passkeys,
            "recovery_codes_left": await factors.codes_left(session, actor.user_id),
            "needed_by": await factors.roles_that_need_one(session, actor.user_id),
        }
    )


@router.post("/auth/mfa/totp/enroll", tags=["Sign-in"], response_model=Enrolment, responses=problems(StepUpNeeded))
async def enroll_totp(session: WriteSession, actor: Oneself) -> Response:
    """Begin to set up an authenticator app. What was in force stays until a code of the new one is confirmed."""
    begun = await second_factor.begin_totp(session, actor)
    return json_response({"secret": begun.secret, "otpauth_uri": begun.otpauth_uri, "qr_svg": begun.qr_svg})


@router.post(
    "/auth/mfa/totp/confirm",
    tags=["Sign-in"],
    response_model=RecoveryCodes,
    responses=problems(StepUpNeeded, NothingToConfirm, WrongCode, TooManyAttempts),
)
async def confirm_totp(request: Request, body: CodeGiven, actor: Oneself) -> Response:
    """Put the authenticator app into force by a code of it. The recovery codes are told this once."""
    codes = await second_factor.confirm_totp(database(), caller_of(request), actor, body.code)
    return json_response({"recovery_codes": codes})


@router.delete(
    "/auth/mfa/totp", tags=["Sign-in"], status_code=204, responses=problems(StepUpNeeded, FactorInUse, PasswordTooShort)
)
async def remove_totp(session: WriteSession, actor: Oneself) -> Response:
    """Do without the authenticator app; the recovery codes are void with it."""
    await second_factor.remove_totp(session, actor)
    return Response(status_code=204)


@router.post(
    "/auth/mfa/recovery-codes",
    tags=["Sign-in"],
    response_model=RecoveryCodes,
    responses=problems(StepUpNeeded, NothingToConfirm),
)
async def renew_recovery_codes(session: WriteSession, actor: Oneself) -> Response:
    """New recovery codes in place of those before."""
    return json_response({"recovery_codes": await second_factor.renew_recovery_codes(session, actor)})


async def _role_is_there(request: Request) -> None:
    """404 before a 422."""
    role_id = path_id(request.path_params.get("role_id"))
    async with database().read() as session:
        if await session.get(Role, role_id) is None:
            raise RoleNotFound


@router.put(
    "/roles/{role_id}/second-factor",
    tags=["Administration"],
    response_model=RoleRead,
    responses=problems(StepUpNeeded, RoleNotFound),
)
@guarded(_role_is_there)
async def set_role_second_factor(
    role_id: PathId, body: RoleNeed, session: WriteSession, actor: Administrator
) -> Response:
    """Say whether a role's people need a second factor; without one, they are asked to set it up before anything else."""
    role = await factor_resets.set_role_need(session, actor, role_id, is_needed=body.is_needed)
    return json_response(await role_json(session, actor, role))


@router.get("/second-factor-resets", tags=["Administration"], response_model=ResetPage)
async def second_factor_resets(
    session: ReadSession, actor: Administrator, limit: Limit = 25, cursor: Cursor = None
) -> Response:
    """What waits for a second administrator, newest first."""
    return json_response(await factor_resets.open_resets(session, actor, cursor=cursor, limit=limit))


@router.post(
    "/second-factor-resets",
    tags=["Administration"],
    status_code=201,
    response_model=ResetRead,
    responses=problems(StepUpNeeded, ResetWaits, AnotherMust),
)
async def ask_second_factor_reset(
    body: ResetCreate, session: WriteSession, actor: Administrator, once: OnceOnly
) -> Response:
    """Ask that the second factors of somebody who has lost them be taken away; another administrator has to agree."""

    async def work() -> Response:
        row = await factor_resets.ask_reset(session, actor, user_id=body.user_id, reason=body.reason)
        people = await names.people(session, [row.user_id, row.asked_by_id])
        return json_response(factor_resets.reset_json(row, people, actor), 201)

    return await once.answer(session, actor.user_id, work)


@router.post(
    "/second-factor-resets/{reset_id}/agree",
    tags=["Administration"],
    status_code=204,
    responses=problems(StepUpNeeded, ResetNotFound, AnotherMust),
)
async def agree_second_factor_reset(reset_id: PathId, session: WriteSession, actor: Administrator) -> Response:
    """Take them away, as the second administrator: the person's sessions end, and they sign in with their password."""
    await factor_resets.agree(session, actor, reset_id)
    return Response(status_code=204)


@router.delete(
    "/second-factor-resets/{reset_id}", tags=["Administration"], status_code=204, responses=problems(ResetNotFound)
)
async def drop_second_factor_reset(reset_id: PathId, session: WriteSession, actor: Administrator) -> Response:
    """Let such a request be."""
    await factor_resets.drop(session, actor, reset_id)
    return Response(status_code=204)
