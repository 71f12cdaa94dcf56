"""Whose many steps are to decide: what `service.check_asked` says of one, of all of them in as many statements as of one."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.approvals import delegating, policy
from waypost.approvals.models import ApprovalStep
from waypost.approvals.rows import Running, load_all
from waypost.approvals.service import asked_of, stands_in
from waypost.approvals.subject import room_of
from waypost.kernel.clock import now


async def asked_about(session: AsyncSession, actor: Actor, step_ids: Sequence[int]) -> dict[int, Running]:
    """Those of these steps that this person is asked about, or as a deputy, in the order given; others are left out."""
    if not actor.may(Permission.APPROVALS_DECIDE):
        return {}
    wanted = list(dict.fromkeys(step_ids))
    rows = await session.execute(select(ApprovalStep.id, ApprovalStep.workflow_id).where(ApprovalStep.id.in_(wanted)))
    place = {row.id: row.workflow_id for row in rows}
    running = await load_all(session, place.values())
    found = {step_id: running[place[step_id]] for step_id in wanted if step_id in place}
    unseen: dict[str, set[int]] = {}
    for one in running.values():
        if not policy.may_read(actor, asked_of(one)):
            unseen.setdefault(one.row.subject_type, set()).add(one.row.subject_id)
    read = {kind: await room_of(kind).those_read(session, actor, ids) for kind, ids in unseen.items()}
    at, approvers = now(), {one.state.find(step_id)[1].approver for step_id, one in found.items()} - {actor.user_id}
    windows = await delegating.windows_to(session, approvers, actor.user_id, at) if approvers else []

    def is_theirs(step_id: int, one: Running) -> bool:
        _, step = one.state.find(step_id)
        if stands_in(actor, one, step_id, windows, at):
            return True
        kind, subject_id = one.row.subject_type, one.row.subject_id
        is_seen = subject_id not in unseen.get(kind, ()) or subject_id in read[kind]
        return is_seen and actor.user_id in (step.approver, step.decided_by)

    return {step_id: one for step_id, one in found.items() if is_theirs(step_id, one)}
