"""What a link in a mail shows: how it stands, and what is needed to decide. Reading only, whoever opens it how often."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import any_, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import BigInteger

from waypost.access import factors
from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.access.queries import actor_of_user
from waypost.access.tokens import hash_token
from waypost.approvals import queue, step_up
from waypost.approvals.events import BY_LINK
from waypost.approvals.link_errors import LinkNotFound
from waypost.approvals.link_models import DecisionLink
from waypost.approvals.link_state import Closed, LinkFacts, LinkState, SignIn, state_of
from waypost.approvals.models import ApprovalStage, ApprovalStep, ApprovalWorkflow
from waypost.approvals.seen import changes_since
from waypost.approvals.standing import steps_as_deputy
from waypost.approvals.states import StageStatus, StepStatus, Verb, WorkflowStatus
from waypost.approvals.subject import room_of
from waypost.catalog.kinds import FieldKind
from waypost.directory.names import names
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.settings import get_settings

_ANSWERS = (StepStatus.APPROVED.value, StepStatus.REJECTED.value)
_SAID = {
    Verb.APPROVE.value: StepStatus.APPROVED.value,
    Verb.REJECT.value: StepStatus.REJECTED.value,
    Verb.REQUEST_INFO.value: StepStatus.INFO_REQUESTED.value,
}
MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Decision:
    """What settled it, and who."""

    status: str
    by_id: int | None
    for_id: int | None
    at: datetime | None
    is_override: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """A link with its step, how it stands, and who would decide with it (None: nobody who could)."""

    link: DecisionLink
    step: ApprovalStep
    workflow: ApprovalWorkflow
    reader: Actor | None
    state: LinkState
    closed: Closed | None
    sign_in: SignIn | None
    decision: Decision | None
    is_confidential: bool


async def find(session: AsyncSession, token: str) -> DecisionLink:
    """The link of a token. Raises `LinkNotFound`."""
    key = select(DecisionLink).where(DecisionLink.token_hash == hash_token(token))
    link = await session.scalar(key.execution_options(populate_existing=True))
    if link is None:
        raise LinkNotFound
    return link


async def judge(
    session: AsyncSession, link: DecisionLink, actor: Actor | None, *, is_used: bool | None = None
) -> Judged:
    """How a link stands for whoever is signed in where it was opened.

    `is_used` overrides what the link says of itself: whoever has just taken it has not decided yet.
    """
    settings, at = get_settings(), now()
    key = (
        select(ApprovalStep, ApprovalStage, ApprovalWorkflow)
        .join(ApprovalStage, ApprovalStage.id == ApprovalStep.stage_id)
        .join(ApprovalWorkflow, ApprovalWorkflow.id == ApprovalStep.workflow_id)
        .where(ApprovalStep.id == link.step_id)
        .execution_options(populate_existing=True)
    )
    step, stage, workflow = (await session.execute(key)).one()
    is_theirs = None if actor is None else actor.user_id == link.user_id
    reader = actor if is_theirs else await actor_of_user(session, link.user_id, BY_LINK)
    is_able = reader is not None and reader.may(Permission.APPROVALS_DECIDE)
    is_confidential = reader is None or await _is_confidential(session, reader, workflow)
    decision = await _decision(session, step, workflow)
    sign_in = _sign_in(await _mode(session, link.user_id), workflow, is_confidential)
    state, closed = state_of(
        LinkFacts(
            mode=settings.decision_links,
            is_theirs=is_theirs,
            is_used=link.used_at is not None if is_used is None else is_used,
            has_expired=link.expires_at <= at,
            is_current=link.seen == workflow.subject_version,
            is_running=workflow.status == WorkflowStatus.RUNNING.value,
            step=StepStatus(step.status),
            stage=StageStatus(stage.status),
            is_decided=decision is not None,
            is_able=is_able,
            may_act=step.approver_id == link.user_id or await _stands_in(session, link.user_id, step.id, at),
            sign_in=sign_in,
        )
    )
    return Judged(link, step, workflow, reader, state, closed, sign_in, decision, is_confidential)


def _sign_in(mode: str, workflow: ApprovalWorkflow, is_confidential: bool) -> SignIn | None:
    """Why a link alone does not decide this: only what is routine may be taken from whoever holds a mail."""
    if mode == "signed_in":
        return SignIn.POLICY
    if is_confidential:
        return SignIn.CONFIDENTIAL
    if workflow.one_by_one:
        is_emergency = workflow.subject.get("priority") == step_up.CRITICAL
        return SignIn.EMERGENCY if is_emergency else SignIn.AMOUNT
    return SignIn.STEP_UP if step_up.is_demanded(workflow) else None


async def why_sign_in(session: AsyncSession, reader: Actor | None, workflow: ApprovalWorkflow) -> SignIn | None:
    """Why whoever has only what was sent to this person does not decide it; None when that will do."""
    is_confidential = reader is None or await _is_confidential(session, reader, workflow)
    mode = get_settings().decision_links if reader is None else await _mode(session, reader.user_id)
    return _sign_in(mode, workflow, is_confidential)


async def _mode(session: AsyncSession, user_id: int) -> str:
    """What whoever holds a mail of this person may do. Whose role needs a second factor decides nothing without it."""
    mode = get_settings().decision_links
    return "signed_in" if mode == "open" and await factors.roles_that_need_one(session, user_id) else mode


async def _is_confidential(session: AsyncSession, reader: Actor, workflow: ApprovalWorkflow) -> bool:
    beside = await room_of(workflow.subject_type).beside(session, reader, [workflow.subject_id])
    return bool(beside.get(workflow.subject_id, {}).get("is_confidential", True))


async def _stands_in(session: AsyncSession, person_id: int, step_id: int, at: datetime) -> bool:
    theirs = func.array(steps_as_deputy(person_id, at).scalar_subquery(), type_=ARRAY(BigInteger))
    return bool(await session.scalar(select(literal(step_id) == any_(theirs))))


async def _decision(session: AsyncSession, step: ApprovalStep, workflow: ApprovalWorkflow) -> Decision | None:
    """What settled a step: its own answer, the word of somebody past the approvers, or another's in the same stage."""
    if step.status in _ANSWERS:
        for_id = step.approver_id if step.decided_by_id != step.approver_id else step.on_behalf_of_id
        return Decision(step.status, step.decided_by_id, for_id, step.decided_at)
    if workflow.overridden_by_id is not None:
        return Decision(workflow.status, workflow.overridden_by_id, None, workflow.ended_at, is_override=True)
    if step.status != StepStatus.NOT_NEEDED.value:
        return None
    last = await session.scalar(
        select(ApprovalStep)
        .where(
            ApprovalStep.workflow_id == step.workflow_id,
            ApprovalStep.stage_id == step.stage_id,
            ApprovalStep.status.in_(_ANSWERS),
        )
        .order_by(ApprovalStep.decided_at.desc(), ApprovalStep.id.desc())
        .limit(1)
    )
    return None if last is None else Decision(last.status, last.decided_by_id, None, last.decided_at)


