"""Who stands in for whom now, as SQL: the twin of `deputies.may_act` (a test holds both equal).

Every window is compared with an instant the reader brings, so a right is there from the moment its window opens and is
gone the moment it ends, whether any job ran or not. `approval_deputies` holds the chains; what is read of it is always a
walk of an index from one person.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ScalarSelect,
    Select,
    all_,
    and_,
    any_,
    cast,
    exists,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONPATH
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from waypost.approvals.deputy_models import ApprovalDeputy
from waypost.approvals.models import ApprovalStep, ApprovalWorkflow
from waypost.approvals.states import ASKED, WorkflowStatus

_ASKED = [s.value for s in sorted(ASKED)]
NO_VARIABLES: ColumnElement[Any] = literal_column("'{}'::jsonb")
SILENT: ColumnElement[Any] = literal_column("true")
_A_MOMENT: ColumnElement[Any] = literal_column("interval '1 minute'")
# Names of their own: these statements stand inside others that read steps as well.
Step = aliased(ApprovalStep, name="step_asked")
Workflow = aliased(ApprovalWorkflow, name="workflow_asked")


def _may(at: Any) -> ColumnElement[bool]:
    """Whether a right reaches a step at an instant; over `ApprovalDeputy`, `Step` and `Workflow`."""
    seat = aliased(ApprovalStep, name="step_of_stage")
    person = ApprovalDeputy.deputy_id
    has_part = exists().where(
        seat.workflow_id == Step.workflow_id,  # by which there is an index
        seat.stage_id == Step.stage_id,
        or_(seat.approver_id == person, seat.decided_by_id == person),
    )
    fits = func.jsonb_path_match(Workflow.facts, cast(ApprovalDeputy.scope, JSONPATH), NO_VARIABLES, SILENT)
    return and_(
        ApprovalDeputy.approver_id == Step.approver_id,
        ApprovalDeputy.starts_at <= at,
        ApprovalDeputy.ends_at > at,
        or_(ApprovalDeputy.asked_from.is_(None), Step.requested_at >= ApprovalDeputy.asked_from),
        or_(ApprovalDeputy.scope.is_(None), fits),
        person != all_(Workflow.barred_ids),
        ~ApprovalDeputy.through_ids.bool_op("&&")(Workflow.barred_ids),
        ~has_part,
    )


def _from_step(*columns: Any) -> Select[*tuple[Any, ...]]:
    return (
        select(*columns)
        .select_from(Step)
        .join(Workflow, Workflow.id == Step.workflow_id)
        .join(ApprovalDeputy, ApprovalDeputy.approver_id == Step.approver_id)
    )


def steps_as_deputy(person_id: Any, at: Any, *columns: Any) -> Select[*tuple[Any, ...]]:
    """The open steps of others that a person may decide at an instant; a step can come more than once."""
    return _from_step(*(columns or (Step.id,))).where(
        ApprovalDeputy.deputy_id == person_id, Step.status.in_(_ASKED), _may(at)
    )


def subjects_as_deputy(subject_type: str, person_id: Any, at: Any) -> Select[int]:
    """The ids of the subjects a person sees as a deputy: what they may decide now, and what they decided."""
    waiting = steps_as_deputy(person_id, at, Step.subject_id).where(Step.subject_type == subject_type)
    decided = select(Step.subject_id).where(
        Step.decided_by_id == person_id,
        Step.decided_by_id != Step.approver_id,
        Step.subject_type == subject_type,
    )
    return waiting.union_all(decided)  # type: ignore[return-value]


def deputies_of(subject_type: str, subject_id: Any, at: Any, *, open_only: bool = True) -> ScalarSelect[Any]:
    """The twin from the other side: who sees a subject as a deputy; `subject_id` is the outer query's column.

    Without `open_only` also those whose approver's step was closed a moment ago: their queues must hear of it.
    """
    about = and_(Step.subject_type == subject_type, Step.subject_id == subject_id)
    waiting = _from_step(ApprovalDeputy.deputy_id).where(about, _may(at))
    if open_only:
        waiting = waiting.where(Step.status.in_(_ASKED))
    else:
        is_running = Workflow.status == WorkflowStatus.RUNNING.value
        just_ended = Workflow.ended_at + _A_MOMENT > at
        waiting = waiting.where(Step.requested_at.is_not(None), or_(is_running, just_ended))
    decided = select(Step.decided_by_id).where(about, Step.decided_by_id != Step.approver_id)
    return waiting.union_all(decided).scalar_subquery()


def is_deputys(person_id: int, at: datetime, workflow_ids: Collection[int]) -> ColumnElement[bool]:
    """Whether the outer query's step is open to this person as a deputy; it is one of these workflows'."""
    theirs = steps_as_deputy(person_id, at).where(Step.workflow_id.in_(workflow_ids))
    return ApprovalStep.id == any_(func.array(theirs.scalar_subquery(), type_=ARRAY(BigInteger)))


async def deputies_for(
    session: AsyncSession, subject_type: str, subject_id: int, approver_ids: Collection[int], at: datetime
) -> tuple[int, ...]:
    """Who may decide about a subject for these of its approvers now."""
    found = _from_step(ApprovalDeputy.deputy_id).where(
        Step.subject_type == subject_type,
        Step.subject_id == subject_id,
        Step.approver_id.in_(sorted(approver_ids)),
        Step.status.in_(_ASKED),
        _may(at),
    )
    return tuple(sorted(set(await session.scalars(found))))
