"""`/approvals/delegations`, `/approvals/standing-in`, `/approvals/away`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from waypost.access.actor import Actor
from waypost.access.deps import current_actor, permit
from waypost.access.permissions import Permission, Scope
from waypost.approvals import delegating, deputy_queries
from waypost.approvals.delegating import Terms
from waypost.approvals.deputy_errors import BadDelegation, DelegationNotFound, DelegationOver
from waypost.approvals.deputy_schemas import (
    AwayCreate,
    AwayRead,
    DelegationCreate,
    DelegationPage,
    DelegationPreview,
    DelegationRead,
    DelegationUpdate,
    PreviewAnswer,
    StandingNow,
)
from waypost.directory.absences import set_absence
from waypost.directory.errors import AbsenceOverlaps
from waypost.kernel.conditions.tree import InvalidCondition
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.errors import Forbidden, StaleVersion
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import PathId, path_id
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit

router = APIRouter(route_class=StrictRoute, prefix="/approvals", tags=["Approvals"])
Decider = Annotated[Actor, permit(Permission.APPROVALS_DECIDE)]


async def _may_change(request: Request) -> None:
    """404 and 403 before a 422."""
    actor = await current_actor(request)
    delegation_id = path_id(request.path_params.get("delegation_id"))
    async with database().read() as session:
        row = await deputy_queries.one_delegation(session, actor, delegation_id)
        if not delegating.may_change(actor, row.delegator_id):
            raise Forbidden


@router.get("/delegations", response_model=DelegationPage)
async def delegations(
    session: ReadSession,
    actor: Decider,
    past: Annotated[bool, Query(description="Those that are over as well.")] = False,
    everybody: Annotated[bool, Query(description="Everybody's, for those who make them for others.")] = False,
    limit: Limit = 25,
    cursor: Cursor = None,
) -> Response:
    """Who decides for the caller, and for whom the caller decides, now and later; the newest first."""
    page = await deputy_queries.delegation_page(
        session, actor, past=past, everybody=everybody, cursor=cursor, limit=limit
    )
    return json_response(page)


@router.post(
    "/delegations", status_code=201, response_model=DelegationRead, responses=problems(BadDelegation, InvalidCondition)
)
async def create_delegation(body: DelegationCreate, session: WriteSession, actor: Decider, once: OnceOnly) -> Response:
    """Let somebody decide for the caller in a window of time: what they do is done on the caller's behalf."""

    async def work() -> Response:
        terms = Terms(**body.model_dump(exclude={"delegator_id"}))
        row = await delegating.make(session, actor, terms, delegator_id=body.delegator_id or actor.user_id)
        return json_response((await deputy_queries.as_json(session, actor, [row]))[0], 201)

    return await once.answer(session, actor.user_id, work)


@router.post("/delegations/preview", response_model=PreviewAnswer, responses=problems(InvalidCondition))
async def preview_delegation(body: DelegationPreview, session: ReadSession, actor: Decider) -> Response:
    """What waits now, and which of it such a delegation would cover. Nothing is written."""
    delegator_id = body.delegator_id or actor.user_id
    if not delegating.may_change(actor, delegator_id):
        raise Forbidden
    found = await deputy_queries.preview(
        session, actor, delegator_id=delegator_id, condition=body.condition, up_to=body.amount_up_to
    )
    return json_response(found)


@router.get("/delegations/{delegation_id}", response_model=DelegationRead, responses=problems(DelegationNotFound))
async def delegation(delegation_id: PathId, session: ReadSession, actor: Decider) -> Response:
    """One delegation of the caller's, or to the caller."""
    row = await deputy_queries.one_delegation(session, actor, delegation_id)
    return json_response((await deputy_queries.as_json(session, actor, [row]))[0])


@router.put(
    "/delegations/{delegation_id}",
    response_model=DelegationRead,
    responses=problems(DelegationNotFound, BadDelegation, InvalidCondition, DelegationOver, StaleVersion),
)
@guarded(_may_change)
async def change_delegation(
    delegation_id: PathId, body: DelegationUpdate, session: WriteSession, actor: Decider
) -> Response:
    """Change a delegation. Once it has begun, its end and what it covers may change, not who decides and since when."""
    terms = Terms(**body.model_dump(exclude={"version"}))
    row = await delegating.change(session, actor, delegation_id, terms, version=body.version)
    return json_response((await deputy_queries.as_json(session, actor, [row]))[0])


@router.delete("/delegations/{delegation_id}", status_code=204, responses=problems(DelegationNotFound))
async def end_delegation(delegation_id: PathId, session: WriteSession, actor: Decider) -> Response:
    """End a delegation at once: what waits is the caller's alone again."""
    await delegating.cancel(session, actor, delegation_id)
    return Response(status_code=204)


@router.get("/standing-in", response_model=StandingNow)
async def standing_in(session: ReadSession, actor: Decider) -> Response:
    """For whom the caller stands in now, and who stands in for the caller."""
    return json_response(await deputy_queries.standing_now(session, actor))


@router.post(
    "/away",
    status_code=201,
    response_model=AwayRead,
    responses=problems(BadDelegation, InvalidCondition, AbsenceOverlaps),
)
async def go_away(
    body: AwayCreate, session: WriteSession, actor: Annotated[Actor, permit(Permission.ABSENCES_SET)], once: OnceOnly
) -> Response:
    """Say when somebody is away, and who decides for them meanwhile: both, or neither."""

    async def work() -> Response:
        user_id = body.user_id or actor.user_id
        absence = await set_absence(
            session,
            actor,
            user_id=user_id,
            starts_at=body.starts_at,
            ends_at=body.ends_at,
            reason=body.reason,
            everybody=actor.scope(Permission.ABSENCES_SET) is Scope.ALL,
        )
        made = None
        if body.deputy is not None:
            terms = Terms(
                starts_at=body.starts_at, ends_at=body.ends_at, reason=body.reason, **body.deputy.model_dump()
            )
            made = await delegating.make(
                session, actor, terms, delegator_id=user_id, absence_id=absence.id, within="/deputy"
            )
        answer = (await deputy_queries.as_json(session, actor, [made]))[0] if made else None
        return json_response({"absence_id": absence.id, "delegation": answer}, 201)

    return await once.answer(session, actor.user_id, work)
