"""What the desk works with beside its tickets, and for whom: canned replies, queues, imports. Tickets: `policy.py`."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_

from waypost.access.actor import Actor
from waypost.access.permissions import Permission, Scope
from waypost.tickets.talk_models import CannedReply

# --- canned replies ---------------------------------------------------------------------------------------------------


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


# --- queues and imports ---------------------------------------------------------------------------------------------


def sees_all_queues(actor: Actor) -> bool:
    """Whether every team's queue is theirs to look at: those whose work reaches all tickets."""
    return actor.scope(Permission.TICKETS_WORK) is Scope.ALL


def may_look_at_queue(actor: Actor, team_id: int) -> bool:
    """Whether a team's queue is theirs to look at: a member's, or one of those who see all."""
    return sees_all_queues(actor) or team_id in actor.team_ids


def may_claim_from(actor: Actor, team_id: int) -> bool:
    """Whether they may take tickets from a team's queue: its members."""
    return team_id in actor.team_ids


def may_import(actor: Actor, team_id: int | None) -> bool:
    """Whether they may import tickets of a type this team fulfils."""
    scope = actor.scope(Permission.TICKETS_IMPORT)
    return scope is Scope.ALL or (scope is not None and scope >= Scope.TEAM and team_id in actor.team_ids)
