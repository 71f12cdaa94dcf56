"""Groups as they are pushed, and the roles they give. Who is in one is read only when somebody asks to see it."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from scim2_models import (
    Group,
    InvalidValueException,
    Meta,
    NotFoundException,
    PreconditionFailedException,
    TooManyException,
    UniquenessException,
)
from sqlalchemy import Select, delete, exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.providers.models import IdentityProvider, ProviderGroup
from waypost.access.providers.people import roles_from_groups
from waypost.access.scim.events import GroupLetGo, GroupPushed
from waypost.access.scim.membership import Delta, scim_id
from waypost.access.scim.models import ScimGroup, ScimMember, ScimPerson
from waypost.access.scim.people import PUSHED
from waypost.access.scim.resources import GROUP_TYPE
from waypost.directory.models import User
from waypost.kernel.clock import now
from waypost.kernel.events import record
from waypost.kernel.shapes import in_one_line, is_blank

MOST_LISTED = 20_000  # members in one answer: a list of larger groups is asked for without them
MOST_NAMED = 100  # people in one event
AT_ONCE = 5_000  # rows in one statement


# --- reading ----------------------------------------------------------------------------------------------------------


def theirs(provider_id: int) -> Select[ScimGroup]:
    """The groups of a provider."""
    return select(ScimGroup).where(ScimGroup.provider_id == provider_id)


async def row_of(session: AsyncSession, provider_id: int, resource_id: str | None) -> ScimGroup:
    """A provider's group. Raises `NotFoundException`."""
    named = scim_id(resource_id)
    wanted = theirs(provider_id).where(ScimGroup.scim_id == named).execution_options(populate_existing=True)
    row = await session.scalar(wanted) if named else None
    if row is None:
        raise NotFoundException(detail="There is no such group.")
    return row


async def resources(session: AsyncSession, rows: Iterable[ScimGroup], *, with_members: bool) -> list[Any]:
    """Groups as they are answered, with their members in one statement for all. Raises `TooManyException`."""
    listed = list(rows)
    members: dict[int, list[dict[str, Any]]] = {row.id: [] for row in listed}
    if with_members and listed:
        found = await session.execute(
            select(ScimMember.group_id, ScimPerson.scim_id, ScimMember.display, ScimPerson.display_name)
            .join(ScimPerson, ScimPerson.id == ScimMember.person_id)
            .where(ScimMember.group_id.in_(list(members)))
            .order_by(ScimMember.group_id, ScimMember.person_id)
            .limit(MOST_LISTED + 1)
        )
        rows_found = found.all()
        if len(rows_found) > MOST_LISTED:
            raise TooManyException(
                detail="These groups are too large to be told whole: use excludedAttributes=members."
            )
        for group_id, person_id, display, name in rows_found:
            member = {"value": str(person_id), "$ref": f"Users/{person_id}", "type": "User"}
            members[group_id].append({**member, "display": display or name} if display or name else member)
    return [_resource(row, members[row.id]) for row in listed]


def _resource(row: ScimGroup, members: list[dict[str, Any]]) -> Any:
    said: dict[str, Any] = {"id": str(row.scim_id), "displayName": row.display_name}
    if row.external_id is not None:
        said["externalId"] = row.external_id
    if members:
        said["members"] = members
    resource = Group.model_validate(said)
    resource.meta = Meta(
        resource_type=GROUP_TYPE.name,
        created=row.created_at,
        last_modified=row.updated_at,
        version=f'W/"{row.version}"',
    )
    return resource


# --- writing ----------------------------------------------------------------------------------------------------------


async def create(session: AsyncSession, provider: IdentityProvider, resource: Any) -> ScimGroup:
    """A new group with its members. Raises `UniquenessException`, `InvalidValueException`."""
    at = now()
    row = ScimGroup(provider_id=provider.id, scim_id=uuid.uuid4(), version=1, created_at=at, updated_at=at)
    row.display_name, row.external_id = _name(resource.display_name), _external_id(resource.external_id)
    await _must_be_new(session, row)
    session.add(row)
    await session.flush()
    await _moved(session, provider, row, await _add(session, row, _wanted(resource)), [], ["displayName"], at)
    return row


async def replace(
    session: AsyncSession, provider: IdentityProvider, resource: Any, expected_version: str | None
) -> ScimGroup:
    """A group as it is from now on, members and all."""
    row = await row_of(session, provider.id, resource.id)
    _check_version(row, expected_version)
    wanted = _wanted(resource)
    had = await session.execute(
        select(ScimPerson.scim_id, ScimMember.display)
        .join(ScimMember, ScimMember.person_id == ScimPerson.id)
        .where(ScimMember.group_id == row.id)
    )
    before = {str(i): display for i, display in had}
    values = {"display_name": _name(resource.display_name), "external_id": _external_id(resource.external_id)}
    added = {i: d for i, d in wanted.items() if i not in before or (d is not None and d != before[i])}
    return await _change(session, provider, row, added, set(before) - set(wanted), values)


