"""What a change of many people did to one of them is taken back, where they are still as it left them.

What hung on a deactivation is not: signed out stays signed out, and what was given on stays with the others.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import grants, leaving, people_editing, role_changes
from waypost.access.actor import Actor
from waypost.access.errors import ChangedSince
from waypost.access.models import RoleChange, UserRole, held
from waypost.access.people_job_models import DONE, SAME, WAITS, PeopleJob
from waypost.access.role_errors import ChangeNotFound, GivenByProvider
from waypost.directory import editing
from waypost.directory.events import UserDeactivated, UserReactivated
from waypost.directory.models import User
from waypost.kernel.clock import rfc3339
from waypost.kernel.events import EventRow

WITHIN = timedelta(hours=1)
# What is undone is the opposite of what was done: by it is known who leaves, and what takes a proof.
OPPOSITE = {"deactivate": "reactivate", "reactivate": "deactivate", "give_role": "take_role", "take_role": "give_role"}
Json = dict[str, Any]


def can_undo(job: PeopleJob, at: datetime) -> bool:
    """Whether a job's changes can be taken back at this instant."""
    return job.undo_of_id is None and job.finished_at is not None and at - job.finished_at <= WITHIN


def opposite(action: Json) -> Json:
    """What undoing it does, as far as it takes a permission, a proof or a number."""
    kind = OPPOSITE.get(str(action["type"]), str(action["type"]))
    kept = {"type": kind, "role_id": action["role_id"]} if kind.endswith("_role") else {"type": kind}
    return kept if kind != "give_role" else kept | {"expires_at": None, "reason": ""}


async def grant_of(session: AsyncSession, user_id: int, role_id: int) -> Json | None:
    """A role as somebody has it, so that it can be told whether it is the same one later."""
    row = await session.scalar(
        select(UserRole)
        .where(UserRole.user_id == user_id, UserRole.role_id == role_id, held())
        .execution_options(populate_existing=True)
    )
    if row is None:
        return None
    return {
        "granted_at": row.granted_at and rfc3339(row.granted_at),
        "expires_at": row.expires_at and rfc3339(row.expires_at),
        "reason": row.reason,
        "provider_id": row.provider_id,
    }


async def last_switch(session: AsyncSession, user_id: int) -> int | None:
    """The event by which somebody was deactivated, or let in again, the last time."""
    switched = (EventRow.object_type == UserDeactivated.object_type, EventRow.object_id == user_id)
    types = EventRow.type.in_((UserDeactivated.type, UserReactivated.type))
    return await session.scalar(select(func.max(EventRow.id)).where(*switched, types))


async def undo(
    session: AsyncSession,
    actor: Actor,
    user_id: int,
    action: Json,
    outcome: str | None,
    before: Json,
    *,
    is_proved: bool,
) -> str:
    """Give one person back what they had; what came of it. Raises `ChangedSince` for who is not as the job left them."""
    if outcome == SAME:
        return SAME
    user = await people_editing.one_user(session, user_id)
    match action["type"]:
        case "deactivate" | "reactivate":
            await _active(session, actor, user, before, is_active=action["type"] == "deactivate")
        case "department" | "manager" as field:
            column = f"{field}_id"
            if getattr(user, column) != action[column]:
                raise ChangedSince
            await editing.edit_user(session, actor, user_id, version=None, values={column: before["value"]})
        case _:
            return await _role(session, actor, user_id, action, outcome, before, is_proved=is_proved)
    return DONE


async def _active(session: AsyncSession, actor: Actor, user: User, before: Json, *, is_active: bool) -> None:
    # who was let in again and then sent away by somebody else was not sent away by the job
    if user.is_active is is_active or before.get("event_id") != await last_switch(session, user.id):
        raise ChangedSince
    if is_active:
        await people_editing.check_may_as_much(session, actor, user.id)
    await leaving.set_active(session, actor, user.id, is_active=is_active)


async def _role(
    session: AsyncSession,
    actor: Actor,
    user_id: int,
    action: Json,
    outcome: str | None,
    before: Json,
    *,
    is_proved: bool,
) -> str:
    role_id = action["role_id"]
    if outcome == WAITS:
        change = await session.get(RoleChange, before["change_id"])
        if change is None or change.settled_at is not None:
            raise ChangedSince
        try:
            await role_changes.refuse(session, actor, change.id)
        except ChangeNotFound as settled:
            raise ChangedSince from settled
        return DONE
    now_held, had = await grant_of(session, user_id, role_id), before.get("grant")
    if now_held != before.get("left"):
        raise ChangedSince
    if had is None:
        await grants.take(session, actor, role_id, user_id)
        return DONE
    if had["provider_id"] is not None:
        raise GivenByProvider
    until = had["expires_at"]
    done = await role_changes.give_role(
        session,
        actor,
        role_id,
        user_id=user_id,
        expires_at=datetime.fromisoformat(until) if until else None,
        reason=had["reason"],
        is_proved=is_proved,
    )
    return WAITS if done.change is not None else DONE
