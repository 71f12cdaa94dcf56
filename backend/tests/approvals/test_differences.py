"""What an approver is told of a change: pure, so every case is a plain dictionary."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from waypost.approvals.differences import answers_of, changes, departments_of, people_of

BEFORE: dict[str, Any] = {
    "id": 1,
    "title": "New laptop",
    "description": "For the new colleague",
    "ticket_type_name": "IT hardware",
    "priority": "LOW",
    "amount": "900.00",
    "currency": "USD",
    "due_date": None,
    "requester_id": 5,
    "department_id": 3,
    "answers": [
        {"key": "size", "title": "Size", "kind": "choice", "value": "s", "text": "Small"},
        {"key": "who", "title": "Who", "kind": "person", "value": 7, "text": "7"},
        {"key": "where", "title": "Where", "kind": "department", "value": 3, "text": "3"},
        {"key": "files", "title": "Offers", "kind": "file", "value": [1], "text": "1 file"},
    ],
}
PEOPLE = {5: {"name": "Ada"}, 7: {"name": "Ben"}, 8: {"name": "Cem"}}
DEPARTMENTS = {3: {"name": "Sales"}, 4: {"name": "IT"}}


def told(**new: Any) -> list[tuple[str, str, str | None, str | None]]:
    found = changes(BEFORE, {**BEFORE, **new}, PEOPLE, DEPARTMENTS)
    return [(c["field"], c["label"], c["before"], c["after"]) for c in found]


def answered(**new: Any) -> list[dict[str, Any]]:
    return [{**a, **new.get(a["key"], {})} for a in BEFORE["answers"] if new.get(a["key"], {}) is not None]


def test_members_are_told_in_words() -> None:
    assert told() == []
    assert told(title="A car") == [("title", "Title", "New laptop", "A car")]
    assert told(amount="950.00") == [("amount", "Amount", "900.00 USD", "950.00 USD")]
    assert told(currency="EUR") == [("amount", "Amount", "900.00 USD", "900.00 EUR")]
    assert told(amount=None, currency=None) == [("amount", "Amount", "900.00 USD", None)]
    assert told(due_date="2026-12-01T00:00:00Z") == [("due_date", "Needed by", None, "2026-12-01T00:00:00Z")]
    assert told(department_id=4, requester_id=99) == [
        ("department", "Department", "Sales", "IT"),
        ("requester", "Requester", "Ada", "#99"),
    ]
    assert told(description="") == [("description", "Description", "For the new colleague", None)]
    assert [c["kind"] for c in changes(BEFORE, {**BEFORE, "priority": "HIGH"}, {}, {})] == ["priority"]


def test_answers_are_told_by_their_titles() -> None:
    assert told(answers=answered(size={"value": "l", "text": "Large"})) == [("custom.size", "Size", "Small", "Large")]
    assert told(answers=answered(who={"value": 8})) == [("custom.who", "Who", "Ben", "Cem")]
    assert told(answers=answered(where={"value": 4})) == [("custom.where", "Where", "Sales", "IT")]
    assert told(answers=answered(size=None)) == [("custom.size", "Size", "Small", None)]
    new = [*BEFORE["answers"], {"key": "more", "title": "More", "kind": None, "value": "x", "text": "x"}]
    assert told(answers=new) == [("custom.more", "More", None, "x")]
    others = answered(files={"value": [2]})
    assert told(answers=others) == [("custom.files", "Offers", "1 file", "1 file, not the same")]


def test_a_subject_from_before_answers_were_kept() -> None:
    old = {"custom_fields": {"budget": "M-1"}, "field_titles": {"budget": "Budget"}}
    assert [(a["title"], a["text"]) for a in answers_of(old)] == [("Budget", "M-1")]
    new = {"custom_fields": {"budget": "M-2"}, "field_titles": {"budget": "Budget"}}
    assert changes(old, new, {}, {}) == [
        {"field": "custom.budget", "label": "Budget", "kind": "text", "before": "M-1", "after": "M-2"}
    ]


def test_whom_and_what_subjects_name() -> None:
    assert people_of(BEFORE) == [7, 5]
    assert departments_of(BEFORE) == [3, 3]
    assert people_of({}) == departments_of({}) == []


@given(st.dictionaries(st.sampled_from(sorted(BEFORE)), st.one_of(st.none(), st.text(max_size=5))))
def test_there_is_a_difference_exactly_when_something_reads_differently(new: dict[str, Any]) -> None:
    new.pop("answers", None)
    after = {**BEFORE, **new}
    there = changes(BEFORE, after, PEOPLE, DEPARTMENTS)
    back = changes(after, BEFORE, PEOPLE, DEPARTMENTS)
    assert all(c["before"] != c["after"] for c in there)
    assert [(c["field"], c["after"], c["before"]) for c in back] == [
        (c["field"], c["before"], c["after"]) for c in there
    ]
    assert changes(after, after, PEOPLE, DEPARTMENTS) == []
