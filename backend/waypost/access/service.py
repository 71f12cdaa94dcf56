"""Signing in, staying in, leaving; passwords and roles."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import devices, factors, passwords, role_rules, throttle, throttling, tokens
from waypost.access.actor import Actor
from waypost.access.errors import (
    LinkUsedUp,
    SessionEnded,
    SessionNotFound,
    TooManyAttempts,
    WrongCredentials,
)
from waypost.access.events import LoggedIn, LoginFailed, NewDevice, PasswordSet, RolesGranted, SessionClosed
from waypost.access.models import (
    Credential,
    LoginSession,
    OneTimeLink,
    RefreshToken,
    Role,
    SignInChallenge,
    Throttle,
    UserRole,
)
from waypost.access.permissions import Permission
from waypost.access.queries import actors
from waypost.access.role_errors import TwoNeeded
from waypost.directory.models import User
from waypost.directory.queries import by_login
from waypost.kernel import proxies
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.errors import FieldError, Forbidden, Invalid, Kind, Refusal
from waypost.kernel.events import SYSTEM, Doer, record
from waypost.kernel.ids import random_token
from waypost.kernel.settings import get_settings

PARENT_GRACE = timedelta(seconds=10)  # contract: the direct parent may be answered again for so long
LINK_LIFE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a sign-in comes from."""

    ip_address: str
    user_agent: str
    device: str = ""  # what this browser was given when somebody signed in with it

    @property
    def network(self) -> str:
        """The address sign-ins are counted under; an IPv6 host owns its whole /64."""
        return proxies.network(self.ip_address)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a sign-in or a refresh gives. `expires_in` is in seconds."""

    user_id: int
    session_id: int
    access_token: str
    expires_in: int
    refresh_token: str
    refresh_expires_at: datetime
    device: str = ""


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
                select(User.id, Credential.password_hash)
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
    found = await _found_elsewhere(database, caller, elsewhere, username, password, account) if not row else None
    if row is not None and not right:
        await elsewhere.pretend(database)
    async with database.transaction() as session:
        if found is not None:
            await throttling.forgive(session, account, address)
            return await admit(session, caller, user_id=found.user_id, method=found.method, came_by=found.came_by)
        if row is not None and right:
            await throttling.forgive(session, account, address)
            return await admit(session, caller, user_id=row.id, method="password")
        await throttling.count_try(session, address, get_settings().login_attempts_per_address)
        await record(session, _failed(caller, row, "wrong_credentials", username), actor=SYSTEM)
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


async def start_session(
    session: AsyncSession, caller: Caller, *, user_id: int, method: str, came_by: factors.CameBy | None = None
) -> SignedIn:
    """Open a session for a person whose identity has been proven by `method`."""
    at = now()
    settings = get_settings()
    opened = LoginSession(
        user_id=user_id,
        created_at=at,
        last_seen_at=at,
        proved_at=at,
        proved_by=method,
        expires_at=_expiry(at, at, came_by.ends_at if came_by else None),
        ip_address=caller.ip_address[:45],
        user_agent=caller.user_agent[:300],
    )
    if came_by is not None:
        opened.provider_id, opened.provider_session = came_by.provider_id, came_by.session
        opened.is_vouched, opened.provider_ends_at = came_by.is_vouched, came_by.ends_at
        if came_by.hint is not None:
            opened.provider_hint, opened.provider_hint_sealed_with = came_by.hint.value, came_by.hint.key_id
    session.add(opened)
    await session.flush()
    token = tokens.first_refresh_token()
    session.add(RefreshToken(token_hash=tokens.hash_token(token), session_id=opened.id, position=1))
    await session.flush()
    await session.execute(update(User).where(User.id == user_id).values(signed_in_at=at))
    person = Actor(user_id=user_id, username="", session_id=opened.id, permissions={})
    await record(
        session,
        LoggedIn(
            user_id=user_id,
            session_id=opened.id,
            method=method,
            ip_address=caller.ip_address,
            provider_id=came_by.provider_id if came_by else None,
        ),
        actor=person,
        at=at,
    )
    device, is_new = await devices.recognise(session, user_id, caller.device, at)
    if is_new:
        new = NewDevice(user_id=user_id, session_id=opened.id, ip_address=caller.ip_address)
        await record(session, new, actor=person, at=at)
    access, life = tokens.issue_access_token(user_id, opened.id, at)
    absolute = at + timedelta(days=settings.session_absolute_days)
    return SignedIn(user_id, opened.id, access, life, token, absolute, device)


def _expiry(created: datetime, seen: datetime, provider_ends: datetime | None) -> datetime:
    settings = get_settings()
    ours = min(
        seen + timedelta(hours=settings.session_idle_hours), created + timedelta(days=settings.session_absolute_days)
    )
    return min(ours, provider_ends) if provider_ends else ours


async def refresh(database: Database, token: str | None) -> SignedIn:
    """Trade a refresh token for its successor and a new access token (RFC 9700, 4.14.2).

    The direct parent of the newest token is answered again within 10 seconds (two tabs at once); any older one means
    the chain was copied: the session ends for everybody who holds it. Raises `SessionEnded`.
    """
    if not token:
        raise SessionEnded
    at, is_reused = now(), False
    async with database.transaction() as session:
        kept = await session.get(RefreshToken, tokens.hash_token(token))
        if kept is None:
            raise SessionEnded
        login = (
            await session.scalars(select(LoginSession).where(LoginSession.id == kept.session_id).with_for_update())
        ).one()
        active = await session.scalar(select(User.is_active).where(User.id == login.user_id))
        if login.ended_at is not None or login.expires_at <= at or not active:
            raise SessionEnded
        await session.refresh(kept)
        newest = await session.scalar(
            select(func.max(RefreshToken.position)).where(RefreshToken.session_id == login.id)
        )
        successor = tokens.next_refresh_token(token)
        if kept.used_at is None:
            kept.used_at = at
            session.add(
                RefreshToken(token_hash=tokens.hash_token(successor), session_id=login.id, position=kept.position + 1)
            )
            login.last_seen_at, login.expires_at = at, _expiry(login.created_at, at, login.provider_ends_at)
            await session.flush()
        elif kept.position + 1 != newest or at - kept.used_at > PARENT_GRACE:
            await end_session(session, login, "reuse", at)
            is_reused = True
        if not is_reused:
            access, life = tokens.issue_access_token(login.user_id, login.id, at)
            absolute = login.created_at + timedelta(days=get_settings().session_absolute_days)
            return SignedIn(login.user_id, login.id, access, life, successor, absolute)
    # The end of the family is committed before the refusal is told.
    actors.forget(kept.session_id)
    raise SessionEnded


async def end_session(
    session: AsyncSession, login: LoginSession, reason: str, at: datetime, actor: Doer = SYSTEM
) -> None:
    """End a sign-in, for a reason."""
    login.ended_at, login.end_reason = at, reason
    await session.flush()
    await record(session, SessionClosed(user_id=login.user_id, session_id=login.id, reason=reason), actor=actor, at=at)


async def end_all_sessions(
    session: AsyncSession, user_id: int, reason: str, at: datetime, actor: Doer, *, but: int | None = None
) -> None:
    """End every sign-in of somebody (`but` one), and those that wait for their second factor."""
    live = select(LoginSession).where(LoginSession.user_id == user_id, LoginSession.ended_at.is_(None))
    if but is not None:
        live = live.where(LoginSession.id != but)
    for login in await session.scalars(live.order_by(LoginSession.id).with_for_update()):
        await end_session(session, login, reason, at, actor)
        actors.forget(login.id)
    await session.execute(delete(SignInChallenge).where(SignInChallenge.user_id == user_id))


async def log_out(session: AsyncSession, token: str | None, actor: Actor | None) -> None:
    """End the session of a refresh token, and that of the bearer; an unknown or ended one is no error."""
    wanted = {actor.session_id} if actor and actor.session_id else set()
    if token:
        kept = await session.get(RefreshToken, tokens.hash_token(token))
        wanted |= {kept.session_id} if kept else set()
    rows = select(LoginSession).where(LoginSession.id.in_(wanted)).order_by(LoginSession.id).with_for_update()
    for login in (await session.scalars(rows)).all():
        if login.ended_at is None:
            who = Actor(user_id=login.user_id, username="", session_id=login.id, permissions={})
            await end_session(session, login, "logout", now(), who)
        actors.forget(login.id)


async def revoke_session(session: AsyncSession, actor: Actor, session_id: int) -> None:
    """End one of one's own sessions. Raises `SessionNotFound`."""
    login = await session.scalar(
        select(LoginSession)
        .where(LoginSession.id == session_id, LoginSession.user_id == actor.user_id, LoginSession.ended_at.is_(None))
        .with_for_update()
    )
    if login is None:
        raise SessionNotFound
    await end_session(session, login, "revoked", now(), actor)
    actors.forget(session_id)


async def set_password(session: AsyncSession, actor: Doer, user: User, password: str, *, pointer: str) -> None:
    """Give a person a password. Raises `WeakPassword` naming the field at `pointer`."""
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
    kept = await passwords.hash_password(password)
    await keep_password_hash(session, user.id, kept, is_short=passwords.is_short(password))
    await record(session, PasswordSet(user_id=user.id), actor=actor)


async def keep_password_hash(
    session: AsyncSession, user_id: int, password_hash: str, *, is_short: bool = False
) -> None:
    """Store a hash made by `hash_password`."""
    kept = {"password_hash": password_hash, "changed_at": now(), "is_short": is_short}
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


async def forget_old_sessions(session: AsyncSession) -> None:
    """Remove sessions that ended or expired more than 90 days ago, and throttles and links nobody needs."""
    at = now()
    old = at - timedelta(days=90)
    await session.execute(delete(LoginSession).where(LoginSession.expires_at < old))
    await session.execute(delete(Throttle).where(Throttle.updated_at < at - 2 * throttle.FORGIVEN_AFTER))
    await session.execute(delete(OneTimeLink).where(OneTimeLink.expires_at < at))
    await devices.forget_old(session, at)
    await factors.forget_old_challenges(session, at)
