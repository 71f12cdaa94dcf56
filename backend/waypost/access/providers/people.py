"""People who come by a provider: found by what it calls them, linked only as allowed, created or refused; and their roles.

Who somebody is, is decided by (provider, subject) and by nothing else. An e-mail address is a claim about a mailbox: it
links an account that is here only when the administrator allowed that for this provider, when the provider vouches for
the address, when nobody of that provider has the account yet, and never when the account administers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.addresses import usable_email
from waypost.access.grants import is_last_administrator
from waypost.access.models import LoginSession, OneTimeLink, Role, RolePermission, UserRole, held
from waypost.access.permissions import Permission
from waypost.access.providers.errors import IdentityTaken, NotLetIn
from waypost.access.providers.events import (
    IdentityLinked,
    PersonFollowedProvider,
    ProviderRolesChanged,
    UsernameFollowed,
)
from waypost.access.providers.models import VERIFIED_EMAIL, Identity, IdentityProvider, ProviderGroup
from waypost.access.providers.said import emptied, emptied_at, kept, renamed, username_from
from waypost.access.queries import actors
from waypost.access.reach import ADMINISTRATOR
from waypost.access.service import grant_roles
from waypost.directory.editing import set_manager
from waypost.directory.errors import ManagerCircle
from waypost.directory.events import UserEmailChanged
from waypost.directory.models import Department, User
from waypost.directory.queries import by_login
from waypost.directory.service import create_user
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.events import Doer, record
from waypost.kernel.shapes import in_one_line, is_blank

EMPLOYEE = "employee"  # what everybody who works here may do, whatever their groups give besides
EVERYBODY = "*"  # stands, among groups, for whoever comes by the provider
LONGEST_SUBJECT = 300
NAMED_BY_ADMINISTRATORS = ("ldap", "scim")  # nobody is called there what they like
# Who holds one of these could let others in, or make themselves more: no address makes anybody such a person.
ADMINISTERS = (Permission.ROLES_CONFIGURE, Permission.IDENTITY_CONFIGURE, Permission.DIRECTORY_CONFIGURE)


@dataclass(frozen=True, slots=True)
class ExternalPerson:
    """Somebody as a provider knows them. What it does not say is None, and changes nothing here, but for `empties`.

    `empties`: of a job title, a department and a manager, those of which saying nothing means that there is none. They
    become empty here where what stands here is what the provider had said.
    `email_verified`: the provider vouches that the address is theirs. `groups` None: it says nothing about groups.
    """

    subject: str
    username: str | None = None
    email: str | None = None
    email_verified: bool = False
    first_name: str | None = None
    last_name: str | None = None
    groups: tuple[str, ...] | None = None
    is_active: bool = True
    department: str | None = None
    manager_subject: str | None = None
    job_title: str | None = None
    timezone: str | None = None
    locale: str | None = None
    empties: tuple[str, ...] = ()


async def bring_in(
    session: AsyncSession, provider: IdentityProvider, external: ExternalPerson, actor: Doer, at: datetime
) -> User:
    """The account of somebody a provider knows: found, linked, or created, as the provider is set up; and up to date.

    Whether an account that is here is active is not changed. Raises `NotLetIn`.
    """
    if not 0 < len(external.subject) <= LONGEST_SUBJECT or "\x00" in external.subject:
        raise NotLetIn("no_subject")
    await _one_at_a_time(session, provider.id, external.subject)
    user = await find(session, provider.id, external.subject)
    is_new = user is None
    if user is None:
        user = await _link_or_create(session, provider, external, actor, at)
    if not user.is_active or not external.is_active:
        raise NotLetIn("not_active")
    await session.execute(
        insert(Identity)
        .values(provider_id=provider.id, subject=external.subject, user_id=user.id, created_at=at, used_at=at)
        .on_conflict_do_update(index_elements=["provider_id", "subject"], set_={"used_at": at})
    )
    if provider.updates_people or is_new:
        await follow(session, provider, user, external, actor, at)
    if external.groups is not None:
        await roles_from_groups(session, provider, user, external.groups, actor)
    return user


async def find(session: AsyncSession, provider_id: int, subject: str) -> User | None:
    """Whom a provider means by a subject, if anybody here; their row is locked."""
    wanted = (
        select(User)
        .join(Identity, Identity.user_id == User.id)
        .where(Identity.provider_id == provider_id, Identity.subject == subject)
        .with_for_update(of=User, key_share=True)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(wanted)).one_or_none()


async def link(
    session: AsyncSession, provider: IdentityProvider, subject: str, user_id: int, actor: Doer, at: datetime, *, by: str
) -> None:
    """Let a provider's person use an account, as decided by who calls this. Raises `IdentityTaken`."""
    await _one_at_a_time(session, provider.id, subject)
    known = await find(session, provider.id, subject)
    if known is not None and known.id == user_id:
        return
    if known is not None:
        raise IdentityTaken
    session.add(Identity(provider_id=provider.id, subject=subject, user_id=user_id, created_at=at))
    await session.flush()
    await record(session, IdentityLinked(user_id=user_id, provider_id=provider.id, by=by), actor=actor, at=at)


