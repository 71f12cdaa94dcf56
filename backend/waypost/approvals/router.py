"""`/approvals`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response

from waypost.access import signing as passkey_signing
from waypost.access.actor import Actor
from waypost.access.deps import current_actor, permit
from waypost.access.errors import SignatureRefused, StepUpNeeded
from waypost.access.permissions import Permission
from waypost.approvals import overriding, queries, service
from waypost.approvals.errors import (
    BadDelegate,
    CommentNeeded,
    NobodyAbove,
    NotAsked,
    SelfApproval,
    StepDecided,
    StepNotFound,
    StepNotOpen,
    WorkflowNotFound,
)
from waypost.approvals.schemas import (
    Addition,
    BulkAction,
    BulkAnswer,
    DecisionAnswer,
    Override,
    OverrideAnswer,
    StepAction,
)
from waypost.approvals.signing import Signature
from waypost.approvals.signing_router import offered
from waypost.approvals.states import Verb
from waypost.kernel.db import WriteSession, database
from waypost.kernel.errors import Refusal, StaleVersion, invalid_field
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.idempotency import Once, OnceOnly
from waypost.kernel.ids import PathId, path_id
from waypost.kernel.openapi import problems
from waypost.kernel.problems import DATABASE_ERRORS, translate_database_error

router = APIRouter(route_class=StrictRoute, tags=["Approvals"])
# Deciding is checked step by step by the service: who does not see a step must not learn of it from a 403.
Asked = Annotated[Actor, permit(Permission.TICKETS_READ)]
_ALWAYS = (
    StepNotFound,
    NotAsked,
    SelfApproval,
    StepDecided,
    StepNotOpen,
    CommentNeeded,
    StaleVersion,
    SignatureRefused,
)
_REFUSALS = problems(*_ALWAYS)
_APPROVING = problems(*_ALWAYS, StepUpNeeded)


async def _guard(request: Request) -> None:
    """404 and 403 before a 422: a body's faults are told only to the one who is asked."""
    actor = await current_actor(request)
    step_id = path_id(request.path_params.get("step_id"))
    async with database().read() as session:
        await service.check_asked(session, actor, step_id)


async def _decide(
    request: Request, session: WriteSession, actor: Actor, step_id: int, verb: Verb, body: StepAction | None, once: Once
) -> Response:
    said = body or StepAction()

    async def work() -> Response:
        wrong = None
        if said.action is not None and said.action.lower() != verb.value:
            wrong = invalid_field("/action", f"must be {verb.value.upper()} here")
        elif said.delegate_to is not None and verb is not Verb.DELEGATE:
            wrong = invalid_field("/delegate_to", "is for delegating only")
        if wrong is not None:
            await service.check_asked(session, actor, step_id)
            raise wrong
        done = await service.decide(
            session,
            actor,
            step_id,
            verb,
            comments=said.comments or "",
            delegate_to=said.delegate_to,
            version=said.version,
            signature=offered(request, said.signature),
        )
        return json_response(await queries.decision(session, actor, done.step_id))

    return await once.answer(session, actor.user_id, work)


@router.post("/approvals/bulk", response_model=BulkAnswer, responses=problems(SignatureRefused))
async def decide_many(
    request: Request, body: BulkAction, actor: Annotated[Actor, permit(Permission.APPROVALS_DECIDE)]
) -> Response:
    """The same answer to many steps; each is decided on its own, and says what became of it. One signature may be of all.

    Emergencies and requests above the workflow's limit (`one_by_one`) are refused here: each deserves a look of its own.
    """
    signed: Signature = None
    if (given := offered(request, body.signature)) is not None:
        async with database().transaction() as session:
            signed = await passkey_signing.take(session, actor, given)
    results = []
    for step_id in dict.fromkeys(body.step_ids):
        refused: Refusal | None = None
        try:
            async with database().transaction() as session:
                await service.decide(
                    session,
                    actor,
                    step_id,
                    Verb(body.action.lower()),
                    comments=body.comments or "",
                    version=(body.versions or {}).get(str(step_id)),
                    is_one_of_many=True,
                    signature=signed,
                )
        except Refusal as error:
            refused = error
        except DATABASE_ERRORS as error:  # what was decided before stays decided, and is told
            refused = translate_database_error(error)
        why = None
        if refused:
            why = {"code": refused.code, "detail": refused.detail, "changes": refused.facts.get("changes", [])}
        results.append({"step_id": step_id, "ok": refused is None, "error": why})
    return json_response({"results": results})


