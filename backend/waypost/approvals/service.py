"""`ApprovalService`: starting, deciding, answering and cancelling approvals. Ending them otherwise: `overriding.py`.

Locks are always taken in the same order: the subject first (its room does that), then the workflow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.access.queries import people_who_may, people_with_role
from waypost.approvals import delegating, deputies, engine, events, policy, signing, states, step_up
from waypost.approvals.definitions import Chosen
from waypost.approvals.errors import NobodyToAsk, NotAsked, OneByOne, StepNotFound
from waypost.approvals.finding import ADMINISTRATORS, nearest_above
from waypost.approvals.foreseeing import plan_all
from waypost.approvals.models import ApprovalStep, ApprovalWorkflow
from waypost.approvals.rows import Running, keep, load, running_of
from waypost.approvals.scopes import facts_kept
from waypost.approvals.seen import changes_since, is_one_by_one, keep_version
from waypost.approvals.signing import Signature
from waypost.approvals.states import StepStatus, Verb, WorkflowStatus
from waypost.approvals.subject import Subject, room_of
from waypost.approvals.working import with_hours
from waypost.directory.names import names
from waypost.directory.queries import people_facts
from waypost.kernel.clock import now
from waypost.kernel.errors import StaleVersion
from waypost.kernel.events import Doer, record

_DONE = {Verb.APPROVE: StepStatus.APPROVED, Verb.REJECT: StepStatus.REJECTED}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What deciding a step led to."""

    step_id: int
    workflow_id: int
    workflow_status: str
    subject_type: str
    subject_id: int


# --- beginning --------------------------------------------------------------------------------------------------------


async def start(
    session: AsyncSession, actor: Doer, subject: Subject, *, named: Chosen | None = None
) -> ApprovalWorkflow:
    """Ask who must say yes to this subject. The caller holds the subject's lock.

    `named` is the workflow to judge it by; without, the workflows' conditions choose.

    Raises `NobodyToAsk` when nobody can be found at all.
    """
    at = now()
    chosen, plan_ = await _planned(session, subject, named)
    state, effects = engine.begin(await with_hours(session, plan_), at)
    row = ApprovalWorkflow(
        definition_id=chosen.definition_id,
        definition_version=chosen.version,
        name=chosen.definition.name,
        reason=chosen.why,
        is_named=named is not None,
        subject_type=subject.type,
        subject_id=subject.id,
        subject=subject.shown,
        facts=facts_kept(subject.lasting_facts),
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
    running = Running(row, {}, {}, state)
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
    await keep(session, actor, running, state, effects, at, urgency=subject.urgency)
    return row


async def _planned(session: AsyncSession, subject: Subject, named: Chosen | None) -> tuple[Chosen, states.State]:
    """The very plan a preview shows. Raises `NobodyToAsk` when a stage that applies has nobody."""
    [foreseen] = await plan_all(session, [subject], chosen=named)
    if foreseen.lacking:
        raise NobodyToAsk
    return foreseen.chosen, foreseen.state


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
    signature: Signature = None,
) -> Outcome:
    """Answer a step. Of answers at the same moment one wins; the same answer again is answered as it was.

    `version` is the subject's as it was looked at, `signature` a passkey's of exactly this decision. Raises `StepNotFound`
    (404), then `Forbidden`, `NotAsked` or `SelfApproval` (403), then what `engine.check` raises, then `OneByOne` when
    `is_one_of_many` and it may not be, then `StaleVersion`, with what reads differently now, and at last `StepUpNeeded` or
    `SignatureRefused`.
    """
    running = await find_step(session, actor, step_id, lock=True)
    actor.require(Permission.APPROVALS_DECIDE)
    _, step = running.state.find(step_id)
    if step.decided_by == actor.user_id and step.status is _DONE.get(verb):
        return _outcome(running, step_id)
    at = now()
    how = "added" if verb is Verb.ADD_APPROVER else "handed on"
    me = (await names.people(session, [actor.user_id])).get(actor.user_id)
    to, why = delegate_to, f"{how} by {me['name'] if me else actor.username}"
    if verb is Verb.ESCALATE:
        to, why = await _next_above(session, running, step), "next in line, escalated"
    deputy = await _is_deputy(session, actor, running, step_id, at, lock=True)
    action = states.Action(verb, step_id, actor.user_id, comments.strip(), to, to_reason=why, as_deputy=deputy)
    if verb in (Verb.DELEGATE, Verb.ADD_APPROVER) and to is not None:
        person = (await people_facts(session, [to])).get(to)
        may = await people_who_may(session, Permission.APPROVALS_DECIDE, [to])
        action = replace(action, to_is_able=person is not None and person.is_active and to in may)
    state = await with_hours(session, running.state, () if to is None else (to,))
    after, effects = engine.act(state, action, at)
    if is_one_of_many and running.row.one_by_one:
        raise OneByOne
    await check_seen(session, running.row, version)
    deed = signing.deed_of(
        actor,
        running.row,
        verb.value.upper(),
        words=comments,
        step_id=step_id,
        approver_id=step.approver,
        to=delegate_to,
    )
    # last: nobody confirms for a decision that would be refused anyway
    confirmed = await signing.confirm(session, actor, running.row, deed, signature, is_asked=verb in step_up.ASKING)
    if verb is not Verb.ADD_APPROVER:  # that decides nothing
        running.steps[step_id].confirmed_by = confirmed.by
    await keep(session, actor, running, after, effects, at, urgency=running.steps[step_id].urgency)
    await signing.keep(session, actor, confirmed, at)
    return _outcome(running, step_id)


