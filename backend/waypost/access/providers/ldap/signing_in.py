"""Signing in with the password of a directory, where somebody has none of ours.

The directory is searched with Waypost's own account, and asked for the password of the one entry that was found. Whoever
is not found there costs the same: an entry that does not exist is asked for a password that nobody typed. What is typed
is never kept, and goes out no more often than the provider's number of tries allows, whichever of somebody's names is
typed: Waypost locks nobody's account there.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import passwords, step_up, throttling
from waypost.access.errors import TooManyAttempts
from waypost.access.events import LoginFailed
from waypost.access.factors import CameBy
from waypost.access.models import Credential
from waypost.access.providers import people, service
from waypost.access.providers.errors import NotLetIn
from waypost.access.providers.kinds import Provider
from waypost.access.providers.ldap import searching
from waypost.access.providers.ldap.directory import Directory, directory_of
from waypost.access.providers.ldap.errors import DirectoryAway, DirectoryPasswordOver
from waypost.access.providers.ldap.kind import KEY, number
from waypost.access.providers.ldap.reading import Person, subject_filter, typed
from waypost.access.providers.ldap.shape import Shape, departments_of
from waypost.access.providers.models import Identity, IdentityProvider, ProviderGroup
from waypost.access.providers.registry import provider_of
from waypost.access.service import Elsewhere
from waypost.access.sessions import Caller
from waypost.kernel.clock import now
from waypost.kernel.crypto import Damaged
from waypost.kernel.db import Database
from waypost.kernel.events import SYSTEM, record
from waypost.kernel.logs import get_logger
from waypost.vendors import ldap

METHOD = "directory"
log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Located:
    provider: Provider
    directory: Directory
    person: Person


async def _providers(database: Database) -> list[Provider]:
    """The directories that are on, in the order they were added."""
    async with database.read() as session:
        rows = await session.scalars(
            select(IdentityProvider)
            .where(IdentityProvider.kind == KEY, IdentityProvider.is_on)
            .order_by(IdentityProvider.id)
        )
        found = []
        for row in rows:
            try:
                found.append(provider_of(row))
            except Damaged:
                log.exception("a provider's secrets cannot be opened", provider=row.key)
        return found


class Directories:
    """What signing in asks when somebody has no password here."""

    async def tries(self, database: Database) -> int | None:
        """How many wrong passwords a name has before a pause; None while no directory is on."""
        return min((number(p.config, "password_tries") for p in await _providers(database)), default=None)

    def name_of(self, username: str) -> str:
        """What of a typed name tries are counted under: without what says which directory."""
        said = typed(username)
        return said.name.lower() if said else username.strip().lower()

    async def prove(self, database: Database, caller: Caller, username: str, password: str) -> Elsewhere | None:
        """Whose name and password these are, now up to date here; None when they are nobody's.

        Raises `TooManyAttempts`, `DirectoryAway`, `DirectoryPasswordOver`, `NotLetIn`.
        """
        providers = await _providers(database)
        if not providers:
            return None
        located = await _locate(database, providers, username)
        if located is None or not password:
            await _pretend(providers[0])
            return None
        key = _tries_key(located.provider.id, located.person.subject)
        async with database.transaction() as session:
            waiting = await throttling.count_try(session, key, number(located.provider.config, "password_tries"))
            if waiting:
                await record(session, await _failed(session, located, caller, "paused"), actor=SYSTEM)
        if waiting:
            raise TooManyAttempts(retry_after=waiting, policy=throttling.policy())
        try:
            await located.directory.try_password(located.person.dn, password)
        except ldap.SignInRefused as refused:
            async with database.transaction() as session:
                await record(session, await _failed(session, located, caller, f"directory_{refused.why}"), actor=SYSTEM)
            if refused.why in ("password_expired", "must_change"):  # told only to who knows the password
                raise DirectoryPasswordOver from refused
            return None
        except ldap.LdapError as away:
            async with database.transaction() as session:
                await throttling.take_back(session, key)
                await service.note(session, located.provider.id, str(away))
            raise DirectoryAway from away
        return await self._bring_in(database, caller, located, key)

    async def pretend(self, database: Database) -> None:
        """Take as long as asking a directory does, for a name whose password is kept here."""
        async with database.read() as session:
            rows = await session.scalars(
                select(IdentityProvider)
                .where(IdentityProvider.kind == KEY, IdentityProvider.is_on)
                .order_by(IdentityProvider.id)
                .limit(1)
            )
            row = rows.one_or_none()
            if row is None or (row.failed_at and (row.worked_at is None or row.failed_at > row.worked_at)):
                return
            try:
                provider = provider_of(row)
            except Damaged:
                return
        try:
            directory = await directory_of(provider.config)
            nobody = f"nobody-{secrets.token_hex(8)}"
            await directory.ask(lambda c, s: searching.find(c, s, nobody, now()))
        except ldap.LdapError:
            return
        await _pretend(provider)

    async def _bring_in(self, database: Database, caller: Caller, located: _Located, key: str) -> Elsewhere | None:
        provider, person = located.provider, located.person
        if not person.is_active:
            async with database.transaction() as session:
                await record(session, await _failed(session, located, caller, "directory_disabled"), actor=SYSTEM)
            return None
        async with database.read() as session:
            wanted = list(
                await session.scalars(
                    select(ProviderGroup.group_name).where(ProviderGroup.provider_id == provider.id).distinct()
                )
            )

        def more(connection: ldap.Connection, shape: Shape) -> tuple[set[str], str]:
            groups = searching.groups_of(connection, shape, person, wanted)
            return groups, searching.subject_at(connection, shape, person.manager_dn) if person.manager_dn else ""

        try:
            groups, manager = await located.directory.ask(more)
        except ldap.LdapError as away:
            async with database.transaction() as session:
                await throttling.take_back(session, key)
                await service.note(session, provider.id, str(away))
            raise DirectoryAway from away
        try:
            async with database.transaction() as session:
                row = await session.get(IdentityProvider, provider.id)
                if row is None or not row.is_on:
                    return None
                external = external_of(person, groups, manager, departments_of(provider.config))
                user = await people.bring_in(session, row, external, SYSTEM, now())
                await throttling.forgive_account(session, key)
                await service.note(session, provider.id, None)
                return Elsewhere(user.id, METHOD, CameBy(provider.id))
        except NotLetIn as refused:
            async with database.transaction() as session:
                await record(session, await _failed(session, located, caller, refused.reason), actor=SYSTEM)
            raise


def external_of(
    person: Person,
    groups: set[str] | None,
    manager_subject: str,
    departments: dict[str, str],
    empties: Collection[str] = (),
) -> people.ExternalPerson:
    """Somebody of a directory as every provider tells of people. An administrator vouches for what stands there.

    `empties` are the values that were read: nothing is emptied by a sign-in, where no guard looks at how many there are.
    """
    values = person.values
    department = values.get("department") or ""
    return people.ExternalPerson(
        subject=person.subject,
        username=values.get("username"),
        email=values.get("email"),
        email_verified=True,
        first_name=values.get("first_name"),
        last_name=values.get("last_name"),
        groups=None if groups is None else tuple(sorted(groups)),
        is_active=person.is_active,
        department=departments.get(department.lower(), department) or None,
        manager_subject=manager_subject or None,
        job_title=values.get("job_title"),
        timezone=values.get("timezone"),
        # a manager who is not known here is one all the same
        empties=tuple(n for n in empties if n != "manager" or not person.manager_dn),
    )


async def _locate(database: Database, providers: list[Provider], username: str) -> _Located | None:
    """Who goes by a name, in the first directory that knows them. Raises `DirectoryAway` when one cannot be asked."""
    away: ldap.LdapError | None = None
    for provider in providers:
        try:
            directory = await directory_of(provider.config)
            person = await directory.ask(lambda c, s: searching.find(c, s, username, now()))
        except ldap.LdapError as error:
            log.warning("a directory cannot be asked", provider=provider.key, why=str(error))
            async with database.transaction() as session:
                await service.note(session, provider.id, str(error))
            away = error
            continue
        if person is not None:
            return _Located(provider, directory, person)
    if away is not None:
        raise DirectoryAway from away
    return None


async def _pretend(provider: Provider) -> None:
    """Ask for the password of an entry there is not, with one that nobody typed."""
    try:
        directory = await directory_of(provider.config)
        await directory.try_password(
            f"cn=nobody-{secrets.token_hex(8)},{directory.shape.base_dn}", secrets.token_urlsafe(12)
        )
    except ldap.LdapError:
        return


def _tries_key(provider_id: int, subject: str) -> str:
    return f"directory:{provider_id}:{hashlib.sha256(subject.encode()).hexdigest()[:40]}"


async def _failed(session: AsyncSession, located: _Located, caller: Caller, reason: str) -> LoginFailed:
    user_id = await session.scalar(
        select(Identity.user_id).where(
            Identity.provider_id == located.provider.id, Identity.subject == located.person.subject
        )
    )
    return LoginFailed(user_id=user_id or 0, reason=reason[:40], ip_address=caller.ip_address)


async def _has_password(session: AsyncSession, user_id: int) -> bool:
    """Whether somebody has a password: one kept here, or one a directory that is on knows."""
    mine = (
        exists()
        .where(Identity.user_id == user_id, Identity.provider_id == IdentityProvider.id)
        .where(IdentityProvider.kind == KEY, IdentityProvider.is_on)
    )
    return bool(await session.scalar(select(exists().where(Credential.user_id == user_id) | mine)))


async def _is_password(database: Database, user_id: int, proof: str) -> bool:
    """Whether it is theirs: the one kept here when there is one, else the directory's."""
    async with database.read() as session:
        kept = await session.scalar(select(Credential.password_hash).where(Credential.user_id == user_id))
        row = await session.execute(
            select(IdentityProvider, Identity.subject)
            .join(Identity, Identity.provider_id == IdentityProvider.id)
            .where(Identity.user_id == user_id, IdentityProvider.kind == KEY, IdentityProvider.is_on)
            .order_by(IdentityProvider.id)
            .limit(1)
        )
        mine = row.first()
    if kept is not None or mine is None or not proof:
        return await passwords.verify_password(kept, proof)
    provider, subject = provider_of(mine[0]), str(mine[1])
    key = _tries_key(provider.id, subject)
    try:
        directory = await directory_of(provider.config)
        asked = f"(&{directory.shape.user_filter}{subject_filter(subject, directory.shape)})"
        dn = await directory.ask(
            lambda c, s: next((e.dn for e in c.search(s.base_dn, asked, (s.id_attribute,), most=1)), "")
        )
        async with database.transaction() as session:
            if not dn or await throttling.count_try(session, key, number(provider.config, "password_tries")):
                return False
        await directory.try_password(dn, proof)
    except ldap.SignInRefused:
        return False
    except ldap.LdapError as away:
        raise DirectoryAway from away
    async with database.transaction() as session:
        await throttling.forgive_account(session, key)
    return True


step_up.register(step_up.Factor(step_up.PASSWORD, "password", _has_password, _is_password))
