"""Finding tickets by words: the best of the newest first, within what the reader may see.

The index narrows by the words and by marks at once; what it finds is looked at ticket by ticket, by the policy every list
goes by. A common word stands in half of all tickets, so it is looked for among the newest first, in windows that grow until
enough is found, or a page is full and the window was slow; a rare one is looked for among all at once. Within a window the
order is by rank, and between windows by age. A cursor keeps window and moment.

For a beginning of words the index puts together all that begin so, in whatever tickets: of the newest few tickets, and of a
reader's own where these are few, the texts are read instead.

What costs most are tickets that lie in places of their own, so a word of a thousand tickets is not looked up among all, and a
phrase, of which the index finds more than fits, is looked for no further than a page needs.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Float,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    cast,
    false,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission, Scope
from waypost.approvals.queries import subjects_seen_by
from waypost.approvals.standing import subjects_as_deputy
from waypost.kernel.conditions.sql import compiled_shape, lifted
from waypost.kernel.conditions.tree import ALWAYS, Condition
from waypost.kernel.db import in_time
from waypost.search.index_models import SearchDocument
from waypost.search.indexing import (
    A_BLOCK,
    ASSIGNEE,
    BLOCK,
    DEPARTMENT,
    HAS_FILES,
    REQUESTER,
    TEAM,
    mark,
)
from waypost.search.vectors import quoted
from waypost.tickets import policy
from waypost.tickets.fields import column as column_of
from waypost.tickets.models import PAIRS, Ticket
from waypost.tickets.working_models import TicketWatcher

WINDOWS = (32, 256, 2048)  # blocks of tickets made side by side, from the newest; then all the others
ENOUGH = 100  # tickets that make a window worth ranking
RARE = 200  # tickets in all that are looked up at once: each lies in a place of its own
SLOW = 0.05  # seconds a window may take for the next one, eight times as large, to be worth it
QUICK = 0.02  # the same where it has a page full already
MOST_HITS = 5000  # of a window that are ranked
MOST_BY_HAND = 3000  # tickets one was asked about, stands in for, or was let in to
A_SEARCH = 1.2  # seconds all windows may take together; then what was found is told as a part
_ALL = ("all", "all_open")
_PLACES = ("team_", "departments")
_WIDE = (*_PLACES, "reports")
_BY_HAND = ("asked", "deputy", "invited")
_WEIGHTS = (
    "'{0.05,0.2,0.4,1.0}'::float4[]"  # of files and comments, of the description, of people and tags, of the title
)
_BEGINS = re.compile(r":\*")
_LOOKED_AT = re.compile(r"<->|:\*?[A-D]")
_PAIRS: ColumnElement[Any] = literal_column(PAIRS, ARRAY(Text))


@dataclass(frozen=True, slots=True)
class Reach:
    """How a reader sees tickets, so far as the statement's shape depends on it."""

    ways: tuple[str, ...]
    by_marks: bool
    by_hand: bool
    inner: str  # "none", "teams" or "all": whose internal words they read


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: the window (`floor` to `ceiling`, ids), the moment, and the last one shown (score, id)."""

    at: datetime
    floor: int
    ceiling: int
    last: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Hits:
    """Ids with their scores, best first; `found` says how many the window holds, `is_part` that time ran out."""

    rows: tuple[tuple[int, int], ...]
    place: Place
    found: int
    more_windows: bool
    is_part: bool
    kinds: tuple[tuple[str, str, int], ...] = ()


Step = tuple[int, bool]  # a window to try: from where down, and whether its blocks are named


def reach_of(actor: Actor) -> Reach:
    """How this person sees tickets."""
    ways = policy.ways(actor)
    by_marks = not any(w in _ALL for w in ways)
    scope = actor.scope(Permission.TICKETS_READ_INTERNAL)
    inner = "none" if scope is None or scope < Scope.TEAM else "all" if scope is Scope.ALL else "teams"
    return Reach(ways, by_marks, by_marks and any(w in _BY_HAND for w in ways), inner)


def is_wide(reach: Reach) -> bool:
    """Whether they may see so many tickets that a common word needs windows."""
    return not reach.by_marks or any(w.startswith(_WIDE) for w in reach.ways)


def leads_only(reach: Reach) -> bool:
    """Whether what they may see beside their own is their people's alone: a few requests, or very many."""
    return reach.by_marks and not any(w.startswith(_PLACES) for w in reach.ways)


