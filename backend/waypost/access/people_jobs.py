"""One change of many people: each goes the way it goes for one, is decided and kept on its own, and says what came of it.

Nothing is allowed here that is not allowed one by one: the last administrator stays, leavers' decisions are given on, and
what gives power waits for a second administrator where it takes two. Whoever deactivates more than a share of all says
how many those are, as a preview has told them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import grants, leaving, mass_leaving, people_editing, people_undo, role_changes, step_up
from waypost.access.actor import Actor
from waypost.access.errors import NothingToUndo, PeopleJobNotFound, TooManyLeave
from waypost.access.events import PeopleJobStarted
from waypost.access.mass_leaving import Reach
from waypost.access.models import UserRole, held
from waypost.access.people_job_models import DONE, SAME, WAITS, PeopleJob, PeopleJobItem
from waypost.access.permissions import Permission
from waypost.access.queries import actor_of_user
from waypost.access.reach import gives_power
from waypost.access.role_rules import granted_by_roles
from waypost.directory import editing
from waypost.directory.errors import PersonNotFound
from waypost.directory.models import SERVICE, Department, User
from waypost.directory.names import names
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.db import Database
from waypost.kernel.errors import Refusal, invalid_field
from waypost.kernel.events import record
from waypost.kernel.jobs import Jobs, Rehearsed
from waypost.kernel.paging import decode_cursor, encode_cursor

TASK = "people.bulk"
CHANNEL = "bulk"
MOST_PEOPLE = 1_000
MOST_REHEARSED = 200  # people a preview looks at one by one
KEPT = timedelta(days=30)
OF_ROLES = frozenset({"give_role", "take_role"})
Action = dict[str, Any]
Json = dict[str, Any]


# --- one person -------------------------------------------------------------------------------------------------------


Came = tuple[str, Json]  # what came of it, and what it takes to undo it


async def _apply(session: AsyncSession, actor: Actor, user_id: int, action: Action, *, is_proved: bool) -> Came:
    """Do it to one person; what came of it, and what they had before."""
    user = await people_editing.one_user(session, user_id)
    if user.kind == SERVICE:
        raise PersonNotFound
    match action["type"]:
        case "deactivate" | "reactivate":
            is_active = action["type"] == "reactivate"
            if user.is_active is is_active:
                return SAME, {}
            if is_active:
                await people_editing.check_may_as_much(session, actor, user_id)
            await leaving.set_active(session, actor, user_id, is_active=is_active)
            return DONE, {"event_id": await people_undo.last_switch(session, user_id)}
        case "department" | "manager" as field:
            value, before = action[f"{field}_id"], getattr(user, f"{field}_id")
            if before == value:
                return SAME, {}
            await editing.edit_user(session, actor, user_id, version=None, values={f"{field}_id": value})
            return DONE, {"value": before}
        case "give_role":
            return await _give(session, actor, user_id, action, is_proved=is_proved)
        case "take_role":
            had = await people_undo.grant_of(session, user_id, action["role_id"])
            if had is None:
                return SAME, {}
            await grants.take(session, actor, action["role_id"], user_id)
            return DONE, {"grant": had, "left": None}
        case unknown:
            raise AssertionError(f"nothing done with many people is called {unknown!r}")


async def _give(session: AsyncSession, actor: Actor, user_id: int, action: Action, *, is_proved: bool) -> Came:
    until = action.get("expires_at")
    expires_at = datetime.fromisoformat(until) if until else None
    mine = (UserRole.user_id == user_id, UserRole.role_id == action["role_id"], held())
    kept = (await session.execute(select(UserRole.expires_at, UserRole.provider_id).where(*mine))).first()
    if kept is not None and (kept.expires_at, kept.provider_id) == (expires_at, None):
        return SAME, {}
    had = await people_undo.grant_of(session, user_id, action["role_id"])
    done = await role_changes.give_role(
        session,
        actor,
        action["role_id"],
        user_id=user_id,
        expires_at=expires_at,
        reason=action.get("reason", ""),
        is_proved=is_proved,
    )
    if done.change is not None:
        return WAITS, {"change_id": done.change.id}
    return DONE, {"grant": had, "left": await people_undo.grant_of(session, user_id, action["role_id"])}


async def _work(session: AsyncSession, job: PeopleJob, item: PeopleJobItem) -> Json:
    actor = await actor_of_user(session, job.actor_id, CHANNEL)
    if actor is None:
        raise PersonNotFound
    doer = _checked(actor.limited(job.limited_to), job.action)
    # a role may have got its power since it was asked for: then whoever asked has not confirmed that
    if job.undo_of_id is not None:
        outcome = await people_undo.undo(
            session, doer, item.user_id, job.action, item.outcome, item.before or {}, is_proved=job.is_proved
        )
        return {"outcome": outcome}
    outcome, before = await _apply(session, doer, item.user_id, job.action, is_proved=job.is_proved)
    return {"outcome": outcome, "before": before}


jobs = Jobs(PeopleJob, PeopleJobItem, "user_id", _work)


def _checked(actor: Actor, action: Action) -> Actor:
    actor.require(Permission.ROLES_CONFIGURE if action["type"] in OF_ROLES else Permission.DIRECTORY_CONFIGURE)
    return actor


# --- many -------------------------------------------------------------------------------------------------------------


async def reach_of(session: AsyncSession, user_ids: Sequence[int], action: Action) -> Reach:
    """How much of the company an action deactivates."""
    return await mass_leaving.reach_of(session, user_ids if action["type"] == "deactivate" else ())


async def check(session: AsyncSession, actor: Actor, action: Action) -> bool:
    """Whether this can be asked for at all; True when its asker had to show for it that it is them, and did.

    Raises `Forbidden`, `RoleNotFound`, `StepUpNeeded`, or `Invalid` naming what is not there.
    """
    _checked(actor, action)
    is_proved = False
    if (department_id := action.get("department_id")) and await session.get(Department, department_id) is None:
        raise invalid_field("/action/department_id", "there is no such department")
    if manager_id := action.get("manager_id"):
        manager = await session.get(User, manager_id)
        if manager is None or not manager.is_active or manager.kind == SERVICE:
            raise invalid_field("/action/manager_id", "there is no such active person")
    if action["type"] in OF_ROLES:
        role = await grants.find_role(session, action["role_id"])
        granted = (await granted_by_roles(session, [role.id]))[role.id]
        if gives_power(granted, is_marked=role.is_privileged):
            await step_up.require(session, actor)
            is_proved = True
        if (until := action.get("expires_at")) and datetime.fromisoformat(until) <= now():
            raise invalid_field("/action/expires_at", "has to lie ahead")
    return is_proved


async def start(
    session: AsyncSession, actor: Actor, *, user_ids: Sequence[int], action: Action, leaving: int | None
) -> PeopleJob:
    """Write down what is to be done. Raises what `check` does, and `TooManyLeave` unless `leaving` is how many that are."""
    is_proved = await check(session, actor, action)
    known = set(await session.scalars(select(User.id).where(User.id.in_(user_ids), User.kind != SERVICE)))
    if missing := [n for n, i in enumerate(user_ids) if i not in known]:
        raise invalid_field(f"/user_ids/{missing[0]}", "there is no such person")
    reach = await reach_of(session, user_ids, action)
    if reach.is_much and leaving != reach.leaving:
        raise TooManyLeave(leaving=reach.leaving, active=reach.active)
    job = PeopleJob(actor_id=actor.user_id, action=action, limited_to=actor.limits, is_proved=is_proved)
    await jobs.begin(session, job, [{"user_id": i} for i in dict.fromkeys(user_ids)])
    begun = PeopleJobStarted(job_id=job.id, action=action, total=job.total, leaving=reach.leaving)
    await record(session, begun, actor=actor)
    return job


async def find(session: AsyncSession, actor: Actor, job_id: int, *, lock: bool = False) -> PeopleJob:
    """One's own job. Raises `PeopleJobNotFound` for everybody else's."""
    job = await session.get(PeopleJob, job_id, with_for_update={"key_share": True} if lock else None)
    if job is None or job.actor_id != actor.user_id:
        raise PeopleJobNotFound
    return job


async def retry(session: AsyncSession, actor: Actor, job_id: int) -> PeopleJob:
    """Try again what failed."""
    job = await find(session, actor, job_id, lock=True)
    job.is_proved = await _check_of(session, actor, job)
    await jobs.retry(session, job)
    return job


async def _check_of(session: AsyncSession, actor: Actor, job: PeopleJob) -> bool:
    if job.undo_of_id is None:
        return await check(session, actor, job.action)
    return await check(session, actor, people_undo.opposite(job.action))


async def undo(session: AsyncSession, actor: Actor, job_id: int, *, leaving: int | None) -> PeopleJob:
    """A job that gives each person back what they had before, where they are still as this one left them.

    Raises `NothingToUndo` when it is too late or is done already, and what beginning the opposite would raise.
    """
    job = await find(session, actor, job_id, lock=True)
    if not people_undo.can_undo(job, now()):
        raise NothingToUndo
    if await session.scalar(select(PeopleJob.id).where(PeopleJob.undo_of_id == job_id)) is not None:
        raise NothingToUndo("This is being undone already.")
    changed = (PeopleJobItem.status == "DONE", PeopleJobItem.outcome.is_distinct_from(SAME))
    done = select(PeopleJobItem).where(PeopleJobItem.job_id == job_id, *changed).order_by(PeopleJobItem.position)
    rows = list(await session.scalars(done))
    items: list[Json] = [{"user_id": i.user_id, "outcome": i.outcome, "before": i.before} for i in rows]
    if not items or any(i["before"] is None for i in items):
        raise NothingToUndo
    back = people_undo.opposite(job.action)
    is_proved = await check(session, actor, back)
    reach = await reach_of(session, [i["user_id"] for i in items], back)
    if reach.is_much and leaving != reach.leaving:
        raise TooManyLeave(leaving=reach.leaving, active=reach.active)
    made = PeopleJob(
        actor_id=actor.user_id, action=job.action, limited_to=actor.limits, is_proved=is_proved, undo_of_id=job.id
    )
    await jobs.begin(session, made, items)
    begun = PeopleJobStarted(job_id=made.id, action=job.action, total=made.total, leaving=reach.leaving, undo_of=job.id)
    await record(session, begun, actor=actor)
    return made


async def rehearse(database: Database, actor: Actor, *, user_ids: Sequence[int], action: Action) -> list[Json]:
    """What would become of each of the first people: done for real, undone before anybody sees it."""
    results = []
    try:
        for user_id in list(dict.fromkeys(user_ids))[:MOST_REHEARSED]:
            outcome, error = None, None
            try:
                async with database.transaction() as session:
                    outcome, _ = await _apply(session, actor, user_id, action, is_proved=True)
                    raise Rehearsed
            except Rehearsed:
                pass
            except Refusal as refused:
                error = {"code": refused.code, "detail": refused.detail}
            results.append({"user_id": user_id, "outcome": outcome, "error": error})
    finally:
        names.forget()  # nothing of it was so
    return results


async def forget_old_jobs(session: AsyncSession) -> None:
    """Remove jobs that were finished a month ago."""
    await session.execute(delete(PeopleJob).where(PeopleJob.finished_at < now() - KEPT))


# --- reading ----------------------------------------------------------------------------------------------------------


def job_json(job: PeopleJob) -> Json:
    """A job as clients read it."""
    return {
        "id": job.id,
        "action": job.action,
        "status": job.status,
        "total": job.total,
        "done": job.done,
        "failed": job.failed,
        "is_undo": job.undo_of_id is not None,
        "can_undo": people_undo.can_undo(job, now()),
        "created_at": rfc3339(job.created_at),
        "finished_at": job.finished_at and rfc3339(job.finished_at),
    }


async def with_people(session: AsyncSession, results: list[Json]) -> list[Json]:
    """Results with whom each is about."""
    people = await names.people(session, [r["user_id"] for r in results])
    return [
        {"user": people[r["user_id"]], "outcome": r["outcome"], "error": r["error"]}
        for r in results
        if r["user_id"] in people
    ]


async def item_page(
    session: AsyncSession, actor: Actor, job_id: int, *, status: str | None, cursor: str | None, limit: int
) -> Json:
    """What became of a job's people, in their order."""
    await find(session, actor, job_id)
    wanted = select(PeopleJobItem).where(PeopleJobItem.job_id == job_id)
    if status:
        wanted = wanted.where(PeopleJobItem.status == status)
    if cursor:
        (last,) = decode_cursor(cursor, "people of a job", int)
        wanted = wanted.where(PeopleJobItem.position > last)
    rows = list(await session.scalars(wanted.order_by(PeopleJobItem.position).limit(limit + 1)))
    people = await names.people(session, [i.user_id for i in rows[:limit]])
    items = [
        {"user": people[i.user_id], "status": i.status, "outcome": i.outcome, "error": i.error} for i in rows[:limit]
    ]
    following = encode_cursor("people of a job", rows[limit - 1].position) if len(rows) > limit else None
    return {"items": items, "next_cursor": following}
