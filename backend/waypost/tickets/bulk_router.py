"""`/tickets/bulk`, `/bulk-jobs`. Comes before `/tickets/{id}`: "bulk" is no id."""

from __future__ import annotations

from operator import itemgetter
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, Response

from waypost.access.actor import Actor
from waypost.access.deps import costly, permit
from waypost.access.permissions import Permission
from waypost.kernel import hints
from waypost.kernel.db import ReadSession, database
from waypost.kernel.errors import FieldError, Invalid
from waypost.kernel.http import StrictRoute, json_response
from waypost.kernel.idempotency import OnceOnly
from waypost.kernel.ids import PathId
from waypost.kernel.openapi import problems
from waypost.kernel.paging import Cursor, Limit
from waypost.tickets import bulk
from waypost.tickets.errors import JobNotFound, NothingToUndo, TooManyMatching
from waypost.tickets.list_query import ExactFilters
from waypost.tickets.listing import Filters
from waypost.tickets.schemas import (
    BulkItemPage,
    BulkJobRead,
    BulkPreview,
    BulkTickets,
    BulkTicketsAnswer,
    TagMany,
    UpdateMany,
)

router = APIRouter(route_class=StrictRoute, tags=["Bulk"])
# Each ticket is decided on its own, by what this person may do with it.
Worker = Annotated[Actor, permit(Permission.TICKETS_READ)]


def _action(body: BulkTickets) -> dict[str, Any]:
    if isinstance(body.action, UpdateMany):
        given = body.action.model_fields_set & {"priority", "due_date"}
        if not given or ("priority" in given and body.action.priority is None):
            raise Invalid(errors=(FieldError("/action", "must name a priority or a due date"),))
    if isinstance(body.action, TagMany) and not (body.action.add or body.action.remove):
        raise Invalid(errors=(FieldError("/action", "must name a tag to add or to remove"),))
    return body.action.model_dump(mode="json", exclude_unset=True)


async def _chosen(body: BulkTickets, actor: Actor, filters: Filters) -> list[int]:
    """The tickets meant: those named, or those that match now; from here on it is those, whatever changes."""
    if body.all_matching == (body.ticket_ids is not None):
        raise Invalid(errors=(FieldError("/ticket_ids", "must be named, or `all_matching` be true: one of the two"),))
    if body.ticket_ids is not None:
        return body.ticket_ids
    async with database().read() as session:
        return await bulk.matching(session, actor, filters)


@router.post("/tickets/bulk", response_model=BulkTicketsAnswer, responses=problems(TooManyMatching))
@costly
async def change_many(body: BulkTickets, actor: Worker, filters: ExactFilters, once: OnceOnly) -> Response:
    """The same action on many tickets; each is decided and kept on its own, and says what became of it.

    With `all_matching`, on those that the list's own parameters in the address narrow to; others are refused.
    The same `Idempotency-Key` answers the same job, as far as it is by then.
    """
    action = _action(body)
    async with database().transaction() as session:

        async def work() -> Response:
            ticket_ids = await _chosen(body, actor, filters)
            job = await bulk.start_job(session, actor, ticket_ids=ticket_ids, action=action)
            return json_response({"job_id": job.id, "total": job.total})

        kept = await once.answer(session, actor.user_id, work)
    job_id, total = itemgetter("job_id", "total")(msgspec.json.decode(kept.body))
    is_waited_for = body.wait and total <= bulk.MOST_WAITED
    if is_waited_for:
        await bulk.finished(database(), job_id)
    else:
        await hints.ask(bulk.TASK)
    async with database().read() as session:
        job = await bulk.find_job(session, actor, job_id)
        results = await bulk.results(session, job_id) if is_waited_for else []
    replayed = {k: v for k, v in kept.headers.items() if k == "idempotency-replayed"}
    return json_response({"job": bulk.job_json(job), "results": results}, headers=replayed)


@router.post("/tickets/bulk/preview", response_model=BulkPreview, responses=problems(TooManyMatching))
@costly
async def preview_many(body: BulkTickets, actor: Worker, filters: ExactFilters) -> Response:
    """What would become of each ticket. Nothing is changed."""
    action = _action(body)
    ticket_ids = await _chosen(body, actor, filters)
    outcomes = await bulk.rehearse(database(), actor, ticket_ids=ticket_ids, action=action)
    results = [{"ticket_id": i, "ok": error is None, "error": error} for i, error in outcomes]
    return json_response({"results": results, "total": len(set(ticket_ids))})


@router.get("/bulk-jobs/{job_id}", response_model=BulkJobRead, responses=problems(JobNotFound))
async def bulk_job(job_id: PathId, session: ReadSession, actor: Worker) -> Response:
    """How far one's own job is."""
    return json_response(bulk.job_json(await bulk.find_job(session, actor, job_id)))


@router.get("/bulk-jobs/{job_id}/items", response_model=BulkItemPage, responses=problems(JobNotFound))
async def bulk_job_items(
    job_id: PathId,
    session: ReadSession,
    actor: Worker,
    status: Annotated[Literal["PENDING", "DONE", "FAILED"] | None, Query()] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """What became of its tickets, in their order."""
    return json_response(await bulk.item_page(session, actor, job_id, status=status, cursor=cursor, limit=limit))


@router.post("/bulk-jobs/{job_id}/retry", response_model=BulkJobRead, responses=problems(JobNotFound))
@costly
async def retry_bulk_job(job_id: PathId, actor: Worker) -> Response:
    """Try again what failed."""
    async with database().transaction() as session:
        told = bulk.job_json(await bulk.retry_job(session, actor, job_id))
    await hints.ask(bulk.TASK)
    return json_response(told)


@router.post(
    "/bulk-jobs/{job_id}/undo",
    status_code=201,
    response_model=BulkJobRead,
    responses=problems(JobNotFound, NothingToUndo),
)
async def undo_bulk_job(job_id: PathId, actor: Worker) -> Response:
    """A job that gives each ticket back what it was before, unless somebody changed it since."""
    async with database().transaction() as session:
        told = bulk.job_json(await bulk.undo_job(session, actor, job_id))
    await hints.ask(bulk.TASK)
    return json_response(told, 201)
