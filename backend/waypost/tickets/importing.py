"""Tables people bring become tickets: read, rehearsed row by row, then made, each row in a transaction of its own.

A row goes through the same use cases as a request typed in, in the name of whoever imports and for its requester. A
rehearsal does just that and takes it back. The row is marked in the transaction that makes its ticket, so a worker that
dies leaves the rest to the next one and makes nothing twice. What is recorded says `import` for its channel: nobody gets
a mail for it (`notifications.planning.quietly`).
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.access.queries import actor_of_user
from waypost.catalog.service import type_to_ask_for
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.errors import FieldError, Invalid, Refusal
from waypost.kernel.events import record
from waypost.kernel.jobs import Rehearsed
from waypost.kernel.logs import get_logger
from waypost.kernel.tables import Table
from waypost.tickets import events, mapping
from waypost.tickets.import_errors import ImportNotFound, NotNow
from waypost.tickets.import_models import ImportRow, TicketImport
from waypost.tickets.import_rows import Duplicate, Wrong, by_field, check_scope, make_ticket
from waypost.tickets.mapping import Plan

log = get_logger(__name__)
CHANNEL = events.IMPORT
TASK = "tickets.import"
ONLY_ONE = 0x57415949
KEPT = timedelta(days=30)
TURN = 5.0  # seconds a worker process gives to imports at a time
ROUND = 200  # rows of one import before the next one has its turn
# The state a row must be in for a phase to take it, by the import's status.
TAKEN = {"CHECKING": "PENDING", "RUNNING": "READY"}
ENDS = {"CHECKING": "CHECKED", "RUNNING": "FINISHED"}


# --- bringing a file --------------------------------------------------------------------------------------------------


async def bring(session: AsyncSession, actor: Actor, *, filename: str, sha256: str, table: Table) -> TicketImport:
    """Keep the rows of a file."""
    made = TicketImport(
        actor_id=actor.user_id,
        filename=filename[:255] or "import.csv",
        sha256=sha256,
        encoding=table.encoding,
        separator=table.separator,
        headings=list(table.headings),
        total=len(table.rows),
        status="UPLOADED",
        plan=None,
        limited_to=actor.limits,
        created_at=now(),
        finished_at=None,
    )
    session.add(made)
    await session.flush()
    await _keep_rows(session, made.id, table)
    return made


async def _keep_rows(session: AsyncSession, import_id: int, table: Table) -> None:
    for start in range(0, len(table.rows), 500):
        part = table.rows[start : start + 500]
        rows = [{"import_id": import_id, "number": r.number, "cells": list(r.cells), "status": "PENDING"} for r in part]
        await session.execute(insert(ImportRow), rows)


async def find_import(session: AsyncSession, actor: Actor, import_id: int, *, lock: bool = False) -> TicketImport:
    """One's own import. Raises `ImportNotFound` for everybody else's."""
    found = await session.get(TicketImport, import_id, with_for_update={"key_share": True} if lock else None)
    if found is None or found.actor_id != actor.user_id:
        raise ImportNotFound
    return found


# --- saying what its columns are --------------------------------------------------------------------------------------


async def plan_import(session: AsyncSession, actor: Actor, import_id: int, plan: Plan) -> TicketImport:
    """Say which column is which field. What was found out with another plan is forgotten.

    Raises `NotNow` once it runs, `UnknownTicketType`, `NotYourType`, or names a column or field that is not there.
    """
    job = await find_import(session, actor, import_id, lock=True)
    if job.status not in ("UPLOADED", "CHECKED"):
        raise NotNow("Its columns cannot be changed any more.")
    kind = await type_to_ask_for(session, plan.ticket_type)
    check_scope(actor, kind)
    fields = {*mapping.FIELDS, *mapping.importable(kind.form)}
    wrong = [FieldError(f"/columns/{name}", "is no field of this type") for name in plan.columns if name not in fields]
    wrong += [
        FieldError(f"/defaults/{name}", "is no field of this type") for name in plan.defaults if name not in fields
    ]
    last = len(job.headings)
    wrong += [FieldError(f"/columns/{n}", f"must be below {last}") for n, at in plan.columns.items() if at >= last]
    if "external_key" in plan.defaults:
        wrong.append(FieldError("/defaults/external_key", "must come from a column: each row has its own"))
    if "title" not in plan.fields:
        wrong.append(FieldError("/columns/title", "is needed: every request has a title"))
    if wrong:
        raise Invalid(errors=tuple(wrong))
    job.plan = {
        "ticket_type": plan.ticket_type,
        "columns": dict(plan.columns),
        "defaults": dict(plan.defaults),
        "dates": plan.dates,
    }
    job.status = "UPLOADED"
    await session.execute(
        update(ImportRow).where(ImportRow.import_id == job.id).values(status="PENDING", errors=None, ticket_id=None)
    )
    await session.flush()
    return job


def plan_of(job: TicketImport) -> Plan:
    """The plan as it was kept. Raises `NotNow` when there is none yet."""
    if job.plan is None:
        raise NotNow("Say first which column is which field.")
    return Plan(**job.plan)


# --- its way ----------------------------------------------------------------------------------------------------------


async def check_import(session: AsyncSession, actor: Actor, import_id: int) -> TicketImport:
    """Rehearse every row: the worker does it, and nothing is kept but what is wrong."""
    job = await find_import(session, actor, import_id, lock=True)
    if job.status not in ("UPLOADED", "CHECKED"):
        raise NotNow
    plan_of(job)
    await session.execute(
        update(ImportRow).where(ImportRow.import_id == job.id).values(status="PENDING", errors=None, ticket_id=None)
    )
    job.status, job.limited_to = "CHECKING", actor.limits
    await session.flush()
    return job


async def run_import(session: AsyncSession, actor: Actor, import_id: int) -> TicketImport:
    """Let the rows that are right become tickets; the others stay as they are."""
    job = await find_import(session, actor, import_id, lock=True)
    if job.status != "CHECKED":
        raise NotNow("It runs once its rows were looked at.")
    ready = await session.scalar(_count(job.id).where(ImportRow.status == "READY")) or 0
    if not ready:
        raise NotNow("No row of it can become a ticket.")
    job.status, job.limited_to = "RUNNING", actor.limits
    await session.flush()
    started = events.ImportStarted(
        import_id=job.id, filename=job.filename, ticket_type=plan_of(job).ticket_type, rows=ready
    )
    await record(session, started, actor=actor)
    return job


async def cancel_import(session: AsyncSession, actor: Actor, import_id: int) -> TicketImport:
    """Stop it. Tickets that were made stay; looking at rows can begin again."""
    job = await find_import(session, actor, import_id, lock=True)
    if job.status == "CHECKING":
        job.status = "UPLOADED"
    elif job.status == "RUNNING":
        await _finish(session, job, actor, "CANCELLED")
    else:
        raise NotNow("There is nothing to stop.")
    await session.flush()
    return job


async def forget_import(session: AsyncSession, actor: Actor, import_id: int) -> None:
    """Remove the file's rows; the tickets made of them stay."""
    job = await find_import(session, actor, import_id, lock=True)
    if job.status in TAKEN:
        raise NotNow("Stop it first.")
    await session.delete(job)


