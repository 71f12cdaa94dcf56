"""Sums of one person's own: for readers who see so much beside the regions of `reading` that counting it takes its time.

Whoever looks and sees much besides gets them from some moments later on; for whom they are made before, `foreseeing` says. They
hold what the person has to do with (`cells.has_to_do_with`) and are kept up by the event log as all others are. What somebody
may see is still decided when they look: sums made for other teams, people or departments than theirs are not read, and set right
(`own_sums`).
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
from waypost.reports.cells import COLUMNS

MANY = 1000  # requests beside a region; more than those are not counted at each look
MOST = 200  # people for whom sums are kept since they looked, beside those who were foreseen
ALL = 2**63 - 1  # `counted_to` of sums that are whole
NOTED = timedelta(days=1)  # how exactly it is known when sums were last read

AUTHORITY = "team_ids, report_ids, department_ids"
WANTED = "CAST(:r_teams AS bigint[]), CAST(:r_reports AS bigint[]), CAST(:r_departments AS bigint[])"
_look = text(
    f"SELECT counted_to = {ALL} AND NOT is_stale AS is_whole, is_stale, read_at, ({AUTHORITY}) = ({WANTED}) AS is_theirs"  # noqa: S608
    " FROM report_readers WHERE user_id = :me"
)
_wish = text(
    f"INSERT INTO report_readers (user_id, {AUTHORITY}, counted_to, is_stale, read_at, is_foreseen)"  # noqa: S608 - words of ours
    f" SELECT CAST(:me AS bigint), {WANTED}, 0, false, CAST(:at AS timestamptz), false"
    " WHERE (SELECT count(*) FROM report_readers WHERE NOT is_foreseen) < :most"
    " OR EXISTS (SELECT 1 FROM report_readers WHERE user_id = :me)"
    " ON CONFLICT (user_id) DO UPDATE SET read_at = excluded.read_at, is_stale = report_readers.is_stale OR"
    " (report_readers.team_ids, report_readers.report_ids, report_readers.department_ids)"
    " <> (excluded.team_ids, excluded.report_ids, excluded.department_ids)"
)


def added(cells: str, sign: str = "+") -> str:
    """SQL that adds cells to the sums, or takes them off."""
    return (
        f"INSERT INTO report_sums ({COLUMNS}, n, total)"  # noqa: S608 - words of ours
        f" SELECT {COLUMNS}, {sign}sum(n), {sign}sum(total) FROM ({cells}) AS cell GROUP BY {COLUMNS}"
        f" ORDER BY {COLUMNS} ON CONFLICT ({COLUMNS}) DO UPDATE"
        " SET n = report_sums.n + excluded.n, total = report_sums.total + excluded.total"
    )


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

    Beyond `MOST` people nobody new gets them, until others' are forgotten. A token that reads no requests says nothing of the
    person it is of.
    """
    if actor.limited_to is not None and Permission.TICKETS_READ.value not in actor.limited_to:
        return
    if found.is_news or (not found.is_kept and beside > MANY):
        async with database().transaction() as session:
            await session.execute(_wish, authority(actor) | {"at": now(), "most": MOST})