@router.post("/approvals/{step_id}/approve", response_model=DecisionAnswer, responses=_APPROVING)
@guarded(_guard)
async def approve(
    request: Request,
    step_id: PathId,
    session: WriteSession,
    actor: Asked,
    once: OnceOnly,
    body: StepAction | None = None,
) -> Response:
    """Say yes; what is worth much may ask for a confirmation first (`POST /auth/step-up`), or a signature."""
    return await _decide(request, session, actor, step_id, Verb.APPROVE, body, once)


@router.post("/approvals/{step_id}/reject", response_model=DecisionAnswer, responses=_REFUSALS)
@guarded(_guard)
async def reject(
    request: Request,
    step_id: PathId,
    session: WriteSession,
    actor: Asked,
    once: OnceOnly,
    body: StepAction | None = None,
) -> Response:
    """Say no, with a reason."""
    return await _decide(request, session, actor, step_id, Verb.REJECT, body, once)


@router.post("/approvals/{step_id}/request-info", response_model=DecisionAnswer, responses=_REFUSALS)
@guarded(_guard)
async def request_info(
    request: Request,
    step_id: PathId,
    session: WriteSession,
    actor: Asked,
    once: OnceOnly,
    body: StepAction | None = None,
) -> Response:
    """Ask the requester a question; the deadline waits for the answer."""
    return await _decide(request, session, actor, step_id, Verb.REQUEST_INFO, body, once)


@router.post(
    "/approvals/{step_id}/delegate", response_model=DecisionAnswer, responses=_APPROVING | problems(BadDelegate)
)
@guarded(_guard)
async def delegate(
    request: Request,
    step_id: PathId,
    session: WriteSession,
    actor: Asked,
    once: OnceOnly,
    body: StepAction | None = None,
) -> Response:
    """Hand this one decision to somebody else, who decides on the caller's behalf."""
    return await _decide(request, session, actor, step_id, Verb.DELEGATE, body, once)


@router.post(
    "/approvals/{step_id}/escalate", response_model=DecisionAnswer, responses=_REFUSALS | problems(NobodyAbove)
)
@guarded(_guard)
async def escalate(
    request: Request,
    step_id: PathId,
    session: WriteSession,
    actor: Asked,
    once: OnceOnly,
    body: StepAction | None = None,
) -> Response:
    """Send the decision further up, to the next manager."""
    return await _decide(request, session, actor, step_id, Verb.ESCALATE, body, once)


@router.post(
    "/approvals/{step_id}/add-approver", response_model=DecisionAnswer, responses=_APPROVING | problems(BadDelegate)
)
@guarded(_guard)
async def add_approver(
    request: Request, step_id: PathId, session: WriteSession, actor: Asked, once: OnceOnly, body: Addition
) -> Response:
    """Have one more person decide: beside the others, or after them where they are asked one by one."""

    async def work() -> Response:
        done = await service.decide(
            session,
            actor,
            step_id,
            Verb.ADD_APPROVER,
            comments=body.comments or "",
            delegate_to=body.approver_id,
            version=body.version,
            signature=offered(request, body.signature),
        )
        return json_response(await queries.decision(session, actor, done.step_id))

    return await once.answer(session, actor.user_id, work)


async def _overriding(request: Request) -> None:
    """404 and 403 before a 422."""
    actor = await current_actor(request)
    async with database().read() as session:
        await overriding.check_overriding(session, actor, path_id(request.path_params.get("workflow_id")))


@router.post(
    "/approvals/workflows/{workflow_id}/override",
    response_model=OverrideAnswer,
    responses=problems(
        WorkflowNotFound, SelfApproval, StepUpNeeded, SignatureRefused, StepDecided, CommentNeeded, StaleVersion
    ),
)
@guarded(_overriding)
async def override(
    request: Request,
    workflow_id: PathId,
    body: Override,
    session: WriteSession,
    actor: Annotated[Actor, permit(Permission.TICKETS_READ)],
    once: OnceOnly,
) -> Response:
    """End an approval without its approvers' word, with a reason; recorded as an override, never as their answer."""

    async def work() -> Response:
        await overriding.override(
            session,
            actor,
            workflow_id,
            approves=body.action == "APPROVE",
            comments=body.comments,
            version=body.version,
            signature=offered(request, body.signature),
        )
        return json_response({"workflow": await queries.workflow_ref(session, workflow_id)})

    return await once.answer(session, actor.user_id, work)
