"""`ApprovalService`: starting, deciding, answering and cancelling approvals.

Locks are always taken in the same order: the subject first (its room does that), then the workflow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.access.queries import people_who_may, people_with_role
from waypost.approvals import delegating, deputies, engine, events, policy
from waypost.approvals.definition import Mode
from waypost.approvals.definitions import Chosen
from waypost.approvals.engine import StageStatus, StepStatus, Verb, WorkflowStatus
from waypost.approvals.errors import NobodyToAsk, NotAsked, OneByOne, StepNotFound
from waypost.approvals.finding import ADMINISTRATORS
from waypost.approvals.foreseeing import plan_all
from waypost.approvals.models import ApprovalStage, ApprovalStep, ApprovalWorkflow
from waypost.approvals.planning import signature
from waypost.approvals.scopes import facts_kept
from waypost.approvals.seen import changes_since, is_one_by_one, keep_version
from waypost.approvals.subject import Subject, room_of
from waypost.directory.queries import people_facts
from waypost.kernel.clock import now
from waypost.kernel.errors import StaleVersion
from waypost.kernel.events import Doer, record

_DONE = {Verb.APPROVE: StepStatus.APPROVED, Verb.REJECT: StepStatus.REJECTED}
_HELD = frozenset({*_DONE.values(), *engine.UNDECIDED})


@dataclass(slots=True)
class Running:
    """A workflow with its rows and the engine's view of them."""

    row: ApprovalWorkflow
    stages: dict[int, ApprovalStage]
    steps: dict[int, ApprovalStep]
    state: engine.State


@dataclass(frozen=True, slots=True)
class Outcome:
    """What deciding a step led to."""

    step_id: int
    workflow_id: int
    workflow_status: str
    subject_type: str
    subject_id: int


# --- beginning --------------------------------------------------------------------------------------------------------


async def start(session: AsyncSession, actor: Doer, subject: Subject) -> ApprovalWorkflow:
    """Ask who must say yes to this subject. The caller holds the subject's lock.

    Raises `NobodyToAsk` when nobody can be found at all.
    """
    at = now()
    chosen, planned = await _planned(session, subject)
    state, effects = engine.begin(planned, at)
    row = ApprovalWorkflow(
        definition_id=chosen.definition_id,
        definition_version=chosen.version,
        name=chosen.definition.name,
        reason=chosen.why,
        subject_type=subject.type,
        subject_id=subject.id,
        subject=subject.shown,
        facts=facts_kept(subject.facts),
        subject_version=1,
        one_by_one=is_one_by_one(subject, chosen.definition.one_by_one_above),
        one_by_one_above=chosen.definition.one_by_one_above,
        round=subject.round,
        status=WorkflowStatus.RUNNING.value,
        barred_ids=sorted(subject.barred),
        started_at=at,
        ended_at=None,
    )
    session.add(row)
    await session.flush()
    keep_version(session, row, at)
    stages: dict[int, ApprovalStage] = {}
    for position, stage in enumerate(state.stages, 1):
        stages[stage.id] = ApprovalStage(
            workflow_id=row.id,
            position=position,
            name=stage.name,
            mode=stage.mode.value,
            needed=stage.needed,
            first_answer_counts=stage.first_answer_counts,
            due_in_minutes=int(stage.due_in / timedelta(minutes=1)),
            status=stage.status.value,
            reason=stage.reason,
        )
    session.add_all(stages.values())
    await session.flush()
    running = Running(row, stages, {}, state)
    await record(
        session,
        events.ApprovalStarted(
            subject_type=row.subject_type,
            subject_id=row.subject_id,
            workflow_id=row.id,
            workflow_name=row.name,
            round=row.round,
            reason=row.reason,
        ),
        actor=actor,
        at=at,
    )
    await _keep(session, actor, running, state, effects, at, urgency=subject.urgency)
    return row


async def _planned(session: AsyncSession, subject: Subject) -> tuple[Chosen, engine.State]:
    """The very plan a preview shows. Raises `NobodyToAsk` when a stage that applies has nobody."""
    [foreseen] = await plan_all(session, [subject])
    if foreseen.lacking:
        raise NobodyToAsk
    return foreseen.chosen, foreseen.state


