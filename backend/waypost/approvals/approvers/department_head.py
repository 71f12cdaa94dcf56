"""The head of the requester's department, or of a named one."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals.definition import Approver
from waypost.approvals.subject import Subject
from waypost.directory.queries import department_head


async def find(session: AsyncSession, rule: Approver, subject: Subject) -> tuple[list[int], str]:
    """The active head; a department without one is answered for by the department above."""
    head = await department_head(session, rule.department_id or subject.department_id)
    return [] if head is None else [head], "head of the department"
