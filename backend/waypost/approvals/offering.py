"""What is laid before somebody to sign: the statements of what they are about to decide, and the number for their device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import signing as passkey_signing
from waypost.access.actor import Actor
from waypost.approvals import overriding, service
from waypost.approvals.models import ApprovalWorkflow
from waypost.approvals.signing import deed_of
from waypost.approvals.statements import BREAK_GLASS, Deed, statement
from waypost.approvals.subject import room_of
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.errors import Refusal


@dataclass(frozen=True, slots=True)
class Laid:
    """One statement, and the workflow it is about."""

    text: str
    step_id: int | None
    row: ApprovalWorkflow


async def of_steps(
    session: AsyncSession,
    actor: Actor,
    decision: str,
    step_ids: Sequence[int],
    *,
    versions: Mapping[int, int],
    words: str,
    to: int | None,
) -> list[Laid]:
    """The statements of one answer to these steps; of several, those that can not be decided are left out.

    Raises `StepNotFound`, `Forbidden`, `NotAsked` or `StaleVersion` of a single one, or of the last where none is left.
    """
    laid: list[Laid] = []
    refused: Refusal | None = None
    for step_id in dict.fromkeys(step_ids):
        try:
            running = await service.check_asked(session, actor, step_id)
            await service.check_seen(session, running.row, versions.get(step_id))
        except Refusal as error:
            refused = error
            continue
        _, step = running.state.find(step_id)
        deed = deed_of(actor, running.row, decision, words=words, step_id=step_id, approver_id=step.approver, to=to)
        laid.append(Laid(await _written(session, deed), step_id, running.row))
    if not laid and refused is not None:
        raise refused
    return laid


async def of_workflow(
    session: AsyncSession, actor: Actor, decision: str, workflow_id: int, *, version: int | None, words: str
) -> list[Laid]:
    """The statement of ending a workflow past its approvers. Raises what that raises of 404 and 403, or `StaleVersion`."""
    if decision == BREAK_GLASS:
        await overriding.check_breaking(session, actor, workflow_id)
    else:
        await overriding.check_overriding(session, actor, workflow_id)
    row = await session.get_one(ApprovalWorkflow, workflow_id)
    await service.check_seen(session, row, version)
    return [Laid(await _written(session, deed_of(actor, row, decision, words=words)), None, row)]


async def _written(session: AsyncSession, deed: Deed) -> str:
    version = await room_of(deed.subject_type).version_of(session, deed.subject_id)
    return statement(replace(deed, at=rfc3339(now()), subject_version=version))


async def for_device(session: AsyncSession, actor: Actor, origin: str | None, laid: Sequence[Laid]) -> dict[str, Any]:
    """What a browser needs to let a device sign these."""
    return await passkey_signing.ask(session, actor, origin, [one.text for one in laid])


def laid_json(one: Laid) -> dict[str, Any]:
    """What somebody reads before they sign, and the very text that is signed."""
    subject = one.row.subject
    return {
        "step_id": one.step_id,
        "workflow_id": one.row.id,
        "ticket_number": subject.get("ticket_number"),
        "title": subject.get("title"),
        "amount": subject.get("amount"),
        "currency": subject.get("currency"),
        "version": one.row.subject_version,
        "text": one.text,
    }
