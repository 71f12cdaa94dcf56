"""What a mistyped word may have meant: words that stand in tickets, as few slips away as possible. Pure but for two reads."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.search.asking import Asked, Term, Words
from waypost.search.finding import words_read
from waypost.search.words import fold, places

SHORTEST = 4
MOST = 30
MOST_TRIED = 5

_LIKE = text(
    "SELECT asked.w AS asked, near.word, near.documents FROM unnest(CAST(:words AS text[])) AS asked(w), LATERAL"
    " (SELECT word, documents FROM search_words WHERE word % asked.w AND word <> asked.w"
    " ORDER BY similarity(word, asked.w) DESC, documents DESC LIMIT :most) AS near"
)


def slips(given: str, meant: str, most: int) -> int:
    """How many letters were missed, added, changed or swapped with their neighbour; `most` + 1 when it is more."""
    if abs(len(given) - len(meant)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(meant) + 1))
    for i, a in enumerate(given, 1):
        last, row, older = row, [i], before
        for j, b in enumerate(meant, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == meant[j - 2] and given[i - 2] == b:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        before = last
        if min(row) > most:
            return most + 1
    return row[-1]


def allowed(word: str) -> int:
    """How many slips a word of this length may have."""
    return 1 if len(word) < 6 else 2


async def corrected(session: AsyncSession, actor: Actor, asked: Asked) -> Asked | None:
    """The same with mistyped words as they may have been meant; None when there is nothing like them. Two statements, or three.

    Words come from everybody's tickets: one is only told to who may read it in one of theirs. Each that is looked up costs what it
    is frequent, so the likeliest come first, and the others only where these can't be told.
    """
    words = [w for t in asked.terms if (w := _single(t))]
    if not words:
        return None
    near: dict[str, list[tuple[int, int, str]]] = {}
    for row in await session.execute(_LIKE, {"words": words, "most": MOST}):
        n = slips(row.asked, row.word, allowed(row.asked))
        if n <= allowed(row.asked):
            near.setdefault(row.asked, []).append((n, -row.documents, row.word))
    tried = {w: [word for *_, word in sorted(found)[:MOST_TRIED]] for w, found in near.items()}
    read = await words_read(session, actor, {some[0] for some in tried.values()})
    if others := {word for some in tried.values() if some[0] not in read for word in some[1:]}:
        read |= await words_read(session, actor, others)
    best = {w: next(word for word in some if word in read) for w, some in tried.items() if not read.isdisjoint(some)}
    if not best:
        return None
    return Asked(tuple(tuple(_with(t, best) for t in group) for group in asked.groups), asked.notes)


def _single(term: Term) -> str | None:
    if not isinstance(term.what, Words) or term.is_without or len(term.what.chunks) != 1:
        return None
    found = places(term.what.chunks[0])
    word = found[0][0] if len(found) == 1 else ""
    return word if len(word) >= SHORTEST and word.isalpha() else None


def _with(term: Term, best: dict[str, str]) -> Term:
    word = _single(term)
    if word is None or word not in best or not isinstance(term.what, Words):
        return term
    better = best[word]
    text_now = better if fold(term.text) == word else term.text.replace(term.what.chunks[0], better)
    return Term(Words((better,), term.what.begins, term.what.in_parts), text_now)


def said(asked: Asked, others: Sequence[str]) -> str:
    """What would have been written for it; `others` are the fields, as they were written."""
    return " ".join([*(" OR ".join(t.text for t in group) for group in asked.groups), *others])
