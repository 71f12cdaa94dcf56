"""`/identity-providers/{id}/runs`: looks at a directory that is followed, and plans that wait for somebody."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from waypost.access.actor import Actor
from waypost.access.deps import permit
from waypost.access.errors import StepUpNeeded
from waypost.access.permissions import Permission
from waypost.access.providers.errors import ProviderNotFound, ProviderOff
from waypost.access.providers.ldap import queries, runs
from waypost.access.providers.ldap.errors import NotADirectory, NothingToSettle, RunNotFound, RunWaits
from waypost.access.providers.ldap.schemas import Action, RunAsked, RunPage, RunPeoplePage, RunRead
from waypost.access.providers.ldap.syncing import TASK
from waypost.access.providers.router import provider_is_there
from waypost.kernel import hints
from waypost.kernel.db import ReadSession, database
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import PathId
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit

router = APIRouter(route_class=StrictRoute, prefix="/identity-providers/{provider_id}", tags=["Identity providers"])
Administrator = Annotated[Actor, permit(Permission.IDENTITY_CONFIGURE)]


@router.get("/runs", response_model=RunPage, responses=problems(ProviderNotFound, NotADirectory))
async def directory_runs(
    provider_id: PathId, session: ReadSession, _: Administrator, cursor: Cursor = None, limit: Limit = 25
) -> Response:
    """Looks at a directory, the newest first."""
    return json_response(await queries.run_page(session, provider_id, cursor=cursor, limit=limit))


@router.post(
    "/runs",
    status_code=201,
    response_model=RunRead,
    responses=problems(ProviderNotFound, NotADirectory, ProviderOff, RunWaits),
)
@guarded(provider_is_there)
async def ask_for_directory_run(provider_id: PathId, body: RunAsked, actor: Administrator, once: OnceOnly) -> Response:
    """Look at a directory now, all of it: for the plan alone, or to follow it. A worker does it; ask the run how it stands."""
    async with database().transaction() as session:

        async def work() -> Response:
            run = await runs.ask_for_run(session, actor, provider_id, is_dry=body.is_dry)
            return json_response(await queries.one_run(session, provider_id, run.id), 201)

        answer = await once.answer(session, actor.user_id, work)
    await hints.ask(TASK)
    return answer


@router.get("/runs/{run_id}", response_model=RunRead, responses=problems(ProviderNotFound, NotADirectory, RunNotFound))
async def directory_run(provider_id: PathId, run_id: PathId, session: ReadSession, _: Administrator) -> Response:
    """How a look at a directory stands."""
    return json_response(await queries.one_run(session, provider_id, run_id))


@router.get(
    "/runs/{run_id}/people",
    response_model=RunPeoplePage,
    responses=problems(ProviderNotFound, NotADirectory, RunNotFound),
)
async def directory_run_people(
    provider_id: PathId,
    run_id: PathId,
    session: ReadSession,
    _: Administrator,
    action: Annotated[Action | None, Query(description="Only those of whom this becomes.", examples=[None])] = None,
    cursor: Cursor = None,
    limit: Limit = 25,
) -> Response:
    """What a run made, or would make, of whom, and why; what went wrong comes first, then who leaves."""
    return json_response(
        await queries.people_page(session, provider_id, run_id, action=action, cursor=cursor, limit=limit)
    )


@router.post(
    "/runs/{run_id}/apply",
    status_code=201,
    response_model=RunRead,
    responses=problems(
        ProviderNotFound, NotADirectory, RunNotFound, StepUpNeeded, NothingToSettle, ProviderOff, RunWaits
    ),
)
async def apply_directory_plan(provider_id: PathId, run_id: PathId, actor: Administrator, once: OnceOnly) -> Response:
    """Let exactly the plan of a run that stopped be done, by a new run; if it is another plan by then, that stops again."""
    async with database().transaction() as session:

        async def work() -> Response:
            run = await runs.apply_plan(session, actor, provider_id, run_id)
            return json_response(await queries.one_run(session, provider_id, run.id), 201)

        answer = await once.answer(session, actor.user_id, work)
    await hints.ask(TASK)
    return answer


@router.post(
    "/runs/{run_id}/dismiss",
    response_model=RunRead,
    responses=problems(ProviderNotFound, NotADirectory, RunNotFound, StepUpNeeded, NothingToSettle),
)
async def dismiss_directory_plan(provider_id: PathId, run_id: PathId, actor: Administrator) -> Response:
    """Put away the plan of a run that stopped: nothing of it is done, and the same one is not told of again."""
    async with database().transaction() as session:
        await runs.dismiss_plan(session, actor, provider_id, run_id)
        return json_response(await queries.one_run(session, provider_id, run_id))
