"""People in the one box: by name, username, what stands before the @ of their address, and department.

Only who may look people up finds any, as in the directory: active people, none of the accounts of programs.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.directory.models import PERSON, Department, User
from waypost.directory.names import names
from waypost.search.asking import Words, read

SHORTEST = 2  # letters all words have together
MOST_WORDS = 5  # a name has few; a sentence is none
MOST_LETTERS = 64
_INDEXED = func.lower(User.first_name + " " + User.last_name + " " + User.username + " " + User.email)
_SAID = func.lower(User.first_name + " " + User.last_name + " " + User.username)
_LOCAL = func.split_part(func.lower(User.email), "@", 1)


async def people_found(session: AsyncSession, actor: Actor, q: str, *, most: int) -> tuple[list[dict[str, Any]], bool]:
    """Who fits every word, by name, and whether there are more than `most`. One statement besides the names."""
    words = words_of(q)
    if not words or not actor.may(Permission.DIRECTORY_LOOK_UP):
        return [], False
    rows = (
        await session.execute(
            select(User.id, User.username, User.department_id, func.btrim(User.first_name + " " + User.last_name))
            .where(User.is_active, User.kind == PERSON, *(_fits(word) for word in words))
            .order_by(User.last_name, User.first_name, User.id)
            .limit(most + 1)
        )
    ).all()
    departments = await names.departments(session, [r.department_id for r in rows[:most]])
    found = [
        {"id": i, "username": username, "name": name, "department": departments.get(department_id)}
        for i, username, department_id, name in rows[:most]
    ]
    return found, len(rows) > most


def words_of(q: str) -> list[str]:
    """The words by which somebody may be meant; none where filters or too many words say that it is about requests."""
    terms = read(q).terms
    if len(terms) > MOST_WORDS or any(not isinstance(t.what, Words) or t.is_without for t in terms):
        return []
    words = [
        c.strip("*\"'(),;").lower()[:MOST_LETTERS] for t in terms if isinstance(t.what, Words) for c in t.what.chunks
    ]
    words = [word for word in dict.fromkeys(words) if word][:MOST_WORDS]
    return words if sum(map(len, words)) >= SHORTEST else []


def _fits(word: str) -> ColumnElement[bool]:
    """A word stands in somebody's name, username, department or before the @ (all of it, where an address was written)."""
    like = "%" + word.replace("!", "!!").replace("%", "!%").replace("_", "!_") + "%"
    place = _INDEXED if "@" in word else _SAID
    theirs = _INDEXED.like(like, escape="!") & (
        place.like(like, escape="!") | _LOCAL.like(like, escape="!")
    )  # the first is what the index answers
    there = select(Department.id).where(func.lower(Department.name).like(like, escape="!"))
    return or_(theirs, User.department_id.in_(there))
