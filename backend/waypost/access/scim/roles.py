"""A provider's map has changed: those who were pushed get what it gives them now, without waiting for the next push."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.providers.events import ProviderGroupsSet
from waypost.access.providers.models import IdentityProvider
from waypost.access.providers.people import EVERYBODY
from waypost.access.scim.groups import give_roles
from waypost.access.scim.models import ScimGroup, ScimMember, ScimPerson
from waypost.access.scim.people import theirs
from waypost.access.scim.tokens import KIND
from waypost.kernel.events import Recorded


async def follow_map(session: AsyncSession, recorded: Recorded) -> None:
    """After the change of a map: the members of groups it names otherwise than before. Twice is the same as once."""
    event = recorded.event
    if not isinstance(event, ProviderGroupsSet):
        return
    provider = await session.get(IdentityProvider, event.provider_id)
    if provider is None or provider.kind != KIND:
        return
    names = {g for g in {*event.before, *event.after} if event.before.get(g) != event.after.get(g)}
    wanted = theirs(provider.id).with_only_columns(ScimPerson.id)
    if EVERYBODY not in names:
        members = select(ScimMember.person_id).join(ScimGroup, ScimGroup.id == ScimMember.group_id)
        of_names = members.where(ScimGroup.provider_id == provider.id, ScimGroup.display_name.in_(names))
        wanted = wanted.where(ScimPerson.id.in_(of_names))
    ids = list(await session.scalars(wanted))
    if ids:
        await give_roles(session, provider, ids)
