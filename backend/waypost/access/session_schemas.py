"""What crosses HTTP about sign-ins that are open, and about how long they last."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from waypost.access.session_times import (
    LEAST_ABSOLUTE,
    LEAST_AT_ONCE,
    LEAST_IDLE,
    MOST_ABSOLUTE,
    MOST_AT_ONCE,
    MOST_IDLE,
)
from waypost.kernel.shapes import Strict, Version

Idle = Annotated[int, Field(strict=True, ge=LEAST_IDLE, le=MOST_IDLE, examples=[30])]
Absolute = Annotated[int, Field(strict=True, ge=LEAST_ABSOLUTE, le=MOST_ABSOLUTE, examples=[720])]


class SessionItem(BaseModel):
    """One sign-in on one device: how it began, and when it ends if it is used no more."""

    id: Annotated[int, Field(examples=[17])]
    method: Annotated[
        str | None, Field(description="Null for one that began before this was kept.", examples=["password+totp"])
    ]
    provider: Annotated[str | None, Field(description="By which provider.", examples=["Company sign-in"])]
    created_at: datetime
    last_seen_at: datetime
    ends_at: datetime
    ip_address: Annotated[str, Field(examples=["192.0.2.7"])]
    user_agent: Annotated[str, Field(examples=["Mozilla/5.0 (X11; Linux x86_64) …"])]
    is_current: bool


class SessionPage(BaseModel):
    items: list[SessionItem]
    next_cursor: str | None


class Ended(BaseModel):
    """How many sessions ended."""

    ended: Annotated[int, Field(examples=[2])]


class SessionRulesRead(BaseModel):
    """How many minutes a sign-in lasts unused and in all, and how many of one person there may be at once."""

    idle_minutes: Annotated[int, Field(examples=[720])]
    absolute_minutes: Annotated[int, Field(examples=[43200])]
    most_at_once: Annotated[int, Field(examples=[100])]
    version: Version


class SessionRulesSet(Strict):
    """The rules as they are to be."""

    idle_minutes: Idle
    absolute_minutes: Absolute
    most_at_once: Annotated[int, Field(strict=True, ge=LEAST_AT_ONCE, le=MOST_AT_ONCE, examples=[5])]
    version: Version


class RoleTimes(Strict):
    """A role's own minutes, where it has any; null leaves it to the house."""

    idle_minutes: Idle | None
    absolute_minutes: Absolute | None
    version: Version
