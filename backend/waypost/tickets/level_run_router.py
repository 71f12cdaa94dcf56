"""`/sla/policies/{id}/runs`: the newest version of a policy for requests that run already, looked at first, then done."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response

from waypost.access.actor import Actor
from waypost.access.deps import costly, permit
from waypost.access.permissions import Permission
from waypost.kernel import hints
from waypost.kernel.db import ReadSession, WriteSession, database
from waypost.kernel.errors import StaleVersion
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import PathId
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit
from waypost.sla.errors import PolicyNotFound
from waypost.sla.policy_router import is_there
from waypost.tickets import level_run_reading, level_runs
from waypost.tickets.errors import LevelNotInUse, LevelRunGoesOn, LevelRunIsOver, LevelRunNotFound
from waypost.tickets.level_run_schemas import LevelRunBegin, LevelRunPage, LevelRunRead

router = APIRouter(route_class=StrictRoute, prefix="/sla/policies/{policy_id}/runs", tags=["Service levels"])
Configurer = Annotated[Actor, permit(Permission.SLA_CONFIGURE)]
Reader = Annotated[Actor, permit(Permission.SLA_READ)]


@router.post(
    "",
    status_code=202,
    response_model=LevelRunRead,
    responses=problems(PolicyNotFound, StaleVersion, LevelNotInUse, LevelRunGoesOn),
)
@costly
@guarded(is_there)
async def begin_sla_run(policy_id: PathId, body: LevelRunBegin, actor: Configurer, once: OnceOnly) -> Response:
    """Have running requests go by the newest version over their whole time, or see what that comes to. A job of the worker."""
    async with database().transaction() as session:

        async def work() -> Response:
            run = await level_runs.begin(session, actor, policy_id, version=body.version, is_trial=body.is_trial)
            return json_response(await level_run_reading.run_json(session, actor, run), 202)

        answer = await once.answer(session, actor.user_id, work)
    await hints.ask(level_runs.TASK)
    return answer


@router.get("", response_model=LevelRunPage, responses=problems(PolicyNotFound))
async def sla_runs(
    policy_id: PathId, session: ReadSession, actor: Reader, limit: Limit = 25, cursor: Cursor = None
) -> Response:
    """When the policy was applied to running requests, by whom and with what result; newest first."""
    return json_response(await level_run_reading.run_page(session, actor, policy_id, cursor=cursor, limit=limit))


@router.get("/{run_id}", response_model=LevelRunRead, responses=problems(LevelRunNotFound))
async def sla_run(policy_id: PathId, run_id: PathId, session: ReadSession, actor: Reader) -> Response:
    """How far a run is, what it comes to, and requests as examples."""
    run = await level_runs.find(session, actor, policy_id, run_id)
    return json_response(await level_run_reading.run_json(session, actor, run))


@router.post("/{run_id}/stop", response_model=LevelRunRead, responses=problems(LevelRunNotFound, LevelRunIsOver))
async def stop_sla_run(policy_id: PathId, run_id: PathId, session: WriteSession, actor: Configurer) -> Response:
    """End a run where it is; what it did stays."""
    run = await level_runs.stop(session, actor, policy_id, run_id)
    return json_response(await level_run_reading.run_json(session, actor, run))
