"""One's own sign-ins: ending one, or all but the one one is at."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import step_up
from waypost.access.actor import Actor
from waypost.access.errors import SessionNotFound
from waypost.access.models import LoginSession
from waypost.access.queries import actors
from waypost.access.sessions import end_all_sessions, end_session
from waypost.kernel.clock import now


async def end_one(session: AsyncSession, actor: Actor, session_id: int) -> None:
    """End a sign-in of one's own; another than the one one is at after showing that it is oneself.

    Raises `SessionNotFound` or `StepUpNeeded`.
    """
    login = await session.scalar(
        select(LoginSession)
        .where(LoginSession.id == session_id, LoginSession.user_id == actor.user_id, LoginSession.ended_at.is_(None))
        .with_for_update()
    )
    if login is None:
        raise SessionNotFound
    if session_id != actor.session_id:
        await step_up.require(session, actor)
    await end_session(session, login, "revoked", now(), actor)
    actors.forget(session_id)


async def end_others(session: AsyncSession, actor: Actor) -> int:
    """End all sign-ins of one's own but the one one is at; how many. Raises `StepUpNeeded`."""
    await step_up.require(session, actor)
    return await end_all_sessions(session, actor.user_id, "revoked", now(), actor, but=actor.session_id)
