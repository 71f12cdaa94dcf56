"""People as they are pushed: found or made, changed, let go; always one person and one transaction.

Who they are is `providers.people`'s to decide, who may not leave `leaving`'s. Here a person of theirs becomes an
`ExternalPerson`, and what they said of them is kept as they said it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from scim2_models import (
    EnterpriseUser,
    InvalidValueException,
    Meta,
    NotFoundException,
    PreconditionFailedException,
    UniquenessException,
)
from sqlalchemy import Select, delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access import leaving
from waypost.access.addresses import usable_email
from waypost.access.providers.models import Identity, IdentityProvider
from waypost.access.providers.people import (
    ExternalPerson,
    bring_in,
    follow,
    link,
    roles_from_groups,
    would_empty,
)
from waypost.access.providers.said import CAN_BE_EMPTY, emptied_at
from waypost.access.scim import bursts
from waypost.access.scim.errors import TooManyLeave
from waypost.access.scim.events import PersonLetGo, PersonPushed
from waypost.access.scim.membership import scim_id
from waypost.access.scim.models import ScimGroup, ScimMember, ScimPerson, ScimStop
from waypost.access.scim.resources import PERSON_TYPE, Person, bare
from waypost.directory.events import UserDeactivated, UserReactivated
from waypost.directory.models import User
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.events import Doer, System, record
from waypost.kernel.shapes import in_one_line, is_blank

PUSHED: Doer = System(channel="scim")
MOST_BYTES = 65_536  # of what a provider says of one person


# --- reading ----------------------------------------------------------------------------------------------------------


def theirs(provider_id: int) -> Select[ScimPerson]:
    """The people of a provider that it knows now."""
    return select(ScimPerson).where(ScimPerson.provider_id == provider_id, ScimPerson.deleted_at.is_(None))


async def row_of(session: AsyncSession, provider_id: int, resource_id: str | None) -> ScimPerson:
    """A provider's person. Raises `NotFoundException`."""
    named = scim_id(resource_id)
    wanted = theirs(provider_id).where(ScimPerson.scim_id == named).execution_options(populate_existing=True)
    row = await session.scalar(wanted) if named else None
    if row is None:
        raise NotFoundException(detail="There is no such user.")
    return row


async def resources(session: AsyncSession, rows: Iterable[ScimPerson], *, with_groups: bool) -> list[Any]:
    """People as they are answered, with their groups in one statement for all."""
    listed = list(rows)
    groups: dict[int, list[dict[str, str]]] = {row.id: [] for row in listed}
    if with_groups and listed:
        found = await session.execute(
            select(ScimMember.person_id, ScimGroup.scim_id, ScimGroup.display_name)
            .join(ScimGroup, ScimGroup.id == ScimMember.group_id)
            .where(ScimMember.person_id.in_(list(groups)))
            .order_by(ScimGroup.id)
        )
        for person_id, group_id, name in found:
            groups[person_id].append({"value": str(group_id), "$ref": f"Groups/{group_id}", "display": name})
    return [_resource(row, groups[row.id]) for row in listed]


def _resource(row: ScimPerson, groups: list[dict[str, str]]) -> Any:
    said = {**row.document, "id": str(row.scim_id)}
    said.pop("active", None)
    if row.is_active is not None:
        said["active"] = row.is_active
    if groups:
        said["groups"] = groups
    resource = Person.model_validate(said)
    resource.meta = Meta(
        resource_type=PERSON_TYPE.name,
        created=row.created_at,
        last_modified=row.updated_at,
        version=f'W/"{row.version}"',
    )
    return resource


# --- writing ----------------------------------------------------------------------------------------------------------


async def create(session: AsyncSession, provider: IdentityProvider, mail_domain: str, resource: Any) -> ScimPerson:
    """Somebody new to a provider: their account found as the provider may, or made.

    Raises `UniquenessException`, `NotLetIn`, `InvalidValueException`.
    """
    at, said = now(), _columns(resource)
    await one_at_a_time(session, provider.id, "newcomers")  # a second push of the same person finds the first
    await _must_be_new(session, provider.id, said)
    named = uuid.uuid4()
    external = _external(str(named), resource, mail_domain, groups=())
    user = await _come_back(session, provider, external, said, at)
    worked_here = user is not None
    if user is None:
        worked_here = await _must_be_free(session, provider.id, external)
        user = await bring_in(session, provider, external, PUSHED, at)
    row = ScimPerson(
        provider_id=provider.id, user_id=user.id, scim_id=named, version=1, created_at=at, updated_at=at, **said
    )
    session.add(row)
    await session.flush()
    if resource.active is False:
        await _disable(session, provider, row, at, is_leaver=worked_here)
    told = PersonPushed(user_id=user.id, provider_id=provider.id, changed=sorted(_said(row.document)))
    await record(session, told, actor=PUSHED, at=at)
    return row


