"""Setting providers up: what an administrator fills in, whether it is on, whether it works, and what its groups give.

Secrets go in and never come out: what is read says only that there is one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2
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
from waypost.access.providers.kinds import Field, Findings, Kind
from waypost.access.providers.models import NONE, VERIFIED_EMAIL, IdentityProvider, ProviderGroup
from waypost.access.providers.people import mapped_roles
from waypost.access.providers.queries import find_provider, groups_of, missing
from waypost.access.providers.registry import KINDS, provider_of, seal, unseal
from waypost.access.queries import actors
from waypost.access.service import check_holds, check_may_give, end_session
from waypost.directory.models import User
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.errors import FieldError, Forbidden, Invalid, StaleVersion, escape_pointer, invalid_field
from waypost.kernel.events import record
from waypost.kernel.outgoing import NotAllowed, check_url, resolve

MOST_PROVIDERS = 50
MOST_GROUPS = 500
MOST_LINES = 50
LONGEST_TEST = 20.0  # seconds
LOOK_UP = 3.0  # seconds for the address behind a name
LONGEST_ERROR = 500


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
    forbidden = await _forbidden_addresses(KINDS[kind], settings)
    plain, hidden, wrong = _merged(KINDS[kind], {}, {}, settings)
    wrong += [f for f in forbidden if f.pointer not in {w.pointer for w in wrong}]
    if wrong:
        raise Invalid(errors=tuple(wrong))
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext("identity_providers"))))
    if await session.scalar(select(IdentityProvider.id).where(IdentityProvider.key == key)):
        raise KeyTaken(errors=(FieldError("/key", "is taken already"),))
    if (await session.scalar(select(func.count()).select_from(IdentityProvider)) or 0) >= MOST_PROVIDERS:
        raise TooManyProviders
    at = now()
    row = IdentityProvider(
        key=key, kind=kind, name=name, settings=plain, links_by=NONE, version=1, created_at=at, updated_at=at
    )
    session.add(row)
    await session.flush()
    if hidden:
        seal(row, hidden)
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
    forbidden = await _forbidden_addresses(kind, settings)  # before the lock: names are looked up meanwhile
    row = await _locked(session, provider_id)
    await check_holds(session, actor, await mapped_roles(session, provider_id))
    secrets = unseal(row)
    plain, hidden, wrong = _merged(kind, row.settings, secrets, settings)
    if rules.links_by not in (NONE, VERIFIED_EMAIL):
        wrong.append(FieldError("/links_by", f"must be {NONE} or {VERIFIED_EMAIL}"))
    if rules.is_on:
        wrong += _lacking(kind, plain, hidden, {e.pointer for e in wrong})
    wrong += [f for f in forbidden if f.pointer not in {w.pointer for w in wrong}]
    if wrong:
        raise Invalid(errors=tuple(wrong))
    if row.version != version:
        raise StaleVersion(current_version=row.version)
    before, after = _differences(kind, row, secrets, rules, plain, hidden)
    if not after:
        return
    at = now()
    for name in _RULES:
        setattr(row, name, getattr(rules, name))
    row.settings, row.updated_at, row.version = plain, at, row.version + 1
    if hidden != secrets:
        seal(row, hidden)
    row.last_error = row.failed_at = None  # how it goes from now on is another matter
    await session.flush()
    told = ProviderChanged(provider_id=row.id, name=row.name, before=before, after=after, settings_version=row.version)
    await record(session, told, actor=actor, at=at)


def _differences(
    kind: Kind,
    row: IdentityProvider,
    secrets: Mapping[str, str],
    rules: Rules,
    plain: Mapping[str, Any],
    hidden: Mapping[str, str],
) -> tuple[dict[str, object], dict[str, object]]:
    """What changes, before and after; of a secret only whether there is one, and that it is another."""
    old: dict[str, Any] = {n: getattr(row, n) for n in _RULES}
    new: dict[str, Any] = {n: getattr(rules, n) for n in _RULES}
    for f in kind.fields:
        if f.is_hidden:
            is_same = secrets.get(f.key) == hidden.get(f.key)
            old[f.key] = "(set)" if f.key in secrets else None
            new[f.key] = old[f.key] if is_same else "(another)" if f.key in hidden else None
        else:
            old[f.key], new[f.key] = row.settings.get(f.key), plain.get(f.key)
    names = [n for n in new if old[n] != new[n]]
    return {n: old[n] for n in names}, {n: new[n] for n in names}


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


def _lacking(kind: Kind, plain: Mapping[str, Any], hidden: Mapping[str, str], known: set[str]) -> list[FieldError]:
    """What keeps a provider from being switched on."""
    defaults = {f.key: f.default for f in kind.fields if f.default is not None}
    config = {**defaults, **plain, **hidden}
    wrong = [
        FieldError(f"/settings/{f.key}", "is needed to switch it on")
        for f in kind.fields
        if f.required and config.get(f.key) in (None, "", [])
    ]
    known = known | {e.pointer for e in wrong}
    faults = kind.check(config).items()
    return wrong + [FieldError(f"/settings/{k}", why) for k, why in faults if f"/settings/{k}" not in known]


async def _forbidden_addresses(kind: Kind, asked: Mapping[str, Any]) -> list[FieldError]:
    """Web addresses that would never be called. One whose name is not known just now is judged when it is called."""
    found = []
    for field in kind.fields:
        value = asked.get(field.key)
        if field.kind != "url" or not isinstance(value, str) or not value.strip() or _fault_of(field, value):
            continue
        try:
            async with asyncio.timeout(LOOK_UP):
                await resolve(check_url(value.strip()))
        except NotAllowed as refused:
            found.append(FieldError(f"/settings/{field.key}", f"is not called: {refused}"))
        except (httpx2.HTTPError, TimeoutError):
            continue
    return found


def _merged(
    kind: Kind, before: Mapping[str, Any], secrets: Mapping[str, str], asked: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, str], list[FieldError]]:
    """Settings and secrets with what was asked laid over them, and what is wrong with it."""
    fields = {f.key: f for f in kind.fields}
    plain = {k: v for k, v in before.items() if k in fields}
    hidden = dict(secrets)
    wrong = []
    for key, value in asked.items():
        field = fields.get(key)
        if field is None:
            wrong.append(FieldError(f"/settings/{escape_pointer(key[:64])}", "is no setting of this kind of provider"))
            continue
        into: dict[str, Any] = hidden if field.is_hidden else plain
        if value is None or value in ("", []):
            into.pop(key, None)
        elif fault := _fault_of(field, value):
            wrong.append(FieldError(f"/settings/{key}", fault))
        else:
            into[key] = value.strip() if isinstance(value, str) and not field.is_hidden else value
    return plain, hidden, wrong


def _fault_of(field: Field, value: Any) -> str | None:
    if field.kind == "boolean":
        return None if isinstance(value, bool) else "must be true or false"
    if field.kind == "list":
        is_list = isinstance(value, list) and all(isinstance(v, str) and 0 < len(v) <= field.most for v in value)
        return None if is_list and len(value) <= MOST_LINES else f"must be at most {MOST_LINES} lines of text"
    if not isinstance(value, str):
        return "must be text"
    if len(value) > field.most:
        return "is too long"
    if field.kind == "choice" and value not in field.choices:
        return f"must be one of {', '.join(field.choices)}"
    return _address_fault(value.strip()) if field.kind == "url" else None


def _address_fault(value: str) -> str | None:
    """Whether it reads as an address at all; what may be reached is judged when it is called."""
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return "is no web address"
    if parts.scheme not in ("https", "http") or not parts.hostname or port == 0:
        return "must be a web address such as https://example.com/path"
    return "must not hold a name and password" if parts.username or parts.password else None
