"""How one wants to be told: one's own switches, digests, quiet hours and time zone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.directory.service import set_locale, set_timezone
from waypost.kernel.clock import now, zone_names
from waypost.kernel.errors import FieldError, Invalid, StaleVersion, Unauthenticated
from waypost.kernel.events import record
from waypost.notifications import matrix
from waypost.notifications.browsers import PUSH
from waypost.notifications.channels.registry import channels_in_use
from waypost.notifications.choices import EMAIL, IN_APP, LABELS, Digest
from waypost.notifications.events import PreferencesChanged
from waypost.notifications.kinds import Event
from waypost.notifications.models import ContactPoint, Preferences
from waypost.notifications.people import Person, people_told
from waypost.notifications.texts import ENGLISH, LANGUAGES


async def preferences(session: AsyncSession, actor: Actor) -> dict[str, Any]:
    """How this person is told: what can be switched, what cannot, and where each channel reaches them."""
    person = await _person(session, actor)
    row = await session.get(Preferences, actor.user_id, populate_existing=True)
    channels = await _channels(session, person)
    keys = [c["key"] for c in channels]
    events = _events_for(actor)
    return {
        "version": row.version if row else 0,
        "events": matrix.switches(person.wishes, events, keys),
        "mandatory": matrix.always(person.wishes, events, keys),
        "digests": {event: how for event, how in person.wishes.digests.items() if event in events},
        "quiet_hours": row.quiet_hours if row else None,
        "timezone": str(person.zone),
        "language": _language(person),
        "channels": channels,
    }


async def set_preferences(
    session: AsyncSession,
    actor: Actor,
    *,
    version: int,
    events: Mapping[str, Mapping[str, bool]],
    digests: Mapping[str, Digest],
    quiet_hours: Mapping[str, Any] | None,
    timezone: str,
    language: str | None = None,
) -> None:
    """Keep how this person wants to be told. Raises `Invalid` naming what is wrong, or `StaleVersion`."""
    person = await _person(session, actor)
    row = await _locked(session, actor.user_id)
    wrong = [*matrix.faults(events, person.wishes), *matrix.digest_faults(digests)]
    if timezone not in zone_names():
        wrong.append(FieldError("/timezone", "is no time zone"))
    if wrong:
        raise Invalid(errors=tuple(wrong))
    if row.version != version:
        raise StaleVersion(current_version=row.version)
    choices = matrix.own_choices(events, person.wishes)
    hidden = {e: how for e, how in person.wishes.digests.items() if e not in _events_for(actor)}
    ways = {event: how.value for event, how in {**hidden, **digests}.items()}
    changed = [
        name
        for name, before, after in (
            ("events", row.choices, choices),
            ("digests", row.digests, ways),
            ("quiet_hours", row.quiet_hours, quiet_hours),
            ("timezone", str(person.zone), timezone),
            ("language", _language(person), language or _language(person)),
        )
        if before != after
    ]
    if not changed:
        return
    at = now()
    row.choices, row.digests, row.updated_at = choices, ways, at
    row.quiet_hours = dict(quiet_hours) if quiet_hours else None
    row.version += 1
    if "timezone" in changed:
        await set_timezone(session, actor.user_id, timezone)
    if language is not None and "language" in changed:
        await set_locale(session, actor.user_id, language)
    await session.flush()
    await record(session, PreferencesChanged(user_id=actor.user_id, changed=changed), actor=actor, at=at)


async def _person(session: AsyncSession, actor: Actor) -> Person:
    told = await people_told(session, [actor.user_id])
    if actor.user_id not in told:
        raise Unauthenticated
    return told[actor.user_id]


def _language(person: Person) -> str:
    """The language somebody is told in: theirs, where words can be written in it."""
    spoken = person.locale.lower()[:2]
    return spoken if spoken in LANGUAGES else ENGLISH


async def _locked(session: AsyncSession, user_id: int) -> Preferences:
    """The person's row, made when there is none, so that two who write wait for each other."""
    await session.execute(insert(Preferences).values(user_id=user_id, updated_at=now()).on_conflict_do_nothing())
    wanted = select(Preferences).where(Preferences.user_id == user_id).with_for_update()
    return (await session.scalars(wanted.execution_options(populate_existing=True))).one()


def _events_for(actor: Actor) -> list[str]:
    """What this person can be told of: the installation's own troubles are those of who looks after it."""
    is_told = actor.may(Permission.NOTIFICATIONS_CONFIGURE)
    return [e.value for e in Event if e is not Event.SYSTEM or is_told]


async def _channels(session: AsyncSession, person: Person) -> list[dict[str, Any]]:
    """The channels this installation has, and how each reaches the person."""
    points = select(ContactPoint.channel, ContactPoint.address, ContactPoint.label).where(
        ContactPoint.user_id == person.id, ContactPoint.verified_at.is_not(None), ContactPoint.stopped_at.is_(None)
    )
    known: dict[str, str] = {}
    for key, where, label in await session.execute(points.order_by(ContactPoint.id).limit(50)):
        known.setdefault(key, label or where)
    found: list[dict[str, Any]] = [{"key": IN_APP, "label": LABELS[IN_APP], "is_ready": True, "address": None}]
    for channel in await channels_in_use(session):
        if channel.key not in LABELS:
            continue
        recipients = channel.recipients(person)
        if channel.key == PUSH and not recipients:  # a choice once a browser is asked, in that browser
            continue
        address = person.email if channel.key == EMAIL else known.get(channel.key)
        found.append(
            {
                "key": channel.key,
                "label": LABELS[channel.key],
                "is_ready": bool(recipients),
                "address": address and address[:100],
            }
        )
    return found
