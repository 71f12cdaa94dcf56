"""By when a ticket is to be answered and done: its targets in numbers and words of state, and the ledger behind each."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.directory.names import names
from waypost.kernel.clock import now, rfc3339
from waypost.sla import clocks
from waypost.sla.clock import Kind, Run, Segment, ledger, standing, used
from waypost.sla.clock_models import SlaClock
from waypost.sla.marking import Metric
from waypost.sla.measuring import Deal, state_of, unpacked
from waypost.tickets import policy
from waypost.tickets.clock_words import in_short
from waypost.tickets.models import Ticket
from waypost.tickets.queries import find_ticket

_ORDER = {metric.value: n for n, metric in enumerate(Metric)}


async def ticket_sla(session: AsyncSession, actor: Actor, ticket_id: int) -> dict[str, Any]:
    """Every target of a ticket with its ledger, as it stands now. Own times of teams only for who reads internal words."""
    found = await find_ticket(session, actor, ticket_id)
    rows = (await clocks.clocks_of(session, [ticket_id]))[ticket_id]
    if not policy.may_see_internal(actor, found.facts):
        rows = [row for row in rows if row.metric != Metric.OWN_TIME]
    at = now()
    deals = await clocks.agreed(session, {_pin(row) for row in rows})
    teams = await names.teams(session, [row.team_id or None for row in rows])
    rows.sort(key=lambda row: (_ORDER[row.metric], row.team_id))
    targets = [_target(row, deals[_pin(row)], teams.get(row.team_id), at) for row in rows if _pin(row) in deals]
    return {"at": rfc3339(at), **_agreed(found.ticket, rows, deals), "targets": targets}


def _pin(row: SlaClock) -> clocks.Pin:
    return row.policy_id, row.policy_version, row.calendar_id, row.calendar_version


def _agreed(ticket: Ticket, rows: Iterable[SlaClock], deals: dict[clocks.Pin, Deal]) -> dict[str, Any]:
    """The policy and calendar in force: of what goes on, else of what was last."""
    latest = max(rows, key=lambda row: (row.run != Run.STOPPED, row.changed_at), default=None)
    deal = deals.get(_pin(latest)) if latest is not None else None
    if latest is None or deal is None:
        return {"policy": None, "calendar": None, "reopens": 0, "state": None, "next_due_at": None}
    calendar = deal.calendar
    return {
        "policy": {"id": deal.policy.id, "name": deal.policy.name, "version": deal.policy.version},
        "calendar": {"id": calendar.id, "name": calendar.name, "zone": calendar.calendar.zone},
        "reopens": max(row.reopens for row in rows),
        **(in_short(ticket) or {"state": None, "next_due_at": None}),
    }


def _target(row: SlaClock, deal: Deal, team: dict[str, Any] | None, at: datetime) -> dict[str, Any]:
    calendar, marks = deal.calendar.calendar, unpacked(row.marks)
    until = row.stopped_at or max(at, marks[-1].at)
    target = timedelta(seconds=row.target_seconds)
    ran = used(calendar, marks, until)
    run = Run(row.run)
    breached_at = row.breached_at
    if breached_at is None and run is Run.RUNNING and standing(calendar, marks, target, until).is_breached:
        breached_at = row.due_at  # it is over this very minute, and the timer is about to say so
    lines = ledger(calendar, marks, until)
    sums = {kind: sum((line.length for line in lines if line.kind is kind), timedelta()) for kind in Kind}
    worked = sums[Kind.RUNNING] + sums[Kind.CLOSED] + sums[Kind.HOLIDAY]
    return {
        "metric": row.metric,
        "team": team,
        "state": state_of(run, breached_at),
        "run": row.run,
        "priority": row.priority,
        "target_seconds": row.target_seconds,
        "used_seconds": ran.total_seconds(),
        "left_seconds": (target - ran).total_seconds(),
        "actual_seconds": worked.total_seconds(),
        "elapsed_seconds": (until - marks[0].at).total_seconds(),
        "started_at": rfc3339(marks[0].at),
        "due_at": row.due_at and rfc3339(row.due_at),
        "breached_at": breached_at and rfc3339(breached_at),
        "stopped_at": row.stopped_at and rfc3339(row.stopped_at),
        "paused_since": rfc3339(marks[-1].at) if run is Run.PAUSED else None,
        "why": marks[-1].why if run is Run.PAUSED else "",
        "calendar": {"name": deal.calendar.name, "zone": calendar.zone},
        "ledger": [_line(line, deal) for line in lines],
        "sums": {kind.value: length.total_seconds() for kind, length in sums.items()},
    }


def _line(line: Segment, deal: Deal) -> dict[str, Any]:
    name = ""
    if line.kind is Kind.HOLIDAY:
        day = line.start.astimezone(ZoneInfo(deal.calendar.calendar.zone)).date()
        name = deal.calendar.name_of(day)
    return {
        "kind": line.kind.value,
        "start": rfc3339(line.start),
        "end": rfc3339(line.end),
        "seconds": line.length.total_seconds(),
        "why": line.why,
        "name": name,
    }
