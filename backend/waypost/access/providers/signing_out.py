"""Signing out with a provider: there, when somebody signs out here; and here, when they sign out there."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import tokens
from waypost.access.actor import Actor
from waypost.access.models import LoginSession, RefreshToken, SignInChallenge
from waypost.access.providers.errors import ProviderFails
from waypost.access.providers.models import Identity, IdentityProvider
from waypost.access.providers.registry import provider_of, signing_out
from waypost.access.providers.signing_in import hint_of
from waypost.access.queries import actors
from waypost.access.sessions import end_session, log_out
from waypost.kernel.crypto import Damaged
from waypost.kernel.db import Database
from waypost.kernel.events import System
from waypost.kernel.logs import get_logger

log = get_logger(__name__)


async def sign_out(database: Database, token: str | None, actor: Actor | None) -> str | None:
    """End a session here; where the browser goes to end it at the provider it came by, when it did and that is offered.

    A provider that does not answer keeps nobody signed in here.
    """
    async with database.transaction() as session:
        found = await _came_by(session, token, actor)
        await log_out(session, token, actor)
    if found is None:
        return None
    row, came_with, hint = found
    kind = signing_out(row.kind)
    if not row.is_on or kind is None:
        return None
    try:
        return await kind.sign_out_address(provider_of(row), came_with, hint)
    except (ProviderFails, Damaged) as fails:
        log.warning("nobody can be signed out at a provider", provider=row.key, why=str(fails))
        return None


async def _came_by(
    session: AsyncSession, token: str | None, actor: Actor | None
) -> tuple[IdentityProvider, str | None, str | None] | None:
    session_id = actor.session_id if actor else None
    if session_id is None and token:
        kept = await session.get(RefreshToken, tokens.hash_token(token))
        session_id = kept.session_id if kept else None
    login = await session.get(LoginSession, session_id) if session_id else None
    if login is None or login.provider_id is None or login.ended_at is not None:
        return None
    row = await session.get(IdentityProvider, login.provider_id)
    if row is None:
        return None
    try:
        hint = hint_of(row.id, login.provider_hint, login.provider_hint_sealed_with)
    except Damaged:
        log.exception("what a provider wants to see when somebody signs out cannot be opened", provider=row.key)
        hint = None
    return row, login.provider_session, hint


async def signed_out_there(
    session: AsyncSession,
    provider: IdentityProvider,
    *,
    subject: str | None,
    provider_session: str | None,
    at: datetime,
) -> int:
    """End the sign-ins that came by one of a provider's sessions, or by one of its people, or by both; how many.

    Those that wait for their second factor end too.
    """
    person = None
    if subject is not None:
        wanted = select(Identity.user_id).where(Identity.provider_id == provider.id, Identity.subject == subject)
        person = await session.scalar(wanted)
        if person is None:
            return 0
    live = select(LoginSession).where(LoginSession.provider_id == provider.id, LoginSession.ended_at.is_(None))
    waiting = delete(SignInChallenge).where(SignInChallenge.provider_id == provider.id)
    if person is not None:
        live, waiting = live.where(LoginSession.user_id == person), waiting.where(SignInChallenge.user_id == person)
    if provider_session is not None:
        live = live.where(LoginSession.provider_session == provider_session)
        waiting = waiting.where(SignInChallenge.provider_session == provider_session)
    ended = 0
    for login in await session.scalars(live.order_by(LoginSession.id).with_for_update()):
        await end_session(session, login, "provider_logout", at, System(channel=provider.kind))
        actors.forget(login.id)
        ended += 1
    await session.execute(waiting)
    return ended
