"""For whom sums are made before they look, and whose sums are to be set right though they do not look.

Whoever sees very much beside their region would wait for their first look, and so would everybody after the sums were made anew.
Once a day, and after facts were made anew, the tables are gone through in pieces: who asked for, made, is assigned or was asked
about how many requests, and how many there are of each department. That says who may see very much, at most; of these it is
counted by the ways of the tickets' policy, as a look would. Nobody waits for any of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from heapq import nlargest
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.queries import actors_of_users
from waypost.kernel.clock import now
from waypost.kernel.db import Database, in_time
from waypost.reports import policy, readers
from waypost.reports.readers import AUTHORITY, WANTED, authority
from waypost.reports.reading import Board, beside, region_of

TASK = "reports.foresee"
VERY_MANY = 10_000  # requests beside a region; whoever sees so many is foreseen
MOST = 100  # people who are foreseen, those who see most
LOOKED_AT = 400  # people of whom it is counted how many they see, those who may see most
EVERY = timedelta(days=1)
PIECE = 50_000  # rows of a table, looked at in one statement
AT_ONCE = 100  # people whose permissions are read in one statement
SECONDS = 5  # after which it need not be known how many somebody sees: they are very many

_due = text(
    "SELECT rebuild_next IS NULL AND (foreseen_at IS NULL OR foreseen_at < :before OR foreseen_at < rebuilt_at)"
    " FROM report_position"
)
_kept = text(f"SELECT user_id, {AUTHORITY} FROM report_readers WHERE NOT is_stale ORDER BY user_id")  # noqa: S608
_stale = text("UPDATE report_readers SET is_stale = true WHERE user_id = ANY(:ids)")
_leaders = text(
    "SELECT manager_id FROM users WHERE manager_id IS NOT NULL"
    " UNION SELECT head_id FROM departments WHERE head_id IS NOT NULL"
)
# the end of the next piece, and who has how many rows of it: what the person is to it, their id, how many
_PIECES = (
    (
        text("SELECT ticket_id FROM report_facts WHERE ticket_id > :after ORDER BY ticket_id OFFSET :some LIMIT 1"),
        text(
            "SELECT c.what, c.id, count(*) FROM report_facts f CROSS JOIN LATERAL (VALUES ('asked_for', f.requester_id),"
            " ('has_to_do', nullif(f.created_by_id, f.requester_id)), ('has_to_do', f.assignee_id),"
            " ('department', f.department_id)) AS c (what, id)"
            " WHERE f.ticket_id > :after AND f.ticket_id <= :upper AND c.id IS NOT NULL GROUP BY c.what, c.id"
        ),
    ),
    (
        text("SELECT step_id FROM report_decisions WHERE step_id > :after ORDER BY step_id OFFSET :some LIMIT 1"),
        text(
            "SELECT 'has_to_do', approver_id, count(*) FROM report_decisions"
            " WHERE step_id > :after AND step_id <= :upper GROUP BY approver_id"
        ),
    ),
)
_foreseen = text(
    "UPDATE report_readers SET is_foreseen = (user_id = ANY(:ids)) WHERE is_foreseen <> (user_id = ANY(:ids))"
)
_wish = text(
    f"INSERT INTO report_readers (user_id, {AUTHORITY}, counted_to, is_stale, read_at, is_foreseen)"  # noqa: S608 - words of ours
    f" SELECT CAST(:me AS bigint), {WANTED}, 0, false, CAST(:at AS timestamptz), true"
    " WHERE (SELECT count(*) FROM report_readers) < :most ON CONFLICT (user_id) DO NOTHING"
)


@dataclass(slots=True)
class _Counts:
    """How many requests each person asked for, or has to do with otherwise, and how many each department has."""

    asked_for: Counter[int] = field(default_factory=Counter)
    has_to_do: Counter[int] = field(default_factory=Counter)
    department: Counter[int] = field(default_factory=Counter)

    def most(self, actor: Actor) -> int:
        """How many requests somebody sees beside their region, at most: those that are in it are not taken off."""
        to_do = authority(actor)
        place = region_of(actor, Board.EVERYTHING).place
        if place == "A":
            return 0
        found = self.asked_for[actor.user_id] + self.has_to_do[actor.user_id]
        found += sum(self.asked_for[i] for i in to_do["r_reports"])
        return found if place == "D" else found + sum(self.department[i] for i in to_do["r_departments"])


async def run_due(database: Database) -> None:
    """See to it that sums are of what people have to do with now; once a day, foresee who will need some."""
    await look_after(database)
    async with database.read() as session:
        is_due = await session.scalar(_due, {"before": now() - EVERY})
    if is_due:
        await foresee(database)


async def look_after(database: Database) -> None:
    """Have the worker set right the sums of those who have other teams, people or departments by now, or may look no more."""
    async with database.read() as session:
        kept = {row.user_id: row for row in await session.execute(_kept)}
        theirs = {i async for i, actor in _actors(session, list(kept)) if _is_of(kept[i], actor)}
    if others := sorted(kept.keys() - theirs):
        async with database.transaction() as session:
            await session.execute(_stale, {"ids": others})


async def foresee(database: Database) -> None:
    """Ask for sums of those who see very much, whether they look or not; and of nobody else any longer."""
    people = await _seeing_very_much(database, await _likely(database, await _counted(database)))
    async with database.transaction() as session:
        # first the row that the worker holds while it counts, so that neither waits for the other
        await session.execute(text("UPDATE report_position SET foreseen_at = :at"), {"at": now()})
        await session.execute(_foreseen, {"ids": [one["me"] for one in people]})
        for one in people:
            await session.execute(_wish, one | {"at": now(), "most": readers.MOST + MOST})


async def _counted(database: Database) -> _Counts:
    counts = _Counts()
    for end, piece in _PIECES:
        after: int | None = 0
        while after is not None:
            async with database.read() as session:
                after = await _count_piece(session, counts, end, piece, after)
    return counts


async def _count_piece(
    session: AsyncSession, counts: _Counts, end: TextClause, piece: TextClause, after: int
) -> int | None:
    """Count the next rows of a table; where they end, None for the last."""
    upper: int | None = await session.scalar(end, {"after": after, "some": PIECE - 1})
    for what, i, n in await session.execute(piece, {"after": after, "upper": readers.ALL if upper is None else upper}):
        getattr(counts, what)[i] += n
    return upper


async def _likely(database: Database, counts: _Counts) -> list[int]:
    """Who may see very much and may look: those who may see most first."""
    own = counts.asked_for + counts.has_to_do
    async with database.read() as session:
        ids = {i for i, n in own.items() if n >= VERY_MANY} | set(await session.scalars(_leaders))
        most = {i: counts.most(actor) async for i, actor in _actors(session, sorted(ids))}
    return nlargest(LOOKED_AT, (i for i, n in most.items() if n >= VERY_MANY), key=lambda i: (most[i], -i))


async def _seeing_very_much(database: Database, likely: Sequence[int]) -> list[dict[str, Any]]:
    """Which of these people see very much beside their region, as it is counted: what they have to do with."""
    found = []
    async with database.read() as session:
        async for _, actor in _actors(session, likely):
            async with database.limited_read(SECONDS * 1000) as counting:
                n = await in_time(counting, beside(counting, actor, VERY_MANY))
            if n is None or n >= VERY_MANY:
                found.append(authority(actor))
                if len(found) == MOST:
                    break
    return found


async def _actors(session: AsyncSession, ids: Sequence[int]) -> AsyncIterator[tuple[int, Actor]]:
    """Those of these people who are active and may look at dashboards, in this order."""
    for n in range(0, len(ids), AT_ONCE):
        some = ids[n : n + AT_ONCE]
        actors = await actors_of_users(session, some)
        for i in some:
            if (actor := actors.get(i)) is not None and policy.may_look(actor):
                yield i, actor


def _is_of(kept: Any, actor: Actor) -> bool:
    to_do = authority(actor)
    return (kept.team_ids, kept.report_ids, kept.department_ids) == (
        to_do["r_teams"],
        to_do["r_reports"],
        to_do["r_departments"],
    )
