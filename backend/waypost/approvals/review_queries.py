"""Reading reviews of broken glass: one's own, everybody's for auditors, and those of some workflows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.approvals.models import ApprovalWorkflow
from waypost.approvals.review_models import ApprovalReview, ApprovalReviewer, ReviewState
from waypost.approvals.reviews import find_review
from waypost.approvals.subject import room_of
from waypost.directory.names import Refs, names
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.errors import Forbidden
from waypost.kernel.paging import decode_cursor, encode_cursor

MOST_COUNTED = 100  # a badge shows "99+"


async def review_page(
    session: AsyncSession, actor: Actor, *, state: str | None, everybody: bool, cursor: str | None, limit: int
) -> dict[str, Any]:
    """Reviews one may decide and those of glass one broke oneself, the newest first: `{items, next_cursor,
    waiting_count}`. `everybody`: all of them, for those with `audit:read`; raises `Forbidden` for others.
    """
    statement = select(ApprovalReview, ApprovalWorkflow).join(
        ApprovalWorkflow, ApprovalWorkflow.id == ApprovalReview.workflow_id
    )
    if everybody and not actor.may(Permission.AUDIT_READ):
        raise Forbidden(f"This needs the permission {Permission.AUDIT_READ.value}.")
    if not everybody:
        statement = statement.where(
            or_(ApprovalReview.id.in_(_theirs(actor)), ApprovalReview.broken_by_id == actor.user_id)
        )
    if state is not None:
        statement = statement.where(ApprovalReview.state == state)
    if cursor:
        (last,) = decode_cursor(cursor, "reviews", int)
        statement = statement.where(ApprovalReview.id < last)
    rows = (await session.execute(statement.order_by(ApprovalReview.id.desc()).limit(limit + 1))).all()
    page = await _readable(session, actor, [(r[0], r[1]) for r in rows[:limit]])
    following = encode_cursor("reviews", rows[limit - 1][0].id) if len(rows) > limit else None
    return {
        "items": await _as_json(session, actor, page),
        "next_cursor": following,
        "waiting_count": await count_waiting(session, actor),
    }


def _theirs(actor: Actor) -> Any:
    return select(ApprovalReviewer.review_id).where(ApprovalReviewer.user_id == actor.user_id)


async def count_waiting(session: AsyncSession, actor: Actor) -> int:
    """How many reviews wait for this person, at most `MOST_COUNTED`."""
    if not actor.may(Permission.APPROVALS_DECIDE):
        return 0
    waiting = select(ApprovalReview.id).where(
        ApprovalReview.id.in_(_theirs(actor)), ApprovalReview.state == ReviewState.OPEN.value
    )
    return await session.scalar(select(func.count()).select_from(waiting.limit(MOST_COUNTED).subquery())) or 0


async def one_review(session: AsyncSession, actor: Actor, review_id: int) -> dict[str, Any]:
    """One review. Raises `ReviewNotFound`."""
    row = await find_review(session, actor, review_id)
    workflow = await session.get_one(ApprovalWorkflow, row.workflow_id)
    return (await _as_json(session, actor, [(row, workflow)]))[0]


_Row = tuple[ApprovalReview, ApprovalWorkflow]


async def _readable(session: AsyncSession, actor: Actor, rows: Sequence[_Row]) -> list[_Row]:
    """Those whose subject this person may see: one statement for each type of subject."""
    by_type: dict[str, set[int]] = {}
    for row, _ in rows:
        by_type.setdefault(row.subject_type, set()).add(row.subject_id)
    seen = {kind: await room_of(kind).those_read(session, actor, ids) for kind, ids in by_type.items()}
    return [(row, workflow) for row, workflow in rows if row.subject_id in seen[row.subject_type]]


async def _reviewers(session: AsyncSession, ids: Collection[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {i: [] for i in ids}
    wanted = select(ApprovalReviewer.review_id, ApprovalReviewer.user_id).where(ApprovalReviewer.review_id.in_(ids))
    for review_id, user_id in await session.execute(wanted.order_by(ApprovalReviewer.user_id)):
        found[review_id].append(user_id)
    return found


async def _as_json(session: AsyncSession, actor: Actor, rows: Sequence[_Row]) -> list[dict[str, Any]]:
    if not rows:
        return []
    reviewers = await _reviewers(session, [row.id for row, _ in rows])
    people = await names.people(
        session,
        [i for row, _ in rows for i in (row.requester_id, row.broken_by_id, row.decided_by_id)]
        + [i for ids in reviewers.values() for i in ids],
    )
    return [
        {
            **_brief(row, reviewers[row.id], actor, people),
            "ticket": {
                "id": row.subject_id,
                **{k: workflow.subject.get(k) for k in ("ticket_number", "title", "priority", "amount", "currency")},
            },
            "workflow_name": workflow.name,
            "asked_at": rfc3339(workflow.started_at),
            "requester": people.get(row.requester_id),
            "broken_by": people.get(row.broken_by_id),
            "reason": row.reason,
        }
        for row, workflow in rows
    ]


def _brief(row: ApprovalReview, reviewer_ids: Sequence[int], actor: Actor, people: Refs) -> dict[str, Any]:
    is_open = row.state == ReviewState.OPEN.value
    is_theirs = actor.user_id in reviewer_ids and actor.may(Permission.APPROVALS_DECIDE)
    return {
        "id": row.id,
        "state": row.state,
        "opened_at": rfc3339(row.opened_at),
        "due_at": rfc3339(row.due_at),
        "is_overdue": is_open and row.due_at <= now(),
        "reviewers": [people[i] for i in reviewer_ids if i in people],
        "decided_at": row.decided_at and rfc3339(row.decided_at),
        "decided_by": people.get(row.decided_by_id),
        "comments": row.comments,
        "allowed_actions": ["confirm", "object"] if is_open and is_theirs else [],
    }


async def reviews_of(
    session: AsyncSession, actor: Actor, workflow_ids: Collection[int]
) -> Mapping[int, dict[str, Any]]:
    """How the reviews of these workflows stand, by workflow. The caller has checked that they may be seen."""
    if not workflow_ids:
        return {}
    wanted = select(ApprovalReview).where(ApprovalReview.workflow_id.in_(workflow_ids))
    rows = list(await session.scalars(wanted))
    if not rows:
        return {}
    reviewers = await _reviewers(session, [row.id for row in rows])
    ids = [row.decided_by_id for row in rows] + [i for found in reviewers.values() for i in found]
    people = await names.people(session, ids)
    return {row.workflow_id: _brief(row, reviewers[row.id], actor, people) for row in rows}
