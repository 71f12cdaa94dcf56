"""Two people change one ticket: the later one is told what changed since, with the values of now."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.directory.names import names
from waypost.kernel.clock import rfc3339
from waypost.kernel.errors import StaleVersion
from waypost.kernel.events import EventRow, log_columns
from waypost.tickets.models import Ticket

MOST = 200  # changes looked back at; who is further behind is told of the newest


async def check_version(session: AsyncSession, ticket: Ticket, version: int | None) -> None:
    """Raises `StaleVersion`, with what changed since, unless this is the ticket's version (None: any)."""
    if version is not None and version != ticket.version:
        changed = await changes_since(session, ticket, version)
        raise StaleVersion(current_version=ticket.version, changed=changed)


async def changes_since(session: AsyncSession, ticket: Ticket, version: int) -> list[dict[str, Any]]:
    """The fields that changed after a version, each with its value of now, and who changed it last, and when.

    For somebody who may see the ticket: all of these stand on its page.
    """
    if version > ticket.version:  # nobody read that one
        return []
    after = EventRow.data["ticket_version"].astext.cast(BigInteger) > version
    statement = (
        select(*log_columns)
        .where(EventRow.object_type == "ticket", EventRow.object_id == ticket.id, after)
        .order_by(EventRow.id.desc())
        .limit(MOST)
    )
    latest: dict[str, Any] = {}
    for row in await session.execute(statement):
        for field in _fields_of(row.data):
            latest.setdefault(field, row)
    ids = [ticket.assignee_id, *(r.actor_id for r in latest.values())]
    people, teams, _ = await names.all(session, people=ids, teams=[ticket.team_id])
    now: dict[str, Any] = {"assignee": people.get(ticket.assignee_id), "team": teams.get(ticket.team_id)}
    return [
        {
            "field": field,
            "value": now[field] if field in now else _plain(getattr(ticket, field)),
            "by": people.get(row.actor_id),
            "at": rfc3339(row.at),
        }
        for field, row in latest.items()
    ]


def _fields_of(data: dict[str, Any]) -> list[str]:
    """What an event of the log changed, as the ticket's page calls it."""
    if "changes" in data:
        return list(data["changes"])
    if "new_status" in data:
        return ["status"]
    if "new_team_id" in data:
        return [word for word in ("assignee", "team") if data[f"old_{word}_id"] != data[f"new_{word}_id"]]
    return ["tags"] if data.get("tags") else []


def _plain(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return rfc3339(value)
    return value if value is None or isinstance(value, (str, bool, int, list, dict)) else str(value)
