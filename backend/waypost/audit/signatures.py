"""Going over the approvers' signatures: each against its statement, its decision, and the hash the log has of it."""

from __future__ import annotations

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals.events import DecisionSigned
from waypost.approvals.signature_models import ApprovalSignature
from waypost.approvals.signature_queries import wrong_among
from waypost.audit.chain import Kind, Problem

BATCH = 500
_MISSING = text("""
    SELECT e.id, e.object_id, s.position FROM events e LEFT JOIN audit_seals s ON s.event_id = e.id
    WHERE e.type = :type AND e.id > :after
    AND NOT EXISTS (SELECT 1 FROM approval_signatures a WHERE a.event_id = e.id)
    ORDER BY e.id LIMIT :most
""")
_PLACES = text("SELECT event_id, position FROM audit_seals WHERE event_id = ANY(:events)")


async def check(session: AsyncSession, most: int) -> tuple[int, list[Problem]]:
    """How many signatures there are, and what is wrong, the earliest first; of many problems the first `most`."""
    count, after, problems = 0, 0, list[Problem]()
    while True:
        kept = list(
            await session.scalars(
                select(ApprovalSignature)
                .where(ApprovalSignature.id > after)
                .order_by(ApprovalSignature.id)
                .limit(BATCH)
            )
        )
        if kept and len(problems) < most:
            problems += await _wrong(session, kept)
        count += len(kept)
        if len(kept) < BATCH:
            break
        after = kept[-1].id
        session.expunge_all()
    rows = await session.execute(_MISSING, {"type": DecisionSigned.type, "after": 0, "most": most})
    problems += [
        Problem(
            Kind.SIGNATURE_MISSING,
            row.position,
            row.id,
            f"Event {row.id} says that a decision on ticket {row.object_id} was signed; the signature is not there.",
        )
        for row in rows
    ]
    return count, sorted(problems, key=lambda p: p.event_id or 0)[:most]


async def _wrong(session: AsyncSession, kept: list[ApprovalSignature]) -> list[Problem]:
    places = {
        row.event_id: row.position for row in await session.execute(_PLACES, {"events": [one.event_id for one in kept]})
    }
    wrong = await wrong_among(session, kept)
    found = []
    for one in kept:
        if (why := wrong.get(one.id)) is not None:
            sentence = (
                f"Signature {one.id}, of person {one.user_id} to {one.decision.lower().replace('_', ' ')} "
                f"{one.subject_type} {one.subject_id}, is not right: {why}."
            )
            found.append(Problem(Kind.SIGNATURE_FALSE, places.get(one.event_id), one.event_id, sentence))
    return found
