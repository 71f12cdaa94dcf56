"""Signing in; passwords and roles."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import devices, factors, passwords, role_rules, throttling, tokens
from waypost.access.actor import Actor
from waypost.access.errors import (
    LinkUsedUp,
    TooManyAttempts,
    WeakPassword,
    WrongCredentials,
)
from waypost.access.events import LoginFailed, PasswordSet, RolesGranted
from waypost.access.models import (
    Credential,
    OneTimeLink,
    Role,
    UserRole,
)
from waypost.access.permissions import Permission
from waypost.access.role_errors import TwoNeeded
from waypost.access.sessions import Caller, SignedIn, end_all_sessions, start_session
from waypost.directory.models import User
from waypost.directory.queries import by_login
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.errors import FieldError, Forbidden, Invalid, Kind, Refusal
from waypost.kernel.events import SYSTEM, Doer, record
from waypost.kernel.ids import random_token
from waypost.kernel.settings import get_settings

LINK_LIFE = timedelta(hours=24)
GIVEN_LIFE = timedelta(hours=24)  # of a password that somebody else chose


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Somebody whose password is kept elsewhere, and was right."""

    user_id: int
    method: str
    came_by: factors.CameBy


class PasswordsElsewhere(Protocol):
    """Where passwords are asked for that are not kept here.

    `tries`: how many a name has before a pause, None while there is no such place. `name_of`: what of a typed name they
    are counted under. `prove`: whose they are. `pretend`: takes as long, for somebody whose password is kept here.
    """

    async def tries(self, database: Database) -> int | None: ...
    def name_of(self, username: str) -> str: ...
    async def prove(self, database: Database, caller: Caller, username: str, password: str) -> Elsewhere | None: ...
    async def pretend(self, database: Database) -> None: ...


async def log_in(
    database: Database, caller: Caller, *, username: str, password: str, elsewhere: PasswordsElsewhere
) -> SignedIn | factors.SecondFactorAsked:
    """Sign in by username or e-mail address and password; who has a second factor is asked for it next.

    Who has no password here is asked for the one they have `elsewhere`. A try is counted against the account before the
    password is looked at, so many at once are as slow as one after the other; failures are counted against the address
    too, whether the name exists or not. Raises `WrongCredentials` (the same for a wrong name and a wrong password),
    `TooManyAttempts`, and what `elsewhere` does.
    """
    async with database.read() as session:
        row = (
            await session.execute(
                select(User.id, Credential.password_hash, Credential.given_until)
                .join(Credential, Credential.user_id == User.id)
                .where(by_login(username), User.is_active)
            )
        ).first()
    # one count for a person, whichever of their names is typed
    tries = None if row else await elsewhere.tries(database)
    name = username.lower() if tries is None else elsewhere.name_of(username)
    account = throttling.account(row.id) if row else f"name:{tokens.hash_token(name).hex()[:40]}"
    address = throttling.address(caller.network)
    async with database.transaction() as session:
        # guesses made elsewhere, whoever's they are, do not keep out somebody whose browser is known
        known = await devices.known(session, caller.device, username)
        account, paused_by = (known, [known]) if known else (account, [account, address])
        waiting = await throttling.seconds_to_wait(session, paused_by, now())
        if not waiting:
            waiting = await throttling.count_try(session, account, tries or get_settings().login_attempts)
        if waiting:
            await record(session, _failed(caller, row, "paused", username), actor=SYSTEM)
    if waiting:
        raise TooManyAttempts(retry_after=waiting, policy=throttling.policy())
    # No session is open while the hash is computed.
    right = await passwords.verify_password(row.password_hash if row else None, password)
    is_over = bool(row and row.given_until and row.given_until <= now())
    found = await _found_elsewhere(database, caller, elsewhere, username, password, account) if not row else None
    if row is not None and not right:
        await elsewhere.pretend(database)
    async with database.transaction() as session:
        if found is not None:
            await throttling.forgive(session, account, address)
            return await admit(session, caller, user_id=found.user_id, method=found.method, came_by=found.came_by)
        if row is not None and right and not is_over:
            await throttling.forgive(session, account, address)
            return await admit(session, caller, user_id=row.id, method="password")
        await throttling.count_try(session, address, get_settings().login_attempts_per_address)
        reason = "password_over" if right and is_over else "wrong_credentials"
        await record(session, _failed(caller, row, reason, username), actor=SYSTEM)
    raise WrongCredentials


