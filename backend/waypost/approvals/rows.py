"""Workflows as rows, and the engine's view of them: loading, keeping what the engine decided, saying what happened."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.approvals import engine, events, states
from waypost.approvals.definition import Mode
from waypost.approvals.models import ApprovalStage, ApprovalStep, ApprovalWorkflow
from waypost.approvals.states import Ladder, StageStatus, StepStatus, What, WorkflowStatus
from waypost.kernel.events import SYSTEM, Doer, record

_MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Running:
    """A workflow with its rows and the engine's view of them."""

    row: ApprovalWorkflow
    stages: dict[int, ApprovalStage]
    steps: dict[int, ApprovalStep]
    state: states.State


async def running_of(session: AsyncSession, subject_type: str, subject_id: int, *, lock: bool = True) -> Running | None:
    """The workflow that judges a subject now; locked, when the caller holds the subject's lock."""
    workflow_id = await session.scalar(
        select(ApprovalWorkflow.id).where(
            ApprovalWorkflow.subject_type == subject_type,
            ApprovalWorkflow.subject_id == subject_id,
            ApprovalWorkflow.status == WorkflowStatus.RUNNING.value,
        )
    )
    return None if workflow_id is None else await load(session, workflow_id, lock=lock)


async def load(session: AsyncSession, workflow_id: int, *, lock: bool) -> Running:
    """A workflow with all of it."""
    statement = select(ApprovalWorkflow).where(ApprovalWorkflow.id == workflow_id)
    if lock:
        statement = statement.with_for_update(key_share=True).execution_options(populate_existing=True)
    row = (await session.scalars(statement)).one()
    stages = (
        await session.scalars(
            select(ApprovalStage)
            .where(ApprovalStage.workflow_id == workflow_id)
            .order_by(ApprovalStage.position, ApprovalStage.id)
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
    return _running(row, stages, steps)


async def load_all(session: AsyncSession, workflow_ids: Collection[int]) -> dict[int, Running]:
    """Workflows with all of them, by id, to look at only: three statements, however many there are."""
    ids = sorted(set(workflow_ids))
    rows = (await session.scalars(select(ApprovalWorkflow).where(ApprovalWorkflow.id.in_(ids)))).all()
    places = select(ApprovalStage).where(ApprovalStage.workflow_id.in_(ids))
    stages: dict[int, list[ApprovalStage]] = {}
    for stage in await session.scalars(places.order_by(ApprovalStage.position, ApprovalStage.id)):
        stages.setdefault(stage.workflow_id, []).append(stage)
    seats = select(ApprovalStep).where(ApprovalStep.workflow_id.in_(ids))
    steps: dict[int, list[ApprovalStep]] = {}
    for step in await session.scalars(seats.order_by(ApprovalStep.seat, ApprovalStep.id)):
        steps.setdefault(step.workflow_id, []).append(step)
    return {row.id: _running(row, stages.get(row.id, []), steps.get(row.id, [])) for row in rows}


def _running(row: ApprovalWorkflow, stages: Sequence[ApprovalStage], steps: Sequence[ApprovalStep]) -> Running:
    return Running(row, {s.id: s for s in stages}, {s.id: s for s in steps}, state_of(row, stages, steps))


def state_of(row: ApprovalWorkflow, stages: Sequence[ApprovalStage], steps: Sequence[ApprovalStep]) -> states.State:
    """The engine's view of a workflow's rows, in the order `load` reads them."""
    return states.State(
        status=WorkflowStatus(row.status),
        stages=tuple(_stage(s, [t for t in steps if t.stage_id == s.id]) for s in stages),
        barred=frozenset(row.barred_ids),
    )


def _ladder_json(ladder: Ladder) -> dict[str, Any]:
    return {
        "remind_before": [int(before / _MINUTE) for before in ladder.remind_before],
        "after": int(ladder.after / _MINUTE),
        "every": int(ladder.every / _MINUTE),
        "repeat": ladder.repeat,
        "rejects": ladder.rejects,
    }


def _ladder(kept: dict[str, Any] | None) -> Ladder:
    if kept is None:  # begun before there were ladders
        return Ladder()
    return Ladder(
        tuple(before * _MINUTE for before in kept["remind_before"]),
        kept["after"] * _MINUTE,
        kept["every"] * _MINUTE,
        kept["repeat"],
        kept["rejects"],
    )


def _stage(row: ApprovalStage, steps: Sequence[ApprovalStep]) -> states.Stage:
    return states.Stage(
        id=row.id,
        name=row.name,
        mode=Mode(row.mode),
        needed=row.needed,
        first_answer_counts=row.first_answer_counts,
        due_in=timedelta(minutes=row.due_in_minutes),
        status=StageStatus(row.status),
        steps=tuple(
            states.Step(
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
                timer_at=s.timer_at,
                reminders=s.reminders,
                climbs=s.climbs,
            )
            for s in steps
        ),
        reason=row.reason,
        position=row.position,
        ladder=_ladder(row.ladder),
        in_working_time=row.in_working_time,
    )


def _values(step: states.Step) -> dict[str, Any]:
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
        "timer_at": step.timer_at,
        "reminders": step.reminders,
        "climbs": step.climbs,
    }


def _stage_row(workflow_id: int, stage: states.Stage) -> ApprovalStage:
    return ApprovalStage(
        workflow_id=workflow_id,
        position=stage.position,
        name=stage.name,
        mode=stage.mode.value,
        needed=stage.needed,
        first_answer_counts=stage.first_answer_counts,
        due_in_minutes=int(stage.due_in / _MINUTE),
        ladder=_ladder_json(stage.ladder),
        in_working_time=stage.in_working_time,
        status=stage.status.value,
        reason=stage.reason,
    )


async def keep(
    session: AsyncSession,
    actor: Doer,
    running: Running,
    after: states.State,
    effects: Sequence[states.Effect],
    at: datetime,
    *,
    urgency: int,
    why: str = "",
) -> None:
    """Write what the engine decided to the rows, then record what happened, in order.

    What the engine made gets its rows. `why` says why places of the workflow are asked again; what ends by that is
    nobody's decision.
    """
    row = running.row
    for stage in after.stages:
        if stage.id not in running.stages:
            running.stages[stage.id] = _stage_row(row.id, stage)
            session.add(running.stages[stage.id])
            await session.flush()  # one by one: ids in the order of the places
    row.barred_ids = sorted(after.barred)
    if row.status != after.status.value:
        row.status = after.status.value
        row.ended_at = at
    for stage in after.stages:
        kept = running.stages[stage.id]
        kept.status, kept.needed = stage.status.value, stage.needed
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
        by = SYSTEM if why and isinstance(effect, states.Ended) else actor
        for event in _events(running, effect, by.person_id, why):
            await record(session, event, actor=by, at=at)


_DECIDED = {
    What.APPROVED: events.ApprovalApproved,
    What.REJECTED: events.ApprovalRejected,
    What.INFO_REQUESTED: events.InfoRequested,
}
_PASSED_ON = {
    What.DELEGATED: events.ApprovalDelegated,
    What.REROUTED: events.ApprovalRerouted,
}


def _events(running: Running, effect: states.Effect, by: int | None, why: str) -> list[events.ApprovalEvent]:
    row = running.row
    about: dict[str, Any] = {"subject_type": row.subject_type, "subject_id": row.subject_id, "workflow_id": row.id}
    if isinstance(effect, states.Ended):
        decided = events.ApprovalDecided(**about, status=effect.status.value, comments=effect.comments)
        if effect.overridden_by is None:
            return [decided]
        over = events.ApprovalOverridden(**about, status=effect.status.value, comments=effect.comments)
        return [over, decided]
    if isinstance(effect, states.QuestionsClosed):
        return [events.InfoAnswered(**about, asker_ids=effect.askers, comments=effect.comments, lapsed=effect.lapsed)]
    if isinstance(effect, states.Reopened):
        return [events.StageReopened(**about, stage_name=effect.stage.name, reason=why)]
    if isinstance(effect, states.Dropped):
        return [events.StageDropped(**about, stage_name=effect.stage.name, reason=why)]
    step = effect.step
    about |= {
        "step_id": running.steps[step.id].id,
        "stage_name": effect.stage.name,
        "approver_id": step.approver,
    }
    if effect.what is What.ASKED:
        assert step.due_at is not None
        return [events.ApprovalRequested(**about, for_id=step.on_behalf_of, due_at=step.due_at, reason=step.reason)]
    if effect.what is What.REMINDED:
        return [events.ApprovalReminded(**about, due_at=step.due_at)]
    for_id = step.on_behalf_of if by in (None, step.approver) else step.approver
    if effect.what in _DECIDED:
        by_what = running.steps[step.id].confirmed_by
        return [_DECIDED[effect.what](**about, comments=step.comments, for_id=for_id, confirmed_by=by_what)]
    assert effect.to is not None
    if effect.what is What.CLIMBED:
        about |= {"comments": engine.TOO_LATE, "by_time": True, "again": effect.again}
        return [events.ApprovalEscalated(**about, to_id=effect.to.approver)]
    if effect.what is What.ESCALATED:
        return [events.ApprovalEscalated(**about, to_id=effect.to.approver, comments=step.comments, for_id=for_id)]
    if effect.what is What.ADDED:
        return [events.ApproverAdded(**about, to_id=effect.to.approver, comments=step.comments, for_id=for_id)]
    return [_PASSED_ON[effect.what](**about, to_id=effect.to.approver, comments=step.comments)]
