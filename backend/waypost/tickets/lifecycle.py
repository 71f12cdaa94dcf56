"""The life of a ticket: one table of transitions, and what it allows. Pure.

Source: specification, Status Flow (stateDiagram); withdraw, discard and re-open from the design. The 409s, the 403s,
`allowed_actions` and the diagram in `docs/users/ticket-life.md` all come from `TRANSITIONS`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from waypost.kernel.errors import Refusal
from waypost.tickets.errors import (
    ApprovedFacts,
    CommentNeeded,
    ImpossibleTransition,
    NotYours,
    ReopenTooLate,
    TicketIsClosed,
)


class Status(StrEnum):
    """Where a ticket stands (specification, Status Flow)."""

    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"
    IN_REVIEW = "IN_REVIEW"
    PENDING_INFO = "PENDING_INFO"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    CLOSED = "CLOSED"


class Priority(StrEnum):
    """How urgent it is, least first."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"
    CRITICAL = "CRITICAL"


class Part(StrEnum):
    """What somebody is to a ticket. `APPROVALS` is the approvals room itself, never a person.

    `KEEPER`: the team that fulfils it, where no approver was ever asked, so that no words of it were approved.
    """

    REQUESTER = "requester"
    FULFILLER = "fulfiller"
    KEEPER = "keeper"
    APPROVALS = "approvals"


class Step(StrEnum):
    """The name of a transition, as buttons and history say it."""

    SUBMIT = "submit"
    START_REVIEW = "start_review"
    APPROVE = "approve"
    REJECT = "reject"
    ASK = "ask"
    ANSWER = "answer"
    WITHDRAW = "withdraw"
    DISCARD = "discard"
    START = "start"
    COMPLETE = "complete"
    REOPEN = "reopen"
    CLOSE = "close"
    MERGE = "merge"  # not in the table: it takes two tickets (`check_merge`)


@dataclass(frozen=True, slots=True)
class Transition:
    """One edge: from, to, its name, who may take it, and whether it needs words."""

    source: Status
    target: Status
    step: Step
    by: frozenset[Part]
    needs_comment: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules look at. Times are in UTC."""

    status: Status
    completed_at: datetime | None = None


_S, _P = Status, Part


def _edge(source: Status, target: Status, step: Step, *by: Part, needs_comment: bool = False) -> Transition:
    return Transition(source, target, step, frozenset(by), needs_comment)


TRANSITIONS: tuple[Transition, ...] = (
    _edge(_S.DRAFT, _S.SUBMITTED, Step.SUBMIT, _P.REQUESTER),
    _edge(_S.DRAFT, _S.CLOSED, Step.DISCARD, _P.REQUESTER),
    _edge(_S.SUBMITTED, _S.IN_REVIEW, Step.START_REVIEW, _P.APPROVALS),
    _edge(_S.SUBMITTED, _S.APPROVED, Step.APPROVE, _P.APPROVALS),
    _edge(_S.SUBMITTED, _S.DRAFT, Step.WITHDRAW, _P.REQUESTER),
    _edge(_S.IN_REVIEW, _S.APPROVED, Step.APPROVE, _P.APPROVALS),
    _edge(_S.IN_REVIEW, _S.REJECTED, Step.REJECT, _P.APPROVALS),
    _edge(_S.IN_REVIEW, _S.PENDING_INFO, Step.ASK, _P.APPROVALS),
    _edge(_S.IN_REVIEW, _S.DRAFT, Step.WITHDRAW, _P.REQUESTER),
    _edge(_S.PENDING_INFO, _S.IN_REVIEW, Step.ANSWER, _P.REQUESTER, _P.APPROVALS, needs_comment=True),
    _edge(_S.PENDING_INFO, _S.DRAFT, Step.WITHDRAW, _P.REQUESTER),
    _edge(_S.APPROVED, _S.IN_PROGRESS, Step.START, _P.FULFILLER),
    _edge(_S.REJECTED, _S.CLOSED, Step.CLOSE, _P.REQUESTER, _P.FULFILLER),
    _edge(_S.IN_PROGRESS, _S.COMPLETED, Step.COMPLETE, _P.FULFILLER),
    _edge(_S.COMPLETED, _S.CLOSED, Step.CLOSE, _P.REQUESTER, _P.FULFILLER),
    _edge(_S.COMPLETED, _S.IN_PROGRESS, Step.REOPEN, _P.REQUESTER, _P.FULFILLER),
)
_EDGES = {(t.source, t.target): t for t in TRANSITIONS}
# The requester may edit until the decision. What approvers read stays as it was approved; of what nobody had to approve
# the team may put the words right.
EDITABLE = {
    Part.REQUESTER: frozenset({_S.DRAFT, _S.SUBMITTED, _S.IN_REVIEW, _S.PENDING_INFO}),
    Part.KEEPER: frozenset({_S.APPROVED, _S.IN_PROGRESS}),
}
# By these the team sorts its work: theirs as soon as a ticket has reached them, whatever is being decided about it.
SORTING = {
    "priority": frozenset({_S.SUBMITTED, _S.IN_REVIEW, _S.PENDING_INFO, _S.APPROVED, _S.IN_PROGRESS}),
    "due_date": frozenset({_S.SUBMITTED, _S.IN_REVIEW, _S.PENDING_INFO, _S.APPROVED, _S.IN_PROGRESS}),
    "tags": frozenset(set(Status) - {_S.DRAFT, _S.CLOSED}),
    "is_confidential": frozenset(set(Status) - {_S.DRAFT}),
}
ASSIGNABLE = frozenset(set(Status) - {_S.DRAFT, _S.REJECTED, _S.CLOSED})
# A duplicate is closed from wherever it stands; it goes on in a ticket that is not at its end.
MERGEABLE = frozenset(set(Status) - {_S.DRAFT, _S.CLOSED})
MERGE_TARGET = frozenset(set(Status) - {_S.DRAFT, _S.REJECTED, _S.CLOSED})
IN_REVIEW = frozenset({_S.SUBMITTED, _S.IN_REVIEW, _S.PENDING_INFO})
OPEN = frozenset(set(Status) - {_S.DRAFT, _S.REJECTED, _S.CLOSED, _S.COMPLETED})
OVER = frozenset({_S.REJECTED, _S.CLOSED})


def decide(
    facts: Facts, target: Status, parts: frozenset[Part], at: datetime, *, comment: str = "", reopen_within: timedelta
) -> Transition:
    """The transition to `target`, or a refusal.

    Raises `NotYours` (403) for somebody with no part in this ticket or not this one, `ImpossibleTransition` (409) when
    no edge leads there, `ReopenTooLate` (409) behind the window, `CommentNeeded` (422).
    """
    if not parts:
        raise NotYours
    edge = _EDGES.get((facts.status, target))
    if edge is None:
        raise ImpossibleTransition(f"A ticket that is {facts.status} cannot become {target}.", status_now=facts.status)
    if not edge.by & parts:
        raise NotYours
    if edge.needs_comment and not comment.strip():
        raise CommentNeeded
    if edge.step is Step.REOPEN and facts.completed_at is not None and at - facts.completed_at > reopen_within:
        raise ReopenTooLate
    return edge


def possible(facts: Facts, parts: frozenset[Part], at: datetime, *, reopen_within: timedelta) -> list[Transition]:
    """The transitions these parts may take now, in the table's order."""
    found = []
    for edge in TRANSITIONS:
        if edge.source is facts.status:
            try:
                decide(facts, edge.target, parts, at, comment="x", reopen_within=reopen_within)
            except Refusal:
                continue
            found.append(edge)
    return found


