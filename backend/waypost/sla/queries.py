"""Policies and calendars in force: one look at their versions, and a second one for what this process has not read yet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.sla import calendar_documents, policy_documents
from waypost.sla.calendar_documents import Calendars, KnownCalendar
from waypost.sla.models import SlaCalendar, SlaCalendarVersion, SlaPolicy, SlaPolicyVersion
from waypost.sla.policies import Policy

MOST_KEPT = 2_000  # versions; old ones are read again when they are asked for
Key = tuple[int, int, datetime]  # id, version, since when: what one of them said never changes

_policies: dict[Key, Policy] = {}
_calendars: dict[Key, KnownCalendar] = {}


async def policies(session: AsyncSession) -> tuple[Policy, ...]:
    """The active policies in their order, as `policies.choose` asks them."""
    in_order = (
        select(SlaPolicyVersion.policy_id, SlaPolicyVersion.version, SlaPolicyVersion.changed_at)
        .join(SlaPolicy, (SlaPolicy.id == SlaPolicyVersion.policy_id) & (SlaPolicy.version == SlaPolicyVersion.version))
        .where(SlaPolicy.is_active)
        .order_by(SlaPolicy.position, SlaPolicy.id)
    )
    keys: list[Key] = [(i, v, at) for i, v, at in await session.execute(in_order)]
    found = await _policies_of(session, keys)
    return tuple(found[key] for key in keys)


async def policy_versions(session: AsyncSession, wanted: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Policy]:
    """Policies as they were in these versions, by (id, version); what is not there is left out."""
    version = SlaPolicyVersion
    of = select(version.policy_id, version.version, version.changed_at).where(
        tuple_(version.policy_id, version.version).in_(sorted(set(wanted)))
    )
    keys: list[Key] = [(i, v, at) for i, v, at in await session.execute(of)]
    found = await _policies_of(session, keys)
    return {(key[0], key[1]): found[key] for key in keys}


async def calendars(session: AsyncSession) -> Calendars:
    """All calendars as they are now."""
    version = SlaCalendarVersion
    now = select(
        version.calendar_id, version.version, version.changed_at, SlaCalendar.name, SlaCalendar.is_default
    ).join(SlaCalendar, (SlaCalendar.id == version.calendar_id) & (SlaCalendar.version == version.version))
    rows = (await session.execute(now)).all()
    found = await _calendars_of(session, [(i, v, at) for i, v, at, _, _ in rows])
    return Calendars({i: replace(found[i, v, at], name=name, is_default=first) for i, v, at, name, first in rows})


async def calendar_versions(
    session: AsyncSession, wanted: Iterable[tuple[int, int]]
) -> dict[tuple[int, int], KnownCalendar]:
    """Calendars as they were in these versions, by (id, version); what is not there is left out."""
    version = SlaCalendarVersion
    of = select(version.calendar_id, version.version, version.changed_at).where(
        tuple_(version.calendar_id, version.version).in_(sorted(set(wanted)))
    )
    keys: list[Key] = [(i, v, at) for i, v, at in await session.execute(of)]
    found = await _calendars_of(session, keys)
    return {(key[0], key[1]): found[key] for key in keys}


async def _policies_of(session: AsyncSession, keys: list[Key]) -> dict[Key, Policy]:
    missing = [(i, v) for i, v, at in keys if (i, v, at) not in _policies]
    if missing:
        if len(_policies) > MOST_KEPT:
            _policies.clear()
            missing = [(i, v) for i, v, _ in keys]
        version = SlaPolicyVersion
        rows = await session.scalars(select(version).where(tuple_(version.policy_id, version.version).in_(missing)))
        for row in rows:
            _policies[row.policy_id, row.version, row.changed_at] = parsed(row)
    return {key: _policies[key] for key in keys}


def parsed(row: SlaPolicyVersion) -> Policy:
    """The policy a kept version stands for."""
    fields = policy_documents.catalogue_of(row.field_kinds)
    return policy_documents.read(row.policy_id, row.version, row.name, row.document, fields)


async def _calendars_of(session: AsyncSession, keys: list[Key]) -> dict[Key, KnownCalendar]:
    missing = [(i, v) for i, v, at in keys if (i, v, at) not in _calendars]
    if missing:
        if len(_calendars) > MOST_KEPT:
            _calendars.clear()
            missing = [(i, v) for i, v, _ in keys]
        version = SlaCalendarVersion
        rows = await session.scalars(select(version).where(tuple_(version.calendar_id, version.version).in_(missing)))
        for row in rows:
            calendar, names, yearly = calendar_documents.read(row.document)
            _calendars[row.calendar_id, row.version, row.changed_at] = KnownCalendar(
                id=row.calendar_id,
                version=row.version,
                name=row.document["name"],
                calendar=calendar,
                names=names,
                yearly_names=yearly,
                in_persons_zone=row.document["in_persons_zone"],
            )
    return {key: _calendars[key] for key in keys}
