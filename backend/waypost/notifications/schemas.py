"""What crosses HTTP about notifications."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field


class TicketRef(BaseModel):
    id: Annotated[int, Field(examples=[42])]
    ticket_number: Annotated[str, Field(examples=["ITH-2026-000042"])]


class NotificationRead(BaseModel):
    """One thing the caller was told. `link` is a path of the web app."""

    id: int
    kind: Annotated[str, Field(examples=["approval.requested"])]
    title: Annotated[str, Field(examples=["Please decide: New laptop"])]
    body: str
    ticket: TicketRef | None
    link: Annotated[str, Field(examples=["/tickets/42"])]
    created_at: Annotated[str, Field(examples=["2026-11-23T09:30:00Z"])]
    read_at: str | None


class NotificationPage(BaseModel):
    items: list[NotificationRead]
    next_cursor: str | None
    unread_count: Annotated[int, Field(examples=[3], description="At most 1000 are counted.")]
