"""Reading many tickets: lists and counts, the actor first, visibility inside. One ticket: `queries.py`.

A list reads each way in which a person may see tickets (`policy.ways`) as a bounded walk of one index, and merges;
statements are built once per shape and bound to values, because building costs more than running.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    DateTime,
    Interval,
    Select,
    String,
    Subquery,
    Text,
    any_,
    bindparam,
    false,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
    union,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.directory.names import names
from waypost.kernel.clock import rfc3339
from waypost.kernel.conditions.sql import compiled_shape, lifted
from waypost.kernel.conditions.tree import ALWAYS, All, Condition, Leaf
from waypost.kernel.paging import after, decode_cursor, encode_cursor
from waypost.tickets import policy
from waypost.tickets.clock_words import in_short
from waypost.tickets.fields import column as column_of
from waypost.tickets.lifecycle import OPEN
from waypost.tickets.models import EVER_DUE, NEVER_DUE, PAIRS, UNFINISHED, Ticket
from waypost.tickets.seeing_much import sees_much
from waypost.tickets.wording import Wording, matching

_OPEN = frozenset(status.value for status in OPEN)
_NEWEST = (Ticket.created_at.desc(), Ticket.id.desc())
_WHOLE = ("all", "all_open")  # ways that see nearly every ticket
_ONE_OF_MANY = frozenset({("team_ids", "one"), ("assignee_ids", "one")})  # whose tickets have an index in every order
MOST_COUNTED = 10_000  # a screen says "10,000+" beyond
MOST_OF_MUCH = 1000  # counted for who sees so many that each of all tickets is looked at
_LAST = datetime(9999, 12, 31, tzinfo=UTC)
_FIRST = datetime(1, 1, 1, tzinfo=UTC)
# sort word -> (column, descending, type of the cursor's value)
SORTS: dict[str, tuple[Any, bool, type]] = {
    "created_at": (Ticket.created_at, False, datetime),
    "-created_at": (Ticket.created_at, True, datetime),
    "updated_at": (Ticket.updated_at, False, datetime),
    "-updated_at": (Ticket.updated_at, True, datetime),
    "priority": (Ticket.urgency, False, int),
    "-priority": (Ticket.urgency, True, int),
    "due_date": (func.coalesce(Ticket.due_date, literal_column(NEVER_DUE, DateTime(timezone=True))), False, datetime),
    "-due_date": (func.coalesce(Ticket.due_date, literal_column(EVER_DUE, DateTime(timezone=True))), True, datetime),
    "sla_due_at": (
        func.coalesce(Ticket.sla_due_at, literal_column(NEVER_DUE, DateTime(timezone=True))),
        False,
        datetime,
    ),
    "-sla_due_at": (
        func.coalesce(Ticket.sla_due_at, literal_column(EVER_DUE, DateTime(timezone=True))),
        True,
        datetime,
    ),
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to; an empty tuple means any. `assignee_ids` may hold None for "nobody".

    `condition` narrows it further, by whatever fields there are.
    """

    statuses: tuple[str, ...] = ()
    priorities: tuple[str, ...] = ()
    ticket_types: tuple[str, ...] = ()
    assignee_ids: tuple[int | None, ...] = ()
    requester_ids: tuple[int, ...] = ()
    department_ids: tuple[int, ...] = ()
    team_ids: tuple[int, ...] = ()
    words: Wording | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    due_before: datetime | None = None
    condition: Condition | None = None


_ROW = (
    Ticket.id,
    Ticket.ticket_number,
    Ticket.title,
    Ticket.ticket_type,
    Ticket.status,
    Ticket.priority,
    Ticket.amount,
    Ticket.currency,
    Ticket.requester_id,
    Ticket.assignee_id,
    Ticket.team_id,
    Ticket.department_id,
    Ticket.due_date,
    Ticket.sla_due_at,
    Ticket.sla_state,
    Ticket.tags,
    Ticket.is_confidential,
    Ticket.checklist_done,
    Ticket.checklist_total,
    Ticket.version,
    Ticket.comment_count,
    Ticket.created_at,
    Ticket.updated_at,
    Ticket.urgency,
)


