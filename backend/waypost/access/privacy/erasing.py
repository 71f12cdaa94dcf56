"""Erasing what is personal about somebody who left: planned, asked by one administrator, done by another.

Rows that say who decided or asked stay, with a number whose name is a pseudonym from then on. The log stays whole:
`PersonErased` lets the audit take personal values out of it (`wiring.py`).
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import msgspec
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import step_up
from waypost.access.actor import Actor
from waypost.access.errors import AnotherMust
from waypost.access.permissions import Permission
from waypost.access.privacy.errors import ErasureNotFound, ErasureWaits, OnHold, StillHere
from waypost.access.privacy.events import ErasureAsked, ErasureDropped, LegalHoldSet, PersonErased
from waypost.access.privacy.models import Erasure
from waypost.access.queries import people_who_may
from waypost.directory.errors import PersonNotFound, WasErased
from waypost.directory.models import SERVICE, User
from waypost.directory.names import names
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.events import record
from waypost.kernel.paging import decode_cursor, encode_cursor
from waypost.kernel.personal import CALLED, Held, Then, personal, told_of

LIFE = timedelta(days=7)


async def plan(session: AsyncSession, user_id: int) -> list[dict[str, Any]]:
    """What there is about somebody, and what becomes of each: erased, blanked or kept, and why."""
    found = []
    for held in personal():
        count = await session.scalar(text(f"SELECT count(*) FROM {_where(held)}"), {"person": user_id}) or 0  # noqa: S608
        if count:
            found.append({"title": held.title, "count": count, "then": held.then.value, "why": held.why})
    return found


async def state(session: AsyncSession, actor: Actor, user_id: int) -> dict[str, Any]:
    """The plan, a request that waits, and what stands in the way. Raises `PersonNotFound`."""
    actor.require(Permission.PRIVACY_HANDLE)
    user = await session.get(User, user_id)
    if user is None:
        raise PersonNotFound
    waits = await session.scalar(
        select(Erasure).where(Erasure.user_id == user_id, Erasure.settled_at.is_(None), Erasure.expires_at > now())
    )
    people = await names.people(session, [waits.user_id, waits.asked_by_id] if waits else [])
    return {
        "items": await plan(session, user_id),
        "is_active": user.is_active,
        "legal_hold": user.legal_hold,
        "erased_at": user.erased_at and rfc3339(user.erased_at),
        "waiting": erasure_json(waits, people, actor) if waits else None,
    }


def erasure_json(row: Erasure, people: dict[int | None, dict[str, Any]], actor: Actor) -> dict[str, Any]:
    """A request as administrators see it; `may_do` says whether they are the second one it waits for."""
    return {
        "id": row.id,
        "user": people.get(row.user_id),
        "asked_by": people.get(row.asked_by_id),
        "reason": row.reason,
        "created_at": rfc3339(row.created_at),
        "expires_at": rfc3339(row.expires_at),
        "may_do": actor.user_id not in (row.asked_by_id, row.user_id),
    }


async def page(session: AsyncSession, actor: Actor, *, cursor: str | None, limit: int) -> dict[str, Any]:
    """The requests that wait for a second administrator, newest first."""
    actor.require(Permission.PRIVACY_HANDLE)
    statement = (
        select(Erasure).where(Erasure.settled_at.is_(None), Erasure.expires_at > now()).order_by(Erasure.id.desc())
    )
    if cursor:
        (last,) = decode_cursor(cursor, "erasures", int)
        statement = statement.where(Erasure.id < last)
    rows = list(await session.scalars(statement.limit(limit + 1)))
    following = encode_cursor("erasures", rows[limit - 1].id) if len(rows) > limit else None
    people = await names.people(session, [i for row in rows for i in (row.user_id, row.asked_by_id)])
    return {"items": [erasure_json(row, people, actor) for row in rows[:limit]], "next_cursor": following}


async def set_hold(session: AsyncSession, actor: Actor, user_id: int, reason: str | None) -> User:
    """Keep everything about somebody, for a reason; None lets it go. Raises `PersonNotFound` or `WasErased`."""
    actor.require(Permission.PRIVACY_HANDLE)
    user = await _locked(session, user_id)
    if user.legal_hold != reason:
        user.legal_hold = reason
        await session.flush()
        await record(session, LegalHoldSet(user_id=user_id, reason=reason), actor=actor)
    return user


async def ask(session: AsyncSession, actor: Actor, user_id: int, reason: str) -> Erasure:
    """Ask for it. Raises `StillHere`, `OnHold`, `WasErased`, `ErasureWaits`, `AnotherMust` or `StepUpNeeded`."""
    actor.require(Permission.PRIVACY_HANDLE)
    if user_id == actor.user_id:
        raise AnotherMust
    await step_up.require(session, actor)
    _check(await _locked(session, user_id))
    at = now()
    open_ones = (Erasure.user_id == user_id, Erasure.settled_at.is_(None))
    await session.execute(update(Erasure).where(*open_ones, Erasure.expires_at <= at).values(settled_at=at))
    if await session.scalar(select(Erasure.id).where(*open_ones)) is not None:
        raise ErasureWaits
    row = Erasure(user_id=user_id, asked_by_id=actor.user_id, reason=reason, created_at=at, expires_at=at + LIFE)
    session.add(row)
    await session.flush()
    await record(session, ErasureAsked(user_id=user_id, erasure_id=row.id, reason=reason), actor=actor, at=at)
    return row


async def drop(session: AsyncSession, actor: Actor, erasure_id: int) -> None:
    """Let a request be, whoever made it. Raises `ErasureNotFound`."""
    actor.require(Permission.PRIVACY_HANDLE)
    row = await _open(session, erasure_id)
    row.settled_at = now()
    await session.flush()
    await record(session, ErasureDropped(user_id=row.user_id, erasure_id=row.id), actor=actor)


async def do(session: AsyncSession, actor: Actor, erasure_id: int) -> Erasure:
    """Erase, as the second administrator: everything the plan says, or nothing.

    Raises `ErasureNotFound`, `AnotherMust`, `StillHere`, `OnHold` or `StepUpNeeded`.
    """
    actor.require(Permission.PRIVACY_HANDLE)
    row = await _open(session, erasure_id)
    # who asked has to be one who may still: it takes two of them
    asking = await people_who_may(session, Permission.PRIVACY_HANDLE, [row.asked_by_id])
    is_active = await session.scalar(select(User.is_active).where(User.id == row.asked_by_id))
    if actor.user_id in (row.asked_by_id, row.user_id) or not asking or not is_active:
        raise AnotherMust
    await step_up.require(session, actor)
    user = await _locked(session, row.user_id)
    _check(user)
    name = user.name
    # what they were called, for who erases it elsewhere in this transaction: their row says it no more then
    session.info[CALLED] = (name, user.username, user.email)
    erased: dict[str, int] = {}
    for held in sorted(personal(), key=lambda h: h.table == "users"):  # the person's own row last
        if held.then is not Then.KEPT:
            erased[held.title] = await _erase(session, held, user.id)
    namesakes = select(User.id).where(User.id != user.id, User.erased_at.is_(None))
    namesakes = namesakes.where(User.first_name + " " + User.last_name == name)
    if await session.scalar(namesakes.limit(1)) is None:  # what was told of them is not rewritten
        erased["Told to others"] = await _retell(session, name, f"Former employee {user.id}")
    row.settled_at, row.done_by_id = now(), actor.user_id
    row.erased = {title: count for title, count in erased.items() if count}
    await session.flush()
    names.forget()
    done = PersonErased(user_id=user.id, erasure_id=row.id, asked_by_id=row.asked_by_id, erased=row.erased)
    await record(session, done, actor=actor)
    session.info.pop(CALLED, None)
    return row


def _check(user: User) -> None:
    if user.is_active:
        raise StillHere
    if user.legal_hold is not None:
        raise OnHold


async def _locked(session: AsyncSession, user_id: int) -> User:
    user = await session.get(User, user_id, with_for_update=True, populate_existing=True)
    if user is None or user.kind == SERVICE:  # a program is nobody
        raise PersonNotFound
    if user.erased_at is not None:
        raise WasErased
    return user


async def _open(session: AsyncSession, erasure_id: int) -> Erasure:
    waiting = (Erasure.id == erasure_id, Erasure.settled_at.is_(None), Erasure.expires_at > now())
    row: Erasure | None = await session.scalar(select(Erasure).where(*waiting).with_for_update())
    if row is None:
        raise ErasureNotFound
    return row


def _where(held: Held) -> str:
    narrowed = f" AND ({held.only})" if held.only else ""
    return f"{held.table} WHERE {held.column} = :person{narrowed}"


async def _erase(session: AsyncSession, held: Held, user_id: int) -> int:
    if held.then is Then.DELETED:
        statement = f"DELETE FROM {_where(held)}"  # noqa: S608 - names of our own tables and columns
    else:
        blanks = ", ".join(f"{column} = {value}" for column, value in held.blanks.items())
        table, _, where = _where(held).partition(" ")
        statement = f"UPDATE {table} SET {blanks} {where}"  # noqa: S608
    result: Any = await session.execute(text(statement), {"person": user_id})
    return int(result.rowcount)


async def _retell(session: AsyncSession, name: str, pseudonym: str) -> int:
    """Put the pseudonym where others were told the name; a name of one word might be any word, and stays."""
    changed = 0
    if " " not in name:
        return 0
    for told in told_of():
        column = f"{told.column}::text" if told.is_json else told.column
        before = msgspec.json.encode(name).decode()[1:-1] if told.is_json else name
        # as words of their own: "Ann Lee" stands in "Joann Leeds" too
        whole = "(?<![[:alnum:]])" + re.sub(r"(\W)", r"\\\1", before) + "(?![[:alnum:]])"
        value = f"regexp_replace({column}, :whole, :pseudonym, 'g'){'::jsonb' if told.is_json else ''}"
        statement = (
            f"UPDATE {told.table} SET {told.column} = {value}"  # noqa: S608
            f" WHERE strpos({column}, :name) > 0 AND {column} ~ :whole"
        )
        asked = {"name": before, "whole": whole, "pseudonym": pseudonym}
        result: Any = await session.execute(text(statement), asked)
        changed += int(result.rowcount)
    return changed
