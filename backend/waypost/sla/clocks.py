"""Clocks as they are kept: written whole from what `measuring` found, in one statement; and what was agreed, by version."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.kernel.clock import rfc3339
from waypost.sla import queries
from waypost.sla.clock_models import SlaClock
from waypost.sla.measuring import BREACH, Clock, Deal, packed
from waypost.sla.policies import choose

Pin = tuple[int, int, int, int]  # policy, its version, calendar, its version
MOST_KEPT = 2_000
_deals: dict[Pin, Deal] = {}


def forget() -> None:
    """Read every version anew (another database is used from now on)."""
    _deals.clear()


async def chosen(session: AsyncSession, facts: Mapping[str, Any]) -> Deal | None:
    """What is agreed for such a ticket now: the policy that holds, on its calendar, each in its newest version."""
    policy = choose(await queries.policies(session), facts)
    if policy is None:
        return None
    return Deal(policy, (await queries.calendars(session)).of(policy.calendar_id))


def pin_of(deal: Deal) -> Pin:
    """What names a deal for good."""
    return deal.policy.id, deal.policy.version, deal.calendar.id, deal.calendar.version


async def agreed(session: AsyncSession, pins: Collection[Pin]) -> dict[Pin, Deal]:
    """What was agreed, by the versions of it; none is lost, for versions are only ever added."""
    wanted = set(pins)
    if missing := wanted - _deals.keys():
        if len(_deals) > MOST_KEPT:
            _deals.clear()
            missing = wanted
        policies = await queries.policy_versions(session, [(p, v) for p, v, _, _ in missing])
        calendars = await queries.calendar_versions(session, [(c, v) for _, _, c, v in missing])
        for pin in missing:
            policy, calendar = policies.get(pin[:2]), calendars.get(pin[2:])
            if policy is not None and calendar is not None:
                _deals[pin] = Deal(policy, calendar)
    return {pin: _deals[pin] for pin in wanted if pin in _deals}


# Timers of before that are not meant any more go; those of now come, each once for its moment. A breach that is past
# already is told unless the clock was breached before, under an earlier due date.
_WRITE = text(
    """
WITH given AS (
    SELECT * FROM jsonb_to_recordset(:clocks) AS g(
        ticket_id bigint, metric text, team_id bigint, policy_id bigint, policy_version int, calendar_id bigint,
        calendar_version int, priority text, target_seconds float8, marks jsonb, run text, started_at timestamptz,
        changed_at timestamptz, used_seconds float8, due_at timestamptz, breached_at timestamptz,
        stopped_at timestamptz, reopens int)
), moments AS (
    SELECT * FROM jsonb_to_recordset(:timers) AS m(
        ticket_id bigint, metric text, team_id bigint, kind text, percent int, fires_at timestamptz, is_past bool)
), written AS (
    INSERT INTO sla_clocks (ticket_id, metric, team_id, policy_id, policy_version, calendar_id, calendar_version,
        priority, target_seconds, marks, run, started_at, changed_at, used_seconds, due_at, breached_at, stopped_at, reopens)
    SELECT ticket_id, metric, team_id, policy_id, policy_version, calendar_id, calendar_version,
        priority, target_seconds, marks, run, started_at, changed_at, used_seconds, due_at, breached_at, stopped_at, reopens
    FROM given
    ON CONFLICT (ticket_id, metric, team_id) DO UPDATE SET
        policy_id = excluded.policy_id, policy_version = excluded.policy_version, calendar_id = excluded.calendar_id,
        calendar_version = excluded.calendar_version, priority = excluded.priority,
        target_seconds = excluded.target_seconds, marks = excluded.marks, run = excluded.run,
        started_at = excluded.started_at, changed_at = excluded.changed_at, used_seconds = excluded.used_seconds,
        due_at = excluded.due_at, breached_at = excluded.breached_at, stopped_at = excluded.stopped_at,
        reopens = excluded.reopens
    WHERE sla_clocks IS DISTINCT FROM excluded
), gone AS (
    DELETE FROM sla_clocks c WHERE c.ticket_id = ANY(:ids) AND NOT EXISTS (
        SELECT FROM given g WHERE (g.ticket_id, g.metric, g.team_id) = (c.ticket_id, c.metric, c.team_id))
), dropped AS (
    DELETE FROM sla_timers t WHERE t.ticket_id = ANY(:ids) AND t.fired_at IS NULL AND NOT EXISTS (
        SELECT FROM moments m WHERE (m.ticket_id, m.metric, m.team_id, m.percent, m.fires_at)
            = (t.ticket_id, t.metric, t.team_id, t.percent, t.fires_at))
)
INSERT INTO sla_timers (ticket_id, metric, team_id, kind, percent, fires_at)
SELECT m.ticket_id, m.metric, m.team_id, m.kind, m.percent, m.fires_at FROM moments m
WHERE NOT m.is_past OR (m.kind = 'BREACH' AND NOT EXISTS (
    SELECT FROM sla_clocks c WHERE (c.ticket_id, c.metric, c.team_id) = (m.ticket_id, m.metric, m.team_id)
        AND c.breached_at IS NOT NULL))
