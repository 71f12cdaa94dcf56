"""Keeping facts and sums up with the event log: exactly once, beside the work, and again from nothing.

The worker follows the log as open screens do (`live`): in the order (`txid`, `id`), behind the oldest transaction still
running, where no earlier event can appear any more. Events say *which* tickets to look at again; what is counted of a ticket
is worked out anew from its row, its approvals and its events, and its earlier cells are taken off before its new ones are
added. Facts, sums and position change in one transaction, so nothing is counted twice or left out, wherever a worker dies;
and an event that comes again changes nothing. Creating a ticket costs nothing more than before: no trigger, no hot row.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.reports import own_sums
from waypost.reports.cells import cells_of
from waypost.reports.models import REMOVE_EMPTY
from waypost.reports.readers import added
from waypost.reports.waiting import FOR_APPROVAL, FOR_REQUESTER, MOVES, waited

TASK = "reports.keep"
EVENTS = 1000  # of the log, looked at in one transaction
TICKETS = 1000  # worked out anew in one transaction
CLEARED = 50_000  # rows removed in one transaction
CLEARING = -1  # `rebuild_next` while what was counted is removed
TURN = 5.0  # seconds a worker process gives to counting at a time
PLACES_CLOSED = {"team.deleted": "team_id", "department.deleted": "department_id"}

_lock = text(
    "SELECT txid::text AS tx, event_id, rebuild_next, rebuild_last FROM report_position FOR UPDATE SKIP LOCKED"
)
_after = text(
    "SELECT txid::text AS tx, id, type, object_type, object_id FROM events"
    " WHERE (txid, id) > (CAST(CAST(:tx AS text) AS xid8), :id)"
    " AND txid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY txid, id LIMIT :most"
)
_moved = text("UPDATE report_position SET txid = CAST(CAST(:tx AS text) AS xid8), event_id = :id, followed_at = :at")

_OF = "(SELECT * FROM report_facts WHERE ticket_id = ANY(:ids)) AS f"


# Each works from the tickets `:ids`, the first one from what they waited besides (`waiting.py`); the last one from the facts the
# first one made.
FACTS = f"""
    WITH moves AS (
        SELECT object_id AS ticket_id, type, data->>'new_status' AS status, at,
               lead(at) OVER (PARTITION BY object_id ORDER BY id) AS until
        FROM events WHERE object_type = 'ticket' AND object_id = ANY(:ids) AND type IN ({MOVES})
    ), times AS (
        SELECT ticket_id, count(*) FILTER (WHERE type = 'ticket.reopened') AS reopened,
               sum(until - at) FILTER (WHERE status IN ({FOR_APPROVAL})) AS approval,
               sum(until - at) FILTER (WHERE status IN ('APPROVED', 'IN_PROGRESS')) AS work,
               sum(until - at) FILTER (WHERE status IN ({FOR_REQUESTER})) AS requester
        FROM moves GROUP BY ticket_id
    )
    INSERT INTO report_facts (
        ticket_id, ticket_type, status, priority, requester_id, created_by_id, assignee_id, team_id, department_id,
        is_confidential, amount, currency, created_at, submitted_at, responded_at, completed_at, was_kept,
        approval_seconds, work_seconds, requester_seconds, reopened,
        sla_state, answered_at, response_worked, response_kept, resolution_worked,
        approval_worked, requester_worked)
    SELECT t.id, t.ticket_type, t.status, t.priority, t.requester_id, t.created_by_id, t.assignee_id, t.team_id,
           t.department_id, t.is_confidential, t.amount, t.currency, t.created_at, t.submitted_at,
           CASE WHEN t.submitted_at IS NOT NULL AND coalesce(answer.at, t.completed_at) IS NOT NULL
                THEN greatest(t.submitted_at, least(answer.at, t.completed_at)) END,
           t.completed_at,
           CASE WHEN t.completed_at IS NOT NULL AND clock.ticket_id IS NOT NULL THEN clock.breached_at IS NULL
                ELSE t.completed_at <= t.due_date END,
           greatest(0, coalesce(round(extract(epoch FROM times.approval)), 0)),
           greatest(0, coalesce(round(extract(epoch FROM times.work)), 0)),
           greatest(0, coalesce(round(extract(epoch FROM times.requester)), 0)),
           coalesce(times.reopened, 0),
           t.sla_state, first.stopped_at, round(first.used_seconds),
           CASE WHEN first.stopped_at IS NOT NULL THEN first.breached_at IS NULL END,
           CASE WHEN t.completed_at IS NOT NULL AND clock.stopped_at IS NOT NULL THEN round(clock.used_seconds) END,
           waited.approval, waited.requester
    FROM tickets t
    LEFT JOIN times ON times.ticket_id = t.id
    LEFT JOIN sla_clocks clock ON (clock.ticket_id, clock.metric, clock.team_id) = (t.id, 'RESOLUTION', 0)
    LEFT JOIN sla_clocks first ON (first.ticket_id, first.metric, first.team_id) = (t.id, 'FIRST_RESPONSE', 0)
        AND first.run = 'STOPPED'
    LEFT JOIN unnest(
        CAST(:waited_ids AS bigint[]), CAST(:waited_approval AS bigint[]), CAST(:waited_requester AS bigint[])
    ) AS waited (ticket_id, approval, requester) ON waited.ticket_id = t.id
    LEFT JOIN LATERAL (
        SELECT min(c.created_at) AS at FROM ticket_comments c
        WHERE c.ticket_id = t.id AND c.visibility = 'PUBLIC' AND c.author_id NOT IN (t.requester_id, t.created_by_id)
    ) AS answer ON true
    WHERE t.id = ANY(:ids)
