"""Mail: one's own address, the words as text and HTML, one thread for each request."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from email import policy
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import format_datetime, formataddr, parseaddr
from typing import ClassVar

from waypost.kernel.clock import now
from waypost.kernel.enclosures import Enclosure, NotEnclosed, opened
from waypost.kernel.logs import get_logger
from waypost.kernel.settings import get_settings
from waypost.kernel.settings_form import Field
from waypost.notifications.channels import Config, Message
from waypost.notifications.incoming.replies import MARKER
from waypost.notifications.layouts import LAYOUT
from waypost.notifications.people import Person
from waypost.notifications.rendering import mail_of, summary_of
from waypost.vendors import microsoft, smtp
from waypost.vendors.answers import client
from waypost.vendors.fates import Fate, Rejected, TryLater
from waypost.vendors.object_store import StoreFailed

log = get_logger(__name__)


MOST_ENCLOSED = 5 * 1024 * 1024  # bytes of files in one mail; what a room lets go by mail is smaller
SMTP, GRAPH = "SMTP", "Microsoft Graph"
_NEEDED = ("sender", "tenant", "client_id", "client_secret")  # by Graph


class Email:
    """Mail over SMTP, set up from the environment; or through a mailbox at Microsoft, where an administrator says so."""

    key: ClassVar[str] = "email"
    is_always_on: ClassVar[bool] = True
    fields: ClassVar[tuple[Field, ...]] = (
        Field(
            "way",
            "Sent by",
            "choice",
            "SMTP, as it is set up where Waypost runs, unless you choose.",
            required=False,
            choices=(SMTP, GRAPH),
        ),
        Field("sender", "Mailbox", "text", "Graph only: the address mails are sent from.", required=False),
        Field("tenant", "Tenant", "text", "Graph only: the directory (tenant) id.", required=False),
        Field("client_id", "App (client) id", "text", "Graph only: an app that may Mail.Send.", required=False),
        Field("client_secret", "Client secret", "secret", "Graph only.", required=False),
    )
    pace: ClassVar[float] = 0.0

    def recipients(self, person: Person) -> Sequence[str]:
        """A person's address."""
        return (person.email,) if person.email else ()

    def faults(self, config: Config) -> Mapping[str, str]:
        """By Graph it is sent from somebody's mailbox, by an app."""
        if config.get("way") != GRAPH:
            return {}
        return {key: "is needed to send by Microsoft Graph" for key in _NEEDED if not config.get(key)}

    async def send(self, config: Config, messages: Sequence[Message]) -> AsyncGenerator[Fate]:
        """Over one connection. A mail that cannot be written is refused, and holds up no other."""
        written: list[EmailMessage | Rejected | TryLater] = []
        for message in messages:
            try:
                files = await _enclosed(message)
                written.append(mail_message(message, str(config.get(LAYOUT) or ""), files))
            except NotEnclosed as gone:
                written.append(Rejected(f"Not sent: {gone}."))
            except StoreFailed as failed:
                written.append(TryLater(f"The store of files failed: {failed}"[:500]))
            except Exception as error:
                log.exception("mail cannot be written", message_id=message.id)
                written.append(Rejected(f"{type(error).__name__}: {error}"[:500]))
        mails = [(m.recipient, w) for m, w in zip(messages, written, strict=True) if isinstance(w, EmailMessage)]
        by = _by_graph(config, mails) if config.get("way") == GRAPH else smtp.send(get_settings(), mails)
        async with aclosing(by) as sending:
            for mail in written:
                yield await anext(sending) if isinstance(mail, EmailMessage) else mail


async def _by_graph(config: Config, mails: Sequence[tuple[str, EmailMessage]]) -> AsyncGenerator[Fate]:
    """Through a mailbox at Microsoft, one after another."""
    settings = get_settings()
    tenant, client_id, secret = (str(config.get(key) or "") for key in ("tenant", "client_id", "client_secret"))
    app = microsoft.App(
        settings.microsoft_login_url, settings.graph_url, settings.teams_bot_url, tenant, client_id, secret
    )
    sender = str(config.get("sender") or "")
    name = parseaddr(settings.mail_from)[0]
    async with client() as http:
        for _, mail in mails:
            try:
                mail.replace_header("From", formataddr((name, sender)))  # from this mailbox none but its own may go out
                written = mail.as_bytes(policy=policy.SMTP)
            except (ValueError, MessageError) as error:
                yield Rejected(f"{type(error).__name__}: {error}"[:500])
                continue
            yield await microsoft.send_mail(http, app, sender, written)


async def _enclosed(message: Message) -> list[Enclosure]:
    """The files of all notices that go out as one, as far as they fit into a mail; the others are behind their links."""
    files: list[Enclosure] = []
    for notice in message.notices:
        if notice.enclosed and message.user_id is not None:
            found = await opened(notice.enclosed, message.user_id)
            if sum(len(f.content) for f in (*files, *found)) <= MOST_ENCLOSED:
                files += found
    return files


def mail_message(message: Message, layout: str = "", files: Sequence[Enclosure] = ()) -> EmailMessage:
    """The mail as it goes out: text and HTML in the company's layout, with a Message-ID that stays the same at every
    try, and its files. What may be replied to says above which line."""
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
    for file in files:
        main, _, sub = file.media_type.partition("/")
        mail.add_attachment(file.content, maintype=main, subtype=sub, filename=file.name)
    return mail


def _because(message: Message) -> str:
    if (message.bundle or "").startswith("ticket:"):
        return message.notices[0].because
    return "this is how you want to be told; your preferences say when"
