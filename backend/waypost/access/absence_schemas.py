"""What crosses HTTP about absences."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from waypost.kernel.ids import Id
from waypost.kernel.shapes import Instant, PersonRef, Remark, Strict


class AbsenceRead(BaseModel):
    """A time in which somebody is away, its end not included. `reason` and `set_by` only for those who may set it."""

    id: Annotated[int, Field(examples=[12])]
    person: PersonRef
    starts_at: datetime
    ends_at: datetime
    is_now: bool
    reason: Annotated[str | None, Field(examples=["Parental leave"])]
    set_by: PersonRef | None
    allowed_actions: Annotated[list[str], Field(examples=[["delete"]])]


class AbsencePage(BaseModel):
    items: list[AbsenceRead]
    next_cursor: str | None


class AbsenceCreate(Strict):
    """Without `user_id` it is one's own."""

    user_id: Annotated[Id | None, Field(examples=[None])] = None
    starts_at: Instant
    ends_at: Annotated[Instant, Field(description="Not included.", examples=["2030-01-29T00:00:00Z"])]
    reason: Annotated[Remark, Field(max_length=200, examples=["Parental leave"])] = ""
