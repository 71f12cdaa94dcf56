"""Words that depend on who reads and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.kernel.conditions.fields import Field, Kind, catalogue
from waypost.kernel.conditions.relative import Reader, at_of, resolved
from waypost.kernel.conditions.tree import MAX_VALUES, InvalidCondition, leaves, parse

FIELDS = catalogue(
    Field("assignee_id", Kind.ID, "assignee"),
    Field("team_id", Kind.ID, "team"),
    Field("department_id", Kind.ID, "department"),
    Field("title", Kind.TEXT, "title"),
    Field("due", Kind.INSTANT, "due"),
    Field("day", Kind.DATE, "day"),
)
AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
READER = Reader(
    {"assignee_id": {"me": (7,)}, "team_id": {"my_teams": (1, 2)}, "department_id": {"my_departments": ()}}, AT
)


def leaf(field: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (leaf("assignee_id", "eq", "me"), leaf("assignee_id", "in", [7])),
        (leaf("assignee_id", "ne", "me"), leaf("assignee_id", "not_in", [7])),
        (leaf("assignee_id", "in", [3, "me", 5]), leaf("assignee_id", "in", [3, 7, 5])),
        (leaf("team_id", "eq", "my_teams"), leaf("team_id", "in", [1, 2])),
        (leaf("team_id", "not_in", ["my_teams"]), leaf("team_id", "not_in", [1, 2])),
        (leaf("department_id", "eq", "my_departments"), {"any": []}),
        (leaf("department_id", "ne", "my_departments"), {"all": []}),
        (leaf("department_id", "in", ["my_departments", 4]), leaf("department_id", "in", [4])),
        (leaf("due", "lt", "now"), leaf("due", "lt", "2026-11-25T12:00:00+00:00")),
        (leaf("due", "gte", "-7d"), leaf("due", "gte", "2026-11-18T12:00:00+00:00")),
        (leaf("due", "lt", "+90m"), leaf("due", "lt", "2026-11-25T13:30:00+00:00")),
        (leaf("day", "eq", "+1w"), leaf("day", "eq", "2026-12-02")),
        (leaf("day", "in", ["now", "2026-01-01"]), leaf("day", "in", ["2026-11-25", "2026-01-01"])),
        ({"not": {"any": [leaf("assignee_id", "eq", "me")]}}, {"not": {"any": [leaf("assignee_id", "in", [7])]}}),
    ],
)
def test_words_mean_the_reader_and_the_moment(said: Any, meant: Any) -> None:
    assert resolved(said, FIELDS, READER) == meant
    parse(meant, FIELDS)


@pytest.mark.parametrize(
    "said",
    [
        leaf("assignee_id", "eq", "my_teams"),
        leaf("team_id", "eq", "me"),
        leaf("assignee_id", "lt", "me"),
        leaf("assignee_id", ["eq"], "me"),
        leaf("assignee_id", "in", ["me"] * (MAX_VALUES + 1)),
        leaf("due", "lt", "-7x"),
        leaf("due", "lt", "7d"),
        leaf("due", "lt", "-99999d"),
        leaf("due", "lt", "-٧d"),
        {"field": "nothing", "op": "eq", "value": "me"},
        {"field": 5, "op": "eq", "value": "me"},
        {"all": "me"},
        {"all": [], "any": 5},
        ["me"],
    ],
)
def test_what_is_not_such_a_word_is_left_to_be_refused(said: Any) -> None:
    assert resolved(said, FIELDS, READER) == said
    with pytest.raises(InvalidCondition):
        parse(said, FIELDS)


def test_words_are_only_text_in_fields_of_text() -> None:
    assert resolved(leaf("title", "eq", "me"), FIELDS, READER) == leaf("title", "eq", "me")
    assert resolved(leaf("title", "contains", "-7d"), FIELDS, READER) == leaf("title", "contains", "-7d")


def test_a_place_that_is_wrong_keeps_its_address() -> None:
    tree = {"all": [leaf("assignee_id", "eq", "me"), {"not": leaf("team_id", "in", ["my_teams", "x"])}]}
    with pytest.raises(InvalidCondition) as refused:
        parse(resolved(tree, FIELDS, READER), FIELDS, pointer="/condition")
    assert refused.value.errors[0].pointer.startswith("/condition/all/1/not/value/")


def test_nobody_recurses_without_end() -> None:
    deep: Any = leaf("assignee_id", "eq", "me")
    for _ in range(200):
        deep = {"not": deep}
    with pytest.raises(InvalidCondition, match="nested"):
        parse(resolved(deep, FIELDS, READER), FIELDS)


@pytest.mark.parametrize(("op", "branch"), [("eq", "any"), ("ne", "all")])
def test_more_ids_than_a_list_holds_become_several(op: str, branch: str) -> None:
    many = tuple(range(1, 2 * MAX_VALUES + 6))
    reader = Reader({"assignee_id": {"my_reports": many}}, AT)
    tree = resolved(leaf("assignee_id", op, "my_reports"), FIELDS, reader)
    assert isinstance(tree, dict)
    assert list(tree) == [branch]
    named = [v for part in leaves(parse(tree, FIELDS)) for v in part.value]
    assert named == list(many)


@given(st.sampled_from("+-"), st.integers(0, 9999), st.sampled_from("mhdw"))
def test_every_distance_is_a_moment(sign: str, n: int, unit: str) -> None:
    found = at_of(f"{sign}{n}{unit}", AT)
    assert found is not None
    size = {"m": timedelta(minutes=n), "h": timedelta(hours=n), "d": timedelta(days=n), "w": timedelta(weeks=n)}[unit]
    assert found - AT == (size if sign == "+" else -size)
    assert parse(resolved(leaf("due", "lt", f"{sign}{n}{unit}"), FIELDS, READER), FIELDS)
