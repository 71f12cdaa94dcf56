"""Seeing what words would say before anybody is told: on a real request, and as a message to oneself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.directory.names import names
from waypost.kernel.clock import now
from waypost.kernel.errors import FieldError, Invalid, Unauthenticated
from waypost.kernel.events import SYSTEM, record
from waypost.kernel.settings import get_settings
from waypost.notifications.channels.registry import CHANNELS
from waypost.notifications.choices import EMAIL, IN_APP, LABELS
from waypost.notifications.errors import NotReached
from waypost.notifications.events import NotificationCreated, TemplateTested
from waypost.notifications.expressions import CannotRender
from waypost.notifications.kinds import KINDS, Event
from waypost.notifications.layouts import LAYOUT
from waypost.notifications.models import Delivery, Notification
from waypost.notifications.people import people_told
from waypost.notifications.rendering import mail_of, one_line
from waypost.notifications.templating import Which, check_key, check_words, one_template
from waypost.notifications.texts import ALL, ENGLISH, filled, layout_in_force, texts_of
from waypost.notifications.values import about_ticket
from waypost.notifications.variables import examples_of
from waypost.notifications.words import Words
from waypost.tickets.queries import find_ticket

TESTED = "channel.tested"

SHOWN_IN_LAYOUT = "comment.created"  # what a layout is tried around


async def words_of_template(
    session: AsyncSession, actor: Actor, which: Which, *, ticket_id: int | None, subject: str | None, body: str | None
) -> Words:
    """What a template says about a request this person may see, or about an example. Words not given are those kept.

    Raises `TemplateNotFound`, `TicketNotFound`, `Invalid`.
    """
    check_key(which.key)
    if which.key == LAYOUT:
        source = body if body is not None else (await one_template(session, which))["body"]
        check_words(LAYOUT, "", source)
        around = Which(SHOWN_IN_LAYOUT, ALL, ENGLISH)
        words = await words_of_template(session, actor, around, ticket_id=ticket_id, subject=None, body=None)
        return replace(words, layout=source)
    values = examples_of(which.key)
    if ticket_id is not None and KINDS[which.key].event not in (
        Event.DELEGATION,
        Event.REPORT,
        Event.ACCOUNT,
        Event.SYSTEM,
    ):
        values |= await _of_ticket(session, actor, ticket_id)
    if subject is None or body is None:
        kept = await one_template(session, which)
        subject, body = subject if subject is not None else kept["subject"], body if body is not None else kept["body"]
    check_words(which.key, subject, body)
    try:
        return filled(which.key, subject, body, {"because": KINDS[which.key].because, **values})
    except CannotRender as wrong:
        raise Invalid(errors=(FieldError("/body", str(wrong)),)) from wrong


async def _of_ticket(session: AsyncSession, actor: Actor, ticket_id: int) -> dict[str, Any]:
    found = await find_ticket(session, actor, ticket_id)
    people = await names.people(session, [found.ticket.requester_id, actor.user_id])
    requester = str(people[found.ticket.requester_id]["name"])
    link = f"{get_settings().origin}/tickets/{ticket_id}"
    return {**about_ticket(found.ticket, requester), "actor": str(people[actor.user_id]["name"]), "link": link}


async def shown(session: AsyncSession, words: Words) -> dict[str, Any]:
    """Words as an editor sees them: the subject, the text, and the mail's HTML."""
    text, html = mail_of(words, words.layout or await layout_in_force(session))
    return {"subject": one_line(words.subject), "title": words.title, "body": words.body, "text": text, "html": html}


async def send_test(
    session: AsyncSession, actor: Actor, which: Which, *, ticket_id: int | None, subject: str | None, body: str | None
) -> dict[str, Any]:
    """Tell oneself what a template says, by its channel (mail, for one of every channel). Raises as
    `words_of_template`, and `NotReached`."""
    words = await words_of_template(session, actor, which, ticket_id=ticket_id, subject=subject, body=body)
    tested = TemplateTested(key=which.key, tells_by=which.channel, language=which.language)
    event_id = await record(session, tested, actor=actor)
    channel = EMAIL if which.channel == ALL else which.channel
    return await tell_oneself(session, actor, event_id, channel, which.key, words)


async def words_of_test(session: AsyncSession, actor: Actor, channel: str) -> Words:
    """What a message says with which somebody tries a channel."""
    people = await names.people(session, [actor.user_id])
    values = {
        "channel": LABELS.get(channel, channel),
        "actor": people[actor.user_id]["name"],
        "facts": {},
        "link": "",
        "action": "",
        "because": KINDS[TESTED].because,
    }
    return (await texts_of(session, [TESTED])).words(TESTED, values, channel)


async def tell_oneself(
    session: AsyncSession, actor: Actor, event_id: int, channel: str, kind: str, words: Words, *, to: str | None = None
) -> dict[str, Any]:
    """One message to the one who asks, at once, whatever they want to be told: where the channel reaches them, or `to`
    one of these places. Raises `NotReached`."""
    if channel == IN_APP:
        await _in_app(session, actor, event_id, kind, words)
        return {"channel": channel, "recipient": None, "delivery_id": None}
    told = (await people_told(session, [actor.user_id])).get(actor.user_id)
    if told is None:
        raise Unauthenticated
    recipients = CHANNELS[channel].recipients(told) if channel in CHANNELS else ()
    if not recipients or (to is not None and to not in recipients):
        raise NotReached(f"{LABELS.get(channel, channel)} does not reach you yet: say where, then try again.")
    at = now()
    made = await session.scalar(
        insert(Delivery)
        .values(
            channel=channel,
            user_id=actor.user_id,
            event_id=event_id,
            kind=kind,
            recipient=to or recipients[0],
            subject=one_line(f"Test: {words.subject}"),
            words=words.kept(),
            headers={"Auto-Submitted": "auto-generated"} if channel == EMAIL else {},
            message_id=f"<{event_id}.{actor.user_id}@{get_settings().mail_domain}>",
            status="PENDING",
            next_at=at,
            created_at=at,
        )
        .returning(Delivery.id)
    )
    return {"channel": channel, "recipient": (to or recipients[0])[:254], "delivery_id": made}


async def _in_app(session: AsyncSession, actor: Actor, event_id: int, kind: str, words: Words) -> None:
    at = now()
    path = f"/tickets/{words.ticket_id}" if words.ticket_id else "/account/notifications"
    values = {"title": words.title, "body": words.body[:1000], "ticket_id": words.ticket_id, "link": path}
    same = {"user_id": actor.user_id, "event_id": event_id, "kind": kind, "created_at": at}
    made = await session.scalar(insert(Notification).values(**values, **same).returning(Notification.id))
    assert made is not None
    told = NotificationCreated(user_id=actor.user_id, notification_id=made, kind=kind, ticket_id=words.ticket_id)
    await record(session, told, actor=SYSTEM, at=at)
