"""`/users/bulk`, `/people-jobs`: the same with many people. Comes before `/users/{id}`: "bulk" is no id."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from waypost.access import people_jobs
from waypost.access.actor import Actor
from waypost.access.deps import costly, current_actor, permit
from waypost.access.errors import NothingToUndo, PeopleJobNotFound, RoleNotFound, StepUpNeeded, TooManyLeave
from waypost.access.people_job_schemas import BulkPeople, PeopleJobItems, PeopleJobRead, PeoplePreview, UndoPeople
from waypost.access.permissions import Permission
from waypost.kernel import hints
from waypost.kernel.db import ReadSession, database
from waypost.kernel.http import StrictRoute, guarded, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import PathId, path_id
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit

router = APIRouter(route_class=StrictRoute, tags=["Administration"])
# What it takes besides is asked for each action, and for each person when their turn comes.
Configurer = Annotated[Actor, permit(Permission.DIRECTORY_CONFIGURE)]


@router.post(
    "/users/bulk",
    status_code=202,
    response_model=PeopleJobRead,
    responses=problems(RoleNotFound, StepUpNeeded, TooManyLeave),
)
@costly
async def change_many_people(body: BulkPeople, actor: Configurer, once: OnceOnly) -> Response:
    """The same with many people, as a job that goes on by itself; each of them is decided and kept on their own."""
    action = body.action.model_dump(mode="json")
    async with database().transaction() as session:

        async def work() -> Response:
            job = await people_jobs.start(session, actor, user_ids=body.user_ids, action=action, leaving=body.leaving)
            return json_response(people_jobs.job_json(job), 202)

        answer = await once.answer(session, actor.user_id, work)
    await hints.ask(people_jobs.TASK)
    return answer


@router.post("/users/bulk/preview", response_model=PeoplePreview, responses=problems(RoleNotFound, StepUpNeeded))
@costly
async def preview_many_people(body: BulkPeople, actor: Configurer) -> Response:
    """What would become of each of them. Nothing is changed."""
    action = body.action.model_dump(mode="json")
    async with database().read() as session:
        await people_jobs.check(session, actor, action)
        reach = await people_jobs.reach_of(session, body.user_ids, action)
    results = await people_jobs.rehearse(database(), actor, user_ids=body.user_ids, action=action)
    async with database().read() as session:
        named = await people_jobs.with_people(session, results)
    told = {"leaving": reach.leaving, "active": reach.active, "is_much": reach.is_much}
    return json_response({"results": named, "total": len(set(body.user_ids)), **told})


@router.get("/people-jobs/{job_id}", response_model=PeopleJobRead, responses=problems(PeopleJobNotFound))
async def people_job(job_id: PathId, session: ReadSession, actor: Configurer) -> Response:
    """How far one's own job is."""
    return json_response(people_jobs.job_json(await people_jobs.find(session, actor, job_id)))


@router.get("/people-jobs/{job_id}/items", response_model=PeopleJobItems, responses=problems(PeopleJobNotFound))
async def people_job_items(
    job_id: PathId,
    session: ReadSession,
    actor: Configurer,
    status: Annotated[Literal["PENDING", "DONE", "FAILED"] | None, Query()] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """What became of its people, in their order."""
    page = await people_jobs.item_page(session, actor, job_id, status=status, cursor=cursor, limit=limit)
    return json_response(page)


@router.post(
    "/people-jobs/{job_id}/retry",
    response_model=PeopleJobRead,
    responses=problems(PeopleJobNotFound, RoleNotFound, StepUpNeeded),
)
async def retry_people_job(job_id: PathId, actor: Configurer) -> Response:
    """Try again what failed."""
    async with database().transaction() as session:
        told = people_jobs.job_json(await people_jobs.retry(session, actor, job_id))
    await hints.ask(people_jobs.TASK)
    return json_response(told)


async def _only_own(request: Request) -> None:
    """404 before a 422: a job that is not one's own is not spoken of."""
    actor = await current_actor(request)
    async with database().read() as session:
        await people_jobs.find(session, actor, path_id(request.path_params.get("job_id")))


@router.post(
    "/people-jobs/{job_id}/undo",
    status_code=201,
    response_model=PeopleJobRead,
    responses=problems(PeopleJobNotFound, NothingToUndo, RoleNotFound, StepUpNeeded, TooManyLeave),
)
@costly
@guarded(_only_own)
async def undo_people_job(job_id: PathId, body: UndoPeople, actor: Configurer, once: OnceOnly) -> Response:
    """A job that gives each person back what they had before, unless somebody changed it since."""
    async with database().transaction() as session:

        async def work() -> Response:
            job = await people_jobs.undo(session, actor, job_id, leaving=body.leaving)
            return json_response(people_jobs.job_json(job), 201)

        answer = await once.answer(session, actor.user_id, work)
    await hints.ask(people_jobs.TASK)
    return answer