def marks_of(actor: Actor, reach: Reach) -> list[int]:
    """The marks of the tickets they may see; a ticket without one of these is found by hand, or not theirs."""
    found = {mark(REQUESTER, actor.user_id), mark(ASSIGNEE, actor.user_id)}
    for way in reach.ways:
        if way.startswith("team_"):
            found |= {mark(TEAM, i) for i in actor.team_ids}
        elif way.startswith("reports"):
            found |= {mark(REQUESTER, i) for i in actor.report_ids}
        elif way.startswith("departments"):
            found |= {mark(DEPARTMENT, i) for i in actor.department_ids}
    return sorted(found)


def has_files(*, with_some: bool) -> ColumnElement[bool]:
    """Whether a ticket has files this audience sees."""
    some: ColumnElement[bool] = SearchDocument.marks.bool_op("@>")(literal_column(f"'{{{HAS_FILES}}}'::bigint[]"))
    return some if with_some else not_(some)


def _in_teams() -> ColumnElement[bool]:
    return Ticket.team_id == any_(bindparam("inner_teams", type_=ARRAY(BigInteger)))


def values_of(actor: Actor, reach: Reach) -> dict[str, Any]:
    """What the parameters of the statement and of the policy are for this person."""
    values = policy.values(actor)
    if reach.inner == "teams":
        values["inner_teams"] = sorted(actor.team_ids)
    if reach.by_marks:
        values["marks"] = marks_of(actor, reach)
    return values


@dataclass(frozen=True, slots=True)
class _Shape:
    reach: Reach
    condition: Condition
    files: str  # "", "with", "without"
    windowed: bool
    follows: bool
    has_words: bool = True
    reads: str = ""  # whose texts are read, rather than looked up: the "newest", or "theirs"


@lru_cache(maxsize=300)
def _statement(shape: _Shape) -> Select[*tuple[Any, ...]]:
    """The best hits of a window; bound to values."""
    words = cast(bindparam("query", type_=Text), TSQUERY)
    floor, ceiling = bindparam("floor", type_=BigInteger), bindparam("ceiling", type_=BigInteger)
    row = SearchDocument
    wanted: list[ColumnElement[bool]] = [row.ticket_id >= floor, row.ticket_id < ceiling]
    if shape.reads:
        wanted.append(func.ts_match_vq(row.words, words))  # what `@@` calls, and what no index knows
    elif shape.has_words:
        wanted.append(row.words.bool_op("@@")(words))
    if shape.windowed and not shape.reads:
        wanted.append(row.marks.bool_op("&&")(bindparam("blocks", type_=ARRAY(BigInteger))))
    if shape.files:
        wanted.append(has_files(with_some=shape.files == "with"))
    if shape.reach.inner == "none":
        wanted.append(not_(row.is_inner))
    columns = (row.ticket_id, row.is_inner, row.is_fullest)
    by_marks = list(wanted)
    if shape.reach.by_marks:
        marks = bindparam("marks", type_=ARRAY(BigInteger))
        by_marks.append(
            func.arrayoverlap(row.marks, marks) if shape.reads == "newest" else row.marks.bool_op("&&")(marks)
        )
    candidates = select(*columns).where(*by_marks)
    if shape.reach.by_hand:
        others = select(*columns).where(row.ticket_id == any_(by_hand(shape.reach, floor, ceiling)), *wanted)
        found = candidates.union_all(others).cte("candidates").prefix_with("MATERIALIZED")
    else:
        found = candidates.cte("candidates").prefix_with("MATERIALIZED")
    conditions: list[ColumnElement[bool]] = [or_(*(policy.condition(w, leads=False) for w in shape.reach.ways))]
    conditions.append(_reads(found, shape.reach))
    if shape.condition != ALWAYS:
        custom = Ticket.__table__.c.custom_fields
        conditions.append(compiled_shape(shape.condition, column_of, document=custom, pairs=_PAIRS))
    hits = (
        select(Ticket.id, Ticket.created_at, Ticket.status, Ticket.ticket_type, found.c.is_inner)
        .select_from(found.join(Ticket, Ticket.id == found.c.ticket_id))
        .where(*conditions)
        .distinct()
        .limit(MOST_HITS)
        .cte("hits")
        .prefix_with("MATERIALIZED")
    )
    ranked = _ranked(hits, words if shape.has_words else None)
    counted = select(func.count()).select_from(hits).scalar_subquery()
    page = select(ranked.c.id, ranked.c.score, counted.label("found"), _kinds(hits).label("kinds"))
    if shape.follows:
        last, last_id = bindparam("last", type_=BigInteger), bindparam("last_id", type_=BigInteger)
        page = page.where(or_(ranked.c.score < last, and_(ranked.c.score == last, ranked.c.id < last_id)))
    return page.order_by(ranked.c.score.desc(), ranked.c.id.desc()).limit(bindparam("rows", type_=BigInteger))