async def _one_at_a_time(session: AsyncSession, provider_id: int, subject: str) -> None:
    """Two first sign-ins of one person at the same instant make one account."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(subject, provider_id))))


async def _link_or_create(
    session: AsyncSession, provider: IdentityProvider, external: ExternalPerson, actor: Doer, at: datetime
) -> User:
    email = usable_email(external.email)
    there = None
    if email is not None:
        wanted = select(User).where(func.lower(User.email) == email.lower()).with_for_update(key_share=True)
        there = await session.scalar(wanted.execution_options(populate_existing=True))
    if there is not None:
        if not await _may_link(session, provider, external, there):
            raise NotLetIn("account_exists")
        await link(session, provider, external.subject, there.id, actor, at, by="verified_email")
        return there
    if not provider.creates_people:
        raise NotLetIn("no_account")
    if email is None:
        raise NotLetIn("no_email")
    if not external.is_active:
        raise NotLetIn("not_active")
    username = await free_username(session, external.username or email)
    user = await create_user(
        session,
        actor,
        username=username,
        email=email,
        first_name=_said(external.first_name, 100) or username,
        last_name=_said(external.last_name, 100) or "",
        department_id=None,
        manager_id=None,
    )
    await grant_roles(session, actor, user.id, [EMPLOYEE], pointer="/roles")
    await link(session, provider, external.subject, user.id, actor, at, by="created")
    return user


async def _may_link(session: AsyncSession, provider: IdentityProvider, external: ExternalPerson, user: User) -> bool:
    """Whether an address is enough to make an account that is here this person's."""
    if provider.links_by != VERIFIED_EMAIL or external.email_verified is not True or not user.is_active:
        return False
    has_another = exists().where(Identity.provider_id == provider.id, Identity.user_id == user.id)
    return not await session.scalar(select(has_another)) and not await administers(session, user.id)


async def administers(session: AsyncSession, user_id: int) -> bool:
    """Whether somebody may let others in or give roles: nobody becomes them by an e-mail address."""
    powers = [p.value for p in ADMINISTERS]
    return bool(
        await session.scalar(
            select(
                exists()
                .where(UserRole.user_id == user_id, UserRole.role_id == Role.id, held())
                .where(
                    (Role.key == ADMINISTRATOR)
                    | exists().where(RolePermission.role_id == Role.id, RolePermission.permission.in_(powers))
                )
            )
        )
    )


async def free_username(session: AsyncSession, said: str) -> str:
    """What a provider calls somebody, as a username nobody has: what stands before an @, with a number when needed."""
    name = username_from(said)
    tried, n = name, 1
    while await session.scalar(select(User.id).where(by_login(tried))):
        n += 1
        tried = f"{name}{n}"
    return tried


def _said(value: str | None, most: int) -> str | None:
    """A name as we keep it: one line, none of it invisible; None when nothing is said."""
    if value is None or "\x00" in value:
        return None
    line = in_one_line(value)[:most].strip()
    return None if is_blank(line) else line


