"""Who is who, and who stands above and below whom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, any_, bindparam, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.directory.errors import TeamNotFound
from waypost.directory.models import PERSON, Absence, Department, Team, TeamMember, User
from waypost.kernel.clock import now
from waypost.kernel.paging import after, decode_cursor, encode_cursor

MAX_LINE = 20  # a manager line longer than this is a mistake in the data, not a company


@dataclass(frozen=True, slots=True)
class Person:
    """A person as rules see them. `manager_line` runs upward: their manager first, then the manager's manager, …"""

    id: int
    is_active: bool
    department_id: int | None
    manager_line: tuple[int, ...]


async def manager_lines(session: AsyncSession, ids: list[int]) -> dict[int, tuple[int, ...]]:
    """The chain of *active* managers above each person, nearest first, at most `MAX_LINE` long and free of circles."""
    if not ids:
        return {}
    rows = await session.execute(_lines(), {"ids": ids})
    found: dict[int, list[int]] = {i: [] for i in ids}
    for person, boss in rows:
        if boss not in found[person] and boss != person:
            found[person].append(boss)
    return {person: tuple(bosses) for person, bosses in found.items()}


@lru_cache
def _lines() -> Select[int, int]:
    start = (
        select(User.id.label("person"), User.manager_id.label("boss"), literal(1).label("level"))
        .where(User.id == any_(bindparam("ids", type_=ARRAY(BigInteger))), User.manager_id.is_not(None))
        .cte("line", recursive=True)
    )
    above = select(start.c.person, User.manager_id, start.c.level + 1).where(
        User.id == start.c.boss, User.manager_id.is_not(None), start.c.level < MAX_LINE
    )
    line = start.union_all(above)
    return (
        select(line.c.person, line.c.boss)
        .join(User, and_(User.id == line.c.boss, User.is_active))
        .order_by(line.c.person, line.c.level)
    )


async def people_facts(session: AsyncSession, ids: list[int]) -> dict[int, Person]:
    """The people among `ids` with their manager lines; unknown ids are left out."""
    if not ids:
        return {}
    rows = (await session.execute(select(User.id, User.is_active, User.department_id).where(User.id.in_(ids)))).all()
    lines = await manager_lines(session, [r.id for r in rows])
    return {r.id: Person(r.id, r.is_active, r.department_id, lines.get(r.id, ())) for r in rows}


async def reports_below(session: AsyncSession, boss_id: int) -> list[int]:
    """Everyone who reports to this person, directly or through others."""
    start = select(User.id, literal(1).label("level")).where(User.manager_id == boss_id).cte("below", recursive=True)
    deeper = select(User.id, start.c.level + 1).where(User.manager_id == start.c.id, start.c.level < MAX_LINE)
    below = start.union(deeper)
    return list((await session.scalars(select(below.c.id).distinct())).all())


async def departments_below(session: AsyncSession, head_id: int) -> list[int]:
    """The departments this person heads, with everything below them in the tree."""
    start = select(Department.id).where(Department.head_id == head_id).cte("tree", recursive=True)
    tree = start.union(select(Department.id).where(Department.parent_id == start.c.id))
    return list((await session.scalars(select(tree.c.id))).all())


async def department_heads(session: AsyncSession, ids: Iterable[int | None]) -> dict[int | None, int]:
    """The active head of each department, or of the nearest one above it that has an active head. One statement."""
    wanted = {i for i in ids if i is not None}
    if not wanted:
        return {}
    start = (
        select(Department.id.label("asked"), Department.parent_id, Department.head_id, literal(1).label("level"))
        .where(Department.id.in_(wanted))
        .cte("up", recursive=True)
    )
    up = start.union_all(
        select(start.c.asked, Department.parent_id, Department.head_id, start.c.level + 1).where(
            Department.id == start.c.parent_id, start.c.level < MAX_LINE
        )
    )
    rows = await session.execute(
        select(up.c.asked, up.c.head_id)
        .join(User, and_(User.id == up.c.head_id, User.is_active))
        .order_by(up.c.level.desc())
    )
    return {row.asked: row.head_id for row in rows}  # the nearest comes last


async def team_members(session: AsyncSession, team_id: int) -> list[int]:
    """The active members of a team, in order of their ids."""
    return (await members_of_teams(session, [team_id])).get(team_id, [])


async def members_of_teams(session: AsyncSession, team_ids: Iterable[int]) -> dict[int, list[int]]:
    """The active members of teams, in order of their ids; a team of nobody is left out. One statement."""
    rows = await session.execute(
        select(TeamMember.team_id, TeamMember.user_id)
        .join(User, and_(User.id == TeamMember.user_id, User.is_active))
        .where(TeamMember.team_id.in_(set(team_ids)))
        .order_by(TeamMember.user_id)
    )
    found: dict[int, list[int]] = {}
    for team_id, user_id in rows:
        found.setdefault(team_id, []).append(user_id)
    return found


