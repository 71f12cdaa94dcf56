"""How long requests waited in working time: for approval, and for who asked.

Clocks of service levels stand still or run on while a request waits, as its policy says, so they do not know. What is open
time is said by their calendar, though, in the version the clock goes by: whoever works it out again gets the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.kernel.events import registry
from waypost.sla.calendar import elapsed
from waypost.sla.queries import calendar_versions
from waypost.tickets.events import StatusChanged

MOVES = ", ".join(f"'{t}'" for t in sorted(k for k, e in registry.items() if issubclass(e, StatusChanged)))
FOR_APPROVAL = "'SUBMITTED', 'IN_REVIEW'"
FOR_REQUESTER = "'PENDING_INFO'"

# each stretch that is over, with the calendar of the ticket's clocks (resolution's, where it has one); one empty line where
# there is none
_stretches = text(f"""
    WITH moves AS (
        SELECT object_id AS ticket_id, data->>'new_status' AS status, at,
               lead(at) OVER (PARTITION BY object_id ORDER BY id) AS until
        FROM events WHERE object_type = 'ticket' AND object_id = ANY(:ids) AND type IN ({MOVES})
    ), clocks AS (
        SELECT DISTINCT ON (ticket_id) ticket_id, calendar_id, calendar_version
        FROM sla_clocks WHERE ticket_id = ANY(:ids) AND team_id = 0 ORDER BY ticket_id, metric DESC
    )
    SELECT c.ticket_id, c.calendar_id, c.calendar_version, m.at, m.until, m.status IN ({FOR_APPROVAL}) AS is_approvals
    FROM clocks c LEFT JOIN moves m
        ON m.ticket_id = c.ticket_id AND m.status IN ({FOR_APPROVAL}, {FOR_REQUESTER}) AND m.until > m.at
""")  # noqa: S608 - words of ours


async def waited(session: AsyncSession, ticket_ids: Sequence[int]) -> dict[str, list[int]]:
    """The parameters by which `keeping.FACTS` knows how long these tickets waited, in whole seconds of working time.

    As far as it is over, and of tickets with a clock. One statement, and one for calendars not read before.
    """
    rows = (await session.execute(_stretches, {"ids": list(ticket_ids)})).all()
    calendars = await calendar_versions(session, {(r.calendar_id, r.calendar_version) for r in rows})
    spent: dict[int, list[timedelta]] = defaultdict(lambda: [timedelta(), timedelta()])
    for row in rows:
        known = calendars.get((row.calendar_id, row.calendar_version))
        if known is None:
            continue
        of_ticket = spent[row.ticket_id]
        if row.at is not None:
            of_ticket[0 if row.is_approvals else 1] += elapsed(known.calendar, row.at, row.until)
    return {
        "waited_ids": list(spent),
        "waited_approval": [round(s[0].total_seconds()) for s in spent.values()],
        "waited_requester": [round(s[1].total_seconds()) for s in spent.values()],
    }
