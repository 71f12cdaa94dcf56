"""One row of a table of people is put into force, by the use cases an administrator has for one person.

A row does what was shown: a field that somebody changed meanwhile is not written over, and the row says so.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import leaving, people_editing, role_changes, service
from waypost.access.actor import Actor
from waypost.access.importing.errors import ChangedMeanwhile, ManagerNotMade
from waypost.access.importing.events import PersonInvited
from waypost.access.importing.models import PeopleImport, PeopleImportRow
from waypost.access.models import Role, UserRole, held
from waypost.access.permissions import Permission
from waypost.access.queries import actor_of_user
from waypost.directory.errors import PersonNotFound
from waypost.directory.models import User
from waypost.directory.service import create_user
from waypost.kernel.errors import invalid_field
from waypost.kernel.events import record
from waypost.kernel.jobs import Jobs

CHANNEL = "people_import"
# The columns of `users` that a change of a field writes.
COLUMNS = {
    **{name: name for name in ("username", "email", "first_name", "last_name", "job_title", "timezone")},
    "department": "department_id",
    "manager": "manager_id",
}
Json = dict[str, Any]


async def _work(session: AsyncSession, job: PeopleImport, row: PeopleImportRow) -> Json:
    actor = await actor_of_user(session, job.actor_id, CHANNEL)
    if actor is None:
        raise PersonNotFound
    doer = actor.limited(job.limited_to)
    doer.require(Permission.DIRECTORY_CONFIGURE)
    changes = row.changes or []
    values = {COLUMNS[c["field"]]: await _value(session, job, c) for c in changes if c["field"] in COLUMNS}
    roles = [c["value"] for c in changes if c["field"] == "role"]
    if row.user_id is None:
        return await _make(session, doer, job, values, roles)
    return await _change(session, doer, job, row.user_id, changes, values, roles)


jobs = Jobs(PeopleImport, PeopleImportRow, "number", _work)


async def _value(session: AsyncSession, job: PeopleImport, change: Json) -> Any:
    if (number := change.get("row")) is None:
        return change["value"]
    made = select(PeopleImportRow.user_id).where(PeopleImportRow.job_id == job.id, PeopleImportRow.number == number)
    manager_id = await session.scalar(made.where(PeopleImportRow.status == "DONE"))
    if manager_id is None:
        raise ManagerNotMade(f"Their manager is new in row {number}, and was not made.")
    return manager_id


async def _make(session: AsyncSession, actor: Actor, job: PeopleImport, values: Json, roles: list[int]) -> Json:
    said = {"last_name": "", "department_id": None, "manager_id": None, **values}
    if said["manager_id"] is not None and not await _works_here(session, said["manager_id"]):
        raise invalid_field("/manager_id", "does not work here any more")
    user = await create_user(session, actor, **said)
    waits = await _give(session, actor, user.id, roles, is_proved=job.is_proved)
    if (job.plan or {}).get("invites"):
        await record(session, PersonInvited(user_id=user.id), actor=actor)
    return {"user_id": user.id, "waits": waits}


async def _works_here(session: AsyncSession, user_id: int) -> bool:
    return bool(await session.scalar(select(User.is_active).where(User.id == user_id)))


async def _change(
    session: AsyncSession,
    actor: Actor,
    job: PeopleImport,
    user_id: int,
    changes: list[Json],
    values: Json,
    roles: list[int],
) -> Json:
    user = await people_editing.one_user(session, user_id)
    was = {COLUMNS[c["field"]]: c["was"] for c in changes if c["field"] in COLUMNS}
    if moved := [n for n, v in was.items() if getattr(user, n) not in (v, values[n])]:
        raise ChangedMeanwhile(f"Somebody changed this since the file was looked at: {moved[0].removesuffix('_id')}.")
    is_active = next((c["value"] for c in changes if c["field"] == "active"), user.is_active)
    if is_active and not user.is_active:
        await people_editing.check_may_as_much(session, actor, user_id)
        await leaving.set_active(session, actor, user_id, is_active=True)
    if values:
        await people_editing.edit_user(session, actor, user_id, version=None, values=values, is_proved=job.is_proved)
    waits = await _give(session, actor, user_id, roles, is_proved=job.is_proved)
    if not is_active and user.is_active:
        await leaving.set_active(session, actor, user_id, is_active=False)
    return {"waits": waits}


async def _give(session: AsyncSession, actor: Actor, user_id: int, role_ids: list[int], *, is_proved: bool) -> int:
    """Give the roles somebody has not; how many of them wait for a second administrator."""
    has = select(UserRole.role_id).where(UserRole.user_id == user_id, UserRole.role_id.in_(role_ids), held())
    had = set(await session.scalars(has))
    wanted = [i for i in role_ids if i not in had]
    if not wanted:
        return 0
    if not actor.may(Permission.ROLES_CONFIGURE):
        keys = list(await session.scalars(select(Role.key).where(Role.id.in_(wanted))))
        await service.grant_roles(session, actor, user_id, keys, pointer="/roles")
        return 0
    done = [
        await role_changes.give_role(
            session, actor, role_id, user_id=user_id, expires_at=None, reason="", is_proved=is_proved
        )
        for role_id in wanted
    ]
    return sum(one.change is not None for one in done)
