"""Who may be sent what, and who may know of an export: who asked for it, and whoever it is made for.

Its files are their readers' alone.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, exists, or_, select, union

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.reports import policy
from waypost.reports.dashboards import kinds_for
from waypost.reports.export_models import ExportPart, ReportExport
from waypost.reports.schedule_models import ExportSchedule
from waypost.reports.sources import BoardSource, Source


def may_get(actor: Actor, source: Source) -> bool:
    """Whether somebody may be sent this: a report that is shared with them, a dashboard that is made for who they are."""
    if isinstance(source, BoardSource):
        return source.kind in kinds_for(actor)
    return policy.may_look(actor) and policy.may_see(actor, source)


def may_see_all(actor: Actor) -> bool:
    """Administrators of views look after all schedules; they read who got how much, and open no file."""
    return actor.may(Permission.VIEWS_CONFIGURE)


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Asked for by this person, made for them, or any for administrators of views."""
    if may_see_all(actor):
        return ReportExport.id > 0
    got = exists().where(ExportPart.export_id == ReportExport.id, ExportPart.user_id == actor.user_id)
    return or_(ReportExport.asked_by_id == actor.user_id, got)


def newest_of(actor: Actor, before: int | None, most: int) -> CompoundSelect[Any]:
    """The ids of the newest exports of this person, each way by its own index."""
    asked = select(ReportExport.id).where(ReportExport.asked_by_id == actor.user_id)
    got = select(ExportPart.export_id).where(ExportPart.user_id == actor.user_id)
    if before is not None:
        asked, got = asked.where(ReportExport.id < before), got.where(ExportPart.export_id < before)
    first = asked.order_by(ReportExport.id.desc()).limit(most).subquery()
    second = got.order_by(ExportPart.export_id.desc()).limit(most).subquery()
    return union(select(first.c.id), select(second.c.export_id))


def may_cancel(actor: Actor, export: ReportExport) -> bool:
    """Who asked for it, and administrators of views."""
    return export.asked_by_id == actor.user_id or may_see_all(actor)


def may_see_schedule(actor: Actor, schedule: ExportSchedule) -> bool:
    """Whose it is, and administrators of views, who may change it as well."""
    return schedule.owner_id == actor.user_id or may_see_all(actor)
