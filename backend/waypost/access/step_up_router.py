"""`/auth/step-up`: confirming once more that it is oneself, before something that matters."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request, Response

from waypost.access import step_up
from waypost.access.actor import Actor
from waypost.access.deps import caller_of, permit
from waypost.access.errors import TokensRenewed, TooManyAttempts, UnknownFactor, WrongProof
from waypost.access.permissions import Permission
from waypost.access.router import give_cookies, token_json
from waypost.access.sessions import SignedIn
from waypost.access.step_up_schemas import StepUp, StepUpState
from waypost.kernel.clock import rfc3339
from waypost.kernel.db import ReadSession, database
from waypost.kernel.http import StrictRoute, json_response
from waypost.kernel.openapi import problems

router = APIRouter(route_class=StrictRoute, tags=["Sign-in"])
Oneself = Annotated[Actor, permit(Permission.SESSIONS_OWN)]


def _state(factors: list[str], until: datetime | None, by: str | None, renewed: SignedIn | None = None) -> Response:
    response = json_response(
        {
            "factors": factors,
            "valid_until": until and rfc3339(until),
            "proved_by": by if until else None,
            "max_age_seconds": int(step_up.MAX_AGE.total_seconds()),
            "tokens": token_json(renewed) if renewed else None,
        }
    )
    if renewed:
        give_cookies(response, renewed)
    return response


@router.get("/auth/step-up", response_model=StepUpState)
async def step_up_state(session: ReadSession, actor: Oneself) -> Response:
    """Whether this sign-in counts as proven now, and with what it can be."""
    until = await step_up.valid_until(session, actor)
    return _state(await step_up.factors_of(session, actor.user_id), until, await step_up.last_proof(session, actor))


@router.post(
    "/auth/step-up",
    response_model=StepUpState,
    responses=problems(UnknownFactor, WrongProof, TokensRenewed, TooManyAttempts),
)
async def confirm_step_up(request: Request, body: StepUp, actor: Oneself) -> Response:
    """Show that it is still oneself; counts for some minutes, in this session only. Slowed down as signing in is.

    A browser gets new tokens (`tokens`), and those it had before open nothing any more.
    """
    proofs = {name: proof for name, proof in (("password", body.password), ("code", body.code)) if proof is not None}
    if body.credential is not None:  # a device signs for the address one is at, too
        signed = body.credential.model_dump(exclude_none=True) | {"origin": request.headers.get("origin")}
        proofs["credential"] = json.dumps(signed)
    until, renewed = await step_up.prove(database(), caller_of(request), actor, body.factor, proofs)
    async with database().read() as session:
        return _state(await step_up.factors_of(session, actor.user_id), until, body.factor, renewed)