async def must_ask_again(session: AsyncSession, before: Subject, after: Subject, *, facts_changed: bool) -> bool:
    """Whether a changed subject needs other approvers, or was approved in part on other facts (`facts_changed`).

    Both are planned on the company as it is now: that somebody moved in the meantime is no reason to ask again.
    """
    running = await _running(session, after.type, after.id)
    if running is None:
        return False
    if facts_changed and any(s.status in _DONE.values() for s in running.steps.values()):
        return True
    changed_it = after.barred - before.barred
    if any({s.approver_id, s.decided_by_id} & changed_it and s.status in _HELD for s in running.steps.values()):
        return True  # who said yes and then changes it, or is asked and changes it, would decide what is theirs
    _, old = await _planned(session, before)
    _, new = await _planned(session, after)
    return signature(old) != signature(new)


async def refresh(session: AsyncSession, subject: Subject) -> None:
    """Show approvers the subject as it reads now, when an edit does not need them to be asked again.

    It is the subject's next version: who looked at an earlier one is told before they decide, and what was decided on
    an earlier one says so.
    """
    running = await _running(session, subject.type, subject.id)
    if running is None:
        return
    row = running.row
    row.barred_ids = sorted(subject.barred)
    row.facts = facts_kept(subject.facts)
    if row.subject != subject.shown:
        row.subject, row.subject_version = subject.shown, row.subject_version + 1
        keep_version(session, row, now())
    row.one_by_one = is_one_by_one(subject, row.one_by_one_above)
    for step in running.steps.values():
        step.urgency = subject.urgency
    await session.flush()


# --- deciding ---------------------------------------------------------------------------------------------------------


async def decide(
    session: AsyncSession,
    actor: Actor,
    step_id: int,
    verb: Verb,
    *,
    comments: str = "",
    delegate_to: int | None = None,
    version: int | None = None,
    is_one_of_many: bool = False,
) -> Outcome:
    """Answer a step. Of answers at the same moment one wins; the same answer again is answered as it was.

    `version` is the subject's as it was looked at. Raises `StepNotFound` (404), then `Forbidden`, `NotAsked` or
    `SelfApproval` (403), then what `engine.check` raises, then `OneByOne` when `is_one_of_many` and it may not be, then
    `StaleVersion`, with what reads differently now.
    """
    running = await find_step(session, actor, step_id, lock=True)
    actor.require(Permission.APPROVALS_DECIDE)
    _, step = running.state.find(step_id)
    if step.decided_by == actor.user_id and step.status is _DONE.get(verb):
        return _outcome(running, step_id)
    at = now()
    to, why = delegate_to, f"handed on by {actor.username}"
    if verb is Verb.ESCALATE:
        to, why = await _next_above(session, running, step), "next in line, escalated"
    deputy = await _is_deputy(session, actor, running, step_id, at)
    action = engine.Action(verb, step_id, actor.user_id, comments.strip(), to, to_reason=why, as_deputy=deputy)
    if verb is Verb.DELEGATE and to is not None:
        person = (await people_facts(session, [to])).get(to)
        may = await people_who_may(session, Permission.APPROVALS_DECIDE, [to])
        action = replace(action, to_is_able=person is not None and person.is_active and to in may)
    after, effects = engine.act(running.state, action, at)
    if is_one_of_many and running.row.one_by_one:
        raise OneByOne
    if version is not None and version != running.row.subject_version:
        raise StaleVersion(
            "The request was changed since you looked at it. Please look again.",
            current_version=running.row.subject_version,
            changes=await changes_since(session, running.row, version),
        )
    await _keep(session, actor, running, after, effects, at, urgency=running.steps[step_id].urgency)
    return _outcome(running, step_id)


async def check_asked(session: AsyncSession, actor: Actor, step_id: int) -> None:
    """Raises `StepNotFound`, `Forbidden` or `NotAsked` for everybody but the one who is asked, and their deputies."""
    running = await find_step(session, actor, step_id)
    actor.require(Permission.APPROVALS_DECIDE)
    _, step = running.state.find(step_id)
    may = actor.user_id in (step.approver, step.decided_by)
    if not may and not await _is_deputy(session, actor, running, step_id, now()):
        raise NotAsked


async def changes_of_step(session: AsyncSession, actor: Actor, step_id: int, *, since: int) -> dict[str, Any]:
    """What reads differently than in an earlier version: `{version, changes}`. Raises `StepNotFound`."""
    running = await find_step(session, actor, step_id)
    return {
        "version": running.row.subject_version,
        "changes": await changes_since(session, running.row, since),
    }


async def _is_deputy(session: AsyncSession, actor: Actor, running: Running, step_id: int, at: datetime) -> bool:
    """Whether this person stands in for the one who is asked, now and for this; also for a step decided meanwhile."""
    stage, step = running.state.find(step_id)
    if actor.user_id == step.approver or step.requested_at is None:
        return False
    others = [s for s in stage.steps if s.id != step_id]
    asked = deputies.Asked(
        approver=step.approver,
        requested_at=step.requested_at,
        facts=running.row.facts,
        barred=running.state.barred,
        taken=frozenset(i for s in others for i in (s.approver, s.decided_by) if i is not None),
    )
    windows = await delegating.windows_between(session, step.approver, actor.user_id, at)
    return deputies.may_act(windows, actor.user_id, asked, at)


