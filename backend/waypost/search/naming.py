"""Whom a filter means: `assignee:` and `requester:` name a person, and what everybody's address has in common names nobody."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.directory.models import User
from waypost.kernel.shapes import nfc

MOST_MEANT = 50
MOST_WORDS = 5
_words_of = func.waypost_words_of_name  # lower case, without accents, a blank before each word (migration 0136)
_NAME = User.first_name + " " + User.last_name + " " + User.username


async def people_meant(session: AsyncSession, said: str) -> tuple[list[int], bool]:
    """The ids of those who are called so, at most `MOST_MEANT`, and whether there are more.

    Who has it as username, whole address, what stands before its @, or whole name, is meant alone. Else each word begins a word
    of the name or of the username, whatever its accents and capitals. At most two statements, each answered by indexes.
    """
    said = nfc(said)
    words = [word for word in said.split() if any(c.isalnum() for c in word)]
    if not words or len(words) > MOST_WORDS:
        return [], False
    return await _found(session, _is_called(said)) or await _found(session, _begins(words)) or ([], False)


async def _found(session: AsyncSession, fits: ColumnElement[bool]) -> tuple[list[int], bool] | None:
    in_order = User.id + 0  # by the key itself, PostgreSQL would walk along everybody to be spared the sorting
    ids = list(await session.scalars(select(User.id).where(fits).order_by(in_order).limit(MOST_MEANT + 1)))
    return (ids[:MOST_MEANT], len(ids) > MOST_MEANT) if ids else None


def _begins(words: list[str]) -> ColumnElement[bool]:
    said = [_words_of(word) for word in words]
    begin_so = (_words_of(_NAME).like(func.concat("%", word, "%")) for word in said)
    return and_(*begin_so, *(word != " " for word in said))  # of signs alone nothing may be left: nobody begins so


def _is_called(said: str) -> ColumnElement[bool]:
    word = said.strip().lower()
    named = _words_of(_NAME).like(
        func.concat(_words_of(said), " %")
    )  # what the index answers; the name as a whole is below
    whole = func.btrim(_words_of(User.first_name + " " + User.last_name)) == func.btrim(_words_of(said))
    ways = [func.lower(User.username) == word, and_(named, whole)]
    if "@" in word:
        ways.append(func.lower(User.email) == word)
    elif len(said.split()) == 1:
        ways.append(_has_local_part(word))
    return or_(*ways)


def _has_local_part(word: str) -> ColumnElement[bool]:
    """`ix_users_search` finds the addresses, of which what stands before the @ has to be all of the word."""
    indexed = func.lower(User.first_name + " " + User.last_name + " " + User.username + " " + User.email)
    like = "% " + word.replace("!", "!!").replace("%", "!%").replace("_", "!_") + "@%"
    return and_(indexed.like(like, escape="!"), func.split_part(func.lower(User.email), "@", 1) == word)
