"""Mails over real SMTP conversations: taken, refused, postponed, encrypted, and never in anybody's way."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import func, select, update

from waypost.kernel import relay
from waypost.kernel.clock import clock, now
from waypost.kernel.embedded import free_port
from waypost.kernel.settings import get_settings
from waypost.notifications import sending
from waypost.notifications.models import Delivery
from waypost.notifications.rendering import one_line
from waypost.vendors import smtp
from waypost.vendors.fates import Delivered, Fate, Misconfigured, Rejected, TryLater


async def fates(*arguments: Any) -> list[Fate]:
    """All fates of some mails at once."""
    return [fate async for fate in smtp.send(*arguments)]


@dataclass
class MailServer:
    """Says what it is told to say; keeps what it takes."""

    port: int
    taken: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    say_to_recipient: str = ""
    say_to_mail: str = ""
    encrypted: list[bool] = field(default_factory=list)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.say_to_recipient:
            return self.say_to_recipient
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.encrypted.append(session.ssl is not None)
        if self.say_to_mail:
            return self.say_to_mail
        assert envelope.original_content is not None
        self.taken.append(message_from_bytes(envelope.original_content, policy=default))
        self.recipients += envelope.rcpt_tos
        return "250 OK"


@asynccontextmanager
async def serving(**more: Any) -> AsyncIterator[MailServer]:
    handler = MailServer(free_port())
    controller = UnthreadedController(
        handler, hostname="127.0.0.1", port=handler.port, loop=asyncio.get_running_loop(), **more
    )
    listening = await asyncio.get_running_loop().create_server(controller.factory, "127.0.0.1", handler.port)
    try:
        yield handler
    finally:
        listening.close()
        await asyncio.sleep(0)


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with serving() as made:
        yield made


def settings(port: int, **more: Any) -> Any:
    return get_settings().model_copy(
        update={"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none", **more}
    )


def mail(words: str = "Hello") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Waypost <waypost@example.com>"
    message["To"] = "jane@example.com"
    message["Subject"] = words
    message.set_content(words)
    return message


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """A certificate of our own for 127.0.0.1, and a server's context with it."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    at = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return folder / "cert.pem", context


def only_jane(server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any) -> AuthResult:
    right = isinstance(given, LoginPassword) and (given.login, given.password) == (b"jane", b"secret")
    return AuthResult(success=right, handled=False)


async def test_starttls_and_authentication(certificate: tuple[Path, ssl.SSLContext]) -> None:
    ca, context = certificate
    more = {"require_starttls": True, "tls_context": context, "auth_required": True, "authenticator": only_jane}
    async with serving(**more) as server:
        right = settings(
            server.port,
            smtp_security="starttls",
            smtp_ca_file=ca,
            smtp_username="jane",
            smtp_password=_secret("secret"),
        )
        assert await fates(right, [("jane@example.com", mail())]) == [Delivered()]
        assert server.encrypted == [True]
        wrong = right.model_copy(update={"smtp_password": _secret("wrong")})
        (fate,) = await fates(wrong, [("jane@example.com", mail())])
        assert isinstance(fate, Misconfigured)
        assert "wrong" not in fate.why
        unknown = right.model_copy(update={"smtp_ca_file": None})
        (fate,) = await fates(unknown, [("jane@example.com", mail())])
        assert not isinstance(fate, Delivered), "a certificate nobody vouches for is not trusted"
        assert len(server.taken) == 1


def _secret(word: str) -> Any:
    from pydantic import SecretStr

    return SecretStr(word)


async def test_never_in_the_clear_when_tls_is_required(server: MailServer) -> None:
    (fate,) = await fates(settings(server.port, smtp_security="starttls"), [("jane@example.com", mail())])
    assert isinstance(fate, Misconfigured)
    assert server.taken == []


@pytest.mark.parametrize(("answer", "fate"), [("550 No such user", Rejected), ("450 Mailbox busy", TryLater)])
async def test_what_a_server_says_to_a_recipient(server: MailServer, answer: str, fate: type) -> None:
    server.say_to_recipient = answer
    (found,) = await fates(settings(server.port), [("jane@example.com", mail())])
    assert isinstance(found, fate)
    assert answer[4:] in found.why


@pytest.mark.parametrize(("answer", "fate"), [("554 Spam", Rejected), ("451 Later", TryLater)])
async def test_one_refused_mail_does_not_stop_the_next(server: MailServer, answer: str, fate: type) -> None:
    server.say_to_mail = answer
    (first,) = await fates(settings(server.port), [("jane@example.com", mail())])
    assert isinstance(first, fate)
    server.say_to_mail = ""
    (second,) = await fates(settings(server.port), [("jane@example.com", mail())])
    assert second == Delivered()


