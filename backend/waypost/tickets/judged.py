"""What approvers read beside the tickets they judge: their files, and whether they are confidential."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.tickets import policy
from waypost.tickets.models import Attachment, Ticket
from waypost.tickets.queries import facts_of

_NONE: ColumnElement[Any] = literal_column("'[]'::jsonb")
_MEMBERS = ("id", "filename", "size", "content_type", "visibility", "scan")


async def beside(session: AsyncSession, actor: Actor, ticket_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """By ticket: `is_confidential`, and the `attachments` this person may see, oldest first. One statement.

    The caller has checked that they are asked about these tickets, so they see them; internal files are for the team.
    """
    a = Attachment
    files = (
        select(
            func.coalesce(
                func.jsonb_agg(
                    aggregate_order_by(
                        func.jsonb_build_array(a.id, a.filename, a.size, a.content_type, a.visibility, a.scan), a.id
                    )
                ),
                _NONE,
            )
        )
        .where(a.ticket_id == Ticket.id)
        .scalar_subquery()
    )
    columns = (
        Ticket.id,
        Ticket.status,
        Ticket.requester_id,
        Ticket.assignee_id,
        Ticket.team_id,
        Ticket.department_id,
        Ticket.created_by_id,
        Ticket.submitted_at,
        Ticket.is_confidential,
    )
    found: dict[int, dict[str, Any]] = {}
    for row in await session.execute(select(*columns, files.label("files")).where(Ticket.id.in_(ticket_ids))):
        facts = facts_of(row, frozenset({actor.user_id}), frozenset())
        sees_internal = policy.may_see_internal(actor, facts)
        shown = [dict(zip(_MEMBERS, file, strict=True)) for file in row.files]
        found[row.id] = {
            "is_confidential": row.is_confidential,
            "attachments": [f for f in shown if sees_internal or f["visibility"] == "PUBLIC"],
        }
    return found