async def _found_elsewhere(
    database: Database, caller: Caller, elsewhere: PasswordsElsewhere, username: str, password: str, account: str
) -> Elsewhere | None:
    try:
        return await elsewhere.prove(database, caller, username, password)
    except Refusal as refused:
        if refused.kind is Kind.UNAVAILABLE:  # nobody looked at the password: it was no try
            async with database.transaction() as session:
                await throttling.take_back(session, account)
        raise


def _failed(caller: Caller, row: Any, reason: str, typed: str) -> LoginFailed:
    return LoginFailed(
        user_id=row.id if row else 0,
        reason=reason,
        ip_address=caller.ip_address,
        name_hash=None if row else tokens.hash_name(typed),
        user_agent=caller.user_agent[:300],
    )


async def admit(
    session: AsyncSession, caller: Caller, *, user_id: int, method: str, came_by: factors.CameBy | None = None
) -> SignedIn | factors.SecondFactorAsked:
    """Let somebody in whose first factor was right: at once, or after their second.

    A provider that is trusted with second factors, and asked for one, has seen to that already.
    """
    methods = [] if came_by and came_by.is_vouched else await factors.methods_of(session, user_id)
    if methods:
        return await factors.ask(session, user_id, methods, method=method, at=now(), came_by=came_by)
    return await start_session(session, caller, user_id=user_id, method=method, came_by=came_by)


async def set_password(session: AsyncSession, actor: Doer, user: User, password: str, *, pointer: str) -> None:
    """Give a person a password. One that somebody else chose works for a day, and cannot be kept.

    Raises `WeakPassword` naming the field at `pointer`.
    """
    company = (user.email.rpartition("@")[2], get_settings().mail_domain)
    passwords.check_new_password(
        password,
        pointer=pointer,
        about=(
            *(user.username, user.first_name, user.last_name, user.email.split("@")[0]),
            *(part for domain in company for part in domain.split(".")[:-1]),
        ),
        has_second_factor=bool(await factors.methods_of(session, user.id)),
    )
    is_own = actor.person_id == user.id
    if is_own:
        await _check_not_given(session, user.id, password, pointer)
    kept = await passwords.hash_password(password)
    until = None if is_own else now() + GIVEN_LIFE
    await keep_password_hash(session, user.id, kept, is_short=passwords.is_short(password), given_until=until)
    await record(session, PasswordSet(user_id=user.id), actor=actor)


async def _check_not_given(session: AsyncSession, user_id: int, password: str, pointer: str) -> None:
    """Raises `WeakPassword` for the one that somebody else chose for them."""
    given = await session.scalar(
        select(Credential.password_hash).where(Credential.user_id == user_id, Credential.given_until.is_not(None))
    )
    if given is not None and await passwords.verify_password(given, password):
        raise WeakPassword(errors=(FieldError(pointer, "is the one you were given: choose one that only you know"),))


async def keep_password_hash(
    session: AsyncSession,
    user_id: int,
    password_hash: str,
    *,
    is_short: bool = False,
    given_until: datetime | None = None,
) -> None:
    """Store a hash made by `hash_password`."""
    kept = {
        "password_hash": password_hash,
        "changed_at": now(),
        "is_short": is_short,
        "given_until": given_until,
    }
    await session.execute(
        pg_insert(Credential)
        .values(user_id=user_id, **kept)
        .on_conflict_do_update(index_elements=["user_id"], set_=kept)
    )


async def make_password_link(session: AsyncSession, user_id: int) -> str:
    """A one-time link, valid for 24 hours, with which a person sets their password."""
    token = random_token("wpl_")
    session.add(OneTimeLink(token_hash=tokens.hash_token(token), user_id=user_id, expires_at=now() + LINK_LIFE))
    await session.flush()
    return f"{get_settings().origin}/welcome#{token}"


