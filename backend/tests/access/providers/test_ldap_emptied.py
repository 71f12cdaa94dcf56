"""What a directory has emptied is in the plan; what it never said, or somebody wrote here, is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from waypost.access.providers.ldap.following import Here, seen_people
from waypost.access.providers.ldap.reading import Person
from waypost.access.providers.ldap.shape import read_of
from waypost.access.providers.ldap.signing_in import external_of
from waypost.access.providers.plan import Known
from waypost.access.providers.said import CAN_BE_EMPTY


def seen(person: Person, known: Known, read: tuple[str, ...] = CAN_BE_EMPTY) -> dict[str, Any]:
    here = Here(
        known=(known,),
        departments={"finance": "Finance"},
        role_map={},
        administrators=frozenset(),
        taken={},
        linkable=frozenset(),
    )
    (one,) = seen_people([person], here, {}, {}, {}, makes_departments=False, read=read)
    return dict(one.values)


def person(**values: str) -> Person:
    return Person(
        subject="s-1",
        dn="uid=jane,dc=example",
        name="Jane",
        is_active=True,
        values=values,
        manager_dn="",
        problem="",
        changed="",
    )


def test_an_emptied_title_and_department_are_planned() -> None:
    here = {"job_title": "Editor", "department": "Finance", "manager": None}
    known = Known("s-1", 3, "Jane", values=here, said={"job_title": "Editor", "department": "finance"})
    assert seen(person(), known) == {"job_title": None, "department": None}
    assert seen(person(job_title="Editor", department="Finance"), known) == {
        "job_title": "Editor",
        "department": "Finance",
    }


def test_what_it_never_said_or_was_written_here_stays() -> None:
    here = {"job_title": "Poet", "department": "Finance", "manager": None}
    assert seen(person(), Known("s-1", 3, "Jane", values=here)) == {}
    assert seen(person(), Known("s-1", 3, "Jane", values=here, said={"job_title": "Editor"})) == {}


def test_an_attribute_that_is_not_mapped_any_more_empties_nothing() -> None:
    here = {"job_title": "Editor", "department": "Finance", "manager": None}
    known = Known("s-1", 3, "Jane", values=here, said={"job_title": "Editor", "department": "finance"})
    read = read_of({"flavour": "ad", "job_title_attribute": "-"})
    assert read == ("department", "manager")
    assert seen(person(), known, read) == {"department": None}


def test_a_sign_in_empties_nothing_and_a_manager_who_is_unknown_is_one() -> None:
    assert external_of(person(), set(), "", {}).empties == ()
    assert external_of(person(), set(), "", {}, CAN_BE_EMPTY).empties == CAN_BE_EMPTY
    reports = replace(person(), manager_dn="uid=boss,dc=example")
    assert external_of(reports, set(), "", {}, CAN_BE_EMPTY).empties == ("job_title", "department")
