"""Departments and teams: renamed, moved, given another head, and closed with what was theirs given on.

The rooms above know what names a department or a team; they hear of its end in the same transaction, give on what is
theirs to `moved_to_id`, and refuse where they cannot (`wiring.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, delete, exists, func, literal, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.directory.errors import (
    DepartmentCircle,
    DepartmentInUse,
    DepartmentNotFound,
    TeamNotFound,
)
from waypost.directory.events import DepartmentChanged, DepartmentDeleted, TeamChanged, TeamDeleted, UserChanged
from waypost.directory.models import Department, Team, User
from waypost.directory.names import names
from waypost.kernel.clock import now
from waypost.kernel.errors import FieldError, StaleVersion, invalid_field
from waypost.kernel.events import Doer, record

MOST_MOVED = 2_000  # people of a department that goes; more are moved before, a page at a time
_TREE_LOCK = text("SELECT pg_advisory_xact_lock(4721409637)")


# --- departments ------------------------------------------------------------------------------------------------------


async def edit_department(
    session: AsyncSession, actor: Doer, department_id: int, *, version: int, values: Mapping[str, Any]
) -> Department:
    """Change name, place (`parent_id`) or head, of the version one read.

    Raises `DepartmentNotFound`, `StaleVersion`, `DepartmentCircle`, or names the field; a name that exists is refused by
    the database (409).
    """
    # Of two who put each below the other at once, the second has to see the first.
    await session.execute(_TREE_LOCK)
    row = await _department(session, department_id)
    if row.version != version:
        raise StaleVersion
    after = {k: v for k, v in values.items() if getattr(row, k) != v}
    if not after:
        return row
    parent_id, head_id = after.get("parent_id"), after.get("head_id")
    if head_id is not None and not await session.scalar(select(User.is_active).where(User.id == head_id)):
        raise invalid_field("/head_id", "there is no such active person")
    if parent_id is not None:
        if await session.get(Department, parent_id) is None:
            raise invalid_field("/parent_id", "there is no such department")
        if await is_below(session, parent_id, department_id):
            raise DepartmentCircle(errors=(FieldError("/parent_id", "lies below this department"),))
    before = {k: getattr(row, k) for k in after}
    for field, value in after.items():
        setattr(row, field, value)
    row.version += 1
    await session.flush()
    names.forget()
    await record(session, DepartmentChanged(department_id=row.id, before=before, after=after), actor=actor)
    return row


async def delete_department(session: AsyncSession, actor: Doer, department_id: int, *, to_id: int | None) -> None:
    """Close a department; its people, the departments below it and its requests go to `to_id`.

    Raises `DepartmentNotFound`, `DepartmentInUse` without a place for them, `DepartmentCircle`, or names the field.
    """
    await session.execute(_TREE_LOCK)
    row = await _department(session, department_id)
    if to_id is not None:
        if await session.get(Department, to_id, with_for_update={"key_share": True}) is None:
            raise invalid_field("?to", "there is no such department")
        if await is_below(session, to_id, department_id):
            raise DepartmentCircle(errors=(FieldError("?to", "lies below this department, or is it"),))
    people = list(
        await session.scalars(
            select(User)
            .where(User.department_id == department_id)
            .order_by(User.id)
            .limit(MOST_MOVED + 1)
            .with_for_update()
        )
    )
    if len(people) > MOST_MOVED:
        raise DepartmentInUse(f"More than {MOST_MOVED:,} people are in it: move them first.")
    below = list(await session.scalars(select(Department).where(Department.parent_id == department_id)))
    if to_id is None and (people or below):
        raise DepartmentInUse
    at = now()
    for user in people:
        user.department_id, user.version, user.updated_at = to_id, user.version + 1, at
    for child in below:
        child.parent_id, child.version = to_id, child.version + 1
    await session.flush()
    moved: dict[str, dict[str, Any]] = {"before": {"department_id": department_id}, "after": {"department_id": to_id}}
    for user in people:
        await record(session, UserChanged(user_id=user.id, **moved), actor=actor, at=at)
    told = DepartmentDeleted(
        department_id=department_id, name=row.name, moved_to_id=to_id, people=len(people), departments=len(below)
    )
    await record(session, told, actor=actor, at=at)
    await session.execute(delete(Department).where(Department.id == department_id))
    names.forget()


async def _department(session: AsyncSession, department_id: int) -> Department:
    row = await session.get(Department, department_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise DepartmentNotFound
    return row


async def is_below(session: AsyncSession, department_id: int, top_id: int) -> bool:
    """Whether a department is `top_id` or lies below it."""
    start = select(literal(department_id, BigInteger).label("id")).cte("up", recursive=True)
    up = start.union(select(Department.parent_id).where(Department.id == start.c.id, Department.parent_id.is_not(None)))
    return bool(await session.scalar(select(exists().where(up.c.id == top_id))))


async def people_counts(session: AsyncSession, department_ids: list[int]) -> dict[int, int]:
    """How many active people are in each of these departments itself. One statement."""
    rows = await session.execute(
        select(User.department_id, func.count())
        .where(User.department_id.in_(department_ids), User.is_active)
        .group_by(User.department_id)
    )
    return {department_id: count for department_id, count in rows if department_id is not None}


# --- teams ------------------------------------------------------------------------------------------------------------


async def edit_team(
    session: AsyncSession, actor: Doer, team_id: int, *, version: int, values: Mapping[str, Any]
) -> Team:
    """Change name or description, of the version one read. Raises `TeamNotFound` or `StaleVersion`."""
    row = await _team(session, team_id)
    if row.version != version:
        raise StaleVersion
    after = {k: v for k, v in values.items() if getattr(row, k) != v}
    if not after:
        return row
    before = {k: getattr(row, k) for k in after}
    for field, value in after.items():
        setattr(row, field, value)
    row.version += 1
    await session.flush()
    names.forget()
    await record(session, TeamChanged(team_id=row.id, before=before, after=after), actor=actor)
    return row


async def delete_team(session: AsyncSession, actor: Doer, team_id: int, *, to_id: int | None) -> None:
    """Close a team; its requests, and what gives it work, go to `to_id`. Its members belong to it no more.

    Raises `TeamNotFound`, names the field, or what the rooms above refuse with (`TeamInUse`).
    """
    row = await _team(session, team_id)
    if to_id is not None:
        there = await session.get(Team, to_id, with_for_update={"key_share": True}) if to_id != team_id else None
        if there is None:
            raise invalid_field("?to", "there is no such other team")
    await record(session, TeamDeleted(team_id=team_id, name=row.name, moved_to_id=to_id), actor=actor)
    await session.execute(delete(Team).where(Team.id == team_id))
    names.forget()


async def _team(session: AsyncSession, team_id: int) -> Team:
    row = await session.get(Team, team_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise TeamNotFound
    return row