async def change(
    session: AsyncSession, provider: IdentityProvider, resource_id: str, delta: Delta, expected: str | None = None
) -> ScimGroup:
    """What changes in a group, without reading the rest of it."""
    row = await row_of(session, provider.id, resource_id)
    _check_version(row, expected)
    values: dict[str, str | None] = {}
    if "display_name" in delta.values:
        values["display_name"] = _name(delta.values["display_name"])
    if "external_id" in delta.values:
        values["external_id"] = _external_id(delta.values["external_id"])
    return await _change(session, provider, row, delta.added, delta.removed, values)


async def let_go(
    session: AsyncSession, provider: IdentityProvider, resource_id: str, expected_version: str | None
) -> None:
    """A group that is no more: what it gave is taken away."""
    at, row = now(), await row_of(session, provider.id, resource_id)
    _check_version(row, expected_version)
    members = list(await session.scalars(select(ScimMember.person_id).where(ScimMember.group_id == row.id)))
    await session.execute(delete(ScimMember).where(ScimMember.group_id == row.id))
    await _give_roles(session, provider, members, {row.display_name})
    told = GroupLetGo(provider_id=provider.id, name=provider.name, group_id=row.id, group=row.display_name)
    await session.delete(row)
    await session.flush()
    await record(session, told, actor=PUSHED, at=at)


async def _change(
    session: AsyncSession,
    provider: IdentityProvider,
    row: ScimGroup,
    added: Mapping[str, str | None],
    removed: Collection[str],
    values: Mapping[str, str | None],
) -> ScimGroup:
    at, old_name = now(), row.display_name
    changed = {k: v for k, v in values.items() if getattr(row, k) != v}
    for name, value in changed.items():
        setattr(row, name, value)
    if changed:
        await _must_be_new(session, row)
    came = await _add(session, row, added)
    left = await _remove(session, row, removed)
    if not changed and not came and not left:
        return row
    row.version, row.updated_at = row.version + 1, at
    await session.flush()
    names = {"display_name": "displayName", "external_id": "externalId"}
    said = [names[k] for k in changed]
    if "display_name" in changed:
        # under another name it may give other roles, to everybody in it
        everybody = await session.scalars(select(ScimMember.person_id).where(ScimMember.group_id == row.id))
        await _give_roles(session, provider, list(everybody), {old_name, row.display_name})
    await _moved(session, provider, row, came, left, said, at)
    return row


async def _moved(
    session: AsyncSession,
    provider: IdentityProvider,
    row: ScimGroup,
    came: list[int],
    left: list[int],
    changed: list[str],
    at: datetime,
) -> None:
    """After people came into a group or left it: their roles, and the event."""
    await _give_roles(session, provider, [*came, *left], {row.display_name})
    named = [*came[:MOST_NAMED], *left[:MOST_NAMED]]
    rows = await session.execute(select(ScimPerson.id, ScimPerson.user_id).where(ScimPerson.id.in_(named)))
    people = {row.id: row.user_id for row in rows}
    told = GroupPushed(
        provider_id=provider.id,
        name=provider.name,
        group_id=row.id,
        group=row.display_name,
        changed=changed,
        added=[people[i] for i in came[:MOST_NAMED]],
        removed=[people[i] for i in left[:MOST_NAMED]],
        added_count=len(came),
        removed_count=len(left),
    )
    await record(session, told, actor=PUSHED, at=at)


async def _add(session: AsyncSession, row: ScimGroup, wanted: Mapping[str, str | None]) -> list[int]:
    """Take people in; those who are new to it, or are called otherwise now. Raises `InvalidValueException`."""
    if not wanted:
        return []
    ids = await _people(session, row.provider_id, wanted)
    unknown = [i for i in wanted if i.lower() not in ids]
    if unknown:
        raise InvalidValueException(detail=f"There is no user with the id {unknown[0][:64]!r} to be a member.")
    came: list[int] = []
    said = [{"group_id": row.id, "person_id": ids[i.lower()], "display": _display(d)} for i, d in wanted.items()]
    unique = list({r["person_id"]: r for r in said}.values())
    for n in range(0, len(unique), AT_ONCE):
        put = insert(ScimMember).values(unique[n : n + AT_ONCE])
        renamed = put.on_conflict_do_update(
            index_elements=["group_id", "person_id"],
            set_={"display": func.coalesce(put.excluded.display, ScimMember.display)},
            where=put.excluded.display.is_distinct_from(ScimMember.display) & put.excluded.display.is_not(None),
        )
        came += await session.scalars(renamed.returning(ScimMember.person_id))
    return came