def _matches(q: str) -> Any:
    pattern = "%" + q.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    return func.lower(User.first_name + " " + User.last_name + " " + User.username + " " + User.email).like(
        pattern, escape="\\"
    )


async def people_page(
    session: AsyncSession,
    *,
    q: str | None,
    cursor: str | None,
    limit: int,
    only_active: bool,
    ids: Sequence[int] = (),
    among: ColumnElement[bool] | None = None,
) -> tuple[list[tuple[User, datetime | None]], str | None]:
    """People by name, each with until when they are away now, a page at a time, and the cursor behind it.

    `q` matches name, username and e-mail anywhere; `ids` narrows to people one knows by number. One statement.
    """
    at = now()
    away_until = (
        select(func.max(Absence.ends_at))
        .where(Absence.user_id == User.id, Absence.starts_at <= at, Absence.ends_at > at)
        .scalar_subquery()
    )
    statement = select(User, away_until).order_by(User.last_name, User.first_name, User.id).limit(limit + 1)
    if among is not None:
        statement = statement.where(among)
    if only_active:
        statement = statement.where(User.is_active)
    if not ids:
        statement = statement.where(User.kind == PERSON)
    if q:
        statement = statement.where(_matches(q))
    if ids:
        statement = statement.where(User.id.in_(ids))
    if cursor:
        last, first, user_id = decode_cursor(cursor, "people", str, str, int)
        statement = statement.where(
            after([(User.last_name, last, False), (User.first_name, first, False), (User.id, user_id, False)])
        )
    found = (await session.execute(statement)).all()
    rows: list[tuple[User, datetime | None]] = [(user, until) for user, until in found]
    more = len(rows) > limit
    rows = rows[:limit]
    end = rows[-1][0] if more else None
    return rows, encode_cursor("people", end.last_name, end.first_name, end.id) if end else None


@dataclass(frozen=True, slots=True)
class TeamRow:
    """A team with the ids of its members, and of those who lead it."""

    team: Team
    member_ids: list[int]
    lead_ids: list[int]


def _teams() -> Select[Team, list[int], list[int]]:
    ids = func.array_agg(TeamMember.user_id)
    of_team = TeamMember.team_id == Team.id
    return select(
        Team,
        select(ids).where(of_team).scalar_subquery(),
        select(ids).where(of_team, TeamMember.is_lead).scalar_subquery(),
    )


async def team_page(session: AsyncSession, *, cursor: str | None, limit: int) -> tuple[list[TeamRow], str | None]:
    """Teams by name with the ids of their members."""
    statement = _teams().order_by(Team.name, Team.id).limit(limit + 1)
    if cursor:
        name, team_id = decode_cursor(cursor, "teams", str, int)
        statement = statement.where(after([(Team.name, name, False), (Team.id, team_id, False)]))
    rows = [TeamRow(t, list(ids or ()), list(leads or ())) for t, ids, leads in await session.execute(statement)]
    end = rows[limit - 1].team if len(rows) > limit else None
    return rows[:limit], encode_cursor("teams", end.name, end.id) if end else None


async def one_team(session: AsyncSession, team_id: int) -> TeamRow:
    """One team. Raises `TeamNotFound`."""
    row = (await session.execute(_teams().where(Team.id == team_id))).first()
    if row is None:
        raise TeamNotFound
    return TeamRow(row[0], list(row[1] or ()), list(row[2] or ()))


async def department_page(
    session: AsyncSession, *, cursor: str | None, limit: int
) -> tuple[list[Department], str | None]:
    """Departments by name."""
    statement = select(Department).order_by(Department.name, Department.id).limit(limit + 1)
    if cursor:
        name, department_id = decode_cursor(cursor, "departments", str, int)
        statement = statement.where(after([(Department.name, name, False), (Department.id, department_id, False)]))
    rows = list((await session.scalars(statement)).all())
    end = rows[limit - 1] if len(rows) > limit else None
    return rows[:limit], encode_cursor("departments", end.name, end.id) if end else None


def by_login(name: str) -> Any:
    """The condition that finds a person by username or e-mail address, whatever their case."""
    return or_(func.lower(User.username) == name.lower(), func.lower(User.email) == name.lower())


async def people_by_login(session: AsyncSession, said: Iterable[str]) -> dict[str, int]:
    """The ids of people by the username or e-mail address they are named by, in lower case. One statement."""
    wanted = {name for text in said if (name := text.strip().lower())}
    if not wanted:
        return {}
    username, email = func.lower(User.username), func.lower(User.email)
    rows = await session.execute(
        select(User.id, username, email).where(or_(username.in_(wanted), email.in_(wanted))).order_by(User.id.desc())
    )
    return {name: i for i, *both in rows for name in both if name in wanted}
