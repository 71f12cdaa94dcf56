"""Following a directory, in a worker: read, plan, and do it, or stop and ask.

One process at a time follows one directory, by a lock that ends with it; a run it leaves behind is marked and done anew.
Nothing is done before the whole plan is known, and nothing at all of one that goes too far.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.providers import people, service
from waypost.access.providers.events import DirectoryFailed, DirectoryFollowed, DirectoryStopped
from waypost.access.providers.kinds import Provider
from waypost.access.providers.ldap import runs
from waypost.access.providers.ldap.applying import NO_TIME, Follower, apply, in_order
from waypost.access.providers.ldap.directory import directory_of
from waypost.access.providers.ldap.fetching import Fetched, fetch
from waypost.access.providers.ldap.following import groups_mapped, here, left_lately, seen_people
from waypost.access.providers.ldap.kind import number
from waypost.access.providers.ldap.models import DirectoryCursor, DirectoryRun, DirectoryRunPerson, RunState
from waypost.access.providers.ldap.reading import Person, normal, subjects_by_dn
from waypost.access.providers.ldap.searching import Cursor
from waypost.access.providers.ldap.shape import departments_of, read_of
from waypost.access.providers.ldap.signing_in import external_of
from waypost.access.providers.models import IdentityProvider
from waypost.access.providers.plan import Action, Plan, Rules, Step, is_too_many, make
from waypost.access.providers.registry import provider_of
from waypost.kernel.clock import now
from waypost.kernel.crypto import Damaged
from waypost.kernel.db import Database
from waypost.kernel.events import record
from waypost.kernel.logs import get_logger
from waypost.vendors import ldap

TASK = "directories.follow"
LOCKS = 0x4C444150_00000000  # and the provider's number
WHOLE_EVERY = timedelta(hours=24)
WITHIN = timedelta(hours=1)  # leavers of so long count together: a list that shrinks slowly is seen, too
PATIENCE = 240.0  # seconds for reading a directory
TURN = 480.0  # seconds for a run: less than a task may take
MOST_SKIPPED = 500  # people that are left out whom a run names; they are counted in any case
_PART = 1000
log = get_logger(__name__)


async def run_due(database: Database) -> None:
    """Follow every directory whose time has come, or that somebody asked for."""
    async with database.transaction() as session:
        await runs.add_due(session, now())
    async with database.read() as session:
        waiting = await session.execute(
            select(DirectoryRun.id, DirectoryRun.provider_id)
            .where(DirectoryRun.state.in_(runs.OPEN))
            .order_by(DirectoryRun.id)
        )
        waits = waiting.all()
    until = time.monotonic() + TURN
    for run_id, provider_id in waits:
        if time.monotonic() > until:
            return
        async with database.alone(LOCKS + provider_id) as is_alone:
            if is_alone:
                await _run(database, run_id, until)


async def _run(database: Database, run_id: int, until: float) -> None:
    async with database.transaction() as session:
        run = await session.get(DirectoryRun, run_id, with_for_update=True)
        if run is None or run.state not in runs.OPEN:
            return
        if run.state == RunState.RUNNING:  # whoever had begun it is no more
            run.state, run.ended_at, run.error = RunState.FAILED, now(), "The worker was stopped meanwhile."
            return
        run.state, run.started_at = RunState.RUNNING, now()
        row = await session.get_one(IdentityProvider, run.provider_id)
        if not row.is_on and not run.is_dry:
            run.state, run.ended_at, run.error = RunState.FAILED, now(), "It was switched off meanwhile."
            return
        try:
            provider = provider_of(row)
        except Damaged:
            log.exception("a provider's secrets cannot be opened", provider=row.key)
            await _failed(session, run, "Its password cannot be opened: enter it anew.")
            return
        wanted = list(await groups_mapped(session, row.id))
        cursor = None if run.asked_by_id else await _cursor(session, row)
    try:
        directory = await directory_of(provider.config)
        at = now()
        fetched = await directory.ask(lambda c, s: fetch(c, s, cursor, wanted, at), patience=PATIENCE)
    except ldap.LdapError as error:
        async with database.transaction() as session:
            await _failed(session, await session.get_one(DirectoryRun, run_id, with_for_update=True), str(error))
        return
    except Exception:
        log.exception("a directory could not be read", provider=provider.key)
        async with database.transaction() as session:
            run = await session.get_one(DirectoryRun, run_id, with_for_update=True)
            await _failed(session, run, "Something went wrong; the server's log says what.")
        return
    await _follow(database, run_id, provider, fetched, until)


@dataclass(frozen=True, slots=True)
class _Made:
    plan: Plan
    externals: dict[str, people.ExternalPerson]
    managers: dict[str, str]


async def _planned(session: AsyncSession, row: IdentityProvider, provider: Provider, fetched: Fetched) -> _Made:
    """The plan, and the people it is about as every provider tells of them."""
    config = provider.config
    makes_departments = bool(config.get("creates_departments"))
    emails = [e for p in fetched.people if (e := p.values.get("email"))]
    found = await here(session, row, emails)
    departments = departments_of(config)
    read = read_of(config)
    seen = seen_people(
        fetched.people,
        found,
        fetched.groups,
        departments,
        fetched.managers,
        makes_departments=makes_departments,
        read=read,
    )
    rules = Rules(
        creates=row.creates_people,
        updates=row.updates_people,
        deactivates=config.get("deactivates") is not False,
        stop_above_percent=number(config, "stop_above_percent"),
    )
    plan = make(
        seen,
        found.known,
        rules,
        is_whole=True,  # who is there has been read in any case
        administrators=found.administrators,
        taken=found.taken,
        linkable=found.linkable,
        unchanged=fetched.unchanged,
        left_lately=await left_lately(session, row.id, now() - WITHIN),
    )
    by_dn = {**fetched.managers, **subjects_by_dn(p for p in fetched.people if p.subject)}
    managers = {p.subject: by_dn.get(normal(p.manager_dn), "") for p in fetched.people if p.manager_dn}
    return _Made(
        plan, {p.subject: _external(p, fetched, managers, departments, read) for p in fetched.people}, managers
    )


def _external(
    person: Person,
    fetched: Fetched,
    managers: dict[str, str],
    departments: dict[str, str],
    read: Collection[str],
) -> people.ExternalPerson:
    groups = set(fetched.groups.get(person.subject, ()))
    return external_of(person, groups, managers.get(person.subject, ""), departments, read)


async def _follow(database: Database, run_id: int, provider: Provider, fetched: Fetched, until: float) -> None:
    async with database.read() as session:
        row = await session.get(IdentityProvider, provider.id)
        if row is None:
            return
        made = await _planned(session, row, provider, fetched)
    async with database.transaction() as session:
        run = await session.get_one(DirectoryRun, run_id, with_for_update=True)
        run.counts, run.digest, run.is_whole = made.plan.counts, made.plan.digest, fetched.is_whole
        run.stop = asdict(made.plan.stop) if made.plan.stop else None
        if run.is_dry:
            run.state, run.ended_at = RunState.PLANNED, now()
            await _keep_people(session, run.id, made.plan.steps, {})
            await service.note(session, provider.id, None)
            return
        if not await _goes_ahead(session, run, provider, made.plan):
            return
        doer = Follower(run.asked_by_id if run.plan_of_id else None)
    steps = in_order(made.plan.steps, made.managers)
    failed = await apply(
        database,
        provider.id,
        steps,
        made.externals,
        doer,
        makes_departments=bool(provider.config.get("creates_departments")),
        until=until,
    )
    async with database.transaction() as session:
        await _done(session, run_id, provider, fetched, made.plan, failed)


async def _goes_ahead(session: AsyncSession, run: DirectoryRun, provider: Provider, plan: Plan) -> bool:
    """Whether a plan is done: one that stops only when somebody let exactly it be done."""
    at = now()
    allowed = await session.get(DirectoryRun, run.plan_of_id) if run.plan_of_id else None
    if allowed is not None and allowed.digest == plan.digest:
        allowed.state, allowed.settled_by_id, allowed.settled_at = RunState.APPLIED, run.asked_by_id, at
        await session.flush()
        return True
    same = await session.scalar(
        select(DirectoryRun)
        .where(DirectoryRun.provider_id == run.provider_id, DirectoryRun.digest == plan.digest)
        .where(
            (DirectoryRun.state == RunState.STOPPED)
            | ((DirectoryRun.state == RunState.DISMISSED) & DirectoryRun.settled_by_id.is_not(None))
        )
        .order_by(DirectoryRun.id.desc())
        .limit(1)
    )
    if plan.stop is None and not _waits_still(same, provider, plan):
        await runs.settle_others(session, run, at)
        return True
    run.ended_at = at
    if same is not None and (run.plan_of_id is None or plan.stop is None):  # it has been told of
        run.state, run.plan_of_id = RunState.HELD, same.id
        return False
    if plan.stop is None:
        raise RuntimeError("what does not stop goes ahead")
    run.state = RunState.STOPPED
    await session.flush()
    await runs.settle_others(session, run, at)
    await _keep_people(session, run.id, plan.steps, {})
    told = DirectoryStopped(
        provider_id=provider.id,
        name=provider.name,
        run_id=run.id,
        why=plan.stop.kind.value,
        leaving=plan.stop.leaving,
        active=plan.stop.active,
    )
    await record(session, told, actor=Follower())
    return False


def _waits_still(stopped: DirectoryRun | None, provider: Provider, plan: Plan) -> bool:
    """Whether a plan that stopped because of who had left in the hour before it would do so still: that the hour is over does
    not mean that somebody has looked at it."""
    lately = int(((stopped and stopped.stop) or {}).get("left_lately", 0))
    if stopped is None or stopped.stop is None or not lately:
        return False
    percent = number(provider.config, "stop_above_percent")
    return is_too_many(plan.counts["DEACTIVATE"] + lately, stopped.stop["active"] + lately, percent)


async def _done(
    session: AsyncSession,
    run_id: int,
    provider: Provider,
    fetched: Fetched,
    plan: Plan,
    failed: dict[str, str],
) -> None:
    run = await session.get_one(DirectoryRun, run_id, with_for_update=True)
    run.state, run.ended_at = RunState.DONE, now()
    run.counts = {**plan.counts, "FAILED": len(failed)}
    skipped = [s for s in plan.steps if s.action is Action.SKIP][:MOST_SKIPPED]
    await _keep_people(session, run_id, [*(s for s in plan.steps if s.action is not Action.SKIP), *skipped], failed)
    await service.note(session, provider.id, None)
    if not failed:  # who could not be done is looked at again next time
        await _keep_cursor(session, provider.id, fetched)
    if run.asked_by_id or failed or any(s.action is not Action.SKIP for s in plan.steps):
        told = DirectoryFollowed(
            provider_id=provider.id, name=provider.name, run_id=run_id, counts=plan.counts, failed=len(failed)
        )
        await record(session, told, actor=Follower(run.asked_by_id if run.plan_of_id else None))
    if NO_TIME in failed.values():
        await session.flush()
        await runs.go_on_soon(session, provider.id)


async def _failed(session: AsyncSession, run: DirectoryRun, why: str) -> None:
    """The directory could not be read: nothing is known, so nothing is done. Told when it was well the time before."""
    before = await session.scalar(
        select(DirectoryRun.state)
        .where(DirectoryRun.provider_id == run.provider_id, DirectoryRun.id < run.id)
        .order_by(DirectoryRun.id.desc())
        .limit(1)
    )
    run.state, run.ended_at, run.error = RunState.FAILED, now(), why[:1000]
    await session.flush()
    await service.note(session, run.provider_id, why)
    if before != RunState.FAILED and run.asked_by_id is None:
        name = await session.scalar(select(IdentityProvider.name).where(IdentityProvider.id == run.provider_id))
        told = DirectoryFailed(provider_id=run.provider_id, name=name or "", run_id=run.id, why=why[:300])
        await record(session, told, actor=Follower())


async def _keep_people(session: AsyncSession, run_id: int, steps: Sequence[Step], failed: dict[str, str]) -> None:
    rows: list[dict[str, Any]] = [
        {
            "run_id": run_id,
            "position": n,
            "action": step.action.value,
            "reason": step.reason.value,
            "subject": step.subject,
            "name": step.name[:200],
            "user_id": step.user_id,
            "changes": [asdict(c) for c in step.changes],
            "note": step.note[:500],
            "error": failed.get(step.subject),
        }
        for n, step in enumerate(sorted(steps, key=lambda s: _place(s, failed)), 1)
    ]
    for start in range(0, len(rows), _PART):
        await session.execute(insert(DirectoryRunPerson), rows[start : start + _PART])


def _place(step: Step, failed: dict[str, str]) -> tuple[bool, int, str, str]:
    """What matters most comes first: what went wrong, then who leaves."""
    order = ("DEACTIVATE", "REACTIVATE", "CREATE", "LINK", "UPDATE", "SKIP")
    return step.subject not in failed, order.index(step.action.value), step.name.lower(), step.subject


async def _cursor(session: AsyncSession, row: IdentityProvider) -> Cursor | None:
    """How far it has been read, when that still counts: nothing was set otherwise since, and all was read today."""
    kept = await session.get(DirectoryCursor, row.id)
    if kept is None or kept.settings_version != row.version or kept.whole_at < now() - WHOLE_EVERY:
        return None
    return Cursor(kept.server, kept.value, kept.groups)


async def _keep_cursor(session: AsyncSession, provider_id: int, fetched: Fetched) -> None:
    version = await session.scalar(select(IdentityProvider.version).where(IdentityProvider.id == provider_id))
    values: dict[str, Any] = {
        "provider_id": provider_id,
        "server": fetched.cursor.server,
        "value": fetched.cursor.value[:40],
        "groups": fetched.cursor.groups,
        "settings_version": version,
    }
    if fetched.is_whole:
        kept = pg_insert(DirectoryCursor).values({**values, "whole_at": now()})
        changed = {k: kept.excluded[k] for k in ("server", "value", "groups", "settings_version", "whole_at")}
        await session.execute(kept.on_conflict_do_update(index_elements=["provider_id"], set_=changed))
        return
    await session.execute(update(DirectoryCursor).where(DirectoryCursor.provider_id == provider_id).values(**values))