async def forget_old_imports(session: AsyncSession) -> None:
    """Remove what was brought a month ago and does not run."""
    await session.execute(
        delete(TicketImport).where(TicketImport.created_at < now() - KEPT, TicketImport.status.not_in(TAKEN))
    )


def _count(import_id: int) -> Any:
    return select(func.count()).select_from(ImportRow).where(ImportRow.import_id == import_id)


async def counts(session: AsyncSession, import_id: int) -> dict[str, int]:
    """How many rows are in which state."""
    rows = await session.execute(
        select(ImportRow.status, func.count().label("n"))
        .where(ImportRow.import_id == import_id)
        .group_by(ImportRow.status)
    )
    return {row.status: int(row.n) for row in rows}


async def _finish(session: AsyncSession, job: TicketImport, actor: Actor, status: str) -> None:
    found = await counts(session, job.id)
    job.status, job.finished_at = status, now()
    await session.flush()
    ended = events.ImportFinished(
        import_id=job.id,
        done=found.get("DONE", 0),
        failed=found.get("FAILED", 0) + found.get("WRONG", 0),
        duplicates=found.get("DUPLICATE", 0),
        is_cancelled=status == "CANCELLED",
    )
    await record(session, ended, actor=actor)


# --- the worker -------------------------------------------------------------------------------------------------------


