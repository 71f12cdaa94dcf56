"""Who may see a ticket and what is theirs to do with it: for one row, and as SQL. A property test holds both equal.

Drafts are the requester's alone (and of those who read everything); everything else is seen by its requester, assignee,
approvers, the team that fulfils it, the requester's managers, the heads of its department, as far as the scope of
`tickets:read` reaches.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, false, or_, true

from waypost.access.actor import Actor
from waypost.access.permissions import Permission, Scope
from waypost.approvals.queries import subjects_seen_by
from waypost.tickets.lifecycle import Part, Status
from waypost.tickets.models import Ticket


@dataclass(frozen=True, slots=True)
class TicketFacts:
    """What permission depends on. `approver_ids` are all who are or were asked about it, and who act for them now."""

    status: Status
    requester_id: int
    assignee_id: int | None
    team_id: int | None
    department_id: int | None
    approver_ids: frozenset[int]


def may_read(actor: Actor, ticket: TicketFacts) -> bool:
    """Whether this person may see this ticket at all."""
    scope = actor.scope(Permission.TICKETS_READ)
    if scope is None:
        return False
    if scope is Scope.ALL or ticket.requester_id == actor.user_id:
        return True
    if ticket.status is Status.DRAFT:
        return False
    return (
        ticket.assignee_id == actor.user_id
        or actor.user_id in ticket.approver_ids
        or (scope >= Scope.LINE and ticket.requester_id in actor.report_ids)
        or (scope >= Scope.TEAM and ticket.team_id in actor.team_ids)
        or (scope >= Scope.DEPARTMENT and ticket.department_id in actor.department_ids)
    )


def visible_branches(actor: Actor) -> list[ColumnElement[bool]]:
    """The alternatives of `visible_to`, each of which one index answers: lists read them side by side."""
    scope = actor.scope(Permission.TICKETS_READ)
    if scope is None:
        return [false()]
    if scope is Scope.ALL:
        return [true()]
    sent = Ticket.status != Status.DRAFT.value
    branches: list[ColumnElement[bool]] = [
        Ticket.requester_id == actor.user_id,
        and_(sent, Ticket.assignee_id == actor.user_id),
        and_(sent, Ticket.id.in_(subjects_seen_by("ticket", actor.user_id))),
    ]
    if scope >= Scope.LINE and actor.report_ids:
        branches.append(and_(sent, Ticket.requester_id.in_(sorted(actor.report_ids))))
    if scope >= Scope.TEAM:
        branches += [and_(sent, Ticket.team_id == team_id) for team_id in sorted(actor.team_ids)]
    if scope >= Scope.DEPARTMENT and actor.department_ids:
        branches.append(and_(sent, Ticket.department_id.in_(sorted(actor.department_ids))))
    return branches


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """The tickets this person may see, as SQL: `may_read`'s twin."""
    return or_(*visible_branches(actor))


def _reaches(actor: Actor, permission: Permission, ticket: TicketFacts) -> bool:
    """Whether a permission of the team's work reaches this ticket."""
    scope = actor.scope(permission)
    if scope is None or ticket.status is Status.DRAFT:
        return False
    return scope is Scope.ALL or (scope >= Scope.TEAM and ticket.team_id in actor.team_ids)


def parts_of(actor: Actor, ticket: TicketFacts) -> frozenset[Part]:
    """What this person is to this ticket, for the lifecycle."""
    parts = set()
    if ticket.requester_id == actor.user_id and actor.may(Permission.TICKETS_UPDATE):
        parts.add(Part.REQUESTER)
    if _reaches(actor, Permission.TICKETS_WORK, ticket):
        parts.add(Part.FULFILLER)
    return frozenset(parts)


def may_assign(actor: Actor, ticket: TicketFacts) -> bool:
    """Whether responsibility for this ticket is theirs to give."""
    return _reaches(actor, Permission.TICKETS_ASSIGN, ticket)


def may_comment(actor: Actor, ticket: TicketFacts) -> bool:
    """Whether they may say something everybody on the ticket reads: all who see it, unless they only read."""
    return actor.may(Permission.TICKETS_COMMENT) and may_read(actor, ticket)


def may_see_internal(actor: Actor, ticket: TicketFacts) -> bool:
    """Whether they may read the team's own words."""
    return _reaches(actor, Permission.TICKETS_READ_INTERNAL, ticket)


def may_comment_internally(actor: Actor, ticket: TicketFacts) -> bool:
    """Whether they may write internal comments."""
    return _reaches(actor, Permission.TICKETS_COMMENT_INTERNAL, ticket)