async def change(
    session: AsyncSession, provider: IdentityProvider, mail_domain: str, resource: Any, expected_version: str | None
) -> ScimPerson:
    """What a provider says of somebody from now on. Raises what `create` does, `TooManyLeave`, `LastAdministrator`."""
    at, row = now(), await row_of(session, provider.id, resource.id)
    _check_version(row.version, expected_version)
    said = _columns(resource)
    await _must_be_new(session, provider.id, said, row.id)
    before = _said(row.document)
    user = await session.get(User, row.user_id)
    assert user is not None  # the row would have gone with them
    if resource.active is False and user.is_active:
        await _disable(session, provider, row, at)
    elif resource.active is True and not user.is_active and row.disabled_at is not None:
        # somebody an administrator of ours deactivated stays so: the provider has not let them go
        await leaving.set_active(session, PUSHED, user.id, is_active=True)
        row.disabled_at = None
    if provider.updates_people:
        await session.refresh(user, with_for_update={"key_share": True})
        external = _external(str(row.scim_id), resource, mail_domain)
        await _check_emptied(session, provider, user, external, at)
        await follow(session, provider, user, external, PUSHED, at)
    if resource.active is not None and not user.is_active:
        said["is_active"] = False  # what was asked for is not always what is: nothing said stays nothing said
    for name, value in said.items():
        setattr(row, name, value)
    row.version, row.updated_at = row.version + 1, at
    await session.flush()
    changed = [k for k in {*before, *row.document} if before.get(k) != row.document.get(k)]
    if changed:
        told = PersonPushed(user_id=row.user_id, provider_id=provider.id, changed=sorted(changed))
        await record(session, told, actor=PUSHED, at=at)
    return row


async def let_go(
    session: AsyncSession, provider: IdentityProvider, resource_id: str, expected_version: str | None
) -> None:
    """A provider does not know somebody any more: deactivated and unlinked, never gone.

    What remains is whose account it was, so that they find it when they are pushed again.
    """
    at, row = now(), await row_of(session, provider.id, resource_id)
    _check_version(row.version, expected_version)
    user = await session.get(User, row.user_id)
    assert user is not None
    if user.is_active:
        await _disable(session, provider, row, at)
    await roles_from_groups(session, provider, user, (), PUSHED)
    gone = delete(ScimMember).where(ScimMember.person_id == row.id).returning(ScimMember.group_id)
    left = list(await session.scalars(gone))
    if left:
        touched = update(ScimGroup).where(ScimGroup.id.in_(left))
        await session.execute(touched.values(version=ScimGroup.version + 1, updated_at=at))
    subject = str(row.scim_id)
    await session.execute(delete(Identity).where(Identity.provider_id == provider.id, Identity.subject == subject))
    row.document, row.emails, row.display_name = {}, [], None
    row.deleted_at = row.updated_at = at
    await session.flush()
    await record(session, PersonLetGo(user_id=row.user_id, provider_id=provider.id), actor=PUSHED, at=at)


