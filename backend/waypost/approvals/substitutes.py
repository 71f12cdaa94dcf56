"""Who could decide in somebody's stead, were they asked now: standing delegations seen from a plan. Nothing is written.

The rule is `deputies.may_act`'s: whose window is open, whose scope covers what is judged, and who has no part in it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals.delegating import window_of
from waypost.approvals.deputies import Window
from waypost.approvals.deputy_models import ApprovalDelegation, ApprovalDeputy
from waypost.approvals.scopes import covers


@dataclass(frozen=True, slots=True)
class StandIn:
    """Somebody who stands in for another now, through these windows."""

    deputy: int
    asked_from: datetime | None
    links: tuple[Window, ...]


StandIns = Mapping[int, list[StandIn]]


async def standing_in(session: AsyncSession, approver_ids: Collection[int], at: datetime) -> StandIns:
    """Who stands in for these people at an instant, the nearest first. Two statements at most."""
    if not approver_ids:
        return {}
    open_now = (ApprovalDeputy.starts_at <= at, ApprovalDeputy.ends_at > at)
    rows = (
        await session.scalars(
            select(ApprovalDeputy)
            .where(ApprovalDeputy.approver_id.in_(sorted(approver_ids)), *open_now)
            .order_by(func.cardinality(ApprovalDeputy.delegation_ids), ApprovalDeputy.id)
        )
    ).all()
    wanted = {i for row in rows for i in row.delegation_ids}
    if not wanted:
        return {}
    kept = await session.scalars(select(ApprovalDelegation).where(ApprovalDelegation.id.in_(sorted(wanted))))
    windows = {row.id: window_of(row) for row in kept}
    found: dict[int, list[StandIn]] = {}
    for row in rows:
        links = tuple(windows[i] for i in row.delegation_ids)
        found.setdefault(row.approver_id, []).append(StandIn(row.deputy_id, row.asked_from, links))
    return found


def deputy_of(
    found: StandIns, approver: int, facts: Mapping[str, Any], no_part: Collection[int], at: datetime
) -> int | None:
    """The first who could decide for somebody asked at this instant. `facts` are as a workflow keeps them; `no_part`
    are those barred from it, and those with a seat in its stage.
    """
    for one in found.get(approver, ()):
        is_due = one.asked_from is None or at >= one.asked_from
        if is_due and one.deputy not in no_part and all(covers(link.scope, facts) for link in one.links):
            return one.deputy
    return None
