"""Sign-ins: how one begins, goes on and ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import cookies, devices, factors, rotation, throttle, tokens
from waypost.access.actor import Actor
from waypost.access.errors import SessionEnded, TokensRenewed
from waypost.access.events import LoggedIn, NewDevice, SessionClosed
from waypost.access.models import LoginSession, OneTimeLink, RefreshToken, SignInChallenge, Throttle
from waypost.access.queries import actors, limits_of
from waypost.access.rotation import Shown
from waypost.access.service_models import RevokedToken
from waypost.access.session_models import SessionRules
from waypost.access.session_times import end_of, last_of, last_used
from waypost.directory.models import User
from waypost.kernel import proxies
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.events import SYSTEM, Doer, record


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a sign-in comes from.

    `device` is what this browser was given when somebody signed in with it, `refresh` what it was given last: it belongs to
    the sign-in that a new one takes the place of.
    """

    ip_address: str
    user_agent: str
    device: str = ""
    is_old_device: bool = False
    refresh: str = ""

    @property
    def network(self) -> str:
        """The address sign-ins are counted under; an IPv6 host owns its whole /64."""
        return proxies.network(self.ip_address)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a sign-in or a refresh gives. `expires_in` is in seconds.

    It ends when its person does nothing for `idle`, and at `ends_at` in any case.
    """

    user_id: int
    session_id: int
    access_token: str
    expires_in: int
    refresh_token: str
    ends_at: datetime
    idle: timedelta
    device: str = ""


async def start_session(
    session: AsyncSession, caller: Caller, *, user_id: int, method: str, came_by: factors.CameBy | None = None
) -> SignedIn:
    """Open a session for a person whose identity has been proven by `method`."""
    at = now()
    await _hold(session, caller, user_id)
    await _replace(session, caller, at)
    times, most = await limits_of(session, user_id)
    provider_ends = came_by.ends_at if came_by else None
    opened = LoginSession(
        user_id=user_id,
        created_at=at,
        last_seen_at=at,
        proved_at=at,
        proved_by=method,
        expires_at=times.end(created=at, seen=at, provider_ends=provider_ends),
        method=method[:64],
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
    await _end_oldest(session, user_id, most, at)
    device, is_new = await devices.recognise(session, user_id, caller.device, at, is_old_name=caller.is_old_device)
    if is_new:
        new = NewDevice(user_id=user_id, session_id=opened.id, ip_address=caller.ip_address)
        await record(session, new, actor=person, at=at)
    access, life = tokens.issue_access_token(user_id, opened.id, at)
    last = times.last(created=at, provider_ends=provider_ends)
    return SignedIn(user_id, opened.id, access, life, token, last, times.idle, device)


async def _hold(session: AsyncSession, caller: Caller, user_id: int) -> None:
    """Lock the people this is about before any sign-in of theirs, as whoever ends all of somebody's does."""
    theirs = {user_id}
    if caller.refresh:
        owner = select(LoginSession.user_id).join(RefreshToken, RefreshToken.session_id == LoginSession.id)
        before = await session.scalar(owner.where(RefreshToken.token_hash == tokens.hash_token(caller.refresh)))
        theirs |= {before} if before is not None else set()
    people = select(User.id).where(User.id.in_(theirs)).order_by(User.id)
    await session.execute(people.with_for_update(key_share=True))


async def _replace(session: AsyncSession, caller: Caller, at: datetime) -> None:
    """End the sign-in this browser had until now, whoever's it was: nothing would ever use it again, but a thief."""
    kept = await session.get(RefreshToken, tokens.hash_token(caller.refresh)) if caller.refresh else None
    login = await session.get(LoginSession, kept.session_id, with_for_update=True) if kept else None
    if login is not None and login.ended_at is None:
        await end_session(session, login, "replaced", at)
        actors.forget(login.id)


