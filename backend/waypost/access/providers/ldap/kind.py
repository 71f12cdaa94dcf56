"""LDAP directories as a kind of identity provider: what is filled in, and what a test of it finds out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sqlalchemy import func, select

from waypost.access.providers.kinds import Config, Findings, Found, Provider
from waypost.access.providers.ldap import searching
from waypost.access.providers.ldap.directory import PORTS, directory_of, parse, security_of
from waypost.access.providers.ldap.reading import Person
from waypost.access.providers.ldap.shape import FLAVOURS, PEOPLES, PRESETS, Shape
from waypost.access.providers.models import Identity
from waypost.directory.models import User
from waypost.kernel.clock import now
from waypost.kernel.db import database
from waypost.kernel.settings_form import Field
from waypost.vendors import ldap

KEY = "ldap"
SAMPLE = 3
# Whole numbers that are filled in as text: least, most, and what is meant when nothing is said.
NUMBERS = {
    "sync_minutes": (5, 1440, 30),
    "stop_above_percent": (0, 100, 5),
    "password_tries": (1, 20, 4),
}
_WHAT = {
    "username": "Username",
    "email": "E-mail address",
    "first_name": "First name",
    "last_name": "Last name",
    "department": "Department",
    "job_title": "Job title",
    "manager": "Manager",
    "timezone": "Time zone",
}


def number(config: Config, key: str) -> int:
    """A number among the settings; what is usual when it is missing or none."""
    least, most, usual = NUMBERS[key]
    text = str(config.get(key) or "").strip()
    return min(max(int(text), least), most) if text.isascii() and text.isdigit() and len(text) < 6 else usual


def _attribute(name: str) -> Field:
    usual = {f: PRESETS[f].get(f"{name}_attribute", "") for f in ("ad", "openldap")}
    said = ", ".join(f"{v} ({'Active Directory' if f == 'ad' else 'OpenLDAP'})" for f, v in usual.items() if v)
    help_ = f"Usually {said}; a single “-” reads none." if said else "Empty reads none."
    return Field(f"{name}_attribute", f"Attribute: {_WHAT[name]}", help=help_, required=False, most=100)


class Ldap:
    """Active Directory, OpenLDAP and their kin."""

    key: ClassVar[str] = KEY
    label: ClassVar[str] = "LDAP or Active Directory"
    fields: ClassVar[tuple[Field, ...]] = (
        Field("flavour", "Kind of directory", "choice", choices=FLAVOURS, default="ad"),
        Field("servers", "Servers", "list", help="One a line, with :port when it is not the usual one; tried in this order."),
        Field(
            "security",
            "Encryption",
            "choice",
            help="“none” reaches this machine only, and only where OUTGOING_ALLOW names it.",
            choices=("tls", "starttls", "none"),
            default="tls",
        ),
        Field("ca_file", "CA file", help="A file on the server, when its authority is not a public one.", required=False),
        Field(
            "certificate_name",
            "Name in the certificate",
            help="When the servers are reached by another name than their certificate has.",
            required=False,
            most=253,
        ),
        Field("base_dn", "Base DN", help="Where people are looked for, with all below: DC=corp,DC=example,DC=com."),
        Field("bind_dn", "Account to search with", help="Its DN; it needs to read only."),
        Field("bind_password", "Password of that account", "secret"),
        Field(
            "domains",
            "Domains",
            "list",
            help="What may stand before \\ or behind @ in a name that people type: CORP, corp.example.com.",
            required=False,
            most=253,
        ),
        Field("user_filter", "Filter for people", help="Empty takes what is usual for the kind.", required=False),
        Field("group_base", "Base DN of groups", help="Empty looks below the base DN.", required=False),
        Field("group_filter", "Filter for groups", help="Empty takes what is usual for the kind.", required=False),
        Field("nested_groups", "Follow groups in groups", "boolean", required=False, default=True),
        Field("group_name_attribute", "Attribute: Group’s name", help="Usually sAMAccountName or cn.", required=False),
        Field(
            "id_attribute",
            "Attribute: Identity",
            help="What stays when an entry is renamed or moved; usually objectGUID or entryUUID.",
            required=False,
            most=100,
        ),
        *(_attribute(name) for name in PEOPLES),
        Field(
            "departments",
            "Departments",
            "list",
            help="What a department is called here, when it is not the same: “Sales EMEA = Sales”, one a line.",
            required=False,
            most=300,
        ),
        Field("creates_departments", "Create departments that are not here yet", "boolean", required=False, default=False),
        Field("password_tries", "Wrong passwords before a pause", help="Fewer than lock an account there.", default="4"),
        Field("syncs", "Follow the directory", "boolean", help="By itself, not only at sign-in.", required=False, default=False),
        Field("sync_minutes", "Minutes between two looks", required=False, default="30"),
        Field(
            "deactivates",
            "Deactivate who is gone or disabled there",
            "boolean",
            required=False,
            default=True,
        ),
        Field(
            "stop_above_percent",
            "Stop when more than so many percent would go",
            help="Then an administrator looks at the plan.",
            required=False,
            default="5",
        ),
    )  # fmt: skip

    def check(self, settings: Config) -> Mapping[str, str]:
        """What keeps the settings from being used."""
        wrong: dict[str, str] = {}
        for written in settings.get("servers") or ():
            try:
                parse(str(written), PORTS[security_of(settings)])
            except ValueError as error:
                wrong["servers"] = str(error)
        for key in ("user_filter", "group_filter"):
            text = str(settings.get(key) or "").strip()
            if text and not _is_filter(text):
                wrong[key] = "stands in brackets, as many closed as opened"
        for key, (least, most, _) in NUMBERS.items():
            text = str(settings.get(key) or "").strip()
            if text and not (text.isascii() and text.isdigit() and len(text) < 6 and least <= int(text) <= most):
                wrong[key] = f"must be a number from {least} to {most}"
        for line in settings.get("departments") or ():
            if "=" not in str(line):
                wrong["departments"] = f"{str(line)[:60]!r} has no “=” between the two names"
        return wrong

    async def test(self, provider: Provider) -> Findings:
        """Whether it answers, how many it finds, and what would become of the first of them."""
        found: list[Found] = []
        try:
            directory = await directory_of(provider.config)
            at = now()

            def question(connection: ldap.Connection, shape: Shape) -> tuple[str, list[Person], int]:
                people = searching.everybody(connection, shape, at)
                return connection.server.host, people, len(searching.groups(connection, shape))

            host, people, groups = await directory.ask(question)
        except ldap.SignInRefused as refused:
            return Findings(tuple(found), f"The directory does not take the account to search with: {refused}")
        except ldap.LdapError as error:
            return Findings(tuple(found), f"The directory cannot be used: {error}.")
        how = {"tls": "encrypted", "starttls": "encrypted (STARTTLS)", "none": "not encrypted"}
        security = directory.servers[0].security
        found.append(Found("Connected", f"{host}, {how[security]}", security != "none"))
        active = [p for p in people if p.is_active]
        found.append(Found("People", f"{len(people)}, {len(active)} of them active", bool(active)))
        found.append(Found("Groups", str(groups), groups > 0))
        if faulty := [p for p in active if p.problem]:
            said = "; ".join(f"{p.name} {p.problem}" for p in faulty[:SAMPLE])
            found.append(Found("Cannot be used", f"{len(faulty)}: {said}", is_good=False))
        usable = [p for p in active if not p.problem]
        found += await _sample(provider, usable[:SAMPLE])
        if not usable:
            return Findings(tuple(found), "Nobody who could be used is found: look at the base DN and the filter.")
        return Findings(tuple(found))


async def _sample(provider: Provider, people: list[Person]) -> list[Found]:
    """What would become of some people."""
    async with database().read() as session:
        mine = select(Identity.subject, User.username).join(User, User.id == Identity.user_id)
        known = {
            row.subject: row.username
            for row in await session.execute(
                mine.where(Identity.provider_id == provider.id, Identity.subject.in_([p.subject for p in people]))
            )
        }
        emails = [p.values["email"].lower() for p in people]
        there = set(await session.scalars(select(func.lower(User.email)).where(func.lower(User.email).in_(emails))))
    result = []
    for person in people:
        email = person.values["email"].lower()
        if person.subject in known:
            becomes, is_good = f"is {known[person.subject]} here", True
        elif email in there:
            becomes, is_good = "there is an account with this address, not linked to them", False
        else:
            becomes, is_good = "has no account here yet", True
        result.append(Found(person.name, f"{email}: {becomes}", is_good))
    return result


def _is_filter(text: str) -> bool:
    """Whether the brackets of a filter match, which no value's do: there they are escaped."""
    depth = 0
    for n, c in enumerate(text):
        depth += {"(": 1, ")": -1}.get(c, 0)
        if depth < 0 or (depth == 0 and n < len(text) - 1):
            return False
    return depth == 0 and text.startswith("(")
