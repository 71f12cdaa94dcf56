"""What crosses HTTP about identity providers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints

from waypost.access.schemas import RoleRef
from waypost.kernel.shapes import Fields, Line, Strict, Version

Key = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9-]{1,39}$",
        examples=["company"],
        description="Stands in addresses the other side is told; it stays.",
    ),
]
Name = Annotated[Line, Field(min_length=1, max_length=100, examples=["Company account"])]
Settings = Annotated[
    Fields,
    Field(
        max_length=100,
        examples=[{"issuer": "https://id.example.com", "client_id": "waypost"}],
        description="By the keys of the kind's fields.",
    ),
]
LinksBy = Annotated[
    Literal["NONE", "VERIFIED_EMAIL"],
    Field(
        examples=["NONE"],
        description="Whether an account that is here already becomes somebody's who comes by this provider with the same "
        "e-mail address, vouched for by it. Accounts that administer never do.",
    ),
]


class ProviderField(BaseModel):
    """A setting. A secret's value is never told, only whether there is one."""

    key: Annotated[str, Field(examples=["issuer"])]
    label: Annotated[str, Field(examples=["Issuer"])]
    kind: Annotated[Literal["text", "secret", "url", "choice", "boolean", "list", "long"], Field(examples=["url"])]
    help: Annotated[str, Field(examples=["The address under which the provider publishes what it can."])]
    required: bool
    is_secret: bool
    choices: Annotated[list[str], Field(examples=[[]])]
    default: Annotated[Any, Field(examples=[None])]
    value: Annotated[Any, Field(examples=["https://id.example.com"])]
    is_set: bool


class ProviderKind(BaseModel):
    """A kind of provider that can be added."""

    key: Annotated[str, Field(examples=["oidc"])]
    label: Annotated[str, Field(examples=["OpenID Connect"])]
    fields: list[ProviderField]


class ProviderKinds(BaseModel):
    items: list[ProviderKind]
    next_cursor: str | None


class ProviderHealth(BaseModel):
    """How it goes with a provider."""

    state: Annotated[Literal["OFF", "UNTRIED", "WORKS", "FAILING"], Field(examples=["WORKS"])]
    last_error: str | None
    failed_at: datetime | None
    worked_at: datetime | None


class OurAddress(BaseModel):
    """An address the other side has to be told."""

    key: Annotated[str, Field(examples=["redirect"])]
    label: Annotated[str, Field(examples=["Redirect URI"])]
    url: Annotated[str, Field(examples=["https://waypost.example.com/api/v1/auth/oidc/company/callback"])]
    help: str
    is_document: Annotated[bool, Field(description="Something to download stands there.", examples=[False])]


class ProviderRead(BaseModel):
    """An identity provider, as it is set up."""

    id: Annotated[int, Field(examples=[1])]
    key: Annotated[str, Field(examples=["company"])]
    kind: Annotated[str, Field(examples=["oidc"])]
    kind_label: Annotated[str, Field(examples=["OpenID Connect"])]
    name: Annotated[str, Field(examples=["Company account"])]
    is_on: bool
    signs_in_by_redirect: bool
    creates_people: bool
    links_by: LinksBy
    updates_people: bool
    trusts_second_factor: bool
    version: Annotated[int, Field(examples=[1])]
    fields: list[ProviderField]
    addresses: list[OurAddress]
    people_count: Annotated[int, Field(examples=[12])]
    health: ProviderHealth
    created_at: datetime
    updated_at: datetime


class ProviderList(BaseModel):
    items: list[ProviderRead]
    next_cursor: str | None


class ProviderCreate(Strict):
    """A provider to add; it is off until it is switched on."""

    kind: Annotated[str, Field(pattern=r"^[a-z]{2,16}$", examples=["oidc"])]
    key: Key
    name: Name
    settings: Settings = Field(default_factory=dict)


class ProviderUpdate(Strict):
    """A provider as it shall be. A setting not named stays as it is; null takes it away."""

    version: Version
    name: Name
    is_on: bool
    creates_people: bool
    links_by: LinksBy
    updates_people: bool
    trusts_second_factor: bool
    settings: Settings = Field(default_factory=dict)


class Finding(BaseModel):
    label: Annotated[str, Field(examples=["Issuer"])]
    value: Annotated[str, Field(examples=["https://id.example.com"])]
    is_good: bool


class ProviderTestedRead(BaseModel):
    """How far a test went, and what was in the way."""

    error: str | None
    found: list[Finding]


class GroupRoles(BaseModel):
    """The roles a group gives; `*` stands for everybody who comes by the provider."""

    group: Annotated[str, Field(examples=["waypost-agents"])]
    roles: list[RoleRef]


class ProviderGroupsRead(BaseModel):
    version: Annotated[int, Field(examples=[1])]
    items: list[GroupRoles]
    next_cursor: str | None


Group = Annotated[str, StringConstraints(min_length=1, max_length=300)]
RoleKey = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class ProviderGroupsUpdate(Strict):
    """The whole map: which roles each group gives."""

    version: Version
    groups: Annotated[
        dict[Group, Annotated[list[RoleKey], Field(max_length=50)]],
        Field(max_length=500, examples=[{"waypost-agents": ["agent"], "*": ["employee"]}]),
    ]


class SignInWay(BaseModel):
    """A provider at whose page one can sign in."""

    key: Annotated[str, Field(examples=["company"])]
    name: Annotated[str, Field(examples=["Company account"])]
    kind: Annotated[str, Field(examples=["oidc"])]


class SignInWays(BaseModel):
    items: list[SignInWay]
    next_cursor: str | None
