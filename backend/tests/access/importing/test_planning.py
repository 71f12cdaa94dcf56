"""What a table of people would do, without a database: who is who, whose manager is whose, and in which order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.access.importing.planning import House, Kind, Person, Role, Step, plan
from waypost.access.importing.reading import FIELDS, Columns, Reading, read_row
from waypost.kernel.tables import guess

HEADINGS = ("username", "email", "first_name", "last_name", "job_title", "department", "manager", "roles", "active")
COLUMNS = Columns({name: n for n, name in enumerate(HEADINGS)} | {"timezone": len(HEADINGS)})


def person(number: int, username: str, **more: Any) -> Person:
    values = {"first_name": username.title(), "last_name": "Doe", "job_title": "", "timezone": "UTC"}
    kept: dict[str, Any] = {"department_id": None, "manager_id": None, "is_active": True, **more}
    return Person(number, username, f"{username}@example.com", values, **kept)


PEOPLE = (
    person(1, "anna"),
    person(2, "ben", manager_id=1, department_id=1),
    person(3, "cleo", manager_id=2),
    person(4, "left", is_active=False),
    person(5, "robot", is_service=True),
    person(6, "erased", is_active=False, is_erased=True),
)
ROLES = (Role(1, "employee", "Employee"), Role(2, "agent", "Agent"), Role(3, "admin", "Administrator", "takes two"))
HOUSE = House(
    people={p.id: p for p in PEOPLE},
    departments={1: "Finance", 2: "Facilities"},
    roles=ROLES,
    importer_id=1,
    held={1: frozenset({3}), 2: frozenset({1})},
)


def row(number: int, **said: str) -> Reading:
    return read_row(COLUMNS, number, [said.get(name, "") for name in (*HEADINGS, "timezone")])


def planned(*rows: Reading, house: House = HOUSE) -> dict[int, Step]:
    return {s.number: s for s in plan(rows, house)}


def changes(step: Step) -> dict[str, tuple[str | None, str | None]]:
    return {c.field: (c.before, c.after) for c in step.changes}


def test_headings_say_what_they_are() -> None:
    ours = ("Username", "E-mail", "First name", "Last name", "Job title", "Department", "Manager", "Roles", "Active")
    assert guess(ours, FIELDS) == {name: n for n, name in enumerate(HEADINGS)}
    assert guess(("Vorname", "Mail", "Reports to", "x"), FIELDS) == {"first_name": 0, "email": 1, "manager": 2}


def test_new_changed_same_and_wrong() -> None:
    found = planned(
        row(2, username="dora", email="Dora@Example.com", first_name="Dora", department="finance", manager="ben"),
        row(3, username="BEN", job_title="Head of Finance", department="Facilities", roles="agent; Employee"),
        row(4, email="cleo@example.com", manager="ben@example.com", active="yes"),
        row(5, username="eve", email="nothing", first_name="Eve"),
    )
    assert {n: s.kind for n, s in found.items()} == {2: Kind.NEW, 3: Kind.CHANGE, 4: Kind.SAME, 5: Kind.WRONG}
    assert changes(found[2]) == {
        "username": (None, "dora"),
        "email": (None, "Dora@example.com"),
        "first_name": (None, "Dora"),
        "department": (None, "Finance"),
        "manager": (None, "Ben Doe"),
        "role": (None, "Employee"),
    }
    assert changes(found[3]) == {
        "job_title": ("", "Head of Finance"),
        "department": ("Finance", "Facilities"),
        "role": (None, "Agent"),
    }
    assert found[5].wrong == {"email": "is no e-mail address"}


def test_an_empty_cell_says_nothing() -> None:
    assert planned(row(2, username="ben"))[2].kind is Kind.SAME


@pytest.mark.parametrize(
    ("said", "field", "why"),
    [
        ({"username": "x", "email": "x@example.com", "first_name": "X"}, "username", "2 to 63"),
        ({"username": "dora", "first_name": "Dora"}, "email", "needed"),
        ({"username": "dora", "email": "dora@example.com"}, "first_name", "needed"),
        ({"username": "dora", "email": "ben@example.com", "first_name": "D"}, "email", "another username"),
        ({"username": "cleo", "email": "ben@example.com"}, "email", "the one of Ben Doe"),
        ({"username": "ben", "department": "Nowhere"}, "department", "no department"),
        ({"username": "ben", "manager": "nobody"}, "manager", "nobody here"),
        ({"username": "ben", "manager": "robot"}, "manager", "program"),
        ({"username": "ben", "manager": "ben"}, "manager", "themselves"),
        ({"username": "ben", "manager": "left"}, "manager", "does not work here"),
        ({"username": "anna", "manager": "cleo"}, "manager", "circle"),
        ({"username": "ben", "roles": "King"}, "roles", "no role here"),
        ({"username": "ben", "roles": "Administrator"}, "roles", "takes two"),
        ({"username": "left", "roles": "Agent"}, "roles", "does not work here"),
        ({"username": "ben", "active": "maybe"}, "active", "Yes or No"),
        ({"username": "anna", "active": "No"}, "active", "is you"),
        ({"username": "dora", "email": "d@example.com", "first_name": "D", "active": "No"}, "active", "not known"),
        ({"username": "ben", "timezone": "Mars"}, "timezone", "no time zone"),
        ({"username": "ben", "job_title": "x" * 101}, "job_title", "at most 100"),
        ({"username": "ben", "first_name": "a\u0007b"}, "first_name", "cannot be shown"),
        ({"username": "ben", "roles": ";".join(f"r{n}" for n in range(30))}, "roles", "at most 20"),
        ({"username": "robot", "first_name": "R"}, "", "program"),
        ({"username": "erased", "first_name": "E"}, "", "erased"),
    ],
)
def test_what_is_refused_says_why(said: dict[str, str], field: str, why: str) -> None:
    step = planned(row(2, **said))[2]
    assert (step.kind, step.changes) == (Kind.WRONG, [])
    assert why in step.wrong[field]


def test_somebody_stands_in_a_file_once() -> None:
    new = {"username": "dora", "email": "d@example.com", "first_name": "D"}
    found = planned(
        row(2, username="ben", job_title="A"),
        row(3, email="ben@example.com", job_title="B"),
        row(4, **new),
        row(5, **{**new, "username": "dora2"}),
        row(6, username="cleo", email="d@example.com"),
        row(7, username="anna", email="new@example.com"),
        row(8, username="left", email="new@example.com"),
    )
    assert "same person as row 2" in found[3].wrong[""]
    assert found[5].wrong == {"email": "is in row 4 too"}
    assert found[6].wrong == {"email": "is in row 4 too"}
    assert changes(found[7]) == {"email": ("anna@example.com", "new@example.com")}
    assert found[8].wrong == {"email": "is in row 7 too"}


def test_who_brings_no_username_gets_one() -> None:
    found = planned(
        row(2, email="ben@other.example", first_name="Ben"),
        row(3, email="ben@third.example", first_name="Ben"),
        row(4, email="x@example.com", first_name="X"),
        row(5, email="ben@other.example", first_name="Ben"),
    )
    assert [changes(found[n])["username"][1] for n in (2, 3, 4)] == ["ben2", "ben3", "x1"]
    assert found[5].wrong == {"email": "is in row 2 too"}


def test_a_manager_may_be_new_too_and_comes_first() -> None:
    rows = [
        row(2, username="fay", email="f@example.com", first_name="Fay", manager="gus"),
        row(3, username="gus", email="g@example.com", first_name="Gus", last_name="Roe", manager="Hal"),
        row(4, username="hal", email="h@example.com", first_name="Hal"),
        row(5, username="ben", manager="Gus Roe"),
    ]
    steps = plan(rows, HOUSE)
    assert [s.number for s in steps] == [4, 3, 2, 5]
    assert [c.row for s in steps for c in s.changes if c.field == "manager"] == [4, 3, 3]


def test_who_reports_to_a_refused_row_is_refused_too() -> None:
    found = planned(
        row(2, username="fay", email="f@example.com", first_name="Fay", manager="gus"),
        row(3, username="gus", email="g@example.com", first_name="Gus", manager="hal"),
        row(4, username="hal", email="h@example.com", first_name="Hal", department="Nowhere"),
        row(5, username="ben", manager="left"),
        row(6, username="left", active="yes", department="Nowhere"),
        row(7, username="cleo", manager="ben"),
    )
    assert found[3].wrong == {"manager": "is new in row 4, which is refused"}
    assert found[2].wrong == {"manager": "is new in row 3, which is refused"}
    assert "does not work here" in found[5].wrong["manager"]
    assert found[7].kind is Kind.SAME


def test_a_manager_who_comes_back_or_leaves_in_the_same_file() -> None:
    found = planned(
        row(2, username="ben", manager="left"),
        row(3, username="left", active="yes"),
        row(4, username="anna", job_title="Chief"),
    )
    assert [s.kind for s in found.values()] == [Kind.CHANGE] * 3
    assert list(found) == [3, 2, 4]
    leaves = planned(row(2, username="cleo", manager="anna"), row(3, username="ben", active="no"))
    assert (leaves[3].leaves, leaves[2].leaves) == (True, False)
    new = row(2, username="dora", email="d@example.com", first_name="Dora", manager="ben")
    assert "does not work here" in planned(new, row(3, username="ben", active="no"))[2].wrong["manager"]


def test_a_line_turned_around() -> None:
    """Anna over Ben becomes Ben over Anna: possible at once, and in the order from the top down at each moment too."""
    found = plan([row(2, username="anna", manager="cleo"), row(3, username="cleo", manager="dora"), DORA], HOUSE)
    assert [(s.number, s.kind) for s in found] == [(4, Kind.NEW), (3, Kind.CHANGE), (2, Kind.CHANGE)]
    assert "circle" in planned(row(2, username="anna", manager="ben"))[2].wrong["manager"]


DORA = row(4, username="dora", email="d@example.com", first_name="Dora")


def test_a_name_of_several_people_is_nobodys() -> None:
    twin = person(7, "ben7")
    people = {**HOUSE.people, 7: Person(7, "ben7", "b7@example.com", HOUSE.people[2].values, None, None, True), 8: twin}
    house = House(people, HOUSE.departments, ROLES, 1)
    assert "several people" in planned(row(2, username="cleo", manager="Ben Doe"), house=house)[2].wrong["manager"]


NAMES = [f"p{n}" for n in range(8)]


@given(
    st.lists(st.one_of(st.none(), st.integers(0, 7)), min_size=4, max_size=4),
    st.lists(st.tuples(st.integers(0, 7), st.one_of(st.none(), st.integers(0, 7)), st.booleans()), max_size=10),
)
def test_no_order_of_rows_makes_a_circle(above: list[int | None], said: list[tuple[int, int | None, bool]]) -> None:
    """Four people are here, four more are new when a row says so; what is not refused is done in the plan's order."""
    line: dict[str, str | None] = {f"p{n}": None for n in range(4)}
    for n, manager in enumerate(above):  # a line to begin with that is no circle
        line[f"p{n}"] = f"p{manager}" if manager is not None and manager < n else None
    numbers = {name: n + 1 for n, name in enumerate(NAMES)}
    people = {
        numbers[name]: person(numbers[name], name, manager_id=numbers[manager] if manager else None)
        for name, manager in line.items()
    }
    house = House(people, {}, ROLES, importer_id=999)
    rows = [
        row(
            n + 2,
            username=NAMES[who],
            email=f"{NAMES[who]}@example.com",
            first_name=NAMES[who].title(),
            last_name="Doe",
            manager="" if manager is None else NAMES[manager],
            department="Nowhere" if is_wrong else "",
        )
        for n, (who, manager, is_wrong) in enumerate(said)
    ]
    by_number = {r.number: r for r in rows}
    steps = plan(rows, house)
    assert sorted(s.number for s in steps) == sorted(by_number), "every row is spoken of once"
    for step in steps:
        if step.kind is Kind.WRONG:
            assert step.wrong
            continue
        reading = by_number[step.number]
        name = reading.values["username"]
        line.setdefault(name, None)
        for change in step.changes:
            if change.field == "manager":
                assert reading.manager in line, "a manager is made before who reports to them"
                line[name] = reading.manager
        at, seen = line[name], {name}
        while at is not None:
            assert at not in seen, "a circle"
            seen.add(at)
            at = line[at]
