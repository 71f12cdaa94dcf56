"""What people are told about roles: given and taken, near their end and ended, asked for, and answered.

By every channel they chose for it. What somebody does to themselves they are not told, nor are those who have just come
told of the roles they came with.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from waypost.access.events import RolesGranted
from waypost.access.models import Role, RoleChange
from waypost.access.providers.events import ProviderRolesChanged
from waypost.access.providers.models import IdentityProvider
from waypost.access.role_confirmers import confirmers
from waypost.access.role_events import (
    GrantEnding,
    GrantExpired,
    RoleChangeAsked,
    RoleChangeConfirmed,
    RoleChangeExpired,
    RoleChangeRefused,
    RoleTaken,
)
from waypost.directory.events import UserCreated
from waypost.directory.names import names
from waypost.kernel.events import EventRow, Recorded
from waypost.kernel.settings import get_settings
from waypost.notifications.channels.registry import channels_in_use
from waypost.notifications.kinds import KINDS
from waypost.notifications.people import Person, people_told
from waypost.notifications.telling import Notice, tell
from waypost.notifications.texts import note_broken, texts_of

RoleEvent = (
    RolesGranted
    | RoleTaken
    | ProviderRolesChanged
    | GrantEnding
    | GrantExpired
    | RoleChangeAsked
    | RoleChangeConfirmed
    | RoleChangeRefused
    | RoleChangeExpired
)
HOME, CHANGES = "/", "/settings/roles"
MOST_TOLD = 100
_ANSWERS = {"REFUSED": "was refused", "DROPPED": "was let be"}


@dataclass(frozen=True, slots=True)
class _Told:
    """What to tell one of them. `until` is said by their own clock."""

    user_id: int
    kind: str
    path: str
    action: str
    values: dict[str, Any] = field(default_factory=dict)
    until: datetime | None = None


async def tell_about_role(session: AsyncSession, recorded: Recorded, event: RoleEvent) -> None:
    """Tell those whom it concerns. Doing it twice changes nothing."""
    planned = [told for told in await _planned(session, recorded, event) if told.user_id != recorded.actor_id]
    if not planned:
        return
    people = await people_told(session, [told.user_id for told in planned])
    texts = await texts_of(session, {told.kind for told in planned})
    channels = await channels_in_use(session)
    for told in planned:
        person = people.get(told.user_id)
        if person is None:
            continue
        values = {
            "facts": {},
            **told.values,
            "until": _when(told.until, person) if told.until else "",
            "link": f"{get_settings().origin}{told.path}",
            "action": told.action,
            "because": KINDS[told.kind].because,
        }
        words, retold = texts.words(told.kind, values), texts.retold(told.kind, values)
        notice = Notice(told.kind, words, told.path, f"roles.{told.user_id}.{recorded.id}", retold=retold)
        await tell(session, recorded, person, notice, channels)
    await note_broken(session, texts)


def _when(at: datetime, person: Person) -> str:
    local = at.astimezone(person.zone)
    return f"{local:%A}, {local.day} {local:%B %Y, %H:%M} {local:%Z}"


async def _planned(session: AsyncSession, recorded: Recorded, event: RoleEvent) -> list[_Told]:
    match event:
        case RolesGranted():
            return await _given(session, recorded, event)
        case RoleTaken():
            return [await _taken(session, event.user_id, [event.role], await _name(session, recorded.actor_id))]
        case ProviderRolesChanged():
            return await _by_provider(session, recorded, event)
        case GrantEnding() | GrantExpired():
            return await _ending(session, event)
        case RoleChangeAsked():
            return await _asked(session, recorded, event)
        case _:
            return await _answered(session, recorded, event)


# --- given, taken, ended ----------------------------------------------------------------------------------------------


async def _given(session: AsyncSession, recorded: Recorded, event: RolesGranted) -> list[_Told]:
    if await _has_just_come(session, recorded, event.user_id):
        return []
    by = await _name(session, event.asked_by_id or recorded.actor_id)
    until = datetime.fromisoformat(event.expires_at) if event.expires_at else None
    return [await _gets(session, event.user_id, event.roles, by, event.reason, until)]


async def _by_provider(session: AsyncSession, recorded: Recorded, event: ProviderRolesChanged) -> list[_Told]:
    """Of what groups give and take at once the person hears once: what they got, and what they lost with it."""
    if await _has_just_come(session, recorded, event.user_id):
        return []
    by = (
        await session.scalar(select(IdentityProvider.name).where(IdentityProvider.id == event.provider_id)) or "Waypost"
    )
    if not event.given:
        return [await _taken(session, event.user_id, event.taken, by)]
    told = await _gets(session, event.user_id, event.given, by, "", None)
    told.values["lost"] = _list(await _role_names(session, event.taken))
    return [told]


async def _gets(
    session: AsyncSession, user_id: int, roles: Iterable[str], by: str, why: str, until: datetime | None
) -> _Told:
    values = {"roles": _list(await _role_names(session, roles)), "actor": by, "words": why, "lost": ""}
    return _Told(user_id, "role.given", HOME, "Open Waypost", values, until)


async def _taken(session: AsyncSession, user_id: int, roles: Iterable[str], by: str) -> _Told:
    values = {"roles": _list(await _role_names(session, roles)), "actor": by}
    return _Told(user_id, "role.taken", HOME, "Open Waypost", values)


async def _ending(session: AsyncSession, event: GrantEnding | GrantExpired) -> list[_Told]:
    kind = "role.ending" if isinstance(event, GrantEnding) else "role.ended"
    until = datetime.fromisoformat(event.expires_at)
    values = {"roles": _list(await _role_names(session, [event.role])), "person": await _name(session, event.user_id)}
    theirs = _Told(event.user_id, kind, HOME, "Open Waypost", values | {"is_own": True}, until)
    giver = event.granted_by_id
    if giver is None or giver == event.user_id:
        return [theirs]
    page = f"/settings/people/{event.user_id}?tab=roles"
    return [theirs, _Told(giver, kind, page, "Look at their roles", values | {"is_own": False}, until)]


async def _has_just_come(session: AsyncSession, recorded: Recorded, user_id: int) -> bool:
    """Whether the roles are those an account was made with: by the same transaction."""
    made, given = aliased(EventRow), aliased(EventRow)
    in_one = (
        select(made.id)
        .join(given, given.txid == made.txid)
        .where(given.id == recorded.id, made.type == UserCreated.type, made.object_id == user_id)
    )
    return await session.scalar(in_one.limit(1)) is not None


# --- what takes two ---------------------------------------------------------------------------------------------------


async def _asked(session: AsyncSession, recorded: Recorded, event: RoleChangeAsked) -> list[_Told]:
    """Those who may confirm it, while it waits: who was told nothing in time is not asked for what is settled."""
    row = await session.get(RoleChange, event.change_id)
    if row is None or row.settled_at is not None:
        return []
    role = await session.get(Role, row.role_id) if row.role_id else None
    able = (await confirmers(session, [row], {role.id: role.key} if role else {}))[row.id]
    values = {
        "actor": await _name(session, recorded.actor_id),
        "change": await _change(session, row),
        "words": row.reason,
    }
    return [_Told(i, "role.change_asked", CHANGES, "Look at it", values, row.expires_at) for i in able[:MOST_TOLD]]


async def _answered(
    session: AsyncSession, recorded: Recorded, event: RoleChangeConfirmed | RoleChangeRefused | RoleChangeExpired
) -> list[_Told]:
    row = await session.get(RoleChange, event.change_id)
    if row is None:
        return []
    if isinstance(event, RoleChangeConfirmed):
        answer = "was confirmed"
    elif isinstance(event, RoleChangeRefused):
        answer = _ANSWERS[event.outcome]
    else:
        answer = "was answered by nobody"
    values = {
        "actor": await _name(session, recorded.actor_id) if recorded.actor_id else "",
        "change": await _change(session, row),
        "answer": answer,
        "is_done": isinstance(event, RoleChangeConfirmed),
    }
    return [_Told(event.asked_by_id, "role.change_answered", CHANGES, "Look at it", values)]


async def _change(session: AsyncSession, row: RoleChange) -> str:
    """What is asked for, in words that stand behind a colon."""
    role = await session.get(Role, row.role_id) if row.role_id else None
    name = role.name if role else "a role that is gone"
    if row.kind == "GRANT":
        who = await _name(session, row.user_id)
        return f"{who} gets the role {name}{' for a time' if row.wanted.get('expires_at') else ''}"
    if row.kind == "REMOVAL":
        return f"the role {name} is removed"
    return "giving power does not take two any more" if row.kind == "RULE" else f"the role {name} is changed"


async def _name(session: AsyncSession, user_id: int | None) -> str:
    people = await names.people(session, [user_id])
    return str(people[user_id]["name"]) if user_id in people else "Waypost"


async def _role_names(session: AsyncSession, keys: Iterable[str]) -> list[str]:
    wanted = list(keys)
    if not wanted:
        return []
    found = {r.key: r.name for r in await session.execute(select(Role.key, Role.name).where(Role.key.in_(wanted)))}
    return [found.get(key, key) for key in wanted]


def _list(said: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(said[:-1]), *said[-1:]]))
