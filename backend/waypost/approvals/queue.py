"""The queue: the steps that wait for somebody, each with what is needed to decide it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Numeric, Select, and_, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.approvals import differences, policy, seen, step_up
from waypost.approvals.models import ApprovalStage, ApprovalStep, ApprovalWorkflow
from waypost.approvals.queries import ANSWERED, verbs
from waypost.approvals.states import StageStatus, StepStatus
from waypost.approvals.subject import room_of
from waypost.catalog.answers import with_names
from waypost.directory.names import names
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.paging import after, decode_cursor, encode_cursor
from waypost.kernel.settings import get_settings

_STILL_TO_SAY = frozenset({StepStatus.PENDING, StepStatus.INFO_REQUESTED, StepStatus.WAITING})
# a stage that is asked again after an edit takes the place of the one before, whose answers stand as earlier ones
_NOT_TAKEN = frozenset({StageStatus.SKIPPED.value, StageStatus.SUPERSEDED.value})
_TYPE_KEY = ApprovalWorkflow.subject["ticket_type"].astext
_TYPE_NAME = ApprovalWorkflow.subject["ticket_type_name"].astext
_CURRENCY = ApprovalWorkflow.subject["currency"].astext
_AMOUNT = cast(ApprovalWorkflow.subject["amount"].astext, Numeric(14, 2))


@dataclass(frozen=True, slots=True)
class _Part:
    """One step of a workflow, as it stands in the page's row beside the step that waits."""

    id: int
    stage_id: int
    position: int
    stage_name: str
    stage_status: str
    mode: str
    needed: int
    seat: int
    approver_id: int
    on_behalf_of_id: int | None
    status: str
    comments: str
    decided_at: str | None
    decided_by_id: int | None
    decided_version: int | None


def _parts() -> ColumnElement[Any]:
    """All steps of the row's workflow in order, as JSON: who said what, and who is asked besides."""
    s, g = ApprovalStep.__table__.alias("part"), ApprovalStage.__table__.alias("part_stage")
    row = func.jsonb_build_array(
        s.c.id,
        g.c.id,
        g.c.position,
        g.c.name,
        g.c.status,
        g.c.mode,
        g.c.needed,
        s.c.seat,
        s.c.approver_id,
        s.c.on_behalf_of_id,
        s.c.status,
        s.c.comments,
        s.c.decided_at,
        s.c.decided_by_id,
        s.c.decided_version,
    )
    return (
        select(func.coalesce(func.jsonb_agg(aggregate_order_by(row, g.c.position, s.c.seat, s.c.id)), _NOTHING))
        .select_from(s.join(g, g.c.id == s.c.stage_id))
        .where(s.c.workflow_id == ApprovalWorkflow.id)
        .scalar_subquery()
    )


_NOTHING: ColumnElement[Any] = literal_column("'[]'::jsonb")


def _filtered(ticket_type: str | None, workflow: str | None) -> list[ColumnElement[bool]]:
    wanted = ((ApprovalWorkflow.subject["ticket_type"].astext, ticket_type), (ApprovalWorkflow.name, workflow))
    return [column == value for column, value in wanted if value is not None]


async def approval_queue(
    session: AsyncSession,
    actor: Actor,
    *,
    cursor: str | None,
    limit: int,
    ticket_type: str | None = None,
    workflow: str | None = None,
) -> dict[str, Any]:
    """The steps that wait for this person, most urgent first (priority, then deadline): `{items, next_cursor}`."""
    order = (ApprovalStep.urgency.desc(), ApprovalStep.due_at, ApprovalStep.id)
    # which ones first, of narrow rows; what is read of them comes to these only
    chosen = select(ApprovalStep.id).where(policy.theirs(actor, now()))
    if ticket_type is not None or workflow is not None:
        chosen = chosen.join(ApprovalWorkflow, ApprovalWorkflow.id == ApprovalStep.workflow_id)
        chosen = chosen.where(*_filtered(ticket_type, workflow))
    if cursor:
        urgency, due_at, step_id = decode_cursor(cursor, "queue", int, datetime, int)
        chosen = chosen.where(
            after(
                [
                    (ApprovalStep.urgency, urgency, True),
                    (ApprovalStep.due_at, due_at, False),
                    (ApprovalStep.id, step_id, False),
                ]
            )
        )
    page = chosen.order_by(*order).limit(limit + 1).subquery()
    statement = (
        select(ApprovalStep, ApprovalWorkflow, ApprovalStage, _parts().label("parts"))
        .join(page, page.c.id == ApprovalStep.id)
        .join(ApprovalWorkflow, ApprovalWorkflow.id == ApprovalStep.workflow_id)
        .join(ApprovalStage, ApprovalStage.id == ApprovalStep.stage_id)
        .order_by(*order)
    )
    rows = (await session.execute(statement)).all()
    items = await _items(session, actor, [(r[0], r[1], r[2], [_Part(*p) for p in r[3]]) for r in rows[:limit]])
    end = rows[limit - 1][0] if len(rows) > limit else None
    following = encode_cursor("queue", end.urgency, end.due_at, end.id) if end else None
    return {"items": items, "next_cursor": following}


