"""Who may see a ticket and what is theirs to do with it. Who sees it stands in `sight.py`, as one list of rules.

A draft is seen by its requester, who made it for them, and those who read everything. Everything else is seen by these
too: its assignee, approvers, watchers whom the team let in, the team that fulfils it; and, as far as the scope of
`tickets:read` reaches, the requester's managers, the heads of its department, and all. A confidential ticket is kept from
these last three, unless `tickets:read_confidential` reaches as far (an auditor, an administrator; not an executive).
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, false, or_, true

from waypost.access.actor import Actor
from waypost.access.permissions import Permission, Scope
from waypost.directory.models import User
from waypost.tickets.lifecycle import MERGEABLE, Part, Status, takes_more
from waypost.tickets.sight import (
    TicketFacts,
    condition,
    may_read,
    parts,
    reaches,
    reads_confidential,
    seen_one_by_one,
    values,
    visible_to,
    way_through,
    ways,
)

__all__ = [
    "TicketFacts",
    "condition",
    "may_read",
    "parts",
    "seen_one_by_one",
    "values",
    "visible_to",
    "way_through",
    "ways",
]

# --- for whom one may ask -------------------------------------------------------------------------------------------


def may_ask_for(actor: Actor, person_id: int, department_id: int | None) -> bool:
    """Whether they may make a request for this person: themself, and as far as the scope of `tickets:create` reaches."""
    scope = actor.scope(Permission.TICKETS_CREATE)
    if scope is None:
        return False
    return (
        person_id == actor.user_id
        or scope is Scope.ALL
        or (scope >= Scope.LINE and person_id in actor.report_ids)
        or (scope >= Scope.DEPARTMENT and department_id in actor.department_ids)
    )


def people_to_ask_for(actor: Actor) -> ColumnElement[bool]:
    """The people for whom they may make a request, as SQL: `may_ask_for`'s twin."""
    scope = actor.scope(Permission.TICKETS_CREATE)
    if scope is None:
        return false()
    if scope is Scope.ALL:
        return true()
    reached = [User.id == actor.user_id]
    if scope >= Scope.LINE and actor.report_ids:
        reached.append(User.id.in_(sorted(actor.report_ids)))
    if scope >= Scope.DEPARTMENT and actor.department_ids:
        reached.append(User.department_id.in_(sorted(actor.department_ids)))
    return or_(*reached)


# --- what is theirs to do -------------------------------------------------------------------------------------------


def works_on(actor: Actor, ticket: TicketFacts) -> bool:
    """Whether this ticket is their work: their team's, or everybody's for those whose permission reaches all."""
    return reaches(actor, Permission.TICKETS_WORK, ticket)


def parts_of(actor: Actor, ticket: TicketFacts) -> frozenset[Part]:
    """What this person is to this ticket, for the lifecycle. Who writes it for somebody is the requester until it is sent."""
    parts = set()
    writes = ticket.created_by_id == actor.user_id and ticket.status is Status.DRAFT and not ticket.was_sent
    if (ticket.requester_id == actor.user_id or writes) and actor.may(Permission.TICKETS_UPDATE):
        parts.add(Part.REQUESTER)
    if works_on(actor, ticket):
        parts.add(Part.FULFILLER)
        if not ticket.approver_ids:
            parts.add(Part.KEEPER)
    return frozenset(parts)


def speaks_for(actor: Actor, ticket: TicketFacts) -> str:
    """Whose words theirs are on this ticket: its `requester`'s, the `team`'s that works on it, or neither's."""
    if actor.user_id == ticket.requester_id:
        return "requester"
    if works_on(actor, ticket):
        return "team"
    return "requester" if actor.user_id == ticket.created_by_id else ""


def may_open(actor: Actor, ticket: TicketFacts) -> bool:
    """Whether a confidential request is theirs to show to those who would see an open one, until it is closed.

    Its requester, and an administrator: who works on every request and reads every confidential one. Not the team.
    """
    parts = parts_of(actor, ticket)
    is_over_all = Part.FULFILLER in parts and actor.scope(Permission.TICKETS_WORK) is Scope.ALL
    trusted = Part.REQUESTER in parts or (is_over_all and reads_confidential(actor, Scope.ALL))
    return trusted and takes_more(ticket.status)


