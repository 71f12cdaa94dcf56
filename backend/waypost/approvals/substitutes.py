"""Who could decide in somebody's stead, were they asked now: standing delegations seen from a plan. Nothing is written.

The rule is `deputies.may_act`'s: whose window is open, whose scope covers what is judged, and who has no part in it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals.delegating import window_of
from waypost.approvals.deputies import Window
from waypost.approvals.deputy_models import ApprovalDelegation, ApprovalDeputy
from waypost.approvals.models import ApprovalStep, ApprovalWorkflow
from waypost.approvals.scopes import covers
from waypost.approvals.states import ASKED
from waypost.directory.models import Absence, User

_ASKED = frozenset(s.value for s in ASKED)


@dataclass(frozen=True, slots=True)
class StandIn:
    """Somebody who stands in for another now, through these windows."""

    deputy: int
    asked_from: datetime | None
    links: tuple[Window, ...]


StandIns = Mapping[int, list[StandIn]]


async def standing_in(session: AsyncSession, approver_ids: Collection[int], at: datetime) -> StandIns:
    """Who stands in for these people at an instant, the nearest first. Two statements at most."""
    return (await _there_or_not(session, approver_ids, at))[1]


async def _there_or_not(
    session: AsyncSession, approver_ids: Collection[int], at: datetime
) -> tuple[dict[int, datetime], StandIns]:
    """Until when these people are away, and who stands in for them: one statement, a second when anybody does."""
    if not approver_ids:
        return {}, {}
    is_open = and_(ApprovalDeputy.approver_id == User.id, ApprovalDeputy.starts_at <= at, ApprovalDeputy.ends_at > at)
    until = (
        select(func.max(Absence.ends_at))
        .where(Absence.user_id == User.id, Absence.starts_at <= at, Absence.ends_at > at)
        .scalar_subquery()
    )
    rows = (
        await session.execute(
            select(User.id, until, ApprovalDeputy)
            .outerjoin(ApprovalDeputy, is_open)
            .where(User.id.in_(sorted(approver_ids)))
            .order_by(func.cardinality(ApprovalDeputy.delegation_ids), ApprovalDeputy.id)
        )
    ).all()
    away = {person: ends_at for person, ends_at, _ in rows if ends_at is not None}
    rights = [right for _, _, right in rows if right is not None]
    wanted = {i for right in rights for i in right.delegation_ids}
    if not wanted:
        return away, {}
    kept = await session.scalars(select(ApprovalDelegation).where(ApprovalDelegation.id.in_(sorted(wanted))))
    windows = {row.id: window_of(row) for row in kept}
    found: dict[int, list[StandIn]] = {}
    for right in rights:
        links = tuple(windows[i] for i in right.delegation_ids)
        found.setdefault(right.approver_id, []).append(StandIn(right.deputy_id, right.asked_from, links))
    return away, found


def deputies_of(
    found: StandIns,
    approver: int,
    facts: Mapping[str, Any] | None,
    *,
    barred: Collection[int],
    taken: Collection[int],
    asked_at: datetime,
) -> list[int]:
    """Who could decide for somebody asked at an instant, the nearest first. `facts` are as a workflow keeps them;
    `taken` are those with a seat in its stage.
    """
    return [
        one.deputy
        for one in found.get(approver, ())
        if (one.asked_from is None or asked_at >= one.asked_from)
        and one.deputy not in taken
        and not any(link.deputy in barred for link in one.links)
        and all(covers(link.scope, facts) for link in one.links)
    ]


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Of somebody who is asked: until when they are away, and who may decide for them now, away or not."""

    away_until: datetime | None = None
    deputies: tuple[int, ...] = ()


async def whereabouts(
    session: AsyncSession, steps: Sequence[ApprovalStep], workflows: Sequence[ApprovalWorkflow], at: datetime
) -> dict[int, Whereabouts]:
    """The same for steps that wait for an answer, by step. Two statements at most."""
    waiting = [s for s in steps if s.status in _ASKED]
    away, found = await _there_or_not(session, {s.approver_id for s in waiting}, at)
    of = {w.id: w for w in workflows}
    told = {}
    for step in waiting:
        row = of[step.workflow_id]
        beside = {i for s in steps if s.stage_id == step.stage_id for i in (s.approver_id, s.decided_by_id) if i}
        deputies = deputies_of(
            found,
            step.approver_id,
            row.facts,
            barred=row.barred_ids,
            taken=beside,
            asked_at=step.requested_at or at,
        )
        told[step.id] = Whereabouts(away.get(step.approver_id), tuple(deputies))
    return told
