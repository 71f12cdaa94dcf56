"""The requester's manager, or one further up."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals.definition import Approver, ApproverKind
from waypost.approvals.subject import Subject
from waypost.directory.queries import manager_lines


async def find(session: AsyncSession, rule: Approver, subject: Subject) -> tuple[list[int], str]:
    """The active manager so many levels up; where the line is shorter, its top."""
    levels = {ApproverKind.REQUESTER_MANAGER: 1, ApproverKind.MANAGERS_MANAGER: 2}
    level = levels.get(rule.kind) or rule.number or 1
    line = (await manager_lines(session, [subject.requester_id]))[subject.requester_id]
    why = {1: "the requester's manager", 2: "the manager of the requester's manager"}
    return list(line[:level][-1:]), why.get(level, f"{level} levels above the requester")
