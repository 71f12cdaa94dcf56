"""Mail: one's own address, the words as text and HTML, one thread for each request."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from email.message import EmailMessage
from email.utils import format_datetime
from typing import ClassVar

from waypost.kernel.clock import now
from waypost.kernel.logs import get_logger
from waypost.kernel.settings import get_settings
from waypost.notifications.channels import Config, Field, Message
from waypost.notifications.incoming.replies import MARKER
from waypost.notifications.layouts import LAYOUT
from waypost.notifications.people import Person
from waypost.notifications.rendering import mail_of, summary_of
from waypost.vendors import smtp
from waypost.vendors.fates import Fate, Rejected

log = get_logger(__name__)


class Email:
    """Mail over SMTP, set up from the environment."""

    key: ClassVar[str] = "email"
    fields: ClassVar[tuple[Field, ...]] = ()
    pace: ClassVar[float] = 0.0

    def recipients(self, person: Person) -> Sequence[str]:
        """A person's address."""
        return (person.email,) if person.email else ()

    async def send(self, config: Config, messages: Sequence[Message]) -> AsyncGenerator[Fate]:
        """Over one connection. A mail that cannot be written is refused, and holds up no other."""
        written: list[EmailMessage | Rejected] = []
        for message in messages:
            try:
                written.append(mail_message(message, str(config.get(LAYOUT) or "")))
            except Exception as error:
                log.exception("mail cannot be written", message_id=message.id)
                written.append(Rejected(f"{type(error).__name__}: {error}"[:500]))
        mails = [(m.recipient, w) for m, w in zip(messages, written, strict=True) if isinstance(w, EmailMessage)]
        async with aclosing(smtp.send(get_settings(), mails)) as sending:
            for mail in written:
                yield mail if isinstance(mail, Rejected) else await anext(sending)


def mail_message(message: Message, layout: str = "") -> EmailMessage:
    """The mail as it goes out: text and HTML in the company's layout, with a Message-ID that stays the same at every
    try. What may be replied to says above which line."""
    mail = EmailMessage()
    mail["From"] = get_settings().mail_from
    mail["To"] = message.recipient
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(now())
    mail["Message-ID"] = message.id
    for name, value in message.headers.items():
        mail[name] = value
    marker = MARKER if "Reply-To" in message.headers else ""
    first = message.notices[0]
    if len(message.notices) == 1:
        text, html = mail_of(first, first.layout or layout, marker)
    else:
        because, origin = _because(message), get_settings().origin
        text, html = summary_of(message.subject, message.notices, because, origin, layout, marker)
    mail.set_content(text)
    mail.add_alternative(html, subtype="html")
    return mail


def _because(message: Message) -> str:
    if (message.bundle or "").startswith("ticket:"):
        return message.notices[0].because
    return "this is how you want to be told; your preferences say when"
