"""What is laid before somebody to sign: the statements of what they are about to decide, and the number for their device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import signing as passkey_signing
from waypost.access.actor import Actor
from waypost.approvals import asking, overriding, service
from waypost.approvals.models import ApprovalWorkflow
from waypost.approvals.signing import deed_of
from waypost.approvals.statements import BREAK_GLASS, Deed, statement
from waypost.approvals.subject import room_of
from waypost.kernel.clock import now, rfc3339


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
    theirs = await asking.asked_about(session, actor, step_ids)
    deeds: list[tuple[Deed, ApprovalWorkflow]] = []
    for step_id, running in theirs.items():
        if versions.get(step_id) in (None, running.row.subject_version):
            _, step = running.state.find(step_id)
            deeds.append(
                (
                    deed_of(
                        actor,
                        running.row,
                        decision,
                        words=words,
                        step_id=step_id,
                        approver_id=step.approver,
                        to=to,
                    ),
                    running.row,
                )
            )
    if not deeds:
        last = list(dict.fromkeys(step_ids))[-1]
        running = await service.check_asked(session, actor, last)
        await service.check_seen(session, running.row, versions.get(last))
    return await _written(session, deeds)


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
    return await _written(session, [(deed_of(actor, row, decision, words=words), row)])


async def _written(session: AsyncSession, deeds: Sequence[tuple[Deed, ApprovalWorkflow]]) -> list[Laid]:
    by_type: dict[str, set[int]] = {}
    for deed, _ in deeds:
        by_type.setdefault(deed.subject_type, set()).add(deed.subject_id)
    now_ = {kind: await room_of(kind).versions_of(session, ids) for kind, ids in by_type.items()}
    at = rfc3339(now())
    return [
        Laid(
            statement(replace(deed, at=at, subject_version=now_[deed.subject_type][deed.subject_id])),
            deed.step_id,
            row,
        )
        for deed, row in deeds
    ]


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
