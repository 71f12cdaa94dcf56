"""Reading approvals: a subject's workflows, and who was asked about what. The queue has a file of its own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Select, func, literal, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.selectable import LateralFromClause

from waypost.access.actor import Actor
from waypost.access.factors import PASSKEY
from waypost.access.permissions import Permission
from waypost.approvals import policy, step_up
from waypost.approvals.asking_back import Question, questions_about
from waypost.approvals.engine import open_verbs
from waypost.approvals.foretelling import Ahead
from waypost.approvals.models import ApprovalStage, ApprovalStep, ApprovalWorkflow
from waypost.approvals.review_queries import reviews_of
from waypost.approvals.rows import state_of
from waypost.approvals.signature_queries import signatures_of
from waypost.approvals.standing import is_deputys
from waypost.approvals.states import ASKED, UNDECIDED, StepStatus, Verb, WorkflowStatus
from waypost.approvals.substitutes import Whereabouts, whereabouts
from waypost.approvals.upcoming import ahead_of, next_of
from waypost.directory.names import names
from waypost.kernel.clock import now, rfc3339

ANSWERED = [s.value for s in (StepStatus.APPROVED, StepStatus.REJECTED, StepStatus.DELEGATED, StepStatus.ESCALATED)]
_WAITING = frozenset(s.value for s in ASKED)
MOST_ROUNDS = 50


def subjects_seen_by(subject_type: str, user_id: ColumnElement[int] | int) -> Select[int]:
    """The ids of the subjects a person is or was asked about; `user_id` may be a parameter bound later."""
    return select(ApprovalStep.subject_id).where(
        ApprovalStep.approver_id == user_id,
        ApprovalStep.subject_type == subject_type,
        ApprovalStep.requested_at.is_not(None),
    )


def is_seen_by(
    subject_type: str, subject_id: Any, user_id: ColumnElement[int] | int, *, one_by_one: bool = False
) -> ColumnElement[bool]:
    """Whether a person is or was asked about a subject, `subject_id` being the outer query's column.

    PostgreSQL looks it up for each of few subjects; for many it reads once whatever they were asked about, unless
    `one_by_one` says that few will be looked at in the end.
    """
    found = select(literal(1)).where(
        ApprovalStep.subject_type == subject_type,
        ApprovalStep.subject_id == subject_id,
        ApprovalStep.approver_id == user_id,
        ApprovalStep.requested_at.is_not(None),
    )
    # an EXISTS with an offset is never turned into a table of all there are
    return (found.offset(literal_column("0")) if one_by_one else found).exists()


def people_asked_about(subject_type: str, subject_id: Any) -> ScalarSelect[Any]:
    """The ids of the people who are or were asked about a subject; `subject_id` is the outer query's column."""
    return (
        select(ApprovalStep.approver_id)
        .where(
            ApprovalStep.subject_type == subject_type,
            ApprovalStep.subject_id == subject_id,
            ApprovalStep.requested_at.is_not(None),
        )
        .scalar_subquery()
    )


def asked_now(subject_type: str, subject_id: Any) -> LateralFromClause:
    """Who is asked about a subject and has not answered, since when, and by when they should (one row, lateral)."""
    return (
        select(
            func.array_agg(aggregate_order_by(ApprovalStep.approver_id, ApprovalStep.id)).label("approver_ids"),
            func.min(ApprovalStep.requested_at).label("requested_at"),
            func.min(ApprovalStep.due_at).label("due_at"),
        )
        .where(
            ApprovalStep.subject_type == subject_type,
            ApprovalStep.subject_id == subject_id,
            ApprovalStep.requested_at.is_not(None),
            ApprovalStep.status == StepStatus.PENDING.value,
        )
        .lateral("asked")
    )


async def last_answer_at(session: AsyncSession, subject_type: str, subject_id: int) -> datetime | None:
    """When somebody last said yes or no to a subject, in any round."""
    answered = [StepStatus.APPROVED.value, StepStatus.REJECTED.value]
    return await session.scalar(
        select(func.max(ApprovalStep.decided_at)).where(
            ApprovalStep.subject_type == subject_type,
            ApprovalStep.subject_id == subject_id,
            ApprovalStep.status.in_(answered),
        )
    )


async def count_pending(session: AsyncSession, actor: Actor) -> int:
    """How many steps wait for this person."""
    return await session.scalar(select(func.count()).where(policy.theirs(actor, now()))) or 0


def verbs(step: ApprovalStep, *, as_deputy: bool = False) -> list[str]:
    """What the one who is asked can do with this step; who stands in for them does not hand it on."""
    words = open_verbs(StepStatus(step.status), is_barred=False)
    return [v.value for v in words if not (as_deputy and v is Verb.DELEGATE)]


