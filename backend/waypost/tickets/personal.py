"""What this room keeps about people, and the files they wrote (`kernel/personal.py`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.kernel.personal import File, Held, Then
from waypost.tickets.attaching import contents
from waypost.tickets.models import Attachment

_RECORD = "a record of the company's; who it was is a pseudonym"
_TRACE = "who did it, by number"
PERSONAL = (
    Held(
        "tickets",
        "requester_id",
        "Requests",
        Then.KEPT,
        _RECORD,
        shown=(
            "id",
            "ticket_number",
            "title",
            "description",
            "ticket_type",
            "status",
            "priority",
            "amount",
            "currency",
            "custom_fields",
            "tags",
            "due_date",
            "created_at",
            "submitted_at",
            "completed_at",
            "closed_at",
        ),
    ),
    Held(
        "tickets",
        "created_by_id",
        "Requests they made for others",
        Then.KEPT,
        _TRACE,
        shown=("ticket_number", "created_at"),
    ),
    Held("tickets", "assignee_id", "Requests they work on", Then.KEPT, _TRACE, shown=("ticket_number", "status")),
    Held(
        "ticket_comments",
        "author_id",
        "Comments they wrote",
        Then.KEPT,
        _RECORD,
        shown=("ticket_id", "body", "visibility", "created_at", "edited_at", "removed_at"),
    ),
    Held(
        "attachments",
        "uploaded_by_id",
        "Files they added",
        Then.KEPT,
        _RECORD,
        shown=("ticket_id", "filename", "content_type", "size", "created_at"),
    ),
    Held(
        "request_drafts", "owner_id", "Drafts of requests", Then.DELETED, shown=("ticket_type", "content", "updated_at")
    ),
    Held("comment_drafts", "user_id", "Drafts of comments", Then.DELETED, shown=("ticket_id", "body", "updated_at")),
    Held(
        "canned_replies", "owner_id", "Canned replies of their own", Then.DELETED, shown=("title", "body", "updated_at")
    ),
    Held("canned_uses", "user_id", "Canned replies they used", Then.DELETED, shown=("reply_id", "uses", "last_at")),
    Held("ticket_watchers", "user_id", "Requests they watch", Then.DELETED, shown=("ticket_id", "created_at")),
    Held("ticket_watchers", "added_by_id", "Watchers they added", Then.KEPT, _TRACE),
    Held("checklist_items", "done_by_id", "What they ticked", Then.KEPT, _TRACE, shown=("ticket_id", "done_at")),
    Held("ticket_links", "created_by_id", "Links between requests", Then.KEPT, _TRACE),
    Held("bulk_jobs", "actor_id", "Changes of many requests", Then.KEPT, _TRACE, shown=("id", "status", "created_at")),
    Held(
        "sla_level_runs",
        "actor_id",
        "Service levels they applied to running requests",
        Then.KEPT,
        _TRACE,
        shown=("id", "policy_id", "status", "created_at"),
    ),
    Held("sla_level_runs", "stopped_by_id", "Runs of service levels they stopped", Then.KEPT, _TRACE),
    Held("ticket_imports", "actor_id", "Imports", Then.KEPT, _TRACE, shown=("filename", "status", "created_at")),
    Held("routing_rule_sets", "published_by_id", "Routing rules they published", Then.KEPT, _TRACE),
    Held(
        "team_rotations",
        "last_user_id",
        "Whose turn it was",
        Then.BLANKED,
        "a number only",
        blanks={"last_user_id": "NULL"},
    ),
)


async def files_written(session: AsyncSession, user_id: int) -> list[File]:
    """The files somebody added to requests; those a scanner refused or has not seen stay out."""
    rows = await session.scalars(
        select(Attachment)
        .where(Attachment.uploaded_by_id == user_id, Attachment.scan.not_in(("INFECTED", "PENDING", "FAILED")))
        .order_by(Attachment.id)
    )
    return [File(f"{row.ticket_id}/{row.id}-{row.filename}", row.size, _reading(row)) for row in rows]


def _reading(row: Attachment) -> Callable[[], Awaitable[AsyncIterator[bytes]]]:
    return lambda: contents(row, start=0, length=row.size)
