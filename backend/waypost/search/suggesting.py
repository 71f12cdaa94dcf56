"""What one may mean while one still types, and what was asked for before in other words. Only what the reader may see."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.kernel.clock import now
from waypost.kernel.conditions.tree import ALWAYS, Condition
from waypost.search import policy
from waypost.search.asking import FIELDS, Asked, Term, Words, read
from waypost.search.compiling import Sought, Width, plain_words, sought
from waypost.search.finding import Place, find
from waypost.search.highlighting import marked, spans
from waypost.search.models import SavedView
from waypost.search.people import people_found
from waypost.search.searching import top_of
from waypost.search.stemming import stemmer
from waypost.search.understanding import understand, written_number
from waypost.search.words import fold
from waypost.tickets.lifecycle import Priority, Status
from waypost.tickets.listing import tickets_by_id
from waypost.tickets.models import Ticket

MOST_TICKETS, MOST_PEOPLE, MOST_VIEWS, MOST_WORDS = 6, 5, 4, 8
SHORTEST_FIELD = 2
VALUES: dict[str, tuple[str, ...]] = {
    "status": ("open", "done", *(s.value.lower() for s in Status)),
    "priority": tuple(p.value.lower() for p in Priority),
    "is": ("open", "done", "mine", "unassigned", "late", "urgent", "draft", "closed"),
    "has": ("attachment",),
    "in": ("title", "description", "comments", "files", "people", "tags"),
    "requester": ("me",),
    "assignee": ("me", "none"),
    "team": ("mine",),
    "department": ("mine",),
    "created": ("today", "<7d", ">30d"),
    "updated": ("today", "<7d", ">30d"),
    "due": ("today", "<7d", "none"),
}


async def suggestions(session: AsyncSession, actor: Actor, q: str) -> dict[str, Any]:
    """Tickets, people, views, and how a word may go on. About six statements, each of them bounded."""
    asked = read(q)
    return {
        "tickets": await _tickets(session, actor, q, _going_on(asked, q)),
        "people": (await people_found(session, actor, q, most=MOST_PEOPLE))[0],
        "views": await _views(session, actor, q),
        "words": words_for(q),
    }


def _going_on(asked: Asked, q: str) -> Asked:
    """The last word may be half a word still."""
    if not asked.groups or q[-1:].isspace():
        return asked
    *before, last = asked.groups
    ended = last[-1]
    if not isinstance(ended.what, Words) or len(ended.what.chunks) != 1 or ended.is_without:
        return asked
    begun = Term(replace(ended.what, begins=len(ended.what.chunks[0]) > 1), ended.text)
    return Asked((*before, (*last[:-1], begun)), asked.notes)


async def _tickets(session: AsyncSession, actor: Actor, q: str, asked: Asked) -> list[dict[str, Any]]:
    meant = await understand(session, actor, asked)
    if not meant.asked.has_words:
        return []
    stems, small = await stemmer.of_all(session, plain_words(meant.asked))
    words = sought(meant.asked, stems, small)
    best = await _best(session, actor, words, meant.condition, meant.files, MOST_TICKETS)
    # a number is looked up where it stands: the index follows a moment later, and somebody may have it from a mail
    numbered = await session.scalars(select(Ticket.id).where(Ticket.ticket_number == written_number(q)))
    ids = list(dict.fromkeys([*numbered, *best]))[:MOST_TICKETS]
    found = await tickets_by_id(session, actor, ids)
    return [_named(found[i], words) for i in ids if i in found]


async def _best(
    session: AsyncSession, actor: Actor, words: Sought, condition: Condition, files: str, most: int
) -> list[int]:
    place = Place(now(), 0, await top_of(session) + 1)
    hits = await find(
        session, actor, query=words.query, condition=condition, files=files, place=place, rows=most, is_first=True
    )
    return [i for i, _ in hits.rows]


def _named(ticket: dict[str, Any], words: Sought) -> dict[str, Any]:
    return {
        "id": ticket["id"],
        "ticket_number": ticket["ticket_number"],
        "title": ticket["title"],
        "title_highlight": marked(ticket["title"], spans(ticket["title"], words)),
        "status": ticket["status"],
        "ticket_type": ticket["ticket_type"],
    }


async def _views(session: AsyncSession, actor: Actor, q: str) -> list[dict[str, Any]]:
    words = q.strip().lower().replace("\x00", "")
    if not words or len(words) > 100:
        return []
    like = "%" + words.replace("!", "!!").replace("%", "!%").replace("_", "!_") + "%"
    rows = await session.execute(
        select(SavedView.id, SavedView.name)
        .where(policy.visible_to(actor), func.lower(SavedView.name).like(like, escape="!"))
        .order_by(SavedView.name, SavedView.id)
        .limit(MOST_VIEWS)
    )
    return [{"id": r.id, "name": r.name} for r in rows]


def words_for(q: str) -> list[str]:
    """How the last word may go on: names of fields, and behind a colon their values. What was written before stays."""
    if not q or q[-1].isspace() or q.count('"') % 2:
        return []
    before, _, last = q.rpartition(" ")
    sign = last[:1] if last[:1] in "-+" else ""
    name, colon, begun = last.removeprefix(sign).partition(":")
    head = f"{before} " if before else ""
    if colon:
        fitting = [v for v in VALUES.get(fold(name), ()) if v.startswith(fold(begun)) and v != fold(begun)]
        return [f"{head}{sign}{name}:{v}" for v in fitting][:MOST_WORDS]
    if len(name) < SHORTEST_FIELD:
        return []
    return [f"{head}{sign}{f}:" for f in sorted(FIELDS) if f.startswith(fold(name))][:MOST_WORDS]


# --- what was asked for before ----------------------------------------------------------------------------------------

MOST_SIMILAR = 5
LOOKED_AT = 40
ENOUGH_ALIKE = 0.5
FEWEST_WORDS = 2


async def similar(session: AsyncSession, actor: Actor, title: str, ticket_type: str | None) -> list[dict[str, Any]]:
    """Requests this person may see whose titles have much in common with this one; of the same type first."""
    terms = [t for t in read(title).terms if isinstance(t.what, Words)]
    chunks = dict.fromkeys(c for t in terms if isinstance(t.what, Words) for c in t.what.chunks)
    plain = [Term(Words((c,)), c) for c in chunks]
    everything = Asked(tuple((t,) for t in plain))
    stems, small = await stemmer.of_all(session, plain_words(everything))
    mattering = [t for t in plain if fold(t.text) not in small]
    if len(mattering) < FEWEST_WORDS:
        return []
    words = sought(Asked((tuple(mattering),)), stems, small, Width.EXACT)
    ids = await _best(session, actor, words, ALWAYS, "", LOOKED_AT)
    found = await tickets_by_id(session, actor, ids)
    scored = []
    for n, i in enumerate(i for i in ids if i in found):
        ticket = found[i]
        alike = _in_common(ticket["title"], mattering, stems) / len(mattering)
        if alike >= ENOUGH_ALIKE and ticket["status"] != Status.DRAFT.value:
            scored.append((-alike, ticket["ticket_type"] != ticket_type, n, ticket))
    return [_named(t, words) for *_, t in sorted(scored, key=lambda one: one[:3])[:MOST_SIMILAR]]


def _in_common(title: str, terms: list[Term], stems: Any) -> int:
    """How many of these words stand in a title, however they are bent."""
    n = 0
    for term in terms:
        one = sought(Asked(((term,),)), stems)
        n += bool(spans(title, one))
    return n
