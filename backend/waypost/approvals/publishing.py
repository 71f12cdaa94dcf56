"""Putting workflows in force: new ones, new versions, earlier ones again; and taking them out. Running ones keep theirs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals import called, events
from waypost.approvals.errors import DefinitionNotFound, NoDraft, NotPublished, VersionNotFound
from waypost.approvals.measuring import check_size
from waypost.approvals.models import ApprovalDefinition, ApprovalDefinitionVersion
from waypost.approvals.surveying import must_be_sound
from waypost.kernel.clock import now
from waypost.kernel.errors import StaleVersion
from waypost.kernel.events import Doer, record


async def create_definition(session: AsyncSession, actor: Doer, document: dict[str, Any]) -> ApprovalDefinition:
    """Add a workflow. Raises `BadDefinition` or `InvalidCondition` naming the places, or `NameTaken`."""
    check_size(document)
    checked, kinds = await must_be_sound(session, document)
    await called.one_at_a_time(session)
    key = await called.take(session, checked.name, None)
    made = ApprovalDefinition(
        name=checked.name, name_in_force=key, version=1, created_at=now(), updated_at=now(), is_active=True
    )
    session.add(made)
    await session.flush()
    await _keep_version(session, actor, made, document, kinds)
    await record(session, events.DefinitionCreated(**_about(made)), actor=actor)
    return made


async def change_definition(
    session: AsyncSession, actor: Doer, definition_id: int, *, version: int, document: dict[str, Any], note: str = ""
) -> ApprovalDefinition:
    """Give a workflow its next version.

    Raises `DefinitionNotFound`, names what is wrong with the document, then `StaleVersion` or `NameTaken`.
    """
    check_size(document)
    await called.one_at_a_time(session)
    found = await locked(session, definition_id)
    checked, kinds = await must_be_sound(session, document)
    if found.version != version:
        raise StaleVersion(current_version=found.version)
    await _next_version(session, actor, found, checked.name, document, kinds, note=note)
    return found


async def publish_draft(
    session: AsyncSession, actor: Doer, definition_id: int, *, draft_version: int, note: str
) -> ApprovalDefinition:
    """Make the draft the next version. A workflow that was never in force is active from then on.

    Raises `DefinitionNotFound`, `NoDraft`, `StaleVersion`, names what is wrong with the draft, or `NameTaken`.
    """
    await called.one_at_a_time(session)
    found = await locked(session, definition_id)
    draft = await draft_of(session, definition_id)
    if draft is None:
        raise NoDraft
    if found.draft_version != draft_version:
        raise StaleVersion(draft_version=found.draft_version)
    checked, kinds = await must_be_sound(session, draft)
    found.is_active = found.is_active or found.version == 0
    forget_draft(found)
    await _next_version(session, actor, found, checked.name, draft, kinds, note=note)
    return found


async def restore_version(
    session: AsyncSession, actor: Doer, definition_id: int, *, version: int, note: str
) -> ApprovalDefinition:
    """Publish what an earlier version said as the next one.

    Raises `DefinitionNotFound`, `VersionNotFound`, names what it speaks of and is not there any more, or `NameTaken`.
    """
    await called.one_at_a_time(session)
    found = await locked(session, definition_id)
    earlier = await session.get(ApprovalDefinitionVersion, (definition_id, version))
    if earlier is None:
        raise VersionNotFound
    checked, kinds = await must_be_sound(session, earlier.document)
    await _next_version(session, actor, found, checked.name, earlier.document, kinds, note=note, restored_from=version)
    return found


async def set_active(
    session: AsyncSession, actor: Doer, definition_id: int, *, is_active: bool, version: int
) -> ApprovalDefinition:
    """Let new requests be judged by a workflow, or not any more.

    Raises `DefinitionNotFound`, `NotPublished`, `StaleVersion` or `NameTaken`.
    """
    await called.one_at_a_time(session)
    found = await locked(session, definition_id)
    if found.version == 0:
        raise NotPublished
    if found.version != version:
        raise StaleVersion(current_version=found.version)
    if found.is_active != is_active:
        found.name_in_force = await called.take(session, found.name, found.id) if is_active else None
        found.is_active, found.updated_at = is_active, now()
        await session.flush()
        kind = events.DefinitionActivated if is_active else events.DefinitionDeactivated
        await record(session, kind(**_about(found)), actor=actor)
    return found


async def locked(session: AsyncSession, definition_id: int) -> ApprovalDefinition:
    """The workflow's row, for whoever changes it next. Raises `DefinitionNotFound`."""
    found = await session.get(
        ApprovalDefinition, definition_id, with_for_update={"key_share": True}, populate_existing=True
    )
    if found is None:
        raise DefinitionNotFound
    return found


async def draft_of(session: AsyncSession, definition_id: int) -> dict[str, Any] | None:
    """What is being written; None when nothing is."""
    draft: dict[str, Any] | None = await session.scalar(
        select(ApprovalDefinition.draft).where(ApprovalDefinition.id == definition_id)
    )
    return draft


def forget_draft(found: ApprovalDefinition) -> None:
    """Nothing is being written any more; its version counts on, so that nobody goes on with what is gone."""
    found.draft = found.draft_base = found.draft_by_id = found.draft_at = None
    found.draft_version += 1


def _about(found: ApprovalDefinition) -> dict[str, Any]:
    return {"definition_id": found.id, "definition_version": found.version, "name": found.name}


async def _next_version(
    session: AsyncSession,
    actor: Doer,
    found: ApprovalDefinition,
    name: str,
    document: dict[str, Any],
    kinds: dict[str, Any],
    *,
    note: str,
    restored_from: int | None = None,
) -> None:
    if found.is_active:
        found.name_in_force = await called.take(session, name, found.id)
    found.name, found.version, found.updated_at = name, found.version + 1, now()
    await session.flush()
    await _keep_version(session, actor, found, document, kinds, note=note, restored_from=restored_from)
    event: events.DefinitionEvent = events.DefinitionPublished(**_about(found), note=note)
    if restored_from is not None:
        event = events.DefinitionRestored(**_about(found), note=note, restored_from=restored_from)
    await record(session, event, actor=actor)


async def _keep_version(
    session: AsyncSession,
    actor: Doer,
    found: ApprovalDefinition,
    document: dict[str, Any],
    kinds: dict[str, Any],
    *,
    note: str = "",
    restored_from: int | None = None,
) -> None:
    session.add(
        ApprovalDefinitionVersion(
            definition_id=found.id,
            version=found.version,
            document=document,
            field_kinds=kinds,
            note=note,
            restored_from=restored_from,
            created_by_id=actor.person_id,
            created_at=now(),
        )
    )
    await session.flush()
