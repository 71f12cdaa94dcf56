"""A service level tried out before it is saved: those in force as if it stood among them. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.sla import queries
from waypost.sla.calendar_documents import Calendars
from waypost.sla.measuring import Deal
from waypost.sla.models import SlaPolicy
from waypost.sla.policies import Policy, choose
from waypost.sla.policy_reading import find_policy
from waypost.sla.policy_setting import Setup, check

NEW = 0  # stands for the id it has not got yet


@dataclass(frozen=True, slots=True)
class Trial:
    """The policies in force now and those that would be, each in the order they are asked, on the calendars of today."""

    own_id: int
    now: tuple[Policy, ...]
    then: tuple[Policy, ...]
    calendars: Calendars

    def deals(self, facts: Mapping[str, Any]) -> tuple[Deal | None, Deal | None]:
        """What is agreed for such a request now, and what would be."""
        return self._deal(choose(self.now, facts)), self._deal(choose(self.then, facts))

    def concerns(self, deal: Deal | None) -> bool:
        """Whether it is the policy that is tried out."""
        return deal is not None and deal.policy.id == self.own_id

    def _deal(self, policy: Policy | None) -> Deal | None:
        return None if policy is None else Deal(policy, self.calendars.of(policy.calendar_id))


async def trial(session: AsyncSession, setup: Setup, policy_id: int | None) -> Trial:
    """The policies as if this one were saved: as the next version of one, at its place, or as a new one, before all others.

    Raises `PolicyNotFound`, and as `policy_setting.check` does, naming what is wrong with it.
    """
    row = None if policy_id is None else await find_policy(session, policy_id)
    version = 1 if row is None else row.version + 1
    own = await check(session, setup, policy_id=policy_id or NEW, version=version)
    now = await queries.policies(session)
    others = [policy for policy in now if policy.id != policy_id]
    place = 0 if row is None else await _active_before(session, row)
    then = (*others[:place], own, *others[place:]) if setup.is_active else tuple(others)
    return Trial(policy_id or NEW, now, then, await queries.calendars(session))


async def _active_before(session: AsyncSession, row: SlaPolicy) -> int:
    """How many policies in force are asked before this one, whether it is in force itself or not."""
    place = tuple_(SlaPolicy.position, SlaPolicy.id)
    before = select(func.count()).where(SlaPolicy.is_active, place < tuple_(row.position, row.id))
    return int(await session.scalar(before) or 0)
