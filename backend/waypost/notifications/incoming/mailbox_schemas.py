"""What crosses HTTP about mailboxes and mails that came in."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from waypost.kernel.ids import Id
from waypost.kernel.shapes import Line, PersonRef, Strict
from waypost.notifications.delivery_schemas import Words
from waypost.notifications.preferring_schemas import Version
from waypost.notifications.schemas import TicketRef

AT: Any = ["2026-11-26T09:30:00Z"]
Security = Literal["tls", "starttls"]
Unknown = Literal["QUARANTINE", "REFUSE", "ACCEPT"]
Reply = Literal["PUBLIC", "INTERNAL"]
Outcome = Literal[
    "PENDING", "TICKET", "COMMENT", "BOUNCE", "AUTO_REPLY", "IGNORED", "REFUSED", "QUARANTINED", "DISCARDED"
]
_NO_CONTROLS = r"^[^\x00-\x1f\x7f]+$"


class MailboxSetup(Strict):
    """A mailbox that is read over IMAP, and what becomes of its mails.

    `unknown_senders` says what happens to mails of people nobody knows; accepted, they are requests of
    `accept_as_user_id`. `authserv_id` is the name your own mail server puts into `Authentication-Results`.
    """

    name: Annotated[Line, Field(min_length=1, max_length=100, examples=["IT service desk"])]
    address: Annotated[
        str,
        Field(
            max_length=254,
            pattern=r"^[^@\s\x00-\x1f\x7f<>,;\"]+@[^@\s\x00-\x1f\x7f<>,;\"]+$",
            examples=["it@example.com"],
        ),
    ]
    host: Annotated[
        str, Field(max_length=253, pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$", examples=["imap.example.com"])
    ]
    port: Annotated[int, Field(strict=True, ge=1, le=65535, examples=[993])] = 993
    security: Annotated[Security, Field(examples=["tls"])] = "tls"
    username: Annotated[str, Field(max_length=254, pattern=_NO_CONTROLS, examples=["it@example.com"])]
    password: Annotated[
        str | None,
        Field(
            max_length=1000,
            pattern=_NO_CONTROLS,
            examples=["correct horse battery"],
            description="Kept sealed and never told; left out or null, the one there is stays.",
        ),
    ] = None
    folder: Annotated[str, Field(max_length=200, pattern=_NO_CONTROLS, examples=["INBOX"])] = "INBOX"
    ticket_type: Annotated[str, Field(max_length=64, pattern=_NO_CONTROLS, examples=["IT_SUPPORT"])]
    team_id: Annotated[Id | None, Field(examples=[None])] = None
    unknown_senders: Annotated[Unknown, Field(examples=["QUARANTINE"])] = "QUARANTINE"
    accept_as_user_id: Annotated[Id | None, Field(examples=[None])] = None
    agents_reply: Annotated[Reply, Field(examples=["PUBLIC"])] = "PUBLIC"
    authserv_id: Annotated[str | None, Field(max_length=253, pattern=_NO_CONTROLS, examples=["mx.example.com"])] = None
    is_on: Annotated[bool, Field(strict=True, examples=[True])] = False


class MailboxUpdate(MailboxSetup):
    """A mailbox as it shall be from now on."""

    version: Version


class MailboxTest(MailboxSetup):
    """What to try. With `mailbox_id` and without a password, the password kept for it is used."""

    mailbox_id: Annotated[Id | None, Field(examples=[None])] = None


class MailboxHealth(BaseModel):
    """How a mailbox goes: `UNTRIED` until it was read, `FAILING` while it cannot be, `UNREAD` when nobody reads it."""

    state: Literal["WORKS", "FAILING", "UNTRIED", "UNREAD", "OFF"]
    failures: Annotated[int, Field(examples=[0])]
    worked_at: Annotated[str | None, Field(examples=AT)]
    failed_at: Annotated[str | None, Field(examples=[None])]
    last_error: Annotated[str | None, Field(examples=[None])]
    paused_until: Annotated[str | None, Field(examples=[None])]


class MailboxRead(BaseModel):
    """A mailbox, and how it goes. Its password is never told, only whether there is one."""

    id: Annotated[int, Field(examples=[1])]
    name: Annotated[str, Field(examples=["IT service desk"])]
    address: Annotated[str, Field(examples=["it@example.com"])]
    host: Annotated[str, Field(examples=["imap.example.com"])]
    port: Annotated[int, Field(examples=[993])]
    security: Security
    username: Annotated[str, Field(examples=["it@example.com"])]
    has_password: bool
    folder: Annotated[str, Field(examples=["INBOX"])]
    ticket_type: Annotated[str, Field(examples=["IT_SUPPORT"])]
    team_id: int | None
    unknown_senders: Unknown
    accept_as_user_id: int | None
    accept_as: PersonRef | None
    agents_reply: Reply
    authserv_id: Annotated[str | None, Field(examples=["mx.example.com"])]
    is_on: bool
    version: Version
    health: MailboxHealth
    last_mail_at: Annotated[str | None, Field(examples=AT)]


class MailboxList(BaseModel):
    items: list[MailboxRead]
    next_cursor: None
    quarantined_count: Annotated[int, Field(examples=[2], description="At most 1000 are counted.")]


class MailboxTested(BaseModel):
    """How far it went, and what was in the way. `waiting_count` mails become requests once it is on."""

    is_reached: bool
    is_encrypted: bool
    is_signed_in: bool
    has_folder: bool
    error: Annotated[str | None, Field(examples=["Authentication failed."])]
    waiting_count: Annotated[int | None, Field(examples=[3])]


Action = Literal["take_anew", "put_on_ticket", "discard"]


class MailRead(BaseModel):
    """A mail that came in, and what became of it."""

    id: Annotated[int, Field(examples=[71])]
    mailbox: Annotated[str | None, Field(examples=["IT service desk"])]
    from_address: Annotated[str, Field(examples=["jane@example.com"])]
    subject: Annotated[str, Field(examples=["The printer is on fire"])]
    message_id: Annotated[str | None, Field(examples=["<1@laptop.example.com>"])]
    received_at: Annotated[str, Field(examples=AT)]
    size: Annotated[int, Field(examples=[5120])]
    is_whole: bool
    outcome: Outcome
    reason: Annotated[str | None, Field(examples=["nobody here has the address it comes from"])]
    ticket: TicketRef | None
    person: PersonRef | None
    attempts: Annotated[int, Field(examples=[0])]
    created_at: Annotated[str, Field(examples=AT)]
    settled_at: Annotated[str | None, Field(examples=AT)]
    allowed_actions: list[Action]


class MailPage(BaseModel):
    items: list[MailRead]
    next_cursor: str | None


class MailHeader(BaseModel):
    name: Annotated[str, Field(examples=["Date"])]
    value: Annotated[str, Field(examples=["Thu, 26 Nov 2026 09:30:00 +0000"])]


class MailFile(BaseModel):
    name: Annotated[str, Field(examples=["screenshot.png"])]
    content_type: Annotated[str, Field(examples=["image/png"])]
    size: Annotated[int, Field(examples=[20480])]


class MailLook(MailRead):
    """What it says: text only, cut where it is long. Null once it stands at a request, or is kept no longer."""

    headers: list[MailHeader] | None
    text: Annotated[str | None, Field(examples=["It burns."])]
    files: list[MailFile] | None


class MailDiscard(Strict):
    """Which mails in quarantine to discard."""

    ids: Annotated[list[Id], Field(min_length=1, max_length=100, examples=[[71, 72]])]


class MailsDiscarded(BaseModel):
    count: Annotated[int, Field(examples=[2])]


class MailPlace(Strict):
    """Where a mail goes: as a comment on the request of this number (or id), for all its readers or its team alone."""

    ticket: Annotated[Words, Field(min_length=1, examples=["ITH-2026-000042"])]
    visibility: Annotated[Reply, Field(examples=["PUBLIC"])] = "PUBLIC"