async def _end_oldest(session: AsyncSession, user_id: int, most: int, at: datetime) -> None:
    """End the oldest sign-ins of somebody who has more than there may be. Their row is held by now."""
    open_now = (
        select(LoginSession)
        .where(LoginSession.user_id == user_id, LoginSession.ended_at.is_(None), LoginSession.expires_at > at)
        .order_by(LoginSession.id.desc())
        .offset(most)
        .with_for_update()
    )
    for login in (await session.scalars(open_now)).all():
        await end_session(session, login, "too_many", at)
        actors.forget(login.id)


async def refresh(database: Database, given: cookies.Given | None, *, idle_seconds: int = 0) -> SignedIn:
    """Trade a refresh token for its successor and a new access token (RFC 9700, 4.14.2).

    A browser says for how long its person has done nothing: that a page is open keeps nobody signed in. The direct parent
    of the newest token is answered again within 10 seconds (two tabs at once); any older one means the chain was copied:
    the session ends for everybody who holds it. Raises `SessionEnded`, or `TokensRenewed` for one that another tab has
    just voided by confirming that it is oneself: it has the newest.
    """
    if given is None:
        raise SessionEnded
    token, at, is_reused = given.value, now(), False
    async with database.transaction() as session:
        kept = await session.get(RefreshToken, tokens.hash_token(token))
        if kept is None:
            raise SessionEnded
        login = (
            await session.scalars(select(LoginSession).where(LoginSession.id == kept.session_id).with_for_update())
        ).one()
        active = await session.scalar(select(User.is_active).where(User.id == login.user_id))
        times, _ = await limits_of(session, login.user_id)
        ends = min(login.expires_at, end_of(login, times))
        if login.ended_at is not None or ends <= at or not active:
            raise SessionEnded
        if given.is_old and not await _is_from_before(session, login):
            raise SessionEnded
        standing = await _standing(session, login, kept, at)
        if standing is Shown.OVERTAKEN:
            raise TokensRenewed
        successor = tokens.next_refresh_token(token)
        if standing is Shown.NEWEST:
            kept.used_at = at
            session.add(
                RefreshToken(token_hash=tokens.hash_token(successor), session_id=login.id, position=kept.position + 1)
            )
            login.last_seen_at = last_used(login.last_seen_at, at, idle_seconds)
            login.expires_at = end_of(login, times)
            await session.flush()
        elif standing is Shown.COPIED:
            await end_session(session, login, "reuse", at)
            is_reused = True
        if not is_reused:
            access, life = tokens.issue_access_token(login.user_id, login.id, at)
            last = last_of(login, times)
            return SignedIn(login.user_id, login.id, access, life, successor, last, times.idle)
    # The end of the family is committed before the refusal is told.
    actors.forget(kept.session_id)
    raise SessionEnded


async def _is_from_before(session: AsyncSession, login: LoginSession) -> bool:
    """Whether a sign-in is older than the names cookies have now: then its browser cannot have it under the new one."""
    return login.created_at < (await session.scalars(select(SessionRules.cookies_since))).one()


async def _standing(session: AsyncSession, login: LoginSession, kept: RefreshToken, at: datetime) -> Shown:
    """What a token of this sign-in is, whose row is held."""
    await session.refresh(kept)
    newest = await session.scalar(select(func.max(RefreshToken.position)).where(RefreshToken.session_id == login.id))
    return rotation.shown(kept.used_at, login.renewed_at, at, is_parent=kept.position + 1 == newest)


async def _of_this(session: AsyncSession, actor: Actor, token: str) -> RefreshToken | None:
    kept = await session.get(RefreshToken, tokens.hash_token(token)) if token else None
    return kept if kept is not None and kept.session_id == actor.session_id else None