async def follow(
    session: AsyncSession, provider: IdentityProvider, user: User, external: ExternalPerson, actor: Doer, at: datetime
) -> list[str]:
    """Let what a provider says of somebody count here; what changed, by name.

    An address is only followed when the provider vouches for it and nobody else has it; departments and managers only
    when they are known here. What it has emptied becomes empty, and a username follows when it is free (`said`).
    """
    is_administering = await administers(session, user.id)
    wanted: dict[str, Any] = {
        "first_name": _said(external.first_name, 100),
        "last_name": _said(external.last_name, 100),
        "job_title": _said(external.job_title, 100),
        "timezone": _said(external.timezone, 64) if _is_timezone(external.timezone) else None,
        # nobody becomes an administrator by an address, and so no provider says what an administrator's is
        "email": None if is_administering else await _free_email(session, user, external),
        "department_id": await _department(session, external.department),
    }
    changed = {k: v for k, v in wanted.items() if v is not None and getattr(user, k) != v}
    email_before, username_before = user.email, user.username
    identity = await session.scalar(
        select(Identity).where(Identity.provider_id == provider.id, Identity.subject == external.subject)
    )
    before = dict(identity.said or {}) if identity else {}
    said = kept(before, _said_by(external), external.empties)
    said |= {k: v for k, v in before.items() if k.endswith("_emptied_at")}
    gone = await _emptied(session, provider, user, before, external)
    said |= {emptied_at(name): rfc3339(at) for name in gone}
    changed |= {_COLUMNS[name][0]: _COLUMNS[name][1] for name in gone if name != "manager"}
    if not is_administering and _follows_names(provider) and (wanted_name := renamed(before, said, user.username)):
        if await session.scalar(select(User.id).where(by_login(wanted_name), User.id != user.id)):
            said["username"] = before["username"]  # somebody has it: looked at again the next time
        elif await _rename(session, user, wanted_name):
            changed["username"] = wanted_name
        else:
            said["username"] = before["username"]  # somebody took it at this moment
    if identity is not None and identity.said != said:
        identity.said = said
    for name, value in changed.items():
        setattr(user, name, value)
    names = list(changed)
    manager = await find(session, provider.id, external.manager_subject) if external.manager_subject else None
    if manager is not None and manager.id != user.manager_id:
        try:
            await set_manager(session, user, manager.id)
            names.append("manager_id")
        except ManagerCircle:
            pass  # two sources disagree about who stands above whom: what is here stays
    if "manager" in gone:
        await set_manager(session, user, None)
        names.append("manager_id")
    if names:
        user.updated_at, user.version = at, user.version + 1
        await session.flush()
    if "username" in changed:
        follows = UsernameFollowed(
            user_id=user.id, provider_id=provider.id, before=username_before, after=user.username
        )
        await record(session, follows, actor=actor, at=at)
    if "email" in changed:
        # both addresses are told, and a link that waits in the old mailbox opens nothing any more
        await session.execute(delete(OneTimeLink).where(OneTimeLink.user_id == user.id, OneTimeLink.used_at.is_(None)))
        moved = UserEmailChanged(user_id=user.id, email_before=email_before, email=user.email)
        await record(session, moved, actor=actor, at=at)
    if names:
        told = PersonFollowedProvider(user_id=user.id, provider_id=provider.id, changed=sorted(names))
        await record(session, told, actor=actor, at=at)
    return names


def _said_by(external: ExternalPerson) -> dict[str, str]:
    """What a provider says of somebody, of that which can be emptied or renamed."""
    said = {
        "username": external.username,
        "job_title": _said(external.job_title, 100),
        "department": _said(external.department, 100),
        "manager": external.manager_subject,
    }
    return {name: value for name, value in said.items() if value}


def _follows_names(provider: IdentityProvider) -> bool:
    """Whether usernames follow: at many a page to sign in at, people choose what they are called there."""
    return provider.kind in NAMED_BY_ADMINISTRATORS or provider.settings.get("follows_usernames") is True


async def _rename(session: AsyncSession, user: User, username: str) -> bool:
    """Give somebody a username; False when somebody else takes it at the same moment, and they keep theirs."""
    try:
        async with session.begin_nested():
            await session.execute(
                update(User)
                .where(User.id == user.id)
                .values(username=username)
                .execution_options(synchronize_session=False)
            )
    except IntegrityError:
        return False
    return True


async def would_empty(
    session: AsyncSession, provider: IdentityProvider, user: User, external: ExternalPerson
) -> list[str]:
    """Which values of somebody become empty when this is followed."""
    said = select(Identity.said).where(Identity.provider_id == provider.id, Identity.subject == external.subject)
    return await _emptied(session, provider, user, dict(await session.scalar(said) or {}), external)


_COLUMNS: dict[str, tuple[str, Any]] = {
    "job_title": ("job_title", ""),
    "department": ("department_id", None),
    "manager": ("manager_id", None),
}


