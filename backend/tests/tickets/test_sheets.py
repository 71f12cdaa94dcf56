"""Cells that leave the house: nothing in them is executed, nothing is lost that people wrote."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.kernel.cells import plain
from waypost.tickets.sheets import COLUMNS, LONGEST_CELL, cell_of, csv_lines, fitted, form_columns, heading


@pytest.mark.parametrize(
    "evil", ["=1+1", "+1", "-1+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=1", "＝1", "\u200b=1"]
)
def test_what_looks_like_a_formula_is_text(evil: str) -> None:
    assert plain(evil).startswith("'")


@given(st.text())
def test_no_text_is_executed_and_every_row_is_whole(text: str) -> None:
    line = csv_lines([[text, "b"]], UTC).decode()
    (row,) = csv.reader(io.StringIO(line, newline=""))
    assert len(row) == 2
    assert line.endswith("\r\n")
    assert not re.match(r"\s*[=+\-@\t\r]", row[0])
    assert "\x00" not in row[0]


def test_what_is_harmless_stays() -> None:
    for text in ('He said "no", twice', "two\nlines", "a=b", "1-2", "Größe 東京 🦊"):
        assert plain(text) == text
    assert len(fitted("x" * 40_000)) == LONGEST_CELL
    assert csv_lines([["x" * 40_000]], UTC) == b"x" * 40_000 + b"\r\n", "only Excel has such a limit"


def test_cells_by_what_a_column_holds() -> None:
    assert cell_of(COLUMNS["status"], "IN_REVIEW") == "In review"
    assert cell_of(COLUMNS["amount"], "1450.00") == Decimal("1450.00")
    assert cell_of(COLUMNS["assignee"], {"id": 1, "name": "Ana"}) == "Ana"
    assert cell_of(COLUMNS["assignee"], None) is None
    at = cell_of(COLUMNS["created_at"], "2026-07-01T10:00:00.5Z")
    assert csv_lines([[at]], ZoneInfo("Europe/Berlin")) == b"2026-07-01 12:00:00\r\n"
    assert cell_of(COLUMNS["due_date"], datetime(2026, 1, 1, tzinfo=UTC)) == datetime(2026, 1, 1, tzinfo=UTC)
    assert heading(COLUMNS["created_at"], "UTC") == "Created (UTC)"
    assert heading(COLUMNS["title"], "UTC") == "Title"


def test_a_forms_fields_are_columns() -> None:
    form = {"properties": {"n": {"type": "integer", "title": "How many"}, "x": {"type": "array"}, "odd": True}}
    columns = form_columns(form)
    assert [(c.key, c.label) for c in columns.values()] == [
        ("custom.n", "How many"),
        ("custom.x", "x"),
        ("custom.odd", "odd"),
    ]
    assert form_columns({}) == {}
    n, x = columns["custom.n"], columns["custom.x"]
    assert (
        csv_lines([[cell_of(n, -3), cell_of(n, 1.5), cell_of(n, "many"), cell_of(n, True)]], UTC)
        == b"-3,1.5,many,Yes\r\n"
    )
    assert cell_of(x, ["a", True, None]) == "a; Yes; "
    assert cell_of(x, {"name": "Ana", "id": 1}) == "Ana"
    assert cell_of(x, {"a": 1, "b": False}) == "a: 1, b: No"


def test_choices_and_names_as_people_read_them() -> None:
    labels = {"S": "Small", "L": "Large"}
    form = {
        "properties": {
            "size": {"type": "string", "x-kind": "choice", "enum": ["S", "L"], "x-choices": labels},
            "sizes": {"type": "array", "x-kind": "multi_choice", "x-choices": labels},
            "who": {"type": "integer", "x-kind": "person"},
        }
    }
    columns = form_columns(form)
    assert cell_of(columns["custom.size"], "L") == "Large"
    assert cell_of(columns["custom.sizes"], ["S", "X"]) == "Small; X"
    assert cell_of(columns["custom.who"], {"id": 3, "name": "Ana"}) == "Ana"
    assert cell_of(columns["custom.who"], 3) == "3"
