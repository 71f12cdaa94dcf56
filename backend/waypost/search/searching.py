"""`GET /search`: read what was written, find, and show. Any text gives an answer; time that runs out gives a part of one.

Words are looked for as they stand and by their stems. Where that finds little they stand for everything that begins with
them; where nothing is found, for words they may have been meant as. Which it was is told, and kept by the cursor.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.kernel.clock import now
from waypost.kernel.conditions.tree import ALWAYS
from waypost.kernel.db import Database
from waypost.kernel.paging import BadCursor, decode_cursor, encode_cursor
from waypost.kernel.turns import Turns
from waypost.search import asking
from waypost.search.compiling import Sought, Width, plain_words, sought
from waypost.search.correcting import corrected, said
from waypost.search.errors import SearchBusy
from waypost.search.finding import Hits, Place, find
from waypost.search.showing import Texts, shown, texts_of
from waypost.search.stemming import stemmer
from waypost.search.understanding import Understood, understand
from waypost.tickets.listing import Filters, ticket_list, tickets_by_id
from waypost.tickets.reading_log import note_reads

TIMEOUT = 1500  # milliseconds a statement may take
FEW = 5  # hits that are worth to look further
CURSOR = "search"
LISTED = "listed"
turns = Turns(share=0.5, patience=3, refusal=SearchBusy)
_TOP = text("SELECT coalesce(max(ticket_id), 0) FROM search_documents")


@asynccontextmanager
async def limited(database: Database) -> AsyncIterator[AsyncSession]:
    """A session for looking only, none of whose statements takes longer than `TIMEOUT`. Raises `SearchBusy`."""
    async with turns.one(), database.limited_read(TIMEOUT, by_index=True) as session:
        yield session


async def top_of(session: AsyncSession) -> int:
    """The newest ticket there is in the index."""
    return await session.scalar(_TOP) or 0


async def search(session: AsyncSession, actor: Actor, q: str, *, cursor: str | None, limit: int) -> dict[str, Any]:
    """A page of what was asked for, ready for JSON. Raises `BadCursor`."""
    asked = asking.read(q)
    meant = await understand(session, actor, asked)
    if not meant.asked.has_words and not meant.files:
        return await _listed(session, actor, meant, cursor=cursor, limit=limit)
    place, width, fixed = await _place(session, cursor)
    if fixed:
        meant.asked = await corrected(session, actor, meant.asked) or meant.asked
    hits, words = await _find(session, actor, meant, place, limit, width)
    correction = None
    if cursor is None and not hits.is_part and hits.found < FEW and words.query:
        if width is Width.EXACT:
            wider, words_then = await _find(session, actor, meant, place, limit, Width.OPEN)
            if wider.found > hits.found:
                hits, words, width = wider, words_then, Width.OPEN
        better = await corrected(session, actor, meant.asked) if hits.found < FEW else None
        if better is not None:
            tried = replace(meant, asked=better)
            others, words_then = await _find(session, actor, tried, place, limit, Width.EXACT)
            if others.found > hits.found:
                correction = said(better, [c.text for c in meant.chips])
                if not hits.found:
                    hits, words, width, fixed, meant = others, words_then, Width.EXACT, True, tried
    page = hits.rows[:limit]
    items = await _shown(session, actor, [i for i, _ in page], words)
    following = _following(hits, limit, width, fixed=fixed)
    return _answer(meant, items, following, hits, correction=correction, fixed=fixed, width=width)


async def _find(
    session: AsyncSession, actor: Actor, meant: Understood, place: tuple[Place, bool], limit: int, width: Width
) -> tuple[Hits, Sought]:
    stems, small = await stemmer.of_all(session, plain_words(meant.asked))
    words = sought(meant.asked, stems, small, width)
    hits = await find(
        session,
        actor,
        query=words.query,
        condition=meant.condition,
        files=meant.files,
        place=place[0],
        rows=limit + 1,
        is_first=place[1],
        is_rare=words.has_number,
    )
    return hits, words


async def _shown(session: AsyncSession, actor: Actor, ids: Sequence[int], words: Sought) -> list[dict[str, Any]]:
    tickets = await tickets_by_id(session, actor, ids)
    texts = await texts_of(session, actor, [i for i in ids if i in tickets])
    hits = [shown(tickets[i], texts.get(i, Texts()), words) for i in ids if i in tickets]
    await note_reads(actor, [h["ticket"]["id"] for h in hits if h["snippet"] and h["ticket"]["is_confidential"]])
    return hits


async def _listed(
    session: AsyncSession, actor: Actor, meant: Understood, *, cursor: str | None, limit: int
) -> dict[str, Any]:
    """Nothing but filters: the newest they leave. Nothing at all: nothing."""
    if meant.condition == ALWAYS:
        if cursor is not None:
            raise BadCursor
        return _answer(meant, [], None, None, correction=None, fixed=False, width=Width.EXACT)
    (inner,) = decode_cursor(cursor, LISTED, str) if cursor else (None,)
    filters = Filters(condition=meant.condition)
    page = await ticket_list(session, actor, filters, sort="-created_at", cursor=inner, limit=limit)
    items = [shown(ticket, Texts(), Sought("", (), (), ())) for ticket in page["items"]]
    following = encode_cursor(LISTED, page["next_cursor"]) if page["next_cursor"] else None
    return _answer(meant, items, following, None, correction=None, fixed=False, width=Width.EXACT)


# --- cursors ----------------------------------------------------------------------------------------------------------


async def _place(session: AsyncSession, cursor: str | None) -> tuple[tuple[Place, bool], Width, bool]:
    """Where the page begins, and how words are taken there. Raises `BadCursor`."""
    if cursor is None:
        return (Place(now(), 0, await top_of(session) + 1), True), Width.EXACT, False
    at, floor, ceiling, score, last_id, how = decode_cursor(cursor, CURSOR, datetime, int, int, int, int, str)
    if how not in ("exact", "open", "fixed") or not 0 <= floor <= ceiling:
        raise BadCursor
    width = Width.OPEN if how == "open" else Width.EXACT
    if score < 0:
        return (Place(at, 0, ceiling), True), width, how == "fixed"
    return (Place(at, floor, ceiling, (score, last_id)), False), width, how == "fixed"


def _following(hits: Hits, limit: int, width: Width, *, fixed: bool) -> str | None:
    how = "fixed" if fixed else width.value
    at, floor, ceiling = hits.place.at, hits.place.floor, hits.place.ceiling
    if len(hits.rows) > limit:
        last_id, score = hits.rows[limit - 1]
        return encode_cursor(CURSOR, at, floor, ceiling, score, last_id, how)
    if hits.more_windows and not hits.is_part:
        return encode_cursor(CURSOR, at, 0, floor, -1, 0, how)
    return None


# --- the answer -------------------------------------------------------------------------------------------------------


def _answer(
    meant: Understood,
    items: list[dict[str, Any]],
    following: str | None,
    hits: Hits | None,
    *,
    correction: str | None,
    fixed: bool,
    width: Width,
) -> dict[str, Any]:
    return {
        "items": items,
        "next_cursor": following,
        "found": None if hits is None else hits.found,
        "found_more": hits is not None and (hits.more_windows or hits.is_part),
        "is_partial": hits is not None and hits.is_part,
        "widened": width is Width.OPEN,
        "did_you_mean": correction,
        "is_corrected": fixed,
        "filters": [
            {"field": c.field, "value": c.value, "text": c.text, "is_without": c.is_without} for c in meant.chips
        ],
        "notes": [{"code": n.code, "text": n.text} for n in meant.notes],
        "facets": _facets(hits),
    }


def _facets(hits: Hits | None) -> dict[str, list[dict[str, Any]]]:
    """How many of what was found are of each status and type, most first."""
    counted: dict[str, dict[str, int]] = {"status": {}, "ticket_type": {}}
    for status, kind, n in hits.kinds if hits else ():
        counted["status"][status] = counted["status"].get(status, 0) + n
        counted["ticket_type"][kind] = counted["ticket_type"].get(kind, 0) + n
    return {
        name: [{"value": v, "count": n} for v, n in sorted(of.items(), key=lambda one: (-one[1], one[0]))[:20]]
        for name, of in counted.items()
    }
