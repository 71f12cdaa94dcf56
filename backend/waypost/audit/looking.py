"""Looking for letters in the log, newest first, in a time that does not grow with the log.

Whatever often stands in the log is met soon among its newest entries; whatever hardly ever does is looked up in the index over
three letters each. In between, and of frequent letters under narrow conditions, entries are looked at in windows of ids that
grow as long as there is time; then what was found is told, and how far back was looked. The next page goes on from there.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Select, Text, bindparam, cast, func, select, text, union_all
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.audit.events import AuditExported, AuditRead
from waypost.audit.searching import Letters, Named, Narrowed
from waypost.kernel.db import in_time
from waypost.kernel.events import EventRow

PATIENCE = 1.0  # seconds after which what was found is told
A_STATEMENT = 1500  # milliseconds a window may take
AN_INDEX = 600  # milliseconds the index may take; letters were more frequent than they looked then
NEWEST = 2_000  # entries that are looked at first
GROWTH = 8
RARE = 10_000  # entries in all that are looked up at once

_SEARCHES = (AuditRead.type, AuditExported.type)
_LIMIT = text("SELECT set_config('statement_timeout', :most, true)")


@dataclass(frozen=True, slots=True)
class Found:
    """Ids, newest first. Everything from `floor` on was looked at; 0: everything. Below `floor` there may be more."""

    ids: tuple[int, ...]
    floor: int


async def look(session: AsyncSession, wanted: Narrowed, *, before: int | None, rows: int, patience: float) -> Found:
    """The newest `rows` entries below `before` that fit. `session` has a transaction with a time limit (`A_STATEMENT`).

    Looks at `NEWEST` entries at least, so whoever goes on comes to the end. Raises `DBAPIError` when even these take too long.
    """
    ceiling = await _ceiling(session) if before is None else before
    until, found, size, is_known = time.monotonic() + patience, list[int](), NEWEST, False
    while True:
        floor, began = max(ceiling - size, 0), time.monotonic()
        window = _window(wanted, floor, ceiling, rows - len(found))
        more = list(await session.scalars(window)) if size == NEWEST else await _limited(session, window, A_STATEMENT)
        if more is None:
            return Found(tuple(found), ceiling)
        found += more
        if floor == 0 or len(found) >= rows:
            return Found(tuple(found), floor)
        if not is_known and await _is_rare(session, wanted.letters, floor, ceiling):
            others = await _limited(session, _by_index(wanted, floor, rows - len(found)), AN_INDEX)
            if others is not None:
                return Found((*found, *others), 0)
        is_known = True
        left = until - time.monotonic()
        if left <= 0:
            return Found(tuple(found), floor)
        took = max(time.monotonic() - began, 0.001)
        ceiling, size = floor, max(min(size * GROWTH, int(size * left / took)), NEWEST)


async def _ceiling(session: AsyncSession) -> int:
    return (await session.scalar(select(func.max(EventRow.id))) or 0) + 1


async def _limited(session: AsyncSession, statement: Any, milliseconds: int) -> list[int] | None:
    """What a statement finds; None when it takes too long."""

    async def within() -> list[int]:
        await session.execute(_LIMIT, {"most": str(milliseconds)})
        return list(await session.scalars(statement))

    return await in_time(session, within())


def _window(wanted: Narrowed, floor: int, ceiling: int, rows: int) -> Select[int]:
    """The newest ones of a range of ids, looked at one after the other."""
    conditions = [*wanted.plain, *(letters.holds() for letters in wanted.letters)]
    between = (EventRow.id >= floor, EventRow.id < ceiling)
    return select(EventRow.id).where(*between, *conditions).order_by(EventRow.id.desc()).limit(rows)


async def _is_rare(session: AsyncSession, letters: Sequence[Letters], floor: int, ceiling: int) -> bool:
    """Whether the letters stand in so few entries, by two windows, that looking them up costs less than walking on.

    The newest entries may be of one kind alone, such as an import's: as many from the middle of the trail are looked at as well.
    That somebody looked for them stands in the trail too, often among the newest: this says nothing of how rare they are.
    """
    fits = [EventRow.type.not_in(_SEARCHES), *(each.fits() for each in letters)]
    size, middle = ceiling - floor, floor // 2
    windows = [(floor, ceiling), (middle, min(middle + size, floor))]
    counts = [
        select(func.count()).where(EventRow.id >= start, EventRow.id < end, *fits).scalar_subquery()
        for start, end in windows
    ]
    looked_at = sum(end - start for start, end in windows)
    return (await session.scalar(select(counts[0] + counts[1])) or 0) * ceiling <= RARE * looked_at


def _by_index(wanted: Narrowed, ceiling: int, rows: int) -> Select[int]:
    """The newest ones of all below: by the index of letters, and by those of whoever is named.

    What is to be looked up is said apart, lest PostgreSQL hopes to meet it on a walk of ids.
    """
    below = EventRow.id < ceiling
    said = [each.looked_up() for each in wanted.letters]
    ways: list[Select[int]] = [select(EventRow.id).where(*said, *wanted.plain)]
    for each in wanted.letters:
        others = [other.holds() for other in wanted.letters if other is not each]
        ways += [_of_named(named, [below, *wanted.plain, *others], rows) for named in each.named]
    there = union_all(*ways).cte("there").prefix_with("MATERIALIZED")
    return select(there.c.id).where(there.c.id < ceiling).distinct().order_by(there.c.id.desc()).limit(rows)


def _of_named(named: Named, conditions: Sequence[Any], rows: int) -> Select[int]:
    """The newest ones of each, by a walk of its own."""
    ids = bindparam(None, list(named.ids), type_=ARRAY(BigInteger), unique=True)
    one = func.unnest(ids).table_valued("id").render_derived("named")
    about = [] if named.about is None else [EventRow.object_type == cast(named.about, Text)]
    newest = (
        select(EventRow.id)
        .where(named.column == one.c.id, *about, *conditions)
        .order_by(EventRow.id.desc())
        .limit(rows)
        .correlate(one)
        .lateral("newest")
    )
    return select(newest.c.id).select_from(one).join(newest, text("true"))