def _step_json(
    s: ApprovalStep,
    stage: ApprovalStage,
    people: dict[int | None, dict[str, Any]],
    actor: Actor,
    subject_version: int,
    as_deputy: Collection[int] = (),
    asked_back: Mapping[int, list[Question]] | None = None,
    place: Whereabouts | None = None,
    following: dict[str, Any] | None = None,
    signature: dict[str, Any] | None = None,
) -> dict[str, Any]:
    is_mine = s.approver_id == actor.user_id
    theirs = (is_mine or s.id in as_deputy) and actor.may(Permission.APPROVALS_DECIDE)
    return {
        "id": s.id,
        "step_order": s.step_order,
        "approver": people.get(s.approver_id),
        "on_behalf_of": people.get(s.on_behalf_of_id),
        "status": s.status,
        "seat": s.seat,
        "reminders": s.reminders,
        "is_late_substitute": s.climbs > 0,
        "requested_at": s.requested_at and rfc3339(s.requested_at),
        "seen_at": s.seen_at and rfc3339(s.seen_at),
        "due_at": s.due_at and rfc3339(s.due_at),
        "next": following or next_of(s, stage),
        "away_until": rfc3339(place.away_until) if place and place.away_until else None,
        "deputy": people.get(place.deputies[0]) if place and place.deputies else None,
        "decided_at": s.decided_at and rfc3339(s.decided_at),
        "decided_by": people.get(s.decided_by_id),
        "comments": s.comments,
        "reason": s.reason,
        "confirmed_by": s.confirmed_by,
        "signature": signature,
        "is_outdated": s.decided_version is not None and s.decided_version < subject_version,
        "questions": [
            {
                "question": q["question"],
                "asked_at": q["asked_at"],
                "answer": q["answer"],
                "answered_at": q["answered_at"],
                "answered_by": people.get(q["answered_by_id"]),
            }
            for q in (asked_back or {}).get(s.id, ())
        ],
        "allowed_actions": verbs(s, as_deputy=not is_mine) if theirs else [],
    }


async def workflows_of(session: AsyncSession, actor: Actor, subject_type: str, subject_id: int) -> list[dict[str, Any]]:
    """A subject's workflows with stages and steps, newest round first. The caller has checked that it may be seen."""
    rounds = (
        select(ApprovalWorkflow.id)
        .where(ApprovalWorkflow.subject_type == subject_type, ApprovalWorkflow.subject_id == subject_id)
        .order_by(ApprovalWorkflow.id.desc())
        .limit(MOST_ROUNDS)
        .subquery()
    )
    rows = (
        await session.execute(
            select(ApprovalWorkflow, ApprovalStage)
            .join(ApprovalStage, ApprovalStage.workflow_id == ApprovalWorkflow.id)
            .where(ApprovalWorkflow.id.in_(select(rounds.c.id)))
            .order_by(ApprovalWorkflow.id.desc(), ApprovalStage.position, ApprovalStage.id)
        )
    ).all()
    if not rows:
        return []
    workflows = list({w.id: w for w, _ in rows}.values())
    stages = [s for _, s in rows]
    ids = [w.id for w in workflows]
    asked = (
        await session.execute(
            select(ApprovalStep, is_deputys(actor.user_id, now(), ids))
            .where(ApprovalStep.workflow_id.in_(ids))
            .order_by(ApprovalStep.workflow_id, ApprovalStep.seat, ApprovalStep.id)
        )
    ).all()
    steps, as_deputy = [step for step, _ in asked], {step.id for step, may in asked if may}
    asked_back = await questions_about(session, subject_type, subject_id)
    places = await whereabouts(session, steps, workflows, now())
    running = next((w for w in workflows if w.status == WorkflowStatus.RUNNING.value), None)
    ahead: list[Ahead] = []
    if running is not None:
        own = [s for s in stages if s.workflow_id == running.id], [s for s in steps if s.workflow_id == running.id]
        ahead = await ahead_of(session, running, state_of(running, *own))
    reviews = await reviews_of(session, actor, [w.id for w in workflows if w.overridden_by_id is not None])
    signed = await signatures_of(session, actor, ids)
    people = await names.people(
        session,
        [i for s in steps for i in (s.approver_id, s.on_behalf_of_id, s.decided_by_id)]
        + [w.overridden_by_id for w in workflows]
        + [q["answered_by_id"] for asked in asked_back.values() for q in asked]
        + [i for place in places.values() for i in place.deputies[:1]]
        + [i for one in ahead for i in (*one.late, *one.people)],
    )

    first: dict[int, dict[str, Any]] = {}
    for one in ahead:
        for step_id in one.step_ids:
            first.setdefault(step_id, {"at": rfc3339(one.at), "what": one.what.value})
    waiting = {w.id: [s for s in steps if s.workflow_id == w.id and s.status in _WAITING] for w in workflows}
    is_urgent = {i: any(policy.is_urgent(s) for s in own) for i, own in waiting.items()}
    is_asked = {i: any(s.approver_id == actor.user_id or s.id in as_deputy for s in own) for i, own in waiting.items()}

    def stage_json(s: ApprovalStage, version: int) -> dict[str, Any]:
        own = [t for t in steps if t.stage_id == s.id]
        seats = len({t.seat for t in own})
        one_is_enough = "FIRST" if s.first_answer_counts else "ANY"
        return {
            "name": s.name,
            "order": s.position,
            "mode": s.mode,
            "quorum": "ALL" if s.needed == seats > 1 else one_is_enough if s.needed == 1 else s.needed,
            "needed": s.needed,
            "seats": seats,
            "approved": len({t.seat for t in own if t.status == StepStatus.APPROVED.value}),
            "first_answer_counts": s.first_answer_counts,
            "status": s.status,
            "reason": s.reason,
            "steps": [
                _step_json(
                    t,
                    s,
                    people,
                    actor,
                    version,
                    as_deputy,
                    asked_back,
                    places.get(t.id),
                    first.get(t.id),
                    signed.get((t.workflow_id, t.id)),
                )
                for t in own
            ],
        }

    return [
        {
            "id": w.id,
            "workflow_name": w.name,
            "reason": w.reason,
            "status": w.status,
            "round": w.round,
            "started_at": rfc3339(w.started_at),
            "ended_at": w.ended_at and rfc3339(w.ended_at),
            "version": w.subject_version,
            "step_up": step_up.is_demanded(w),
            "override": _override(w, people, reviews.get(w.id), signed.get((w.id, None))),
            "may_override": w.status == "RUNNING" and actor.may(Permission.APPROVALS_OVERRIDE),
            "may_break_glass": is_urgent[w.id] and not is_asked[w.id] and policy.may_break_glass(actor, w),
            "is_emergency": is_urgent[w.id],
            "ahead": [_ahead_json(one, people) for one in ahead] if w is running else [],
            "stages": [stage_json(s, w.subject_version) for s in stages if s.workflow_id == w.id],
        }
        for w in workflows
    ]


