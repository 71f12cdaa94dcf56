"""Mail out and in through a real Postfix and Dovecot: what is told apart, what comes in, and that nothing is lost or twice."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from integration.mail_server import PASSWORDS, MailServer, mail_server
from waypost.catalog.models import TicketType
from waypost.kernel import relay
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.settings import get_settings
from waypost.notifications.incoming import running, taking
from waypost.notifications.incoming.models import IncomingMail, Mailbox
from waypost.notifications.incoming.originals import read_original
from waypost.notifications.incoming.secrets import seal
from waypost.notifications.models import Delivery, Notification
from waypost.vendors import smtp
from waypost.vendors.fates import Delivered, Fate, Misconfigured, Rejected, TryLater


@pytest.fixture(scope="module")
def server() -> Iterator[MailServer]:
    with mail_server() as made:
        yield made


@pytest.fixture
def allowed(server: MailServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This machine may be called, and the server's certificate is trusted; nothing lies in a folder yet."""
    server.empty()
    yield from trusting(server.ca_file, monkeypatch)


def trusting(ca_file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("IMAP_CA_FILE", str(ca_file))
    monkeypatch.setenv("OUTGOING_ALLOW", '["127.0.0.0/8", "::1/128"]')
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def send(
    server: MailServer, to: str, subject: str, text: str = "Hello", sender: str = "jane@example.com", **headers: str
) -> None:
    """What somebody's mail program does."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"Jane Doe <{sender}>", to, subject
    mail["Message-ID"] = make_msgid(domain="laptop.example.com")
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    with smtplib.SMTP("localhost", server.smtp, timeout=20) as client:
        client.starttls(context=ssl.create_default_context(cafile=str(server.ca_file)))
        client.login("waypost", PASSWORDS["waypost"])
        client.send_message(mail, sender, [to])


async def add_mailbox(database: Database, server: MailServer, user: str = "helpdesk", **more: Any) -> Mailbox:
    async with database.transaction() as session:
        box = Mailbox(
            name=f"Box of {user}",
            address=f"{user}@example.com",
            kind="imap",
            host="localhost",
            port=server.imaps,
            security="tls",
            username=user,
            folder="INBOX",
            ticket_type_id=(await session.scalars(select(TicketType.id).order_by(TicketType.id))).first(),
            is_on=True,
            created_at=now(),
            updated_at=now(),
        )
        for name, value in more.items():
            setattr(box, name, value)
        session.add(box)
        await session.flush()
        seal(box, PASSWORDS[user])
    return box


async def leave(database: Database, mail_id: int) -> None:
    """Nothing becomes of a mail: it waits."""


@asynccontextmanager
async def reading(database: Database, take: Any = None) -> AsyncIterator[None]:
    """The process that reads mailboxes, in this one."""
    stop = asyncio.Event()
    task = asyncio.create_task(running.run(database, take or leave, stop))
    try:
        yield
    finally:
        stop.set()
        began = asyncio.get_running_loop().time()
        await task
        assert asyncio.get_running_loop().time() - began < 5, "it ends within seconds"


async def until(found: Callable[[], Awaitable[Any]], seconds: float = 15) -> Any:
    """What `found` gives as soon as it gives something."""
    async with asyncio.timeout(seconds):
        while not (value := await found()):  # noqa: ASYNC110 - what is waited for happens elsewhere
            await asyncio.sleep(0.1)
    return value


async def mails(database: Database) -> list[IncomingMail]:
    async with database.read() as session:
        return list(await session.scalars(select(IncomingMail).order_by(IncomingMail.id)))


async def mailbox(database: Database, box: Mailbox) -> Mailbox:
    async with database.read() as session:
        return await session.get_one(Mailbox, box.id)


# --- out --------------------------------------------------------------------------------------------------------------


async def fate(server: MailServer, monkeypatch: pytest.MonkeyPatch, to: str = "jane@example.com", **env: str) -> Fate:
    values = {
        "SMTP_HOST": "localhost",
        "SMTP_PORT": str(server.smtp),
        "SMTP_SECURITY": "starttls",
        "SMTP_CA_FILE": str(server.ca_file),
        "SMTP_USERNAME": "waypost",
        "SMTP_PASSWORD": PASSWORDS["waypost"],
        **env,
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Waypost <waypost@example.com>", to, "Hello"
    mail["Message-ID"] = "<1@example.com>"
    mail.set_content("Hello")
    try:
        (told,) = [f async for f in smtp.send(get_settings(), [(to, mail)])]
    finally:
        monkeypatch.undo()
        get_settings.cache_clear()
    return told


async def test_a_mail_goes_out_encrypted_and_signed_in(server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await fate(server, monkeypatch) == Delivered()

    async def came() -> list[bytes]:
        return [m for m in server.mails("jane") if b"<1@example.com>" in m]

    (mail,) = await until(came)
    assert b"ESMTPSA" in mail  # RFC 3848: encrypted, and with a password


async def test_what_a_server_refuses_is_told_apart(server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = await fate(server, monkeypatch, SMTP_PASSWORD="not-it")
    assert isinstance(wrong, Misconfigured)
    assert "535" in wrong.why
    plain = await fate(server, monkeypatch, SMTP_SECURITY="none", SMTP_USERNAME="")
    assert isinstance(plain, Misconfigured)
    assert "530" in plain.why
    unknown = await fate(server, monkeypatch, to="nobody@example.com")
    assert isinstance(unknown, Rejected)
    assert "550" in unknown.why
    untrusted = await fate(server, monkeypatch, SMTP_CA_FILE="")
    assert isinstance(untrusted, Misconfigured)
    away = await fate(server, monkeypatch, SMTP_PORT="1")
    assert away == TryLater(away.why, for_all=True)


# --- in ---------------------------------------------------------------------------------------------------------------


async def test_a_mail_comes_in_within_seconds_and_leaves_its_folder(
    server: MailServer, allowed: None, fresh_database: Database
) -> None:
    box = await add_mailbox(fresh_database, server)
    async with reading(fresh_database):

        async def is_read() -> bool:
            return (await mailbox(fresh_database, box)).worked_at is not None

        await until(is_read)
        await asyncio.sleep(0.5)  # it waits in IDLE now
        began = asyncio.get_running_loop().time()
        await asyncio.to_thread(send, server, "helpdesk+abc234@example.com", "Prïnter on fire")
        (mail,) = await until(lambda: mails(fresh_database))
        assert asyncio.get_running_loop().time() - began < 4
        assert (mail.from_address, mail.subject, mail.outcome) == ("jane@example.com", "Prïnter on fire", "PENDING")
        raw = await read_original(mail)
        assert b"helpdesk+abc234@example.com" in raw
        assert mail.size == mail.raw_size == len(raw)

        async def is_moved() -> bool:
            lying = [m.replace(b"\n", b"\r\n") for m in server.mails("helpdesk", "Processed")]
            return lying == [raw] and not server.mails("helpdesk")

        await until(is_moved)
    after = await mailbox(fresh_database, box)
    assert after.last_uid == mail.uid
    assert after.failures == 0


async def test_a_mail_becomes_a_request_and_its_answer_a_comment(
    server: MailServer, allowed: None, fresh_database: Database, fresh_who: Any
) -> None:
    jane, agent = await fresh_who("employee"), await fresh_who("agent")
    await add_mailbox(fresh_database, server, ticket_type_id=await type_id(fresh_database, "IT_SUPPORT"))
    sender = jane.me["email"]
    async with reading(fresh_database, taking.take):
        await asyncio.to_thread(send, server, "helpdesk@example.com", "No network here", sender=sender)

        async def settled(n: int) -> Any:
            found = await mails(fresh_database)
            return found if len(found) == n and all(m.outcome != "PENDING" for m in found) else None

        (first,) = await until(lambda: settled(1))
        assert (first.outcome, first.reason) == ("TICKET", None)
        ticket = await jane.get(f"/tickets/{first.ticket_id}")
        assert ticket["title"] == "No network here"
        body = {"body": "Which room are you in?", "visibility": "PUBLIC"}
        await agent.post(f"/tickets/{ticket['id']}/comments", body, expect=201)
        await relay.drain(fresh_database)
        async with fresh_database.read() as session:
            wanted = select(Delivery).where(Delivery.user_id == jane.id, Delivery.channel == "email")
            told = (await session.scalars(wanted.order_by(Delivery.id.desc()))).first()
        assert told is not None
        reply_to = told.headers["Reply-To"]
        assert reply_to.startswith("helpdesk+")
        await asyncio.to_thread(
            send, server, reply_to.upper(), "Re: something", "Room 12", sender=sender, In_Reply_To=told.message_id
        )
        second = (await until(lambda: settled(2)))[1]
        assert (second.outcome, second.ticket_id) == ("COMMENT", ticket["id"])
        await asyncio.to_thread(
            send, server, reply_to, "Away until Monday", "Away", sender=sender, Auto_Submitted="auto-replied"
        )
        third = (await until(lambda: settled(3)))[2]
        assert third.outcome == "AUTO_REPLY"
        await asyncio.to_thread(send, server, "helpdesk@example.com", "Who am I", sender="stranger@example.org")
        fourth = (await until(lambda: settled(4)))[3]
        assert fourth.outcome == "QUARANTINED"
    said = (await jane.get(f"/tickets/{ticket['id']}/comments"))["items"]
    assert [c["body"] for c in said] == ["Which room are you in?", "Room 12"]


async def type_id(database: Database, key: str) -> int:
    async with database.read() as session:
        return (await session.scalars(select(TicketType.id).where(TicketType.key == key))).one()


async def test_nothing_is_lost_or_twice_when_the_server_goes_and_two_processes_read(
    server: MailServer, allowed: None, fresh_database: Database
) -> None:
    await add_mailbox(fresh_database, server, "second")
    other = Database.connect(get_settings())
    try:
        async with reading(fresh_database), reading(other):
            for n in range(3):
                await asyncio.to_thread(send, server, "second@example.com", f"Before {n}")
            await until(lambda: mails(fresh_database))
            await asyncio.to_thread(server.kill_dovecot)
            for n in range(3):
                mail = f"From: jane@example.com\nMessage-ID: <{n}@x>\nSubject: Meanwhile {n}\n\nHello\n"
                await asyncio.to_thread(server.put, "second", mail.encode())
            await asyncio.sleep(1)
            await asyncio.to_thread(server.start_dovecot)
            await asyncio.to_thread(server.put, "second", b"From: jane@example.com\nSubject: After\n\nHello\n")

            async def all_there() -> bool:
                return len(server.mails("second", "Processed")) >= 7 and not server.mails("second")

            await until(all_there, 40)
    finally:
        await other.dispose()
    subjects = [m.subject for m in await mails(fresh_database)]
    assert sorted(subjects) == sorted([f"{w} {n}" for w in ("Before", "Meanwhile") for n in range(3)] + ["After"])


async def test_new_numbers_make_nothing_new(server: MailServer, allowed: None, fresh_database: Database) -> None:
    box = await add_mailbox(fresh_database, server)
    await asyncio.to_thread(send, server, "helpdesk@example.com", "Once")
    async with reading(fresh_database):
        await until(lambda: mails(fresh_database))
    before = await mailbox(fresh_database, box)
    (raw,) = [m for m in server.mails("helpdesk", "Processed") if b"Subject: Once" in m]
    await asyncio.to_thread(server.renumber, "helpdesk")
    await asyncio.to_thread(server.put, "helpdesk", raw)  # as from a copy of the folder
    await asyncio.to_thread(send, server, "helpdesk@example.com", "Another")
    async with reading(fresh_database):

        async def done() -> bool:
            return len(await mails(fresh_database)) == 2 and not server.mails("helpdesk")

        await until(done)
    after = await mailbox(fresh_database, box)
    assert after.uidvalidity != before.uidvalidity
    assert [m.subject for m in await mails(fresh_database)] == ["Once", "Another"]


async def test_what_is_too_large_is_held_back_and_the_next_one_comes_in(
    server: MailServer, allowed: None, fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_IN_MAX_BYTES", str(1024 * 1024))
    get_settings.cache_clear()
    await add_mailbox(fresh_database, server)
    await asyncio.to_thread(send, server, "helpdesk@example.com", "Huge", "x" * 70 + "\n" + ("y" * 70 + "\n") * 20_000)
    await asyncio.to_thread(
        server.put, "helpdesk", b"\xff\xfe\x00 no: mail\r\n=?x?q?\r\nSubject: =?broken?q?=ff\r\n\r\n\x00"
    )
    await asyncio.to_thread(send, server, "helpdesk@example.com", "Small")
    async with reading(fresh_database):

        async def all_there() -> Any:
            found = await mails(fresh_database)
            return found if len(found) == 3 and not server.mails("helpdesk") else None

        # one was put there and two came by post: in which order is the post's affair
        by_subject = {m.subject: m for m in await until(all_there)}
    huge, small = by_subject.pop("Huge"), by_subject.pop("Small")
    (odd,) = by_subject.values()
    assert (huge.outcome, huge.is_whole, huge.subject) == ("QUARANTINED", False, "Huge")
    assert "larger than the 1 MB" in huge.reason
    assert b"yyyy" not in await read_original(huge)
    assert (odd.outcome, odd.from_address) == ("PENDING", "")
    assert (small.outcome, small.subject) == ("PENDING", "Small")
    assert len(server.mails("helpdesk", "Failed")) == 1
    await relay.drain(fresh_database)
    assert await told(fresh_database, "mail.held_back")


async def test_a_wrong_password_is_an_alarm_and_a_pause_and_a_right_one_ends_both(
    server: MailServer, allowed: None, fresh_database: Database
) -> None:
    box = await add_mailbox(fresh_database, server)
    async with fresh_database.transaction() as session:
        row = await session.get_one(Mailbox, box.id)
        seal(row, "not-it")
    async with reading(fresh_database):

        async def has_failed() -> Any:
            row = await mailbox(fresh_database, box)
            return row if row.failures else None

        row = await until(has_failed)
        assert "AUTHENTICATIONFAILED" in row.last_error
        assert (row.open_until - now()).total_seconds() > 60
        await relay.drain(fresh_database)
        assert await told(fresh_database, "mailbox.failed")
        await asyncio.sleep(3)
        assert (await mailbox(fresh_database, box)).failures == 1
        async with fresh_database.transaction() as session:
            row = await session.get_one(Mailbox, box.id)
            seal(row, PASSWORDS["helpdesk"])
            row.version, row.failures, row.open_until = row.version + 1, 0, None

        async def works() -> bool:
            return (await mailbox(fresh_database, box)).worked_at is not None

        await until(works)


async def told(database: Database, kind: str) -> int:
    async with database.read() as session:
        return len((await session.scalars(select(Notification).where(Notification.kind == kind))).all())


async def test_a_server_that_can_less(fresh_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without IDLE, MOVE and UIDPLUS, with dots between folders, over STARTTLS."""
    from waypost.notifications.incoming import fetching

    monkeypatch.setattr(fetching, "POLL", 1.0)
    with mail_server(capability="IMAP4rev1 STARTTLS AUTH=PLAIN NAMESPACE", separator=".") as server:
        for _ in trusting(server.ca_file, monkeypatch):
            await add_mailbox(fresh_database, server, port=server.imap, security="starttls")
            async with reading(fresh_database):
                for n in range(2):
                    await asyncio.to_thread(send, server, "helpdesk@example.com", f"Plain {n}")

                async def all_there() -> bool:
                    return len(server.mails("helpdesk", "Processed")) == 2 and not server.mails("helpdesk")

                await until(all_there)
    assert sorted(m.subject for m in await mails(fresh_database)) == ["Plain 0", "Plain 1"]