def _ranked(hits: Any, words: ColumnElement[Any] | None) -> Any:
    """How well each fits, and how new it is: a title counts more than a text, and this week more than last year."""
    at = bindparam("at", type_=DateTime(timezone=True))
    age = func.greatest(func.extract("epoch", at - hits.c.created_at), 0) / literal(86400.0, Float)
    fresh = 0.6 + 0.4 / (1 + age / literal(60.0, Float))
    rank = (
        literal_column("1.0") if words is None else func.ts_rank(literal_column(_WEIGHTS), SearchDocument.words, words)
    )
    score = cast(func.round(cast(rank * fresh * 1_000_000_000, Float)), BigInteger)
    one = and_(SearchDocument.ticket_id == hits.c.id, SearchDocument.is_inner == hits.c.is_inner)
    return select(hits.c.id, score.label("score")).select_from(hits.join(SearchDocument, one)).subquery("ranked")


def _kinds(hits: Any) -> ColumnElement[Any]:
    """How many of the hits are of each status and type, as JSON."""
    counts = select(hits.c.status, hits.c.ticket_type, func.count().label("n"))
    counts_by = counts.group_by(hits.c.status, hits.c.ticket_type).subquery("counts")
    one = func.jsonb_build_array(counts_by.c.status, counts_by.c.ticket_type, counts_by.c.n)
    return select(func.jsonb_agg(one)).select_from(counts_by).scalar_subquery()


def reads_inner(reach: Reach) -> ColumnElement[bool]:
    """Whether the team's own words on a ticket are theirs to read: `policy.may_see_internal`'s twin, over `values_of`."""
    if reach.inner == "none":
        return false()
    sent = Ticket.status != literal_column("'DRAFT'")
    return sent if reach.inner == "all" else and_(sent, func.coalesce(_in_teams(), false()))


def _reads(found: Any, reach: Reach) -> ColumnElement[bool]:
    """The one row of a ticket that holds all the words they may read, and no others."""
    if reach.inner == "none":
        return true()
    theirs = reads_inner(reach)
    return or_(and_(theirs, found.c.is_fullest), and_(not_(theirs), not_(found.c.is_inner)))


def by_hand(
    reach: Reach, floor: ColumnElement[int] | None = None, ceiling: ColumnElement[int] | None = None
) -> ColumnElement[Any]:
    """The tickets of which no mark tells: few for one person, read from where that stands: the newest of a window or of all."""
    me, right_now = bindparam("me", type_=BigInteger), bindparam("right_now", type_=DateTime(timezone=True))
    parts = []
    if "asked" in reach.ways:
        asked = subjects_seen_by("ticket", me)
        if floor is not None and ceiling is not None:
            asked = asked.where(asked.selected_columns[0] >= floor, asked.selected_columns[0] < ceiling)
        # in the index's order: one who approves may have been asked about very many
        parts.append(asked.order_by(asked.selected_columns[0].desc()).limit(MOST_BY_HAND))
    if "deputy" in reach.ways:
        parts.append(subjects_as_deputy("ticket", me, right_now))
    if "invited" in reach.ways:
        parts.append(select(TicketWatcher.ticket_id).where(TicketWatcher.user_id == me, TicketWatcher.gives_sight))
    every = parts[0].union(*parts[1:]) if len(parts) > 1 else parts[0]
    listed = every.subquery("by_hand")
    newest = select(listed.c[0]).order_by(listed.c[0].desc()).limit(MOST_BY_HAND)
    return func.array(newest.scalar_subquery(), type_=ARRAY(BigInteger))


@lru_cache(maxsize=20)
def _read_statement(reach: Reach) -> Select[*tuple[Any, ...]]:
    """Which of some words stand in a text this reader reads."""
    row = SearchDocument
    asked = func.unnest(bindparam("words", type_=ARRAY(Text))).table_valued("word").render_derived("asked")
    wanted = [row.words.bool_op("@@")(cast(asked.c.word, TSQUERY)), _reads(row.__table__, reach)]
    if reach.inner == "none":
        wanted.append(not_(row.is_inner))
    texts = (
        select(row.ticket_id)
        .join(Ticket, Ticket.id == row.ticket_id)
        .where(*wanted, or_(*(policy.condition(way, leads=False) for way in reach.ways)))
        .correlate(asked)
    )
    found = texts
    if reach.by_marks:
        found = texts.where(row.marks.bool_op("&&")(bindparam("marks", type_=ARRAY(BigInteger))))
    stands: ColumnElement[bool] = found.exists()
    if reach.by_hand:
        stands = or_(stands, texts.where(row.ticket_id == any_(by_hand(reach))).exists())
    return select(asked.c.word).where(stands)


