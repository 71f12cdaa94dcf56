"""The policy as administrators set it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import step_up
from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.audit.events import RetentionChanged
from waypost.audit.retention.models import AuditRemoval, AuditRetention
from waypost.audit.retention.rules import GROUPS
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.errors import StaleVersion
from waypost.kernel.events import record
from waypost.kernel.settings_form import changed_only


async def policy(session: AsyncSession) -> dict[str, Any]:
    """For how long each group is kept, and what was removed of late."""
    row = await session.get(AuditRetention, 1, populate_existing=True)
    last = (
        await session.execute(
            select(AuditRemoval.number, AuditRemoval.at).order_by(AuditRemoval.number.desc()).limit(1)
        )
    ).first()
    years = row.years if row else {}
    return {
        "groups": [{"key": key, "kinds": list(kinds), "years": years.get(key)} for key, kinds in GROUPS.items()],
        "version": row.version if row else 0,
        "removals": last.number if last else 0,
        "last_removal_at": rfc3339(last.at) if last else None,
    }


async def set_policy(session: AsyncSession, actor: Actor, *, version: int, years: dict[str, int | None]) -> None:
    """Keep each group for so many years; None for ever. Raises `StepUpNeeded`, `StaleVersion`."""
    actor.require(Permission.AUDIT_CONFIGURE)
    await step_up.require(session, actor)
    at = now()
    made = insert(AuditRetention).values(id=1, years={}, version=0, updated_at=at).on_conflict_do_nothing()
    await session.execute(made)
    row = await session.get(AuditRetention, 1, with_for_update=True, populate_existing=True)
    assert row is not None
    if row.version != version:
        raise StaleVersion(current_version=row.version)
    before, after = changed_only({g: row.years.get(g) for g in GROUPS}, {g: years.get(g) for g in GROUPS})
    if not after:
        return
    row.years = {g: kept for g, kept in years.items() if kept is not None}
    row.version, row.updated_at = row.version + 1, at
    await session.flush()
    await record(session, RetentionChanged(before=before, after=after), actor=actor, at=at)
