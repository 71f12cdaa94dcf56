"""Setting providers up: what an administrator fills in, whether it is on, whether it works, and what its groups give.

Secrets go in and never come out: what is read says only that there is one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import step_up
from waypost.access.actor import Actor
from waypost.access.errors import LastAdministrator
from waypost.access.leaving import ADMINISTRATOR
from waypost.access.models import LoginSession, Role, UserRole, held
from waypost.access.permissions import Permission
from waypost.access.providers.errors import KeyTaken, ProviderNotFound, TooManyProviders
from waypost.access.providers.events import (
    ProviderAdded,
    ProviderChanged,
    ProviderGroupsSet,
    ProviderRemoved,
    ProviderTested,
)
from waypost.access.providers.kinds import Findings, Kind
from waypost.access.providers.models import NONE, VERIFIED_EMAIL, IdentityProvider, ProviderGroup
from waypost.access.providers.people import mapped_roles
from waypost.access.providers.queries import find_provider, groups_of, missing
from waypost.access.providers.registry import KINDS, provider_of, seal, unseal
from waypost.access.queries import actors
from waypost.access.service import check_holds, check_may_give
from waypost.access.sessions import end_session
from waypost.directory.models import User
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.errors import FieldError, Forbidden, Invalid, StaleVersion, escape_pointer, invalid_field
from waypost.kernel.events import record
from waypost.kernel.settings_form import (
    Filled,
    changed_only,
    differences,
    fill_in,
    forbidden_addresses,
    not_ready,
    with_more,
)

MOST_PROVIDERS = 50
MOST_GROUPS = 500
LONGEST_TEST = 20.0  # seconds
LONGEST_ERROR = 500
_OF = "this kind of provider"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a provider may do with people, and whether it is on."""

    name: str
    is_on: bool
    creates_people: bool
    links_by: str
    updates_people: bool
    trusts_second_factor: bool


_RULES = ("name", "is_on", "creates_people", "links_by", "updates_people", "trusts_second_factor")


async def add_provider(
    session: AsyncSession, actor: Actor, *, kind: str, key: str, name: str, settings: Mapping[str, Any]
) -> IdentityProvider:
    """Add a provider, switched off. Raises `StepUpNeeded`, `Invalid`, `KeyTaken`, `TooManyProviders`."""
    actor.require(Permission.IDENTITY_CONFIGURE)
    await step_up.require(session, actor)
    if kind not in KINDS:
        raise invalid_field("/kind", f"must be one of {', '.join(KINDS)}")
    fields = KINDS[kind].fields
    filled = fill_in(fields, {}, {}, settings, _OF)
    if wrong := with_more(filled.wrong, await forbidden_addresses(fields, settings)):
        raise Invalid(errors=tuple(wrong))
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext("identity_providers"))))
    if await session.scalar(select(IdentityProvider.id).where(IdentityProvider.key == key)):
        raise KeyTaken(errors=(FieldError("/key", "is taken already"),))
    if (await session.scalar(select(func.count()).select_from(IdentityProvider)) or 0) >= MOST_PROVIDERS:
        raise TooManyProviders
    at = now()
    row = IdentityProvider(
        key=key, kind=kind, name=name, settings=filled.plain, links_by=NONE, version=1, created_at=at, updated_at=at
    )
    session.add(row)
    await session.flush()
    if filled.hidden:
        seal(row, filled.hidden)
        await session.flush()
    await record(session, ProviderAdded(provider_id=row.id, name=name, key=key, kind=kind), actor=actor, at=at)
    return row


