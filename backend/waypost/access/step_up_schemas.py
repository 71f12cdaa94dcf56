"""What crosses HTTP when somebody confirms that it is them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from waypost.kernel.shapes import Strict


class StepUp(Strict):
    """A factor, and the proof it asks for."""

    factor: Annotated[Literal["password"], Field(examples=["password"])]
    password: Annotated[str, Field(min_length=1, max_length=512, examples=["demo-Passw0rd-2026"])]


class StepUpState(BaseModel):
    """Whether this sign-in counts as proven now, and how it can be."""

    factors: Annotated[list[str], Field(examples=[["password"]], description="What one can confirm it with.")]
    valid_until: Annotated[datetime | None, Field(examples=["2026-11-23T09:35:00Z"])]
    max_age_seconds: Annotated[int, Field(examples=[300])]
