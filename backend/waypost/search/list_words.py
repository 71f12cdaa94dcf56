"""The text above a list of tickets, read as a search is: the same words, fields and index. Each word may go on.

It looks at what everybody on a ticket reads; what the team says among itself is found by the search alone.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, cast, not_, select
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.search.asking import read
from waypost.search.compiling import Width, plain_words, sought
from waypost.search.few import few
from waypost.search.finding import has_files
from waypost.search.index_models import SearchDocument
from waypost.search.stemming import stemmer
from waypost.search.understanding import understand
from waypost.tickets.models import Ticket
from waypost.tickets.wording import Wording


async def read_words(session: AsyncSession, actor: Actor, q: str) -> Wording:
    """What was written, understood; and where the index has few tickets for it, which they are."""
    meant = await understand(session, actor, read(q))
    stems, small = await stemmer.of_all(session, plain_words(meant.asked))
    words = sought(meant.asked, stems, small, Width.OPEN)
    ids = await few(session, actor, words.query, meant.files) if words.query else None
    return Wording(words.query, meant.files, meant.condition, ids)


def matching(how: str, query: ColumnElement[str] | None) -> ColumnElement[bool]:
    """The tickets whose public words fit, by the index."""
    wanted = [not_(SearchDocument.is_inner)]
    if query is not None:
        wanted.append(SearchDocument.words.bool_op("@@")(cast(query, TSQUERY)))
    if how:
        wanted.append(has_files(with_some=how == "with"))
    return Ticket.id.in_(select(SearchDocument.ticket_id).where(*wanted))
