"""How a directory is laid out: where people and groups are, and which attributes hold what. Pure.

A kind of directory brings what is usual there; what an administrator fills in takes its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from waypost.access.providers.said import CAN_BE_EMPTY

Flavour = Literal["ad", "openldap", "custom"]
FLAVOURS: tuple[Flavour, ...] = ("ad", "openldap", "custom")
# What a person has, by the name it has here; the setting with the attribute's name is `<name>_attribute`.
PEOPLES = (
    "username",
    "email",
    "first_name",
    "last_name",
    "department",
    "job_title",
    "manager",
    "timezone",
)
NEEDED = ("username", "email")
_OPENLDAP: dict[str, str] = {
    "user_filter": "(objectClass=inetOrgPerson)",
    "group_filter": "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames))",
    "id_attribute": "entryUUID",
    "group_name_attribute": "cn",
    "username_attribute": "uid",
    "email_attribute": "mail",
    "first_name_attribute": "givenName",
    "last_name_attribute": "sn",
    "department_attribute": "departmentNumber",
    "job_title_attribute": "title",
    "manager_attribute": "manager",
    "timezone_attribute": "",
}
PRESETS: dict[Flavour, dict[str, str]] = {
    "ad": {
        "user_filter": "(&(objectCategory=person)(objectClass=user))",
        "group_filter": "(objectClass=group)",
        "id_attribute": "objectGUID",
        "group_name_attribute": "sAMAccountName",
        "username_attribute": "sAMAccountName",
        "email_attribute": "mail",
        "first_name_attribute": "givenName",
        "last_name_attribute": "sn",
        "department_attribute": "department",
        "job_title_attribute": "title",
        "manager_attribute": "manager",
        "timezone_attribute": "",
    },
    "openldap": _OPENLDAP,
    "custom": _OPENLDAP,
}
NOTHING = "-"  # what an administrator writes for "this directory has no such attribute"


@dataclass(frozen=True, slots=True)
class Shape:
    """One directory's layout. `attributes` are those of people, by the names of `PEOPLES`; a missing one is not read."""

    flavour: Flavour
    base_dn: str
    user_filter: str
    group_base: str
    group_filter: str
    group_name_attribute: str
    id_attribute: str
    nested_groups: bool
    attributes: Mapping[str, str]
    domains: tuple[str, ...] = ()

    @property
    def is_ad(self) -> bool:
        """Whether it is Active Directory, which has rules of its own."""
        return self.flavour == "ad"

    @property
    def changed_attribute(self) -> str:
        """By which one asks for what changed: a number that only grows on each server, or the time of a change."""
        return "uSNChanged" if self.is_ad else "modifyTimestamp"

    @property
    def asked(self) -> tuple[str, ...]:
        """The attributes that are read of people."""
        state = (
            ("userAccountControl", "accountExpires", "userPrincipalName")
            if self.is_ad
            else ("pwdAccountLockedTime", "nsAccountLock", "loginDisabled")
        )
        return tuple(dict.fromkeys((self.id_attribute, *self.attributes.values(), self.changed_attribute, *state)))


def shape_of(config: Mapping[str, Any]) -> Shape:
    """The layout that settings describe."""
    flavour: Flavour = next((f for f in FLAVOURS if f == config.get("flavour")), "custom")
    preset = PRESETS[flavour]

    def said(key: str) -> str:
        return str(config.get(key) or "").strip() or preset.get(key, "")

    attributes = {name: a for name in PEOPLES if (a := said(f"{name}_attribute")) and a != NOTHING}
    base = said("base_dn")
    return Shape(
        flavour=flavour,
        base_dn=base,
        user_filter=said("user_filter"),
        group_base=said("group_base") or base,
        group_filter=said("group_filter"),
        group_name_attribute=said("group_name_attribute"),
        id_attribute=said("id_attribute"),
        nested_groups=bool(config.get("nested_groups")),
        attributes=attributes,
        domains=tuple(d.strip().lower() for d in config.get("domains") or () if d.strip()),
    )


def read_of(config: Mapping[str, Any]) -> tuple[str, ...]:
    """What is read of people and can be empty there: of what is not mapped, silence says nothing."""
    attributes = shape_of(config).attributes
    return tuple(name for name in CAN_BE_EMPTY if name in attributes)


def departments_of(config: Mapping[str, Any]) -> dict[str, str]:
    """What departments are called here, by what the directory calls them (in lower case): lines of `there = here`."""
    pairs = (line.partition("=") for line in config.get("departments") or ())
    return {there.strip().lower(): here.strip() for there, sign, here in pairs if sign and there.strip()}