async def change_provider(
    session: AsyncSession, actor: Actor, provider_id: int, *, version: int, rules: Rules, settings: Mapping[str, Any]
) -> None:
    """Change a provider, or switch it. A setting not named stays; null takes it away.

    Raises `ProviderNotFound`, `StepUpNeeded`, `Invalid`, `StaleVersion`.
    """
    actor.require(Permission.IDENTITY_CONFIGURE)
    kind = KINDS[(await find_provider(session, provider_id)).kind]
    await step_up.require(session, actor)
    forbidden = await forbidden_addresses(kind.fields, settings)  # before the lock: names are looked up meanwhile
    row = await _locked(session, provider_id)
    await check_holds(session, actor, await mapped_roles(session, provider_id))
    secrets = unseal(row)
    filled = fill_in(kind.fields, row.settings, secrets, settings, _OF)
    wrong = list(filled.wrong)
    if rules.links_by not in (NONE, VERIFIED_EMAIL):
        wrong.append(FieldError("/links_by", f"must be {NONE} or {VERIFIED_EMAIL}"))
    if rules.is_on:
        config = {**{f.key: f.default for f in kind.fields if f.default is not None}, **filled.all}
        wrong = with_more(wrong, not_ready(kind.fields, config, kind.check(config)))
    if wrong := with_more(wrong, forbidden):
        raise Invalid(errors=tuple(wrong))
    if row.version != version:
        raise StaleVersion(current_version=row.version)
    before, after = _differences(kind, row, secrets, rules, filled)
    if not after:
        return
    at = now()
    for name in _RULES:
        setattr(row, name, getattr(rules, name))
    row.settings, row.updated_at, row.version = filled.plain, at, row.version + 1
    if filled.hidden != secrets:
        seal(row, filled.hidden)
    row.last_error = row.failed_at = None  # how it goes from now on is another matter
    await session.flush()
    told = ProviderChanged(provider_id=row.id, name=row.name, before=before, after=after, settings_version=row.version)
    await record(session, told, actor=actor, at=at)


def _differences(
    kind: Kind, row: IdentityProvider, secrets: Mapping[str, str], rules: Rules, filled: Filled
) -> tuple[dict[str, object], dict[str, object]]:
    """What changes, before and after; of a secret only whether there is one, and that it is another."""
    old, new = changed_only({n: getattr(row, n) for n in _RULES}, {n: getattr(rules, n) for n in _RULES})
    before, after = differences(kind.fields, row.settings, secrets, filled)
    return old | before, new | after


async def remove_provider(session: AsyncSession, actor: Actor, provider_id: int) -> None:
    """Take a provider away: nobody signs in by it any more, who did is signed out, and what its groups gave is gone.

    People stay. Raises `ProviderNotFound`, `StepUpNeeded`, `LastAdministrator`.
    """
    actor.require(Permission.IDENTITY_CONFIGURE)
    await find_provider(session, provider_id)
    await step_up.require(session, actor)
    row = await _locked(session, provider_id)
    await session.execute(select(Role.id).where(Role.key == ADMINISTRATOR).with_for_update())
    await session.execute(delete(UserRole).where(UserRole.provider_id == provider_id))
    if not await _is_administered(session):
        raise LastAdministrator
    at = now()
    await end_sessions_of(session, provider_id, "provider_removed", at, actor)
    await record(session, ProviderRemoved(provider_id=row.id, name=row.name), actor=actor, at=at)
    await session.delete(row)
    await session.flush()
    actors.forget_all()


async def _is_administered(session: AsyncSession) -> bool:
    """Whether anybody active administers for good."""
    wanted = (
        select(User.id)
        .join(UserRole, UserRole.user_id == User.id)
        .join(Role, Role.id == UserRole.role_id)
        .where(Role.key == ADMINISTRATOR, User.is_active, held(), UserRole.expires_at.is_(None))
        .limit(1)
    )
    return await session.scalar(wanted) is not None


async def end_sessions_of(session: AsyncSession, provider_id: int, reason: str, at: datetime, actor: Actor) -> None:
    """End every sign-in that came by a provider."""
    live = select(LoginSession).where(LoginSession.provider_id == provider_id, LoginSession.ended_at.is_(None))
    for login in await session.scalars(live.order_by(LoginSession.id).with_for_update()):
        await end_session(session, login, reason[:16], at, actor)
        actors.forget(login.id)