def _ahead_json(one: Ahead, people: dict[int | None, dict[str, Any]]) -> dict[str, Any]:
    return {
        "at": rfc3339(one.at),
        "what": one.what.value,
        "stage_name": one.stage,
        "late": [people[i] for i in one.late if i in people],
        "people": [people[i] for i in one.people if i in people],
    }


def _override(
    w: ApprovalWorkflow,
    people: dict[int | None, dict[str, Any]],
    review: dict[str, Any] | None,
    signature: dict[str, Any] | None,
) -> dict[str, Any] | None:
    by = people.get(w.overridden_by_id)
    if by is None:
        return None
    how = {"confirmed_by": w.confirmed_by, "signature": signature}
    return {"by": by, "reason": w.override_reason, "review": review, **how}


async def decision(session: AsyncSession, actor: Actor, step_id: int) -> dict[str, Any]:
    """A step as it stands after it was decided, in the transaction that decided it: `{step, workflow}`."""
    step = await session.get_one(ApprovalStep, step_id)
    workflow = await session.get_one(ApprovalWorkflow, step.workflow_id)
    stage = await session.get_one(ApprovalStage, step.stage_id)
    asked_back = await questions_about(session, step.subject_type, step.subject_id)
    ids = [step.approver_id, step.on_behalf_of_id, step.decided_by_id]
    people = await names.people(session, ids + [q["answered_by_id"] for q in asked_back.get(step.id, ())])
    signature = None
    if step.confirmed_by == PASSKEY:
        signature = (await signatures_of(session, actor, [step.workflow_id])).get((step.workflow_id, step.id))
    return {
        "step": _step_json(
            step, stage, people, actor, workflow.subject_version, asked_back=asked_back, signature=signature
        ),
        "workflow": {"id": workflow.id, "status": workflow.status},
    }


async def workflow_ref(session: AsyncSession, workflow_id: int) -> dict[str, Any]:
    """How a workflow stands now. The caller has checked that it may be seen."""
    workflow = await session.get_one(ApprovalWorkflow, workflow_id)
    return {"id": workflow.id, "status": workflow.status}


def subjects_open_at(subject_type: str, user_id: int) -> Select[int]:
    """The ids of the subjects that wait for a person, or will."""
    return select(ApprovalStep.subject_id).where(
        ApprovalStep.approver_id == user_id,
        ApprovalStep.subject_type == subject_type,
        ApprovalStep.status.in_([s.value for s in sorted(UNDECIDED)]),
    )
