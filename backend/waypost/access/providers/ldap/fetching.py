"""Reading a directory for a plan: all of it, or who is there and what changed since the last look."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from waypost.access.providers.ldap import searching
from waypost.access.providers.ldap.reading import Person, latest_of, normal, subjects_by_dn
from waypost.access.providers.ldap.searching import Cursor
from waypost.access.providers.ldap.shape import Shape
from waypost.vendors.ldap import Connection, Refused

MOST_ASKED_ALONE = 50  # people whose groups are asked for one by one; of more, each group is asked for its members


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a directory says. `unchanged` are subjects that are there as they were; `managers` subjects by entries' names."""

    people: list[Person]
    unchanged: frozenset[str]
    groups: Mapping[str, Collection[str]]
    managers: Mapping[str, str]
    cursor: Cursor
    is_whole: bool


def fetch(
    connection: Connection, shape: Shape, cursor: Cursor | None, wanted: Collection[str], at: datetime
) -> Fetched:
    """The directory: what changed since `cursor` when that can be told on this server, else all of it.

    Who is there is read in any case, so who is gone is known. Raises `LdapError`; half a list never passes for a whole.
    """
    place = searching.place(connection, shape, with_groups=bool(wanted))
    if cursor is not None and _goes_on(shape, cursor, place):
        return _changed(connection, shape, cursor, place, wanted, at)
    people = searching.everybody(connection, shape, at)
    if not people:
        raise Refused("nobody is found: look at the base DN, the filter, and what the account may read")
    return Fetched(
        people=people,
        unchanged=frozenset(),
        groups=searching.members(connection, shape, people, wanted),
        managers=_managers(connection, shape, people),
        cursor=_after(shape, place, people, ""),
        is_whole=True,
    )


def _goes_on(shape: Shape, cursor: Cursor, place: Cursor) -> bool:
    if not cursor.value or cursor.server != place.server:
        return False  # another server counts otherwise
    if shape.is_ad and int(place.value or 0) < int(cursor.value):
        return False  # it was restored from a backup
    return cursor.groups == place.groups


def _changed(
    connection: Connection, shape: Shape, cursor: Cursor, place: Cursor, wanted: Collection[str], at: datetime
) -> Fetched:
    there = searching.subjects(connection, shape)
    if not there:
        raise Refused("nobody is found any more: look at what the account may read")
    people = searching.changed(connection, shape, cursor, at)
    if len(people) > MOST_ASKED_ALONE:
        groups: Mapping[str, Collection[str]] = searching.members(connection, shape, people, wanted)
    else:
        groups = {p.subject: searching.groups_of(connection, shape, p, wanted) for p in people}
    return Fetched(
        people=people,
        unchanged=frozenset(there - {p.subject for p in people}),
        groups=groups,
        managers=_managers(connection, shape, people),
        cursor=_after(shape, place, people, cursor.value),
        is_whole=False,
    )


def _managers(connection: Connection, shape: Shape, people: list[Person]) -> dict[str, str]:
    """Whom the names mean that stand for managers, of those who are not among these people."""
    among = subjects_by_dn(people)
    others = {normal(p.manager_dn): p.manager_dn for p in people if p.manager_dn and normal(p.manager_dn) not in among}
    found = {name: searching.subject_at(connection, shape, dn) for name, dn in others.items()}
    return {name: subject for name, subject in found.items() if subject}


def _after(shape: Shape, place: Cursor, people: list[Person], before: str) -> Cursor:
    return place if shape.is_ad else Cursor(place.server, latest_of(people, before), place.groups)
