"""The requester's manager, or one further up."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals.definition import Approver, ApproverKind
from waypost.approvals.subject import Subject
from waypost.directory.queries import manager_lines

_LEVELS = {ApproverKind.REQUESTER_MANAGER: 1, ApproverKind.MANAGERS_MANAGER: 2}
_WHY = {1: "the requester's manager", 2: "the manager of the requester's manager"}


async def find(session: AsyncSession, asks: Sequence[tuple[Approver, Subject]]) -> list[tuple[list[int], str]]:
    """The active manager so many levels up; where the line is shorter, its top."""
    lines = await manager_lines(session, sorted({subject.requester_id for _, subject in asks}))
    found = []
    for rule, subject in asks:
        level = _LEVELS.get(rule.kind) or rule.number or 1
        why = _WHY.get(level, f"{level} levels above the requester")
        found.append((list(lines[subject.requester_id][:level][-1:]), why))
    return found
