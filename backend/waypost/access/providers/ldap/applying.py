"""Doing a plan: one person after the other, each in a transaction of its own, so that one who cannot be done stops nobody."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import leaving
from waypost.access.models import LoginSession
from waypost.access.providers import people
from waypost.access.providers.ldap.models import DirectoryLeaver
from waypost.access.providers.models import IdentityProvider
from waypost.access.providers.plan import Action, Step
from waypost.access.sessions import end_all_sessions
from waypost.directory.events import UserReactivated
from waypost.directory.models import Department
from waypost.directory.service import create_department
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.errors import Refusal
from waypost.kernel.events import Doer
from waypost.kernel.logs import get_logger

log = get_logger(__name__)
CHANNEL = "directory"
NO_TIME = "left for the next look: there were too many at once"
_DOES = (Action.CREATE, Action.LINK, Action.UPDATE, Action.DEACTIVATE, Action.REACTIVATE)
# Who leaves comes first: whatever else goes wrong, they are out.
_ORDER = {Action.DEACTIVATE: 0, Action.REACTIVATE: 1, Action.CREATE: 2, Action.LINK: 3, Action.UPDATE: 4}


@dataclass(frozen=True, slots=True)
class Follower:
    """Following a directory as the doer: by itself, or for the administrator who let a plan be done."""

    person_id: int | None = None
    channel: str = CHANNEL


def in_order(steps: Sequence[Step], managers: Mapping[str, str]) -> list[Step]:
    """The steps that do something, leavers first, and new people after those they report to."""
    coming = {s.subject: s for s in steps if s.action in (Action.CREATE, Action.LINK)}

    def height(subject: str) -> int:
        """How many new people stand above one; around a circle of managers each counts once."""
        met: set[str] = set()
        while (subject := managers.get(subject, "")) in coming and subject not in met:
            met.add(subject)
        return len(met)

    doing = [s for s in steps if s.action in _DOES]
    return sorted(doing, key=lambda s: (_ORDER[s.action], height(s.subject) if s.subject in coming else 0))


async def apply(
    database: Database,
    provider_id: int,
    steps: Sequence[Step],
    externals: Mapping[str, people.ExternalPerson],
    doer: Follower,
    *,
    makes_departments: bool,
    until: float,
) -> dict[str, str]:
    """Do the steps in this order; what went wrong, by subject. None is begun once the clock (monotonic) is past `until`."""
    if makes_departments:
        await _make_departments(database, steps, doer)
    failed: dict[str, str] = {}
    for step in steps:
        if time.monotonic() > until:
            failed[step.subject] = NO_TIME
            continue
        try:
            async with database.transaction() as session:
                await _do(session, provider_id, step, externals.get(step.subject), doer)
        except Refusal as refused:
            failed[step.subject] = _why(refused)
        except DBAPIError as wrong:  # somebody else took the address meanwhile, or the database is away for a moment
            log.warning(
                "a step of a plan was refused by the database", subject=step.subject, error=type(wrong).__name__
            )
            failed[step.subject] = "the database refused it"
        except Exception:
            log.exception("a step of a plan failed", subject=step.subject)
            failed[step.subject] = "something went wrong; the server's log says what"
        if step.action is Action.DEACTIVATE and step.subject in failed and step.user_id is not None:
            await _sign_out(database, step.user_id, doer)
    return failed


def _why(refused: Refusal) -> str:
    reason = getattr(refused, "reason", "")
    said = {
        "account_exists": "there is an account with this e-mail address here that is not theirs",
        "no_email": "has no e-mail address",
        "no_account": "has no account here, and people are not created",
        "not_active": "is deactivated here",
    }.get(reason, refused.detail)
    return "; ".join([said, *(f"{e.pointer.strip('/?')} {e.message}" for e in refused.errors)])[:500]


async def _do(
    session: AsyncSession,
    provider_id: int,
    step: Step,
    external: people.ExternalPerson | None,
    doer: Follower,
) -> None:
    provider = await session.get_one(IdentityProvider, provider_id)
    at = now()
    if step.action is Action.DEACTIVATE:
        if step.user_id is None:
            raise RuntimeError("nobody to deactivate")
        await leaving.set_active(session, doer, step.user_id, is_active=False)
        row = {"provider_id": provider_id, "user_id": step.user_id, "at": at}
        await session.execute(insert(DirectoryLeaver).values(row).on_conflict_do_nothing())
        return
    if external is None:
        raise RuntimeError("nobody to bring in")
    if step.action is Action.REACTIVATE and step.user_id is not None:
        await leaving.set_active(session, doer, step.user_id, is_active=True)
    await people.bring_in(session, provider, external, doer, at)


async def _make_departments(database: Database, steps: Collection[Step], doer: Follower) -> None:
    """Those that people come into and that are not here yet, below none."""
    wanted = {c.after for s in steps for c in s.changes if c.field == "department" and c.after}
    for name in sorted(wanted):
        try:
            async with database.transaction() as session:
                is_there = select(Department.id).where(func.lower(Department.name) == name.lower())
                if await session.scalar(is_there) is None:
                    await create_department(session, doer, name=name, parent_id=None, head_id=None)
        except (Refusal, DBAPIError) as wrong:  # somebody makes it at this moment
            log.warning("a department was not made", department=name, error=type(wrong).__name__)


async def _sign_out(database: Database, user_id: int, doer: Follower) -> None:
    """Who should have left and could not, because nobody can take over their work, at least goes on with nothing."""
    async with database.transaction() as session:
        live = select(LoginSession.id).where(LoginSession.user_id == user_id, LoginSession.ended_at.is_(None))
        if await session.scalar(live.limit(1)) is not None:
            await end_all_sessions(session, user_id, "directory", now(), doer)


async def on_user_reactivated(session: AsyncSession, event: UserReactivated, actor: Doer) -> None:
    """Whoever was let in again, by whomever, left by no directory: if they are sent away next, that stays."""
    await session.execute(delete(DirectoryLeaver).where(DirectoryLeaver.user_id == event.user_id))