_PAIRS: ColumnElement[Any] = literal_column(PAIRS, ARRAY(Text))
_CUSTOM_FIELDS = Ticket.__table__.c.custom_fields
# what a filter's values are compared with
_COLUMNS: dict[str, Any] = {
    "statuses": Ticket.status,
    "priorities": Ticket.priority,
    "ticket_types": Ticket.ticket_type,
    "assignee_ids": Ticket.assignee_id,
    "requester_ids": Ticket.requester_id,
    "department_ids": Ticket.department_id,
    "team_ids": Ticket.team_id,
}
_BOUNDS: dict[str, Any] = {
    "created_from": lambda at: Ticket.created_at >= at,
    "created_to": lambda at: Ticket.created_at <= at,
    "due_before": lambda at: Ticket.due_date < at,
}


@dataclass(frozen=True, slots=True)
class _Shape:
    """Everything of a list but its values: lists of one shape share one statement.

    `narrowed` holds (filter, how): "one" value, "any" of several, "nobody", "any or nobody", "" for a bound, or how a text narrows;
    `condition` is a tree with the names of parameters in the place of values.
    """

    ways: tuple[str, ...]
    narrowed: tuple[tuple[str, str], ...]
    condition: Condition
    sort: str
    follows: bool
    is_of_much: bool = False  # its reader sees so much that each ticket of all is looked at


def _narrowing(filters: Filters) -> tuple[tuple[tuple[str, str], ...], dict[str, Any]]:
    """The filters' part of the shape, and their values."""
    shape: list[tuple[str, str]] = []
    values: dict[str, Any] = {}
    for name in _COLUMNS:
        given: tuple[Any, ...] = getattr(filters, name)
        wanted = [v for v in given if v is not None]
        if not given:
            continue
        if not wanted:
            shape.append((name, "nobody"))
        elif len(given) == 1:
            shape.append((name, "one"))
            values[name] = wanted[0]
        else:
            shape.append((name, "any or nobody" if None in given else "any"))
            values[name] = wanted
    if filters.statuses and _OPEN.issuperset(filters.statuses):
        shape.append(("open", ""))
    for name in _BOUNDS:
        if (at := getattr(filters, name)) is not None:
            shape.append((name, ""))
            values[name] = at
    if filters.words is not None:
        wording = filters.words
        if wording.query:
            values["q"] = wording.query
        narrows = wording.query or wording.how
        if wording.ids is not None:
            shape.append(("q", "ids"))
            values["found"] = list(wording.ids)
        elif narrows or wording.is_nothing:
            shape.append(("q", f"{'words' if wording.query else ''}:{wording.how}" if narrows else "nothing"))
    return tuple(shape), values


def _narrowed(name: str, how: str) -> ColumnElement[bool]:
    """A filter as a condition. Only columns and operators of ours; every value is a bound parameter."""
    if name == "open":
        return literal_column(f"tickets.{UNFINISHED}", Boolean)  # said again, in the words of the indexes of open work
    if name in _BOUNDS:
        bound: ColumnElement[bool] = _BOUNDS[name](bindparam(name, type_=DateTime(timezone=True)))
        return bound
    if name == "q":
        if how == "ids":
            return Ticket.id == any_(bindparam("found", type_=ARRAY(BigInteger)))
        words, _, more = how.partition(":")
        return false() if how == "nothing" else matching(more, bindparam("q", type_=Text) if words else None)
    column = _COLUMNS[name]
    kind = Text if isinstance(column.type, String) else BigInteger
    one: ColumnElement[bool] = column == bindparam(name, type_=kind)
    several: ColumnElement[bool] = column == any_(bindparam(name, type_=ARRAY(kind)))
    nobody: ColumnElement[bool] = column.is_(None)
    return {"one": one, "any": several, "nobody": nobody, "any or nobody": or_(several, nobody)}[how]


def _conditions(shape: _Shape) -> list[ColumnElement[bool]]:
    narrowed = [_narrowed(name, how) for name, how in shape.narrowed]
    if shape.condition == ALWAYS:
        return narrowed
    return [*narrowed, compiled_shape(shape.condition, column_of, document=_CUSTOM_FIELDS, pairs=_PAIRS)]


