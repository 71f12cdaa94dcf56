"""Writing a workflow before it is published: a draft is kept as often as one likes, finished or not, and told apart by
its version; nobody is judged by it."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals import events
from waypost.approvals.definition import MAX_NAME
from waypost.approvals.errors import NoDraft
from waypost.approvals.measuring import check_size
from waypost.approvals.models import ApprovalDefinition
from waypost.approvals.publishing import draft_of, forget_draft, locked
from waypost.approvals.reading import shown
from waypost.kernel.clock import now
from waypost.kernel.errors import StaleVersion
from waypost.kernel.events import Doer, record
from waypost.kernel.shapes import is_blank

UNTITLED = "Untitled workflow"


def name_of(document: dict[str, Any]) -> str:
    """What an unfinished workflow is called in lists."""
    name = document.get("name")
    line = shown(name)[:MAX_NAME] if isinstance(name, str) else ""
    return UNTITLED if is_blank(line) else line


async def begin_draft(session: AsyncSession, actor: Doer, document: dict[str, Any]) -> ApprovalDefinition:
    """A workflow that is only written so far: version 0, and judges nothing."""
    check_size(document)
    at = now()
    made = ApprovalDefinition(name=name_of(document), version=0, is_active=False, created_at=at, updated_at=at)
    session.add(made)
    _write(made, actor, document, base=0)
    await session.flush()
    created = events.DefinitionCreated(definition_id=made.id, definition_version=0, name=made.name)
    await record(session, created, actor=actor, at=at)
    return made


async def keep_draft(
    session: AsyncSession, actor: Doer, definition_id: int, *, document: dict[str, Any], draft_version: int
) -> None:
    """Keep what was written. Raises `DefinitionNotFound`, `StaleVersion`, or what is too large."""
    check_size(document, "/document")
    found = await locked(session, definition_id)
    if found.draft_version != draft_version:
        raise StaleVersion(draft_version=found.draft_version)
    _write(found, actor, document, base=found.version if found.draft_base is None else found.draft_base)
    if found.version == 0:
        found.name = name_of(document)
    await session.flush()


async def discard_draft(session: AsyncSession, actor: Doer, definition_id: int, *, draft_version: int | None) -> None:
    """Throw away what was written; a workflow that was never published is gone with it.

    Raises `DefinitionNotFound`, `NoDraft` or `StaleVersion`.
    """
    found = await locked(session, definition_id)
    if await draft_of(session, definition_id) is None:
        raise NoDraft
    if draft_version is not None and found.draft_version != draft_version:
        raise StaleVersion(draft_version=found.draft_version)
    discarded = events.DraftDiscarded(definition_id=found.id, definition_version=found.version, name=found.name)
    if found.version == 0:
        await session.delete(found)
    else:
        forget_draft(found)
    await session.flush()
    await record(session, discarded, actor=actor)


def _write(found: ApprovalDefinition, actor: Doer, document: dict[str, Any], *, base: int) -> None:
    found.draft, found.draft_base = document, base
    found.draft_version = (found.draft_version or 0) + 1
    found.draft_by_id, found.draft_at = actor.person_id, now()
