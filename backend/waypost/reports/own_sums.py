"""Making sums of one person's own, setting them right and removing them: what the worker does beside following the log.

When somebody's teams, people or departments are others by now, their sums are moved to these: of the requests this is about,
what was theirs is taken off, and what is theirs is added. Where those are very many, all is removed and made anew.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.queries import actors_of_users
from waypost.kernel.clock import now
from waypost.reports import policy, readers
from waypost.reports.cells import OF_READER, cells_of
from waypost.reports.models import REMOVE_EMPTY
from waypost.reports.readers import ALL, AUTHORITY, WANTED, added, authority
from waypost.reports.reading import beside

REQUESTS = 20_000  # looked at in one transaction
REMOVED = 50_000  # sums removed in one transaction
FORGOTTEN = timedelta(days=30)

_next = text(
    f"SELECT user_id, counted_to, is_stale, is_foreseen, read_at, {AUTHORITY} FROM report_readers"  # noqa: S608 - words of ours
    f" WHERE is_stale OR counted_to < {ALL} ORDER BY is_stale DESC, is_foreseen, read_at, user_id LIMIT 1"
)
_upper = text("SELECT ticket_id FROM report_facts WHERE ticket_id > :after ORDER BY ticket_id OFFSET :some LIMIT 1")
_THEIRS = (
    f"(SELECT f.* FROM report_facts f JOIN report_readers r ON r.user_id = :me WHERE {{some}} AND {OF_READER}) AS f"  # noqa: S608
)
_OF_STRETCH = cells_of(_THEIRS.format(some="f.ticket_id > :after AND f.ticket_id <= :upper"), place="P", place_id=":me")
_OF_THESE = cells_of(_THEIRS.format(some="f.ticket_id = ANY(:ids)"), place="P", place_id=":me")
_add = text(added(_OF_STRETCH))
_add_these = text(added(_OF_THESE))
_take_these = text(added(_OF_THESE, "-"))
_set = text(
    f"UPDATE report_readers SET ({AUTHORITY}) = ROW({WANTED}), is_stale = false WHERE user_id = :me"  # noqa: S608 - words of ours
)
_remove = text(
    "DELETE FROM report_sums WHERE ctid = ANY(ARRAY("
    "SELECT ctid FROM report_sums WHERE place = 'P' AND place_id = :me LIMIT :most)) RETURNING 1"
)
# what may be theirs by one authority and not by another, some of it more than once
_between = text(
    "SELECT ticket_id FROM (SELECT ticket_id FROM report_facts WHERE team_id = ANY(CAST(:teams AS bigint[]))"
    " UNION ALL SELECT ticket_id FROM report_facts WHERE requester_id = ANY(CAST(:reports AS bigint[]))"
    " UNION ALL SELECT ticket_id FROM report_facts WHERE department_id = ANY(CAST(:departments AS bigint[]))) AS f"
    " WHERE ticket_id <= :counted_to LIMIT :most"
)


async def count_on(session: AsyncSession) -> bool:
    """One step of making somebody's sums, of setting them right, or of removing those that are of no use.

    False when there is nothing to do. The caller holds the position's lock and has followed the log.
    """
    row = (await session.execute(_next)).first()
    if row is None:
        return False
    if row.is_stale:
        await _set_right(session, row)
        return True
    upper = await session.scalar(_upper, {"after": row.counted_to, "some": REQUESTS - 1})
    step = {"me": row.user_id, "after": row.counted_to, "upper": ALL if upper is None else upper}
    await session.execute(_add, step)
    await session.execute(text("UPDATE report_readers SET counted_to = :upper WHERE user_id = :me"), step)
    return True


async def _set_right(session: AsyncSession, row: Any) -> None:
    """The next step of making somebody's sums those of what they have to do with now, or of removing them."""
    me = {"me": row.user_id}
    actor = await _of_use_to(session, row)
    if actor is not None and row.counted_to and await _moved(session, row, authority(actor)):
        return
    await session.execute(text("UPDATE report_readers SET counted_to = 0 WHERE user_id = :me"), me)
    if (await session.execute(_remove, me | {"most": REMOVED})).first() is not None:
        return
    if actor is None:
        await session.execute(text("DELETE FROM report_readers WHERE user_id = :me"), me)
    else:
        await session.execute(_set, authority(actor))


async def _of_use_to(session: AsyncSession, row: Any) -> Actor | None:
    """Whose sums these are, if they are still of use: to somebody who may look, reads them and sees very much."""
    if not row.is_foreseen and row.read_at < now() - FORGOTTEN:
        return None
    actor = (await actors_of_users(session, [row.user_id])).get(row.user_id)
    if actor is None or not policy.may_look(actor):
        return None
    sees_many = row.is_foreseen or await beside(session, actor, readers.MANY + 1) > readers.MANY
    return actor if sees_many else None


async def _moved(session: AsyncSession, row: Any, to: dict[str, Any]) -> bool:
    """Move sums to another authority; False, and nothing is done, where this is about more requests than one step looks at."""
    between = {
        "teams": sorted(set(row.team_ids) ^ set(to["r_teams"])),
        "reports": sorted(set(row.report_ids) ^ set(to["r_reports"])),
        "departments": sorted(set(row.department_ids) ^ set(to["r_departments"])),
    }
    found = await session.scalars(_between, between | {"counted_to": row.counted_to, "most": REQUESTS + 1})
    ids = list(found)
    if len(ids) > REQUESTS:
        return False
    these = {"me": row.user_id, "ids": sorted(set(ids))}
    await session.execute(_take_these, these)
    await session.execute(_set, to)
    await session.execute(_add_these, these)
    await session.execute(text(REMOVE_EMPTY))
    return True


async def forget_unread(session: AsyncSession) -> None:
    """Sums that nobody has read for long are removed, by the worker's next steps; not those of whom it is known they need them."""
    await session.execute(
        text("UPDATE report_readers SET is_stale = true WHERE read_at < :before AND NOT is_foreseen"),
        {"before": now() - FORGOTTEN},
    )