@lru_cache(maxsize=500)
def _list_statement(shape: _Shape) -> Select[*tuple[Any, ...]]:
    """The statement of all lists of a shape; it is bound to the filters', the cursor's and `policy.values`' values."""
    limit = bindparam("rows", type_=BigInteger)
    if shape.is_of_much:
        conditions, order = _walk(shape, "all")
        seen = policy.seen_one_by_one(shape.ways)
        return select(*_ROW).where(seen, *conditions).order_by(*order).limit(limit)
    is_one = len(shape.ways) == 1
    ways = [policy.condition(way, leads=is_one) for way in shape.ways]
    if is_one or any(name == "q" for name, _ in shape.narrowed):
        # the words are looked up once, and what they find is looked at row by row
        conditions, order = _walk(shape, shape.ways[0])
        return select(*_ROW).where(or_(*ways), *conditions).order_by(*order).limit(limit)
    walks = []
    for way in shape.ways:
        conditions, order = _walk(shape, way)
        walks.append(
            select(Ticket.id).where(policy.condition(way), *conditions).order_by(*order).limit(limit).subquery()
        )
    ids = union_all(*(select(w.c.id) for w in walks)).subquery()
    order = _walk(shape, shape.ways[0])[1]
    return select(*_ROW).where(Ticket.id.in_(select(ids.c.id))).order_by(*order).limit(limit)


def _walk(shape: _Shape, way: str) -> tuple[list[ColumnElement[bool]], tuple[ColumnElement[Any], ColumnElement[Any]]]:
    """What narrows one way's walk, and its order."""
    key, descending, kind = SORTS[shape.sort]
    has_index = way in _WHOLE or way.startswith(("team_", "assigned")) or not _ONE_OF_MANY.isdisjoint(shape.narrowed)
    if shape.sort.endswith(("due_date", "sla_due_at")) and not has_index:
        # the index of all tickets would be walked in search of a few: these are sorted instead
        key = key + literal_column("interval '0'", Interval)
    conditions = _conditions(shape)
    if shape.follows:
        last = bindparam("last", type_=DateTime(timezone=True) if kind is datetime else BigInteger)
        last_id = bindparam("last_id", type_=BigInteger)
        conditions.append(after([(key, last, descending), (Ticket.id, last_id, descending)]))
    return conditions, (key.desc(), Ticket.id.desc()) if descending else (key.asc(), Ticket.id.asc())


@lru_cache(maxsize=500)
def _count_statements(shape: _Shape, rows: int) -> tuple[Select[int], ...]:
    """How many there are, up to `rows`: what somebody sees most of is counted first, the other ways only when that is not enough.

    `rows` is written out: it decides which index is the best. Two statements, for planning the other ways takes longer than
    counting the first.
    """
    if shape.is_of_much:
        seen = select(literal(1)).where(policy.seen_one_by_one(shape.ways), *_conditions(shape)).order_by(*_NEWEST)
        return (select(func.count()).select_from(seen.limit(literal_column(str(rows))).subquery()),)
    every = tuple(part for way in shape.ways for part in policy.parts(way))
    first = _widest(every)
    others = tuple(way for way in every if way not in first)
    walks = [(every, ())] if not first or not others else [(first, ()), (others, first)]
    return tuple(select(func.count()).select_from(_walks(shape, ways, but, rows)) for ways, but in walks)


def _walks(shape: _Shape, ways: tuple[str, ...], but: tuple[str, ...], rows: int) -> Subquery:
    """The tickets of some ways that none of the others (`but`) leads to, up to `rows`: each way by a bounded walk of its own.

    Walks go from the newest on, as lists do: without an order PostgreSQL hopes to meet enough at the beginning of the table,
    and reads it to its end where there are few.
    """
    limit: ColumnElement[int] = literal_column(str(rows))
    conditions = _conditions(shape)
    if but:
        conditions.append(not_(func.coalesce(or_(*(policy.condition(way, leads=False) for way in but)), false())))
    walks = [
        select(Ticket.id).where(policy.condition(way), *conditions).order_by(*_NEWEST).limit(limit).subquery()
        for way in ways
    ]
    if len(walks) == 1:
        return walks[0]
    ids = (select(w.c.id) for w in walks)
    every = (union_all(*ids) if _are_apart(ways) else union(*ids)).subquery()
    return select(literal(1)).select_from(every).limit(limit).subquery()


