"""What a table of people would do: who is new, who changes and in what, who stays, and who is refused and why. Pure.

A manager may stand in the file too, before or behind those who report to them. So rows are planned together: no line of
managers may come back to itself when all of them are done, whoever reports to a row that is refused is refused too, and
the rows are done from the top of the lines down, so that at no moment between two of them a line is a circle either.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from waypost.access.importing.reading import Reading
from waypost.access.providers.said import username_from

EMPLOYEE = "employee"  # what everybody has whose row names no role


class Kind(StrEnum):
    """What a row does."""

    NEW = "NEW"
    CHANGE = "CHANGE"
    SAME = "SAME"
    WRONG = "WRONG"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has an account."""

    id: int
    username: str
    email: str
    values: Mapping[str, str]  # first_name, last_name, job_title, timezone
    department_id: int | None
    manager_id: int | None
    is_active: bool
    is_service: bool = False
    is_erased: bool = False

    @property
    def name(self) -> str:
        """As people read it."""
        return f"{self.values.get('first_name', '')} {self.values.get('last_name', '')}".strip()


@dataclass(frozen=True, slots=True)
class Role:
    """A role there is. `refused` says why whoever imports may not give it."""

    id: int
    key: str
    name: str
    refused: str = ""


@dataclass(frozen=True, slots=True)
class House:
    """Who and what is here. `held` are the roles of people the file speaks of."""

    people: Mapping[int, Person]
    departments: Mapping[int, str]
    roles: Sequence[Role]
    importer_id: int
    held: Mapping[int, frozenset[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """One field, in words; `value` and `was` are what it is in the database, `row` a manager who is new in that row."""

    field: str
    before: str | None
    after: str | None
    value: Any = None
    was: Any = None
    row: int | None = None

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        kept = {"field": self.field, "before": self.before, "after": self.after, "value": self.value, "was": self.was}
        return kept | ({"row": self.row} if self.row is not None else {})


@dataclass(slots=True)
class Step:
    """What a row does."""

    number: int
    kind: Kind
    name: str
    user_id: int | None = None
    changes: list[Change] = field(default_factory=list)
    wrong: dict[str, str] = field(default_factory=dict)

    @property
    def leaves(self) -> bool:
        """Whether it deactivates somebody."""
        return self.kind is Kind.CHANGE and any(c.field == "active" and c.value is False for c in self.changes)


class Lookup:
    """The people here by what a file can call them."""

    def __init__(self, people: Iterable[Person]) -> None:
        self.by_login: dict[str, int] = {}
        self.by_name: dict[str, list[int]] = defaultdict(list)
        for person in people:
            self.by_login[person.username.lower()] = self.by_login[person.email.lower()] = person.id
            if person.is_active and not person.is_service and person.name:
                self.by_name[person.name.lower()].append(person.id)


def matched(row: Reading, lookup: Lookup) -> int | None:
    """Whose row it is: by username where it says one, else by address. No row gives anybody another username."""
    said = row.values.get("username") or row.values.get("email") or ""
    return lookup.by_login.get(said.lower())


def plan(rows: Sequence[Reading], house: House) -> list[Step]:
    """What each row does, in the order in which they are to be done."""
    return _Planning(rows, house).steps()


class _Planning:
    def __init__(self, rows: Sequence[Reading], house: House) -> None:
        self.rows, self.house = rows, house
        self.lookup = Lookup(house.people.values())
        self.departments = {name.lower(): i for i, name in house.departments.items()}
        self.roles = {word.lower(): role for role in house.roles for word in (role.name, role.key)}
        self.by_number: dict[int, Step] = {}
        self.reading = {row.number: row for row in rows}
        self.owner: dict[int, int] = {}  # by person, the row that speaks of them
        self.new_by_login: dict[str, int] = {}
        self.new_by_name: dict[str, list[int]] = defaultdict(list)
        self.taken = set(self.lookup.by_login)
        self.manager_of_row: dict[int, int] = {}  # a person's id, or minus the number of a new one's row

    def steps(self) -> list[Step]:
        for row in self.rows:
            step = self._begun(row)
            self.by_number[row.number] = step
        for row in self.rows:
            step = self.by_number[row.number]
            if not step.wrong:
                self._fill(row, step)
        self._settle_lines()
        for step in self.by_number.values():
            if step.wrong:
                step.kind, step.changes = Kind.WRONG, []
            elif step.kind is Kind.CHANGE and not step.changes:
                step.kind = Kind.SAME
        return self._from_the_top()

    # --- whose row it is ---

    def _begun(self, row: Reading) -> Step:
        user_id = matched(row, self.lookup)
        person = self.house.people.get(user_id) if user_id is not None else None
        step = Step(row.number, Kind.CHANGE if person else Kind.NEW, row.name, user_id, wrong=dict(row.wrong))
        if person is not None:
            step.name = person.name or person.username
            self._check_person(step, person)
        elif not step.wrong:
            self._check_new(row, step)
        return step

    def _check_person(self, step: Step, person: Person) -> None:
        if person.is_service:
            step.wrong[""] = "is a program's account"
        elif person.is_erased:
            step.wrong[""] = "is somebody whose personal data was erased"
        elif person.id in self.owner:
            step.wrong[""] = f"is about the same person as row {self.owner[person.id]}"
        else:
            self.owner[person.id] = step.number

    def _check_new(self, row: Reading, step: Step) -> None:
        if row.is_active is False:
            step.wrong["active"] = "must be Yes for somebody who is not known here"
        for name in ("email", "first_name"):
            if name not in row.values:
                step.wrong[name] = "is needed for somebody who is new"
        if step.wrong:
            return
        email = row.values["email"].lower()
        said = row.values.get("username")
        if said is None:
            said = username_from(email)
            said = said if len(said) > 1 else f"{said}1"
            base, n = said, 1
            while said in self.taken:
                n += 1
                said = f"{base}{n}"
            row.values["username"] = said
        for name, value in (("username", said.lower()), ("email", email)):
            if (owner := self.lookup.by_login.get(value)) is not None:
                step.wrong[name] = f"is the one of {self._called(owner)}, who has another username"
            elif value in self.new_by_login:
                step.wrong[name] = f"is in row {self.new_by_login[value]} too"
        if not step.wrong:
            self.new_by_login[said.lower()] = self.new_by_login[email] = row.number
            self.new_by_name[row.name.lower()].append(row.number)
            self.taken |= {said.lower(), email}

    # --- what it changes ---

    def _fill(self, row: Reading, step: Step) -> None:
        person = self.house.people.get(step.user_id) if step.user_id is not None else None
        if person is not None:
            self._address(row, step, person)
        for name in ("username", "email", "first_name", "last_name", "job_title", "timezone"):
            said = row.values.get(name)
            before = self._before(person, name)
            is_same = said == before or (name in _LOGINS and said is not None and _same(said, before))
            if said is not None and not is_same:
                step.changes.append(Change(name, before, said, said, before))
        self._department(row, step, person)
        self._manager(row, step, person)
        self._active(row, step, person)
        self._roles(row, step, person)

    @staticmethod
    def _before(person: Person | None, name: str) -> str | None:
        if person is None:
            return None
        return person.username if name == "username" else person.email if name == "email" else person.values.get(name)

    def _address(self, row: Reading, step: Step, person: Person) -> None:
        """Somebody's new address must be nobody else's, here or in another row."""
        said = row.values.get("email", "").lower()
        if not said or said in (person.username.lower(), person.email.lower()):
            return
        if (owner := self.lookup.by_login.get(said)) is not None:
            step.wrong["email"] = f"is the one of {self._called(owner)}"
        elif said in self.new_by_login:
            step.wrong["email"] = f"is in row {self.new_by_login[said]} too"
        else:
            self.new_by_login[said] = step.number

    def _called(self, user_id: int) -> str:
        person = self.house.people[user_id]
        return person.name or person.username

    def _department(self, row: Reading, step: Step, person: Person | None) -> None:
        if not row.department:
            return
        found = self.departments.get(row.department.lower())
        before = person.department_id if person else None
        if found is None:
            step.wrong["department"] = "is no department here"
        elif found != before:
            names = self.house.departments
            step.changes.append(
                Change("department", names.get(before) if before else None, names[found], found, before)
            )

    def _manager(self, row: Reading, step: Step, person: Person | None) -> None:
        if not row.manager:
            return
        found = self._found(row.manager)
        if isinstance(found, str):
            step.wrong["manager"] = found
            return
        mine = person.id if person else -row.number
        if found == mine:
            step.wrong["manager"] = "is the person themselves"
            return
        self.manager_of_row[row.number] = found
        before = person.manager_id if person else None
        if found == before:
            return
        was = self.house.people[before].name if before is not None and before in self.house.people else None
        if found < 0:
            new = self.reading[-found]
            step.changes.append(Change("manager", was, new.name, None, before, row=-found))
        else:
            step.changes.append(Change("manager", was, self.house.people[found].name, found, before))

    def _found(self, said: str) -> int | str:
        """A manager by username, address or name: their id, minus the row they are new in, or why there is none."""
        word = said.lower()
        if (known := self.lookup.by_login.get(word)) is not None:
            return "is a program's account" if self.house.people[known].is_service else known
        if (row := self.new_by_login.get(word)) is not None:
            return self.by_number[row].user_id or -row
        named = [*self.lookup.by_name.get(word, ()), *(-n for n in self.new_by_name.get(word, ()))]
        if len(named) > 1:
            return "is the name of several people: write their username"
        return named[0] if named else "is nobody here, by username, e-mail address or name"

    def _active(self, row: Reading, step: Step, person: Person | None) -> None:
        if person is None or row.is_active is None or row.is_active is person.is_active:
            return
        if not row.is_active and person.id == self.house.importer_id:
            step.wrong["active"] = "is you: somebody else has to deactivate you"
            return
        step.changes.append(
            Change("active", _yes(person.is_active), _yes(row.is_active), row.is_active, person.is_active)
        )

    def _roles(self, row: Reading, step: Step, person: Person | None) -> None:
        had = self.house.held.get(person.id, frozenset()) if person else frozenset[int]()
        for word in row.roles or (() if person else (EMPLOYEE,)):
            role = self.roles.get(word.lower())
            if role is None:
                step.wrong["roles"] = f"names {word!r}, which is no role here"
            elif role.id not in had and role.refused:
                step.wrong["roles"] = f"names {role.name}: {role.refused}"
            elif role.id not in had and all(c.value != role.id for c in step.changes if c.field == "role"):
                step.changes.append(Change("role", None, role.name, role.id))
        leaves = row.is_active is False or (person is not None and not person.is_active and row.is_active is None)
        if leaves and "roles" not in step.wrong and any(c.field == "role" for c in step.changes):
            step.wrong["roles"] = "cannot be given to somebody who does not work here"

    # --- lines of managers ---

    def _settle_lines(self) -> None:
        """Refuse rows until what is left can be done together."""
        while refused := {**self._unled(), **self._circles()}:
            for number, why in refused.items():
                self.by_number[number].wrong["manager"] = why

    def _good(self) -> list[int]:
        return [n for n in self.manager_of_row if not self.by_number[n].wrong]

    def _unled(self) -> dict[int, str]:
        """Rows whose manager would not be there, or not work here, when all is done."""
        found = {}
        for number in self._good():
            manager = self.manager_of_row[number]
            if all(c.field != "manager" for c in self.by_number[number].changes):
                continue  # it is so already
            row = -manager if manager < 0 else self.owner.get(manager)
            step = self.by_number[row] if row is not None else None
            is_good = step is not None and not step.wrong
            if manager < 0:
                if not is_good:
                    found[number] = f"is new in row {-manager}, which is refused"
            elif not self._is_active_after(manager, step if is_good else None):
                found[number] = "does not work here any more"
        return found

    def _is_active_after(self, user_id: int, step: Step | None) -> bool:
        for change in step.changes if step else ():
            if change.field == "active":
                return bool(change.value)
        return self.house.people[user_id].is_active

    def _above(self) -> dict[int, int]:
        """Whom everybody reports to when all is done."""
        above = {p.id: p.manager_id for p in self.house.people.values() if p.manager_id is not None}
        for number in self._good():
            above[self._key(number)] = self.manager_of_row[number]
        return above

    def _key(self, number: int) -> int:
        return self.by_number[number].user_id or -number

    def _circles(self) -> dict[int, str]:
        above = self._above()
        found = {}
        for number in self._good():
            start = at = self._key(number)
            seen: set[int] = set()
            while (following := above.get(at)) is not None and following not in seen:
                if following == start:
                    found[number] = "reports to this person, so the line would be a circle"
                    break
                seen.add(following)
                at = following
        return found

    def _from_the_top(self) -> list[Step]:
        """Rows of managers before those of who reports to them."""
        row_of = {self._key(n): n for n, s in self.by_number.items() if s.kind in (Kind.NEW, Kind.CHANGE)}
        above = self._above()
        ordered: dict[int, None] = {}
        for number in self.by_number:
            line, at, seen = [number], self._key(number), set[int]()
            while self.by_number[number].kind is not Kind.WRONG and (at := above.get(at, 0)) and at not in seen:
                seen.add(at)
                if at in row_of:
                    line.append(row_of[at])
            ordered.update(dict.fromkeys(reversed(line)))
        return [self.by_number[n] for n in ordered]


_LOGINS = ("username", "email")


def _same(one: str, other: str | None) -> bool:
    return other is not None and one.lower() == other.lower()


def _yes(is_so: bool) -> str:
    return "Yes" if is_so else "No"
