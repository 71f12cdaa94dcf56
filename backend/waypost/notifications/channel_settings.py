"""Setting up the channels: what an administrator fills in, whether it is on, how it went of late, a test to oneself.

Secrets go in and never come out: what is read says only that there is one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.errors import FieldError, Invalid, StaleVersion
from waypost.kernel.events import record
from waypost.kernel.outgoing import NotAllowed, check_url, resolve
from waypost.notifications.channels import Announcing, Channel, Checked, Field, is_fixed
from waypost.notifications.channels.registry import CHANNELS, config_of, is_in_use, seal, unseal
from waypost.notifications.choices import LABELS
from waypost.notifications.errors import ChannelNotFound, NotSetUp
from waypost.notifications.events import ChannelSetUp, ChannelTested
from waypost.notifications.models import ChannelSettings, Delivery
from waypost.notifications.previewing import TESTED, tell_oneself, words_of_test

MOST_TEXT = 2000
MOST_SECRET = 10_000
LOOK_UP = 3.0  # seconds for the address behind a name


def find_channel(key: str) -> Channel:
    """Raises `ChannelNotFound`."""
    if key not in CHANNELS:
        raise ChannelNotFound
    return CHANNELS[key]


async def channel_list(session: AsyncSession) -> dict[str, Any]:
    """Every channel there is, as it is set up, and how it goes."""
    rows = {row.key: row for row in await session.scalars(select(ChannelSettings))}
    sent = await _last_sent(session)
    items = [_json(channel, rows.get(key), sent.get(key)) for key, channel in CHANNELS.items()]
    return {"items": items, "next_cursor": None}


async def one_channel(session: AsyncSession, key: str) -> dict[str, Any]:
    """One channel. Raises `ChannelNotFound`."""
    channel = find_channel(key)
    row = await session.get(ChannelSettings, key, populate_existing=True)
    return _json(channel, row, (await _last_sent(session)).get(key))


async def _last_sent(session: AsyncSession) -> dict[str, datetime]:
    """When something last went out by each channel, in one statement, from the end of the log."""
    last = [
        select(Delivery.sent_at)
        .where(Delivery.channel == key, Delivery.status == "SENT")
        .order_by(Delivery.id.desc())
        .limit(1)
        .scalar_subquery()
        for key in CHANNELS
    ]
    return {key: at for key, at in zip(CHANNELS, (await session.execute(select(*last))).one(), strict=True) if at}


async def set_up_channel(
    session: AsyncSession, actor: Actor, key: str, *, version: int, is_on: bool, settings: Mapping[str, Any]
) -> None:
    """Keep a channel's settings, and switch it on or off. A setting not named stays; null takes it away.

    What was left alone after failures is tried again at once. Raises `ChannelNotFound`, `Invalid`, `StaleVersion`.
    """
    channel = find_channel(key)
    forbidden = await _forbidden_addresses(channel, settings)  # before the lock: names are looked up meanwhile
    row = await _locked(session, key)
    secrets = unseal(row)
    plain, hidden, wrong = _merged(channel, row.settings, secrets, settings)
    if is_on:
        wrong += [
            FieldError(f"/settings/{f.key}", "is needed to switch it on")
            for f in channel.fields
            if f.required and not (hidden if f.kind == "secret" else plain).get(f.key)
        ]
        if isinstance(channel, Checked):
            known = {e.pointer for e in wrong}
            lacking = channel.faults({**plain, **hidden}).items()
            wrong += [FieldError(f"/settings/{k}", why) for k, why in lacking if f"/settings/{k}" not in known]
    wrong += [f for f in forbidden if f.pointer not in {w.pointer for w in wrong}]
    if is_fixed(channel) and not is_on:
        wrong.append(FieldError("/is_on", "cannot be switched off: it is set up where the product runs"))
    if wrong:
        raise Invalid(errors=tuple(wrong))
    if row.version != version:
        raise StaleVersion(current_version=row.version)
    changed = sorted(
        f.key
        for f in channel.fields
        if plain.get(f.key) != row.settings.get(f.key) or hidden.get(f.key) != secrets.get(f.key)
    )
    if not changed and row.is_on == is_on:
        return
    at = now()
    row.settings, row.is_on, row.updated_at = plain, is_on, at
    if hidden != secrets:
        seal(row, hidden)
    row.failures, row.open_until = 0, None
    row.version += 1
    await session.flush()
    set_up = ChannelSetUp(channel=key, is_on=is_on, changed=changed, settings_version=row.version)
    await record(session, set_up, actor=actor, at=at)


async def try_channel(session: AsyncSession, actor: Actor, key: str) -> dict[str, Any]:
    """Send oneself a message by a channel, also while it is off. Raises `ChannelNotFound`, `NotSetUp`, `NotReached`."""
    channel = find_channel(key)
    _check_set_up(channel, await session.get(ChannelSettings, key))
    event_id = await record(session, ChannelTested(channel=key), actor=actor)
    words = await words_of_test(session, actor, key)
    return await tell_oneself(session, actor, event_id, key, TESTED, words)


def _check_set_up(channel: Channel, row: ChannelSettings | None) -> None:
    """Raises `NotSetUp` when what a message needs is not filled in."""
    config = config_of(row)
    missing = [f.label for f in channel.fields if f.required and not config.get(f.key)]
    if missing:
        raise NotSetUp(f"{LABELS.get(channel.key, channel.key)} is not set up yet: {', '.join(missing)} is missing.")
    if isinstance(channel, Checked) and (wrong := channel.faults(config)):
        labels = {f.key: f.label for f in channel.fields}
        why = "; ".join(f"{labels.get(key, key)} {fault}" for key, fault in wrong.items())
        raise NotSetUp(f"{LABELS.get(channel.key, channel.key)} is not set up yet: {why}.")
    if isinstance(channel, Announcing) and not channel.reaches_people(config):
        raise NotSetUp(f"{LABELS.get(channel.key, channel.key)} is not set up yet to reach people, only teams.")


async def _forbidden_addresses(channel: Channel, asked: Mapping[str, Any]) -> list[FieldError]:
    """Web addresses that would never be called. One whose name is not known just now is judged when it is called."""
    found = []
    for field in channel.fields:
        value = asked.get(field.key)
        if field.kind != "url" or not isinstance(value, str) or not value.strip() or _fault_of(field, value):
            continue
        try:
            async with asyncio.timeout(LOOK_UP):
                await resolve(check_url(value.strip()))
        except NotAllowed as refused:
            found.append(FieldError(f"/settings/{field.key}", f"is not called: {refused}"))
        except (httpx2.HTTPError, TimeoutError):
            continue
    return found


def _merged(
    channel: Channel, before: Mapping[str, Any], secrets: Mapping[str, str], asked: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, str], list[FieldError]]:
    """Settings and secrets with what was asked laid over them, and what is wrong with it."""
    fields = {f.key: f for f in channel.fields}
    plain = {k: v for k, v in before.items() if k in fields}
    hidden = dict(secrets)  # also what a channel made itself and nobody sets
    wrong = []
    for key, value in asked.items():
        field = fields.get(key)
        if field is None:
            wrong.append(FieldError(f"/settings/{key[:64]}", "is no setting of this channel"))
            continue
        into: dict[str, Any] = hidden if field.kind == "secret" else plain
        if value is None or value == "":
            into.pop(key, None)
        elif fault := _fault_of(field, value):
            wrong.append(FieldError(f"/settings/{key}", fault))
        else:
            into[key] = value.strip() if isinstance(value, str) and field.kind != "secret" else value
    return plain, hidden, wrong


def _fault_of(field: Field, value: Any) -> str | None:
    if field.kind == "boolean":
        return None if isinstance(value, bool) else "must be true or false"
    if not isinstance(value, str):
        return "must be text"
    if len(value) > (MOST_SECRET if field.kind == "secret" else MOST_TEXT):
        return "is too long"
    if field.kind == "choice" and value not in field.choices:
        return f"must be one of {', '.join(field.choices)}"
    return _address_fault(value.strip()) if field.kind == "url" else None


def _address_fault(value: str) -> str | None:
    """Whether it reads as an address at all; what may be reached is judged when it is called."""
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return "is no web address"
    if parts.scheme not in ("https", "http") or not parts.hostname or port == 0:
        return "must be a web address such as https://example.com/path"
    return "must not hold a name and password" if parts.username or parts.password else None


def _json(channel: Channel, row: ChannelSettings | None, sent_at: datetime | None) -> dict[str, Any]:
    secrets = unseal(row) if row else {}
    kept = row.settings if row else {}
    return {
        "key": channel.key,
        "label": LABELS.get(channel.key, channel.key),
        "version": row.version if row else 0,
        "is_on": is_in_use(channel, row),
        "is_fixed": is_fixed(channel),
        "fields": [_field_json(f, kept, secrets) for f in channel.fields],
        "health": _health(channel, row, sent_at),
    }


def _field_json(field: Field, kept: Mapping[str, Any], secrets: Mapping[str, str]) -> dict[str, Any]:
    is_secret = field.kind == "secret"
    return {
        "key": field.key,
        "label": field.label,
        "kind": field.kind,
        "help": field.help,
        "required": field.required,
        "choices": list(field.choices),
        "value": None if is_secret else kept.get(field.key),
        "is_set": field.key in (secrets if is_secret else kept),
    }


def _health(channel: Channel, row: ChannelSettings | None, sent_at: datetime | None) -> dict[str, Any]:
    worked_at = max((at for at in (sent_at, row.worked_at if row else None) if at), default=None)
    shut = row is not None and row.open_until is not None and row.open_until > now()
    if not is_in_use(channel, row):
        state = "OFF"
    elif row is not None and row.failures:
        state = "FAILING"
    else:
        state = "WORKS" if worked_at else "UNTRIED"
    return {
        "state": state,
        "failures": row.failures if row else 0,
        "worked_at": rfc3339(worked_at) if worked_at else None,
        "failed_at": rfc3339(row.failed_at) if row and row.failed_at else None,
        "last_error": row.last_error if row else None,
        "paused_until": rfc3339(row.open_until) if shut and row and row.open_until else None,
    }


async def _locked(session: AsyncSession, key: str) -> ChannelSettings:
    """The channel's row, made when there is none, so that two who write wait for each other."""
    await session.execute(insert(ChannelSettings).values(key=key, updated_at=now()).on_conflict_do_nothing())
    wanted = select(ChannelSettings).where(ChannelSettings.key == key).with_for_update()
    return (await session.scalars(wanted.execution_options(populate_existing=True))).one()
