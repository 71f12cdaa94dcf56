"""What crosses HTTP about provisioning, as administrators set it up. What identity systems say is in `resources.py`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from waypost.access.schemas import RoleRef
from waypost.kernel.shapes import PersonRef, Strict


class ScimTokenRead(BaseModel):
    """A token, without what opens the door."""

    id: Annotated[int, Field(examples=[1])]
    prefix: Annotated[str, Field(examples=["wsc_3kQx9a0B"], description="How it begins.")]
    created_by: PersonRef
    created_at: datetime
    expires_at: datetime
    is_expired: bool
    used_at: Annotated[datetime | None, Field(description="To the minute.")]


class ScimTokenMade(ScimTokenRead):
    """A new token. `token` is told this once."""

    token: Annotated[str, Field(examples=["wsc_3kQx9a0BmT7ZLrW1dNfVYpUeHsGjKiOcAxE5RlQ2bXM"])]


class ScimTokenCreate(Strict):
    """A token to make. A provider has two at most, so that one can take over from the other."""

    days: Annotated[
        int, Field(ge=1, le=730, examples=[365], description="After so many days it opens nothing more.")
    ] = 365


class ProvisioningStop(BaseModel):
    """Why a provider was stopped, or until when it may deactivate as many as it wants."""

    stopped_at: datetime | None
    why: Annotated[str, Field(examples=["10 people were deactivated within the last hour, of 180."])]
    allowed_until: datetime | None


class Provisioning(BaseModel):
    """How it goes with a provider that pushes people."""

    base_url: Annotated[str, Field(examples=["https://waypost.example.com/scim/v2"])]
    people_count: Annotated[int, Field(examples=[180])]
    active_count: Annotated[int, Field(examples=[172])]
    group_count: Annotated[int, Field(examples=[12])]
    tokens: list[ScimTokenRead]
    may_make_token: bool
    stop: ProvisioningStop | None


class PushedGroup(BaseModel):
    """A group as it was pushed, with the roles it gives."""

    id: Annotated[int, Field(examples=[1])]
    name: Annotated[str, Field(examples=["waypost-agents"])]
    member_count: Annotated[int, Field(examples=[8])]
    roles: list[RoleRef]
    updated_at: datetime


class PushedGroupPage(BaseModel):
    items: list[PushedGroup]
    next_cursor: str | None


class PushedRequest(BaseModel):
    """One of a provider's last requests. What stood in its query is not kept."""

    id: Annotated[int, Field(examples=[1])]
    at: datetime
    method: Annotated[str, Field(examples=["PATCH"])]
    path: Annotated[str, Field(examples=["/v2/Users/2819c223-7f76-453a-919d-413861904646"])]
    status: Annotated[int, Field(examples=[409])]
    detail: Annotated[str, Field(examples=["There is a user with this userName already."])]
    milliseconds: Annotated[int, Field(examples=[12])]


class PushedRequestPage(BaseModel):
    items: list[PushedRequest]
    next_cursor: str | None
