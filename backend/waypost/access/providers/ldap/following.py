"""Who comes by a directory, beside whom it lists: both as the plan wants them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.models import Role, RolePermission, UserRole, held
from waypost.access.providers.ldap.models import DirectoryLeaver, DirectoryRun, DirectoryRunPerson, RunState
from waypost.access.providers.ldap.reading import Person, normal, subjects_by_dn
from waypost.access.providers.models import VERIFIED_EMAIL, Identity, IdentityProvider, ProviderGroup
from waypost.access.providers.people import ADMINISTERS, EVERYBODY
from waypost.access.providers.plan import ADMINISTRATOR, Action, Known, Seen
from waypost.access.providers.said import emptied
from waypost.directory.models import Department, User


@dataclass(frozen=True, slots=True)
class Here:
    """What is here that a directory's list is held against.

    `known` are the people who come by it; `departments` the names there are, by their lower case; `role_map` the keys of
    the roles each group gives; `taken` whose the addresses are that the list names; `linkable` those that may become
    somebody's of the directory.
    """

    known: tuple[Known, ...]
    departments: Mapping[str, str]
    role_map: Mapping[str, frozenset[str]]
    administrators: frozenset[int]
    taken: Mapping[str, int]
    linkable: frozenset[str]


async def groups_mapped(session: AsyncSession, provider_id: int) -> dict[str, frozenset[str]]:
    """Which roles each group of a provider gives, by key."""
    rows = await session.execute(
        select(ProviderGroup.group_name, Role.key)
        .join(Role, Role.id == ProviderGroup.role_id)
        .where(ProviderGroup.provider_id == provider_id)
    )
    found: dict[str, set[str]] = {}
    for group, key in rows:
        found.setdefault(group, set()).add(key)
    return {group: frozenset(keys) for group, keys in found.items()}


async def left_lately(session: AsyncSession, provider_id: int, since: datetime) -> int:
    """How many were deactivated since by plans that nobody looked at, and are so still."""
    looked_at = (
        exists()
        .where(DirectoryRun.provider_id == provider_id, DirectoryRun.settled_at > since)
        .where(DirectoryRun.state == RunState.APPLIED, DirectoryRun.settled_at <= DirectoryLeaver.at)
        .where(DirectoryRunPerson.run_id == DirectoryRun.id, DirectoryRunPerson.user_id == DirectoryLeaver.user_id)
        .where(DirectoryRunPerson.action == Action.DEACTIVATE.value)
    )
    left = select(func.count()).select_from(DirectoryLeaver).where(DirectoryLeaver.provider_id == provider_id)
    return await session.scalar(left.where(DirectoryLeaver.at > since, ~looked_at)) or 0


async def known_people(session: AsyncSession, provider_id: int) -> tuple[Known, ...]:
    """Everybody who comes by a provider, as they are here. One statement."""
    mine = and_(UserRole.user_id == User.id, UserRole.role_id == Role.id)
    keys = func.array_agg(aggregate_order_by(Role.key, Role.key))
    above = (
        select(func.min(Identity.subject))
        .where(Identity.provider_id == provider_id, Identity.user_id == User.manager_id)
        .correlate(User)
        .scalar_subquery()
    )
    by_it = UserRole.provider_id == provider_id
    rows = await session.execute(
        select(
            Identity.subject,
            Identity.said,
            User,
            Department.name.label("department"),
            above.label("manager"),
            select(keys).where(mine, by_it).correlate(User).scalar_subquery().label("roles"),
            select(keys)
            .where(mine, UserRole.provider_id.is_distinct_from(provider_id), held())
            .correlate(User)
            .scalar_subquery()
            .label("other_roles"),
            exists()
            .where(DirectoryLeaver.provider_id == provider_id, DirectoryLeaver.user_id == User.id)
            .correlate(User)
            .label("left_by_sync"),
        )
        .join(User, User.id == Identity.user_id)
        .outerjoin(Department, Department.id == User.department_id)
        .where(Identity.provider_id == provider_id)
        .order_by(Identity.id)
    )
    return tuple(
        Known(
            subject=row.subject,
            user_id=row.User.id,
            name=row.User.name or row.User.username,
            is_active=row.User.is_active,
            values={
                "email": row.User.email.lower(),
                "first_name": row.User.first_name,
                "last_name": row.User.last_name,
                "job_title": row.User.job_title,
                "timezone": row.User.timezone,
                "department": row.department,
                "manager": row.manager,
            },
            roles=frozenset(row.roles or ()),
            other_roles=frozenset(row.other_roles or ()),
            left_by_sync=row.left_by_sync,
            said=row.said or {},
        )
        for row in rows
    )


async def here(session: AsyncSession, provider: IdentityProvider, emails: Collection[str]) -> Here:
    """What a list with these addresses is held against."""
    departments = await session.scalars(select(Department.name))
    administering = (
        select(User.id)
        .join(UserRole, UserRole.user_id == User.id)
        .join(Role, Role.id == UserRole.role_id)
        .where(Role.key == ADMINISTRATOR, User.is_active, held())
    )
    wanted = sorted({e.lower() for e in emails})
    taken: dict[str, int] = {}
    linkable: set[str] = set()
    for start in range(0, len(wanted), 5000):
        part = wanted[start : start + 5000]
        rows = await session.execute(
            select(func.lower(User.email).label("email"), User.id, _may_become(provider).label("linkable")).where(
                func.lower(User.email).in_(part)
            )
        )
        for row in rows:
            taken[row.email] = row.id
            if row.linkable and provider.links_by == VERIFIED_EMAIL:
                linkable.add(row.email)
    return Here(
        known=await known_people(session, provider.id),
        departments={name.lower(): name for name in departments},
        role_map=await groups_mapped(session, provider.id),
        administrators=frozenset(await session.scalars(administering)),
        taken=taken,
        linkable=frozenset(linkable),
    )


def _may_become(provider: IdentityProvider) -> ColumnElement[bool]:
    """Whether an account may become somebody's by its address: active, nobody's of this provider, and no administrator's."""
    powers = [p.value for p in ADMINISTERS]
    has_another = exists().where(Identity.provider_id == provider.id, Identity.user_id == User.id)
    administers = (
        exists()
        .where(UserRole.user_id == User.id, UserRole.role_id == Role.id)
        .where(
            (Role.key == ADMINISTRATOR)
            | exists().where(RolePermission.role_id == Role.id, RolePermission.permission.in_(powers))
        )
    )
    return and_(User.is_active, ~has_another, ~administers)


