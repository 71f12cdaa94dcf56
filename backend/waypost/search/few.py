"""The tickets words are found in, where these are few: a list then looks at them, and not for the words in whatever it comes to.

A list has an order of its own, so it can't stop at the best. A word that stands in many tickets is met soon on the way through
them; one that stands in few is not, and PostgreSQL can't tell which it is before it looks. So the index is asked first.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Select, Text, any_, bindparam, cast, func, not_, select
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.search.finding import Reach, by_hand, has_files, is_wide, leads_only, reach_of, values_of
from waypost.search.index_models import SearchDocument
from waypost.tickets.seeing_much import sees_much

FEW = 5_000
NEWEST = 1_000  # tickets that are looked at to see how often something stands in them
OFTEN = 50  # of these: a list meets such words soon, wherever it looks
_query = cast(bindparam("query", type_=Text), TSQUERY)


async def few(session: AsyncSession, actor: Actor, query: str, files: str) -> tuple[int, ...] | None:
    """Every ticket whose public words fit, of those the index says this person may see; None when there are many.

    Who sees which of them is still the list's to say.
    """
    reach = reach_of(actor)
    values = {"query": query, "newest": NEWEST, "most": FEW + 1}
    has_much = is_wide(reach) and (not leads_only(reach) or await sees_much(session, actor))
    if has_much and (await session.scalar(_OFTEN, values) or 0) >= OFTEN:
        return None
    ids = (await session.scalars(_statement(reach, files, has_much), values_of(actor, reach) | values)).all()
    return None if len(ids) > FEW else tuple(ids)


def _how_often() -> Select[int]:
    """In how many of the newest tickets the words are found; these are read, since a beginning of words costs the index much."""
    row = SearchDocument
    newest = (
        select(row.words)
        .where(not_(row.is_inner))
        .order_by(row.ticket_id.desc())
        .limit(bindparam("newest", type_=BigInteger))
        .cte("newest")
        .prefix_with("MATERIALIZED")
    )
    return select(func.count()).select_from(newest).where(newest.c.words.bool_op("@@")(_query))


_OFTEN = _how_often()


@lru_cache(maxsize=200)
def _statement(reach: Reach, files: str, has_much: bool) -> Select[int]:
    """The ids, as they come. What is to be looked up is said apart, lest PostgreSQL hopes to meet it on a walk.

    Of who sees little, their own tickets are read: fewer than the index has to put together for a frequent word.
    """
    row = SearchDocument
    wanted: list[Any] = [not_(row.is_inner)]
    if files:
        wanted.append(has_files(with_some=files == "with"))
    fits = row.words.bool_op("@@")(_query)
    by_marks = row.marks.bool_op("&&")(bindparam("marks", type_=ARRAY(BigInteger)))
    if not reach.by_marks:
        found: Any = select(row.ticket_id).where(fits, *wanted)
    elif has_much:
        found = select(row.ticket_id).where(fits, by_marks, *wanted)
    else:
        theirs = select(row.ticket_id, row.words).where(by_marks, *wanted).cte("theirs").prefix_with("MATERIALIZED")
        found = select(theirs.c.ticket_id).where(theirs.c.words.bool_op("@@")(_query))
    if reach.by_hand:
        found = found.union_all(select(row.ticket_id).where(row.ticket_id == any_(by_hand(reach)), fits, *wanted))
    there = found.cte("there").prefix_with("MATERIALIZED")
    return select(there.c.ticket_id).limit(bindparam("most", type_=BigInteger))
