"""What crosses HTTP about channels and the delivery log."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from waypost.kernel.ids import Id
from waypost.kernel.shapes import Instant, PersonRef, Strict
from waypost.notifications.preferring_schemas import Version
from waypost.notifications.schemas import TicketRef

AT: Any = ["2026-11-23T09:30:00Z"]
Status = Literal["PENDING", "SENT", "FAILED"]
Words = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]


class FieldRead(BaseModel):
    """A setting of a channel. A secret's `value` is never told, only whether it `is_set`."""

    key: Annotated[str, Field(examples=["bot_token"])]
    label: Annotated[str, Field(examples=["Bot token"])]
    kind: Literal["text", "secret", "url", "choice", "boolean"]
    help: str
    required: bool
    choices: list[str]
    value: Annotated[str | bool | None, Field(examples=[None])]
    is_set: Annotated[bool, Field(examples=[True])]


class Health(BaseModel):
    """How a channel goes: `UNTRIED` until something went out, `FAILING` while it does not; nothing is tried until
    `paused_until`."""

    state: Literal["WORKS", "FAILING", "UNTRIED", "OFF"]
    failures: Annotated[int, Field(examples=[0])]
    worked_at: Annotated[str | None, Field(examples=AT)]
    failed_at: Annotated[str | None, Field(examples=[None])]
    last_error: Annotated[str | None, Field(examples=[None])]
    paused_until: Annotated[str | None, Field(examples=[None])]


class ChannelRead(BaseModel):
    """A way of telling people. `is_fixed`: set up where the product runs, so it is always on and has no fields."""

    key: Annotated[str, Field(examples=["email"])]
    label: Annotated[str, Field(examples=["E-mail"])]
    version: Version
    is_on: bool
    is_fixed: bool
    fields: list[FieldRead]
    health: Health


class ChannelList(BaseModel):
    items: list[ChannelRead]
    next_cursor: None


class ChannelUpdate(Strict):
    """A setting not named stays as it is; null takes it away."""

    version: Version
    is_on: Annotated[bool, Field(strict=True, examples=[True])]
    settings: Annotated[
        dict[Annotated[str, Field(max_length=64)], Any],
        Field(max_length=50, examples=[{"bot_token": "xoxb-…"}]),
    ]


class DeliveryRead(BaseModel):
    """One message, and what became of it; what it said is its reader's."""

    id: Annotated[int, Field(examples=[512])]
    channel: Annotated[str, Field(examples=["email"])]
    kind: Annotated[str, Field(examples=["approval.requested"])]
    person: PersonRef | None
    recipient: Annotated[str, Field(examples=["manager@example.com"])]
    subject: Annotated[str, Field(examples=["[ITH-2026-000042] Please decide: New laptop"])]
    ticket: TicketRef | None
    headers: dict[str, str]
    status: Status
    is_urgent: bool
    attempts: Annotated[int, Field(examples=[1])]
    next_at: Annotated[str, Field(examples=AT)]
    sent_at: Annotated[str | None, Field(examples=AT)]
    last_error: Annotated[str | None, Field(examples=[None])]
    segments: Annotated[int | None, Field(examples=[None], description="Parts of a text message, each paid for.")]
    receipt: Annotated[Literal["DELIVERED", "UNDELIVERED"] | None, Field(description="What a phone's network said.")]
    receipt_at: Annotated[str | None, Field(examples=[None])]
    created_at: Annotated[str, Field(examples=AT)]
    allowed_actions: Annotated[list[Literal["send_again"]], Field(examples=[["send_again"]])]


class DeliveryPage(BaseModel):
    items: list[DeliveryRead]
    next_cursor: str | None


class AgainAsk(Strict):
    """Which of those given up to try once more; without filters, all of them."""

    channel: Annotated[Words | None, Field(examples=["email"])] = None
    kind: Annotated[Words | None, Field(examples=[None])] = None
    user_id: Annotated[Id | None, Field(examples=[None])] = None
    ticket: Annotated[Words | None, Field(examples=[None])] = None
    q: Annotated[Words | None, Field(examples=[None])] = None
    since: Annotated[Instant | None, Field(examples=[None])] = None
    until: Annotated[Instant | None, Field(examples=[None])] = None


class AgainDone(BaseModel):
    count: Annotated[int, Field(examples=[12], description="At most 5,000 at once.")]
