"""Adding and changing ticket types."""

from __future__ import annotations

import re
import secrets
import string
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import step_up
from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.catalog.categories import check_category
from waypost.catalog.errors import KeyTaken, TicketTypeNotFound, UnknownTicketType
from waypost.catalog.events import TicketTypeCreated, TicketTypeUpdated
from waypost.catalog.forms import check_form
from waypost.catalog.models import FormVersion, TicketType
from waypost.catalog.sensitive import sealed_keys
from waypost.directory.models import Team
from waypost.kernel.errors import FieldError, Invalid, StaleVersion
from waypost.kernel.events import Doer, record


async def create_ticket_type(
    session: AsyncSession, actor: Doer, *, key: str, name: str, form: dict[str, Any], prefix: str | None, **more: Any
) -> TicketType:
    """Add a type. Without a prefix one is made from the key. Raises `KeyTaken` or `BadForm`."""
    kept = check_form(form, pointer="/form")
    await _check_team(session, more.get("team_id"))
    await check_category(session, more.setdefault("category", "Other"))
    more["keywords"] = _once_each(more.get("keywords", []))
    if await session.scalar(select(TicketType.id).where(or_(TicketType.key == key, TicketType.prefix == prefix))):
        raise KeyTaken
    made = TicketType(
        key=key,
        name=name,
        form=kept,
        sealed_keys=sealed_keys(kept, ()),
        form_version=1,
        version=1,
        prefix=prefix or await _free_prefix(session, key),
        **more,
    )
    session.add(made)
    await session.flush()
    session.add(FormVersion(ticket_type_id=made.id, version=1, form=kept, created_by_id=actor.person_id, note=""))
    await session.flush()
    await record(session, TicketTypeCreated(ticket_type_id=made.id, key=key, name=name), actor=actor)
    return made


async def update_ticket_type(
    session: AsyncSession,
    actor: Actor,
    key: str,
    *,
    version: int,
    note: str = "",
    restored_from: int | None = None,
    **values: Any,
) -> TicketType:
    """Change a type; another form becomes its next version, kept with `note`.

    A form by which answers are no longer sealed is published by who has just shown that it is them.
    Raises `TicketTypeNotFound`, `StaleVersion`, `BadForm`, `StepUpNeeded`.
    """
    actor.require(Permission.CATALOG_CONFIGURE)
    locked = select(TicketType).where(TicketType.key == key).with_for_update(key_share=True)
    # Who restores a form has read the type before: what counts is how it stands once it is locked.
    found = await session.scalar(locked.execution_options(populate_existing=True))
    if found is None:
        raise TicketTypeNotFound
    if found.version != version:
        raise StaleVersion(current_version=found.version)
    await _check_team(session, values.get("team_id"))
    if "category" in values:
        await check_category(session, values["category"])
    if "keywords" in values:
        values["keywords"] = _once_each(values["keywords"])
    if "form" in values:
        values["form"] = check_form(values["form"], pointer="/form")
        values["sealed_keys"] = sealed_keys(values["form"], found.sealed_keys)
        if not set(found.sealed_keys) <= set(values["sealed_keys"]):
            await step_up.require(session, actor)
    changes = {k: [getattr(found, k), v] for k, v in values.items() if getattr(found, k) != v}
    if not changes:
        return found
    for field, (_, new) in changes.items():
        setattr(found, field, new)
    if "form" in changes:
        found.form_version += 1
        session.add(
            FormVersion(
                ticket_type_id=found.id,
                version=found.form_version,
                form=found.form,
                created_by_id=actor.person_id,
                note=note,
                restored_from=restored_from,
            )
        )
    found.version += 1
    await session.flush()
    await record(session, TicketTypeUpdated(ticket_type_id=found.id, key=key, changes=changes), actor=actor)
    return found


async def type_to_ask_for(session: AsyncSession, key: str) -> TicketType:
    """The active type of a new ticket. Raises `UnknownTicketType` naming the field."""
    found = await session.scalar(select(TicketType).where(TicketType.key == key, TicketType.is_active))
    if found is None:
        raise UnknownTicketType(errors=(FieldError("/ticket_type", "is not a type one can ask for"),))
    return found


def _once_each(words: list[str]) -> list[str]:
    """Words as they were given, each once whatever its capitals."""
    kept: dict[str, str] = {}
    for word in words:
        kept.setdefault(word.casefold(), word)
    return list(kept.values())


async def _check_team(session: AsyncSession, team_id: int | None) -> None:
    if team_id is not None and await session.scalar(select(Team.id).where(Team.id == team_id)) is None:
        raise Invalid(errors=(FieldError("/team_id", "there is no such team"),))


async def _free_prefix(session: AsyncSession, key: str) -> str:
    words = re.findall("[A-Z]+", key.upper()) or ["REQ"]
    taken = set((await session.scalars(select(TicketType.prefix))).all())
    initials = "".join(w[0] for w in words)
    for candidate in (initials, words[0][:3], words[0][:4], words[0][:5]):
        if 2 <= len(candidate) <= 5 and candidate not in taken:
            return candidate
    while True:
        candidate = "".join(secrets.choice(string.ascii_uppercase) for _ in range(5))
        if candidate not in taken:
            return candidate
