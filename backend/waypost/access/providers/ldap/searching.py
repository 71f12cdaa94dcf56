"""Questions to a directory: who somebody is, who is there, who changed, and in which groups they are. Waits; for threads."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from waypost.access.providers.ldap.reading import (
    Person,
    changed_since,
    normal,
    person_of,
    reached,
    sign_in_filter,
    subject_of,
)
from waypost.access.providers.ldap.shape import Shape
from waypost.vendors.ldap import Connection, Refused, literal

_IN_CHAIN = "1.2.840.113556.1.4.1941"  # Active Directory follows groups in groups itself
_MEMBER = ("member", "uniqueMember", "memberUid")


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far one has read: on which server, up to which number or time, and how groups were."""

    server: str
    value: str
    groups: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A group by its two names, and the names of its members as they are written there."""

    dn: str
    name: str
    members: frozenset[str] = frozenset()


def find(connection: Connection, shape: Shape, typed: str, at: datetime) -> Person | None:
    """The one person who goes by a typed name; None for nobody, and for a name that means several."""
    asked = sign_in_filter(typed, shape)
    if asked is None:
        return None
    found = [person_of(e, shape, at) for e in connection.search(shape.base_dn, asked, shape.asked, most=2)]
    return found[0] if len(found) == 1 and found[0].subject else None


def everybody(connection: Connection, shape: Shape, at: datetime, most: int = 0) -> list[Person]:
    """Everybody the filter finds, whatever their state."""
    entries = connection.search(shape.base_dn, shape.user_filter, shape.asked, most=most)
    return [person_of(e, shape, at) for e in entries]


def subjects(connection: Connection, shape: Shape) -> set[str]:
    """Who is there, by the names that stay."""
    entries = connection.search(shape.base_dn, shape.user_filter, (shape.id_attribute,))
    return {subject for e in entries if (subject := subject_of(e, shape))}


def changed(connection: Connection, shape: Shape, cursor: Cursor, at: datetime) -> list[Person]:
    """Who changed since a cursor."""
    entries = connection.search(shape.base_dn, changed_since(shape, cursor.value), shape.asked)
    return [person_of(e, shape, at) for e in entries]


def place(connection: Connection, shape: Shape, *, with_groups: bool) -> Cursor:
    """Which server this is, how groups are and, for Active Directory, how far its numbers go. Asked before one reads people."""
    groups = mark_of_groups(connection, shape) if with_groups else ""
    if not shape.is_ad:
        return Cursor(connection.server.host, "", groups)
    about = connection.about(("highestCommittedUSN", "dsServiceName"))
    return Cursor(about.text("dsServiceName") or connection.server.host, about.text("highestCommittedUSN"), groups)


def subject_at(connection: Connection, shape: Shape, dn: str) -> str:
    """Whom an entry's name means; empty when there is no such entry."""
    try:
        found = next(connection.search(dn, "(objectClass=*)", (shape.id_attribute,), only_base=True), None)
    except Refused:  # what stands there is no name of an entry
        return ""
    return subject_of(found, shape) if found else ""


def groups(connection: Connection, shape: Shape, narrowed: str = "", *, with_members: bool = False) -> list[Group]:
    """Groups of the directory, all or those a further filter leaves."""
    asked = f"(&{shape.group_filter}{narrowed})" if narrowed else shape.group_filter
    wanted = (shape.group_name_attribute, *(_MEMBER if with_members else ()))
    return [
        Group(
            e.dn,
            e.text(shape.group_name_attribute),
            frozenset(normal(m) for a in _MEMBER for m in e.texts(a)) if with_members else frozenset(),
        )
        for e in connection.search(shape.group_base, asked, wanted)
    ]


def named(found: Iterable[Group], wanted: Collection[str]) -> dict[str, list[str]]:
    """What the wanted names (a group's own, or its whole name) mean: for each entry's name, those it goes by."""
    by_name: dict[str, list[str]] = {}
    for group in found:
        mine = {group.name.lower(), normal(group.dn)}
        if names := [w for w in wanted if w.lower() in mine or normal(w) in mine]:
            by_name[normal(group.dn)] = names
    return by_name


def groups_of(connection: Connection, shape: Shape, person: Person, wanted: Collection[str]) -> set[str]:
    """Those of the wanted groups somebody is in."""
    if not wanted:
        return set()
    if shape.is_ad and shape.nested_groups:
        mine = groups(connection, shape, f"(member:{_IN_CHAIN}:={literal(person.dn)})")
        return {w for names in named(mine, wanted).values() for w in names}
    known: dict[str, Group] = {}

    def above(member: str) -> list[str]:
        ways = f"(member={literal(member)})(uniqueMember={literal(member)})"
        if member == person.dn and (username := person.values.get("username")):
            ways += f"(memberUid={literal(username)})"
        found = groups(connection, shape, f"(|{ways})")
        known.update({g.dn: g for g in found})
        return [g.dn for g in found]

    met = reached(above(person.dn), above, deep=shape.nested_groups, most=1000)
    return {w for names in named((g for dn, g in known.items() if dn in met), wanted).values() for w in names}


def members(
    connection: Connection, shape: Shape, people: Collection[Person], wanted: Collection[str]
) -> dict[str, set[str]]:
    """Those of the wanted groups each of these people is in, by subject; who is in none is left out."""
    if not wanted:
        return {}
    return _asked_of_ad(connection, shape, wanted) if shape.is_ad else _worked_out(connection, shape, people, wanted)


def _asked_of_ad(connection: Connection, shape: Shape, wanted: Collection[str]) -> dict[str, set[str]]:
    result: dict[str, set[str]] = {}
    rule = f":{_IN_CHAIN}:" if shape.nested_groups else ""
    for group in groups(connection, shape, _by_name(shape, wanted)):
        for names in named([group], wanted).values():
            inside = f"(&{shape.user_filter}(memberOf{rule}={literal(group.dn)}))"
            for entry in connection.search(shape.base_dn, inside, (shape.id_attribute,)):
                result.setdefault(subject_of(entry, shape), set()).update(names)
    return result


def _by_name(shape: Shape, wanted: Collection[str]) -> str:
    ways = (f"({shape.group_name_attribute}={literal(w)})(distinguishedName={literal(w)})" for w in sorted(wanted))
    return f"(|{''.join(ways)})"


def _worked_out(
    connection: Connection, shape: Shape, people: Collection[Person], wanted: Collection[str]
) -> dict[str, set[str]]:
    """By the lists of members of all groups: it needs no overlay at the server."""
    found = groups(connection, shape, with_members=True)
    names = named(found, wanted)
    above: dict[str, list[str]] = {}
    for group in found:
        for member in group.members:
            above.setdefault(member, []).append(normal(group.dn))
    result: dict[str, set[str]] = {}
    for person in people:
        start = {*above.get(normal(person.dn), ()), *above.get(person.values.get("username", "").lower(), ())}
        met = reached(start, lambda dn: above.get(dn, ()), deep=shape.nested_groups)
        if mine := {w for dn in met for w in names.get(dn, ())}:
            result[person.subject] = mine
    return result


def mark_of_groups(connection: Connection, shape: Shape) -> str:
    """A fingerprint of all groups as they are: who comes into one or leaves it changes the group, and not the person."""
    stamps = ("uSNChanged",) if shape.is_ad else ("entryCSN", "modifyTimestamp")
    marks = sorted(
        f"{normal(e.dn)}\n{' '.join(e.text(s) for s in stamps)}"
        for e in connection.search(shape.group_base, shape.group_filter, stamps)
    )
    return hashlib.sha256("\0".join(marks).encode()).hexdigest()