def _are_apart(ways: tuple[str, ...]) -> bool:
    """Whether no ticket is seen in two of these ways: a ticket has one team."""
    return all(way.startswith("team_") for way in ways)


def _widest(ways: tuple[str, ...]) -> tuple[str, ...]:
    """The ways in which somebody sees most: their teams', or else their department's or people's; some have none."""
    most = tuple(way for way in ways if way.startswith(("team_", "sent_only")))
    return most or tuple(way for way in ways[-1:] if way.startswith(("departments", "reports")))


@lru_cache(maxsize=500)
def _newest_statement(shape: _Shape, rows: int, among: int) -> Select[int]:
    """How many there are among the newest tickets of each way, up to `rows`: it reads so many, however few fit."""
    newest = [
        select(Ticket.id).where(policy.condition(way)).order_by(*_NEWEST).limit(literal_column(str(among))).subquery()
        for way in shape.ways
    ]
    ids = union(*(select(w.c.id) for w in newest)).cte("newest").prefix_with("MATERIALIZED")
    found = select(Ticket.id).join(ids, ids.c.id == Ticket.id).where(*_conditions(shape))
    return select(func.count()).select_from(found.limit(literal_column(str(rows))).subquery())


def _shape_of(actor: Actor, filters: Filters, sort: str, follows: bool) -> tuple[_Shape, dict[str, Any]]:
    narrowed, values = _narrowing(filters)
    condition, more = lifted(filters.condition or ALWAYS, by_document=True)
    through = policy.way_through(actor, **_reached(filters))
    ways = (through,) if through else policy.ways(actor)
    return _Shape(ways, narrowed, condition, sort, follows), values | more | policy.values(actor)


_REACH = {
    "requester_ids": "requester_id",
    "assignee_ids": "assignee_id",
    "team_ids": "team_id",
    "department_ids": "department_id",
}


def _reached(filters: Filters) -> dict[str, tuple[Any, ...]]:
    """Whose tickets a list is narrowed to, by its filters or by what its condition asks of all of them."""
    condition = filters.condition
    parts = condition.parts if isinstance(condition, All) else (condition,)
    found = {}
    for name, field in _REACH.items():
        found[name] = getattr(filters, name)
        for part in () if found[name] else parts:
            if isinstance(part, Leaf) and part.field.name == field and part.op in ("eq", "in"):
                found[name] = part.value if part.op == "in" else (part.value,)
    return found


async def _list_of(
    session: AsyncSession, actor: Actor, filters: Filters, sort: str, last: tuple[Any, ...] | None, rows: int
) -> tuple[Select[*tuple[Any, ...]], dict[str, Any]]:
    shape, values = _shape_of(actor, filters, sort, last is not None)
    if len(shape.ways) > 1 and await sees_much(session, actor):
        shape = replace(shape, is_of_much=True)
    values["rows"] = rows
    if last is not None:
        values["last"], values["last_id"] = last
    return _list_statement(shape), values


async def ticket_count(session: AsyncSession, actor: Actor, filters: Filters, *, most: int) -> tuple[int, bool]:
    """How many tickets of a list this person may see, and whether there are more: counted up to `most`. At most two statements.

    Who sees so many that each of all is looked at has them counted up to `MOST_OF_MUCH`.
    """
    shape, values = _shape_of(actor, filters, "-created_at", False)
    if len(shape.ways) > 1 and await sees_much(session, actor):
        shape, most = replace(shape, is_of_much=True), min(most, MOST_OF_MUCH)
    found = 0
    for statement in _count_statements(shape, most + 1):
        found += await session.scalar(statement, values) or 0
        if found > most:
            break
    return min(found, most), found > most