async def find_step(session: AsyncSession, actor: Actor, step_id: int, *, lock: bool = False) -> Running:
    """The workflow of a step this person may see, locked when asked. Raises `StepNotFound`."""
    key = select(ApprovalStep.workflow_id, ApprovalStep.subject_type, ApprovalStep.subject_id)
    found = (await session.execute(key.where(ApprovalStep.id == step_id))).first()
    if found is None:
        raise StepNotFound
    room = room_of(found.subject_type)
    if lock:
        await room.lock(session, found.subject_id)
    running = await _load(session, found.workflow_id, lock=lock)
    asked = {s.approver_id for s in running.steps.values() if s.requested_at is not None}
    asked |= {s.decided_by_id for s in running.steps.values() if s.decided_by_id is not None}
    if policy.may_read(actor, asked) or await room.may_read(session, actor, found.subject_id):
        return running
    # A deputy who comes a moment late is told that it is decided, not that there is nothing.
    if not await _is_deputy(session, actor, running, step_id, now()):
        raise StepNotFound
    return running


async def _next_above(session: AsyncSession, running: Running, step: engine.Step) -> int | None:
    """Who is further up than the approver: their nearest manager who may decide it, else an administrator."""
    stage, _ = running.state.find(step.id)
    taken = running.state.barred | {s.approver for s in stage.steps}
    people = await people_facts(session, [step.approver])
    line = people[step.approver].manager_line if step.approver in people else ()
    admins = await people_with_role(session, str(ADMINISTRATORS.target))
    active = await people_facts(session, admins)
    above = [*line, *(i for i in admins if active[i].is_active)]
    able = await people_who_may(session, Permission.APPROVALS_DECIDE, above)
    return next((i for i in above if i in able and i not in taken), None)


async def answer(session: AsyncSession, actor: Actor, subject_type: str, subject_id: int, comments: str) -> None:
    """The requester's answer to the open questions. The caller holds the subject's lock."""
    running = await _running(session, subject_type, subject_id)
    if running is not None:
        at = now()
        after, effects = engine.answer(running.state, comments, at)
        await _keep(session, actor, running, after, effects, at, urgency=0)


async def cancel(session: AsyncSession, actor: Doer, subject_type: str, subject_id: int, reason: str) -> None:
    """End a running approval without a result. The caller holds the subject's lock."""
    running = await _running(session, subject_type, subject_id)
    if running is None:
        return
    at = now()
    after, effects = engine.cancel(running.state)
    await _keep(session, actor, running, after, effects, at, urgency=0)
    await record(
        session,
        events.ApprovalCancelled(
            subject_type=subject_type, subject_id=subject_id, workflow_id=running.row.id, reason=reason
        ),
        actor=actor,
        at=at,
    )


# --- rows and the engine's view ---------------------------------------------------------------------------------------


async def _running(session: AsyncSession, subject_type: str, subject_id: int) -> Running | None:
    workflow_id = await session.scalar(
        select(ApprovalWorkflow.id).where(
            ApprovalWorkflow.subject_type == subject_type,
            ApprovalWorkflow.subject_id == subject_id,
            ApprovalWorkflow.status == WorkflowStatus.RUNNING.value,
        )
    )
    return None if workflow_id is None else await _load(session, workflow_id, lock=True)


async def _load(session: AsyncSession, workflow_id: int, *, lock: bool) -> Running:
    statement = select(ApprovalWorkflow).where(ApprovalWorkflow.id == workflow_id)
    if lock:
        statement = statement.with_for_update(key_share=True).execution_options(populate_existing=True)
    row = (await session.scalars(statement)).one()
    stages = (
        await session.scalars(
            select(ApprovalStage)
            .where(ApprovalStage.workflow_id == workflow_id)
            .order_by(ApprovalStage.position)
            .execution_options(populate_existing=lock)
        )
    ).all()
    steps = (
        await session.scalars(
            select(ApprovalStep)
            .where(ApprovalStep.workflow_id == workflow_id)
            .order_by(ApprovalStep.seat, ApprovalStep.id)
            .execution_options(populate_existing=lock)
        )
    ).all()
    state = engine.State(
        status=WorkflowStatus(row.status),
        stages=tuple(_stage(s, [t for t in steps if t.stage_id == s.id]) for s in stages),
        barred=frozenset(row.barred_ids),
    )
    return Running(row, {s.id: s for s in stages}, {s.id: s for s in steps}, state)


