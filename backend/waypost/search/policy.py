"""Whose saved views are whose: for one row, and as SQL. A test holds both equal.

A view shows nothing of a ticket: what it finds is decided by the reader's own permissions.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.search.models import SavedView


def may_see(actor: Actor, view: SavedView) -> bool:
    """Their own, their teams', their roles'; administrators see all that is shared."""
    return (
        view.owner_id == actor.user_id
        or (view.scope == "TEAM" and view.team_id in actor.team_ids)
        or (view.scope == "ROLE" and view.role in actor.roles)
        or (view.scope != "PERSONAL" and actor.may(Permission.VIEWS_CONFIGURE))
    )


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """`may_see`'s twin."""
    ways = [SavedView.owner_id == actor.user_id]
    if actor.may(Permission.VIEWS_CONFIGURE):
        ways.append(SavedView.scope != "PERSONAL")
    else:
        ways.append((SavedView.scope == "TEAM") & SavedView.team_id.in_(sorted(actor.team_ids)))
        ways.append((SavedView.scope == "ROLE") & SavedView.role.in_(sorted(actor.roles)))
    return or_(*ways)


def may_change(actor: Actor, view: SavedView, led: frozenset[int] = frozenset()) -> bool:
    """Who made it; a team's also those who lead the team (`led` are their teams), and administrators what is shared.

    A role's view is the administrators' alone.
    """
    if view.scope == "PERSONAL":
        return view.owner_id == actor.user_id
    if actor.may(Permission.VIEWS_CONFIGURE):
        return True
    return view.scope == "TEAM" and (view.owner_id == actor.user_id or view.team_id in led)


def may_share_with(actor: Actor, scope: str, team_id: int | None) -> bool:
    """Whether a view can be theirs to share so far."""
    if scope == "PERSONAL" or actor.may(Permission.VIEWS_CONFIGURE):
        return True
    return scope == "TEAM" and team_id in actor.team_ids
