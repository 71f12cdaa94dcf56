"""Every channel there is, and which of them this installation uses."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.kernel.crypto import Damaged, WrappedKey, keyring
from waypost.kernel.logs import get_logger
from waypost.notifications.channels import Announcing, Changing, Channel, Config, Inviting, Optional, is_fixed
from waypost.notifications.channels.email import Email
from waypost.notifications.channels.push import Push
from waypost.notifications.channels.slack import Slack
from waypost.notifications.channels.sms import Sms
from waypost.notifications.channels.teams import Teams
from waypost.notifications.models import ChannelSettings

log = get_logger(__name__)
# The order is that of the locks of their senders: add at the end.
CHANNELS: dict[str, Channel] = {c.key: c for c in (Email(), Slack(), Teams(), Push(), Sms())}


async def channels_in_use(session: AsyncSession) -> list[Channel]:
    """Those that are set up to reach people, and switched on."""
    on = {row.key: row for row in await session.scalars(select(ChannelSettings).where(ChannelSettings.is_on))}
    return [c for c in CHANNELS.values() if is_in_use(c, on.get(c.key)) and _reaches_people(c, on.get(c.key))]


def is_in_use(channel: Channel, row: ChannelSettings | None) -> bool:
    """Whether it is switched on; what is set up from the environment is, unless that leaves it out."""
    if not is_fixed(channel):
        return row is not None and row.is_on
    return channel.is_available() if isinstance(channel, Optional) else True


def _reaches_people(channel: Channel, row: ChannelSettings | None) -> bool:
    if row is None or not isinstance(channel, Announcing):
        return True
    try:
        return channel.reaches_people(config_of(row))
    except Damaged:  # what is told is kept, and waits until the secrets are entered anew; other channels go on
        log.exception("a channel's secrets cannot be opened", channel=row.key)
        return True


def changing_channels() -> list[str]:
    """The keys of those that can change a message once it is sent."""
    return [c.key for c in CHANNELS.values() if isinstance(c, Changing)]


def inviting_channels() -> list[str]:
    """The keys of those on which one answers in words."""
    return [c.key for c in CHANNELS.values() if isinstance(c, Inviting)]


async def announcing_channels(session: AsyncSession) -> list[tuple[str, Announcing, Config]]:
    """Those in use in which teams have places of their own, each with its settings."""
    able = {key: c for key, c in CHANNELS.items() if isinstance(c, Announcing)}
    rows = await session.scalars(select(ChannelSettings).where(ChannelSettings.is_on, ChannelSettings.key.in_(able)))
    found: list[tuple[str, Announcing, Config]] = []
    for row in rows:
        try:
            found.append((row.key, able[row.key], config_of(row)))
        except Damaged:
            log.exception("a channel's secrets cannot be opened", channel=row.key)
    return found


def seal(row: ChannelSettings, secrets: dict[str, str]) -> None:
    """Keep a channel's secrets, sealed with the installation's key."""
    wrapped = keyring().wrap(json.dumps(secrets).encode(), row.about)
    row.sealed, row.sealed_with = wrapped.value, wrapped.key_id


def unseal(row: ChannelSettings) -> dict[str, str]:
    """A channel's secrets. Raises `Damaged`."""
    if row.sealed is None or row.sealed_with is None:
        return {}
    opened = keyring().unwrap(WrappedKey(row.sealed_with, row.sealed), row.about)
    secrets: dict[str, str] = json.loads(opened)
    return secrets


def config_of(row: ChannelSettings | None) -> Config:
    """Settings and secrets of a channel, as its module wants them."""
    kept: dict[str, Any] = {} if row is None else {**row.settings, **unseal(row)}
    return kept
