"""What of service levels names a person or a team: for whoever lets somebody go or closes a team, before they do."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.directory.errors import TeamInUse
from waypost.directory.events import TeamDeleted
from waypost.directory.mentions import Mention, shortened
from waypost.kernel.events import Doer
from waypost.sla import queries
from waypost.sla.models import SlaPolicy
from waypost.sla.policies import Policy

KIND = "sla_policy"


async def policies_naming_person(session: AsyncSession, actor: Any, user_id: int) -> list[Mention]:
    """The policies that tell this person of a warning or that something is late."""
    told = [p for p in await _there(session) if any(a.user_id == user_id for a in p.actions)]
    return shortened([Mention(KIND, p.id, p.name, "told") for p in told], KIND, "told", len(told))


async def on_team_deleted(session: AsyncSession, event: TeamDeleted, actor: Doer) -> None:
    """Raises `TeamInUse` while a policy hands requests to the team, or says how long they may be with it."""
    for policy in await _there(session):
        if event.team_id in policy.own_time or any(a.team_id == event.team_id for a in policy.actions):
            raise TeamInUse(f"The service level “{policy.name[:80]}” names it: change that first.")


async def _there(session: AsyncSession) -> list[Policy]:
    """Every policy that was not removed, as it is now, by name: also those that are switched off."""
    rows = await session.execute(
        select(SlaPolicy.id, SlaPolicy.version).where(SlaPolicy.removed_at.is_(None)).order_by(SlaPolicy.name)
    )
    keys = [(policy_id, version) for policy_id, version in rows]
    found = await queries.policy_versions(session, keys)
    return [found[key] for key in keys]