def takes_part(actor: Actor) -> bool:
    """Whether they do anything with tickets. Who only reads leaves no trace on them: no watching, no being shown there."""
    return actor.may(Permission.TICKETS_COMMENT) or actor.may(Permission.TICKETS_UPDATE)


def may_reveal(actor: Actor, ticket: TicketFacts) -> bool:
    """Whether sensitive answers are theirs to read: the requester, who works on it, and who decides it or did.

    Seeing the ticket is not enough: not for who watches it, leads the requester, or reads everything.
    """
    is_requester = actor.user_id == ticket.requester_id or Part.REQUESTER in parts_of(actor, ticket)
    decides = actor.user_id in ticket.approver_ids or actor.user_id in ticket.deputy_ids
    return may_read(actor, ticket) and (is_requester or decides or works_on(actor, ticket))


def may_assign(actor: Actor, ticket: TicketFacts) -> bool:
    """Whether responsibility for this ticket is theirs to give."""
    return reaches(actor, Permission.TICKETS_ASSIGN, ticket)


def may_claim(actor: Actor, ticket: TicketFacts) -> bool:
    """Whether they may take this ticket themselves: it is their own team's work."""
    return ticket.team_id in actor.team_ids and reaches(actor, Permission.TICKETS_WORK, ticket)


def may_comment(actor: Actor, ticket: TicketFacts) -> bool:
    """Whether they may say something everybody on the ticket reads: all who see it, unless they only read."""
    return actor.may(Permission.TICKETS_COMMENT) and may_read(actor, ticket)


def may_say_anything(actor: Actor, ticket: TicketFacts) -> bool:
    """Whether they may write any comment, public or internal."""
    return may_comment(actor, ticket) or may_comment_internally(actor, ticket)


def may_see_internal(actor: Actor, ticket: TicketFacts) -> bool:
    """Whether they may read the team's own words."""
    return reaches(actor, Permission.TICKETS_READ_INTERNAL, ticket)


def may_comment_internally(actor: Actor, ticket: TicketFacts) -> bool:
    """Whether they may write internal comments."""
    return reaches(actor, Permission.TICKETS_COMMENT_INTERNAL, ticket)


def may_remove_file(actor: Actor, ticket: TicketFacts, uploaded_by_id: int, visibility: str) -> bool:
    """Whether they may take a file away: their own, as long as they could still add one like it."""
    may_add = may_comment_internally if visibility == "INTERNAL" else may_comment
    return uploaded_by_id == actor.user_id and takes_more(ticket.status) and may_add(actor, ticket)


def may_ask_for_scan(actor: Actor, ticket: TicketFacts, uploaded_by_id: int) -> bool:
    """Whether they may let the virus scanner look once more: who added the file, and the team."""
    return uploaded_by_id == actor.user_id or reaches(actor, Permission.TICKETS_WORK, ticket)


MOST_VERSIONS = 100  # texts of one comment anybody is shown


def may_change_comment(actor: Actor, ticket: TicketFacts, author_id: int | None, visibility: str) -> bool:
    """Whether a comment is theirs to change or remove: their own, as long as they could still write one like it."""
    may_write = may_comment_internally if visibility == "INTERNAL" else may_comment
    return author_id == actor.user_id and may_write(actor, ticket)


def may_read_versions(actor: Actor, *, is_removed: bool) -> bool:
    """Whether they read the earlier texts of a comment they see: everybody, until it is removed; then audits only."""
    return not is_removed or actor.may(Permission.AUDIT_READ)


def may_link(actor: Actor, ticket: TicketFacts) -> bool:
    """Whether links of this ticket are theirs to make and take away: the team's that works on it."""
    return Part.FULFILLER in parts_of(actor, ticket)


def may_split(actor: Actor, ticket: TicketFacts) -> bool:
    """Whether a part of it is theirs to make a ticket of its own: the team's that works on it."""
    return Part.FULFILLER in parts_of(actor, ticket)


def may_merge(actor: Actor, ticket: TicketFacts) -> bool:
    """Whether this ticket is theirs to close as a duplicate: the team's that works on it."""
    return Part.FULFILLER in parts_of(actor, ticket) and ticket.status in MERGEABLE


def may_write_checklist(actor: Actor, ticket: TicketFacts) -> bool:
    """Whether the checklist is theirs to write: the team that works on the ticket, until it is closed."""
    return Part.FULFILLER in parts_of(actor, ticket) and takes_more(ticket.status)
