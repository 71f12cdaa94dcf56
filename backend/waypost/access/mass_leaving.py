"""How much of the company would be deactivated at once, by whatever an administrator begins: many picked, or a table."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.importing.models import PeopleImport, PeopleImportRow
from waypost.access.people_job_models import SAME, PeopleJob, PeopleJobItem
from waypost.access.scim.bursts import WITHIN, is_burst
from waypost.directory.models import SERVICE, User
from waypost.kernel.clock import now


@dataclass(frozen=True, slots=True)
class Reach:
    """How many would be deactivated, of how many who are active; and whether that is to be said to be meant."""

    leaving: int
    active: int
    lately: int = 0  # who was deactivated, or is to be, by what was begun within the last hour

    @property
    def is_much(self) -> bool:
        return self.leaving > 0 and is_burst(self.leaving + self.lately, self.active)


async def reach_of(session: AsyncSession, leaving_ids: Collection[int]) -> Reach:
    """How much of the company it is when these people are deactivated."""
    people = select(func.count()).select_from(User).where(User.is_active, User.kind != SERVICE)
    active = int(await session.scalar(people) or 0)
    if not leaving_ids:
        return Reach(0, active)
    leaving = int(await session.scalar(people.where(User.id.in_(leaving_ids))) or 0)
    counted = await _lately(session, leaving_ids, now() - WITHIN)
    return Reach(leaving, active + counted.get(False, 0), sum(counted.values()))


async def _lately(session: AsyncSession, besides: Collection[int], since: datetime) -> dict[bool, int]:
    """Who was deactivated since, or is to be, by whether they are active still."""
    picked = (
        select(PeopleJobItem.user_id, PeopleJobItem.status)
        .join(PeopleJob, PeopleJob.id == PeopleJobItem.job_id)
        .where(PeopleJob.created_at > since)
        .where(
            PeopleJob.action["type"].astext == case((PeopleJob.undo_of_id.is_(None), "deactivate"), else_="reactivate")
        )
        .where(PeopleJobItem.status != "FAILED", PeopleJobItem.outcome.is_distinct_from(SAME))
    )
    in_tables = (
        select(PeopleImportRow.user_id, PeopleImportRow.status)
        .join(PeopleImport, PeopleImport.id == PeopleImportRow.job_id)
        .where(PeopleImport.started_at > since, PeopleImportRow.leaves)
        .where(PeopleImportRow.status.in_(("PENDING", "DONE")))
    )
    left = union_all(picked, in_tables).subquery()
    rows = await session.execute(
        select(User.is_active, func.count(User.id.distinct()).label("many"))
        .join(left, left.c.user_id == User.id)
        .where(User.id.not_in(besides))
        .where(or_(~User.is_active, left.c.status == "PENDING"))  # who was let in again left not
        .group_by(User.is_active)
    )
    return {row.is_active: row.many for row in rows}