async def use_password_link(
    session: AsyncSession, caller: Caller, *, token: str, password: str
) -> SignedIn | factors.SecondFactorAsked:
    """Set a password with a one-time link and sign in; a second factor is asked for all the same.

    Raises `LinkUsedUp` or `WeakPassword`.
    """
    at = now()
    # Expiry and single use are one statement: two at once cannot both pass.
    user_id = await session.scalar(
        update(OneTimeLink)
        .where(
            OneTimeLink.token_hash == tokens.hash_token(token),
            OneTimeLink.purpose == "password",
            OneTimeLink.used_at.is_(None),
            OneTimeLink.expires_at > at,
        )
        .values(used_at=at)
        .returning(OneTimeLink.user_id)
    )
    user = await session.get(User, user_id) if user_id else None
    if user is None or not user.is_active:
        raise LinkUsedUp
    person = Actor(user_id=user.id, username=user.username, session_id=None, permissions={})
    await set_password(session, person, user, password, pointer="/password")
    # Whoever held a session or another such link until now is out: the reason for a new password may be just that. A
    # link that says "this was not me" stays: it may be against whoever sets this one.
    others = (OneTimeLink.user_id == user.id, OneTimeLink.used_at.is_(None), OneTimeLink.purpose == "password")
    await session.execute(delete(OneTimeLink).where(*others))
    await end_all_sessions(session, user.id, "password_set", at, person)
    return await admit(session, caller, user_id=user.id, method="one_time_link")


async def grant_roles(session: AsyncSession, actor: Doer, user_id: int, keys: list[str], *, pointer: str) -> None:
    """Give a person roles for good, beside those they have.

    Nobody gives away more than they hold, unless roles are theirs to configure; what gives power is not given here where
    that takes two. Raises `Invalid` naming an unknown role, `Forbidden`, `TwoNeeded`.
    """
    roles = {r.key: r.id for r in await session.scalars(select(Role).where(Role.key.in_(keys)))}
    await check_may_give(session, actor, roles.values())
    unknown = [k for k in keys if k not in roles]
    if unknown:
        raise Invalid(errors=(FieldError(pointer, f"there is no role {unknown[0]!r}"),))
    if keys:
        at = now()
        rows = [
            {"user_id": user_id, "role_id": i, "granted_at": at, "granted_by_id": actor.person_id}
            for i in roles.values()
        ]
        # one they have for a time is theirs for good from now on
        for_good = {"expires_at": None, "granted_at": at, "granted_by_id": actor.person_id, "provider_id": None}
        await session.execute(
            pg_insert(UserRole)
            .values(rows)
            .on_conflict_do_update(
                index_elements=["user_id", "role_id"], set_=for_good, where=UserRole.expires_at.is_not(None)
            )
        )
        await record(session, RolesGranted(user_id=user_id, roles=tuple(sorted(roles))), actor=actor, at=at)


async def check_may_give(session: AsyncSession, actor: Doer, role_ids: Collection[int]) -> None:
    """Raises `Forbidden` when a person would give away, by these roles, more than they hold, and `TwoNeeded` for those
    that give power where that takes two."""
    if not isinstance(actor, Actor):
        return
    await check_holds(session, actor, role_ids)
    if await role_rules.needs_two(session):
        roles = list(await session.scalars(select(Role).where(Role.id.in_(role_ids))))
        if await role_rules.privileged(session, roles):
            raise TwoNeeded


async def check_holds(session: AsyncSession, actor: Actor, role_ids: Collection[int]) -> None:
    """Raises `Forbidden` when these roles may more than a person who does not configure roles."""
    if actor.may(Permission.ROLES_CONFIGURE):
        return
    granted = await role_rules.granted_by_roles(session, role_ids)
    held = actor.permissions
    if any(held.get(p, 0) < scope for one in granted.values() for p, scope in one.items()):
        raise Forbidden("These roles may more than you may yourself.")
