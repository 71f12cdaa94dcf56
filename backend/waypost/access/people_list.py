"""People as administrators look for them: who is there, in what, with which role, and whose sign-in needs a look."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from enum import StrEnum
from typing import IO, Any

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.errors import TooManyExports
from waypost.access.events import UsersExported
from waypost.access.models import LoginSession, Passkey, Role, TotpSecret, UserRole, held
from waypost.access.queries import roles_of
from waypost.directory import queries
from waypost.directory.models import TeamMember, User
from waypost.directory.names import names
from waypost.kernel.cells import BOM, csv_bytes
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.db import Database
from waypost.kernel.events import record

STALE_AFTER = timedelta(days=90)
MOST_ROWS = 50_000
BATCH = 500
CHUNK = 64 * 1024
_writing = asyncio.Semaphore(2)  # files a process writes at a time
_by_person: set[int] = set()


class Look(StrEnum):
    """What about somebody's sign-in is worth a look."""

    NEVER_SIGNED_IN = "NEVER_SIGNED_IN"
    NO_SECOND_FACTOR = "NO_SECOND_FACTOR"
    STALE = "STALE"


@dataclass(frozen=True, slots=True)
class PeopleFilters:
    """What narrows the list; nothing is everybody."""

    q: str | None = None
    is_active: bool | None = None
    department_id: int | None = None
    manager_id: int | None = None
    team_id: int | None = None
    role: str | None = None
    look: Look | None = None


def _second_factor() -> ColumnElement[bool]:
    return or_(
        exists().where(TotpSecret.user_id == User.id, TotpSecret.confirmed_at.is_not(None)),
        exists().where(Passkey.user_id == User.id),
    )


def _among(filters: PeopleFilters) -> ColumnElement[bool]:
    wanted: list[ColumnElement[bool]] = [User.id.is_not(None)]
    if filters.is_active is not None:
        wanted.append(User.is_active.is_(filters.is_active))
    if filters.department_id is not None:
        wanted.append(User.department_id == filters.department_id)
    if filters.manager_id is not None:
        wanted.append(User.manager_id == filters.manager_id)
    if filters.team_id is not None:
        wanted.append(exists().where(TeamMember.user_id == User.id, TeamMember.team_id == filters.team_id))
    if filters.role is not None:
        of_role = select(Role.id).where(Role.key == filters.role).scalar_subquery()
        wanted.append(exists().where(UserRole.user_id == User.id, UserRole.role_id == of_role, held()))
    if filters.look is Look.NEVER_SIGNED_IN:
        wanted.append(User.signed_in_at.is_(None))
    if filters.look is Look.NO_SECOND_FACTOR:
        wanted.append(~_second_factor())
    if filters.look is Look.STALE:
        since = now() - STALE_AFTER
        seen = exists().where(LoginSession.user_id == User.id, LoginSession.last_seen_at >= since)
        wanted.append(and_(User.created_at < since, or_(User.signed_in_at.is_(None), User.signed_in_at < since), ~seen))
    return and_(*wanted)


async def user_page(
    session: AsyncSession, filters: PeopleFilters, *, cursor: str | None, limit: int
) -> tuple[list[User], str | None]:
    """People by name, inactive ones too, a page at a time. One statement."""
    rows, following = await queries.people_page(
        session, q=filters.q, cursor=cursor, limit=limit, only_active=False, among=_among(filters)
    )
    return [user for user, _ in rows], following


async def as_json(session: AsyncSession, rows: Sequence[User]) -> list[dict[str, Any]]:
    """People as administrators read them; a handful of statements however many they are."""
    ids = [u.id for u in rows]
    people = await names.people(session, [u.manager_id for u in rows])
    departments = await names.departments(session, [u.department_id for u in rows])
    roles = await roles_of(session, ids)
    protected = set(await session.scalars(select(User.id).where(User.id.in_(ids), _second_factor())))
    return [
        {
            "id": u.id,
            "username": u.username,
            "email": u.email,
            "first_name": u.first_name,
            "last_name": u.last_name,
            "name": u.name,
            "job_title": u.job_title,
            "department": departments.get(u.department_id),
            "manager": people.get(u.manager_id),
            "roles": roles[u.id],
            "is_active": u.is_active,
            "timezone": u.timezone,
            "locale": u.locale,
            "signed_in_at": u.signed_in_at and rfc3339(u.signed_in_at),
            "has_second_factor": u.id in protected,
            "is_erased": u.erased_at is not None,
            "version": u.version,
        }
        for u in rows
    ]


# --- as a file --------------------------------------------------------------------------------------------------------

HEADINGS = (
    "Username",
    "E-mail",
    "First name",
    "Last name",
    "Job title",
    "Department",
    "Manager",
    "Roles",
    "Active",
    "Second factor",
    "Last sign-in",
    "Time zone",
)


@dataclass(slots=True)
class Exported:
    """A file that is ready. `is_cut`: there were more rows than a file may have."""

    file: IO[bytes]
    size: int = 0
    rows: int = 0
    is_cut: bool = False

    async def pieces(self) -> AsyncIterator[bytes]:
        """The file's bytes; it is gone once they were read, or nobody reads on."""
        try:
            while piece := await asyncio.to_thread(self.file.read, CHUNK):
                yield piece
        finally:
            self.file.close()


def _cells(person: dict[str, Any]) -> list[str]:
    return [
        person["username"],
        person["email"],
        person["first_name"],
        person["last_name"],
        person["job_title"],
        (person["department"] or {}).get("name", ""),
        (person["manager"] or {}).get("name", ""),
        "; ".join(r["name"] for r in person["roles"]),
        "Yes" if person["is_active"] else "No",
        "Yes" if person["has_second_factor"] else "No",
        person["signed_in_at"] or "",
        person["timezone"],
    ]


async def export_users(database: Database, actor: Actor, filters: PeopleFilters) -> Exported:
    """The list as a CSV file, once the log holds who takes it. Raises `TooManyExports`.

    Written whole into a nameless temporary file first: no session is open while a slow client reads.
    """
    if actor.user_id in _by_person:
        raise TooManyExports(retry_after=5)
    _by_person.add(actor.user_id)
    try:
        async with _writing:
            made = await _write(database, filters)
    finally:
        _by_person.discard(actor.user_id)
    try:
        narrowed = {f.name: v for f in fields(filters) if (v := getattr(filters, f.name)) is not None}
        async with database.transaction() as session:
            told = UsersExported(user_id=actor.user_id, filters=narrowed, rows=made.rows)
            await record(session, told, actor=actor)
    except BaseException:
        made.file.close()
        raise
    return made


async def _write(database: Database, filters: PeopleFilters) -> Exported:
    file: IO[bytes] = tempfile.TemporaryFile(prefix="waypost-export-")  # noqa: SIM115 - it lives until it was read
    made, cursor = Exported(file), None
    try:
        file.write(BOM + csv_bytes([HEADINGS]))
        while made.rows < MOST_ROWS:
            async with database.read() as session:
                rows, cursor = await user_page(session, filters, cursor=cursor, limit=BATCH)
                people = await as_json(session, rows)
            await asyncio.to_thread(file.write, csv_bytes([_cells(p) for p in people]))
            made.rows += len(people)
            if cursor is None:
                break
        made.is_cut = cursor is not None
        made.size = file.seek(0, 2)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return made