async def card(session: AsyncSession, actor: Actor, step_id: int) -> dict[str, Any]:
    """One step as the queue shows it. The caller has checked that it is open, and this person's to decide."""
    statement = (
        select(ApprovalStep, ApprovalWorkflow, ApprovalStage, _parts().label("parts"))
        .join(ApprovalWorkflow, ApprovalWorkflow.id == ApprovalStep.workflow_id)
        .join(ApprovalStage, ApprovalStage.id == ApprovalStep.stage_id)
        .where(ApprovalStep.id == step_id)
    )
    step, workflow, stage, parts = (await session.execute(statement)).one()
    [item] = await _items(session, actor, [(step, workflow, stage, [_Part(*p) for p in parts])])
    return dict(item)


_Row = tuple[ApprovalStep, ApprovalWorkflow, ApprovalStage, list[_Part]]


async def _items(session: AsyncSession, actor: Actor, page: list[_Row]) -> list[dict[str, Any]]:
    beside = await _beside(session, actor, page)
    # what was decided on other words than today's: those words, to show the difference
    outdated = {
        (w.id, p.decided_version)
        for _, w, _, parts in page
        for p in parts
        if p.decided_version is not None and p.decided_version < w.subject_version and p.status in ANSWERED
    }
    kept = await seen.versions(session, outdated)
    subjects = [*kept.values(), *(w.subject for _, w, _, _ in page)]
    people_ids = [s.on_behalf_of_id for s, *_ in page] + differences.people_of(*subjects)
    for *_, parts in page:
        people_ids += [i for p in parts for i in (p.approver_id, p.on_behalf_of_id, p.decided_by_id)]
    people, _, departments = await names.all(
        session, people=people_ids, departments=differences.departments_of(*subjects)
    )
    may = actor.may(Permission.APPROVALS_DECIDE)

    def earlier_json(p: _Part, workflow: ApprovalWorkflow) -> dict[str, Any]:
        is_outdated = p.decided_version is not None and p.decided_version < workflow.subject_version
        then = kept.get((workflow.id, p.decided_version or 0)) if is_outdated else None
        return {
            "by": people.get(p.decided_by_id),
            "on_behalf_of": people.get(p.on_behalf_of_id),
            "status": p.status,
            "comments": p.comments,
            "at": p.decided_at and _instant(p.decided_at),
            "stage_name": p.stage_name,
            "is_outdated": is_outdated,
            "changes": differences.changes(then, workflow.subject, people, departments) if then else [],
        }

    def item_json(step: ApprovalStep, workflow: ApprovalWorkflow, stage: ApprovalStage, parts: list[_Part]) -> Any:
        subject, is_mine = workflow.subject, step.approver_id == actor.user_id
        shown = {k: v for k, v in subject.items() if k not in ("requester_id", "department_id")}
        said = [p for p in parts if p.decided_at is not None and p.status in ANSWERED]
        return {
            "id": step.id,
            "ticket": {
                **shown,
                "requester": people.get(subject["requester_id"]),
                "department": departments.get(subject["department_id"]),
                "answers": with_names(differences.answers_of(subject), people, departments),
                **beside.get((step.subject_type, step.subject_id), {"is_confidential": False, "attachments": []}),
            },
            "version": workflow.subject_version,
            "step_order": step.step_order,
            "stage_name": stage.name,
            "stage": _stage_json(stage, parts),
            "workflow_name": workflow.name,
            "status": step.status,
            "requested_at": step.requested_at and rfc3339(step.requested_at),
            "seen_at": step.seen_at and rfc3339(step.seen_at),
            "due_at": step.due_at and rfc3339(step.due_at),
            "on_behalf_of": people.get(step.on_behalf_of_id if is_mine else step.approver_id),
            "reason": step.reason,
            "one_by_one": _why_alone(step, workflow),
            "step_up": step_up.is_demanded(workflow),
            "earlier_decisions": [earlier_json(p, workflow) for p in sorted(said, key=lambda p: p.decided_at or "")],
            "also_asked": [
                {"person": people.get(p.approver_id), "on_behalf_of": people.get(p.on_behalf_of_id), "status": p.status}
                for p in parts
                if p.stage_id == stage.id and p.id != step.id and StepStatus(p.status) in _STILL_TO_SAY
            ],
            "allowed_actions": verbs(step, as_deputy=not is_mine) if may else [],
        }

    return [item_json(*row) for row in page]


