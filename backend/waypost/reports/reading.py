"""Reading the sums under a reader's permissions: exactly the tickets `tickets.policy.visible_to` lets them see.

What somebody sees is mostly a *region* for which sums are kept: everything, their teams, or the departments they head.
What they see besides (their own, those they are asked about, confidential ones they have to do with) are few; these are
found by the policy's own ways, each by one index, and their cells are made on the spot and added. A ticket of the region is
left out there, so that none counts twice. Where they are many, the region is what the person has to do with (`readers`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Date,
    Select,
    Text,
    TextClause,
    and_,
    any_,
    bindparam,
    case,
    cast,
    column,
    func,
    or_,
    select,
    text,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import visitors

from waypost.access.actor import Actor
from waypost.access.permissions import Permission, Scope
from waypost.reports import readers
from waypost.reports.cells import BY_MONTH, WITH_MONTHS, cells_of, has_to_do_with
from waypost.reports.models import ReportFact
from waypost.tickets import policy
from waypost.tickets.sight import RULES, reads_confidential

BY_DAY = ("created", "completed")
BESIDE = "beside"  # how many are counted on the spot, some of them perhaps more than once
# the beginnings of the ways that a region covers; confidential ones of people and departments are beside one's own sums
_COVERED: dict[str, tuple[str, ...]] = {
    "T": ("team_",),
    "D": ("departments",),
    "P": ("own", "created", "assigned", "asked", "team_", "reports_open", "departments_open"),
}
_GUARDED = ("reports", "departments")


class Board(StrEnum):
    """Whose dashboard: what its numbers are narrowed to, within what its reader may see."""

    EVERYTHING = "EVERYTHING"  # all they may see
    OWN = "OWN"  # what they asked for
    TEAM = "TEAM"  # their teams' work


@dataclass(frozen=True, slots=True)
class Region:
    """The part of what somebody sees for which sums are kept: places of one kind, and which of their tickets."""

    place: str  # as in `ReportSum`; empty: none
    ids: tuple[int, ...] = ()
    shades: tuple[int, ...] = ()


NOWHERE = Region("")


def region_of(actor: Actor, board: Board) -> Region:
    """The region of this reader on this board."""
    scope = actor.scope(Permission.TICKETS_READ)
    if scope is None or board is Board.OWN:
        return NOWHERE
    if board is Board.EVERYTHING and scope is Scope.ALL:
        return Region("A", (0,), (0, 1, 2, 3) if reads_confidential(actor, Scope.ALL) else (0, 1))
    if scope >= Scope.TEAM and actor.team_ids:
        return Region("T", tuple(sorted(actor.team_ids)), (0, 2))
    if board is Board.EVERYTHING and scope >= Scope.DEPARTMENT and actor.department_ids:
        shades = (0, 2) if reads_confidential(actor, Scope.DEPARTMENT) else (0,)
        return Region("D", tuple(sorted(actor.department_ids)), shades)
    return NOWHERE


def _kind(region: Region) -> Region:
    """Statements differ by kind of region; its places are bound."""
    return Region(region.place, (), region.shades)


# --- the policy's conditions over facts -----------------------------------------------------------------------------

_FACTS = {c.name: c for c in ReportFact.__table__.c} | {"id": ReportFact.__table__.c.ticket_id}


def over_facts(condition: ColumnElement[bool], facts: Mapping[str, Any] | None = None) -> ColumnElement[bool]:
    """A condition of the policy on tickets, said of facts: the same columns of a narrower table, or of an alias of it."""
    return _over_facts(condition) if facts is None else _said_of(condition, dict(facts) | {"id": facts["ticket_id"]})


@lru_cache(maxsize=500)
def _over_facts(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return _said_of(condition, _FACTS)  # the policy's conditions are few, and the same each time


def _said_of(condition: ColumnElement[bool], columns: Mapping[str, Any]) -> ColumnElement[bool]:
    def fact(element: Any, **_: Any) -> Any:
        table = getattr(element, "table", None)
        if isinstance(element, ColumnElement) and table is not None and getattr(table, "name", "") == "tickets":
            return columns[str(element.key)]
        return None

    return visitors.replacement_traverse(condition, {}, fact)


def _guarded_ways(actor: Actor) -> tuple[str, ...]:
    """The ways to the confidential tickets of somebody who sees all others."""
    return tuple(
        way
        for rule in RULES[:-1]
        if (rule.needs is None or actor.may(rule.needs))
        and (not rule.is_guarded or reads_confidential(actor, rule.reach))
        for way in rule.ways(actor)
    )


def _ways_beside(actor: Actor, board: Board, region: Region) -> tuple[str, ...]:
    """The ways to what this reader sees beside the region."""
    if region.place == "A":
        return () if len(region.shades) == 4 else _guarded_ways(actor)
    ways = policy.ways(actor)
    if ways[0] in ("all", "all_open"):
        return ways
    if board is Board.OWN:
        return tuple(w for w in ways if w == "own")  # what one asked for, one sees
    if board is Board.TEAM:
        # sent ones of the teams are the region: what is left are drafts, which one sees as who wrote them
        return tuple(w for w in ways if w in ("own", "created"))
    return tuple(w for w in ways if not w.startswith(_COVERED.get(region.place, ())))


_NOT_THEIRS = text(
    "NOT " + has_to_do_with(":me", ":r_teams", ":r_reports", ":r_departments", f="report_facts")
).bindparams(
    bindparam("me", type_=BigInteger),
    *(bindparam(name, type_=ARRAY(BigInteger)) for name in ("r_teams", "r_reports", "r_departments")),
)


@lru_cache(maxsize=200)
def _few(ways: tuple[str, ...], board: Board, region: Region) -> CompoundSelect[int]:
    """The ids of the tickets found in these ways, without those of the region."""
    facts = ReportFact.__table__.c
    narrowed: list[ColumnElement[bool]] = []
    if board is Board.OWN:
        narrowed.append(facts.requester_id == bindparam("me", type_=BigInteger))
    elif board is Board.TEAM:
        narrowed.append(facts.team_id == any_(bindparam("my_teams", type_=ARRAY(BigInteger))))
    outside: list[ColumnElement[bool] | TextClause] = []
    if region.place == "A":
        outside.append(facts.is_confidential)
    elif region.place == "P":
        outside.append(_NOT_THEIRS)
    elif region.place:
        place = facts.team_id if region.place == "T" else facts.department_id
        inside = and_(place == any_(bindparam("places", type_=ARRAY(BigInteger))), facts.status != "DRAFT")
        if 2 not in region.shades:
            inside = and_(inside, ~facts.is_confidential)
        outside.append(or_(place.is_(None), ~inside))
    guarded = [facts.is_confidential] if region.place == "P" else []  # all others of these ways are in the sums
    return union_all(
        *(
            select(facts.ticket_id).where(
                over_facts(policy.condition(way)), *narrowed, *outside, *(guarded if way in _GUARDED else ())
            )
            for way in ways
        )
    )


def found_by(ways: tuple[str, ...]) -> CompoundSelect[int]:
    """The ids of all tickets found in these ways, some of them more than once."""
    return _few(ways, Board.EVERYTHING, NOWHERE)


async def beside(session: AsyncSession, actor: Actor, most: int) -> int:
    """How many requests this person sees beside their region, some perhaps counted more than once; `most` when there are more."""
    region = region_of(actor, Board.EVERYTHING)
    ways = tuple(w for w in _ways_beside(actor, Board.EVERYTHING, region) if w != "none")
    if region.place == "A" or not ways:
        return 0
    few = _few(ways, Board.EVERYTHING, _kind(region)).limit(most).subquery("few")
    values = policy.values(actor) | {"places": list(region.ids)}
    return await session.scalar(select(func.count()).select_from(few), values) or 0


_CELL = "what, day, word, more, bucket, n, total"
_WANTED = "unnest(CAST(:whats AS text[]), CAST(:sinces AS date[])) AS w (what, since)"
_KEPT = (
    "SELECT k.what, s.day, s.word, s.more, s.bucket, s.n, s.total FROM unnest(CAST(:kept AS text[]),"
    " CAST(:stored AS text[]), CAST(:firsts AS date[]), CAST(:lasts AS date[])) AS k (what, stored, first, last)"
    " JOIN report_sums s ON s.place = :place AND s.place_id = ANY(:places) AND s.what = k.stored"
    " AND s.day BETWEEN k.first AND k.last AND s.shade = ANY(:shades)"
)
_BESIDE = f"SELECT '{BESIDE}', NULL::date, '', '', 0, count(*), 0 FROM few"  # noqa: S608 - words of ours
_FEW = "(SELECT r.* FROM report_facts r WHERE r.ticket_id IN (SELECT few.ticket_id FROM few)) AS f"


def stretches(since: Mapping[str, date]) -> list[tuple[str, str, date, date]]:
    """From where the sums of each `what` are read: (what, as it is stored, first day, last day).

    Days until the end of the first month, then months, where there are some.
    """
    found = []
    for what, first in since.items():
        following = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
        if what not in WITH_MONTHS:
            found.append((what, what, first, date.max))
        elif first.day == 1:
            found.append((what, f"{what}{BY_MONTH}", first, date.max))
        else:
            found.append((what, what, first, following - timedelta(days=1)))
            found.append((what, f"{what}{BY_MONTH}", following, date.max))
    return found


@lru_cache(maxsize=200)
def _statement(whats: tuple[str, ...], ways: tuple[str, ...], board: Board, region: Region) -> Select[Any]:
    """Sums of the region and cells of the few beside it, added up."""
    parts = [_KEPT] if region.place else []
    if ways:
        made = cells_of(_FEW, place=region.place or "D", only=whats)
        parts.append(
            "SELECT c.what, c.day, c.word, c.more, c.bucket, c.n, c.total"  # noqa: S608 - words of ours
            f" FROM ({made}) AS c JOIN {_WANTED} ON c.what = w.what AND c.day >= w.since"
        )
        parts.append(_BESIDE)
    kinds = {"day": Date, "word": Text, "more": Text, "what": Text}
    cell = text(" UNION ALL ".join(parts)).columns(
        *(column(name, kinds.get(name, BigInteger)) for name in _CELL.split(", "))
    )
    c = cell.subquery("cell").c
    ages, weeks = (bindparam(name, type_=ARRAY(Date)) for name in ("ages", "weeks"))
    by_age = case(
        (c.what == "open", func.width_bucket(c.day, ages)),
        (c.what == "load", func.width_bucket(c.day, weeks)),
        else_=c.bucket,
    ).label("bucket")
    day = case((c.what.in_(BY_DAY), case((c.day >= bindparam("first", type_=Date), c.day))), else_=None).label("day")
    statement = select(
        c.what,
        day,
        c.word,
        c.more,
        by_age,
        cast(func.sum(c.n), BigInteger).label("n"),
        cast(func.sum(c.total), BigInteger).label("total"),
    ).group_by(c.what, day, c.word, c.more, by_age)
    return statement.add_cte(_few(ways, board, region).cte("few")) if ways else statement


@dataclass(frozen=True, slots=True)
class Cell:
    """A row of a reader's numbers. `bucket` is the class of age for what is open, and a duration's bucket elsewhere."""

    what: str
    day: date | None
    word: str
    more: str
    bucket: int
    n: int
    total: int


async def sums(
    session: AsyncSession,
    actor: Actor,
    board: Board,
    since: Mapping[str, date],
    *,
    first: date,
    ages: Sequence[date] = (),
    weeks: Sequence[date] = (),
) -> list[Cell]:
    """What a reader's tickets add up to: of each `what` from its day on (UTC), by day from `first` on.

    What is open is told by class of age: 0 is made before the first of `ages` (ascending), and so on; `weeks` the same for
    whose it is.
    """
    region = region_of(actor, board)
    found = None
    if board is Board.EVERYTHING and region.place != "A":
        found = await readers.standing(session, actor)
        if found.is_whole:
            region = Region("P", (actor.user_id,), (0, 1, 2, 3))
    ways = tuple(w for w in _ways_beside(actor, board, region) if w != "none")
    if not region.place and not ways:
        return []
    kept = stretches(since)
    values = (
        policy.values(actor)
        | readers.authority(actor)
        | {
            "kept": [k[0] for k in kept],
            "stored": [k[1] for k in kept],
            "firsts": [k[2] for k in kept],
            "lasts": [k[3] for k in kept],
            "my_teams": sorted(actor.team_ids),
            "place": region.place,
            "places": list(region.ids),
            "shades": list(region.shades),
            "whats": list(since),
            "sinces": list(since.values()),
            "first": first,
            "ages": list(ages),
            "weeks": list(weeks),
        }
    )
    rows = await session.execute(_statement(tuple(since), ways, board, _kind(region)), values)
    cells = [Cell(*row) for row in rows]
    if found is not None:
        await readers.note(actor, found, sum(c.n for c in cells if c.what == BESIDE))
    return [c for c in cells if c.what != BESIDE]