def seen_people(
    people: Iterable[Person],
    here: Here,
    groups: Mapping[str, Collection[str]],
    departments: Mapping[str, str],
    managers: Mapping[str, str],
    *,
    makes_departments: bool,
    read: Collection[str],
) -> list[Seen]:
    """Whom a directory lists, as the plan wants them.

    `groups` are those each subject is in; `departments` what the directory's are called here; `managers` the subjects of
    entries that are not among these people, by name; `read` what is read of people that can be empty.
    """
    people = [p for p in people if p.subject or p.problem]
    subjects = {**managers, **subjects_by_dn(p for p in people if p.subject)}
    active = {p.subject for p in people if p.is_active} | {k.subject for k in here.known}
    known = {k.subject: k for k in here.known}
    other_roles = {k.subject: k.other_roles for k in here.known}
    return [
        Seen(
            subject=person.subject or normal(person.dn)[:300],
            name=person.name,
            is_active=person.is_active,
            values=_emptied(person, known.get(person.subject), read)
            | _values(person, here, departments, subjects, active, makes_departments),
            roles=_roles(here.role_map, groups.get(person.subject, ())) - other_roles.get(person.subject, frozenset()),
            problem=person.problem,
        )
        for person in people
    ]


def _values(
    person: Person,
    here: Here,
    departments: Mapping[str, str],
    subjects: Mapping[str, str],
    active: Collection[str],
    makes_departments: bool,
) -> dict[str, str | None]:
    """What the directory decides on: what it says nothing of, and what means nothing here, stays as it is."""
    kept = ("first_name", "last_name", "job_title", "timezone")
    values: dict[str, str | None] = {name: v for name in kept if (v := person.values.get(name))}
    if email := person.values.get("email"):
        values["email"] = email.lower()
    if said := person.values.get("department"):
        name = departments.get(said.lower(), said)
        if name.lower() in here.departments or makes_departments:
            values["department"] = here.departments.get(name.lower(), name)
    manager = subjects.get(normal(person.manager_dn)) if person.manager_dn else None
    if manager and manager in active and manager != person.subject:
        values["manager"] = manager
    return values


def _emptied(person: Person, known: Known | None, read: Collection[str]) -> dict[str, str | None]:
    """What the directory said before and has emptied, where it still stands here."""
    if known is None or not known.said:
        return {}
    now = {**person.values, "manager": person.manager_dn or ""}
    return dict.fromkeys(emptied(known.said, now, known.values, read))


def _roles(role_map: Mapping[str, frozenset[str]], groups: Collection[str]) -> frozenset[str]:
    return frozenset().union(*(role_map.get(g, frozenset()) for g in (*groups, EVERYBODY)))
