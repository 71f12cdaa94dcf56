"""Asking for looks at a directory, and deciding on the plan of one that stopped."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import step_up
from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.access.providers.errors import ProviderOff
from waypost.access.providers.events import DirectoryPlanDismissed, DirectoryRunAsked
from waypost.access.providers.ldap.errors import NotADirectory, NothingToSettle, RunNotFound, RunWaits
from waypost.access.providers.ldap.kind import KEY, number
from waypost.access.providers.ldap.models import DirectoryRun, RunState
from waypost.access.providers.models import IdentityProvider
from waypost.access.providers.queries import find_provider
from waypost.kernel.clock import now
from waypost.kernel.events import record

KEPT_RUNS = 100  # of each directory
OPEN = (RunState.WAITING, RunState.RUNNING)


async def find_directory(session: AsyncSession, provider_id: int) -> IdentityProvider:
    """The provider, when it is a directory. Raises `ProviderNotFound`, `NotADirectory`."""
    row = await find_provider(session, provider_id)
    if row.kind != KEY:
        raise NotADirectory
    return row


async def find_run(session: AsyncSession, provider_id: int, run_id: int, *, lock: bool = False) -> DirectoryRun:
    """A run of a directory. Raises `ProviderNotFound`, `NotADirectory`, `RunNotFound`."""
    await find_directory(session, provider_id)
    wanted = select(DirectoryRun).where(DirectoryRun.id == run_id, DirectoryRun.provider_id == provider_id)
    if lock:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    run = await session.scalar(wanted)
    if run is None:
        raise RunNotFound
    return run


def may_be_applied(run: DirectoryRun) -> bool:
    """Whether somebody may still let the plan of a run be done: it waits, or a person put it away."""
    return run.state == RunState.STOPPED or (run.state == RunState.DISMISSED and run.settled_by_id is not None)


async def ask_for_run(session: AsyncSession, actor: Actor, provider_id: int, *, is_dry: bool) -> DirectoryRun:
    """Let a worker look at a directory now, all of it; with `is_dry` for the plan only, also while it is off.

    Raises `ProviderNotFound`, `NotADirectory`, `ProviderOff`, `RunWaits`.
    """
    actor.require(Permission.IDENTITY_CONFIGURE)
    provider = await find_directory(session, provider_id)
    if not provider.is_on and not is_dry:
        raise ProviderOff
    return await _ask(session, actor, provider, is_dry=is_dry, plan_of_id=None)


async def apply_plan(session: AsyncSession, actor: Actor, provider_id: int, run_id: int) -> DirectoryRun:
    """Let exactly the plan of a run that stopped be done; one that is another by then stops again.

    Raises `ProviderNotFound`, `RunNotFound`, `StepUpNeeded`, `NothingToSettle`, `ProviderOff`, `RunWaits`.
    """
    actor.require(Permission.IDENTITY_CONFIGURE)
    await find_run(session, provider_id, run_id)
    await step_up.require(session, actor)
    run = await find_run(session, provider_id, run_id, lock=True)
    provider = await find_directory(session, provider_id)
    if not may_be_applied(run):
        raise NothingToSettle
    if not provider.is_on:
        raise ProviderOff
    return await _ask(session, actor, provider, is_dry=False, plan_of_id=run.id)


async def dismiss_plan(session: AsyncSession, actor: Actor, provider_id: int, run_id: int) -> DirectoryRun:
    """Put the plan of a run that stopped away: it is not done, and the same one is not told of again.

    Raises `ProviderNotFound`, `RunNotFound`, `StepUpNeeded`, `NothingToSettle`.
    """
    actor.require(Permission.IDENTITY_CONFIGURE)
    await find_run(session, provider_id, run_id)
    await step_up.require(session, actor)
    run = await find_run(session, provider_id, run_id, lock=True)
    provider = await find_directory(session, provider_id)
    if run.state != RunState.STOPPED:
        raise NothingToSettle
    run.state, run.settled_by_id, run.settled_at = RunState.DISMISSED, actor.user_id, now()
    await session.flush()
    told = DirectoryPlanDismissed(provider_id=provider_id, name=provider.name, run_id=run.id)
    await record(session, told, actor=actor)
    return run


async def _ask(
    session: AsyncSession, actor: Actor, provider: IdentityProvider, *, is_dry: bool, plan_of_id: int | None
) -> DirectoryRun:
    run_id = await _add(session, provider.id, is_dry=is_dry, asked_by_id=actor.user_id, plan_of_id=plan_of_id, at=now())
    if run_id is None:
        raise RunWaits
    told = DirectoryRunAsked(
        provider_id=provider.id, name=provider.name, run_id=run_id, is_dry=is_dry, plan_of_id=plan_of_id
    )
    await record(session, told, actor=actor)
    return await session.get_one(DirectoryRun, run_id)


async def _add(
    session: AsyncSession,
    provider_id: int,
    *,
    is_dry: bool,
    asked_by_id: int | None,
    plan_of_id: int | None,
    at: datetime,
) -> int | None:
    """A run that waits for a worker; None when one of this directory waits or goes on already."""
    values = {
        "provider_id": provider_id,
        "state": RunState.WAITING.value,
        "is_dry": is_dry,
        "asked_by_id": asked_by_id,
        "plan_of_id": plan_of_id,
        "asked_at": at,
    }
    return await session.scalar(insert(DirectoryRun).values(values).on_conflict_do_nothing().returning(DirectoryRun.id))


async def add_due(session: AsyncSession, at: datetime) -> None:
    """A run for each directory that is followed and whose time has come."""
    rows = await session.execute(
        select(
            IdentityProvider,
            select(func.max(DirectoryRun.asked_at))
            .where(DirectoryRun.provider_id == IdentityProvider.id, ~DirectoryRun.is_dry)
            .correlate(IdentityProvider)
            .scalar_subquery()
            .label("last"),
        )
        .where(IdentityProvider.kind == KEY, IdentityProvider.is_on)
        .where(
            ~exists()
            .where(DirectoryRun.provider_id == IdentityProvider.id, DirectoryRun.state.in_(OPEN))
            .correlate(IdentityProvider)
        )
    )
    for row in rows.all():
        settings = row.IdentityProvider.settings
        every = timedelta(minutes=number(settings, "sync_minutes"))
        if settings.get("syncs") is True and (row.last is None or row.last + every <= at):
            await _add(session, row.IdentityProvider.id, is_dry=False, asked_by_id=None, plan_of_id=None, at=at)


async def go_on_soon(session: AsyncSession, provider_id: int) -> None:
    """One more run at once, for what a run had no time for."""
    await _add(session, provider_id, is_dry=False, asked_by_id=None, plan_of_id=None, at=now())


async def forget_old_runs(session: AsyncSession) -> None:
    """Runs behind the newest hundred of each directory, but for a plan that waits for somebody."""
    ranked = select(
        DirectoryRun.id,
        func.row_number().over(partition_by=DirectoryRun.provider_id, order_by=DirectoryRun.id.desc()).label("place"),
    ).subquery()
    old = select(ranked.c.id).where(ranked.c.place > KEPT_RUNS)
    await session.execute(
        delete(DirectoryRun).where(DirectoryRun.id.in_(old), DirectoryRun.state.not_in([*OPEN, RunState.STOPPED]))
    )


async def settle_others(session: AsyncSession, run: DirectoryRun, at: datetime) -> None:
    """Plans that waited for somebody wait no longer: a newer look has taken their place."""
    await session.execute(
        update(DirectoryRun)
        .where(
            DirectoryRun.provider_id == run.provider_id,
            DirectoryRun.id != run.id,
            DirectoryRun.state == RunState.STOPPED,
        )
        .values(state=RunState.DISMISSED.value, settled_at=at)
    )
