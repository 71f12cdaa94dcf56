"""What workflows are called: of those in force no two have the same name, so that people know which one is meant.

Capitals make no difference. A workflow that is switched off, or was never published, keeps no name from others. Names are
taken one after another (a lock of their own, before any row's), so that of two at once one is refused. Workflows that had
the same name before there was this rule go on; each needs another name when it is published next.
"""

from __future__ import annotations

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals.errors import SameName
from waypost.approvals.models import ApprovalDefinition
from waypost.approvals.reading import shown
from waypost.directory.errors import NameTaken
from waypost.kernel.errors import FieldError

TAKEN = "is the name of another workflow that is in force"
_lock = text("SELECT pg_advisory_xact_lock(4721409632)")


def key_of(name: str) -> str:
    """What is the same of two names that people do not tell apart."""
    return shown(name).casefold()


async def one_at_a_time(session: AsyncSession) -> None:
    """Until the end of this transaction nobody else takes a name."""
    await session.execute(_lock)


async def take(session: AsyncSession, name: str, own_id: int | None) -> str:
    """The key of a name a workflow may have while it is in force; after `one_at_a_time`. Raises `NameTaken`."""
    key = key_of(name)
    rows = await session.execute(
        select(ApprovalDefinition.id, ApprovalDefinition.name).where(ApprovalDefinition.is_active)
    )
    if any(key_of(other) == key for definition_id, other in rows if definition_id != own_id):
        told = f"Another workflow that is in force is called “{name}” already."
        raise NameTaken(told, errors=(FieldError("/name", TAKEN),))
    return key


async def meant_by(session: AsyncSession, name: str, pointer: str) -> int | None:
    """The id of the workflow a name stands for: the one in force, else the only one there is. Raises `SameName`."""
    key = key_of(name)
    rows = await session.execute(
        select(ApprovalDefinition.id, ApprovalDefinition.name, ApprovalDefinition.is_active).order_by(
            ApprovalDefinition.id
        )
    )
    found = [row for row in rows if key_of(row.name) == key]
    in_force = [row for row in found if row.is_active]
    if len(in_force or found) > 1:
        told = f"Several workflows are called “{name}”; which one is meant?"
        raise SameName(told, errors=(FieldError(pointer, "is the name of several workflows"),))
    return next((row.id for row in in_force or found), None)
