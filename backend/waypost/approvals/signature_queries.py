"""Kept signatures, and whether they still stand for the decisions beside them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.approvals.events import DecisionSigned
from waypost.approvals.masking import original
from waypost.approvals.models import ApprovalStep, ApprovalSubjectVersion, ApprovalWorkflow
from waypost.approvals.seen import versions
from waypost.approvals.signature_models import ApprovalSignature
from waypost.approvals.statements import Stood, contradicts, portable, record_hash, verify
from waypost.kernel.clock import rfc3339
from waypost.kernel.events import EventRow

_ANSWERS = ("APPROVE", "REJECT", "DELEGATE", "ESCALATE")
_HASH = EventRow.data["record_sha256"].astext.label("hash")


async def wrong_among(session: AsyncSession, kept: Sequence[ApprovalSignature]) -> dict[int, str]:
    """Why signatures are not right, or do not stand for their decision any more, by id; those that do are left out.

    That a key in the same row opens it says nothing of whose key it is: what counts is the hash the log has of it. At most
    five statements, however many there are.
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
    contents = await _signed(session, {(one.workflow_id, one.subject_version) for one in kept})
    unlogged = await _unlogged(session, kept)
    wrong = {}
    for one in kept:
        why = verify(one.record)
        if why is None:
            told = ended.get(one.workflow_id) if one.step_id is None else steps.get(one.step_id)
            if one.step_id is not None and one.decision not in _ANSWERS:
                told = None  # it answered nothing: the step is decided by somebody else, or later
            by, outcome, words = told or (None, None, None)
            stood = Stood(by, outcome, words, contents.get((one.workflow_id, one.subject_version)))
            why = contradicts(one.record, stood)
        if why is None and one.id in unlogged:
            why = "it is not the one that the log has the hash of"
        if why is not None:
            wrong[one.id] = why
    return wrong


async def _signed(session: AsyncSession, wanted: set[tuple[int, int]]) -> dict[tuple[int, int], dict[str, Any]]:
    """Subjects as they were signed; of one that was masked, and otherwise changed too, nothing but that it is another."""
    v = ApprovalSubjectVersion
    shown = await versions(session, wanted)
    rows = await session.scalars(
        select(v).where(tuple_(v.workflow_id, v.version).in_(sorted(wanted)), v.sealed.is_not(None))
    )
    return shown | {(row.workflow_id, row.version): original(row) or {} for row in rows}


async def _unlogged(session: AsyncSession, kept: Sequence[ApprovalSignature]) -> set[int]:
    """The ids of those that are not what the log has the hash of. What left the log by its own rules is not among them."""
    logged = select(EventRow.id, _HASH).where(
        EventRow.id.in_({one.event_id for one in kept}), EventRow.type == DecisionSigned.type
    )
    hashes = {row.id: row.hash for row in await session.execute(logged)}
    wrong = [one for one in kept if hashes.get(one.event_id) != record_hash(one.record)]
    if all(one.event_id in hashes for one in wrong):
        return {one.id for one in wrong}
    oldest = (await session.execute(select(EventRow.id, EventRow.at).order_by(EventRow.id).limit(1))).first()
    return {
        one.id
        for one in wrong
        if one.event_id in hashes or oldest is None or one.event_id >= oldest.id or one.at > oldest.at
    }


async def signatures_of(
    session: AsyncSession, actor: Actor, workflow_ids: Collection[int]
) -> dict[tuple[int, int | None], Any]:
    """The signatures of these workflows' decisions, by workflow and step; the last where a step has several."""
    rows = await session.scalars(
        select(ApprovalSignature).where(ApprovalSignature.workflow_id.in_(workflow_ids)).order_by(ApprovalSignature.id)
    )
    kept = list(rows)
    wrong = await wrong_among(session, kept)
    return {(one.workflow_id, one.step_id): signature_json(one, wrong.get(one.id), actor) for one in kept}


async def signed_events(session: AsyncSession, actor: Actor, event_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """The signatures whose records these events hold the hashes of, by event."""
    if not event_ids:
        return {}
    kept = list(
        await session.scalars(select(ApprovalSignature).where(ApprovalSignature.event_id.in_(sorted(event_ids))))
    )
    wrong = await wrong_among(session, kept)
    return {one.event_id: signature_json(one, wrong.get(one.id), actor) for one in kept}


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
    wanted = {(one.workflow_id, one.subject_version) for one in kept}
    contents = await versions(session, wanted)
    v = ApprovalSubjectVersion
    of_these = (tuple_(v.workflow_id, v.version).in_(sorted(wanted)), v.sealed.is_not(None))
    hidden = {
        (row.workflow_id, row.version)
        for row in await session.execute(select(v.workflow_id, v.version).where(*of_these))
    }
    return [
        {
            "record": portable(one.record),
            "event_id": one.event_id,
            "passkey": one.passkey,
            "at": rfc3339(one.at),
            "wrong": wrong.get(one.id),
            "content": contents.get((one.workflow_id, one.subject_version)),
            "content_is_masked": (one.workflow_id, one.subject_version) in hidden,
        }
        for one in kept
    ]


def signature_json(one: ApprovalSignature, why: str | None, actor: Actor) -> dict[str, Any]:
    """A signature as somebody reads of it. What its owner calls the passkey is theirs, and of those who read the trail."""
    is_told = one.user_id == actor.user_id or actor.may(Permission.AUDIT_READ)
    return {
        "decision": one.decision,
        "passkey": one.passkey if is_told else "",
        "at": rfc3339(one.at),
        "is_right": why is None,
        "why": why,
        "together": len(one.hashes),
    }
