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
from waypost.search.finding import WINDOWS, Reach, by_hand, has_files, is_wide, reach_of, values_of
from waypost.search.index_models import SearchDocument
from waypost.search.indexing import A_BLOCK, BLOCK, mark

FEW = 5_000
_top = select(func.coalesce(func.max(SearchDocument.ticket_id), 0))


async def few(session: AsyncSession, actor: Actor, query: str, files: str) -> tuple[int, ...] | None:
    """Every ticket whose public words fit, of those the index says this person may see; None when there are more than `FEW`.

    Who sees which of them is still the list's to say.
    """
    reach = reach_of(actor)
    values = values_of(actor, reach) | {"query": query, "most": FEW + 1}
    if is_wide(reach):
        newest = (await session.scalar(_top) or 0) // A_BLOCK
        values["blocks"] = [mark(BLOCK, b) for b in range(max(0, newest - WINDOWS[-1]), newest + 1)]
        if len((await session.scalars(_statement(reach, files, True), values)).all()) > FEW:
            return None
    ids = (await session.scalars(_statement(reach, files, False), values)).all()
    return None if len(ids) > FEW else tuple(ids)


@lru_cache(maxsize=200)
def _statement(reach: Reach, files: str, of_newest: bool) -> Select[int]:
    """The ids, as they come. What is to be looked up is said apart, lest PostgreSQL hopes to meet it on a walk."""
    row = SearchDocument
    wanted: list[Any] = [row.words.bool_op("@@")(cast(bindparam("query", type_=Text), TSQUERY)), not_(row.is_inner)]
    if files:
        wanted.append(has_files(with_some=files == "with"))
    if of_newest:
        wanted.append(row.marks.bool_op("&&")(bindparam("blocks", type_=ARRAY(BigInteger))))
    by_marks = list(wanted)
    if reach.by_marks:
        by_marks.append(row.marks.bool_op("&&")(bindparam("marks", type_=ARRAY(BigInteger))))
    found: Any = select(row.ticket_id).where(*by_marks)
    if reach.by_hand:
        found = found.union_all(select(row.ticket_id).where(row.ticket_id == any_(by_hand(reach)), *wanted))
    there = found.cte("there").prefix_with("MATERIALIZED")
    return select(there.c.ticket_id).limit(bindparam("most", type_=BigInteger))
