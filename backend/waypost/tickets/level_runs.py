"""Having running requests go by the newest version of a service level: first only looked at, then done, by the worker.

A run walks over the requests in the order of their ids, a batch in each transaction, which also holds how far it came and
what it counted: a worker that dies leaves the rest to the next one, and nothing is done or counted twice. Counting and doing
are one way (`clocking.look`), so what was shown is what is done, unless requests change in between.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.access.queries import actor_of_user
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.errors import StaleVersion
from waypost.kernel.events import SYSTEM, Doer, record
from waypost.kernel.logs import get_logger
from waypost.sla import clocks
from waypost.sla.clock_models import ACTIVE, SlaClock
from waypost.sla.events import PolicyRunBegan, PolicyRunEnded
from waypost.sla.models import SlaPolicy
from waypost.sla.policy_reading import find_policy
from waypost.tickets import clocking, level_effects, policy
from waypost.tickets.errors import LevelNotInUse, LevelRunGoesOn, LevelRunIsOver, LevelRunNotFound
from waypost.tickets.level_effects import Effect
from waypost.tickets.level_run_models import FINISHED, IS_RUNNING, OVERTAKEN, REVOKED, RUNNING, STOPPED, LevelRun
from waypost.tickets.models import Ticket

log = get_logger(__name__)
TASK = "sla.level_runs"
CHANNEL = "bulk"
BATCH = 50  # requests of a transaction: their rows are held until it ends
TURN = 5.0  # seconds a worker process gives to runs at a time
TRIALS_KEPT = timedelta(days=1)
WHY = "an administrator applied it to running requests"
Json = dict[str, Any]


async def begin(session: AsyncSession, actor: Actor, policy_id: int, *, version: int, is_trial: bool) -> LevelRun:
    """Write down that the newest version is to be applied, or what that comes to counted; the worker goes on with it.

    Whoever begins another trial ends their earlier one. Raises `PolicyNotFound`, `StaleVersion` when `version` is not the
    newest, `LevelNotInUse`, and `LevelRunGoesOn` while it is being applied.
    """
    actor.require(Permission.SLA_CONFIGURE)
    level = await find_policy(session, policy_id, lock=True)
    if level.version != version:
        raise StaleVersion(current_version=level.version)
    if not level.is_active:
        raise LevelNotInUse
    running = (LevelRun.policy_id == policy_id, LevelRun.status == RUNNING)
    if await session.scalar(select(LevelRun.id).where(*running, LevelRun.is_trial.is_(False))) is not None:
        raise LevelRunGoesOn
    mine = (*running, LevelRun.is_trial, LevelRun.actor_id == actor.user_id)
    await session.execute(update(LevelRun).where(*mine).values(status=STOPPED, finished_at=now()))
    before = await _by_version(session, policy_id)
    run = LevelRun(
        policy_id=policy_id,
        policy_version=version,
        is_trial=is_trial,
        actor_id=actor.user_id,
        limited_to=actor.limits,
        status=RUNNING,
        total=sum(before.values()),
        done=0,
        last_ticket_id=0,
        before=before,
        counts=level_effects.counted({}, ()),
        examples=[],
        created_at=now(),
    )
    session.add(run)
    await session.flush()
    if not is_trial:
        began = PolicyRunBegan(
            policy_id=policy_id, name=level.name, run_id=run.id, policy_version=version, total=run.total, before=before
        )
        await record(session, began, actor=actor)
    return run


async def stop(session: AsyncSession, actor: Actor, policy_id: int, run_id: int) -> LevelRun:
    """End a run after the batch it is at; what was done stays. Raises `LevelRunNotFound`, `LevelRunIsOver`."""
    actor.require(Permission.SLA_CONFIGURE)
    run = await find(session, actor, policy_id, run_id, lock=True)
    if run.status != RUNNING:
        raise LevelRunIsOver
    run.stopped_by_id = actor.user_id
    await _end(session, run, STOPPED, actor)
    return run


async def find(session: AsyncSession, actor: Actor, policy_id: int, run_id: int, *, lock: bool = False) -> LevelRun:
    """A run of this policy; a trial is its asker's own. Raises `LevelRunNotFound`."""
    run = await session.get(LevelRun, run_id, with_for_update=lock or None)
    if run is None or run.policy_id != policy_id or (run.is_trial and run.actor_id != actor.user_id):
        raise LevelRunNotFound
    return run


async def _by_version(session: AsyncSession, policy_id: int) -> dict[str, int]:
    """How many running requests go by which version of a policy, newest first; each by the newest of its clocks."""
    newest = (
        select(func.max(SlaClock.policy_version).label("version"))
        .where(SlaClock.policy_id == policy_id, text(ACTIVE))
        .group_by(SlaClock.ticket_id)
        .subquery()
    )
    rows = await session.execute(
        select(newest.c.version, func.count()).group_by(newest.c.version).order_by(newest.c.version.desc())
    )
    return {str(version): count for version, count in rows}


# --- in the worker ----------------------------------------------------------------------------------------------------


