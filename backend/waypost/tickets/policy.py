"""Who may see a ticket and what is theirs to do with it: for one row, and as SQL. A property test holds both equal.

Drafts are the requester's alone (and of those who read everything); everything else is seen by its requester, assignee,
approvers, the team that fulfils it, the requester's managers, the heads of its department, as far as the scope of
`tickets:read` reaches.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    and_,
    any_,
    bindparam,
    false,
    literal_column,
    or_,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY

from waypost.access.actor import Actor
from waypost.access.permissions import Permission, Scope
from waypost.approvals.queries import subjects_seen_by
from waypost.directory.models import User
from waypost.tickets.lifecycle import Part, Status
from waypost.tickets.models import Ticket
from waypost.tickets.talk_models import CannedReply


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


# --- the same as SQL --------------------------------------------------------------------------------------------------
# A way is a word for one alternative of `may_read`, which one index answers; who asks is bound when it runs, so a
# statement can be built once for everybody who sees tickets in the same ways.

_ME = bindparam("me", type_=BigInteger)


def ways(actor: Actor) -> tuple[str, ...]:
    """The ways in which this person may see tickets; `condition` gives each as SQL, `values` what it is bound to."""
    scope = actor.scope(Permission.TICKETS_READ)
    if scope is None:
        return ("none",)
    if scope is Scope.ALL:
        return ("all",)
    found = ["own", "assigned", "asked"]
    if scope >= Scope.LINE and actor.report_ids:
        found.append("reports")
    if scope >= Scope.TEAM:
        found += [f"team_{n}" for n in range(len(actor.team_ids))]
    if scope >= Scope.DEPARTMENT and actor.department_ids:
        found.append("departments")
    return tuple(found)


def sees_all_sent(
    actor: Actor,
    *,
    requester_ids: Collection[int] = (),
    assignee_ids: Collection[int | None] = (),
    team_ids: Collection[int] = (),
    department_ids: Collection[int] = (),
) -> bool:
    """Whether every ticket of such a list (empty: any) is theirs to see once it was sent: then "sent" is its one way.

    A list of one's own team needs no look at the other ways; PostgreSQL can't know that.
    """
    scope = actor.scope(Permission.TICKETS_READ)
    if scope is None or scope is Scope.ALL:
        return False
    lines = actor.report_ids if scope >= Scope.LINE else frozenset()
    teams = actor.team_ids if scope >= Scope.TEAM else frozenset()
    departments = actor.department_ids if scope >= Scope.DEPARTMENT else frozenset()
    return any(
        wanted and reached.issuperset(wanted)
        for wanted, reached in (
            (requester_ids, lines | {actor.user_id}),
            (assignee_ids, frozenset({actor.user_id})),
            (team_ids, teams),
            (department_ids, departments),
        )
    )


def condition(way: str) -> ColumnElement[bool]:
    """One way of seeing tickets, over the parameters of `values`."""
    sent = Ticket.status != literal_column(f"'{Status.DRAFT.value}'")
    own = Ticket.requester_id == _ME
    match way:
        case "none":
            return false()
        case "all":
            return true()
        case "sent":
            return or_(sent, own)
        case "own":
            return own
        case "assigned":
            return and_(sent, Ticket.assignee_id == _ME)
        case "asked":
            return and_(sent, Ticket.id.in_(subjects_seen_by("ticket", _ME)))
        case "reports":
            return and_(sent, Ticket.requester_id == any_(bindparam(way, type_=ARRAY(BigInteger))))
        case "departments":
            return and_(sent, Ticket.department_id == any_(bindparam(way, type_=ARRAY(BigInteger))))
        case _:
            return and_(sent, Ticket.team_id == bindparam(way, type_=BigInteger))


def values(actor: Actor) -> dict[str, Any]:
    """What the parameters of every `condition` are for this person."""
    return {
        "me": actor.user_id,
        "reports": sorted(actor.report_ids),
        "departments": sorted(actor.department_ids),
        **{f"team_{n}": team_id for n, team_id in enumerate(sorted(actor.team_ids))},
    }


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """The tickets this person may see, as SQL over the parameters of `values(actor)`: `may_read`'s twin."""
    return or_(*(condition(way) for way in ways(actor)))


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


def may_say_anything(actor: Actor, ticket: TicketFacts) -> bool:
    """Whether they may write any comment, public or internal."""
    return may_comment(actor, ticket) or may_comment_internally(actor, ticket)


def may_see_internal(actor: Actor, ticket: TicketFacts) -> bool:
    """Whether they may read the team's own words."""
    return _reaches(actor, Permission.TICKETS_READ_INTERNAL, ticket)


def may_comment_internally(actor: Actor, ticket: TicketFacts) -> bool:
    """Whether they may write internal comments."""
    return _reaches(actor, Permission.TICKETS_COMMENT_INTERNAL, ticket)


def may_remove_file(actor: Actor, ticket: TicketFacts, uploaded_by_id: int, visibility: str) -> bool:
    """Whether they may take a file away: their own, as long as they could still add one like it."""
    may_add = may_comment_internally if visibility == "INTERNAL" else may_comment
    return uploaded_by_id == actor.user_id and ticket.status is not Status.CLOSED and may_add(actor, ticket)


MOST_VERSIONS = 100  # texts of one comment anybody is shown


def may_change_comment(actor: Actor, ticket: TicketFacts, author_id: int, visibility: str) -> bool:
    """Whether a comment is theirs to change or remove: their own, as long as they could still write one like it."""
    may_write = may_comment_internally if visibility == "INTERNAL" else may_comment
    return author_id == actor.user_id and may_write(actor, ticket)


def may_read_versions(actor: Actor, *, is_removed: bool) -> bool:
    """Whether they read the earlier texts of a comment they see: everybody, until it is removed; then audits only."""
    return not is_removed or actor.may(Permission.AUDIT_READ)


def may_read_reply(actor: Actor, owner_id: int | None, team_id: int | None) -> bool:
    """Whether they may use a canned reply: their own, one of a team of theirs, or of any team for those who manage all."""
    if owner_id is not None:
        return owner_id == actor.user_id
    return team_id in actor.team_ids or actor.scope(Permission.TICKETS_MANAGE_REPLIES) is Scope.ALL


def may_edit_reply(actor: Actor, owner_id: int | None, team_id: int | None) -> bool:
    """Whether a canned reply is theirs to write: their own; a team's for those who manage its replies."""
    if owner_id is not None:
        return owner_id == actor.user_id
    scope = actor.scope(Permission.TICKETS_MANAGE_REPLIES)
    return scope is Scope.ALL or (scope is not None and scope >= Scope.TEAM and team_id in actor.team_ids)


def replies_visible_to(actor: Actor) -> ColumnElement[bool]:
    """The canned replies this person may use, as SQL: `may_read_reply`'s twin."""
    mine = CannedReply.owner_id == actor.user_id
    if actor.scope(Permission.TICKETS_MANAGE_REPLIES) is Scope.ALL:
        return or_(mine, CannedReply.team_id.is_not(None))
    return or_(mine, CannedReply.team_id.in_(sorted(actor.team_ids)))
