"""`BulkService`: one action on many tickets, each decided and committed on its own, exactly once (`kernel.jobs`).

Permission is asked for each ticket when its turn comes, of the person as they are then.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.queries import actor_of_user
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.db import Database
from waypost.kernel.errors import Refusal
from waypost.kernel.jobs import Jobs, Rehearsed
from waypost.kernel.paging import decode_cursor, encode_cursor
from waypost.tickets import assigning, service, talking, watching
from waypost.tickets.errors import ChangedSince, JobNotFound, NothingToUndo, TicketNotFound, TooManyMatching
from waypost.tickets.lifecycle import Status
from waypost.tickets.listing import Filters, ticket_list
from waypost.tickets.models import BulkItem, BulkJob, Ticket
from waypost.tickets.queries import find_ticket

MOST_TICKETS = 2_000
MOST_WAITED = 500  # tickets a client may wait for; larger jobs are answered at once
MOST_REHEARSED = 500  # tickets a preview looks at
UNDO_WITHIN = timedelta(minutes=10)
KEPT = timedelta(days=30)
CHANNEL = "bulk"
TASK = "tickets.bulk"
UNDOABLE = frozenset({"assign", "update", "tag"})
Action = dict[str, Any]
Outcome = tuple[int, dict[str, str] | None]


# --- one ticket -------------------------------------------------------------------------------------------------------


async def _apply(session: AsyncSession, actor: Actor, ticket_id: int, action: Action) -> tuple[dict[str, Any], int]:
    """Do it to one ticket; returns what it was before, as `restore` takes it, and the version it has now."""
    found = await find_ticket(session, actor, ticket_id, lock=True)
    ticket = found.ticket
    before: dict[str, Any] = {}
    match action["type"]:
        case "assign":
            before = {"assignee_id": ticket.assignee_id, "team_id": ticket.team_id}
            team_id = action.get("team_id")
            await assigning.assign_ticket(
                session,
                actor,
                ticket_id,
                assignee_id=action.get("assignee_id"),
                team_id=team_id,
                move_team=team_id is not None,
            )
        case "transition":
            await service.change_status(
                session, actor, ticket_id, to=Status(action["to"]), comment=action.get("comment") or ""
            )
        case "update":
            values = {k: v for k, v in action.items() if k in ("priority", "due_date", "tags")}
            if isinstance(values.get("due_date"), str):
                values["due_date"] = datetime.fromisoformat(values["due_date"])
            before = {"priority": ticket.priority, "due_date": ticket.due_date and rfc3339(ticket.due_date)}
            before = {k: v for k, v in before.items() if k in values}
            version = ticket.version
            await service.update_ticket(session, actor, ticket_id, version=lambda: version, values=values)
        case "tag":
            before = {"tags": ticket.tags}
            kept = [t for t in ticket.tags if t not in action.get("remove", ())]
            tags = list(dict.fromkeys([*kept, *action.get("add", ())]))
            version = ticket.version
            await service.update_ticket(session, actor, ticket_id, version=lambda: version, values={"tags": tags})
        case "close":
            comment = action.get("comment") or ""
            await service.change_status(session, actor, ticket_id, to=Status.CLOSED, comment=comment)
        case "watch":
            change = watching.watch if action.get("on", True) else watching.unwatch
            await change(session, actor, ticket_id, actor.user_id)
        case "comment":
            await talking.add_comment(
                session, actor, ticket_id, body=action["body"], visibility=action.get("visibility", "PUBLIC")
            )
        case unknown:
            raise AssertionError(f"no bulk action is called {unknown!r}")
    return before, ticket.version


async def _undo(session: AsyncSession, actor: Actor, item: BulkItem, of: Action) -> tuple[dict[str, Any], int]:
    """Give one ticket back what it was before, unless somebody changed it since."""
    before = item.before or {}
    if of["type"] == "assign":
        assert item.version is not None, "what was done has a version"
        ticket = await assigning.give_back(session, actor, item.ticket_id, version=item.version, **before)
        return {}, ticket.version
    found = await find_ticket(session, actor, item.ticket_id, lock=True)
    if found.ticket.version != item.version:
        raise ChangedSince
    return await _apply(session, actor, item.ticket_id, {"type": "update", **before})


# --- a job ------------------------------------------------------------------------------------------------------------


async def start_job(session: AsyncSession, actor: Actor, *, ticket_ids: Sequence[int], action: Action) -> BulkJob:
    """Write down what is to be done. Tickets that do not exist, or are not to be seen, are items like others: they fail."""
    return await _new_job(session, actor, action, [{"ticket_id": i} for i in dict.fromkeys(ticket_ids)])


async def _new_job(
    session: AsyncSession, actor: Actor, action: Action, items: list[dict[str, Any]], undo_of: int | None = None
) -> BulkJob:
    job = BulkJob(actor_id=actor.user_id, action=action, limited_to=actor.limits, undo_of_id=undo_of)
    await jobs.begin(session, job, items)
    return job


async def find_job(session: AsyncSession, actor: Actor, job_id: int, *, lock: bool = False) -> BulkJob:
    """One's own job. Raises `JobNotFound` for everybody else's."""
    job = await session.get(BulkJob, job_id, with_for_update={"key_share": True} if lock else None)
    if job is None or job.actor_id != actor.user_id:
        raise JobNotFound
    return job


async def retry_job(session: AsyncSession, actor: Actor, job_id: int) -> BulkJob:
    """Try again what failed."""
    job = await find_job(session, actor, job_id, lock=True)
    await jobs.retry(session, job)
    return job


async def undo_job(session: AsyncSession, actor: Actor, job_id: int) -> BulkJob:
    """A job that gives each ticket back what it was before. Raises `NothingToUndo` when it is too late, or cannot be."""
    job = await find_job(session, actor, job_id, lock=True)
    if not can_undo(job, now()):
        raise NothingToUndo
    if await session.scalar(select(BulkJob.id).where(BulkJob.undo_of_id == job_id)) is not None:
        raise NothingToUndo("This is being undone already.")
    done = select(BulkItem).where(BulkItem.job_id == job_id, BulkItem.status == "DONE").order_by(BulkItem.position)
    items = [
        {"ticket_id": i.ticket_id, "before": i.before, "version": i.version}
        for i in (await session.scalars(done)).all()
    ]
    if not items:
        raise NothingToUndo
    return await _new_job(session, actor, job.action, items, undo_of=job.id)


def can_undo(job: BulkJob, at: datetime) -> bool:
    """Whether a job's changes can be taken back at this instant."""
    return (
        job.undo_of_id is None
        and job.action["type"] in UNDOABLE
        and job.finished_at is not None
        and at - job.finished_at <= UNDO_WITHIN
    )


