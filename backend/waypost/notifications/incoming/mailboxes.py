"""Setting mailboxes up: what an administrator fills in, whether it works, how it goes.

The password goes in and never comes out: what is read says only that there is one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.catalog.models import TicketType
from waypost.directory.models import Team, User
from waypost.directory.names import names
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.errors import FieldError, Invalid, StaleVersion
from waypost.kernel.events import record
from waypost.kernel.settings_form import changed_only
from waypost.notifications.incoming import standing
from waypost.notifications.incoming.errors import AddressTaken, MailboxNotFound
from waypost.notifications.incoming.events import MailboxAdded, MailboxChanged, MailboxRemoved
from waypost.notifications.incoming.fetching import WrongSettings, server_of
from waypost.notifications.incoming.models import IncomingMail, Mailbox
from waypost.notifications.incoming.secrets import seal, unseal
from waypost.vendors import imap

MOST_MAILBOXES = 100
LONGEST_TEST = 25.0  # seconds


@dataclass(frozen=True, slots=True)
class Setup:
    """A mailbox as an administrator wants it. `password` None keeps the one there is."""

    name: str
    address: str
    host: str
    port: int
    security: str
    username: str
    password: str | None
    folder: str
    ticket_type: str
    team_id: int | None
    unknown_senders: str
    accept_as_user_id: int | None
    agents_reply: str
    authserv_id: str | None
    is_on: bool


_PLAIN = tuple(f.name for f in fields(Setup) if f.name not in ("password", "ticket_type"))


async def mailbox_list(session: AsyncSession) -> dict[str, Any]:
    """Every mailbox, and how it goes; and how many mails wait in quarantine."""
    boxes = list(await session.scalars(select(Mailbox).order_by(func.lower(Mailbox.name), Mailbox.id)))
    quarantined = select(func.count()).select_from(
        select(IncomingMail.id).where(IncomingMail.outcome == "QUARANTINED").limit(1000).subquery()
    )
    return {
        "items": await _json(session, boxes),
        "next_cursor": None,
        "quarantined_count": await session.scalar(quarantined) or 0,
    }


async def one_mailbox(session: AsyncSession, mailbox_id: int) -> dict[str, Any]:
    """One mailbox. Raises `MailboxNotFound`."""
    row = await session.get(Mailbox, mailbox_id, populate_existing=True)
    if row is None:
        raise MailboxNotFound
    return (await _json(session, [row]))[0]


async def check_mailbox(session: AsyncSession, mailbox_id: int) -> None:
    """Raises `MailboxNotFound`."""
    if await session.scalar(select(Mailbox.id).where(Mailbox.id == mailbox_id)) is None:
        raise MailboxNotFound


async def add_mailbox(session: AsyncSession, actor: Actor, wanted: Setup) -> Mailbox:
    """Add a mailbox. Raises `Invalid`, `AddressTaken`."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext("mailboxes"))))
    if (await session.scalar(select(func.count()).select_from(Mailbox)) or 0) >= MOST_MAILBOXES:
        raise Invalid(f"There are at most {MOST_MAILBOXES} mailboxes.")
    type_id = await _checked(session, wanted, None)
    at = now()
    row = Mailbox(kind="imap", ticket_type_id=type_id, version=1, created_at=at, updated_at=at)
    _lay(row, wanted)
    session.add(row)
    await session.flush()
    seal(row, wanted.password)
    await session.flush()
    added = MailboxAdded(
        mailbox_id=row.id, name=row.name, address=row.address, is_on=row.is_on, after=_told(row, wanted.password)
    )
    await record(session, added, actor=actor, at=at)
    return row