async def run_due(database: Database, *, seconds: float = TURN) -> int:
    """Go on with the runs that are not over, a batch of each in turn; how many requests were looked at."""
    done, until = 0, time.monotonic() + seconds
    while True:
        async with database.read() as session:
            running = list(await session.scalars(select(LevelRun.id).where(text(IS_RUNNING))))
        looked = 0
        for run_id in sorted(running):
            if time.monotonic() >= until:
                return done
            async with database.transaction() as session:
                looked += await batch(session, run_id)
        done += looked
        if not looked:
            return done


async def batch(session: AsyncSession, run_id: int) -> int:
    """A run's next requests; how many there were. What another process holds is left to it."""
    mine = (LevelRun.id == run_id, LevelRun.status == RUNNING)
    policy_id = await session.scalar(select(LevelRun.policy_id).where(*mine))
    if policy_id is None:
        return 0
    # held so that every request of the batch gets the version that was shown; before the run, as `begin` does
    level = await session.get_one(SlaPolicy, policy_id, with_for_update={"read": True})
    run = await session.scalar(select(LevelRun).where(*mine).with_for_update(skip_locked=True))
    if run is None:
        return 0
    if level.version != run.policy_version or level.removed_at is not None:
        await _end(session, run, OVERTAKEN, SYSTEM)
        return 0
    actor = await actor_of_user(session, run.actor_id, CHANNEL)
    actor = actor and actor.limited(run.limited_to)
    if actor is None or not actor.may(Permission.SLA_CONFIGURE):
        await _end(session, run, REVOKED, SYSTEM)
        return 0
    ids = await clocking.next_running(session, [run.policy_id], run.last_ticket_id, BATCH)
    await _take(session, run, actor, ids)
    run.done += len(ids)
    run.total = max(run.total, run.done)
    if ids:
        run.last_ticket_id = ids[-1]
    if len(ids) < BATCH:
        run.total = run.done  # the others came to their end meanwhile
        await _end(session, run, FINISHED, SYSTEM)
    await session.flush()
    return len(ids)


async def _take(session: AsyncSession, run: LevelRun, actor: Actor, ids: Sequence[int]) -> None:
    """Have these requests go by what holds now, or see what that comes to; and count it."""
    failed = 0
    try:
        async with session.begin_nested():
            found, moved = await _measured(session, run, ids)
    except Exception:  # a defect in one of them stops none of the others
        log.exception("applying a service level failed", run_id=run.id, ticket_ids=list(ids))
        found, moved = {}, 0
        for ticket_id in ids:
            try:
                async with session.begin_nested():
                    alone, has_moved = await _measured(session, run, [ticket_id])
            except Exception:
                log.exception("a request cannot be measured", run_id=run.id, ticket_id=ticket_id)
                failed += 1
            else:
                found |= alone
                moved += has_moved
    every = [effect for of in found.values() for effect in of]
    run.counts = level_effects.counted(run.counts, every, requests=len(found) - moved, moved=moved, failed=failed)
    told = [one for i, of in found.items() if (one := level_effects.example(i, of)) is not None]
    seen = await _seen(session, actor, told)
    run.examples = level_effects.best([*run.examples, *seen])


async def _measured(session: AsyncSession, run: LevelRun, ids: Sequence[int]) -> tuple[dict[int, list[Effect]], int]:
    """What becomes of the clocks of those requests that get something else, and how many go by another level or none."""
    at, choosing = now(), frozenset(ids)
    wanted = select(Ticket).where(Ticket.id.in_(ids)).execution_options(populate_existing=True)
    if run.is_trial:
        tickets = list(await session.scalars(wanted.order_by(Ticket.id)))
    else:
        tickets = await clocking.held(session, wanted)
    before = await clocks.clocks_of(session, ids)
    if run.is_trial:
        measured = await clocking.look(session, tickets, at, choosing=choosing, is_newest=True)
    else:
        measured = await clocking.measure_tickets(session, tickets, at, choosing=choosing, why=WHY)
    changed = [one for one in measured if one.is_attached]
    moved = sum(1 for one in changed if one.holds is None or one.holds.policy.id != run.policy_id)
    return {one.ticket.id: level_effects.effects(before[one.ticket.id], one.clocks, at) for one in changed}, moved


async def _seen(session: AsyncSession, actor: Actor, told: Sequence[Json]) -> list[Json]:
    """Of these examples those whose request this person may see."""
    if not told:
        return []
    mine = select(Ticket.id).where(Ticket.id.in_([one["ticket_id"] for one in told]), policy.visible_to(actor))
    seen = set(await session.scalars(mine, policy.values(actor)))
    return [one for one in told if one["ticket_id"] in seen]


async def _end(session: AsyncSession, run: LevelRun, status: str, doer: Doer) -> None:
    run.status, run.finished_at = status, now()
    await session.flush()
    if run.is_trial:
        return
    level = await session.get_one(SlaPolicy, run.policy_id)
    ended = PolicyRunEnded(
        policy_id=run.policy_id,
        name=level.name,
        run_id=run.id,
        policy_version=run.policy_version,
        outcome=status,
        done=run.done,
        counts=run.counts,
        before=run.before,
        after=await _by_version(session, run.policy_id),
    )
    await record(session, ended, actor=doer)


async def forget_old_trials(session: AsyncSession) -> None:
    """Remove what was only looked at; what was done stays on record."""
    await session.execute(delete(LevelRun).where(LevelRun.is_trial, LevelRun.created_at < now() - TRIALS_KEPT))