def _instant(text: str) -> str:
    return rfc3339(datetime.fromisoformat(text))


def _stage_json(stage: ApprovalStage, parts: list[_Part]) -> dict[str, Any]:
    """Which of how many stages this is, how many must say yes in it, and how many have answered."""
    taken = sorted({p.position for p in parts if p.stage_status not in _NOT_TAKEN})
    own = [p for p in parts if p.stage_id == stage.id]
    return {
        "number": taken.index(stage.position) + 1,
        "of": len(taken),
        "mode": stage.mode,
        "needed": stage.needed,
        "seats": len({p.seat for p in own}),
        "approved": len({p.seat for p in own if p.status == StepStatus.APPROVED.value}),
        "rejected": len({p.seat for p in own if p.status == StepStatus.REJECTED.value}),
        "first_answer_counts": stage.first_answer_counts,
    }


def _why_alone(step: ApprovalStep, workflow: ApprovalWorkflow) -> dict[str, Any] | None:
    """Why a request is decided on its own, None when it may be one of many."""
    if not workflow.one_by_one:
        return None
    if workflow.subject.get("priority") == "CRITICAL":
        return {"why": "EMERGENCY", "above": None, "currency": None}
    return {"why": "AMOUNT", "above": str(workflow.one_by_one_above), "currency": get_settings().currency}


async def _beside(session: AsyncSession, actor: Actor, page: list[_Row]) -> dict[tuple[str, int], dict[str, Any]]:
    """What the subjects' own rooms tell of them: one statement for each type of subject."""
    by_type: dict[str, list[int]] = {}
    for step, *_ in page:
        by_type.setdefault(step.subject_type, []).append(step.subject_id)
    return {
        (kind, subject_id): found
        for kind, ids in by_type.items()
        for subject_id, found in (await room_of(kind).beside(session, actor, ids)).items()
    }


def _grouped(actor: Actor, at: datetime) -> Select[Any, Any, Any, Any, Any, Any, Any, Any]:
    waits = ApprovalStep.status == StepStatus.PENDING.value
    late = and_(waits, ApprovalStep.due_at < at)
    return (
        select(
            ApprovalWorkflow.name,
            _TYPE_KEY,
            _TYPE_NAME,
            _CURRENCY,
            func.count(),
            func.count().filter(waits),
            func.count().filter(late),
            func.sum(_AMOUNT),
        )
        .select_from(ApprovalStep)
        .join(ApprovalWorkflow, ApprovalWorkflow.id == ApprovalStep.workflow_id)
        .where(policy.theirs(actor, at))
        .group_by(ApprovalWorkflow.name, _TYPE_KEY, _TYPE_NAME, _CURRENCY)
    )


async def summary(session: AsyncSession, actor: Actor) -> dict[str, Any]:
    """How much waits for this person: in all, overdue, by workflow and type, and what it is worth."""
    workflows: dict[str, int] = {}
    types: dict[str, dict[str, Any]] = {}
    totals: dict[str, Decimal] = {}
    count = deciding = overdue = 0
    for name, kind, kind_name, currency, steps, open_steps, late, amount in await session.execute(
        _grouped(actor, now())
    ):
        count, deciding, overdue = count + steps, deciding + open_steps, overdue + late
        workflows[name] = workflows.get(name, 0) + steps
        types.setdefault(kind, {"key": kind, "name": kind_name, "count": 0})["count"] += steps
        if amount is not None and currency is not None:
            totals[currency] = totals.get(currency, Decimal(0)) + amount
    return {
        "count": count,
        "waiting_for_answer": count - deciding,
        "overdue": overdue,
        "by_workflow": [{"name": n, "count": c} for n, c in sorted(workflows.items(), key=lambda x: (-x[1], x[0]))],
        "by_type": sorted(types.values(), key=lambda t: (-t["count"], t["name"])),
        "totals": [{"currency": c, "amount": str(a)} for c, a in sorted(totals.items())],
    }