def takes_more(status: Status) -> bool:
    """Whether anything is still said about it, attached to it or ticked on it: until it is closed."""
    return status is not Status.CLOSED


def check_takes_more(status: Status, refusal: str) -> None:
    """Raises `TicketIsClosed`, in these words, when nothing is added to it any more."""
    if not takes_more(status):
        raise TicketIsClosed(refusal)


def may_edit(status: Status, parts: frozenset[Part]) -> bool:
    """Whether somebody with these parts may edit a ticket in this status."""
    return any(status in EDITABLE.get(part, ()) for part in parts)


def may_change(field: str, status: Status, parts: frozenset[Part]) -> bool:
    """Whether somebody with these parts may change this field of a ticket in this status."""
    if field == "is_confidential" and Part.REQUESTER in parts:
        return takes_more(status)
    return may_edit(status, parts) or (Part.FULFILLER in parts and status in SORTING.get(field, ()))


def check_edit(status: Status, parts: frozenset[Part], fields: Collection[str] = ()) -> None:
    """Raises `NotYours` for somebody with no part in it, `ApprovedFacts` for the team of what was approved.

    `TicketIsClosed` when nobody may change these fields any more.
    """
    if not parts:
        raise NotYours
    for field in fields or ("title",):
        if not may_change(field, status, parts):
            if Part.FULFILLER in parts and status in EDITABLE[Part.KEEPER]:
                raise ApprovedFacts
            if may_change(field, status, frozenset(Part)):
                raise NotYours
            raise TicketIsClosed(f"A ticket that is {status} is not edited any more.")


def check_merge(duplicate: Status, main: Status) -> None:
    """Raises `TicketIsClosed` when one of the two cannot be merged any more."""
    if duplicate not in MERGEABLE:
        raise TicketIsClosed(f"A ticket that is {duplicate} is not merged into another.")
    if main not in MERGE_TARGET:
        raise TicketIsClosed(f"Nothing is merged into a ticket that is {main}.")
