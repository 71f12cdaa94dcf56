"""What becomes of mails that came in, as facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from waypost.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class MailAnswered(Event):
    """Who wrote a mail was answered by us: that it was taken, or why it was not."""

    type: ClassVar[str] = "incoming_mail.answered"
    object_type: ClassVar[str] = "incoming_mail"
    mail_id: int
    kind: str

    @property
    def object_id(self) -> int:
        return self.mail_id


@dataclass(frozen=True, kw_only=True)
class MailReturned(Event):
    """A mail of ours came back. `is_gone`: nothing is sent to this person's address any more."""

    type: ClassVar[str] = "incoming_mail.returned"
    object_type: ClassVar[str] = "incoming_mail"
    mail_id: int
    delivery_ids: tuple[int, ...]
    user_id: int | None
    is_permanent: bool
    is_gone: bool

    @property
    def object_id(self) -> int:
        return self.mail_id


@dataclass(frozen=True, kw_only=True)
class AddressWorksAgain(Event):
    """Mails go to a person's address again: they wrote from it, or an administrator sent one once more."""

    type: ClassVar[str] = "user.address_works_again"
    object_type: ClassVar[str] = "user"
    user_id: int

    @property
    def object_id(self) -> int:
        return self.user_id
