"""Who may see a ticket and what is theirs to do with it: for one row, and as SQL. A property test holds both equal.

A draft is seen by its requester, who made it for them, and those who read everything. Everything else is seen by these
too: its assignee, approvers, watchers whom the team let in, the team that fulfils it; and, as far as the scope of
`tickets:read` reaches, the requester's managers, the heads of its department, and all. A confidential ticket is kept from
these last three, unless `tickets:read_confidential` reaches as far (an auditor, an administrator; not an executive).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    DateTime,
    and_,
    any_,
    bindparam,
    false,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from waypost.access.actor import Actor
from waypost.access.permissions import Permission, Scope
from waypost.approvals.queries import subjects_seen_by
from waypost.approvals.standing import subjects_as_deputy
from waypost.directory.models import User
from waypost.kernel.clock import now
from waypost.tickets.lifecycle import MERGEABLE, Part, Status, takes_more
from waypost.tickets.models import Ticket
from waypost.tickets.working_models import TicketWatcher


@dataclass(frozen=True, slots=True)
class TicketFacts:
    """What permission depends on. `approver_ids` are all who are or were asked about it; `deputy_ids` who may decide it
    for one of them now, or did; `invited_ids` the watchers whom the team let in; `was_sent` says whether it was ever
    submitted. `left_ids` see it no more as deputies, but it left their queue a moment ago."""

    status: Status
    requester_id: int
    assignee_id: int | None
    team_id: int | None
    department_id: int | None
    approver_ids: frozenset[int]
    created_by_id: int | None = None
    was_sent: bool = True
    is_confidential: bool = False
    invited_ids: frozenset[int] = frozenset()
    deputy_ids: frozenset[int] = frozenset()
    left_ids: frozenset[int] = frozenset()


def _reads_confidential(actor: Actor, scope: Scope) -> bool:
    """Whether what they see because of this scope may be confidential."""
    reach = actor.scope(Permission.TICKETS_READ_CONFIDENTIAL)
    return reach is not None and reach >= scope


def may_read(actor: Actor, ticket: TicketFacts) -> bool:
    """Whether this person may see this ticket at all."""
    scope = actor.scope(Permission.TICKETS_READ)
    if scope is None:
        return False
    me = actor.user_id
    if me in (ticket.requester_id, ticket.created_by_id):
        return True

    def reaches(wanted: Scope) -> bool:
        return scope >= wanted and (not ticket.is_confidential or _reads_confidential(actor, wanted))

    if reaches(Scope.ALL):
        return True
    if ticket.status is Status.DRAFT:
        return False
    return (
        ticket.assignee_id == me
        or me in ticket.approver_ids
        or (me in ticket.deputy_ids and actor.may(Permission.APPROVALS_DECIDE))
        or me in ticket.invited_ids
        or (scope >= Scope.TEAM and ticket.team_id in actor.team_ids)
        or (reaches(Scope.LINE) and ticket.requester_id in actor.report_ids)
        or (reaches(Scope.DEPARTMENT) and ticket.department_id in actor.department_ids)
    )


# --- the same as SQL --------------------------------------------------------------------------------------------------
# A way is a word for one alternative of `may_read`, which one index answers; who asks is bound when it runs, so a
# statement can be built once for everybody who sees tickets in the same ways. "…_open" leaves confidential ones out.

_ME = bindparam("me", type_=BigInteger)


def ways(actor: Actor) -> tuple[str, ...]:
    """The ways in which this person may see tickets; `condition` gives each as SQL, `values` what it is bound to."""
    scope = actor.scope(Permission.TICKETS_READ)
    if scope is None:
        return ("none",)
    if scope is Scope.ALL and _reads_confidential(actor, Scope.ALL):
        return ("all",)
    if scope is Scope.ALL:
        # nearly every ticket is open: one walk, in which only a confidential one is looked at closely
        found = ["all_open"]
    else:
        found = ["own", "created", "assigned", "asked", "invited"]
        if actor.may(Permission.APPROVALS_DECIDE):
            found.append("deputy")
        if scope >= Scope.TEAM:
            found += [f"team_{n}" for n in range(len(actor.team_ids))]
    for reach, ids, way in (
        (Scope.LINE, actor.report_ids, "reports"),
        (Scope.DEPARTMENT, actor.department_ids, "departments"),
    ):
        if scope >= reach and ids:
            if _reads_confidential(actor, reach):
                found.append(way)
            elif scope is not Scope.ALL:
                found.append(f"{way}_open")
    return tuple(found)


def way_through(
    actor: Actor,
    *,
    requester_ids: Collection[int] = (),
    assignee_ids: Collection[int | None] = (),
    team_ids: Collection[int] = (),
    department_ids: Collection[int] = (),
) -> str | None:
    """The one way that is enough for such a list (empty: any), when nearly every ticket of it is theirs to see.

    A list of one's own team needs no look at the other ways; PostgreSQL can't know that. "sent": every ticket once it was
    sent. "sent_open": those that are open; a confidential one is looked at closely.
    """
    scope = actor.scope(Permission.TICKETS_READ)
    if scope is None or scope is Scope.ALL:
        return None
    lines = actor.report_ids | {actor.user_id} if scope >= Scope.LINE else frozenset({actor.user_id})
    teams = actor.team_ids if scope >= Scope.TEAM else frozenset()
    departments = actor.department_ids if scope >= Scope.DEPARTMENT else frozenset()

    def within(wanted: Collection[int | None], reached: Collection[int]) -> bool:
        return bool(wanted) and all(i in reached for i in wanted)

    own = frozenset({actor.user_id})
    if within(requester_ids, own) or within(assignee_ids, own) or within(team_ids, teams):
        return "sent"
    for wanted, reached, reach in (
        (requester_ids, lines, Scope.LINE),
        (department_ids, departments, Scope.DEPARTMENT),
    ):
        if within(wanted, reached):
            return "sent" if _reads_confidential(actor, reach) else "sent_open"
    return None


_SENT: ColumnElement[bool] = Ticket.status != literal_column(f"'{Status.DRAFT.value}'")
_OPEN: ColumnElement[bool] = not_(Ticket.is_confidential)
_OWN: ColumnElement[bool] = Ticket.requester_id == _ME
# as the partial index says it; what one made for oneself is one's own
_CREATED: ColumnElement[bool] = and_(Ticket.created_by_id == _ME, Ticket.created_by_id != Ticket.requester_id)


_made = aliased(Ticket)
# The same by way of an array: PostgreSQL takes these for many, and would walk past every ticket to find the few.
_CREATED_FEW: ColumnElement[bool] = Ticket.id == any_(
    func.array(
        select(_made.id).where(_made.created_by_id == _ME, _made.created_by_id != _made.requester_id).scalar_subquery(),
        type_=ARRAY(BigInteger),
    )
)
_ASSIGNED: ColumnElement[bool] = Ticket.assignee_id == _ME
_ASKED: ColumnElement[bool] = Ticket.id.in_(subjects_seen_by("ticket", _ME))
_NOW = bindparam("right_now", type_=DateTime(timezone=True))
# By way of an array as well: they are few, and there are many tickets to walk past.
_STANDS_IN = func.array(subjects_as_deputy("ticket", _ME, _NOW).scalar_subquery(), type_=ARRAY(BigInteger))
_DEPUTY: ColumnElement[bool] = and_(bindparam("decides", type_=Boolean), Ticket.id == any_(_STANDS_IN))
_INVITED: ColumnElement[bool] = Ticket.id.in_(
    select(TicketWatcher.ticket_id).where(TicketWatcher.user_id == _ME, TicketWatcher.gives_sight)
)
_TEAMS: ColumnElement[bool] = Ticket.team_id == any_(bindparam("teams", type_=ARRAY(BigInteger)))
_PART: ColumnElement[bool] = or_(_ASSIGNED, _TEAMS, _ASKED, _DEPUTY, _INVITED)


def condition(way: str) -> ColumnElement[bool]:
    """One way of seeing tickets, over the parameters of `values`."""
    known: dict[str, ColumnElement[bool]] = {
        "none": false(),
        "all": true(),
        "all_open": or_(_OPEN, _OWN, _CREATED, and_(_SENT, _PART)),
        "sent": or_(_SENT, _OWN, _CREATED),
        "sent_open": or_(_OWN, _CREATED, and_(_SENT, or_(_OPEN, _PART))),
        "own": _OWN,
        "created": _CREATED_FEW,
        "assigned": and_(_SENT, _ASSIGNED),
        "asked": and_(_SENT, _ASKED),
        "invited": and_(_SENT, _INVITED),
        "deputy": and_(_SENT, _DEPUTY),
    }
    if way in known:
        return known[way]
    which, _, is_open = way.partition("_")
    match which:
        case "reports":
            reached = Ticket.requester_id == any_(bindparam("reports", type_=ARRAY(BigInteger)))
        case "departments":
            reached = Ticket.department_id == any_(bindparam("departments", type_=ARRAY(BigInteger)))
        case _:
            return and_(_SENT, Ticket.team_id == bindparam(way, type_=BigInteger))
    return and_(_SENT, _OPEN, reached) if is_open else and_(_SENT, reached)


def values(actor: Actor) -> dict[str, Any]:
    """What the parameters of every `condition` are for this person."""
    return {
        "me": actor.user_id,
        "right_now": now(),
        "decides": actor.may(Permission.APPROVALS_DECIDE),
        "reports": sorted(actor.report_ids),
        "departments": sorted(actor.department_ids),
        "teams": sorted(actor.team_ids),
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
    """What this person is to this ticket, for the lifecycle. Who writes it for somebody is the requester until it is sent."""
    parts = set()
    writes = ticket.created_by_id == actor.user_id and ticket.status is Status.DRAFT and not ticket.was_sent
    if (ticket.requester_id == actor.user_id or writes) and actor.may(Permission.TICKETS_UPDATE):
        parts.add(Part.REQUESTER)
    if _reaches(actor, Permission.TICKETS_WORK, ticket):
        parts.add(Part.FULFILLER)
        if not ticket.approver_ids:
            parts.add(Part.KEEPER)
    return frozenset(parts)


def may_open(actor: Actor, ticket: TicketFacts) -> bool:
    """Whether a confidential request is theirs to show to those who would see an open one, until it is closed.

    Its requester, and an administrator: who works on every request and reads every confidential one. Not the team.
    """
    parts = parts_of(actor, ticket)
    is_over_all = Part.FULFILLER in parts and actor.scope(Permission.TICKETS_WORK) is Scope.ALL
    trusted = Part.REQUESTER in parts or (is_over_all and _reads_confidential(actor, Scope.ALL))
    return trusted and takes_more(ticket.status)


def takes_part(actor: Actor) -> bool:
    """Whether they do anything with tickets. Who only reads leaves no trace on them: no watching, no being shown there."""
    return actor.may(Permission.TICKETS_COMMENT) or actor.may(Permission.TICKETS_UPDATE)


def may_assign(actor: Actor, ticket: TicketFacts) -> bool:
    """Whether responsibility for this ticket is theirs to give."""
    return _reaches(actor, Permission.TICKETS_ASSIGN, ticket)


def may_claim(actor: Actor, ticket: TicketFacts) -> bool:
    """Whether they may take this ticket themselves: it is their own team's work."""
    return ticket.team_id in actor.team_ids and _reaches(actor, Permission.TICKETS_WORK, ticket)


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
    return uploaded_by_id == actor.user_id and takes_more(ticket.status) and may_add(actor, ticket)


def may_ask_for_scan(actor: Actor, ticket: TicketFacts, uploaded_by_id: int) -> bool:
    """Whether they may let the virus scanner look once more: who added the file, and the team."""
    return uploaded_by_id == actor.user_id or _reaches(actor, Permission.TICKETS_WORK, ticket)


MOST_VERSIONS = 100  # texts of one comment anybody is shown


def may_change_comment(actor: Actor, ticket: TicketFacts, author_id: int, visibility: str) -> bool:
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
