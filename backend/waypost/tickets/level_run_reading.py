"""Runs of a service level as screens show them: one with its examples, and the list of those that were done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.directory.names import names
from waypost.kernel.clock import rfc3339
from waypost.kernel.paging import decode_cursor, encode_cursor
from waypost.sla.policy_reading import find_policy
from waypost.tickets import policy
from waypost.tickets.level_run_models import RUNNING, LevelRun
from waypost.tickets.models import Ticket

_CURSOR = "sla-level-runs"
Json = dict[str, Any]


async def run_json(session: AsyncSession, actor: Actor, run: LevelRun) -> Json:
    """A run with those of its examples that its reader may see."""
    ids = [one["ticket_id"] for one in run.examples]
    known: dict[int, Any] = {}
    if ids:
        columns = (Ticket.id, Ticket.ticket_number, Ticket.title)
        mine = select(*columns).where(Ticket.id.in_(ids), policy.visible_to(actor))
        known = {row.id: row for row in await session.execute(mine, policy.values(actor))}
    examples = [
        {**one, "ticket_number": known[i].ticket_number, "title": known[i].title}
        for one in run.examples
        if (i := one["ticket_id"]) in known
    ]
    return {**(await _told(session, actor, [run]))[0], "examples": examples}


async def run_page(session: AsyncSession, actor: Actor, policy_id: int, *, cursor: str | None, limit: int) -> Json:
    """When a policy was applied to running requests, by whom and with what result; newest first. No trials.

    Raises `PolicyNotFound`.
    """
    await find_policy(session, policy_id)
    wanted = select(LevelRun).where(LevelRun.policy_id == policy_id, LevelRun.is_trial.is_(False))
    if cursor:
        (last,) = decode_cursor(cursor, _CURSOR, int)
        wanted = wanted.where(LevelRun.id < last)
    rows = list(await session.scalars(wanted.order_by(LevelRun.id.desc()).limit(limit + 1)))
    following = encode_cursor(_CURSOR, rows[limit - 1].id) if len(rows) > limit else None
    return {"items": await _told(session, actor, rows[:limit]), "next_cursor": following}


def _newest_first(run: LevelRun) -> list[tuple[str, int]]:
    return sorted(run.before.items(), key=lambda one: -int(one[0]))


async def _told(session: AsyncSession, actor: Actor, runs: Sequence[LevelRun]) -> list[Json]:
    people = await names.people(session, [i for run in runs for i in (run.actor_id, run.stopped_by_id)])
    may_stop = actor.may(Permission.SLA_CONFIGURE)
    return [
        {
            "id": run.id,
            "policy_id": run.policy_id,
            "policy_version": run.policy_version,
            "is_trial": run.is_trial,
            "status": run.status,
            "total": run.total,
            "done": run.done,
            "before": [{"version": int(version), "requests": n} for version, n in _newest_first(run)],
            "counts": run.counts,
            "started_by": people.get(run.actor_id),
            "stopped_by": people.get(run.stopped_by_id),
            "created_at": rfc3339(run.created_at),
            "finished_at": run.finished_at and rfc3339(run.finished_at),
            "allowed_actions": ["stop"] if may_stop and run.status == RUNNING else [],
        }
        for run in runs
    ]