async def newest_count(session: AsyncSession, actor: Actor, filters: Filters, *, most: int, among: int) -> int:
    """How many of a list there are among the `among` newest tickets of each way this person has, counted up to `most` + 1."""
    shape, values = _shape_of(actor, filters, "-created_at", False)
    return await session.scalar(_newest_statement(shape, most + 1, among), values) or 0


async def ticket_list(
    session: AsyncSession, actor: Actor, filters: Filters, *, sort: str, cursor: str | None, limit: int
) -> dict[str, Any]:
    """A page of the tickets this person may see: `{items, next_cursor}`, ready for JSON. One statement when names are known."""
    last = decode_cursor(cursor, sort, SORTS[sort][2], int) if cursor else None
    rows = (await session.execute(*await _list_of(session, actor, filters, sort, last, limit + 1))).all()
    page = rows[:limit]
    following = None
    if len(rows) > limit:
        end = page[-1]
        word = sort.lstrip("-")
        value = end.urgency if word == "priority" else getattr(end, word)
        if value is None:
            value = _FIRST if SORTS[sort][1] else _LAST
        following = encode_cursor(sort, value, end.id)
    return {"items": await _items(session, page), "next_cursor": following}


@lru_cache(maxsize=500)
def _among_statement(shape: _Shape) -> Select[int]:
    """Those of some tickets that a list holds."""
    ways = [policy.condition(way, leads=False) for way in shape.ways]
    wanted = Ticket.id == any_(bindparam("wanted", type_=ARRAY(BigInteger)))
    return select(Ticket.id).where(wanted, or_(*ways), *_conditions(shape))


async def listed_among(session: AsyncSession, actor: Actor, filters: Filters, ids: Sequence[int]) -> set[int]:
    """Those of these tickets that stand in a list of this person. One statement."""
    if not ids:
        return set()
    shape, values = _shape_of(actor, filters, "-created_at", False)
    return set(await session.scalars(_among_statement(shape), values | {"wanted": list(ids)}))


async def newest_ids(session: AsyncSession, actor: Actor, filters: Filters, *, most: int) -> list[int]:
    """The ids of a list's newest tickets. One statement."""
    rows = await session.execute(*await _list_of(session, actor, filters, "-created_at", None, most))
    return [row.id for row in rows]


async def tickets_by_id(session: AsyncSession, actor: Actor, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Those of these tickets that this person may see, as a list shows them. One statement when names are known."""
    if not ids:
        return {}
    seen = policy.visible_to(actor)
    wanted = Ticket.id == any_(bindparam("wanted", type_=ARRAY(BigInteger)))
    rows = (
        await session.execute(select(*_ROW).where(wanted, seen), {"wanted": list(ids), **policy.values(actor)})
    ).all()
    return {row.id: item for row, item in zip(rows, await _items(session, rows), strict=True)}


async def _items(session: AsyncSession, rows: Sequence[Any]) -> list[dict[str, Any]]:
    people = await names.people(session, [i for r in rows for i in (r.requester_id, r.assignee_id)])
    teams = await names.teams(session, [r.team_id for r in rows])
    departments = await names.departments(session, [r.department_id for r in rows])
    return [
        {
            "id": r.id,
            "ticket_number": r.ticket_number,
            "title": r.title,
            "ticket_type": r.ticket_type,
            "status": r.status,
            "priority": r.priority,
            "amount": None if r.amount is None else str(r.amount),
            "currency": r.currency,
            "requester": people.get(r.requester_id),
            "assignee": people.get(r.assignee_id),
            "team": teams.get(r.team_id),
            "department": departments.get(r.department_id),
            "due_date": r.due_date and rfc3339(r.due_date),
            "sla": in_short(r),
            "tags": r.tags,
            "is_confidential": r.is_confidential,
            "checklist": {"done": r.checklist_done, "total": r.checklist_total},
            "version": r.version,
            "comment_count": r.comment_count,
            "created_at": rfc3339(r.created_at),
            "updated_at": rfc3339(r.updated_at),
        }
        for r in rows
    ]
