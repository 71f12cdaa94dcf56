"""Adding people, departments and teams."""

from __future__ import annotations

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.directory.errors import NameTaken
from waypost.directory.events import DepartmentCreated, TeamCreated, UserCreated
from waypost.directory.models import Department, Team, TeamMember, User
from waypost.directory.queries import by_login
from waypost.kernel.errors import FieldError, Invalid
from waypost.kernel.events import Doer, record


async def create_user(
    session: AsyncSession,
    actor: Doer,
    *,
    username: str,
    email: str,
    first_name: str,
    last_name: str,
    department_id: int | None,
    manager_id: int | None,
    job_title: str = "",
    timezone: str = "UTC",
) -> User:
    """Add a person. Raises `NameTaken`, or `Invalid` naming an unknown department or manager."""
    await _must_exist(session, Department, department_id, "/department_id", "department")
    await _must_exist(session, User, manager_id, "/manager_id", "person")
    for field, value in (("username", username), ("email", email)):
        if await session.scalar(select(User.id).where(by_login(value))):
            raise NameTaken(f"This {field} is taken already.", errors=(FieldError(f"/{field}", "is taken already"),))
    user = User(
        username=username,
        email=email,
        first_name=first_name,
        last_name=last_name,
        department_id=department_id,
        manager_id=manager_id,
        job_title=job_title,
        timezone=timezone,
    )
    session.add(user)
    await session.flush()
    await record(
        session,
        UserCreated(
            user_id=user.id, username=username, email=email, department_id=department_id, manager_id=manager_id
        ),
        actor=actor,
    )
    return user


async def set_timezone(session: AsyncSession, user_id: int, timezone: str) -> None:
    """Say by which clock a person lives."""
    await session.execute(update(User).where(User.id == user_id).values(timezone=timezone))


async def set_locale(session: AsyncSession, user_id: int, locale: str) -> None:
    """Say in which language a person is told of things."""
    await session.execute(update(User).where(User.id == user_id).values(locale=locale))


async def create_department(
    session: AsyncSession, actor: Doer, *, name: str, parent_id: int | None, head_id: int | None
) -> Department:
    """Add a department below `parent_id`. A name that exists is refused by the database (409)."""
    await _must_exist(session, Department, parent_id, "/parent_id", "department")
    await _must_exist(session, User, head_id, "/head_id", "person")
    department = Department(name=name, parent_id=parent_id, head_id=head_id)
    session.add(department)
    await session.flush()
    await record(
        session,
        DepartmentCreated(department_id=department.id, name=name, parent_id=parent_id, head_id=head_id),
        actor=actor,
    )
    return department


async def create_team(
    session: AsyncSession, actor: Doer, *, name: str, description: str, member_ids: list[int]
) -> Team:
    """Add a team with its members. A name that exists is refused by the database (409)."""
    members = sorted(set(member_ids))
    known = set((await session.scalars(select(User.id).where(User.id.in_(members)))).all())
    for n, user_id in enumerate(member_ids):
        if user_id not in known:
            raise Invalid(errors=(FieldError(f"/member_ids/{n}", "there is no such person"),))
    team = Team(name=name, description=description)
    session.add(team)
    await session.flush()
    if members:
        await session.execute(insert(TeamMember), [{"team_id": team.id, "user_id": i} for i in members])
    await record(session, TeamCreated(team_id=team.id, name=name, member_ids=tuple(members)), actor=actor)
    return team


async def _must_exist(
    session: AsyncSession, table: type[User] | type[Department], row_id: int | None, pointer: str, what: str
) -> None:
    if row_id is not None and await session.scalar(select(table.id).where(table.id == row_id)) is None:
        raise Invalid(errors=(FieldError(pointer, f"there is no such {what}"),))