async def _emptied(
    session: AsyncSession, provider: IdentityProvider, user: User, before: dict[str, str], external: ExternalPerson
) -> list[str]:
    """The values that become empty."""
    said = _said_by(external)
    if not any(before.get(name) and not said.get(name) for name in external.empties):
        return []
    of_manager = select(Identity.subject).where(
        Identity.provider_id == provider.id, Identity.user_id == user.manager_id
    )
    here = {
        "job_title": user.job_title,
        "department": await session.scalar(select(Department.name).where(Department.id == user.department_id)),
        "manager": await session.scalar(of_manager.where(Identity.subject == before.get("manager")).limit(1)),
    }
    return emptied(before, said, here, external.empties)


def _is_timezone(said: str | None) -> bool:
    try:
        return bool(said) and ZoneInfo(str(said)) is not None
    except (ValueError, OSError, KeyError):
        return False


async def _free_email(session: AsyncSession, user: User, external: ExternalPerson) -> str | None:
    email = usable_email(external.email) if external.email_verified is True else None
    if email is None or email.lower() == user.email.lower():
        return None
    is_taken = await session.scalar(select(User.id).where(by_login(email), User.id != user.id))
    return None if is_taken else email


async def _department(session: AsyncSession, said: str | None) -> int | None:
    name = _said(said, 100)
    if name is None:
        return None
    return await session.scalar(select(Department.id).where(func.lower(Department.name) == name.lower()))


async def roles_from_groups(
    session: AsyncSession, provider: IdentityProvider, user: User, groups: Iterable[str], actor: Doer
) -> tuple[list[str], list[str]]:
    """Give and take what a provider's map says of these groups: the keys of the roles given, and of those taken.

    What somebody has otherwise stays theirs, and a group the map does not name gives nothing. The last administrator
    keeps that role.
    """
    wanted = await roles_by_map(session, provider.id, groups)
    had = {
        row.role_id: row.provider_id
        for row in await session.execute(
            select(UserRole.role_id, UserRole.provider_id).where(UserRole.user_id == user.id, held()).with_for_update()
        )
    }
    keys = {r.id: r.key for r in await session.scalars(select(Role).where(Role.id.in_({*wanted, *had})))}
    given = [i for i in wanted if i not in had]
    taken = [i for i, by in had.items() if by == provider.id and i not in wanted]
    if any(keys[i] == ADMINISTRATOR for i in taken):
        # of two administrators who lose the role at once, the second is looked at after the first
        await session.execute(select(Role.id).where(Role.key == ADMINISTRATOR).with_for_update())
        if await is_last_administrator(session, user.id):
            taken = [i for i in taken if keys[i] != ADMINISTRATOR]
    if given:
        at = now()
        rows = [{"user_id": user.id, "role_id": i, "provider_id": provider.id, "granted_at": at} for i in given]
        # what they had for a time, and has ended, is taken over
        ended = {
            "provider_id": provider.id,
            "granted_at": at,
            "expires_at": None,
            "told_at": None,
            "reason": "",
            "granted_by_id": None,
        }
        given_now = insert(UserRole).values(rows)
        await session.execute(
            given_now.on_conflict_do_update(index_elements=["user_id", "role_id"], set_=ended, where=~held())
        )
    if taken:
        theirs = (UserRole.user_id == user.id, UserRole.provider_id == provider.id)
        await session.execute(delete(UserRole).where(*theirs, UserRole.role_id.in_(taken)))
    named = sorted(keys[i] for i in given), sorted(keys[i] for i in taken)
    if given or taken:
        told = ProviderRolesChanged(user_id=user.id, provider_id=provider.id, given=named[0], taken=named[1])
        await record(session, told, actor=actor)
        live = select(LoginSession.id).where(LoginSession.user_id == user.id, LoginSession.ended_at.is_(None))
        for session_id in await session.scalars(live):
            actors.forget(session_id)
    return named


async def mapped_roles(session: AsyncSession, provider_id: int) -> set[int]:
    """The ids of all roles a provider's map can give: whoever speaks for the provider can give them to themselves."""
    rows = await session.scalars(
        select(ProviderGroup.role_id).where(ProviderGroup.provider_id == provider_id).distinct()
    )
    return set(rows.all())


async def roles_by_map(session: AsyncSession, provider_id: int, groups: Iterable[str]) -> set[int]:
    """The ids of the roles a provider's map gives for these groups, exactly as they are written."""
    named = sorted({*(g for g in groups if g and "\x00" not in g), EVERYBODY})
    rows = await session.scalars(
        select(ProviderGroup.role_id).where(
            ProviderGroup.provider_id == provider_id, ProviderGroup.group_name.in_(named)
        )
    )
    return set(rows)
