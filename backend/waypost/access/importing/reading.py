"""From the cells of a row to what it says of somebody. Nothing is looked up here. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from waypost.access.addresses import usable_email
from waypost.kernel.clock import zone_names
from waypost.kernel.shapes import in_one_line, is_blank
from waypost.kernel.tables import NO, YES

# What a column can be, with the words people head such columns with; our own export's are among them.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "username": ("username", "user name", "login", "account", "user", "benutzername", "samaccountname", "uid"),
    "email": ("e-mail", "email", "e-mail address", "email address", "mail", "e-mail-adresse"),
    "first_name": ("first name", "firstname", "given name", "givenname", "vorname"),
    "last_name": ("last name", "lastname", "surname", "family name", "sn", "nachname"),
    "job_title": ("job title", "jobtitle", "title", "position", "stelle"),
    "department": ("department", "dept", "division", "abteilung"),
    "manager": ("manager", "reports to", "supervisor", "line manager", "boss", "vorgesetzte"),
    "roles": ("roles", "role", "rollen"),
    "active": ("active", "is active", "enabled", "works here", "aktiv"),
    "timezone": ("time zone", "timezone", "zeitzone"),
}
NAMES = ("first_name", "last_name", "job_title")  # one line of at most 100 characters
USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,62}", re.ASCII)
LONGEST = 100
MOST_ROLES = 20


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column is which field."""

    at: Mapping[str, int]

    def cell(self, cells: Sequence[str], name: str) -> str:
        """What a row says for a field; empty when it says nothing."""
        column = self.at.get(name)
        return cells[column].strip() if column is not None and column < len(cells) else ""


@dataclass(slots=True)
class Reading:
    """A row: what it says of somebody, and what cannot be understood, by field.

    An empty cell says nothing. `department`, `manager` and `roles` are words still, to be found by who plans.
    """

    number: int
    values: dict[str, str] = field(default_factory=dict)
    department: str = ""
    manager: str = ""
    roles: tuple[str, ...] = ()
    is_active: bool | None = None
    wrong: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Whom it is about, for a person who reads it."""
        said = f"{self.values.get('first_name', '')} {self.values.get('last_name', '')}".strip()
        return said or self.values.get("username") or self.values.get("email") or ""


def read_row(columns: Columns, number: int, cells: Sequence[str]) -> Reading:
    """What a row says."""
    row = Reading(number)
    _read_names(row, columns, cells)
    if said := columns.cell(cells, "username"):
        if USERNAME.fullmatch(said):
            row.values["username"] = said
        else:
            row.wrong["username"] = "must have 2 to 63 letters, digits, dots, dashes or underscores"
    if said := columns.cell(cells, "email"):
        if email := usable_email(said):
            row.values["email"] = email
        else:
            row.wrong["email"] = "is no e-mail address"
    if said := columns.cell(cells, "timezone"):
        if said in zone_names():
            row.values["timezone"] = said
        else:
            row.wrong["timezone"] = "is no time zone such as Europe/Berlin"
    if said := columns.cell(cells, "active").lower():
        if said in YES | {"active"}:
            row.is_active = True
        elif said in NO | {"inactive", "left"}:
            row.is_active = False
        else:
            row.wrong["active"] = "must be Yes or No"
    row.department = in_one_line(columns.cell(cells, "department"))
    row.manager = in_one_line(columns.cell(cells, "manager"))
    said_roles = [in_one_line(one) for one in re.split(r"[;,|\n]", columns.cell(cells, "roles"))]
    row.roles = tuple(dict.fromkeys(one for one in said_roles if one))
    if len(row.roles) > MOST_ROLES:
        row.wrong["roles"] = f"must name at most {MOST_ROLES} roles"
    return row


def _read_names(row: Reading, columns: Columns, cells: Sequence[str]) -> None:
    for name in NAMES:
        said = columns.cell(cells, name)
        line = in_one_line(said)
        if not said:
            continue
        if is_blank(line) or not line.isprintable():
            row.wrong[name] = "holds characters that cannot be shown"
        elif len(line) > LONGEST:
            row.wrong[name] = f"must have at most {LONGEST} characters"
        else:
            row.values[name] = line
