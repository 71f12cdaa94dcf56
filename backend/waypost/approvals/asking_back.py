"""Questions approvers put to a requester, and what was answered: read from the log, where they are kept."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals.events import InfoAnswered, InfoRequested
from waypost.kernel.clock import rfc3339
from waypost.kernel.events import EventRow

MOST = 200
Question = dict[str, Any]


async def questions_about(session: AsyncSession, subject_type: str, subject_id: int) -> dict[int, list[Question]]:
    """The questions put in each step, in order: `{question, asked_by_id, asked_at, answer, answered_by_id,
    answered_at}`; one that lapsed has no answer. One statement.
    """
    rows = await session.execute(
        select(EventRow.type, EventRow.data, EventRow.actor_id, EventRow.at)
        .where(
            EventRow.object_type == subject_type,
            EventRow.object_id == subject_id,
            EventRow.type.in_([InfoRequested.type, InfoAnswered.type]),
        )
        .order_by(EventRow.id)
        .limit(MOST)
    )
    found: dict[int, list[Question]] = {}
    waiting: list[tuple[int, Question]] = []  # with the workflow they belong to
    for type_, data, actor_id, at in rows:
        if type_ == InfoRequested.type:
            asked = {
                "question": data["comments"],
                "asked_by_id": actor_id,
                "asked_at": rfc3339(at),
                "answer": None,
                "answered_by_id": None,
                "answered_at": None,
            }
            found.setdefault(data["step_id"], []).append(asked)
            waiting.append((data["workflow_id"], asked))
            continue
        closed = [q for workflow_id, q in waiting if workflow_id == data["workflow_id"]]
        waiting = [(w, q) for w, q in waiting if w != data["workflow_id"]]
        for question in closed:
            answer = None if data["lapsed"] else data["comments"]
            question |= {"answer": answer, "answered_by_id": actor_id, "answered_at": rfc3339(at)}
    return found