async def check_seen(session: AsyncSession, row: ApprovalWorkflow, version: int | None) -> None:
    """Raises `StaleVersion` when a subject reads differently than in the version somebody looked at."""
    if version is not None and version != row.subject_version:
        raise StaleVersion(
            "The request was changed since you looked at it. Please look again.",
            current_version=row.subject_version,
            changes=await changes_since(session, row, version),
        )


async def check_asked(session: AsyncSession, actor: Actor, step_id: int) -> Running:
    """Raises `StepNotFound`, `Forbidden` or `NotAsked` for everybody but the one who is asked, and their deputies."""
    running = await find_step(session, actor, step_id)
    actor.require(Permission.APPROVALS_DECIDE)
    _, step = running.state.find(step_id)
    may = actor.user_id in (step.approver, step.decided_by)
    if not may and not await _is_deputy(session, actor, running, step_id, now()):
        raise NotAsked
    return running


async def changes_of_step(session: AsyncSession, actor: Actor, step_id: int, *, since: int) -> dict[str, Any]:
    """What reads differently than in an earlier version: `{version, changes}`. Raises `StepNotFound`."""
    running = await find_step(session, actor, step_id)
    return {
        "version": running.row.subject_version,
        "changes": await changes_since(session, running.row, since),
    }


async def _is_deputy(
    session: AsyncSession, actor: Actor, running: Running, step_id: int, at: datetime, *, lock: bool = False
) -> bool:
    """Whether this person stands in for the one who is asked, now and for this; also for a step decided meanwhile."""
    _, step = running.state.find(step_id)
    if actor.user_id == step.approver or step.requested_at is None:
        return False
    windows = await delegating.windows_to(session, [step.approver], actor.user_id, at, lock=lock)
    return stands_in(actor, running, step_id, windows, at)


def stands_in(actor: Actor, running: Running, step_id: int, windows: Sequence[deputies.Window], at: datetime) -> bool:
    """The same, of the windows that are open to this person."""
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
    running = await load(session, found.workflow_id, lock=lock)
    if policy.may_read(actor, asked_of(running)) or await room.may_read(session, actor, found.subject_id):
        return running
    # A deputy who comes a moment late is told that it is decided, not that there is nothing.
    if not await _is_deputy(session, actor, running, step_id, now()):
        raise StepNotFound
    return running


def asked_of(running: Running) -> set[int]:
    """Who was asked, or has answered."""
    asked = {s.approver_id for s in running.steps.values() if s.requested_at is not None}
    return asked | {s.decided_by_id for s in running.steps.values() if s.decided_by_id is not None}


async def _next_above(session: AsyncSession, running: Running, step: states.Step) -> int | None:
    """Who is further up than the approver: their nearest manager who may decide it, else an administrator."""
    admins = await people_with_role(session, str(ADMINISTRATORS.target))
    active = await people_facts(session, admins)
    return await nearest_above(session, running.state, step, beyond=[i for i in admins if active[i].is_active])


async def answer(session: AsyncSession, actor: Actor, subject_type: str, subject_id: int, comments: str) -> None:
    """The requester's answer to the open questions. The caller holds the subject's lock."""
    running = await running_of(session, subject_type, subject_id)
    if running is not None:
        at = now()
        after, effects = engine.answer(await with_hours(session, running.state), comments, at)
        await keep(session, actor, running, after, effects, at, urgency=0)


async def cancel(session: AsyncSession, actor: Doer, subject_type: str, subject_id: int, reason: str) -> None:
    """End a running approval without a result. The caller holds the subject's lock."""
    running = await running_of(session, subject_type, subject_id)
    if running is None:
        return
    at = now()
    after, effects = engine.cancel(running.state)
    await keep(session, actor, running, after, effects, at, urgency=0)
    await record(
        session,
        events.ApprovalCancelled(
            subject_type=subject_type, subject_id=subject_id, workflow_id=running.row.id, reason=reason
        ),
        actor=actor,
        at=at,
    )


# --- begun by an earlier release --------------------------------------------------------------------------------------


async def lacking_facts(session: AsyncSession, subject_type: str) -> list[int]:
    """The ids of subjects whose running approval began before facts were kept, so that no limited delegation covers it."""
    found = (
        select(ApprovalWorkflow.subject_id)
        .where(
            ApprovalWorkflow.status == WorkflowStatus.RUNNING.value,
            ApprovalWorkflow.facts.is_(None),
            ApprovalWorkflow.subject_type == subject_type,
        )
        .order_by(ApprovalWorkflow.subject_id)
    )
    return list(await session.scalars(found))


async def add_facts(session: AsyncSession, subject: Subject) -> None:
    """Keep what conditions look at, where it was not kept. The caller holds the subject's lock."""
    running = await running_of(session, subject.type, subject.id)
    if running is not None and running.row.facts is None:
        running.row.facts = facts_kept(subject.lasting_facts)
        await session.flush()


def _outcome(running: Running, step_id: int) -> Outcome:
    row = running.row
    return Outcome(step_id, row.id, row.status, row.subject_type, row.subject_id)
