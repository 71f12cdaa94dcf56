"""What crosses HTTP about how long the trail is kept."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from waypost.audit.retention.rules import LEAST_YEARS, MOST_YEARS
from waypost.kernel.shapes import Strict

Years = Annotated[
    int | None, Field(strict=True, ge=LEAST_YEARS, le=MOST_YEARS, examples=[5], description="Null: for ever.")
]


class RetentionSetup(Strict):
    """For how many years each group of entries is kept. Everything else is kept for ever."""

    sign_ins: Years = None
    readings: Years = None
    messages: Years = None
    system: Years = None
    version: Annotated[int, Field(strict=True, ge=0, le=2**31 - 1, examples=[0], description="The version you read.")]


class RetentionGroup(BaseModel):
    """Kinds of entries that are kept alike."""

    key: Annotated[str, Field(examples=["sign_ins"])]
    kinds: Annotated[list[str], Field(examples=[["auth.login"]])]
    years: Annotated[int | None, Field(examples=[5])]


class RetentionRead(BaseModel):
    """The policy, and how often something was removed by it."""

    groups: list[RetentionGroup]
    version: Annotated[int, Field(examples=[1])]
    removals: Annotated[int, Field(examples=[12])]
    last_removal_at: Annotated[str | None, Field(examples=["2026-11-26T09:30:00Z"])]
