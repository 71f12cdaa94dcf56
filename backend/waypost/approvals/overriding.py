"""Ending an approval past its approvers: by override, and in an emergency by breaking the glass.

Breaking the glass is for whoever is there while those who are asked are not: it needs a right of its own and a reason,
and it opens a review that somebody else must decide. An emergency that is overridden with a yes is reviewed as well, so
that there is no side door.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.access.queries import people_with_role
from waypost.approvals import engine, hindsight, policy, signing
from waypost.approvals.errors import SelfApproval, WorkflowNotFound
from waypost.approvals.finding import ADMINISTRATORS
from waypost.approvals.models import ApprovalWorkflow
from waypost.approvals.review_errors import AskedYourself, GlassNotYours, NotAnEmergency
from waypost.approvals.review_events import GlassBroken
from waypost.approvals.review_models import ApprovalReview, ApprovalReviewer, ReviewState
from waypost.approvals.rows import Running, keep, load
from waypost.approvals.service import check_seen
from waypost.approvals.signing import Signature
from waypost.approvals.standing import deputies_for
from waypost.approvals.statements import BREAK_GLASS, OVERRIDE_APPROVE, OVERRIDE_REJECT
from waypost.approvals.states import Ended
from waypost.approvals.subject import room_of
from waypost.directory.queries import people_facts
from waypost.kernel.clock import now
from waypost.kernel.events import record
from waypost.kernel.settings import get_settings


async def override(
    session: AsyncSession,
    actor: Actor,
    workflow_id: int,
    *,
    approves: bool,
    comments: str,
    version: int | None = None,
    signature: Signature = None,
) -> None:
    """End a workflow without its approvers' word, by a right of its own; recorded as that, never as their answer.

    Raises `WorkflowNotFound` (404), `Forbidden` or `SelfApproval` (403), `CommentNeeded` (422), `StepDecided` (409),
    `StaleVersion`, `SignatureRefused` or, to approve, `StepUpNeeded`.
    """
    await check_overriding(session, actor, workflow_id)
    running = await _locked(session, workflow_id)
    if approves and is_emergency(running):
        await _break(session, actor, running, comments.strip(), version, signature, OVERRIDE_APPROVE)
        return
    at = now()
    after, effects = engine.override(running.state, actor.user_id, approves=approves, comments=comments.strip(), at=at)
    await check_seen(session, running.row, version)
    deed = signing.deed_of(actor, running.row, OVERRIDE_APPROVE if approves else OVERRIDE_REJECT, words=comments)
    confirmed = await signing.confirm(session, actor, running.row, deed, signature, is_asked=approves)
    running.row.overridden_by_id, running.row.override_reason = actor.user_id, comments.strip()
    running.row.confirmed_by = confirmed.by
    await keep(session, actor, running, after, effects, at, urgency=0)
    await signing.keep(session, actor, confirmed, at)


async def check_overriding(session: AsyncSession, actor: Actor, workflow_id: int) -> None:
    """Raises `WorkflowNotFound` or `Forbidden` before anything else of a request to override is looked at."""
    await _seen(session, actor, workflow_id)
    actor.require(Permission.APPROVALS_OVERRIDE)


async def break_glass(
    session: AsyncSession,
    actor: Actor,
    workflow_id: int,
    *,
    comments: str,
    version: int | None = None,
    signature: Signature = None,
) -> int:
    """Approve an emergency without being asked, with a reason. The id of the review that this opens.

    Raises `WorkflowNotFound` (404), `Forbidden`, `GlassNotYours` or `SelfApproval` (403), `CommentNeeded` (422),
    `StepDecided`, `NotAnEmergency` or `AskedYourself` (409), `StaleVersion`, `StepUpNeeded` or `SignatureRefused`.
    """
    await check_breaking(session, actor, workflow_id)
    running = await _locked(session, workflow_id)
    return await _break(session, actor, running, comments.strip(), version, signature, BREAK_GLASS)


async def check_breaking(session: AsyncSession, actor: Actor, workflow_id: int) -> None:
    """Raises what of `break_glass` is a 404 or 403, before its body is looked at."""
    row = await _seen(session, actor, workflow_id)
    actor.require(Permission.APPROVALS_BREAK_GLASS)
    if actor.user_id in row.barred_ids:
        raise SelfApproval
    if not policy.may_break_glass(actor, row):
        raise GlassNotYours


def is_emergency(running: Running) -> bool:
    """Whether everybody who may decide is asked at once, and the first answer counts."""
    return any(policy.is_urgent(running.steps[step.id]) for step in running.state.asked())


async def _break(
    session: AsyncSession,
    actor: Actor,
    running: Running,
    comments: str,
    version: int | None,
    signature: Signature,
    decision: str,
) -> int:
    at, row = now(), running.row
    after, effects = engine.override(running.state, actor.user_id, approves=True, comments=comments, at=at)
    if not is_emergency(running):
        raise NotAnEmergency
    asked = [s.approver for s in running.state.asked()]
    if actor.user_id in {*asked, *await deputies_for(session, row.subject_type, row.subject_id, asked, at)}:
        raise AskedYourself
    await check_seen(session, row, version)
    deed = signing.deed_of(actor, row, decision, words=comments)
    confirmed = await signing.confirm(session, actor, row, deed, signature, is_asked=True)
    row.overridden_by_id, row.override_reason, row.confirmed_by = actor.user_id, comments, confirmed.by
    review, reviewer_ids = await _open_review(session, actor, running, comments)
    broken = GlassBroken(
        subject_type=row.subject_type,
        subject_id=row.subject_id,
        workflow_id=row.id,
        review_id=review.id,
        broken_by_id=actor.user_id,
        comments=comments,
        reviewer_ids=reviewer_ids,
        due_at=review.due_at,
    )
    await record(session, broken, actor=actor, at=at)
    # that says already whose word it is
    said = [replace(e, overridden_by=None) if isinstance(e, Ended) else e for e in effects]
    await keep(session, actor, running, after, said, at, urgency=0)
    await signing.keep(session, actor, confirmed, at)
    return review.id


async def _open_review(
    session: AsyncSession, actor: Actor, running: Running, reason: str
) -> tuple[ApprovalReview, tuple[int, ...]]:
    row, at = running.row, now()
    everybody = [s.approver for stage in running.state.stages for s in stage.steps]
    administrators = await people_with_role(session, str(ADMINISTRATORS.target))
    wanted = hindsight.reviewers(everybody, administrators, barred=row.barred_ids, broken_by=actor.user_id)
    facts = await people_facts(session, list(wanted))
    active = tuple(i for i in wanted if facts[i].is_active)
    due_at = at + timedelta(days=get_settings().review_days)
    review = ApprovalReview(
        workflow_id=row.id,
        subject_type=row.subject_type,
        subject_id=row.subject_id,
        requester_id=row.subject["requester_id"],
        broken_by_id=actor.user_id,
        reason=reason,
        opened_at=at,
        due_at=due_at,
        state=ReviewState.OPEN.value,
        timer_at=hindsight.rung_at(due_at, 0),
    )
    session.add(review)
    await session.flush()
    session.add_all([ApprovalReviewer(review_id=review.id, user_id=i) for i in active])
    await session.flush()
    return review, active


async def _seen(session: AsyncSession, actor: Actor, workflow_id: int) -> ApprovalWorkflow:
    """A workflow whose subject this person may see. Raises `WorkflowNotFound`."""
    row = await session.scalar(select(ApprovalWorkflow).where(ApprovalWorkflow.id == workflow_id))
    if row is None or not await room_of(row.subject_type).may_read(session, actor, row.subject_id):
        raise WorkflowNotFound
    return row


async def _locked(session: AsyncSession, workflow_id: int) -> Running:
    """The workflow, locked behind its subject."""
    row = await session.get_one(ApprovalWorkflow, workflow_id)
    await room_of(row.subject_type).lock(session, row.subject_id)
    return await load(session, workflow_id, lock=True)