def _stage(row: ApprovalStage, steps: Sequence[ApprovalStep]) -> engine.Stage:
    return engine.Stage(
        id=row.id,
        name=row.name,
        mode=Mode(row.mode),
        needed=row.needed,
        first_answer_counts=row.first_answer_counts,
        due_in=timedelta(minutes=row.due_in_minutes),
        status=StageStatus(row.status),
        steps=tuple(
            engine.Step(
                id=s.id,
                seat=s.seat,
                order=s.step_order,
                approver=s.approver_id,
                status=StepStatus(s.status),
                on_behalf_of=s.on_behalf_of_id,
                reason=s.reason,
                requested_at=s.requested_at,
                due_at=s.due_at,
                info_requested_at=s.info_requested_at,
                decided_at=s.decided_at,
                decided_by=s.decided_by_id,
                comments=s.comments,
            )
            for s in steps
        ),
        reason=row.reason,
    )


def _values(step: engine.Step) -> dict[str, Any]:
    return {
        "seat": step.seat,
        "step_order": step.order,
        "approver_id": step.approver,
        "on_behalf_of_id": step.on_behalf_of,
        "status": step.status.value,
        "reason": step.reason,
        "requested_at": step.requested_at,
        "due_at": step.due_at,
        "info_requested_at": step.info_requested_at,
        "decided_at": step.decided_at,
        "decided_by_id": step.decided_by,
        "comments": step.comments,
    }


async def _keep(
    session: AsyncSession,
    actor: Doer,
    running: Running,
    after: engine.State,
    effects: Sequence[engine.Effect],
    at: datetime,
    *,
    urgency: int,
) -> None:
    """Write what the engine decided to the rows, then record what happened, in order."""
    row = running.row
    if row.status != after.status.value:
        row.status = after.status.value
        row.ended_at = at
    for stage in after.stages:
        kept = running.stages[stage.id]
        kept.status = stage.status.value
        for step in stage.steps:
            if step.id in running.steps:
                kept_step = running.steps[step.id]
                if step.decided_at is not None and kept_step.decided_at is None:
                    kept_step.decided_version = row.subject_version
                for column, value in _values(step).items():
                    setattr(kept_step, column, value)
            else:
                running.steps[step.id] = ApprovalStep(
                    workflow_id=row.id,
                    stage_id=kept.id,
                    subject_type=row.subject_type,
                    subject_id=row.subject_id,
                    urgency=urgency,
                    **_values(step),
                )
                session.add(running.steps[step.id])
                await session.flush()  # one by one: ids in the order of the seats
    await session.flush()
    running.state = after
    for effect in effects:
        await record(session, _event(running, effect, actor.person_id), actor=actor, at=at)


def _event(running: Running, effect: engine.Effect, by: int | None) -> events.ApprovalEvent:
    row = running.row
    about: dict[str, Any] = {
        "subject_type": row.subject_type,
        "subject_id": row.subject_id,
        "workflow_id": row.id,
    }
    if isinstance(effect, engine.Ended):
        return events.ApprovalDecided(**about, status=effect.status.value, comments=effect.comments)
    if isinstance(effect, engine.QuestionsClosed):
        return events.InfoAnswered(**about, asker_ids=effect.askers, comments=effect.comments, lapsed=effect.lapsed)
    step = effect.step
    about |= {
        "step_id": running.steps[step.id].id,
        "stage_name": effect.stage.name,
        "approver_id": step.approver,
    }
    if isinstance(effect, engine.Asked):
        assert step.due_at is not None
        return events.ApprovalRequested(**about, for_id=step.on_behalf_of, due_at=step.due_at, reason=step.reason)
    for_id = step.on_behalf_of if by in (None, step.approver) else step.approver
    if effect.to is not None:
        about |= {"to_id": effect.to.approver, "comments": step.comments}
        if effect.verb is Verb.DELEGATE:
            return events.ApprovalDelegated(**about)
        return events.ApprovalEscalated(**about, for_id=for_id)
    said = {
        Verb.APPROVE: events.ApprovalApproved,
        Verb.REJECT: events.ApprovalRejected,
        Verb.REQUEST_INFO: events.InfoRequested,
    }[effect.verb]
    return said(**about, comments=step.comments, for_id=for_id)


def _outcome(running: Running, step_id: int) -> Outcome:
    row = running.row
    return Outcome(step_id, row.id, row.status, row.subject_type, row.subject_id)
