"""Working a report out, for one reader, within limits: what it counts are the tickets that reader may see, now."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, FromClause, literal_column, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.directory.models import User
from waypost.directory.names import names
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.conditions.sql import compiled
from waypost.kernel.db import Database, took_too_long
from waypost.kernel.turns import Turns
from waypost.reports.errors import ReportsBusy, ReportTooLarge, ReportTooSlow
from waypost.reports.models import ReportFact
from waypost.reports.reading import found_by, over_facts
from waypost.reports.shapes import MEASURES, Dimension, Unit, check, dimension_of
from waypost.tickets import policy
from waypost.tickets.conditions import condition_of
from waypost.tickets.fields import column as column_of
from waypost.tickets.fields import known_fields
from waypost.tickets.models import Ticket

MOST_ROWS = 2000
MOST_COLUMNS = 100
MOST_CELLS = 20_000
SECONDS: float = 10
turns = Turns(share=0.25, patience=SECONDS, refusal=ReportsBusy)


async def run(database: Database, actor: Actor, document: dict[str, Any]) -> dict[str, Any]:
    """A report's numbers for this reader.

    Raises `Invalid`, `InvalidCondition`, `ReportTooLarge`, `ReportTooSlow` or `ReportsBusy`.
    """
    try:
        by_index = _is_of_some_time(document.get("condition"))
        async with turns.one(), database.limited_read(round(SECONDS * 1000), by_index=by_index) as session:
            return await _worked_out(session, actor, document)
    except DBAPIError as error:
        if took_too_long(error):
            raise ReportTooSlow from error
        raise


def _is_of_some_time(condition: Any) -> bool:
    """Whether a report counts requests made since a time only: an index has these, and no other need be read."""
    if not isinstance(condition, dict):
        return False
    if isinstance(parts := condition.get("all"), list):
        return any(_is_of_some_time(part) for part in parts)
    return condition.get("field") == "created_at" and condition.get("op") in ("gt", "gte")


async def _worked_out(session: AsyncSession, actor: Actor, document: dict[str, Any]) -> dict[str, Any]:
    fields = await known_fields(session)
    check(document, fields)
    rows, columns = (
        dimension_of(key, fields) if (key := document.get(place)) else None for place in ("rows", "columns")
    )
    measures = [MEASURES[key] for key in document["measures"]]
    found = await _cells(session, actor, document, [d for d in (rows, columns) if d is not None])
    across = sorted({r[1] for r in found}, key=partial(_order, columns)) if columns else []
    if len(across) > MOST_COLUMNS:
        raise ReportTooLarge
    down = sorted({r[0] for r in found}, key=partial(_order, rows)) if rows else [None]
    if len(down) > MOST_ROWS or len(down) * max(1, len(across)) > MOST_CELLS:
        raise ReportTooLarge
    depth = (rows is not None) + (columns is not None)
    cells = {tuple(r[:depth]): [_said(v, m.unit) for v, m in zip(r[depth:], measures, strict=True)] for r in found}
    down_labels = {None: ""} if rows is None else await _labels(session, rows, down)
    if columns is None:
        headings: list[dict[str, Any]] = [
            {"key": m.key, "label": m.label, "drill": [], "unit": m.unit.value} for m in measures
        ]
    else:
        labels = await _labels(session, columns, across)
        headings = [
            {"key": _plain(v), "label": labels[v], "drill": leaves_of(columns, v), "unit": measures[0].unit.value}
            for v in across
        ]

    def values_of(value: Any) -> list[Any]:
        if columns is not None:
            return [cells.get((value, other), [None])[0] for other in across]
        return cells.get(() if rows is None else (value,), [None] * len(measures))

    return {
        "rows": None if rows is None else {"key": rows.key, "label": rows.label},
        "by": None if columns is None else {"key": columns.key, "label": columns.label},
        "columns": headings,
        "measures": [{"key": m.key, "label": m.label, "unit": m.unit.value} for m in measures],
        "lines": [
            {
                "key": _plain(value),
                "label": down_labels[value],
                "values": values_of(value),
                "drill": [] if rows is None else leaves_of(rows, value),
            }
            for value in down
        ],
        "as_of": rfc3339(now()),
    }


async def _cells(session: AsyncSession, actor: Actor, document: dict[str, Any], by: list[Dimension]) -> list[Any]:
    facts = ReportFact.__table__.alias("f")
    tickets = Ticket.__table__
    source: FromClause = facts
    conditions = [_seen(actor, facts)]
    if document.get("condition") is not None:
        condition = await condition_of(session, actor, document["condition"], pointer="/definition/condition")
        conditions.append(compiled(condition, column_of, document=tickets.c.custom_fields))
    if len(conditions) > 1 or any(d.sql.startswith("t.") for d in by):
        # facts follow a little later: what is read of a ticket itself, only who may see it now reads
        source = source.join(tickets, tickets.c.id == facts.c.ticket_id)
        conditions.append(policy.visible_to(actor))
    if any(d.sql.startswith("u.") for d in by):
        users = User.__table__.alias("u")
        source = source.join(users, users.c.id == facts.c.requester_id)
    keys: list[ColumnElement[Any]] = [literal_column(d.sql.replace("t.custom", "tickets.custom")) for d in by]
    values: list[ColumnElement[Any]] = [literal_column(MEASURES[key].sql) for key in document["measures"]]
    statement = (
        select(*(k.label(f"k{n}") for n, k in enumerate(keys)), *(v.label(f"v{n}") for n, v in enumerate(values)))
        .select_from(source)
        .where(*conditions)
        .limit(MOST_CELLS + 1)
    )
    if keys:
        statement = statement.group_by(*(literal_column(str(n + 1)) for n in range(len(keys))))
    found = (await session.execute(statement, policy.values(actor))).all()
    if len(found) > MOST_CELLS:
        raise ReportTooLarge
    return list(found)


def _seen(actor: Actor, facts: FromClause) -> ColumnElement[bool]:
    """The facts of the tickets this reader may see. Of who sees a part of them, each way is walked by its own index."""
    ways = policy.ways(actor)
    if ways[0] in ("all", "all_open", "none"):
        return over_facts(policy.visible_to(actor), dict(facts.c))
    return facts.c.ticket_id.in_(found_by(ways))


def _order(dimension: Dimension, value: Any) -> tuple[bool, int, str]:
    """In the order its values have, or by value; what is empty last."""
    place = dimension.order.index(value) if value in dimension.order else len(dimension.order)
    return (value is None, place, f"{value:020d}" if isinstance(value, int) else str(value))


def _plain(value: Any) -> str | int | None:
    return value.isoformat() if isinstance(value, date) else value


def _said(value: Any, unit: Unit) -> float | int | str | None:
    """A number as JSON says it: money as text, seconds and counts whole."""
    if value is None:
        return None
    if unit is Unit.MONEY:
        return str(Decimal(value).quantize(Decimal("0.01")))
    if unit is Unit.SHARE:
        return round(float(value), 4)
    return round(float(value))


async def _labels(session: AsyncSession, dimension: Dimension, values: list[Any]) -> dict[Any, str]:
    if dimension.refers_to:
        find = {"user": names.people, "team": names.teams, "department": names.departments}[dimension.refers_to]
        known = await find(session, [v for v in values if v is not None])
        return {v: known[v]["name"] if v in known else "" for v in values}
    return {v: "" if v is None else _called(dimension, v) for v in values}


def _called(dimension: Dimension, value: Any) -> str:
    if dimension.step == "month":
        return f"{value:%Y-%m}"
    if dimension.step == "quarter":
        return f"{value:%Y} Q{(value.month + 2) // 3}"
    return value.isoformat() if isinstance(value, date) else str(value)


def leaves_of(dimension: Dimension, value: Any) -> list[dict[str, Any]] | None:
    """What narrows the list to the tickets of a value; None where the list knows no such field."""
    if not dimension.field:
        return None
    if value is None:
        return [{"field": dimension.field, "op": "is_empty"}]
    if dimension.step:
        following = _next(value, dimension.step)
        return [
            {"field": dimension.field, "op": "gte", "value": f"{value.isoformat()}T00:00:00Z"},
            {"field": dimension.field, "op": "lt", "value": f"{following.isoformat()}T00:00:00Z"},
        ]
    if dimension.key.startswith("custom.") and value in ("true", "false"):
        return [{"field": dimension.field, "op": "eq", "value": value == "true"}]
    return [{"field": dimension.field, "op": "eq", "value": value}]


def _next(first: date, step: str) -> date:
    """The first day of what follows."""
    if step == "day":
        return first + timedelta(days=1)
    if step == "week":
        return first + timedelta(weeks=1)
    months = first.month - 1 + (1 if step == "month" else 3)
    return date(first.year + months // 12, months % 12 + 1, 1)