ON CONFLICT DO NOTHING
"""
).bindparams(
    bindparam("clocks", type_=JSONB), bindparam("timers", type_=JSONB), bindparam("ids", type_=ARRAY(BigInteger))
)


async def write(session: AsyncSession, found: Mapping[int, Sequence[Clock]], at: datetime) -> None:
    """Keep the clocks of these tickets as they stand at an instant, and their timers. The tickets are locked.

    A warning whose moment is past and that was not waiting is stale, and never said. One statement.
    """
    clocks = [_row(ticket_id, clock) for ticket_id, of in found.items() for clock in of]
    timers = [
        {
            "ticket_id": ticket_id,
            "metric": clock.metric.value,
            "team_id": clock.team_id,
            "kind": "BREACH" if percent == BREACH else "WARN",
            "percent": percent,
            "fires_at": rfc3339(moment),
            "is_past": moment <= at,
        }
        for ticket_id, of in found.items()
        for clock in of
        for percent, moment in clock.moments()
    ]
    await session.execute(_WRITE, {"clocks": clocks, "timers": timers, "ids": list(found)})


def _row(ticket_id: int, clock: Clock) -> dict[str, Any]:
    policy, policy_version, calendar, calendar_version = pin_of(clock.deal)
    return {
        "ticket_id": ticket_id,
        "metric": clock.metric.value,
        "team_id": clock.team_id,
        "policy_id": policy,
        "policy_version": policy_version,
        "calendar_id": calendar,
        "calendar_version": calendar_version,
        "priority": clock.priority,
        "target_seconds": clock.target.total_seconds(),
        "marks": packed(clock.marks),
        "run": clock.run.value,
        "started_at": rfc3339(clock.marks[0].at),
        "changed_at": rfc3339(clock.marks[-1].at),
        "used_seconds": clock.used.total_seconds(),
        "due_at": clock.due_at and rfc3339(clock.due_at),
        "breached_at": clock.breached_at and rfc3339(clock.breached_at),
        "stopped_at": clock.stopped_at and rfc3339(clock.stopped_at),
        "reopens": clock.reopens,
    }


async def clocks_of(session: AsyncSession, ticket_ids: Iterable[int]) -> dict[int, list[SlaClock]]:
    """The kept clocks of these tickets."""
    found: dict[int, list[SlaClock]] = {ticket_id: [] for ticket_id in ticket_ids}
    statement = select(SlaClock).where(SlaClock.ticket_id.in_(found)).order_by(SlaClock.metric, SlaClock.team_id)
    for row in await session.scalars(statement.execution_options(populate_existing=True)):
        found[row.ticket_id].append(row)
    return found
