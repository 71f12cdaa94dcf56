"""What crosses HTTP about personal data."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from waypost.kernel.shapes import Line, PersonRef, Strict


class PersonalExportRead(BaseModel):
    """A copy of what is held about a person. READY until `expires_at`."""

    id: Annotated[int, Field(examples=[7])]
    state: Annotated[Literal["WAITING", "READY", "FAILED", "GONE"], Field(examples=["READY"])]
    size: Annotated[int, Field(description="Bytes.", examples=[48211])]
    created_at: datetime
    made_at: datetime | None
    expires_at: datetime | None


class PersonalExportPage(BaseModel):
    items: list[PersonalExportRead]
    next_cursor: str | None


class Reason(Strict):
    reason: Annotated[Line, Field(max_length=500, examples=["Asked for by letter of 3 November"])]


class Hold(Strict):
    """Why everything is kept; null lets it go."""

    reason: Annotated[Line | None, Field(max_length=500, examples=["Proceedings 12 O 345/26"])]


class ErasureRead(BaseModel):
    """A request to erase, until it is done or dropped."""

    id: Annotated[int, Field(examples=[3])]
    user: PersonRef | None
    asked_by: PersonRef | None
    reason: Annotated[str, Field(examples=["Asked for by letter of 3 November"])]
    created_at: datetime
    expires_at: datetime
    may_do: Annotated[bool, Field(description="Whether the reader is the second administrator it waits for.")]


class ErasurePage(BaseModel):
    items: list[ErasureRead]
    next_cursor: str | None


class PlanItem(BaseModel):
    title: Annotated[str, Field(examples=["Sessions"])]
    count: Annotated[int, Field(examples=[4])]
    then: Annotated[Literal["DELETED", "BLANKED", "KEPT"], Field(examples=["DELETED"])]
    why: Annotated[str, Field(examples=[""])]


class ErasureState(BaseModel):
    """What there is about a person, what becomes of it, and what stands in the way."""

    items: list[PlanItem]
    is_active: bool
    legal_hold: Annotated[str | None, Field(examples=[None])]
    erased_at: datetime | None
    waiting: ErasureRead | None