# --- doing it ---------------------------------------------------------------------------------------------------------


async def _work(session: AsyncSession, job: BulkJob, item: BulkItem) -> dict[str, Any]:
    actor = await actor_of_user(session, job.actor_id, CHANNEL)
    if actor is None:
        raise TicketNotFound
    actor = actor.limited(job.limited_to)
    if job.undo_of_id is None:
        before, version = await _apply(session, actor, item.ticket_id, job.action)
    else:
        before, version = await _undo(session, actor, item, job.action)
    return {"before": before, "version": version}


jobs = Jobs(BulkJob, BulkItem, "ticket_id", _work)
run_job, run_due, finished = jobs.run, jobs.run_due, jobs.finished


async def matching(session: AsyncSession, actor: Actor, filters: Filters) -> list[int]:
    """The ids of all tickets of a list, as it is now. Raises `TooManyMatching`."""
    ids: list[int] = []
    cursor: str | None = None
    while True:
        page = await ticket_list(session, actor, filters, sort="-created_at", cursor=cursor, limit=500)
        ids += [item["id"] for item in page["items"]]
        if len(ids) > MOST_TICKETS:
            raise TooManyMatching(f"More than {MOST_TICKETS} tickets match. Narrow the list first.")
        cursor = page["next_cursor"]
        if cursor is None:
            return ids


async def rehearse(database: Database, actor: Actor, *, ticket_ids: Sequence[int], action: Action) -> list[Outcome]:
    """What would become of each ticket, of the first `MOST_REHEARSED`: done for real, undone before anybody sees it."""
    outcomes: list[Outcome] = []
    for ticket_id in list(dict.fromkeys(ticket_ids))[:MOST_REHEARSED]:
        error = None
        try:
            async with database.transaction() as session:
                await _apply(session, actor, ticket_id, action)
                raise Rehearsed
        except Rehearsed:
            pass
        except Refusal as refused:
            error = {"code": refused.code, "detail": refused.detail}
        outcomes.append((ticket_id, error))
    return outcomes


async def forget_old_jobs(session: AsyncSession) -> None:
    """Remove jobs that were finished a month ago."""
    await session.execute(delete(BulkJob).where(BulkJob.finished_at < now() - KEPT))


# --- reading ----------------------------------------------------------------------------------------------------------


def job_json(job: BulkJob) -> dict[str, Any]:
    """A job as clients read it."""
    return {
        "id": job.id,
        "action": job.action,
        "status": job.status,
        "total": job.total,
        "done": job.done,
        "failed": job.failed,
        "is_undo": job.undo_of_id is not None,
        "can_undo": can_undo(job, now()),
        "created_at": rfc3339(job.created_at),
        "finished_at": job.finished_at and rfc3339(job.finished_at),
    }


async def item_page(
    session: AsyncSession, actor: Actor, job_id: int, *, status: str | None, cursor: str | None, limit: int
) -> dict[str, Any]:
    """What became of a job's tickets, in their order: `{items, next_cursor}`."""
    await find_job(session, actor, job_id)
    conditions: list[ColumnElement[bool]] = [BulkItem.job_id == job_id]
    if status:
        conditions.append(BulkItem.status == status)
    if cursor:
        (last,) = decode_cursor(cursor, "bulk-items", int)
        conditions.append(BulkItem.position > last)
    is_seen = func.coalesce(BulkItem.error["code"].astext, "") != TicketNotFound.code  # others' numbers stay theirs
    rows = (
        await session.execute(
            select(BulkItem, Ticket.ticket_number)
            .outerjoin(Ticket, and_(Ticket.id == BulkItem.ticket_id, is_seen))
            .where(*conditions)
            .order_by(BulkItem.position)
            .limit(limit + 1)
        )
    ).all()
    items = [
        {"ticket_id": i.ticket_id, "ticket_number": number, "status": i.status, "error": i.error}
        for i, number in rows[:limit]
    ]
    following = encode_cursor("bulk-items", rows[limit - 1][0].position) if len(rows) > limit else None
    return {"items": items, "next_cursor": following}


async def results(session: AsyncSession, job_id: int) -> list[dict[str, Any]]:
    """Every ticket of a job with its outcome, in their order (a job holds at most `MOST_TICKETS`)."""
    rows = await session.scalars(select(BulkItem).where(BulkItem.job_id == job_id).order_by(BulkItem.position))
    return [{"ticket_id": i.ticket_id, "ok": i.status == "DONE", "error": i.error} for i in rows]
