"""Which rows of the log are looked for: what, who, when, about what, and words in what they say.

Words are found in the values of an entry, in the names of whoever did it or whom it is about, and in number and title of
the request it is about. All of it is answered by indexes: of the log those of its columns, and one over three letters
each of what an entry says (`ix_events_words`), which is why words have three letters at least.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    Text,
    and_,
    any_,
    bindparam,
    cast,
    func,
    literal_column,
    or_,
    select,
)
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
MOST_NAMED = 200  # people, and the newest requests, whose name or title has the words
_NUMBER = re.compile(r"[A-Za-z]{2,8}-[0-9]{4}-([0-9]{5,9})")  # a request's, whole


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

    @property
    def has_letters(self) -> bool:
        """Whether letters are looked for in what entries say."""
        return bool(self.q or self.address)

    def told(self) -> dict[str, Any]:
        """As the trail keeps what was asked."""
        given = {f.name: getattr(self, f.name) for f in fields(self)}
        return {k: rfc3339(v) if isinstance(v, datetime) else v for k, v in given.items() if v is not None}


@dataclass(frozen=True, slots=True)
class Named:
    """Entries of some people or requests: `column` is one of `ids`, and about what `about` says (None: about anything)."""

    column: Any
    ids: tuple[int, ...]
    about: str | None = None

    def holds(self) -> ColumnElement[bool]:
        """As a condition."""
        is_one = is_one_of(self.column, self.ids)
        return is_one if self.about is None else and_(EventRow.object_type == self.about, is_one)


@dataclass(frozen=True, slots=True)
class Letters:
    """What an entry says is LIKE `pattern` (folded), or it is one of those `named`.

    `rarest` is a part of the pattern that few entries have: the index is asked for it alone, which costs it a tenth.
    """

    pattern: str
    named: tuple[Named, ...] = ()
    rarest: str | None = None

    def fits(self) -> ColumnElement[bool]:
        """As a condition on what an entry says, for looking at entries one by one."""
        return _said_here(self.pattern).like(self.pattern, escape="!")

    def looked_up(self) -> ColumnElement[bool]:
        """The same for the index."""
        if self.rarest is None:
            return said().like(self.pattern, escape="!")
        return and_(said().like(self.rarest, escape="!"), self.fits())

    def holds(self) -> ColumnElement[bool]:
        """As a condition for looking at entries one by one."""
        return or_(self.fits(), *(named.holds() for named in self.named))


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What is looked for, as conditions: of the log's columns, and of letters in what its entries say."""

    plain: tuple[ColumnElement[bool], ...]
    letters: tuple[Letters, ...] = ()


def said() -> ColumnElement[str]:
    """What an entry says, as its index has it."""
    return func.waypost_fold(cast(EventRow.data, Text))  # not as VARCHAR: that is another expression than the index's


def _said_here(like: str) -> ColumnElement[str]:
    """What an entry says, in words no index knows: for entries that are looked at in any case, one after the other.

    Folding makes ASCII of ASCII alone, so ASCII letters are found in what is only lowered, for a quarter of the work.
    """
    if like.isascii():
        return func.lower(cast(EventRow.data, Text).collate("C"))
    return func.waypost_fold(cast(EventRow.data, Text) + literal_column("''"))


def pattern(words: str) -> str:
    """Words for LIKE, with `!` as its escape, as they stand in JSON."""
    written = json.dumps(words, ensure_ascii=False)[1:-1]
    return f"%{_plain(written)}%"


def _plain(words: str) -> str:
    return words.replace("!", "!!").replace("%", "!%").replace("_", "!_")


async def narrowed(session: AsyncSession, actor: Actor, sought: Sought) -> Narrowed:
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
    if sought.ticket:
        ids = await _tickets_called(session, actor, sought.ticket)
        where.append(and_(EventRow.object_type.in_(("ticket", "evidence")), is_one_of(EventRow.object_id, ids)))
    letters = []
    if sought.address:
        letters.append(Letters(await _folded(session, f'%address": "{_plain(sought.address)}%')))
    if sought.q:
        letters.append(await _words(session, actor, sought.q))
    return Narrowed(tuple(where), tuple(letters))


async def _folded(session: AsyncSession, like: str) -> str:
    return str(await session.scalar(select(func.waypost_fold(cast(like, Text)))))


def is_one_of(column: Any, ids: Sequence[int]) -> ColumnElement[bool]:
    """Whether a column is one of these, as one bound value."""
    is_one: ColumnElement[bool] = column == any_(bindparam(None, list(ids), type_=ARRAY(BigInteger), unique=True))
    return is_one


async def _words(session: AsyncSession, actor: Actor, words: str) -> Letters:
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
    named: list[Named] = []
    if ids := tuple(people):
        named.append(Named(EventRow.actor_id, ids))
        named.append(Named(EventRow.object_id, ids, "user"))
    number = _NUMBER.fullmatch(words.strip())
    if number is not None:
        called = Ticket.ticket_number == words.strip().upper()
    else:
        folded = func.waypost_fold(like)
        called = or_(
            func.waypost_fold(cast(Ticket.title, String)).like(folded, escape="!"),
            func.waypost_fold(cast(Ticket.ticket_number, String)).like(folded, escape="!"),
        )
    tickets = await session.scalars(
        select(Ticket.id).where(called, visible_to(actor)).order_by(Ticket.id.desc()).limit(MOST_NAMED)
    )
    if ids := tuple(tickets):
        named.append(Named(EventRow.object_id, ids, "ticket"))
    rarest = None if number is None else f"%{number.group(1)}%"
    return Letters(await _folded(session, pattern(words)), tuple(named), rarest)


async def _tickets_called(session: AsyncSession, actor: Actor, called: str) -> list[int]:
    """The request of this number or id. None that one may not see: a number alone says nothing."""
    number = called.strip().upper()
    is_id = number.isascii() and number.isdigit() and len(number) <= 18
    same = Ticket.id == int(number) if is_id else Ticket.ticket_number == number
    return list(await session.scalars(select(Ticket.id).where(same, visible_to(actor)).limit(1)))


def newest_first(where: Sequence[ColumnElement[bool]], before: int | None, limit: int) -> Select[EventRow]:
    """So many rows, behind the one the last page ended with."""
    statement = select(EventRow).where(*where).order_by(EventRow.id.desc()).limit(limit)
    return statement if before is None else statement.where(EventRow.id < before)
