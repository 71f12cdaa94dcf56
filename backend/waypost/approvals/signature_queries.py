"""Kept signatures, and whether they still stand for the decisions beside them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals.models import ApprovalStep, ApprovalWorkflow
from waypost.approvals.seen import versions
from waypost.approvals.signature_models import ApprovalSignature
from waypost.approvals.statements import Stood, contradicts, portable, verify
from waypost.approvals.states import StepStatus
from waypost.kernel.clock import rfc3339

_ANSWERS = ("APPROVE", "REJECT", "DELEGATE", "ESCALATE")
_FINAL = frozenset(
    s.value for s in (StepStatus.APPROVED, StepStatus.REJECTED, StepStatus.DELEGATED, StepStatus.ESCALATED)
)


async def wrong_among(session: AsyncSession, kept: Sequence[ApprovalSignature]) -> dict[int, str]:
    """Why signatures are not right, or do not stand for their decision any more, by id; those that do are left out.

    At most three statements, however many there are.
    """
    if not kept:
        return {}
    s, w = ApprovalStep, ApprovalWorkflow
    steps: dict[int, tuple[int | None, str, str]] = {}
    if step_ids := {one.step_id for one in kept if one.step_id is not None}:
        answers = select(s.id, s.decided_by_id, s.status, s.comments).where(s.id.in_(step_ids))
        steps = {id_: (by, status, words) for id_, by, status, words in await session.execute(answers)}
    ended: dict[int, tuple[int | None, str, str]] = {}
    if past := {one.workflow_id for one in kept if one.step_id is None}:
        ends = select(w.id, w.overridden_by_id, w.status, w.override_reason).where(w.id.in_(past))
        ended = {id_: (by, status, words) for id_, by, status, words in await session.execute(ends)}
    contents = await versions(session, {(one.workflow_id, one.subject_version) for one in kept})
    wrong = {}
    for one in kept:
        why = verify(one.record)
        if why is None:
            told = ended.get(one.workflow_id) if one.step_id is None else steps.get(one.step_id)
            if one.step_id is not None and told and (one.decision not in _ANSWERS or told[1] not in _FINAL):
                told = None  # it is decided by somebody else, or later
            by, outcome, words = told or (None, None, None)
            stood = Stood(by, outcome, words, contents.get((one.workflow_id, one.subject_version)))
            why = contradicts(one.record, stood)
        if why is not None:
            wrong[one.id] = why
    return wrong


async def signatures_of(session: AsyncSession, workflow_ids: Collection[int]) -> dict[tuple[int, int | None], Any]:
    """The signatures of these workflows' decisions, by workflow and step; the last where a step has several."""
    rows = await session.scalars(
        select(ApprovalSignature).where(ApprovalSignature.workflow_id.in_(workflow_ids)).order_by(ApprovalSignature.id)
    )
    kept = list(rows)
    wrong = await wrong_among(session, kept)
    return {(one.workflow_id, one.step_id): signature_json(one, wrong.get(one.id)) for one in kept}


async def signed_events(session: AsyncSession, event_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """The signatures whose records these events hold the hashes of, by event."""
    if not event_ids:
        return {}
    kept = list(
        await session.scalars(select(ApprovalSignature).where(ApprovalSignature.event_id.in_(sorted(event_ids))))
    )
    wrong = await wrong_among(session, kept)
    return {one.event_id: signature_json(one, wrong.get(one.id)) for one in kept}


async def records_about(
    session: AsyncSession, subject_type: str, subject_id: int, most: int = 5000
) -> list[dict[str, Any]]:
    """All that other tools need to check the signatures about a subject, in the order they were given."""
    kept = list(
        await session.scalars(
            select(ApprovalSignature)
            .where(ApprovalSignature.subject_type == subject_type, ApprovalSignature.subject_id == subject_id)
            .order_by(ApprovalSignature.id)
            .limit(most)
        )
    )
    wrong = await wrong_among(session, kept)
    contents = await versions(session, {(one.workflow_id, one.subject_version) for one in kept})
    return [
        {
            "record": portable(one.record),
            "event_id": one.event_id,
            "passkey": one.passkey,
            "at": rfc3339(one.at),
            "wrong": wrong.get(one.id),
            "content": contents.get((one.workflow_id, one.subject_version)),
        }
        for one in kept
    ]


def signature_json(one: ApprovalSignature, why: str | None) -> dict[str, Any]:
    """A signature as people read of it."""
    return {
        "decision": one.decision,
        "passkey": one.passkey,
        "at": rfc3339(one.at),
        "is_right": why is None,
        "why": why,
        "together": len(one.hashes),
    }
