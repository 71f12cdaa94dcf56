"""Sums of one person's own: for readers who see so much beside the regions of `reading` that counting it takes its time.

Whoever looks and sees much besides gets them from some moments later on. They hold what the person has to do with
(`cells.has_to_do_with`) and are kept up by the event log as all others are. What somebody may see is still decided when they
look: sums made for other teams, people or departments than theirs are not read, and made anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission, Scope
from waypost.kernel.clock import now
from waypost.kernel.db import database
from waypost.reports.cells import COLUMNS, OF_READER, cells_of

MANY = 1000  # requests beside a region; more than those are not counted at each look
MOST = 200  # people for whom sums are kept
ALL = 2**63 - 1  # `counted_to` of sums that are whole
REQUESTS = 20_000  # looked at in one transaction
REMOVED = 50_000  # sums removed in one transaction
NOTED = timedelta(days=1)  # how exactly it is known when sums were last read
FORGOTTEN = timedelta(days=30)

_AUTHORITY = "team_ids, report_ids, department_ids"
_look = text(
    f"SELECT counted_to = {ALL} AND NOT is_stale AS is_whole, is_stale, read_at, ({_AUTHORITY}) = (CAST(:r_teams AS bigint[]),"  # noqa: S608
    " CAST(:r_reports AS bigint[]), CAST(:r_departments AS bigint[])) AS is_theirs FROM report_readers WHERE user_id = :me"
)
_wish = text(
    f"INSERT INTO report_readers (user_id, {_AUTHORITY}, counted_to, is_stale, read_at)"  # noqa: S608 - words of ours
    " SELECT CAST(:me AS bigint), CAST(:r_teams AS bigint[]), CAST(:r_reports AS bigint[]), CAST(:r_departments AS bigint[]),"
    " 0, false, CAST(:at AS timestamptz) WHERE (SELECT count(*) FROM report_readers) < :most"
    " OR EXISTS (SELECT 1 FROM report_readers WHERE user_id = :me)"
    " ON CONFLICT (user_id) DO UPDATE SET read_at = excluded.read_at, is_stale = report_readers.is_stale OR"
    " (report_readers.team_ids, report_readers.report_ids, report_readers.department_ids)"
    " <> (excluded.team_ids, excluded.report_ids, excluded.department_ids)"
)
_next = text(
    f"SELECT user_id, counted_to, is_stale FROM report_readers WHERE is_stale OR counted_to < {ALL}"  # noqa: S608
    " ORDER BY is_stale DESC, read_at, user_id LIMIT 1"
)
_upper = text("SELECT ticket_id FROM report_facts WHERE ticket_id > :after ORDER BY ticket_id OFFSET :some LIMIT 1")
_THEIRS = (
    "(SELECT f.* FROM report_facts f JOIN report_readers r ON r.user_id = :me"  # noqa: S608 - words of ours
    f" WHERE f.ticket_id > :after AND f.ticket_id <= :upper AND {OF_READER}) AS f"
)
_remove = text(
    "DELETE FROM report_sums WHERE ctid = ANY(ARRAY("
    "SELECT ctid FROM report_sums WHERE place = 'P' AND place_id = :me LIMIT :most)) RETURNING 1"
)


def added(cells: str, sign: str = "+") -> str:
    """SQL that adds cells to the sums, or takes them off."""
    return (
        f"INSERT INTO report_sums ({COLUMNS}, n, total)"  # noqa: S608 - words of ours
        f" SELECT {COLUMNS}, {sign}sum(n), {sign}sum(total) FROM ({cells}) AS cell GROUP BY {COLUMNS}"
        f" ORDER BY {COLUMNS} ON CONFLICT ({COLUMNS}) DO UPDATE"
        " SET n = report_sums.n + excluded.n, total = report_sums.total + excluded.total"
    )


_add = text(added(cells_of(_THEIRS, place="P", place_id=":me")))


def authority(actor: Actor) -> dict[str, Any]:
    """The parameters that say what somebody has to do with: their teams, people and departments, as far as they see these."""
    scope = actor.scope(Permission.TICKETS_READ) or Scope.OWN
    return {
        "me": actor.user_id,
        "r_teams": sorted(actor.team_ids) if scope >= Scope.TEAM else [],
        "r_reports": sorted(actor.report_ids) if scope >= Scope.LINE else [],
        "r_departments": sorted(actor.department_ids) if scope >= Scope.DEPARTMENT else [],
    }


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands with somebody's own sums: whether they can be read, and whether a worker is to hear of this look."""

    is_whole: bool
    is_kept: bool
    is_news: bool


async def standing(session: AsyncSession, actor: Actor) -> Standing:
    """How it stands with this person's own sums."""
    row = (await session.execute(_look, authority(actor))).first()
    if row is None:
        return Standing(is_whole=False, is_kept=False, is_news=False)
    is_news = not row.is_stale and (not row.is_theirs or row.read_at < now() - NOTED)
    return Standing(is_whole=row.is_whole and row.is_theirs, is_kept=True, is_news=is_news)


async def note(actor: Actor, found: Standing, beside: int) -> None:
    """After a look that counted so many beside a region: ask for sums of their own, or say that they are still read.

    Beyond `MOST` people nobody new gets them, until others' are forgotten.
    """
    if found.is_news or (not found.is_kept and beside > MANY):
        async with database().transaction() as session:
            await session.execute(_wish, authority(actor) | {"at": now(), "most": MOST})


async def count_on(session: AsyncSession) -> bool:
    """One step of making somebody's sums, or of removing those that are of no use; False when there is nothing to do.

    The caller holds the position's lock and has followed the log.
    """
    row = (await session.execute(_next)).first()
    if row is None:
        return False
    me = {"me": row.user_id}
    if row.is_stale:
        await session.execute(text("UPDATE report_readers SET counted_to = 0 WHERE user_id = :me"), me)
        if (await session.execute(_remove, me | {"most": REMOVED})).first() is None:
            await session.execute(text("DELETE FROM report_readers WHERE user_id = :me"), me)
        return True
    upper = await session.scalar(_upper, {"after": row.counted_to, "some": REQUESTS - 1})
    step = me | {"after": row.counted_to, "upper": ALL if upper is None else upper}
    await session.execute(_add, step)
    await session.execute(text("UPDATE report_readers SET counted_to = :upper WHERE user_id = :me"), step)
    return True


async def forget_unread(session: AsyncSession) -> None:
    """Sums that nobody has read for long are removed, by the worker's next steps."""
    await session.execute(
        text("UPDATE report_readers SET is_stale = true WHERE read_at < :before"), {"before": now() - FORGOTTEN}
    )
