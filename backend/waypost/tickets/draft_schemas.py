"""What crosses HTTP about requests still being written."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from waypost.kernel.shapes import Fields, Strict

_ID = "6f1c9a52-4a0b-4d1e-9a57-3f4c2f0f7b11"
# What the form holds as it was typed, so it may be half a number or half a date; the form alone reads it.
Content = Annotated[
    Fields,
    Field(
        description="What is typed so far, as the form keeps it; `title` is shown in lists. At most 256 KiB.",
        examples=[{"title": "New laptop req", "amount": "14", "fields": {"budget_code": "PROJ"}}],
    ),
]
Version = Annotated[int, Field(ge=1, le=2**31 - 1, strict=True, examples=[4])]


class DraftCreate(Strict):
    """A draft under a name the client made, so that it has one without a connection too."""

    id: Annotated[UUID, Field(examples=[_ID])]
    ticket_type: Annotated[str, Field(max_length=64, examples=["IT_HARDWARE"])]
    content: Content


class DraftUpdate(Strict):
    """What it says now, over the version one read."""

    content: Content
    version: Version


class DraftListItem(BaseModel):
    """A draft in a list."""

    id: Annotated[UUID, Field(examples=[_ID])]
    ticket_type: Annotated[str, Field(examples=["IT_HARDWARE"])]
    ticket_type_name: Annotated[str, Field(examples=["IT hardware"])]
    title: Annotated[str, Field(examples=["New laptop req"])]
    version: Version
    created_at: datetime
    updated_at: datetime


class DraftPage(BaseModel):
    items: list[DraftListItem]
    next_cursor: str | None


class DraftRead(BaseModel):
    """A draft with all that was typed."""

    id: Annotated[UUID, Field(examples=[_ID])]
    ticket_type: Annotated[str, Field(examples=["IT_HARDWARE"])]
    content: Content
    version: Version
    created_at: datetime
    updated_at: datetime