async def test_provider(database: Database, actor: Actor, provider_id: int) -> Findings:
    """What the other side answers as it is set up, also while it is off. Raises `ProviderNotFound`."""
    actor.require(Permission.IDENTITY_CONFIGURE)
    async with database.read() as session:
        row = await find_provider(session, provider_id)
        kind, provider, lacking = KINDS[row.kind], provider_of(row), missing(row)
    if lacking:
        tested = Findings(error=f"Not set up yet: {', '.join(lacking)} is missing.")
    else:
        try:
            async with asyncio.timeout(LONGEST_TEST):
                tested = await kind.test(provider)
        except TimeoutError:
            tested = Findings(error=f"No answer within {LONGEST_TEST:.0f} seconds.")
    async with database.transaction() as session:
        await note(session, provider_id, tested.error)
        told = ProviderTested(provider_id=provider_id, name=provider.name, error=tested.error)
        await record(session, told, actor=actor)
    return tested


async def note(session: AsyncSession, provider_id: int, error: str | None) -> None:
    """Keep how it went with a provider, for whoever looks after it."""
    values: dict[str, Any] = (
        {"worked_at": now()} if error is None else {"failed_at": now(), "last_error": error[:LONGEST_ERROR]}
    )
    await session.execute(update(IdentityProvider).where(IdentityProvider.id == provider_id).values(**values))


async def set_groups(
    session: AsyncSession, actor: Actor, provider_id: int, *, version: int, groups: Mapping[str, list[str]]
) -> None:
    """Say which roles a provider's groups give, from each one's next sign-in or sync on.

    Nobody maps to a role they could not give themselves. Raises `ProviderNotFound`, `StepUpNeeded`, `Forbidden`,
    `Invalid`, `StaleVersion`.
    """
    actor.require(Permission.IDENTITY_CONFIGURE)
    await find_provider(session, provider_id)
    await step_up.require(session, actor)
    row = await _locked(session, provider_id)
    roles = {r.key: r.id for r in await session.scalars(select(Role).where(Role.key.in_(_all(groups))))}
    wrong = [
        FieldError(f"/groups/{escape_pointer(group)}", f"there is no role {key!r}")
        for group, keys in groups.items()
        for key in keys
        if key not in roles
    ]
    if len(groups) > MOST_GROUPS:
        wrong.append(FieldError("/groups", f"are at most {MOST_GROUPS}"))
    if wrong:
        raise Invalid(errors=tuple(wrong))
    before = {g["group"]: [r["key"] for r in g["roles"]] for g in await groups_of(session, provider_id)}
    after = {g: sorted(set(keys)) for g, keys in sorted(groups.items()) if keys}
    added = {k for g, keys in after.items() for k in keys if k not in before.get(g, ())}
    try:
        await check_may_give(session, actor, [roles[k] for k in added])
    except Forbidden as beyond:
        raise Forbidden("These groups would give roles that may more than you may yourself.") from beyond
    if row.version != version:
        raise StaleVersion(current_version=row.version)
    if before == after:
        return
    await session.execute(delete(ProviderGroup).where(ProviderGroup.provider_id == provider_id))
    rows = [
        {"provider_id": provider_id, "group_name": group, "role_id": roles[key]}
        for group, keys in after.items()
        for key in keys
    ]
    if rows:
        await session.execute(insert(ProviderGroup), rows)
    row.version, row.updated_at = row.version + 1, now()
    await session.flush()
    told = ProviderGroupsSet(provider_id=row.id, name=row.name, before=before, after=after)
    await record(session, told, actor=actor)


def _all(groups: Mapping[str, list[str]]) -> set[str]:
    return {key for keys in groups.values() for key in keys}


async def _locked(session: AsyncSession, provider_id: int) -> IdentityProvider:
    row = await session.get(IdentityProvider, provider_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise ProviderNotFound
    return row
