"""What administrators are told about the installation itself."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.models import RolePermission, UserRole, held
from waypost.access.permissions import Permission
from waypost.access.providers.events import DirectoryFailed, DirectoryStopped
from waypost.access.scim.events import ProvisioningStopped
from waypost.kernel.alarms import AlarmRaised
from waypost.kernel.events import Recorded
from waypost.kernel.settings import get_settings
from waypost.notifications.channels.registry import channels_in_use
from waypost.notifications.events import ChannelFailed
from waypost.notifications.incoming.events import MailboxFailed, MailHeldBack
from waypost.notifications.kinds import KINDS
from waypost.notifications.people import people_told
from waypost.notifications.telling import Notice, tell
from waypost.notifications.texts import note_broken, texts_of

MOST_TOLD = 100
# for those who look after identity providers
OF_PROVIDERS = frozenset({"provider.stopped", "directory.stopped", "directory.failed"})
Alarm = (
    ChannelFailed
    | MailboxFailed
    | MailHeldBack
    | ProvisioningStopped
    | DirectoryStopped
    | DirectoryFailed
    | AlarmRaised
)


async def tell_administrators(session: AsyncSession, recorded: Recorded, event: Alarm) -> None:
    """That something of the installation waits for them; by every channel that works. Doing it twice changes nothing."""
    alarm = _alarm(event)
    if alarm is None:
        return
    kind, topic, link, values = alarm
    needed = Permission.IDENTITY_CONFIGURE if kind in OF_PROVIDERS else Permission.NOTIFICATIONS_CONFIGURE
    if isinstance(event, AlarmRaised):
        needed = Permission(event.needs)
    ids = await session.scalars(
        select(UserRole.user_id)
        .join(RolePermission, RolePermission.role_id == UserRole.role_id)
        .where(RolePermission.permission == needed.value, held())
        .distinct()
        .order_by(UserRole.user_id)
        .limit(MOST_TOLD)
    )
    values |= {"facts": {}, "link": f"{get_settings().origin}{link}", "because": KINDS[kind].because}
    texts = await texts_of(session, [kind])
    words, retold = texts.words(kind, values), texts.retold(kind, values)
    notice = Notice(kind, words, link, topic, retold=retold)
    failed = event.channel if isinstance(event, ChannelFailed) else None
    channels = [c for c in await channels_in_use(session) if c.key != failed]
    for person in (await people_told(session, list(ids))).values():
        await tell(session, recorded, person, notice, channels)
    await note_broken(session, texts)


def _alarm(event: Alarm) -> tuple[str, str, str, dict[str, Any]] | None:
    """The kind of notice, its topic, where it leads and what its words can name; None when nobody is to be told."""
    if isinstance(event, AlarmRaised):
        return event.kind, event.topic, event.link, dict(event.values)
    if isinstance(event, ChannelFailed):
        values = {"channel": event.channel, "why": event.why, "action": "Look at what could not be sent"}
        return "channel.failed", f"channel.{event.channel}", "/settings/deliveries", values
    if isinstance(event, MailboxFailed):
        values = {"mailbox": event.name, "why": event.why, "action": "Look at the mailbox"}
        return "mailbox.failed", f"mailbox.{event.mailbox_id}", "/settings/mailboxes", values
    if isinstance(event, ProvisioningStopped):
        values = {"provider": event.name, "why": event.why, "action": "Look at the provider"}
        link = f"/settings/provisioning/{event.provider_id}"
        return "provider.stopped", f"provider.{event.provider_id}", link, values
    if isinstance(event, (DirectoryStopped, DirectoryFailed)):
        link = f"/settings/identity-providers/{event.provider_id}/runs/{event.run_id}"
        if isinstance(event, DirectoryFailed):
            values = {"directory": event.name, "why": event.why, "action": "Look at the directory"}
            return "directory.failed", f"directory.{event.provider_id}", link, values
        values = {"directory": event.name, "why": _why_it_stopped(event), "action": "Look at the plan"}
        return "directory.stopped", f"directory.{event.provider_id}", link, values
    if not event.is_alarm:
        return None
    values = {"mailbox": event.mailbox, "why": event.why, "action": "Look at what was held back"}
    return "mail.held_back", "mail.held_back", "/settings/quarantine", values


def _why_it_stopped(event: DirectoryStopped) -> str:
    if event.why == "LAST_ADMINISTRATOR":
        return "Nobody who administers would be left."
    people = "1 person" if event.leaving == 1 else f"{event.leaving} people"
    if event.why == "TOO_MANY_EMPTIED":
        return f"{people} of {event.active} would lose a job title, department or manager."
    return f"{people} of {event.active} would be deactivated."
