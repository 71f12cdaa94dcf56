"""What somebody wrote into the box above a list: the room that searches says what it means (`wiring.py` brings it in)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.kernel.conditions.tree import ALWAYS, Condition


@dataclass(frozen=True, slots=True)
class Wording:
    """A text as it was understood: `query` for the index (empty: no words), `how` else the index narrows, a condition.

    `ids` are the tickets the index has for it, where these are few; None where they are many, or nobody looked.
    """

    query: str
    how: str = ""
    condition: Condition = ALWAYS
    ids: tuple[int, ...] | None = None

    @property
    def is_nothing(self) -> bool:
        """Whether there was nothing in it to look for."""
        return not self.query and not self.how and self.condition == ALWAYS


Reader = Callable[[AsyncSession, Actor, str], Awaitable[Wording]]
Matching = Callable[[str, ColumnElement[str] | None], ColumnElement[bool]]  # of `how`, and the query where there is one


class _Words:
    reader: Reader
    matching: Matching


_words = _Words()


def use_wording(reader: Reader, matching: Matching) -> None:
    """Say how such a text is read, and what it is as SQL over tickets."""
    _words.reader, _words.matching = reader, matching


async def read_wording(session: AsyncSession, actor: Actor, q: str | None) -> Wording | None:
    """What a list's text means for this reader; None when there is none."""
    return await _words.reader(session, actor, q) if q and q.strip() else None


def matching(how: str, query: ColumnElement[str] | None) -> ColumnElement[bool]:
    """The tickets such a text finds."""
    return _words.matching(how, query)
