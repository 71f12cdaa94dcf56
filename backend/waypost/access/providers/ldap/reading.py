"""What entries of a directory say of people, and how people name themselves to it. Pure: bytes in, values out."""

from __future__ import annotations

import re
import uuid
import zoneinfo
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from waypost.access.providers.ldap.shape import Shape
from waypost.vendors.ldap import Entry, literal, literal_bytes

_DISABLED = 0x2  # Active Directory's userAccountControl
_NEVER = {0, 0x7FFFFFFFFFFFFFFF}  # accountExpires of an account that does not
_EPOCH_1601 = 11_644_473_600  # seconds from Windows' first day to Unix'
_EMAIL = re.compile(r"^[^\s@<>,;\"]+@[^\s@<>,;\"]+\.[^\s@<>,;\"]+$")
_LENGTHS = {"username": 64, "email": 254, "first_name": 100, "last_name": 100, "job_title": 100, "department": 100}
MOST_NAME = 256  # characters of a name somebody types


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as the directory has them. `problem` says what keeps them from being used; `values` hold what is read.

    `manager_dn` is whom they report to, by that entry's name. `changed` is the number or time of their last change.
    """

    subject: str
    dn: str
    name: str
    is_active: bool = True
    values: Mapping[str, str] = field(default_factory=dict)
    manager_dn: str = ""
    problem: str = ""
    changed: str = ""


def subject_of(entry: Entry, shape: Shape) -> str:
    """The name an entry has for ever, whatever it is renamed to; empty when it has none."""
    raw = entry.raw(shape.id_attribute)
    if shape.id_attribute.lower() == "objectguid" and len(raw) == 16:
        return str(uuid.UUID(bytes_le=raw))
    return raw.decode("utf-8", "replace").strip().lower()[:300]


def subject_filter(subject: str, shape: Shape) -> str:
    """The filter that finds an entry by that name."""
    if shape.id_attribute.lower() == "objectguid":
        return f"({shape.id_attribute}={literal_bytes(uuid.UUID(subject).bytes_le)})"
    return f"({shape.id_attribute}={literal(subject)})"


def person_of(entry: Entry, shape: Shape, at: datetime) -> Person:
    """What an entry says of a person at an instant."""
    values = {name: _plain(entry.text(attribute), name) for name, attribute in shape.attributes.items()}
    manager = values.pop("manager", "")
    zone = values.pop("timezone", "")
    if zone in _timezones():
        values["timezone"] = zone
    name = f"{values.get('first_name', '')} {values.get('last_name', '')}".strip() or values.get("username") or entry.dn
    subject = subject_of(entry, shape)
    return Person(
        subject=subject,
        dn=entry.dn,
        name=name[:200],
        is_active=is_active(entry, shape, at),
        values=values,
        manager_dn=manager,
        problem=_problem(subject, values, entry, shape),
        changed=entry.text(shape.changed_attribute),
    )


@lru_cache
def _timezones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _plain(value: str, name: str) -> str:
    """One line without control characters; an attribute of names is not cut, since a cut one is somebody else's."""
    line = " ".join("".join(c if c.isprintable() else " " for c in value).split())
    return line if name in ("username", "email", "manager") else line[: _LENGTHS.get(name, 100)].strip()


def _problem(subject: str, values: Mapping[str, str], entry: Entry, shape: Shape) -> str:
    if not subject:
        return f"has no {shape.id_attribute}"
    username, email = values.get("username", ""), values.get("email", "")
    if not username:
        return f"has no {shape.attributes.get('username', 'username')}"
    if len(username) > _LENGTHS["username"]:
        return "has a username of more than 64 characters"
    if not email:
        return f"has no e-mail address ({shape.attributes.get('email', 'email')})"
    if len(email) > _LENGTHS["email"] or not _EMAIL.match(email):
        return "has an e-mail address that is none"
    if len(entry.dn) > 2000:
        return "has a name that is too long"
    return ""


def is_active(entry: Entry, shape: Shape, at: datetime) -> bool:
    """Whether the directory lets them in: not disabled, not expired, not locked for ever."""
    if shape.is_ad:
        control, expires = _number(entry.text("userAccountControl")), _number(entry.text("accountExpires"))
        if control & _DISABLED:
            return False
        return expires in _NEVER or expires / 10_000_000 - _EPOCH_1601 > at.timestamp()
    if entry.text("pwdAccountLockedTime") == "000001010000Z":  # by an administrator, and not for some minutes
        return False
    return not any(entry.text(a).lower() == "true" for a in ("nsAccountLock", "loginDisabled"))


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"-?\d{1,20}", text) else 0


@dataclass(frozen=True, slots=True)
class Typed:
    """A name as somebody typed it, in its parts. `domain` is empty for a bare one."""

    name: str
    domain: str = ""
    is_address: bool = False


def typed(text: str) -> Typed | None:
    """`user`, `user@domain` or `DOMAIN\\user`; None for what is no name."""
    text = text.strip()
    if not text or len(text) > MOST_NAME or not text.isprintable():
        return None
    domain, slash, name = text.partition("\\")
    if slash:
        return Typed(name, domain.lower()) if name and domain and "\\" not in name else None
    name, sign, domain = text.rpartition("@")
    if sign:
        return Typed(name, domain.lower(), is_address=True) if name and domain else None
    return Typed(text)


def sign_in_filter(text: str, shape: Shape) -> str | None:
    """The filter that finds who typed this name; None when it cannot be somebody of this directory."""
    said = typed(text)
    if said is None:
        return None
    ways = []
    username, email = shape.attributes.get("username", "uid"), shape.attributes.get("email")
    if not said.domain or said.domain in shape.domains:
        ways.append(f"({username}={literal(said.name)})")
    if said.is_address:
        whole = f"{said.name}@{said.domain}"
        ways.append(f"({username}={literal(whole)})")
        if shape.is_ad:
            ways.append(f"(userPrincipalName={literal(whole)})")
        if email:
            ways.append(f"({email}={literal(whole)})")
    if not ways:  # a domain that is not this directory's
        return None
    return f"(&{shape.user_filter}(|{''.join(dict.fromkeys(ways))}))"


def normal(dn: str) -> str:
    """An entry's name as it compares: without regard to case and spaces around signs."""
    return re.sub(r"\s*([,=+])\s*", r"\1", dn.strip()).lower()


def subjects_by_dn(people: Iterable[Person]) -> dict[str, str]:
    """Whom an entry's name means."""
    return {normal(p.dn): p.subject for p in people}


def reached(start: Iterable[str], above: Callable[[str], Iterable[str]], *, deep: bool, most: int = 10_000) -> set[str]:
    """What one comes to from `start` by going up, once each, also around circles; one step only unless `deep`."""
    found, waiting = set[str](), list(start)
    while waiting and len(found) < most:
        here = waiting.pop()
        if here in found:
            continue
        found.add(here)
        if deep:
            waiting.extend(above(here))
    return found


def changed_since(shape: Shape, cursor: str) -> str:
    """The filter of who changed since a cursor: above a number, or at or after a time."""
    if shape.is_ad:
        return f"(&{shape.user_filter}(uSNChanged>={_number(cursor) + 1}))"
    return f"(&{shape.user_filter}(modifyTimestamp>={literal(cursor)}))"


def latest_of(people: Iterable[Person], before: str) -> str:
    """The latest time of a change among people, for directories without numbers."""
    return max([before, *(p.changed for p in people)])