async def test_a_server_that_is_away() -> None:
    mails = [("jane@example.com", mail()), ("joe@example.com", mail())]
    assert [type(f) for f in await fates(settings(free_port()), mails)] == [TryLater] * 2
    (fate,) = await fates(settings(1, smtp_host=None), mails[:1])
    assert isinstance(fate, Misconfigured)


async def test_every_language_arrives_whole(server: MailServer) -> None:
    words = "Überprüfung: 承認のお願い 🎉"
    await fates(settings(server.port), [("jane@example.com", mail(words))])
    assert server.taken[0]["Subject"] == words
    assert server.taken[0].get_content().strip() == words


@pytest.fixture
async def asked(
    fresh_database: Any, fresh_who: Any, hardware: Any, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Any]:
    """A database in which somebody has just asked their manager, and a mail server that works."""
    monkeypatch.setenv("SMTP_PORT", str(server.port))
    get_settings.cache_clear()
    jane = await fresh_who("employee")
    await jane.post("/tickets", hardware("950.00", title="Laptop <script>x</script> Bcc: all@example.com"), expect=201)
    await relay.drain(fresh_database)
    yield fresh_database
    get_settings.cache_clear()


async def rows(database: Any) -> list[Delivery]:
    async with database.read() as session:
        return list(await session.scalars(select(Delivery).order_by(Delivery.id.desc()).limit(1)))


async def clear(database: Any) -> None:
    """Only the newest mail counts; the demo's are none of this test's business."""
    (newest,) = await rows(database)
    async with database.transaction() as session:
        await session.execute(update(Delivery).where(Delivery.id != newest.id).values(status="SENT"))


async def test_the_approver_gets_a_mail(asked: Any, server: MailServer) -> None:
    await clear(asked)
    assert await sending.send_due(asked) == 1
    (sent,) = server.taken
    assert server.recipients == ["manager@example.com"]
    assert sent["Subject"].startswith("[ITH-")
    assert sent["Bcc"] is None
    assert sent["Auto-Submitted"] == "auto-generated"
    assert sent["In-Reply-To"] == sent["References"]
    body: Any = sent.get_body(preferencelist=("html",))
    assert "<script>" not in body.get_content()
    assert "&lt;script&gt;" in body.get_content()
    plain: Any = sent.get_body(preferencelist=("plain",))
    assert "950.00 USD" in plain.get_content()
    assert "/approvals?ticket=" in plain.get_content()
    (row,) = await rows(asked)
    assert (row.status, row.attempts, row.message_id) == ("SENT", 1, sent["Message-ID"])
    assert await sending.send_due(asked) == 0


async def test_a_server_in_trouble_is_asked_again_later(asked: Any, server: MailServer) -> None:
    await clear(asked)
    server.say_to_mail = "451 Later"
    assert await sending.send_due(asked) == 1
    (row,) = await rows(asked)
    assert row.status == "PENDING"
    assert "Later" in (row.last_error or "")
    assert await sending.send_due(asked) == 0, "not before its time"
    server.say_to_mail = ""
    soon = now() + timedelta(minutes=5)
    with clock(lambda: soon):
        assert await sending.send_due(asked) == 1
    (row,) = await rows(asked)
    assert (row.status, row.attempts, row.last_error) == ("SENT", 2, None)


async def test_a_refused_mail_is_given_up_and_shown(asked: Any, server: MailServer) -> None:
    await clear(asked)
    server.say_to_recipient = "550 No such user"
    await sending.send_due(asked)
    (row,) = await rows(asked)
    assert row.status == "FAILED"
    assert "No such user" in (row.last_error or "")


async def test_hours_without_a_server_end_in_failed(asked: Any, server: MailServer) -> None:
    await clear(asked)
    server.say_to_mail = "451 Later"
    at = now()
    for n in range(sending.MAX_ATTEMPTS + 1):
        with clock(lambda late=at + timedelta(hours=2 * n): late):  # type: ignore[misc]
            await sending.send_due(asked)
    (row,) = await rows(asked)
    assert (row.status, row.attempts) == ("FAILED", sending.MAX_ATTEMPTS)


async def test_a_sender_that_died_leaves_the_mail_to_the_next(asked: Any, server: MailServer) -> None:
    await clear(asked)
    async with asked.alone(sending.SENDER_LOCK) as is_alone:
        assert is_alone
        assert await sending.send_due(asked) == 0, "somebody is sending"
        letters = await sending.take(asked, "email")  # … and dies before saying how it went
        assert len(letters) == 1
    assert await sending.send_due(asked) == 0, "may still have arrived: not at once"
    soon = now() + timedelta(seconds=5)
    with clock(lambda: soon):
        assert await sending.send_due(asked) == 1
    assert server.taken[0]["Message-ID"] == letters[0].message.id


