"""The demo company stays where it belongs: it is not loaded, nor left open, where real people work, unless that was said."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.models import Credential
from waypost.access.passwords import verify_password
from waypost.access.sessions import end_all_sessions
from waypost.demo.company import PASSWORD, PEOPLE
from waypost.directory.models import User
from waypost.kernel.cautions import is_this_machine
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.events import SYSTEM
from waypost.kernel.settings import Settings


class DemoRefused(Exception):
    """Why nothing is started, as a sentence."""


def check_said(settings: Settings) -> None:
    """Refuse a demo nobody asked for at an address that others reach. Raises `DemoRefused`."""
    if not settings.demo or "demo" in settings.model_fields_set:
        return
    host = (settings.public_url or "").partition("://")[2].partition("/")[0].rpartition(":")
    named = settings.public_url is not None and not is_this_machine(host[0] or host[2])
    if named or settings.tls_certificate is not None:
        raise DemoRefused(
            f"{settings.origin} is for others, and the demo company, whose passwords everybody knows, would be loaded. "
            "Say DEMO=0 to start without it, or DEMO=1 to have it there."
        )


async def check_people(database: Database, settings: Settings) -> None:
    """Refuse a demo among people who are not the demo's, and real work beside accounts of it. Raises `DemoRefused`."""
    async with database.read() as session:
        if settings.demo:
            somebody = await session.scalar(select(User.id).limit(1))
            if "demo" not in settings.model_fields_set and somebody is not None and not await _is_demo(session):
                raise DemoRefused("People work here who are not the demo company's. Say DEMO=0 to start for them.")
            return
        known = await _with_known_password(session)
    if known:
        raise DemoRefused(
            f"Accounts of the demo company can still sign in with the password everybody knows ({', '.join(known)}). Lock them "
            "with `python -m waypost.cli lock-demo`, or start with DEMO=1."
        )


async def _is_demo(session: AsyncSession) -> bool:
    found = await session.scalar(select(User.id).where(User.username == "admin", User.email == "admin@example.com"))
    return found is not None


async def _with_known_password(session: AsyncSession) -> dict[str, int]:
    rows = await session.execute(
        select(User.username, User.id, Credential.password_hash)
        .join(Credential, Credential.user_id == User.id)
        .where(User.username.in_(PEOPLE), User.email.like("%@example.com"), User.is_active)
        .order_by(User.username)
    )
    return {row.username: row.id for row in rows.all() if await verify_password(row.password_hash, PASSWORD)}


async def lock(database: Database) -> list[str]:
    """Take the password of everybody who still has the demo's, and sign them out; returns their usernames."""
    async with database.transaction() as session:
        known = await _with_known_password(session)
        await session.execute(delete(Credential).where(Credential.user_id.in_(known.values())))
        for user_id in known.values():
            await end_all_sessions(session, user_id, "demo_locked", now(), SYSTEM)
    return list(known)
