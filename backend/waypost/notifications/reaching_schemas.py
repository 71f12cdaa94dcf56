"""What crosses HTTP about where one is reached."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Discriminator, Field, StringConstraints, Tag

from waypost.kernel.shapes import Line, Strict
from waypost.notifications.subscribing import LONGEST_ENDPOINT


class ContactPointRead(BaseModel):
    """Where a channel reaches the caller: used once it is verified, and not while it is stopped."""

    id: Annotated[int, Field(examples=[9])]
    channel: Annotated[str, Field(examples=["sms"])]
    channel_label: Annotated[str, Field(examples=["SMS"])]
    label: Annotated[str, Field(examples=["My phone"])]
    address: Annotated[str, Field(examples=["+4915112345678"])]
    is_verified: bool
    is_stopped: bool
    used_at: Annotated[str | None, Field(examples=["2026-11-23T09:30:00Z"])]
    created_at: Annotated[str, Field(examples=["2026-11-23T09:30:00Z"])]


class ContactPointPage(BaseModel):
    items: list[ContactPointRead]
    next_cursor: str | None


class PushKeys(Strict):
    """What a message is sealed with, as the browser gives it (base64url)."""

    p256dh: Annotated[str, Field(min_length=1, max_length=200, examples=["BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-…"])]
    auth: Annotated[str, Field(min_length=1, max_length=100, examples=["BTBZMqHH6r4Tts7J_aSIgg"])]


class PushSubscription(Strict):
    """A browser's subscription, as `PushSubscription.toJSON()` writes it."""

    endpoint: Annotated[
        str, Field(min_length=1, max_length=LONGEST_ENDPOINT, examples=["https://fcm.googleapis.com/fcm/send/dQw4w9…"])
    ]
    keys: PushKeys
    expirationTime: Annotated[int | float | None, Field(ge=0, le=10**15)] = None


class BrowserCreate(Strict):
    """Tell the caller in this browser."""

    channel: Literal["push"]
    subscription: PushSubscription
    label: Annotated[Line, Field(max_length=100, examples=["Chrome on Windows"])] = ""


class PhoneAdd(Strict):
    """A phone of the caller's own, to be proved with the code that is sent to it."""

    channel: Annotated[Literal["sms"], Field(examples=["sms"])]
    address: Annotated[Line, Field(max_length=40, examples=["+4915112345678"], description="With its country (E.164).")]
    label: Annotated[Line | Literal[""], Field(max_length=100, examples=["My phone"])] = ""


def _which(body: Any) -> str:
    """What is added, by its channel: in brackets, as no name in a pointer to what is wrong with it."""
    channel = body.get("channel") if isinstance(body, dict) else getattr(body, "channel", None)
    return "(phone)" if channel == "sms" else "(browser)"


ContactPointCreate = Annotated[
    Annotated[BrowserCreate, Tag("(browser)")] | Annotated[PhoneAdd, Tag("(phone)")], Discriminator(_which)
]


class PhoneProof(Strict):
    """The code that came to the phone."""

    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$"), Field(examples=["482913"])]


class PushKey(BaseModel):
    """The key a browser subscribes with: messages signed with another do not reach it."""

    public_key: Annotated[str, Field(examples=["BDd3_hVL9fZi9Ybo2UUzA284WG5FZR30_95YeZJsiApwXKpNcF1rRPF3foIiBHXR…"])]
