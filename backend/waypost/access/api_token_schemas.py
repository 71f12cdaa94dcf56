"""What crosses HTTP about API tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from waypost.access.permissions import Permission
from waypost.kernel.shapes import Line, PersonRef, Strict

_WORDS = Field(examples=[["tickets:create", "tickets:read"]])


class ApiTokenCreate(Strict):
    """A token for a program: what it is for, what it may (of what one may oneself), and for how many days."""

    name: Annotated[Line, Field(min_length=1, max_length=60, examples=["Nightly report"])]
    permissions: Annotated[list[Permission], Field(min_length=1, max_length=100, examples=[["tickets:read"]])]
    is_read_only: Annotated[bool, Field(description="It changes nothing, whatever it may.", examples=[True])] = False
    expires_in_days: Annotated[int, Field(ge=1, le=365, examples=[90])]


class ApiTokenRead(BaseModel):
    """A token in force. `beginning` is so much of it as tells it from others."""

    id: Annotated[int, Field(examples=[7])]
    name: Annotated[str, Field(examples=["Nightly report"])]
    beginning: Annotated[str, Field(examples=["wp_pat_4fTx"])]
    permissions: Annotated[list[str], _WORDS]
    is_read_only: bool
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    used_from: Annotated[str | None, Field(examples=["192.0.2.7"])]


class ApiTokenMade(ApiTokenRead):
    """A new token. `token` is told this once; of a repeated request it is null."""

    token: Annotated[str | None, Field(examples=["wp_pat_4fTx…"])]


class ApiTokenPage(BaseModel):
    items: list[ApiTokenRead]
    next_cursor: str | None


class SomebodysApiToken(ApiTokenRead):
    """A token of somebody, for administrators."""

    user: PersonRef | None
    made_by: PersonRef | None


class AllApiTokensPage(BaseModel):
    items: list[SomebodysApiToken]
    next_cursor: str | None


class TokenScopeGroup(BaseModel):
    """What belongs together."""

    key: Annotated[str, Field(examples=["read"])]
    permissions: Annotated[list[str], _WORDS]


class TokenScopes(BaseModel):
    """What one can give to a token: of what one may oneself."""

    groups: list[TokenScopeGroup]
    most_days: Annotated[int, Field(examples=[365])]
    most_tokens: Annotated[int, Field(examples=[20])]