async def words_read(session: AsyncSession, actor: Actor, words: Collection[str]) -> set[str]:
    """Those of these words that stand, as they are, in a text this person may read; none when that takes too long."""
    reach, asked = reach_of(actor), {quoted(word): word for word in words}
    if not asked:
        return set()
    bound = {"words": list(asked), **values_of(actor, reach)}
    rows = await in_time(session, session.scalars(_read_statement(reach), bound))
    return {asked[row] for row in rows or ()}


async def find(
    session: AsyncSession,
    actor: Actor,
    *,
    query: str,
    condition: Condition,
    files: str,
    place: Place,
    rows: int,
    is_first: bool,
    is_rare: bool = False,
) -> Hits:
    """The best `rows` hits from a place on. `session` has a transaction with a time limit of its own.

    `is_rare`: the words are known to stand in few tickets, which are looked up among all at once.
    """
    reach = reach_of(actor)
    shape_of_condition, values = lifted(condition, by_document=True)
    values |= values_of(actor, reach) | {"query": query, "rows": rows, "at": place.at}
    until = time.monotonic() + A_SEARCH
    best: Hits | None = None
    (floor, windowed), *steps = _steps(place, is_first=is_first, is_wide=is_wide(reach) and not is_rare)
    while True:
        here = Place(place.at, floor, place.ceiling, place.last)
        reads = _reads_texts(query, reach, windowed=windowed)
        shape = _Shape(reach, shape_of_condition, files, windowed, place.last is not None, bool(query), reads)
        bound = values | {"floor": floor, "ceiling": place.ceiling}
        if windowed:
            bound["blocks"] = [mark(BLOCK, b) for b in range(floor // A_BLOCK, -(-place.ceiling // A_BLOCK))]
        if place.last is not None:
            bound["last"], bound["last_id"] = place.last
        began = time.monotonic()
        rows_found = await in_time(session, session.execute(_statement(shape), bound))
        if rows_found is None:
            return best or Hits((), here, 0, False, True)
        found = rows_found.all()
        count = found[0].found if found else 0
        ids = tuple((r.id, r.score) for r in found)
        kinds = tuple((k[0], k[1], k[2]) for k in (found[0].kinds or ())) if found else ()
        best = Hits(ids, here, count, floor > 0, False, kinds)
        took = time.monotonic() - began
        is_slow = took > SLOW
        will_do = (took > QUICK and count >= rows) or (is_slow and 2 * count > rows)
        if count >= ENOUGH or not steps or not is_first or will_do:
            return best
        if time.monotonic() > until:
            return Hits(best.rows, here, count, floor > 0, True, kinds)
        if _is_rare(query, count, floor, place.ceiling):
            steps = steps[-1:]
        elif is_slow or _LOOKED_AT.search(query):
            steps = _no_further(steps, here, count, rows)
        (floor, windowed), *steps = steps


def _no_further(steps: list[Step], tried: Place, count: int, rows: int) -> list[Step]:
    """The windows after one that costs much: first one as large as, by what that one held, a page needs."""
    wanted = rows if count < rows else ENOUGH
    floor = tried.ceiling - (tried.ceiling - tried.floor) * (1 + max(wanted // max(count, 1), 1))
    return [(floor, False), *steps] if floor > steps[0][0] else steps


def _reads_texts(query: str, reach: Reach, *, windowed: bool) -> str:
    """Whose texts are read for this query; none where the index is asked."""
    if _BEGINS.search(query) is None:
        return ""
    if windowed:
        return "newest"
    return "" if is_wide(reach) else "theirs"


def _is_rare(query: str, count: int, floor: int, ceiling: int) -> bool:
    """Whether there are so few of it, by a window, that looking among all costs less than growing windows.

    A window without any says little, unless it is large. Of a phrase, or words of one part of the text, the index finds more than
    fits, and each of these is looked at.
    """
    unseen = 0 if _BEGINS.search(query) else 1  # what begins so is put together by the index once, not twice
    return (count or unseen) * ceiling <= RARE * max(ceiling - floor, 1) and _LOOKED_AT.search(query) is None


def _steps(place: Place, *, is_first: bool, is_wide: bool) -> list[Step]:
    """The windows to try, each from where down: (floor, whether its blocks are named). They all end at the ceiling."""
    if not is_first:
        blocks = -(-place.ceiling // A_BLOCK) - place.floor // A_BLOCK
        return [(place.floor, 0 < blocks <= WINDOWS[0])]
    if not is_wide:
        return [(0, False)]
    top = -(-place.ceiling // A_BLOCK)
    # the index looks at every block for every ticket it finds: only few blocks are worth naming, more are a range of ids
    floors = [(max(top - blocks, 0) * A_BLOCK, blocks == WINDOWS[0]) for blocks in WINDOWS]
    return [*[f for f in floors if f[0] > 0], (0, False)]
