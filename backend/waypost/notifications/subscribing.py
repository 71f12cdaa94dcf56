"""Telling somebody in a browser: it subscribes, for as long as they are signed in there, with a key of ours."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.events import SessionClosed
from waypost.directory.models import User
from waypost.kernel.clock import now
from waypost.kernel.crypto import Damaged
from waypost.kernel.errors import FieldError, Invalid
from waypost.kernel.events import Doer, record
from waypost.kernel.logs import get_logger
from waypost.kernel.outgoing import NotAllowed, check_url
from waypost.kernel.settings import get_settings
from waypost.notifications.browsers import KEY, PUSH, is_service
from waypost.notifications.channels.registry import seal, unseal
from waypost.notifications.errors import PushIsOff, TooManyBrowsers
from waypost.notifications.events import ContactPointAdded, ContactPointRemoved
from waypost.notifications.models import ChannelSettings, ContactPoint
from waypost.vendors import web_push

log = get_logger(__name__)
MOST = 10  # browsers of one person
LONGEST_ENDPOINT = 2000


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a browser hands over when it agrees to be told."""

    endpoint: str
    p256dh: str
    auth: str


def faults(given: Subscription) -> list[FieldError]:
    """What is wrong with a subscription."""
    wrong = []
    try:
        url = check_url(given.endpoint)
        if not is_service(url.host):
            wrong.append(FieldError("/subscription/endpoint", "is not of a push service this installation uses"))
        elif url.scheme != "https" and not get_settings().outgoing_allow:
            wrong.append(FieldError("/subscription/endpoint", "must begin with https://"))
    except NotAllowed as not_allowed:
        wrong.append(FieldError("/subscription/endpoint", str(not_allowed)))
    if not web_push.is_point(_bytes(given.p256dh)):
        wrong.append(FieldError("/subscription/keys/p256dh", "is no public key on P-256"))
    if len(_bytes(given.auth)) != web_push.SECRET:
        wrong.append(FieldError("/subscription/keys/auth", f"must be {web_push.SECRET} bytes"))
    return wrong


def _bytes(written: str) -> bytes:
    try:
        return web_push.decoded(written)
    except ValueError:
        return b""


def address_of(endpoint: str) -> str:
    """How a browser is called in lists and logs."""
    return f"{web_push.host_of(endpoint)}/{hashlib.sha256(endpoint.encode()).hexdigest()[:40]}"


async def subscribe(session: AsyncSession, actor: Actor, given: Subscription, *, label: str) -> ContactPoint:
    """Tell this person in this browser from now on, and nobody else. Raises `Invalid`, `PushIsOff`, `TooManyBrowsers`."""
    key = await public_key(session)
    if wrong := faults(given):
        raise Invalid(errors=tuple(wrong))
    address, at = address_of(given.endpoint), now()
    # two tabs of one person at once: the second waits, then counts what the first made
    await session.execute(select(User.id).where(User.id == actor.user_id).with_for_update(key_share=True))
    here = (ContactPoint.channel == PUSH, text("md5(contact_points.address) = md5(:address)"))
    others = await session.execute(
        delete(ContactPoint)
        .where(*here, ContactPoint.address == address, ContactPoint.user_id != actor.user_id)
        .returning(ContactPoint.id, ContactPoint.user_id),
        {"address": address},
    )
    for point_id, user_id in others:
        await record(session, ContactPointRemoved(user_id=user_id, point_id=point_id, channel=PUSH), actor=actor, at=at)
    mine = (ContactPoint.channel == PUSH, ContactPoint.user_id == actor.user_id)
    await session.execute(delete(ContactPoint).where(*mine, ContactPoint.stopped_at.is_not(None)))
    known = set(await session.scalars(select(ContactPoint.address).where(*mine)))
    if address not in known and len(known) >= MOST:
        raise TooManyBrowsers
    details = {
        "endpoint": given.endpoint,
        "p256dh": given.p256dh,
        "auth": given.auth,
        "session_id": actor.session_id,
        "key": key,
    }
    values = {"details": details, "label": label, "verified_at": at, "stopped_at": None}
    made: ContactPoint | None = await session.scalar(
        insert(ContactPoint)
        .values(user_id=actor.user_id, channel=PUSH, address=address, created_at=at, **values)
        .on_conflict_do_update(index_elements=["channel", text("md5(address)"), "user_id"], set_=values)
        .returning(ContactPoint),
        execution_options={"populate_existing": True},
    )
    assert made is not None
    if address not in known:
        added = ContactPointAdded(user_id=actor.user_id, point_id=made.id, channel=PUSH)
        await record(session, added, actor=actor, at=at)
    return made


async def on_session_closed(session: AsyncSession, event: SessionClosed, actor: Doer) -> None:
    """Who signs out of a browser, or is signed out of it, is not told there any more."""
    gone = await session.scalars(
        delete(ContactPoint)
        .where(
            ContactPoint.user_id == event.user_id,
            ContactPoint.channel == PUSH,
            ContactPoint.details["session_id"].astext == str(event.session_id),
        )
        .returning(ContactPoint.id)
    )
    for point_id in gone.all():
        removed = ContactPointRemoved(user_id=event.user_id, point_id=point_id, channel=PUSH)
        await record(session, removed, actor=actor)


# --- our own key ------------------------------------------------------------------------------------------------------


async def public_key(session: AsyncSession) -> str:
    """The key browsers subscribe with, made once per installation. Raises `PushIsOff`."""
    if not get_settings().push_services:
        raise PushIsOff
    row = await session.get(ChannelSettings, PUSH)
    if (kept := _kept(row)) is None:
        await session.execute(insert(ChannelSettings).values(key=PUSH, updated_at=now()).on_conflict_do_nothing())
        locked = select(ChannelSettings).where(ChannelSettings.key == PUSH).with_for_update()
        row = (await session.scalars(locked.execution_options(populate_existing=True))).one()
        if (kept := _kept(row)) is None:
            kept = web_push.new_key()
            seal(row, {KEY: kept})
            await session.flush()
    return web_push.public_key(kept)


def _kept(row: ChannelSettings | None) -> str | None:
    if row is None:
        return None
    try:
        return unseal(row).get(KEY)
    except Damaged:  # browsers that subscribed with it are lost: they subscribe anew with the one made now
        log.exception("the key for push messages cannot be opened, a new one is made")
        return None
