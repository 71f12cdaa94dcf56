"""Writing a workflow before it is published: a draft is kept as often as one likes, finished or not, and told apart by
its version; nobody is judged by it."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals import events
from waypost.approvals.definition import MAX_NAME, MAX_STAGES
from waypost.approvals.errors import NoDraft
from waypost.approvals.models import ApprovalDefinition
from waypost.approvals.publishing import draft_of, forget_draft, locked
from waypost.kernel.clock import now
from waypost.kernel.errors import StaleVersion, invalid_field
from waypost.kernel.events import Doer, record

MAX_BYTES = 200_000
MAX_DEPTH = 28  # what may be stored must come back in an answer, and be sent again inside of another document
UNTITLED = "Untitled workflow"


def check_size(document: dict[str, Any], place: str = "/document") -> None:
    """Raises what is told of a draft that is too large, too deep, or has too many stages."""
    if len(msgspec.json.encode(document)) > MAX_BYTES:
        raise invalid_field(place, f"must be smaller than {MAX_BYTES} bytes")
    if _depth(document) > MAX_DEPTH:
        raise invalid_field(place, f"must not be nested deeper than {MAX_DEPTH} levels")
    stages = document.get("stages")
    if isinstance(stages, list) and len(stages) > MAX_STAGES:
        raise invalid_field(f"{place}/stages", f"must be at most {MAX_STAGES} stages")


def _depth(value: object) -> int:
    """How deep it is nested; bodies deeper than 32 levels are refused before."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)


def name_of(document: dict[str, Any]) -> str:
    """What an unfinished workflow is called in lists."""
    name = document.get("name")
    line = " ".join(name.split())[:MAX_NAME] if isinstance(name, str) else ""
    return line or UNTITLED


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
    check_size(document)
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
