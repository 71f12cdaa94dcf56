"""From cells to requests: what people write in tables, and what is refused rather than guessed."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.tickets.mapping import Named, Plan, importable, read_row, suggest

BERLIN = ZoneInfo("Europe/Berlin")
FORM: dict[str, Any] = {
    "properties": {
        "code": {"type": "string", "title": "Budget code"},
        "size": {"type": "string", "enum": ["S", "L"], "x-choices": {"S": "Small", "L": "Large"}},
        "many": {"type": "array", "x-kind": "multi_choice", "items": {"enum": ["a", "b"]}},
        "n": {"type": "integer"},
        "ok": {"type": "boolean"},
        "day": {"type": "string", "format": "date"},
        "price": {"x-kind": "money", "type": "object"},
        "who": {"x-kind": "person", "type": "integer"},
        "where": {"x-kind": "department", "type": "integer"},
        "scan": {"x-kind": "file", "type": "array"},
    }
}


def read(name: str, said: str, **more: Any) -> Any:
    row = read_row(Plan("X", {name: 0}, **more), FORM, [said], BERLIN)
    if row.wrong:
        return ValueError(row.wrong[name])
    return row.custom[name.removeprefix("custom.")] if name.startswith("custom.") else row.values[name]


@pytest.mark.parametrize(
    ("name", "said", "means"),
    [
        ("priority", "High", "HIGH"),
        ("priority", "urgent", "CRITICAL"),
        ("currency", "eur", "EUR"),
        ("tags", "vpn; new hire,,vpn", ["vpn", "new hire", "vpn"]),
        ("amount", "1450", "1450"),
        ("amount", "1450.5", "1450.5"),
        ("amount", "1.450,50", "1450.50"),
        ("amount", "$1,450.50", "1450.50"),
        ("amount", "EUR 12,5", "12.5"),
        ("amount", "1 450,00 €", "1450.00"),
        ("amount", "1,234,567", "1234567"),
        ("amount", "0.125", "0.125"),
        ("due_date", "2030-01-15", "2030-01-15T16:00:00Z"),
        ("due_date", "2030-07-15 09:30", "2030-07-15T07:30:00Z"),
        ("due_date", "2030-01-15T00:00:00Z", "2030-01-15T00:00:00Z"),
        ("custom.code", "X-1", "X-1"),
        ("custom.size", "large", "L"),
        ("custom.size", "huge", "huge"),
        ("custom.many", "A; b", ["a", "b"]),
        ("custom.n", "3", 3),
        ("custom.n", "3.5", 3.5),
        ("custom.ok", "Yes", True),
        ("custom.ok", "0", False),
        ("custom.day", "2030-01-15", "2030-01-15"),
        ("custom.price", "12.50 EUR", {"amount": "12.50", "currency": "EUR"}),
        ("custom.price", "12.50", {"amount": "12.50", "currency": ""}),
        ("custom.who", "ana@x.example", Named("person", "ana@x.example")),
        ("custom.where", "Marketing", Named("department", "Marketing")),
    ],
)
def test_what_people_write(name: str, said: str, means: Any) -> None:
    assert read(name, said) == means


@pytest.mark.parametrize(
    ("order", "said"), [("dmy", "15.01.2030"), ("mdy", "1/15/2030"), ("dmy", "15/1/30"), ("mdy", "2030-01-15")]
)
def test_days_in_their_order(order: str, said: str) -> None:
    assert read("custom.day", said, dates=order) == "2030-01-15"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("priority", "asap"),
        ("amount", "1,450"),
        ("amount", "1.450"),
        ("amount", "many"),
        ("amount", "1.2.3"),
        ("amount", "1,45,00"),
        ("due_date", "15.01.2030"),
        ("due_date", "soon"),
        ("due_date", "2030-02-30"),
        ("due_date", "2030-01-15 25:00"),
        ("due_date", "0000-01-01"),
        ("due_date", "0001-01-01 00:00"),
        ("custom.ok", "perhaps"),
        ("custom.n", "three"),
        ("status", "Completed"),
        ("external_key", "k" * 201),
    ],
)
def test_nothing_is_guessed(name: str, said: str) -> None:
    assert isinstance(read(name, said), ValueError)


def test_defaults_stand_in_empty_cells_and_where_no_column_is() -> None:
    plan = Plan("X", {"title": 0, "priority": 1}, {"priority": "Low", "status": "Submitted", "custom.code": "D"})
    row = read_row(plan, FORM, ["Laptop", "", "k"], BERLIN)
    assert (row.values, row.custom, row.submit) == ({"title": "Laptop", "priority": "LOW"}, {"code": "D"}, True)
    short = read_row(Plan("X", {"external_key": 1, "requester": 0, "assignee": 5}), FORM, ["ana", "k1"], BERLIN)
    assert (short.external_key, short.requester, short.assignee) == ("k1", "ana", "")


def test_headings_that_say_what_they_are() -> None:
    headings = ["Number", "Subject", "Due (Europe/Berlin)", "Budget code", "Nonsense", "E-mail", "status"]
    assert suggest(headings, FORM) == {
        "external_key": 0,
        "title": 1,
        "due_date": 2,
        "custom.code": 3,
        "requester": 5,
        "status": 6,
    }
    assert "custom.scan" not in importable(FORM)
    assert importable({}) == {}


@given(
    st.sampled_from(["due_date", "amount", "priority", "status", *(f"custom.{k}" for k in FORM["properties"])]),
    st.text(),
)
def test_no_cell_breaks_it(name: str, said: str) -> None:
    for order in ("ymd", "dmy", "mdy"):
        read_row(Plan("X", {name: 0}, {}, order), FORM, [said], BERLIN)  # type: ignore[arg-type]
