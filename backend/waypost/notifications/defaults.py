"""How people are told who chose nothing: for the whole company, and for a role. What administrators set up."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.errors import RoleNotFound
from waypost.access.models import Role
from waypost.kernel.clock import now
from waypost.kernel.errors import Invalid, StaleVersion
from waypost.kernel.events import record
from waypost.kernel.settings_form import changed_only
from waypost.notifications import matrix
from waypost.notifications.channels.registry import channels_in_use
from waypost.notifications.choices import IN_APP, LABELS, MANDATORY, USUAL
from waypost.notifications.events import DefaultsChanged
from waypost.notifications.models import Defaults

MOST_ROLES = 500


async def company_defaults(session: AsyncSession) -> dict[str, Any]:
    """What is usual in this company, what it makes mandatory, and which roles have ways of their own."""
    row = await session.scalar(select(Defaults).where(Defaults.role_id.is_(None)))
    kept = row.choices if row else {}
    channels = await _channels(session)
    roles = await session.execute(
        select(Role.id, Role.name, Defaults.choices)
        .outerjoin(Defaults, Defaults.role_id == Role.id)
        .order_by(Role.name, Role.id)
        .limit(MOST_ROLES)
    )
    return {
        "version": row.version if row else 0,
        "events": {
            e: {c["key"]: kept.get(e, {}).get(c["key"], USUAL[e][c["key"]]) for c in channels} for e in matrix.EVENTS
        },
        "mandatory": row.mandatory if row else {},
        "always": {event: list(keys) for event, keys in MANDATORY.items()},
        "usual": {e: {c["key"]: USUAL[e][c["key"]] for c in channels} for e in matrix.EVENTS},
        "channels": channels,
        "roles": [{"id": r.id, "name": r.name, "has_own": bool(r.choices)} for r in roles],
    }


async def role_defaults(session: AsyncSession, role_id: int) -> dict[str, Any]:
    """What is usual for a role; null is as the company has it. Raises `RoleNotFound`."""
    role = await session.get(Role, role_id)
    if role is None:
        raise RoleNotFound
    row = await session.scalar(select(Defaults).where(Defaults.role_id == role_id))
    kept = row.choices if row else {}
    channels = await _channels(session)
    return {
        "version": row.version if row else 0,
        "role": {"id": role.id, "name": role.name},
        "events": {e: {c["key"]: kept.get(e, {}).get(c["key"]) for c in channels} for e in matrix.EVENTS},
        "channels": channels,
    }


async def set_company_defaults(
    session: AsyncSession,
    actor: Actor,
    *,
    version: int,
    events: Mapping[str, Mapping[str, bool]],
    mandatory: Mapping[str, Collection[str]],
) -> None:
    """Keep what is usual and mandatory in this company. Raises `Invalid`, `StaleVersion`."""
    row = await _locked(session, None)
    if wrong := [*matrix.faults(events), *matrix.mandatory_faults(mandatory)]:
        raise Invalid(errors=tuple(wrong))
    await _keep(
        session, actor, row, version, matrix.company_choices(events, row.choices), matrix.company_mandatory(mandatory)
    )


async def set_role_defaults(
    session: AsyncSession,
    actor: Actor,
    role_id: int,
    *,
    version: int,
    events: Mapping[str, Mapping[str, bool | None]],
) -> None:
    """Keep what is usual for a role. Raises `RoleNotFound`, `Invalid`, `StaleVersion`."""
    await check_role(session, role_id)
    if wrong := matrix.faults(events):
        raise Invalid(errors=tuple(wrong))
    row = await _locked(session, role_id)
    await _keep(session, actor, row, version, matrix.role_choices(events, row.choices), row.mandatory)


async def check_role(session: AsyncSession, role_id: int) -> None:
    """Raises `RoleNotFound`."""
    if await session.scalar(select(Role.id).where(Role.id == role_id)) is None:
        raise RoleNotFound


async def _keep(
    session: AsyncSession,
    actor: Actor,
    row: Defaults,
    version: int,
    choices: matrix.Switches,
    mandatory: Mapping[str, Collection[str]],
) -> None:
    if row.version != version:
        raise StaleVersion(current_version=row.version)
    if (row.choices, row.mandatory) == (choices, mandatory):
        return
    at = now()
    kept = {event: list(keys) for event, keys in mandatory.items()}
    before, after = changed_only(_told(row.choices, row.mandatory), _told(choices, kept))
    row.choices, row.mandatory, row.updated_at = choices, dict(mandatory), at
    row.version += 1
    await session.flush()
    changed = DefaultsChanged(
        role_id=row.role_id,
        choices=choices,
        mandatory=kept,
        defaults_version=row.version,
        before=before,
        after=after,
    )
    await record(session, changed, actor=actor, at=at)


def _told(choices: Mapping[str, Any], mandatory: Mapping[str, Collection[str]]) -> dict[str, Any]:
    """An event's ways by their name, and which of them nobody can switch off."""
    return dict(choices) | {f"mandatory.{event}": sorted(keys) for event, keys in mandatory.items()}


async def _locked(session: AsyncSession, role_id: int | None) -> Defaults:
    """The row, made when there is none, so that two who write wait for each other."""
    await session.execute(
        insert(Defaults).values(role_id=role_id, updated_at=now()).on_conflict_do_nothing(index_elements=["role_id"])
    )
    same = Defaults.role_id.is_(None) if role_id is None else Defaults.role_id == role_id
    wanted = select(Defaults).where(same).with_for_update()
    return (await session.scalars(wanted.execution_options(populate_existing=True))).one()


async def _channels(session: AsyncSession) -> list[dict[str, Any]]:
    """Every channel this installation has switched on."""
    keys = [IN_APP, *(c.key for c in await channels_in_use(session) if c.key in LABELS)]
    return [{"key": key, "label": LABELS[key]} for key in keys]
