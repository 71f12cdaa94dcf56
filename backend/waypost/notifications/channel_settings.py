"""Setting up the channels: what an administrator fills in, whether it is on, how it went of late, a test to oneself.

Secrets go in and never come out: what is read says only that there is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.errors import FieldError, Invalid, StaleVersion
from waypost.kernel.events import record
from waypost.kernel.settings_form import (
    Field,
    differences,
    field_json,
    fill_in,
    forbidden_addresses,
    lacking,
    not_ready,
    with_more,
)
from waypost.notifications.channels import Announcing, Channel, Checked, is_fixed
from waypost.notifications.channels.registry import CHANNELS, config_of, is_in_use, seal, unseal
from waypost.notifications.choices import LABELS
from waypost.notifications.errors import ChannelNotFound, NotSetUp
from waypost.notifications.events import ChannelSetUp, ChannelTested
from waypost.notifications.models import ChannelSettings, Delivery
from waypost.notifications.previewing import TESTED, tell_oneself, words_of_test


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
    forbidden = await forbidden_addresses(channel.fields, settings)  # before the lock: names are looked up meanwhile
    row = await _locked(session, key)
    secrets = unseal(row)
    filled = fill_in(channel.fields, row.settings, secrets, settings, "this channel")
    wrong = list(filled.wrong)
    if is_on:
        faults = channel.faults(filled.all) if isinstance(channel, Checked) else {}
        wrong = with_more(wrong, not_ready(channel.fields, filled.all, faults))
    wrong = with_more(wrong, forbidden)
    if is_fixed(channel) and not is_on:
        wrong.append(FieldError("/is_on", "cannot be switched off: it is set up where the product runs"))
    if wrong:
        raise Invalid(errors=tuple(wrong))
    if row.version != version:
        raise StaleVersion(current_version=row.version)
    changed = sorted(
        f.key
        for f in channel.fields
        if filled.plain.get(f.key) != row.settings.get(f.key) or filled.hidden.get(f.key) != secrets.get(f.key)
    )
    if not changed and row.is_on == is_on:
        return
    at = now()
    before, after = differences(channel.fields, row.settings, secrets, filled)
    if row.is_on != is_on:
        before["is_on"], after["is_on"] = row.is_on, is_on
    row.settings, row.is_on, row.updated_at = filled.plain, is_on, at
    if filled.hidden != secrets:
        seal(row, filled.hidden)
    row.failures, row.open_until = 0, None
    row.version += 1
    await session.flush()
    set_up = ChannelSetUp(
        channel=key, is_on=is_on, changed=changed, settings_version=row.version, before=before, after=after
    )
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
    missing = [f.label for f in lacking(channel.fields, config)]
    if missing:
        raise NotSetUp(f"{LABELS.get(channel.key, channel.key)} is not set up yet: {', '.join(missing)} is missing.")
    if isinstance(channel, Checked) and (wrong := channel.faults(config)):
        labels = {f.key: f.label for f in channel.fields}
        why = "; ".join(f"{labels.get(key, key)} {fault}" for key, fault in wrong.items())
        raise NotSetUp(f"{LABELS.get(channel.key, channel.key)} is not set up yet: {why}.")
    if isinstance(channel, Announcing) and not channel.reaches_people(config):
        raise NotSetUp(f"{LABELS.get(channel.key, channel.key)} is not set up yet to reach people, only teams.")


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
    told = field_json(field, kept, secrets)
    return {name: value for name, value in told.items() if name not in ("is_secret", "default")}


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