async def run_due(database: Database, *, seconds: float = TURN) -> int:
    """Go on with every import that is not finished, in turns; one process does at a time. Returns the rows done.

    After some seconds it ends, so that mails and everything else the worker does have their turn too.
    """
    done, last, until = 0, 0, time.monotonic() + seconds
    async with database.alone(ONLY_ONE) as is_alone:
        while is_alone and time.monotonic() < until:
            due = select(TicketImport.id).where(TicketImport.status.in_(TAKEN))
            async with database.read() as session:
                following = await session.scalar(due.where(TicketImport.id > last).order_by(TicketImport.id).limit(1))
            if following is None:
                if last == 0:
                    break
                last = 0
                continue
            last = following
            for _ in range(ROUND):
                if time.monotonic() >= until or not await _one(database, following):
                    break
                done += 1
    return done


async def _one(database: Database, import_id: int) -> bool:
    """Take the next row, do or rehearse it, and mark it; False when there is none."""
    async with database.transaction() as session:
        job = await session.get(TicketImport, import_id, with_for_update={"key_share": True})
        if job is None or job.status not in TAKEN:
            return False
        actor = await actor_of_user(session, job.actor_id, CHANNEL)
        actor = actor and actor.limited(job.limited_to)
        if actor is None or not actor.may(Permission.TICKETS_IMPORT):
            job.status, job.finished_at = "CANCELLED", now()  # whoever brought it may not any more
            return False
        row = await session.scalar(
            select(ImportRow)
            .where(ImportRow.import_id == import_id, ImportRow.status == TAKEN[job.status])
            .order_by(ImportRow.number)
            .limit(1)
            .with_for_update(of=ImportRow)
        )
        if row is None:
            if job.status == "RUNNING":
                await _finish(session, job, actor, ENDS[job.status])
            else:
                job.status = ENDS[job.status]
            return False
        await _do(session, actor, job, row, is_rehearsal=job.status == "CHECKING")
        if job.status == "CHECKING":
            session.info.pop("recorded", None)  # nothing of a rehearsal was recorded
    return True


async def _do(session: AsyncSession, actor: Actor, job: TicketImport, row: ImportRow, *, is_rehearsal: bool) -> None:
    plan, headings = plan_of(job), job.headings
    wrong: dict[str, str] = {}
    try:
        async with session.begin_nested():
            ticket_id = await make_ticket(session, actor, job.id, plan, row, is_rehearsal=is_rehearsal)
            if is_rehearsal:
                raise Rehearsed
        row.status, row.ticket_id = "DONE", ticket_id
    except Rehearsed:
        row.status = "READY"
    except Duplicate as known:
        row.status, row.ticket_id = "DUPLICATE", known.ticket_id
    except Wrong as found:
        wrong = found.errors
    except Refusal as refused:
        wrong = by_field(refused)
    except Exception:  # a defect must not stop the others, nor be tried for ever
        log.exception("import row failed", import_id=job.id, row=row.number)
        wrong = {"": "Something went wrong on our side."}
    if wrong:
        row.status = "WRONG" if is_rehearsal else "FAILED"
        row.errors = [
            {"field": name, "column": headings[plan.columns[name]] if name in plan.columns else None, "message": why}
            for name, why in wrong.items()
        ]
    await session.flush()
