"""A table of people: brought, its columns named, shown as a plan, and begun as a job.

Nothing is allowed here that is not allowed one by one: what gives power waits for a second administrator where it takes
two, nobody gives a role that may more than they do, and whoever deactivates more than a share of all says how many.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import delete, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import mass_leaving, role_rules, step_up
from waypost.access.actor import Actor
from waypost.access.errors import TooManyLeave
from waypost.access.importing import planning
from waypost.access.importing.doing import CHANNEL, jobs
from waypost.access.importing.errors import PeopleImportElsewhere, PeopleImportNotFound, TakesLastAdministrator
from waypost.access.importing.events import PeopleImportCancelled, PeopleImportStarted
from waypost.access.importing.models import PeopleImport, PeopleImportRow
from waypost.access.importing.planning import House, Kind, Lookup, Person, Step, matched
from waypost.access.importing.reading import FIELDS, Columns, Reading, read_row
from waypost.access.mass_leaving import Reach
from waypost.access.models import Role, UserRole, held
from waypost.access.permissions import Permission
from waypost.access.reach import ADMINISTRATOR, gives_power
from waypost.directory.models import SERVICE, Department, User
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.errors import FieldError, Invalid
from waypost.kernel.events import record
from waypost.kernel.table_uploads import Brought

__all__ = ["CHANNEL", "TASK", "jobs"]
TASK = "people.import"
ONLY_ONE = 0x50454F50
KEPT = timedelta(days=30)
IN_ONE = 500  # rows in one statement


# --- bringing a file --------------------------------------------------------------------------------------------------


async def bring(session: AsyncSession, actor: Actor, brought: Brought) -> PeopleImport:
    """Keep the rows of a file."""
    table = brought.table
    made = PeopleImport(
        actor_id=actor.user_id,
        filename=brought.filename,
        sha256=brought.sha256,
        encoding=table.encoding,
        separator=table.separator,
        headings=list(table.headings),
        total=len(table.rows),
        status="UPLOADED",
        limited_to=actor.limits,
        created_at=now(),
        is_proved=False,
        to_do=0,
        done=0,
        failed=0,
    )
    session.add(made)
    await session.flush()
    for start in range(0, len(table.rows), IN_ONE):
        part = table.rows[start : start + IN_ONE]
        rows = [
            {
                "job_id": made.id,
                "number": row.number,
                "cells": list(row.cells),
                "position": start + n,
                "status": "WAITING",
            }
            for n, row in enumerate(part)
        ]
        await session.execute(insert(PeopleImportRow), rows)
    return made


async def find_import(session: AsyncSession, actor: Actor, import_id: int, *, lock: bool = False) -> PeopleImport:
    """One's own import. Raises `PeopleImportNotFound` for everybody else's."""
    found = await session.get(PeopleImport, import_id, with_for_update={"key_share": True} if lock else None)
    if found is None or found.actor_id != actor.user_id:
        raise PeopleImportNotFound
    return found


# --- what it would do -------------------------------------------------------------------------------------------------


async def plan_import(
    session: AsyncSession, actor: Actor, import_id: int, *, columns: Mapping[str, int], invites: bool
) -> PeopleImport:
    """Say which column is which field, and find out what each row would do. What was found out before is forgotten.

    Raises `PeopleImportElsewhere` once it runs, or `Invalid` naming a column or field that is not there.
    """
    job = await find_import(session, actor, import_id, lock=True)
    if job.status not in ("UPLOADED", "CHECKED"):
        raise PeopleImportElsewhere("Its columns cannot be changed any more.")
    last = len(job.headings)
    wrong = [FieldError(f"/columns/{name}", "is no field of people") for name in columns if name not in FIELDS]
    wrong += [FieldError(f"/columns/{n}", f"must be below {last}") for n, at in columns.items() if at >= last]
    if not {"username", "email"} & set(columns):
        wrong.append(FieldError("/columns/email", "or a username is needed: by it people are known"))
    if wrong:
        raise Invalid(errors=tuple(wrong))
    job.plan = {"columns": dict(columns), "invites": invites}
    steps = await _steps(session, actor, job)
    await _keep(session, job, steps)
    job.status, job.limited_to = "CHECKED", actor.limits
    job.to_do = sum(s.kind in (Kind.NEW, Kind.CHANGE) for s in steps)
    await session.flush()
    return job


async def _steps(session: AsyncSession, actor: Actor, job: PeopleImport) -> list[Step]:
    columns = Columns((job.plan or {})["columns"])
    cells = await session.execute(
        select(PeopleImportRow.number, PeopleImportRow.cells)
        .where(PeopleImportRow.job_id == job.id)
        .order_by(PeopleImportRow.number)
    )
    found = cells.all()

    def read() -> list[Reading]:
        return [read_row(columns, number, row) for number, row in found]

    rows = await asyncio.to_thread(read)
    house = await house_of(session, actor, rows)
    return await asyncio.to_thread(planning.plan, rows, house)


async def house_of(session: AsyncSession, actor: Actor, rows: list[Reading]) -> House:
    """Who and what is here, in a handful of statements however many people there are."""
    people = await session.execute(
        select(
            User.id,
            User.username,
            User.email,
            User.first_name,
            User.last_name,
            User.job_title,
            User.timezone,
            User.department_id,
            User.manager_id,
            User.is_active,
            (User.kind == SERVICE).label("is_service"),
            User.erased_at.is_not(None).label("is_erased"),
        )
    )
    known = {
        p.id: Person(
            id=p.id,
            username=p.username,
            email=p.email,
            values={
                "first_name": p.first_name,
                "last_name": p.last_name,
                "job_title": p.job_title,
                "timezone": p.timezone,
            },
            department_id=p.department_id,
            manager_id=p.manager_id,
            is_active=p.is_active,
            is_service=p.is_service,
            is_erased=p.is_erased,
        )
        for p in people
    }
    lookup = Lookup(known.values())
    named = {i for row in rows if (i := matched(row, lookup)) is not None}
    roles: dict[int, set[int]] = {}
    for user_id, role_id in await session.execute(
        select(UserRole.user_id, UserRole.role_id).where(UserRole.user_id.in_(named), held())
    ):
        roles.setdefault(user_id, set()).add(role_id)
    departments = await session.execute(select(Department.id, Department.name))
    return House(
        people=known,
        departments={row.id: row.name for row in departments},
        roles=await _roles(session, actor),
        importer_id=actor.user_id,
        held={i: frozenset(r) for i, r in roles.items()},
    )


async def _roles(session: AsyncSession, actor: Actor) -> list[planning.Role]:
    """The roles there are, and why whoever imports may not give some of them."""
    roles = list(await session.scalars(select(Role).order_by(Role.id)))
    granted = await role_rules.granted_by_roles(session, [r.id for r in roles])
    if actor.may(Permission.ROLES_CONFIGURE):
        return [planning.Role(r.id, r.key, r.name) for r in roles]
    takes_two = await role_rules.needs_two(session)
    found = []
    for role in roles:
        refused = ""
        if any(actor.permissions.get(p, 0) < scope for p, scope in granted[role.id].items()):
            refused = "it may more than you may yourself"
        elif takes_two and gives_power(granted[role.id], is_marked=role.is_privileged):
            refused = "giving it takes two administrators"
        found.append(planning.Role(role.id, role.key, role.name, refused))
    return found


async def _keep(session: AsyncSession, job: PeopleImport, steps: list[Step]) -> None:
    headings, columns = job.headings, (job.plan or {})["columns"]
    rows = [
        {
            "job_id": job.id,
            "number": step.number,
            "position": n,
            "outcome": step.kind.value,
            "name": step.name[:300],
            "user_id": step.user_id,
            "changes": [c.as_json() for c in step.changes],
            "errors": [
                {"field": name, "column": headings[columns[name]] if name in columns else None, "message": why}
                for name, why in step.wrong.items()
            ],
            "leaves": step.leaves,
        }
        for n, step in enumerate(steps)
    ]
    await session.execute(update(PeopleImportRow), rows)


async def reach_of(session: AsyncSession, job: PeopleImport) -> Reach:
    """How much of the company it deactivates."""
    return await mass_leaving.reach_of(session, await _leaving(session, job))


async def takes_last_administrator(session: AsyncSession, job: PeopleImport) -> bool:
    """Whether nobody would administer any more."""
    leaving = await _leaving(session, job)
    if not leaving:
        return False
    stays = (
        exists()
        .where(UserRole.role_id == Role.id, Role.key == ADMINISTRATOR, held(), UserRole.expires_at.is_(None))
        .where(User.id == UserRole.user_id, User.is_active, User.id.not_in(leaving))
    )
    return not await session.scalar(select(stays))


async def _leaving(session: AsyncSession, job: PeopleImport) -> list[int]:
    leaving = select(PeopleImportRow.user_id).where(PeopleImportRow.job_id == job.id, PeopleImportRow.leaves)
    return [i for i in await session.scalars(leaving) if i is not None]


# --- its way ----------------------------------------------------------------------------------------------------------


async def run_import(session: AsyncSession, actor: Actor, import_id: int, *, leaving: int | None) -> PeopleImport:
    """Put it into force. Raises `PeopleImportElsewhere`, `TakesLastAdministrator`, `StepUpNeeded` for addresses and roles
    that give power, and `TooManyLeave` unless `leaving` is how many that are."""
    job = await find_import(session, actor, import_id, lock=True)
    if job.status != "CHECKED":
        raise PeopleImportElsewhere("It runs once its rows were looked at.")
    if not job.to_do:
        raise PeopleImportElsewhere("No row of it changes anything.")
    if await takes_last_administrator(session, job):
        raise TakesLastAdministrator
    reach = await reach_of(session, job)
    if reach.is_much and leaving != reach.leaving:
        raise TooManyLeave(leaving=reach.leaving, active=reach.active)
    job.is_proved = await _prove(session, actor, job)
    counted = await counts(session, job.id)
    todo = PeopleImportRow.outcome.in_((Kind.NEW.value, Kind.CHANGE.value))
    await session.execute(
        update(PeopleImportRow).where(PeopleImportRow.job_id == job.id, todo).values(status="PENDING")
    )
    job.status, job.limited_to, job.started_at = "RUNNING", actor.limits, now()
    await session.flush()
    begun = PeopleImportStarted(
        import_id=job.id,
        filename=job.filename,
        sha256=job.sha256,
        new=counted.get("NEW", 0),
        changed=counted.get("CHANGE", 0),
        leaving=reach.leaving,
        invites=bool((job.plan or {}).get("invites")),
    )
    await record(session, begun, actor=actor)
    return job


async def _prove(session: AsyncSession, actor: Actor, job: PeopleImport) -> bool:
    """Ask for a proof where it takes one: another address for somebody, or a role that gives power."""
    changes = await session.execute(
        select(PeopleImportRow.outcome, PeopleImportRow.changes).where(
            PeopleImportRow.job_id == job.id, PeopleImportRow.outcome.in_((Kind.NEW.value, Kind.CHANGE.value))
        )
    )
    opens, role_ids = False, set[int]()
    for outcome, said in changes:
        opens = opens or (outcome == Kind.CHANGE.value and any(c["field"] == "email" for c in said))
        role_ids |= {c["value"] for c in said if c["field"] == "role"}
    roles = list(await session.scalars(select(Role).where(Role.id.in_(role_ids))))
    if not opens and not await role_rules.privileged(session, roles):
        return False
    await step_up.require(session, actor)
    return True


async def retry_import(session: AsyncSession, actor: Actor, import_id: int) -> PeopleImport:
    """Try again what failed."""
    job = await find_import(session, actor, import_id, lock=True)
    if job.status not in ("RUNNING", "FINISHED"):
        raise PeopleImportElsewhere
    job.is_proved = await _prove(session, actor, job)
    await jobs.retry(session, job)
    return job


async def cancel_import(session: AsyncSession, actor: Actor, import_id: int) -> PeopleImport:
    """Stop it. What was done stays."""
    job = await find_import(session, actor, import_id, lock=True)
    if job.status != "RUNNING":
        raise PeopleImportElsewhere("There is nothing to stop.")
    left = await session.execute(
        update(PeopleImportRow)
        .where(PeopleImportRow.job_id == job.id, PeopleImportRow.status == "PENDING")
        .values(status="WAITING")
        .returning(PeopleImportRow.number)
    )
    job.status, job.finished_at = "CANCELLED", now()
    await session.flush()
    told = PeopleImportCancelled(import_id=job.id, done=job.done, left=len(left.all()))
    await record(session, told, actor=actor)
    return job


async def forget_import(session: AsyncSession, actor: Actor, import_id: int) -> None:
    """Remove the file's rows; what was done stays."""
    job = await find_import(session, actor, import_id, lock=True)
    if job.status == "RUNNING":
        raise PeopleImportElsewhere("Stop it first.")
    await session.delete(job)


async def forget_old_imports(session: AsyncSession) -> None:
    """Remove what was brought a month ago and does not run."""
    await session.execute(
        delete(PeopleImport).where(PeopleImport.created_at < now() - KEPT, PeopleImport.status != "RUNNING")
    )


async def counts(session: AsyncSession, import_id: int) -> dict[str, int]:
    """How many rows do what."""
    rows = await session.execute(
        select(PeopleImportRow.outcome, func.count().label("n"))
        .where(PeopleImportRow.job_id == import_id, PeopleImportRow.outcome.is_not(None))
        .group_by(PeopleImportRow.outcome)
    )
    return {row.outcome: int(row.n) for row in rows}


async def run_due(database: Database) -> int:
    """Go on with the imports that run; one process does at a time, as managers come before who reports to them."""
    async with database.alone(ONLY_ONE) as is_alone:
        return await jobs.run_due(database) if is_alone else 0