async def ends_as_copied(session: AsyncSession, actor: Actor, token: str, at: datetime) -> bool:
    """Whether the token a browser shows for this sign-in was used by somebody else; the sign-in ends then.

    Raises `TokensRenewed` when another tab has the newest.
    """
    kept = await _of_this(session, actor, token)
    if kept is None:
        return False
    login = await session.get_one(LoginSession, kept.session_id, with_for_update=True)
    standing = await _standing(session, login, kept, at)
    if standing is Shown.OVERTAKEN and login.ended_at is None:
        raise TokensRenewed
    if standing is not Shown.COPIED:
        return False
    if login.ended_at is None:
        await end_session(session, login, "reuse", at)
    actors.forget(login.id)
    return True


async def renew_by_proof(session: AsyncSession, actor: Actor, token: str, at: datetime) -> SignedIn | None:
    """New tokens for the sign-in whose person has just confirmed that it is them; what was issued before opens nothing.

    None when the browser showed no token of this sign-in. Raises `SessionEnded`, or `TokensRenewed` when another tab has
    done the same meanwhile.
    """
    kept = await _of_this(session, actor, token)
    if kept is None:
        return None
    login = await session.get_one(LoginSession, kept.session_id, with_for_update=True, populate_existing=True)
    standing = await _standing(session, login, kept, at)
    if login.ended_at is not None or standing is Shown.COPIED:
        raise SessionEnded
    if standing is Shown.OVERTAKEN:
        raise TokensRenewed
    if standing is Shown.PARENT and kept.used_at is not None:
        at = max(at, kept.used_at)  # another tab has refreshed it a moment before: what it got is voided too
        token = tokens.next_refresh_token(token)
        kept = await session.get_one(RefreshToken, tokens.hash_token(token), populate_existing=True)
    times, _ = await limits_of(session, login.user_id)
    successor = tokens.next_refresh_token(token)
    login.renewed_at = login.last_seen_at = kept.used_at = at
    login.expires_at = end_of(login, times)
    row = RefreshToken(token_hash=tokens.hash_token(successor), session_id=login.id, position=kept.position + 1)
    session.add(row)
    await session.flush()
    actors.forget(login.id)
    access, life = tokens.issue_access_token(login.user_id, login.id, at)
    return SignedIn(login.user_id, login.id, access, life, successor, last_of(login, times), times.idle)


async def end_session(
    session: AsyncSession, login: LoginSession, reason: str, at: datetime, actor: Doer = SYSTEM
) -> None:
    """End a sign-in, for a reason."""
    login.ended_at, login.end_reason = at, reason
    await session.flush()
    await record(session, SessionClosed(user_id=login.user_id, session_id=login.id, reason=reason), actor=actor, at=at)


async def end_all_sessions(
    session: AsyncSession, user_id: int, reason: str, at: datetime, actor: Doer, *, but: int | None = None
) -> int:
    """End every sign-in of somebody (`but` one), and those that wait for their second factor; how many there were."""
    live = select(LoginSession).where(LoginSession.user_id == user_id, LoginSession.ended_at.is_(None))
    if but is not None:
        live = live.where(LoginSession.id != but)
    ended = 0
    for login in await session.scalars(live.order_by(LoginSession.id).with_for_update()):
        await end_session(session, login, reason, at, actor)
        actors.forget(login.id)
        ended += login.expires_at > at
    await session.execute(delete(SignInChallenge).where(SignInChallenge.user_id == user_id))
    return ended


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


async def forget_old_sessions(session: AsyncSession) -> None:
    """Remove sessions that ended or expired more than 90 days ago, and throttles and links nobody needs."""
    at = now()
    old = at - timedelta(days=90)
    await session.execute(delete(LoginSession).where(LoginSession.expires_at < old))
    await session.execute(delete(Throttle).where(Throttle.updated_at < at - 2 * throttle.FORGIVEN_AFTER))
    await session.execute(delete(OneTimeLink).where(OneTimeLink.expires_at < at))
    await session.execute(delete(RevokedToken).where(RevokedToken.expires_at < at))
    await devices.forget_old(session, at)
    await factors.forget_old_challenges(session, at)
