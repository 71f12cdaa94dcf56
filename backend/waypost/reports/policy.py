"""Who looks at reports, and whose saved ones are whose: for one row, and as SQL.

A report shows nothing of a ticket its reader may not see.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.reports.saved_models import SavedReport


def may_look(actor: Actor) -> bool:
    """Who looks at dashboards and reports at all."""
    return actor.may(Permission.REPORTS_READ)


def may_see(actor: Actor, report: SavedReport) -> bool:
    """Their own, and those that are shared with them, their teams or their roles."""
    return (
        report.owner_id == actor.user_id
        or actor.user_id in report.person_ids
        or bool(actor.team_ids & set(report.team_ids))
        or bool(set(actor.roles) & set(report.roles))
    )


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """`may_see`'s twin."""
    return or_(
        SavedReport.owner_id == actor.user_id,
        SavedReport.person_ids.contains([actor.user_id]),
        SavedReport.team_ids.overlap(sorted(actor.team_ids)),
        SavedReport.roles.overlap(sorted(actor.roles)),
    )


def may_change(actor: Actor, report: SavedReport) -> bool:
    """Who made it."""
    return report.owner_id == actor.user_id


def may_share_with_team(actor: Actor, team_id: int) -> bool:
    """Their own teams; administrators of views any."""
    return team_id in actor.team_ids or actor.may(Permission.VIEWS_CONFIGURE)


def may_share_with_role(actor: Actor) -> bool:
    """A role is many people: administrators of views only."""
    return actor.may(Permission.VIEWS_CONFIGURE)
