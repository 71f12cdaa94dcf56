"""What happens to mailboxes and to mails that came in, as facts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from waypost.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class MailboxEvent(Event):
    object_type: ClassVar[str] = "mailbox"
    mailbox_id: int
    name: str

    @property
    def object_id(self) -> int:
        return self.mailbox_id


@dataclass(frozen=True, kw_only=True)
class MailboxAdded(MailboxEvent):
    """An administrator added a mailbox."""

    type: ClassVar[str] = "mailbox.added"
    address: str
    is_on: bool
    after: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class MailboxChanged(MailboxEvent):
    """An administrator changed a mailbox, or switched it. Of the password only that there is one, or another."""

    type: ClassVar[str] = "mailbox.changed"
    changed: list[str]
    is_on: bool
    settings_version: int
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class MailboxRemoved(MailboxEvent):
    """An administrator took a mailbox away. What came by it stays in the log."""

    type: ClassVar[str] = "mailbox.removed"
    address: str
    before: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class MailboxFailed(MailboxEvent):
    """Nothing is read from a mailbox any more until somebody looks: wrong settings, or a server that stays away."""

    type: ClassVar[str] = "mailbox.failed"
    why: str


@dataclass(frozen=True, kw_only=True)
class MailEvent(Event):
    object_type: ClassVar[str] = "incoming_mail"
    mail_id: int

    @property
    def object_id(self) -> int:
        return self.mail_id


@dataclass(frozen=True, kw_only=True)
class MailHeldBack(MailEvent):
    """A mail could not be taken in: it is too large, or broke what reads it. With `is_alarm` administrators are told."""

    type: ClassVar[str] = "incoming_mail.held_back"
    mailbox: str
    why: str
    is_alarm: bool


@dataclass(frozen=True, kw_only=True)
class MailTakenAnew(MailEvent):
    """An administrator had a mail from quarantine taken once more."""

    type: ClassVar[str] = "incoming_mail.taken_anew"


@dataclass(frozen=True, kw_only=True)
class MailPutOnTicket(MailEvent):
    """An administrator made a mail from quarantine a comment on a ticket."""

    type: ClassVar[str] = "incoming_mail.put_on_ticket"
    ticket_id: int
    comment_id: int


@dataclass(frozen=True, kw_only=True)
class MailsDiscarded(Event):
    """An administrator discarded mails from quarantine: the first hundred by id, and how many in all."""

    type: ClassVar[str] = "incoming_mail.discarded"
    object_type: ClassVar[str] = "incoming_mail"
    mail_ids: list[int]
    count: int

    @property
    def object_id(self) -> int:
        return self.mail_ids[0] if self.count == 1 else 0
