"""Whether a condition can hold: an example is one, and what has none holds for no record."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.kernel.conditions.evaluate import holds
from waypost.kernel.conditions.fields import OPERATORS, Field, Kind, catalogue
from waypost.kernel.conditions.possible import Domain, Effort, Undecided, always, example, is_made_up
from waypost.kernel.conditions.tree import ALWAYS, All, AnyOf, Condition, Leaf, Not, parse

FIELDS = catalogue(
    Field("amount", Kind.NUMBER, "amount"),
    Field("title", Kind.TEXT, "title"),
    Field("priority", Kind.CHOICE, "priority", ("LOW", "HIGH", "CRITICAL")),
    Field("urgent", Kind.BOOLEAN, "urgent"),
    Field("due", Kind.INSTANT, "due"),
    Field("day", Kind.DATE, "day"),
    Field("department_id", Kind.ID, "department"),
    Field("tags", Kind.LIST, "tags"),
    Field("sizes", Kind.LIST, "sizes", ("S", "M")),
)
# Values that meet, touch and miss each other; a record may hold one of those beside them as well.
NAMED: dict[str, list[Any]] = {
    "amount": [Decimal("10"), Decimal("10.01"), Decimal("20")],
    "title": ["server", "Server room", "room", "e"],
    "priority": ["LOW", "HIGH", "CRITICAL"],
    "urgent": [True, False],
    "due": [datetime(2030, 1, 1, tzinfo=UTC), datetime(2030, 1, 2, tzinfo=UTC)],
    "day": ["2030-01-01", "2030-01-02", "2030-01-04"],
    "department_id": [1, 2],
    "tags": ["red", "blue"],
    "sizes": ["S", "M"],
}
HELD: dict[str, list[Any]] = {
    "amount": [*NAMED["amount"], Decimal("-1"), Decimal("10.005"), Decimal("15"), Decimal("99"), None],
    "title": [*NAMED["title"], "SERVER", "a server room", "x", "", None],
    "priority": [*NAMED["priority"], None],
    "urgent": [True, False, None],
    "due": [*NAMED["due"], datetime(2029, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, 12, tzinfo=UTC), None],
    "day": [*NAMED["day"], "2030-01-03", "2031-01-01", None],
    "department_id": [1, 2, 3, None],
    "tags": [["red"], ["blue", "red"], ["green"], [], None],
    "sizes": [["S"], ["S", "M"], None],
}


@st.composite
def leaves(draw: st.DrawFn) -> Condition:
    field = FIELDS[draw(st.sampled_from(sorted(FIELDS)))]
    op = draw(st.sampled_from(OPERATORS[field.kind]))
    one = st.sampled_from(NAMED[field.name])
    if op in ("is_empty", "is_not_empty"):
        return Leaf(field, op, None)
    many = op in ("in", "not_in")
    return Leaf(field, op, tuple(draw(st.lists(one, min_size=1, max_size=2))) if many else draw(one))


CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    leaves(),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda parts: All(tuple(parts))),
        st.lists(inner, max_size=4).map(lambda parts: AnyOf(tuple(parts))),
        inner.map(Not),
    ),
    max_leaves=12,
)
RECORDS = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in HELD.items()})


@given(CONDITIONS, CONDITIONS)
def test_an_example_is_one(one: Condition, other: Condition) -> None:
    found = example(one, other)
    if found is not None:
        assert holds(one, found)
        assert holds(other, found)


@given(CONDITIONS, RECORDS)
def test_what_has_no_example_holds_for_nothing(condition: Condition, record: dict[str, Any]) -> None:
    if holds(condition, record):
        assert example(condition) is not None
    else:
        assert not always(condition)


ONLY = {"amount": Domain(step=Decimal("0.01"), least=Decimal(0)), "title": Domain(is_never_empty=True)}


@given(CONDITIONS, RECORDS)
def test_the_same_within_what_fields_can_hold(condition: Condition, record: dict[str, Any]) -> None:
    amount = record["amount"]
    fits = record["title"] not in (None, "") and (amount is None or (amount >= 0 and amount % Decimal("0.01") == 0))
    if fits and holds(condition, record):
        assert example(condition, domains=ONLY) is not None


def read(tree: Any) -> Condition:
    return parse(tree, FIELDS)


def leaf(field: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"field": field, "op": op} | ({} if value is None else {"value": value})


@pytest.mark.parametrize(
    "parts",
    [
        [{"any": []}],
        [{"not": {"all": []}}],
        [leaf("amount", "lt", "1000"), leaf("amount", "gte", "1000")],
        [leaf("amount", "eq", "5"), leaf("amount", "is_empty")],
        [leaf("priority", "not_in", ["LOW", "HIGH", "CRITICAL"]), leaf("priority", "is_not_empty")],
        [leaf("urgent", "ne", True), leaf("urgent", "ne", False), leaf("urgent", "is_not_empty")],
        [leaf("day", "gt", "2030-01-01"), leaf("day", "lt", "2030-01-02")],
        [leaf("due", "lt", "2030-01-01T00:00:00Z"), leaf("due", "gt", "2030-01-02T00:00:00Z")],
        [leaf("title", "contains", "Server"), {"not": leaf("title", "contains", "serve")}],
        [leaf("title", "starts_with", "ab"), leaf("title", "starts_with", "b")],
        [leaf("title", "contains", "x"), leaf("title", "is_empty")],
        [leaf("title", "eq", "x"), {"not": leaf("title", "starts_with", "X")}],
        [leaf("department_id", "in", [1, 2]), leaf("department_id", "not_in", [2, 1])],
        [leaf("tags", "contains", "red"), {"not": leaf("tags", "contains", "red")}],
        [{"not": leaf("sizes", "contains", x)} for x in "SM"] + [leaf("sizes", "is_not_empty")],
        [
            {"any": [leaf("amount", "gt", "5"), leaf("urgent", "eq", True)]},
            leaf("amount", "lt", "1"),
            leaf("urgent", "eq", False),
        ],
    ],
)
def test_contradictions(parts: list[Any]) -> None:
    assert example(read({"all": parts})) is None
    assert example(*(read(p) for p in parts)) is None


@pytest.mark.parametrize(
    "parts",
    [
        [leaf("amount", "gt", "10"), leaf("amount", "lt", "10.01")],
        [
            leaf("title", "starts_with", "ab"),
            leaf("title", "contains", "ba"),
            {"not": leaf("title", "contains", "aba")},
        ],
        [leaf("title", "ne", "x"), leaf("title", "is_not_empty")],
        [{"not": leaf("title", "contains", c)} for c in "~#*+"] + [leaf("title", "is_not_empty")],
        [leaf("tags", "contains", "red"), leaf("tags", "contains", "blue")],
        [{"not": leaf("sizes", "contains", "S")}, leaf("sizes", "is_not_empty")],
        [{"not": leaf("tags", "contains", "red")}, leaf("tags", "is_not_empty")],
        [leaf("due", "gt", "9998-12-31T00:00:00Z")],
        [leaf("due", "gte", "9999-12-31T00:00:00Z")],
        [leaf("day", "gte", "9999-12-31")],
        [leaf("department_id", "not_in", [1, 2])],
    ],
)
def test_what_can_be(parts: list[Any]) -> None:
    found = example(*(read(p) for p in parts))
    assert found is not None
    assert all(holds(read(p), found) for p in parts)


def test_domains() -> None:
    cents = {"amount": Domain(step=Decimal("0.01"), least=Decimal(0))}
    between = [read(leaf("amount", "gt", "10")), read(leaf("amount", "lt", "10.01"))]
    assert example(*between) is not None
    assert example(*between, domains=cents) is None
    assert example(read(leaf("amount", "lt", "0")), domains=cents) is None
    assert example(read(leaf("amount", "eq", "0.005")), domains=cents) is None
    assert example(read(leaf("amount", "is_not_empty")), domains=cents) == {"amount": Decimal(0)}
    kinds = {"title": Domain(choices=("IT", "HR"), is_never_empty=True)}
    assert example(read(leaf("title", "ne", "IT")), domains=kinds) == {"title": "HR"}
    assert example(read(leaf("title", "not_in", ["IT", "HR"])), domains=kinds) is None
    assert always(ALWAYS)
    assert always(read({"any": [leaf("title", "eq", "IT"), leaf("title", "eq", "HR")]}), domains=kinds)


def test_what_takes_too_long_is_left_undecided() -> None:
    hard = [
        {"any": [{"all": [leaf("amount", "gt", str(n)), leaf("amount", "lt", str(n))]} for n in range(9)]}
        for _ in range(9)
    ]
    with pytest.raises(Undecided):
        example(read({"any": [leaf("urgent", "eq", True) for _ in range(100)]}), *map(read, hard), effort=Effort(500))
    two_meanings = Leaf(Field("amount", Kind.TEXT, "amount"), "eq", "x")
    with pytest.raises(Undecided):
        example(two_meanings, read(leaf("amount", "gt", "5")))
    every = "".join(map(chr, range(0x2460, 0x24C0))) + "~#*+=^|0123456789"
    with pytest.raises(Undecided):
        example(read(leaf("title", "ne", every)))


def test_what_was_made_up() -> None:
    assert is_made_up("server~")
    assert is_made_up(["~"])
    assert not is_made_up("server")
    assert not is_made_up(5)