"""  # noqa: S608
DECISIONS = """
    INSERT INTO report_decisions (step_id, ticket_id, approver_id, stage, requested_at, decided_at, is_open)
    SELECT s.id, s.subject_id, s.approver_id, g.name, s.requested_at,
           CASE WHEN s.status IN ('APPROVED', 'REJECTED', 'DELEGATED', 'ESCALATED') THEN s.decided_at END,
           s.status IN ('PENDING', 'INFO_REQUESTED')
    FROM approval_steps s JOIN approval_stages g ON g.id = s.stage_id
    WHERE s.subject_type = 'ticket' AND s.subject_id = ANY(:ids) AND s.requested_at IS NOT NULL
"""
_ALL_PLACES = cells_of(_OF)
SUMS = added(_ALL_PLACES)
_STATEMENTS = tuple(
    text(statement)
    for statement in (
        added(_ALL_PLACES, "-"),
        "DELETE FROM report_decisions WHERE ticket_id = ANY(:ids)",
        "DELETE FROM report_facts WHERE ticket_id = ANY(:ids)",
        FACTS,
        DECISIONS,
        SUMS,
        REMOVE_EMPTY,
    )
)


async def work_out(session: AsyncSession, ticket_ids: Sequence[int]) -> None:
    """Make the facts of these tickets anew, and the sums with them. The caller holds the position's lock."""
    values = {"ids": list(ticket_ids)} | await waited(session, ticket_ids)
    for statement in _STATEMENTS:
        await session.execute(statement, values)


async def _touched(session: AsyncSession, events: Sequence[Any]) -> list[int]:
    """The tickets that events are about; of a place that was closed, all that were counted there."""
    found = {e.object_id for e in events if e.object_type == "ticket"}
    for event in events:
        if (column := PLACES_CLOSED.get(event.type)) is not None:
            there = text(f"SELECT ticket_id FROM report_facts WHERE {column} = :place")  # noqa: S608 - a word of ours
            found |= set(await session.scalars(there, {"place": event.object_id}))
    return sorted(found)


async def follow(database: Database) -> bool:
    """Count the next events of the log. Returns whether there may be more; False also when another process does it."""
    async with database.transaction() as session:
        position = (await session.execute(_lock)).first()
        if position is None:
            return False
        if position.rebuild_next == CLEARING:
            await _clear(session)
            return True
        events = (await session.execute(_after, {"tx": position.tx, "id": position.event_id, "most": EVENTS})).all()
        ids = await _touched(session, events)
        for n in range(0, len(ids), TICKETS):
            await work_out(session, ids[n : n + TICKETS])
        if events:
            await session.execute(_moved, {"tx": events[-1].tx, "id": events[-1].id, "at": now()})
        else:
            await session.execute(text("UPDATE report_position SET followed_at = :at"), {"at": now()})
        if position.rebuild_next is not None:
            await _rebuild_on(session, position.rebuild_next, position.rebuild_last)
            return True
        return len(events) == EVENTS or await own_sums.count_on(session)


async def _rebuild_on(session: AsyncSession, after: int, last: int) -> None:
    """The next tickets of a rebuild; those made since it began come by their events."""
    following = text("SELECT id FROM tickets WHERE id > :after AND id <= :last ORDER BY id LIMIT :most")
    ids = list(await session.scalars(following, {"after": after, "last": last, "most": TICKETS}))
    await work_out(session, ids)
    done = text(
        "UPDATE report_position SET rebuild_next = CAST(:next AS bigint),"
        " rebuilt_at = CASE WHEN CAST(:next AS bigint) IS NULL THEN CAST(:at AS timestamptz) ELSE rebuilt_at END"
    )
    await session.execute(done, {"next": ids[-1] if len(ids) == TICKETS else None, "at": now()})


async def run_due(database: Database) -> bool:
    """Follow the log, and make what is to be made, for a turn; returns whether something is left."""
    until = time.monotonic() + TURN
    while await follow(database):
        if time.monotonic() >= until:
            return True
    return False


async def begin_rebuild(session: AsyncSession) -> None:
    """Throw all facts and sums away, and make them again; whoever runs next goes on from where it stands."""
    await session.execute(
        text("UPDATE report_position SET rebuild_next = :clearing, rebuilt_at = NULL"), {"clearing": CLEARING}
    )
    await session.execute(text("UPDATE report_readers SET counted_to = 0"))


async def _clear(session: AsyncSession) -> None:
    """Remove the next rows of what is made anew; when none is left, the making begins."""
    for table in ("report_sums", "report_decisions", "report_facts"):
        some = f"SELECT ctid FROM {table} LIMIT :most"  # noqa: S608 - our own tables
        removed = await session.execute(
            text(f"DELETE FROM {table} WHERE ctid = ANY(ARRAY({some})) RETURNING 1"),  # noqa: S608
            {"most": CLEARED},
        )
        if removed.first() is not None:
            return
    await session.execute(
        text("UPDATE report_position SET rebuild_next = 0, rebuild_last = (SELECT coalesce(max(id), 0) FROM tickets)")
    )
