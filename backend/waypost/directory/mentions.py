"""Who and what names a person: what is read before somebody who leaves is deactivated.

The rooms above know (workflows name approvers, rules give work to people, tickets wait for them); each gives a finder,
and `wiring.py` lists them. This room knows who reports to them, what they head, and their teams.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.directory.models import Department, Team, TeamMember, User

MOST_NAMED = 50  # of a kind; how many there are beside is counted


@dataclass(frozen=True, slots=True)
class Mention:
    """Something that names a person. `how` is the word for what they are to it; `count` when it stands for many."""

    kind: str
    id: int | None
    name: str
    how: str
    count: int = 1


Finder = Callable[[AsyncSession, Any, int], Awaitable[list[Mention]]]
_finders: list[Finder] = []


def use_mention_finders(finders: tuple[Finder, ...]) -> None:
    """The finders in force (`wiring.py`). Each is asked with the one who reads, who sees no more than elsewhere."""
    _finders[:] = finders


async def mentions_of(session: AsyncSession, actor: Any, user_id: int) -> list[Mention]:
    """Everything that names this person, kind by kind."""
    own = await _in_the_directory(session, user_id)
    return own + [m for finder in _finders for m in await finder(session, actor, user_id)]


def shortened(found: list[Mention], kind: str, how: str, total: int) -> list[Mention]:
    """At most `MOST_NAMED` of a kind by name, and a number for the others."""
    named = found[:MOST_NAMED]
    return named + ([Mention(kind, None, "", how, total - len(named))] if total > len(named) else [])


async def _in_the_directory(session: AsyncSession, user_id: int) -> list[Mention]:
    reports = User.manager_id == user_id
    rows = await session.execute(
        select(User.id, func.btrim(User.first_name + " " + User.last_name))
        .where(reports, User.is_active)
        .order_by(User.last_name, User.id)
        .limit(MOST_NAMED)
    )
    total = await session.scalar(select(func.count()).where(reports, User.is_active)) or 0
    found = shortened([Mention("person", i, name, "manager") for i, name in rows], "person", "manager", total)
    headed = select(Department.id, Department.name).where(Department.head_id == user_id).order_by(Department.name)
    found += [Mention("department", i, name, "head") for i, name in await session.execute(headed.limit(MOST_NAMED))]
    teams = (
        select(Team.id, Team.name, TeamMember.is_lead)
        .join(TeamMember, TeamMember.team_id == Team.id)
        .where(TeamMember.user_id == user_id)
        .order_by(Team.name)
        .limit(MOST_NAMED)
    )
    found += [
        Mention("team", i, name, "lead" if is_lead else "member") for i, name, is_lead in await session.execute(teams)
    ]
    return found