async def change_mailbox(session: AsyncSession, actor: Actor, mailbox_id: int, version: int, wanted: Setup) -> None:
    """Change a mailbox, or switch it. What was left alone after failures is tried again at once.

    Raises `MailboxNotFound`, `Invalid`, `AddressTaken`, `StaleVersion`.
    """
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext("mailboxes"))))
    row = await session.get(Mailbox, mailbox_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise MailboxNotFound
    type_id = await _checked(session, wanted, row)
    if row.version != version:
        raise StaleVersion(current_version=row.version)
    changed = [name for name in _PLAIN if getattr(row, name) != getattr(wanted, name)]
    changed += ["ticket_type"] if row.ticket_type_id != type_id else []
    changed += ["password"] if wanted.password is not None and wanted.password != _password(row) else []
    if not changed:
        return
    if {"host", "username", "folder"} & set(changed):  # other mails, with numbers of their own
        row.uidvalidity, row.last_uid = None, 0
    at = now()
    kept = _password(row)
    before = _told(row, kept)
    row.ticket_type_id = type_id
    _lay(row, wanted)
    if wanted.password is not None:
        seal(row, wanted.password)
    row.failures, row.open_until, row.updated_at = 0, None, at
    row.version += 1
    await session.flush()
    after = _told(row, wanted.password or kept)
    if "password" in changed:
        after["password"] = "(another)"  # noqa: S105 - that it is another
    before, after = changed_only(before, after)
    told = MailboxChanged(
        mailbox_id=row.id,
        name=row.name,
        changed=sorted(changed),
        is_on=row.is_on,
        settings_version=row.version,
        before=before,
        after=after,
    )
    await record(session, told, actor=actor, at=at)


async def remove_mailbox(session: AsyncSession, actor: Actor, mailbox_id: int) -> None:
    """Take a mailbox away; what came by it stays, and what still waited is held back. Raises `MailboxNotFound`."""
    row = await session.get(Mailbox, mailbox_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise MailboxNotFound
    at = now()
    waiting = (IncomingMail.mailbox_id == mailbox_id, IncomingMail.outcome == "PENDING")
    held = {"outcome": "QUARANTINED", "reason": "the mailbox it came by is no more", "settled_at": at}
    await session.execute(update(IncomingMail).where(*waiting).values(**held))
    before = _told(row, _password(row))
    removed = MailboxRemoved(mailbox_id=row.id, name=row.name, address=row.address, before=before)
    await session.delete(row)
    await session.flush()
    await record(session, removed, actor=actor, at=at)


async def try_mailbox(session: AsyncSession, wanted: Setup, mailbox_id: int | None) -> dict[str, Any]:
    """Whether a mailbox can be read as it is set up here: how far it goes, and what is in the way. Reads no mail.

    Without a password the one is used that is kept, for the same server and account only. Raises `MailboxNotFound`.
    """
    row = Mailbox(kind="imap")
    _lay(row, wanted)
    password = wanted.password
    if mailbox_id is not None:
        kept = await session.get(Mailbox, mailbox_id)
        if kept is None:
            raise MailboxNotFound
        # never sent to another server than the one it was given for
        if password is None and (kept.host.lower(), kept.username) == (row.host.lower(), row.username):
            password = _password(kept)
    try:
        async with asyncio.timeout(LONGEST_TEST):
            server = await server_of(row, password or "")
            waiting = await asyncio.to_thread(_look, server, row.folder)
    except WrongSettings as wrong:
        return _tried(0, str(wrong))
    except TimeoutError:
        return _tried(0, "it does not answer")
    except imap.NotTrusted as untrusted:
        return _tried(1, str(untrusted))
    except imap.SignInRefused as refused:
        return _tried(2, str(refused))
    except imap.NoFolder as missing:
        return _tried(3, str(missing))
    except imap.ImapError as away:
        return _tried(0, str(away))
    return _tried(4, None, waiting)


STEPS = ("is_reached", "is_encrypted", "is_signed_in", "has_folder")


def _tried(steps: int, error: str | None, waiting: int | None = None) -> dict[str, Any]:
    return {**{step: n < steps for n, step in enumerate(STEPS)}, "error": error, "waiting_count": waiting}


def _look(server: imap.Server, folder: str) -> int:
    connection = imap.Connection(server, folder)
    try:
        return len(connection.waiting(None))
    finally:
        connection.close()


def _password(row: Mailbox) -> str | None:
    with suppress(Exception):  # one that cannot be opened any more is entered anew
        return unseal(row)
    return None


def _told(row: Mailbox, password: str | None) -> dict[str, Any]:
    """A mailbox as the trail tells it."""
    told = {name: getattr(row, name) for name in (*_PLAIN, "ticket_type_id")}
    return told | {"password": "(set)" if password else None}


def _lay(row: Mailbox, wanted: Setup) -> None:
    for name in _PLAIN:
        setattr(row, name, getattr(wanted, name))


async def _checked(session: AsyncSession, wanted: Setup, row: Mailbox | None) -> int:
    """The id of the kind of request. Raises `Invalid`, `AddressTaken`."""
    wrong: list[FieldError] = []
    kind = await session.scalar(select(TicketType).where(TicketType.key == wanted.ticket_type))
    if kind is None or not (kind.is_active or (row is not None and row.ticket_type_id == kind.id)):
        wrong.append(FieldError("/ticket_type", "is no kind of request that can be asked for"))
    if wanted.team_id is not None and await session.get(Team, wanted.team_id) is None:
        wrong.append(FieldError("/team_id", "is no team"))
    if wanted.unknown_senders == "ACCEPT" and wanted.accept_as_user_id is None:
        wrong.append(FieldError("/accept_as_user_id", "is needed to accept mails of people nobody knows"))
    if wanted.accept_as_user_id is not None:
        person = await session.get(User, wanted.accept_as_user_id)
        if person is None or not person.is_active:
            wrong.append(FieldError("/accept_as_user_id", "is nobody who is active here"))
    if wanted.password is None and wanted.is_on and (row is None or row.sealed is None):
        wrong.append(FieldError("/password", "is needed to switch it on"))
    if wrong or kind is None:
        raise Invalid(errors=tuple(wrong))
    same = select(Mailbox.id).where(func.lower(Mailbox.address) == wanted.address.lower())
    if await session.scalar(same if row is None else same.where(Mailbox.id != row.id)) is not None:
        raise AddressTaken
    return kind.id


async def _json(session: AsyncSession, boxes: list[Mailbox]) -> list[dict[str, Any]]:
    if not boxes:
        return []
    at = now()
    kinds = {k.id: k for k in await session.scalars(select(TicketType))}
    people = await names.people(session, [b.accept_as_user_id for b in boxes])
    last = (
        select(IncomingMail.created_at)
        .where(IncomingMail.mailbox_id == Mailbox.id)
        .order_by(IncomingMail.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    ids = [b.id for b in boxes]
    came = {
        row.id: row.at for row in await session.execute(select(Mailbox.id, last.label("at")).where(Mailbox.id.in_(ids)))
    }
    return [
        {
            "id": b.id,
            **{name: getattr(b, name) for name in _PLAIN},
            "has_password": b.sealed is not None,
            "ticket_type": kinds[b.ticket_type_id].key,
            "accept_as": people.get(b.accept_as_user_id),
            "version": b.version,
            "health": {
                "state": standing.state_of(b, at),
                "failures": b.failures,
                "worked_at": b.worked_at and rfc3339(b.worked_at),
                "failed_at": b.failed_at and rfc3339(b.failed_at),
                "last_error": b.last_error,
                "paused_until": rfc3339(b.open_until) if b.open_until and b.open_until > at else None,
            },
            "last_mail_at": came[b.id] and rfc3339(came[b.id]),
        }
        for b in boxes
    ]


def setup_of(values: Mapping[str, Any]) -> Setup:
    """A body as it came, without what is not the mailbox itself."""
    return Setup(**{f.name: values[f.name] for f in fields(Setup)})
