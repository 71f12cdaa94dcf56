"""What crosses HTTP about how people are told."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, StrictBool, model_validator

from waypost.kernel.shapes import Line, NamedRef, Strict
from waypost.notifications.choices import Digest

Version = Annotated[int, Field(ge=0, le=2**31 - 1, strict=True, examples=[0], description="The version you read.")]
Name = Annotated[str, Field(max_length=64)]
Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["22:00"])]
Day = Annotated[int, Field(ge=0, le=6, strict=True)]
SWITCHED: Any = {"ticket.commented": {"in_app": True, "email": False}}
FIXED: Any = {"emergency": ["in_app", "email"]}
Switches = Annotated[dict[Name, dict[Name, StrictBool]], Field(max_length=50, examples=[SWITCHED])]
ThreeWay = Annotated[
    dict[Name, dict[Name, StrictBool | None]],
    Field(max_length=50, examples=[{"ticket.commented": {"email": None}}], description="Null: as the company has it."),
]
Always = Annotated[
    dict[Name, Annotated[list[Name], Field(max_length=20)]],
    Field(max_length=50, examples=[FIXED], description="What cannot be switched off, by event."),
]
Digests = Annotated[
    dict[Name, Digest],
    Field(max_length=50, examples=[{"ticket.commented": "HOURLY"}], description="Events whose mails come as one."),
]
Language = Literal["en", "de", "fr", "es"]
Zone = Annotated[Line, Field(max_length=64, examples=["Europe/Berlin"])]


def _each_once(days: list[int]) -> list[int]:
    if len(set(days)) != len(days):
        raise ValueError("must name each day once")
    return sorted(days)


class QuietHours(Strict):
    """By one's own clock, past midnight when `ends` is not later; `days` are those on which they start, 0 is Monday."""

    starts: Clock
    ends: Annotated[Clock, Field(examples=["07:00"])]
    days: Annotated[
        list[Day], Field(min_length=1, max_length=7, examples=[[0, 1, 2, 3, 4]]), AfterValidator(_each_once)
    ]

    @model_validator(mode="after")
    def _last(self) -> QuietHours:
        if self.starts == self.ends:
            raise ValueError("must not end when they start")
        return self


class ChannelRef(Strict):
    """A way of telling people. `address` is where it reaches the caller, as they know it."""

    key: Annotated[str, Field(max_length=64, examples=["email"])]
    label: Annotated[str, Field(max_length=64, examples=["E-mail"])]


class OwnChannel(ChannelRef):
    is_ready: Annotated[bool, Field(description="Whether it reaches the caller.")]
    address: Annotated[str | None, Field(max_length=300, examples=["jane@example.com"])]


class PreferencesRead(BaseModel):
    """How the caller is told. `events` holds what can be switched; what cannot stands in `mandatory`."""

    version: Version
    events: Switches
    mandatory: Always
    digests: Digests
    quiet_hours: QuietHours | None
    timezone: Zone
    language: Annotated[Language, Field(description="In which one is told, where words are written in it.")]
    channels: list[OwnChannel]


class PreferencesUpdate(Strict):
    """What `GET` gave, changed. `mandatory` and `channels` may come along and are not read."""

    version: Version
    events: Switches
    digests: Digests
    quiet_hours: QuietHours | None
    timezone: Zone
    language: Annotated[Language | None, Field(examples=["de"], description="Without it, it stays.")] = None
    mandatory: Always | None = None
    channels: Annotated[list[OwnChannel] | None, Field(max_length=20)] = None


class RoleWays(BaseModel):
    id: Annotated[int, Field(examples=[5])]
    name: Annotated[str, Field(examples=["Agent"])]
    has_own: Annotated[bool, Field(description="Whether the role says something itself.")]


class CompanyDefaults(BaseModel):
    """How people are told who chose nothing. `always` is the product's own, `mandatory` what the company adds to it,
    `usual` what holds where the company says nothing."""

    version: Version
    events: Switches
    mandatory: Always
    always: Always
    usual: Switches
    channels: list[ChannelRef]
    roles: list[RoleWays]


class CompanyUpdate(Strict):
    version: Version
    events: Switches
    mandatory: Always


class RoleDefaults(BaseModel):
    version: Version
    role: NamedRef
    events: ThreeWay
    channels: list[ChannelRef]


class RoleUpdate(Strict):
    version: Version
    events: ThreeWay