async def one_at_a_time(session: AsyncSession, provider_id: int, what: str | None) -> None:
    """Writers of one person or group wait for each other from the start, before any row is locked."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"scim:{what}", provider_id))))


async def _disable(
    session: AsyncSession, provider: IdentityProvider, row: ScimPerson, at: datetime, *, is_leaver: bool = True
) -> None:
    """Deactivate somebody as a leaver is. Raises `TooManyLeave`, `LastAdministrator`, and what keeps their work here.

    Whoever comes disabled already leaves nothing behind, and is not counted.
    """
    if is_leaver:
        await one_at_a_time(session, provider.id, "leavers")
        await check_burst(session, provider.id, at)
    row.disabled_at = at
    await leaving.set_active(session, PUSHED, row.user_id, is_active=False)
    row.is_active = False
    await session.flush()


async def check_burst(session: AsyncSession, provider_id: int, at: datetime) -> None:
    """Whether one more may leave now. Raises `TooManyLeave`."""
    stop = await session.get(ScimStop, provider_id)
    if stop is not None and stop.allowed_until is not None and stop.allowed_until > at:
        return
    of_provider = ScimPerson.provider_id == provider_id
    left = await session.scalar(
        select(func.count())
        .select_from(ScimPerson)
        .where(
            of_provider,
            ScimPerson.disabled_at > at - bursts.WITHIN,
            ScimPerson.disabled_at > ScimPerson.created_at,  # and did not come disabled
        )
    )
    active = await session.scalar(
        select(func.count())
        .select_from(ScimPerson)
        .join(User, User.id == ScimPerson.user_id)
        .where(of_provider, ScimPerson.deleted_at.is_(None), User.is_active)
    )
    if bursts.is_burst((left or 0) + 1, (active or 0) + (left or 0)):
        raise TooManyLeave(
            f"{left} people were deactivated within the last hour, of {(active or 0) + (left or 0)}; "
            "one more needs an administrator of Waypost to allow it."
        )


async def _check_emptied(
    session: AsyncSession, provider: IdentityProvider, user: User, external: ExternalPerson, at: datetime
) -> None:
    """Whether one more may lose these values now, of all who lost one within the hour. Raises `TooManyLeave`."""
    gone = await would_empty(session, provider, user, external)
    stop = await session.get(ScimStop, provider.id)
    if not gone or (stop is not None and stop.allowed_until is not None and stop.allowed_until > at):
        return
    await one_at_a_time(session, provider.id, "emptied")
    active = await session.scalar(
        select(func.count())
        .select_from(ScimPerson)
        .join(User, User.id == ScimPerson.user_id)
        .where(ScimPerson.provider_id == provider.id, ScimPerson.deleted_at.is_(None), User.is_active)
    )
    for name in gone:
        lost = select(func.count()).where(
            Identity.provider_id == provider.id,
            Identity.subject != external.subject,
            Identity.said[emptied_at(name)].astext > rfc3339(at - bursts.WITHIN),
        )
        before = int(await session.scalar(lost) or 0)
        if bursts.is_burst(before + 1, active or 0):
            what = name.replace("_", " ")
            raise TooManyLeave(
                f"The {what} of {before} people was emptied within the last hour, of {active}; "
                "one more needs an administrator of Waypost to allow it."
            )


async def _come_back(
    session: AsyncSession, provider: IdentityProvider, external: ExternalPerson, said: Mapping[str, Any], at: datetime
) -> User | None:
    """Whose account this was before the provider let them go, provided that nobody has let them in otherwise since."""
    gone = select(ScimPerson).where(ScimPerson.provider_id == provider.id, ScimPerson.deleted_at.is_not(None))
    by_id = gone.where(ScimPerson.external_id == said["external_id"]) if said["external_id"] else None
    by_name = gone.where(func.lower(ScimPerson.user_name) == func.lower(said["user_name"]))
    if said["external_id"]:  # a name that is given again is not the person who had it
        known = ScimPerson.external_id
        by_name = by_name.where(or_(known.is_(None), known == said["external_id"]))
    for wanted in (by_id, by_name):
        if wanted is None:
            continue
        old = await session.scalar(wanted.order_by(ScimPerson.deleted_at.desc()).limit(1))
        user = await session.get(User, old.user_id) if old else None
        if old is None or user is None or user.is_active or old.disabled_at is None:
            continue
        await link(session, provider, external.subject, user.id, PUSHED, at, by="pushed_again")
        await session.execute(
            delete(ScimPerson).where(
                ScimPerson.provider_id == provider.id,
                ScimPerson.user_id == user.id,
                ScimPerson.deleted_at.is_not(None),
            )
        )
        await leaving.set_active(session, PUSHED, user.id, is_active=True)
        return await bring_in(session, provider, external, PUSHED, at)
    return None


async def _must_be_new(
    session: AsyncSession, provider_id: int, said: Mapping[str, Any], row_id: int | None = None
) -> None:
    """Raises `UniquenessException` for names somebody else of the provider has already."""
    others = theirs(provider_id) if row_id is None else theirs(provider_id).where(ScimPerson.id != row_id)
    same_name = others.where(func.lower(ScimPerson.user_name) == func.lower(said["user_name"]))
    if await session.scalar(same_name) is not None:
        raise UniquenessException(detail="There is a user with this userName already.")
    if said["external_id"]:
        same_id = others.where(ScimPerson.external_id == said["external_id"])
        if await session.scalar(same_id) is not None:
            raise UniquenessException(detail="There is a user with this externalId already.")


async def _must_be_free(session: AsyncSession, provider_id: int, external: ExternalPerson) -> bool:
    """Whether their address is somebody's here: then it is for the provider's rules to say whether it is them.

    Raises `UniquenessException` for a name somebody signs in with whom this provider did not bring: a second one like it
    would confuse.
    """
    name, email = str(external.username).lower(), str(external.email).lower()
    is_theirs = exists().where(ScimPerson.user_id == User.id, ScimPerson.provider_id == provider_id)
    other = await session.scalar(select(User).where(func.lower(User.username) == name, ~is_theirs))
    if other is not None and other.email.lower() != email:
        raise UniquenessException(detail="There is an account with this userName here, which is not this person's.")
    return await session.scalar(select(User.id).where(func.lower(User.email) == email)) is not None


async def on_user_deactivated(session: AsyncSession, event: UserDeactivated, actor: Doer) -> None:
    """Whoever leaves, by whatever way, is told to be inactive to those who pushed them."""
    await _told_active(session, event.user_id, is_active=False)


async def on_user_reactivated(session: AsyncSession, event: UserReactivated, actor: Doer) -> None:
    """Whoever comes back is told to be active."""
    await _told_active(session, event.user_id, is_active=True)


async def _told_active(session: AsyncSession, user_id: int, *, is_active: bool) -> None:
    await session.execute(
        update(ScimPerson)
        .where(ScimPerson.user_id == user_id, ScimPerson.deleted_at.is_(None))
        .values(is_active=is_active, version=ScimPerson.version + 1, updated_at=now())
        .execution_options(synchronize_session=False)
    )


def _check_version(version: int, expected: str | None) -> None:
    if expected is not None and expected != f'W/"{version}"':
        raise PreconditionFailedException


def _columns(resource: Any) -> dict[str, Any]:
    """What is kept of a person beside the document, because it is asked for. Raises `InvalidValueException`."""
    name = in_one_line(resource.user_name or "")
    if is_blank(name) or len(name) > 254:
        raise InvalidValueException(detail="userName needs 1 to 254 characters.")
    for what, value in (("externalId", resource.external_id), ("displayName", resource.display_name)):
        if value is not None and len(value) > 255:
            raise InvalidValueException(detail=f"{what} has at most 255 characters.")
    document = bare(resource)
    if len(resource.model_dump_json()) > MOST_BYTES:
        raise InvalidValueException(detail=f"What is said of one person has at most {MOST_BYTES} bytes.")
    addresses = [str(e.value).lower() for e in resource.emails or [] if e.value]
    if len(addresses) > 20 or any(len(a) > 254 for a in addresses):
        raise InvalidValueException(detail="A person has at most 20 e-mail addresses, of at most 254 characters.")
    return {
        "external_id": resource.external_id or None,
        "user_name": name,
        "display_name": resource.display_name,
        "emails": addresses,
        "is_active": resource.active,
        "document": document,
    }


def _said(document: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in document.items() if k != "schemas"}


def _external(
    subject: str, resource: Any, mail_domain: str, *, groups: tuple[str, ...] | None = None
) -> ExternalPerson:
    """Somebody as `providers.people` reads them."""
    name, extension = resource.name, resource[EnterpriseUser]
    manager = extension.manager if extension else None
    return ExternalPerson(
        subject=subject,
        username=resource.user_name,
        email=_address(resource, mail_domain),
        email_verified=True,  # whoever may push people keeps the company's mailboxes, or the directory that does
        first_name=(name.given_name if name else None) or _first(resource),
        last_name=name.family_name if name else None,
        groups=groups,
        department=extension.department if extension else None,
        manager_subject=manager.value.lower() if manager and manager.value else None,
        job_title=resource.title,
        timezone=resource.timezone,
        empties=CAN_BE_EMPTY,  # what is pushed is all there is of a person
    )


def _first(resource: Any) -> str | None:
    formatted = resource.name.formatted if resource.name else None
    said: str | None = formatted or resource.display_name
    return said if not (resource.name and resource.name.family_name) else None


def _address(resource: Any, mail_domain: str) -> str | None:
    """The address people are written to: the first, the one at work, or their name at the provider's domain."""
    listed = [e for e in resource.emails or [] if usable_email(str(e.value) if e.value else None)]
    listed.sort(key=lambda e: (not e.primary, str(e.type).lower() != "work"))
    if listed:
        return str(listed[0].value)
    name = str(resource.user_name)
    if usable_email(name):
        return name
    return usable_email(f"{name}@{mail_domain}") if mail_domain else None
