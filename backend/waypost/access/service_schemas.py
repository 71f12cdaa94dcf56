"""What crosses HTTP about service accounts and OAuth."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from waypost.access.permissions import Permission
from waypost.access.schemas import RoleRef
from waypost.kernel.ids import Id
from waypost.kernel.shapes import Line, PersonRef, Strict

_Permissions = Annotated[list[Permission], Field(min_length=1, max_length=100, examples=[["tickets:read"]])]
_Name = Annotated[Line, Field(min_length=1, max_length=60, examples=["Warehouse"])]
_Purpose = Annotated[str, Field(max_length=300, pattern=r"^[^\x00]*$", examples=["Orders what is approved"])]


class AccessToken(BaseModel):
    """An access token of a few minutes (RFC 6749, 5.1)."""

    access_token: Annotated[str, Field(examples=["eyJhbGciOiJFZDI1NTE5IiwidHlwIjoiYXQrand0In0…"])]
    token_type: Annotated[str, Field(examples=["Bearer"])]
    expires_in: Annotated[int, Field(description="Seconds.", examples=[600])]
    scope: Annotated[str, Field(examples=["tickets:read"])]


class Nothing(BaseModel):
    """There is nothing to say but that it is done."""


class Introspection(BaseModel):
    """What an access token is worth (RFC 7662, 2.2); of one that opens nothing, or of another client, only `active`."""

    active: Annotated[bool, Field(examples=[True])]
    scope: Annotated[str, Field(examples=["tickets:read"])] = ""
    client_id: Annotated[str, Field(examples=["wpc_7f3k"])] = ""
    username: Annotated[str, Field(examples=["warehouse"])] = ""
    token_type: Annotated[str, Field(examples=["Bearer"])] = ""
    exp: Annotated[int, Field(examples=[1795688400])] = 0
    iat: Annotated[int, Field(examples=[1795687800])] = 0
    sub: Annotated[str, Field(examples=["41"])] = ""
    aud: Annotated[str, Field(examples=["waypost"])] = ""
    iss: Annotated[str, Field(examples=["waypost"])] = ""
    jti: Annotated[str, Field(examples=["4fTq…"])] = ""


class ServiceAccountCreate(Strict):
    """A service account: what it is called, what it is for, who answers for it, and what it may."""

    username: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{1,60}$", examples=["warehouse"])]
    name: _Name
    purpose: _Purpose = ""
    owner_id: Annotated[Id, Field(examples=[3])]
    roles: Annotated[list[str], Field(max_length=20, examples=[["employee"]])]


class ServiceAccountChange(Strict):
    """What changes: all of it, as it is to be."""

    purpose: _Purpose
    owner_id: Annotated[Id, Field(examples=[3])]
    is_on: Annotated[bool, Field(strict=True)]
    version: Annotated[int, Field(ge=1, le=2**31 - 1, examples=[1])]


class OAuthSecretRead(BaseModel):
    id: Annotated[int, Field(examples=[5])]
    beginning: Annotated[str, Field(examples=["wp_cls_4fTx"])]
    created_at: datetime


class OAuthClientRead(BaseModel):
    """An OAuth client in force, with its one or two secrets as far as they are shown."""

    id: Annotated[int, Field(examples=[4])]
    client_id: Annotated[str, Field(examples=["b3f1c0c4b7e84f6e9d0a5b8c7d6e5f40"])]
    name: Annotated[str, Field(examples=["Warehouse, production"])]
    permissions: Annotated[list[str], Field(examples=[["tickets:read"]])]
    created_at: datetime
    used_at: datetime | None
    used_from: Annotated[str | None, Field(examples=["192.0.2.7"])]
    secrets: list[OAuthSecretRead]


class ServiceAccountRead(BaseModel):
    """A service account with its clients."""

    id: Annotated[int, Field(examples=[42])]
    username: Annotated[str, Field(examples=["warehouse"])]
    name: Annotated[str, Field(examples=["Warehouse"])]
    purpose: Annotated[str, Field(examples=["Orders what is approved"])]
    owner: PersonRef | None
    is_on: bool
    version: Annotated[int, Field(examples=[1])]
    created_at: datetime
    roles: list[RoleRef]
    permissions: Annotated[
        list[str], Field(description="What its tokens and clients can be given.", examples=[["tickets:read"]])
    ]
    clients: list[OAuthClientRead]


class ServiceAccountPage(BaseModel):
    items: list[ServiceAccountRead]
    next_cursor: str | None


class OAuthClientCreate(Strict):
    """A client: what it is called and what it may, of what its account may."""

    name: _Name
    permissions: _Permissions


class OAuthSecretMade(BaseModel):
    """A secret, told this once; of a repeated request it is null."""

    id: Annotated[int, Field(examples=[4])]
    client_id: Annotated[str, Field(examples=["b3f1c0c4b7e84f6e9d0a5b8c7d6e5f40"])]
    client_secret: Annotated[str | None, Field(examples=["wp_cls_4fTx…"])]
