"""Which rows of the log are looked for: what, who, when, about what, and words in what they say.

Words are found in the values of an entry, in the names of whoever did it or whom it is about, and in number and title of
the request it is about. All of it is answered by indexes: of the log those of its columns, and one over three letters
each of what an entry says (`ix_events_words`), which is why words have three letters at least.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, String, Text, and_, any_, bindparam, cast, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import BigInteger

from waypost.access.actor import Actor
from waypost.directory.models import User
from waypost.kernel.clock import rfc3339
from waypost.kernel.events import EventRow
from waypost.tickets.models import Ticket
from waypost.tickets.policy import visible_to

SHORTEST = 3  # letters
MOST_NAMED = 200  # people, and requests, whose name or title has the words


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for; None leaves it open. `q` are words, `address` the beginning of an IP address."""

    actor_id: int | None = None
    action: str | None = None
    family: str | None = None
    channel: str | None = None
    object_type: str | None = None
    object_id: int | None = None
    ticket: str | None = None
    q: str | None = None
    address: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def told(self) -> dict[str, Any]:
        """As the trail keeps what was asked."""
        given = {f.name: getattr(self, f.name) for f in fields(self)}
        return {k: rfc3339(v) if isinstance(v, datetime) else v for k, v in given.items() if v is not None}


def said() -> ColumnElement[str]:
    """What an entry says, as its index has it."""
    return func.waypost_fold(cast(EventRow.data, Text))  # not as VARCHAR: that is another expression than the index's


def pattern(words: str) -> str:
    """Words for LIKE, with `!` as its escape, as they stand in JSON."""
    written = json.dumps(words, ensure_ascii=False)[1:-1]
    return f"%{_plain(written)}%"


def _plain(words: str) -> str:
    return words.replace("!", "!!").replace("%", "!%").replace("_", "!_")


async def narrowed(session: AsyncSession, actor: Actor, sought: Sought) -> list[ColumnElement[bool]]:
    """The conditions; with words or a request's number, two small look-ups before."""
    where: list[ColumnElement[bool]] = []
    for column, value in (
        (EventRow.actor_id, sought.actor_id),
        (EventRow.type, sought.action),
        (EventRow.channel, sought.channel),
        (EventRow.object_type, sought.object_type),
        (EventRow.object_id, sought.object_id),
    ):
        if value is not None:
            where.append(column == value)
    if sought.family is not None:
        where.append(EventRow.type.startswith(f"{sought.family}.", autoescape=True))
    if sought.since is not None:
        where.append(EventRow.at >= sought.since)
    if sought.until is not None:
        where.append(EventRow.at <= sought.until)
    if sought.address:
        begins = f'%address": "{_plain(sought.address)}%'
        where.append(said().like(func.waypost_fold(begins), escape="!"))
    if sought.ticket:
        ids = await _tickets_called(session, actor, sought.ticket)
        where.append(and_(EventRow.object_type.in_(("ticket", "evidence")), _is_one_of(EventRow.object_id, ids)))
    if sought.q:
        where.append(await _has_words(session, actor, sought.q))
    return where


def _is_one_of(column: Any, ids: list[int]) -> ColumnElement[bool]:
    is_one: ColumnElement[bool] = column == any_(bindparam(None, ids, type_=ARRAY(BigInteger), unique=True))
    return is_one


async def _has_words(session: AsyncSession, actor: Actor, words: str) -> ColumnElement[bool]:
    like = f"%{_plain(words)}%"
    people = await session.scalars(
        select(User.id)
        .where(
            func.lower(User.first_name + " " + User.last_name + " " + User.username + " " + User.email).like(
                like.lower(), escape="!"
            )
        )
        .limit(MOST_NAMED)
    )
    either: list[ColumnElement[bool]] = [said().like(func.waypost_fold(pattern(words)), escape="!")]
    if ids := list(people):
        either.append(_is_one_of(EventRow.actor_id, ids))
        either.append(and_(EventRow.object_type == "user", _is_one_of(EventRow.object_id, ids)))
    folded = func.waypost_fold(like)
    titled = or_(
        func.waypost_fold(cast(Ticket.title, String)).like(folded, escape="!"),
        func.waypost_fold(cast(Ticket.ticket_number, String)).like(folded, escape="!"),
    )
    tickets = await session.scalars(select(Ticket.id).where(titled, visible_to(actor)).limit(MOST_NAMED))
    if ids := list(tickets):
        either.append(and_(EventRow.object_type == "ticket", _is_one_of(EventRow.object_id, ids)))
    return or_(*either)


async def _tickets_called(session: AsyncSession, actor: Actor, called: str) -> list[int]:
    """The request of this number or id. None that one may not see: a number alone says nothing."""
    number = called.strip().upper()
    is_id = number.isascii() and number.isdigit() and len(number) <= 18
    same = Ticket.id == int(number) if is_id else Ticket.ticket_number == number
    return list(await session.scalars(select(Ticket.id).where(same, visible_to(actor)).limit(1)))


def newest_first(where: list[ColumnElement[bool]], before: int | None, limit: int) -> Select[EventRow]:
    """So many rows, behind the one the last page ended with."""
    statement = select(EventRow).where(*where).order_by(EventRow.id.desc()).limit(limit)
    return statement if before is None else statement.where(EventRow.id < before)
