"""Reviews of broken glass: the verdict, and what happens while there is none.

A review never undoes what was approved: work on an emergency goes on. Locks as everywhere: the subject, then the review.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.access.queries import people_with_role
from waypost.approvals import hindsight
from waypost.approvals.errors import CommentNeeded
from waypost.approvals.finding import ADMINISTRATORS
from waypost.approvals.models import ApprovalWorkflow
from waypost.approvals.review_errors import NotReviewer, ReviewDecided, ReviewNotFound
from waypost.approvals.review_events import ReviewClimbed, ReviewConfirmed, ReviewObjected, ReviewReminded
from waypost.approvals.review_models import ApprovalReview, ApprovalReviewer, ReviewState
from waypost.approvals.subject import room_of
from waypost.directory.events import UserDeactivated
from waypost.directory.models import User
from waypost.kernel.clock import now
from waypost.kernel.db import Database, is_busy
from waypost.kernel.events import SYSTEM, Doer, record

TASK = "approvals.reviews"
BATCH = 50
AGAIN_AFTER = timedelta(minutes=10)
_log = logging.getLogger(__name__)


async def find_review(session: AsyncSession, actor: Actor, review_id: int) -> ApprovalReview:
    """A review of something this person may see. Raises `ReviewNotFound`."""
    row = await session.get(ApprovalReview, review_id)
    if row is None or not await room_of(row.subject_type).may_read(session, actor, row.subject_id):
        raise ReviewNotFound
    return row


async def check_reviewer(session: AsyncSession, actor: Actor, review_id: int) -> ApprovalReview:
    """The review when its verdict is theirs to give. Raises `ReviewNotFound`, `Forbidden` or `NotReviewer`."""
    row = await find_review(session, actor, review_id)
    actor.require(Permission.APPROVALS_DECIDE)
    if await session.get(ApprovalReviewer, (review_id, actor.user_id)) is None:
        raise NotReviewer
    return row


async def decide(
    session: AsyncSession, actor: Actor, review_id: int, *, objects: bool, comments: str
) -> ApprovalReview:
    """Give the verdict. Of several at once one counts; the same again by the same person changes nothing.

    Raises what `check_reviewer` does, `CommentNeeded` (422) or `ReviewDecided` (409).
    """
    row = await check_reviewer(session, actor, review_id)
    words = comments.strip()
    if not words:
        raise CommentNeeded
    await room_of(row.subject_type).lock(session, row.subject_id)
    row = await _locked(session, review_id)
    state = ReviewState.OBJECTED if objects else ReviewState.CONFIRMED
    if row.state == state and row.decided_by_id == actor.user_id:
        return row
    if row.state != ReviewState.OPEN:
        raise ReviewDecided
    at = now()
    row.state, row.decided_at, row.decided_by_id, row.comments = state.value, at, actor.user_id, words
    row.timer_at = None
    await session.flush()
    if objects:
        administrators = await _active(session, await people_with_role(session, str(ADMINISTRATORS.target)))
        told = tuple(dict.fromkeys([row.requester_id, row.broken_by_id, *administrators]))
        await record(session, ReviewObjected(**_about(row), comments=words, told_ids=told), actor=actor, at=at)
    else:
        await record(session, ReviewConfirmed(**_about(row), comments=words), actor=actor, at=at)
    return row


def _about(row: ApprovalReview) -> dict[str, Any]:
    return {
        "subject_type": row.subject_type,
        "subject_id": row.subject_id,
        "workflow_id": row.workflow_id,
        "review_id": row.id,
        "broken_by_id": row.broken_by_id,
    }


async def _locked(session: AsyncSession, review_id: int) -> ApprovalReview:
    wanted = select(ApprovalReview).where(ApprovalReview.id == review_id).with_for_update()
    return (await session.scalars(wanted.execution_options(populate_existing=True))).one()


async def _active(session: AsyncSession, ids: list[int]) -> list[int]:
    """Those of these people who work here, in their order."""
    there = set(await session.scalars(select(User.id).where(User.id.in_(ids), User.is_active)))
    return [i for i in ids if i in there]


# --- while nobody decides ---------------------------------------------------------------------------------------------


async def run_due(database: Database) -> int:
    """Tell reviewers whose day has come, and administrators what is overdue: each review in a transaction of its own.

    How many there were. One whose subject somebody is just changing stays due; one that fails is tried again after
    `AGAIN_AFTER`. Neither stands in the way of others.
    """
    async with database.transaction() as session:
        due = (
            await session.execute(
                select(ApprovalReview.id, ApprovalReview.subject_type, ApprovalReview.subject_id)
                .where(ApprovalReview.timer_at <= now())
                .order_by(ApprovalReview.timer_at, ApprovalReview.id)
                .limit(BATCH)
            )
        ).all()
    for review_id, subject_type, subject_id in due:
        try:
            async with database.transaction() as session:
                await room_of(subject_type).lock(session, subject_id)
                await _on_time(session, await _locked(session, review_id))
        except Exception as error:
            if is_busy(error):
                continue
            _log.exception("the timer of a review failed", extra={"review_id": review_id})
            try:
                await _postpone(database, review_id)
            except Exception:
                _log.exception("the timer of a review could not be put off", extra={"review_id": review_id})
    return len(due)


async def _postpone(database: Database, review_id: int) -> None:
    async with database.transaction() as session:
        later = update(ApprovalReview).where(ApprovalReview.id == review_id, ApprovalReview.timer_at.is_not(None))
        await session.execute(later.values(timer_at=now() + AGAIN_AFTER))


async def _on_time(session: AsyncSession, row: ApprovalReview) -> None:
    at = now()
    if row.state != ReviewState.OPEN or row.timer_at is None or row.timer_at > at:
        return  # decided, or done by another worker meanwhile
    rung = hindsight.due_now(row.due_at, row.rungs, at)
    if rung is None:  # brought forward, because nobody is left who could look
        rung = hindsight.Rung(row.rungs, climbs=True, next_at=hindsight.rung_at(row.due_at, row.rungs))
    row.rungs, row.timer_at = rung.rungs, rung.next_at
    await session.flush()
    if rung.climbs:
        told = await _administrators(session, row)
        event: ReviewReminded = ReviewClimbed(**_about(row), comments=row.reason, reviewer_ids=told)
    else:
        told = tuple(await _active(session, await _reviewer_ids(session, row.id)))
        event = ReviewReminded(**_about(row), comments=row.reason, reviewer_ids=told)
    await record(session, event, actor=SYSTEM, at=at)


async def _administrators(session: AsyncSession, row: ApprovalReview) -> tuple[int, ...]:
    """Today's administrators who may look at it; they are its reviewers from now on."""
    administrators = await _active(session, await people_with_role(session, str(ADMINISTRATORS.target)))
    workflow = await session.get_one(ApprovalWorkflow, row.workflow_id)
    told = hindsight.reviewers((), administrators, barred=workflow.barred_ids, broken_by=row.broken_by_id)
    if told:
        rows = [{"review_id": row.id, "user_id": i} for i in told]
        await session.execute(insert(ApprovalReviewer).values(rows).on_conflict_do_nothing())
    return told


async def _reviewer_ids(session: AsyncSession, review_id: int) -> list[int]:
    wanted = select(ApprovalReviewer.user_id).where(ApprovalReviewer.review_id == review_id)
    return list(await session.scalars(wanted.order_by(ApprovalReviewer.user_id)))


async def on_user_deactivated(session: AsyncSession, event: UserDeactivated, actor: Doer) -> None:
    """Somebody leaves: a review that has nobody else is the administrators' at once."""
    theirs = select(ApprovalReviewer.review_id).where(ApprovalReviewer.user_id == event.user_id)
    others = exists().where(
        ApprovalReviewer.review_id == ApprovalReview.id,
        ApprovalReviewer.user_id == User.id,
        User.id != event.user_id,
        User.is_active,
    )
    left = update(ApprovalReview).where(ApprovalReview.state == ReviewState.OPEN.value, ApprovalReview.id.in_(theirs))
    await session.execute(left.where(~others).values(timer_at=now()).execution_options(synchronize_session=False))