async def look(session: AsyncSession, token: str, actor: Actor | None) -> dict[str, Any]:
    """What the page behind a link shows to whoever opened it. Raises `LinkNotFound`.

    To somebody else who is signed in it says whose it is and nothing of the request; to nobody signed in it shows what
    the mail's reader needs to decide, without files, and of a confidential request nothing.
    """
    link = await find(session, token)
    found = await judge(session, link, actor)
    can_decide = found.state in (LinkState.OPEN, LinkState.STALE)
    item = None
    if can_decide and found.reader is not None:
        item = await queue.card(session, found.reader, found.step.id)
    files = len(item["ticket"]["attachments"]) if item else 0
    if item and actor is None:  # files open for who is signed in
        answers = [a for a in item["ticket"]["answers"] if a["kind"] != FieldKind.FILE]
        item["ticket"] = {**item["ticket"], "attachments": [], "answers": answers}
    is_told = found.state is not LinkState.WRONG_PERSON and not (found.is_confidential and actor is None)
    decision = _used(link) if found.state is LinkState.USED else found.decision
    is_over = is_told and found.state in (LinkState.USED, LinkState.DECIDED, LinkState.CLOSED)
    waiting = await _waiting_for(session, found.workflow) if is_over else []
    people = await names.people(
        session, [link.user_id, *waiting, *((decision.by_id, decision.for_id) if decision else ())]
    )
    subject = found.workflow.subject
    return {
        "state": found.state.value,
        "closed": found.closed,
        "sign_in": found.sign_in if found.state is LinkState.SIGN_IN else None,
        "is_signed_in": actor is not None,
        "person": people.get(link.user_id),
        "expires_at": rfc3339(link.expires_at),
        "ticket": {
            "id": found.workflow.subject_id,
            "ticket_number": subject["ticket_number"],
            "title": subject["title"],
        }
        if is_told
        else None,
        "item": item,
        "files": files,
        "changes": await changes_since(session, found.workflow, link.seen) if found.state is LinkState.STALE else [],
        "decision": _decision_json(decision, people) if decision and is_over else None,
        "workflow_status": found.workflow.status if is_over else None,
        "waiting_for": [people[i] for i in waiting if i in people],
    }


def _used(link: DecisionLink) -> Decision:
    return Decision(_SAID[link.verb or Verb.APPROVE.value], link.user_id, None, link.used_at)


def _decision_json(decision: Decision, people: dict[int | None, dict[str, Any]]) -> dict[str, Any]:
    return {
        "status": decision.status,
        "by": people.get(decision.by_id),
        "on_behalf_of": people.get(decision.for_id),
        "at": decision.at and rfc3339(decision.at),
        "is_override": decision.is_override,
    }


async def _waiting_for(session: AsyncSession, workflow: ApprovalWorkflow) -> list[int]:
    """Who is asked now, to say what happens next."""
    rows = await session.scalars(
        select(ApprovalStep.approver_id)
        .where(ApprovalStep.workflow_id == workflow.id, ApprovalStep.status == StepStatus.PENDING.value)
        .order_by(ApprovalStep.seat, ApprovalStep.id)
        .limit(MOST_NAMED)
    )
    return list(dict.fromkeys(rows))
