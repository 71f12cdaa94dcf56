"""Somebody leaves: what waits for their decision goes to somebody who is there, and their delegations end.

What they were to decide for somebody else goes back to that person. Otherwise who is asked instead is found as a plan
finds them: up the leaver's manager line, then the stage's fallback, then an administrator; nobody who is barred or has a
part in the stage. Everything happens in the transaction that deactivates them, so it is all given on or they stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.permissions import Permission
from waypost.access.queries import people_who_may
from waypost.approvals import delegating, engine, states
from waypost.approvals.climbing import subject_of
from waypost.approvals.definitions import chosen_version
from waypost.approvals.errors import NobodyToAsk
from waypost.approvals.finding import ADMINISTRATORS, candidates
from waypost.approvals.models import ApprovalStep
from waypost.approvals.rows import Running, keep, load
from waypost.approvals.states import UNDECIDED, Receiver
from waypost.approvals.subject import room_of
from waypost.approvals.working import with_hours
from waypost.directory.events import UserDeactivated
from waypost.directory.models import User
from waypost.directory.queries import manager_lines, people_facts
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.errors import Refusal
from waypost.kernel.events import SYSTEM, Doer
from waypost.kernel.logs import get_logger

TASK = "approvals.leavers"
BATCH = 50
WHY = "does not work here any more"
_UNDECIDED = [s.value for s in sorted(UNDECIDED)]
_log = get_logger(__name__)


async def on_user_deactivated(session: AsyncSession, event: UserDeactivated, actor: Doer) -> None:
    """Give on what waits for somebody who leaves. Raises `NobodyToAsk`, and then they stay."""
    waiting = (
        select(ApprovalStep.subject_type, ApprovalStep.subject_id, ApprovalStep.workflow_id)
        .where(ApprovalStep.approver_id == event.user_id, ApprovalStep.status.in_(_UNDECIDED))
        .distinct()
        .order_by(ApprovalStep.subject_type, ApprovalStep.subject_id)
    )
    at = now()
    for subject_type, subject_id, workflow_id in (await session.execute(waiting)).all():
        await room_of(subject_type).lock(session, subject_id)
        await _reroute(session, actor, await load(session, workflow_id, lock=True), event.user_id, at)
    await delegating.end_of_leaver(session, actor, event.user_id)


async def _reroute(session: AsyncSession, actor: Doer, running: Running, user_id: int, at: datetime) -> None:
    """Ask others for every undecided step of somebody in a workflow."""
    steps = [s for stage in running.state.stages for s in stage.steps]
    for step in steps:
        if step.approver != user_id or step.status not in UNDECIDED:
            continue
        to = await _instead(session, running, step)
        state = await with_hours(session, running.state, (to.person,))
        after, effects = engine.reroute(state, step.id, to, at)
        await keep(session, actor, running, after, effects, at, urgency=running.steps[step.id].urgency)


async def _instead(session: AsyncSession, running: Running, step: states.Step) -> Receiver:
    """Who is asked in the place of an approver who left. Raises `NobodyToAsk`."""
    stage, _ = running.state.find(step.id)
    if await _may_take_back(session, running, stage, step):
        assert step.on_behalf_of is not None
        return Receiver(step.on_behalf_of, f"given back, because the one who was to decide for them {WHY}")
    taken = running.state.barred | stage.involved()
    line = (await manager_lines(session, [step.approver]))[step.approver]
    able = await people_who_may(session, Permission.APPROVALS_DECIDE, line)
    for boss in line:
        if boss in able and boss not in taken:
            return Receiver(boss, f"next in line, because the one who was asked {WHY}")
    row = running.row
    keeps = (await chosen_version(session, row.definition_id, row.definition_version)).definition
    fallback = keeps.stages[stage.position - 1].fallback if 0 < stage.position <= len(keeps.stages) else ()
    for found in await candidates(session, [fallback, (ADMINISTRATORS,)], subject_of(row)):
        for candidate in found:
            if candidate.is_able and candidate.person not in taken:
                return Receiver(candidate.person, f"{candidate.why}, because the one who was asked {WHY}")
    number = row.subject.get("ticket_number", "")
    raise NobodyToAsk(f"Nobody else may decide {number}, which waits for them. Please decide or withdraw it first.")


async def _may_take_back(session: AsyncSession, running: Running, stage: states.Stage, step: states.Step) -> bool:
    """Whether the one for whom a step was to be decided handed it on themselves, and may decide it."""
    back = step.on_behalf_of
    if (
        back is None
        or back in running.state.barred
        or all(back != s.approver for s in stage.steps if s.seat == step.seat)
    ):
        return False
    people = await people_facts(session, [back])
    is_there = back in people and people[back].is_active
    return is_there and back in await people_who_may(session, Permission.APPROVALS_DECIDE, [back])


async def sweep(database: Database) -> int:
    """Give on what waits for people who are not active: what was asked of them at the very moment they left, and what
    a directory elsewhere deactivated. Each workflow in a transaction of its own; one that cannot be given on stands in
    nobody's way. Answers how many there were.
    """
    count = last = 0
    while left := await _left_behind(database, last):
        for workflow_id, subject_type, subject_id, user_id in left:
            try:
                async with database.transaction() as session:
                    await room_of(subject_type).lock(session, subject_id)
                    running = await load(session, workflow_id, lock=True)
                    if not await _is_active(session, user_id):
                        await _reroute(session, SYSTEM, running, user_id, now())
            except Refusal as refused:
                _log.warning("a leaver's approval stays", workflow_id=workflow_id, why=refused.detail)
            except Exception:
                _log.exception("a leaver's approval could not be given on", workflow_id=workflow_id)
        count, last = count + len(left), left[-1].workflow_id
    return count


async def _left_behind(database: Database, last: int) -> Sequence[Any]:
    """What is asked of people who are not active, in the next `BATCH` workflows behind `last`."""
    asked = and_(~User.is_active, ApprovalStep.status.in_([s.value for s in sorted(states.ASKED)]))
    at_all = select(ApprovalStep.workflow_id).join(User, User.id == ApprovalStep.approver_id)
    batch = at_all.where(asked, ApprovalStep.workflow_id > last).distinct().order_by(ApprovalStep.workflow_id)
    async with database.read() as session:
        found = await session.execute(
            select(ApprovalStep.workflow_id, ApprovalStep.subject_type, ApprovalStep.subject_id, User.id)
            .join(User, User.id == ApprovalStep.approver_id)
            .where(asked, ApprovalStep.workflow_id.in_(batch.limit(BATCH)))
            .distinct()
            .order_by(ApprovalStep.workflow_id, User.id)
        )
        return found.all()


async def _is_active(session: AsyncSession, user_id: int) -> bool:
    return bool(await session.scalar(select(User.is_active).where(User.id == user_id)))