async def test_a_sender_that_fails_is_no_obstacle(asked: Any) -> None:
    with contextlib.suppress(ZeroDivisionError):
        async with asked.alone(sending.SENDER_LOCK):
            raise ZeroDivisionError
    async with asked.alone(sending.SENDER_LOCK) as is_alone:
        assert is_alone


async def test_told_once_however_often_the_event_arrives(asked: Any) -> None:
    from waypost.kernel.events import EventRow, Recorded, read_event
    from waypost.notifications.consumer import notify
    from waypost.notifications.models import Notification

    async with asked.transaction() as session:
        (newest,) = await rows(asked)
        row = await session.get(EventRow, newest.event_id)
        before = len((await session.scalars(select(Notification.id))).all())
        recorded = Recorded(
            row.id, read_event(row.type, row.data), row.actor_id, row.on_behalf_of_id, row.channel, row.at
        )
        await notify(session, recorded)
        assert len((await session.scalars(select(Notification.id))).all()) == before


@pytest.mark.parametrize(
    "title",
    [
        "x&amp;#10;Bcc: all@example.com",
        "=?utf-8?q?a=0D=0AReply-To:_evil@example.com=0D=0AX-Injected:_yes?=",
        "=?utf-8?q?=0D=0AContent-Type:_text/html=0D=0A=0D=0A<h1>Mine</h1>?=",
        "a\u2028Bcc: all@example.com",
        "a\x85Bcc: all@example.com",
    ],
)
async def test_a_title_is_never_a_header(asked: Any, server: MailServer, title: str) -> None:
    await clear(asked)
    (row,) = await rows(asked)
    async with asked.transaction() as session:
        await session.execute(update(Delivery).where(Delivery.id == row.id).values(subject=one_line(title)))
    assert await sending.send_due(asked) == 1
    (sent,) = server.taken
    assert sent["Bcc"] is sent["Reply-To"] is sent["X-Injected"] is None
    assert sent["Auto-Submitted"] == "auto-generated"
    assert sent.get_content_type() == "multipart/alternative"
    assert title.partition("Bcc")[0][:1] in sent["Subject"]


async def test_words_of_a_title_stay_as_they_are() -> None:
    assert one_line("Q&amp;A: &lt;b&gt; \n  or  ü") == "Q&amp;A: &lt;b&gt; or ü"


async def test_a_mail_that_cannot_be_written_holds_up_nobody(asked: Any, server: MailServer) -> None:
    async with asked.transaction() as session:
        before = await session.scalar(select(func.count()).where(Delivery.status == "PENDING"))
        (row,) = await rows(asked)
        await session.execute(update(Delivery).where(Delivery.id == row.id).values(subject="a\r\nBcc: x@example.com"))
    assert before > 1
    await sending.send_due(asked)
    (row,) = await rows(asked)
    assert row.status == "FAILED"
    assert len(server.taken) == before - 1, "all the others went out"


@pytest.mark.parametrize(
    ("address", "status", "arrives_as"),
    [
        ("user@exämple.com", "SENT", "user@xn--exmple-cua.com"),
        ("üser@example.com", "FAILED", None),
        ("no address at all\x00", "FAILED", None),
    ],
)
async def test_odd_addresses(asked: Any, server: MailServer, address: str, status: str, arrives_as: str | None) -> None:
    await clear(asked)
    (row,) = await rows(asked)
    async with asked.transaction() as session:
        address = address.replace("\x00", "")
        await session.execute(update(Delivery).where(Delivery.id == row.id).values(recipient=address))
    if address.startswith("no address"):
        server.say_to_recipient = "553 No address"
    await sending.send_due(asked)
    (row,) = await rows(asked)
    assert row.status == status
    assert server.recipients == ([arrives_as] if arrives_as else [])


async def test_what_was_sent_is_marked_before_the_next_is(asked: Any, server: MailServer) -> None:
    """Whoever ends a sender in the middle makes nobody read a mail twice."""
    async with asked.read() as session:
        count = await session.scalar(select(func.count()).where(Delivery.status == "PENDING"))
    assert count > 2
    plain, said = smtp._send_one, 0

    async def dying(*arguments: Any) -> Fate:
        nonlocal said
        said += 1
        if said == 3:
            raise asyncio.CancelledError
        return await plain(*arguments)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(smtp, "_send_one", dying)
        with pytest.raises(asyncio.CancelledError):
            await sending.send_due(asked)
    async with asked.read() as session:
        sent = await session.scalar(select(func.count()).where(Delivery.status == "SENT", Delivery.attempts > 0))
    assert sent == len(server.taken) == 2


@pytest.mark.parametrize("answer", ["530 Authentication required", "535 Wrong password"])
async def test_settings_that_are_wrong_lose_no_mail(asked: Any, server: MailServer, answer: str) -> None:
    await clear(asked)
    server.say_to_mail = answer
    await sending.send_due(asked)
    (row,) = await rows(asked)
    assert row.status == "PENDING"
