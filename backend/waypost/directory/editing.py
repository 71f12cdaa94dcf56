"""Changing what is known of a person: by version, so that nobody undoes another's change, with before and after kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, literal, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.directory.errors import ManagerCircle, NameTaken, PersonNotFound, WasErased
from waypost.directory.events import UserChanged, UserEmailChanged
from waypost.directory.models import Department, User
from waypost.directory.names import names
from waypost.directory.queries import by_login
from waypost.kernel.clock import now, zone_names
from waypost.kernel.errors import FieldError, Invalid, StaleVersion
from waypost.kernel.events import Doer, record

EDITABLE = (
    "username",
    "email",
    "first_name",
    "last_name",
    "department_id",
    "manager_id",
    "job_title",
    "timezone",
    "locale",
)
_LINES_LOCK = text("SELECT pg_advisory_xact_lock(4721409636)")


async def edit_user(
    session: AsyncSession, actor: Doer, user_id: int, *, version: int | None, values: Mapping[str, Any]
) -> User:
    """Change the fields in `values`, of the version one read (None: of any); saying what is so already changes nothing.

    Raises `PersonNotFound`, `WasErased`, `StaleVersion`, `NameTaken`, `ManagerCircle`, or `Invalid` naming the field.
    """
    if values.get("manager_id") is not None:
        # Of two who make each the other's manager at once, the second has to see the first.
        await session.execute(_LINES_LOCK)
    user = await session.get(User, user_id, with_for_update={"key_share": True}, populate_existing=True)
    if user is None:
        raise PersonNotFound
    if user.erased_at is not None:
        raise WasErased
    if version is not None and user.version != version:
        raise StaleVersion
    after = {k: v for k, v in values.items() if k in EDITABLE and getattr(user, k) != v}
    if not after:
        return user
    before = {k: getattr(user, k) for k in after}
    await _check(session, user, after)
    for field, value in after.items():
        setattr(user, field, value)
    user.version, user.updated_at = user.version + 1, now()
    await session.flush()
    names.forget()
    await record(session, UserChanged(user_id=user.id, before=before, after=after), actor=actor)
    if "email" in after:
        told = UserEmailChanged(user_id=user.id, email_before=before["email"], email=after["email"])
        await record(session, told, actor=actor)
    return user


async def set_manager(session: AsyncSession, user: User, manager_id: int | None) -> None:
    """Say whom a person reports to, as another system has it. Raises `ManagerCircle`."""
    await session.execute(_LINES_LOCK)
    if manager_id is not None and (manager_id == user.id or await _is_above(session, user.id, manager_id)):
        raise ManagerCircle
    user.manager_id = manager_id
    await session.flush()


async def _check(session: AsyncSession, user: User, after: Mapping[str, Any]) -> None:
    wrong = []
    if "timezone" in after and after["timezone"] not in zone_names():
        wrong.append(FieldError("/timezone", "is no time zone"))
    department_id, manager_id = after.get("department_id"), after.get("manager_id")
    if department_id is not None and await session.scalar(_exists(Department, department_id)) is None:
        wrong.append(FieldError("/department_id", "there is no such department"))
    if manager_id is not None:
        is_active = await session.scalar(select(User.is_active).where(User.id == manager_id))
        if not is_active:
            why = "there is no such person" if is_active is None else "does not work here any more"
            wrong.append(FieldError("/manager_id", why))
    if wrong:
        raise Invalid(errors=tuple(wrong))
    for field in ("username", "email"):
        if field in after and await session.scalar(select(User.id).where(by_login(after[field]), User.id != user.id)):
            raise NameTaken(f"This {field} is taken already.", errors=(FieldError(f"/{field}", "is taken already"),))
    if manager_id is not None and (manager_id == user.id or await _is_above(session, user.id, manager_id)):
        raise ManagerCircle(errors=(FieldError("/manager_id", "reports to this person"),))


def _exists(table: Any, row_id: int) -> Any:
    return select(table.id).where(table.id == row_id)


async def _is_above(session: AsyncSession, boss_id: int, person_id: int) -> bool:
    """Whether `boss_id` stands above `person_id`, over people who left too: they may come back."""
    start = select(User.manager_id.label("id"), literal(1).label("level")).where(User.id == person_id)
    line = start.cte("line", recursive=True)
    # UNION and not UNION ALL: a circle that is there already ends
    line = line.union(select(User.manager_id, literal(1)).where(User.id == line.c.id, User.manager_id.is_not(None)))
    return bool(await session.scalar(select(func.count()).select_from(line).where(line.c.id == boss_id)))