async def _remove(session: AsyncSession, row: ScimGroup, unwanted: Collection[str]) -> list[int]:
    """Take people out; who is not in it is no error, as somebody may have been let go meanwhile."""
    if not unwanted:
        return []
    ids = list((await _people(session, row.provider_id, unwanted)).values())
    gone: list[int] = []
    for n in range(0, len(ids), AT_ONCE):
        out = delete(ScimMember).where(ScimMember.group_id == row.id, ScimMember.person_id.in_(ids[n : n + AT_ONCE]))
        gone += await session.scalars(out.returning(ScimMember.person_id))
    return gone


async def _people(session: AsyncSession, provider_id: int, said: Iterable[str]) -> dict[str, int]:
    """Our ids of a provider's people, by the ids it knows them under."""
    named = [known for i in said if (known := scim_id(i)) is not None]
    found: dict[str, int] = {}
    for n in range(0, len(named), AT_ONCE):
        rows = await session.execute(
            select(ScimPerson.scim_id, ScimPerson.id).where(
                ScimPerson.scim_id.in_(named[n : n + AT_ONCE]),
                ScimPerson.provider_id == provider_id,
                ScimPerson.deleted_at.is_(None),
            )
        )
        found |= {str(i): person_id for i, person_id in rows}
    return found


async def _give_roles(
    session: AsyncSession, provider: IdentityProvider, person_ids: Collection[int], names: Collection[str]
) -> None:
    """What the provider's map gives these people for all of their groups; nothing to do for groups it does not name."""
    is_mapped = exists().where(ProviderGroup.provider_id == provider.id, ProviderGroup.group_name.in_(names))
    if person_ids and await session.scalar(select(is_mapped)):
        await give_roles(session, provider, person_ids)


async def give_roles(session: AsyncSession, provider: IdentityProvider, person_ids: Collection[int]) -> None:
    """What the provider's map gives each of these people for the groups they are in now."""
    ids = sorted(set(person_ids))
    for n in range(0, len(ids), AT_ONCE):
        some = ids[n : n + AT_ONCE]
        groups: dict[int, list[str]] = {i: [] for i in some}
        rows = await session.execute(
            select(ScimMember.person_id, ScimGroup.display_name)
            .join(ScimGroup, ScimGroup.id == ScimMember.group_id)
            .where(ScimMember.person_id.in_(some))
        )
        for person_id, name in rows:
            groups[person_id].append(name)
        users = await session.execute(
            select(ScimPerson.id, User).join(User, User.id == ScimPerson.user_id).where(ScimPerson.id.in_(some))
        )
        for person_id, user in users.all():
            await roles_from_groups(session, provider, user, groups[person_id], PUSHED)


async def _must_be_new(session: AsyncSession, row: ScimGroup) -> None:
    """Raises `UniquenessException`: roles go by a group's name, so no two of a provider have the same."""
    others = theirs(row.provider_id).where(ScimGroup.scim_id != row.scim_id)
    same_name = others.where(func.lower(ScimGroup.display_name) == func.lower(row.display_name))
    if await session.scalar(same_name) is not None:
        raise UniquenessException(detail="There is a group with this displayName already.")
    same_id = others.where(ScimGroup.external_id == row.external_id)
    if row.external_id is not None and await session.scalar(same_id) is not None:
        raise UniquenessException(detail="There is a group with this externalId already.")


def _wanted(resource: Any) -> dict[str, str | None]:
    wanted: dict[str, str | None] = {}
    for member in resource.members or []:
        if (member.type or "User").lower() != "user":
            raise InvalidValueException(detail="A group's members are users; groups within groups are not taken.")
        if member.value is None:
            raise InvalidValueException(detail="A member needs a value: the user's id.")
        wanted[member.value.lower()] = member.display
    return wanted


def _name(said: str | None) -> str:
    name = in_one_line(said or "")
    if is_blank(name) or len(name) > 255:
        raise InvalidValueException(detail="displayName needs 1 to 255 characters.")
    return name


def _external_id(said: str | None) -> str | None:
    if said is not None and len(said) > 255:
        raise InvalidValueException(detail="externalId has at most 255 characters.")
    return said or None


def _display(said: str | None) -> str | None:
    return said[:255] if said else None


def _check_version(row: ScimGroup, expected: str | None) -> None:
    if expected is not None and expected != f'W/"{row.version}"':
        raise PreconditionFailedException
