"""The condition language: what it reads, what it refuses, and that evaluation and SQL agree."""

from __future__ import annotations

import string
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    MetaData,
    Numeric,
    Table,
    Text,
    insert,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from waypost.kernel.conditions.evaluate import fold, holds
from waypost.kernel.conditions.fields import CUSTOM, OPERATORS, Field, Kind, catalogue, form_fields
from waypost.kernel.conditions.sql import compiled, compiled_shape, custom_column, lifted
from waypost.kernel.conditions.tree import ALWAYS, InvalidCondition, describe, leaves, parse
from waypost.kernel.embedded import APP_ROLE
from waypost.kernel.settings import get_settings

FORM = {
    "properties": {
        "note": {"type": "string", "title": "Note"},
        "size": {"type": "number"},
        "urgent": {"type": "boolean"},
        "day": {"type": "string", "format": "date"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "colour": {"type": "string", "enum": ["red", "blue"]},
        "file": {"type": "object"},
        "odd": True,
        "union": {"type": ["string", "null"]},
        "price": {"type": "object", "x-kind": "money"},
        "boss": {"type": "integer", "x-kind": "person", "title": "Boss"},
        "unit": {"type": "integer", "x-kind": "department"},
        "extras": {"type": "array", "x-kind": "multi_choice", "items": {"type": "string", "enum": ["a", "b"]}},
        "papers": {"type": "array", "x-kind": "file", "items": {"type": "integer"}},
        "agreed": {"type": "boolean", "x-kind": "checkbox"},
    }
}
FIELDS = catalogue(
    Field("title", Kind.TEXT, "title"),
    Field("amount", Kind.NUMBER, "amount"),
    Field("due", Kind.INSTANT, "due date"),
    Field("team_id", Kind.ID, "team"),
) | form_fields(FORM)
TABLE = Table(
    "condition_samples",
    MetaData(),
    Column("id", BigInteger, primary_key=True),
    Column("title", Text),
    Column("amount", Numeric(20, 9)),
    Column("due", DateTime(timezone=True)),
    Column("team_id", BigInteger),
    Column("fields", JSONB),
)


PAIRS: Any = literal_column("waypost_pairs(coalesce(title, '') || ' ' || fields::text)", ARRAY(Text))


def column(field: Field) -> Any:
    return custom_column(TABLE.c.fields, field) if field.name.startswith(CUSTOM) else TABLE.c[field.name]


def leaf(field: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"field": field, "op": op} | ({} if value is None else {"value": value})


def test_form_fields_are_typed() -> None:
    kinds = {name.removeprefix(CUSTOM): f.kind for name, f in form_fields(FORM).items()}
    assert kinds == {
        "note": Kind.TEXT,
        "size": Kind.NUMBER,
        "urgent": Kind.BOOLEAN,
        "day": Kind.DATE,
        "tags": Kind.LIST,
        "colour": Kind.CHOICE,
        "price": Kind.NUMBER,
        "boss": Kind.ID,
        "unit": Kind.ID,
        "extras": Kind.LIST,
        "agreed": Kind.BOOLEAN,
    }
    assert form_fields(FORM)["custom.extras"].choices == ("a", "b")


def test_nothing_means_always() -> None:
    assert parse(None, FIELDS) == ALWAYS
    assert holds(parse(None, FIELDS), {})
    assert holds(parse({"all": []}, FIELDS), {})
    assert not holds(parse({"any": []}, FIELDS), {})


@pytest.mark.parametrize(
    ("tree", "holds_for", "not_for"),
    [
        (leaf("amount", "eq", "5"), {"amount": Decimal("5.0")}, {"amount": Decimal(4)}),
        (leaf("amount", "ne", "5"), {"amount": Decimal(4)}, {"amount": Decimal(5)}),
        (leaf("amount", "in", ["5", "6"]), {"amount": Decimal(6)}, {"amount": Decimal(7)}),
        (leaf("amount", "not_in", ["5", "6"]), {}, {"amount": Decimal(6)}),
        (leaf("amount", "lt", "5"), {"amount": Decimal(4)}, {"amount": Decimal(5)}),
        (leaf("amount", "lte", "5"), {"amount": Decimal(5)}, {"amount": Decimal(6)}),
        (leaf("amount", "gt", "5"), {"amount": Decimal(6)}, {"amount": Decimal(5)}),
        (leaf("amount", "gte", "5"), {"amount": Decimal(5)}, {"amount": Decimal(4)}),
        (leaf("amount", "gte", "5"), {"amount": Decimal(5)}, {"amount": None}),
        (leaf("amount", "is_empty"), {}, {"amount": Decimal(0)}),
        (leaf("amount", "is_not_empty"), {"amount": Decimal(0)}, {}),
        (leaf("title", "starts_with", "Lap"), {"title": "laptop"}, {"title": "a laptop"}),
        (leaf("title", "contains", "TOP"), {"title": "laptop"}, {"title": "desk"}),
        (
            leaf("custom.price", "gte", "5"),
            {"custom.price": {"amount": "5.00", "currency": "EUR"}},
            {"custom.price": "9"},
        ),
        (leaf("custom.price", "is_empty"), {"custom.price": {"amount": "-1"}}, {"custom.price": {"amount": "0"}}),
        (leaf("custom.boss", "eq", 3), {"custom.boss": 3}, {"custom.boss": "3"}),
        (leaf("custom.boss", "is_empty"), {"custom.boss": True}, {"custom.boss": 1}),
        (leaf("custom.extras", "contains", "a"), {"custom.extras": ["b", "a"]}, {"custom.extras": ["b"]}),
        (leaf("custom.tags", "contains", "red"), {"custom.tags": ["red"]}, {"custom.tags": ["dark red"]}),
    ],
)
def test_what_operators_mean(tree: Any, holds_for: dict[str, Any], not_for: dict[str, Any]) -> None:
    condition = parse(tree, FIELDS)
    assert holds(condition, holds_for)
    assert not holds(condition, not_for)


@pytest.mark.parametrize(
    ("tree", "pointer"),
    [
        ("x", ""),
        ({}, ""),
        ({"all": "x"}, "/all"),
        ({"any": {}}, "/any"),
        ({"all": [], "any": []}, ""),
        ({"not": 5}, "/not"),
        ({"all": [{"field": "nope", "op": "eq", "value": 1}]}, "/all/0/field"),
        ({"field": 5, "op": "eq", "value": 1}, "/field"),
        (leaf("title", "gt", "a"), "/op"),
        (leaf("title", "like", "a"), "/op"),
        (leaf("title", "eq", 5), "/value"),
        (leaf("title", "eq", "a\x00"), "/value"),
        (leaf("title", "eq", "a" * 501), "/value"),
        (leaf("amount", "eq", "five"), "/value"),
        (leaf("amount", "eq", True), "/value"),
        (leaf("amount", "eq", "1e9"), "/value"),
        (leaf("due", "lt", 5), "/value"),
        (leaf("due", "lt", "2026-01-01T00:00:00"), "/value"),
        (leaf("due", "lt", "soon"), "/value"),
        (leaf("team_id", "eq", 0), "/value"),
        (leaf("custom.urgent", "eq", "yes"), "/value"),
        (leaf("custom.day", "eq", 5), "/value"),
        (leaf("custom.day", "eq", "2026-02-30"), "/value"),
        (leaf("custom.colour", "eq", "green"), "/value"),
        (leaf("custom.extras", "contains", "c"), "/value"),
        (leaf("title", "in", "a"), "/value"),
        (leaf("title", "in", []), "/value"),
        (leaf("title", "in", ["a", 5]), "/value/1"),
        (leaf("title", "is_empty", "x"), "/value"),
        (leaf("title", "eq", "a") | {"more": 1}, "/more"),
    ],
)
def test_mistakes_are_named(tree: Any, pointer: str) -> None:
    with pytest.raises(InvalidCondition) as refused:
        parse(tree, FIELDS, pointer="/condition")
    assert refused.value.errors[0].pointer == f"/condition{pointer}"


def test_size_and_depth_are_bounded() -> None:
    deep: Any = leaf("title", "eq", "a")
    for _ in range(20):
        deep = {"not": deep}
    with pytest.raises(InvalidCondition, match="nested"):
        parse(deep, FIELDS)
    with pytest.raises(InvalidCondition, match="parts"):
        parse({"all": [leaf("title", "eq", "a")] * 300}, FIELDS)


def test_in_words() -> None:
    tree = {
        "all": [
            leaf("amount", "gt", "5000"),
            {"any": [leaf("title", "contains", "x"), {"not": leaf("custom.urgent", "eq", True)}]},
            leaf("custom.urgent", "ne", False),
            leaf("due", "is_empty"),
            leaf("due", "lt", "2026-01-01T00:00:00Z"),
        ]
    }
    condition = parse(tree, FIELDS)
    assert describe(condition) == (
        "amount is above 5,000 and (title contains x or not (urgent is yes)) and urgent is not no"
        " and due date is empty and below 2026-01-01 00:00 UTC"
    )
    assert [x.field.name for x in leaves(condition)] == [
        "amount",
        "title",
        "custom.urgent",
        "custom.urgent",
        "due",
        "due",
    ]
    assert describe(ALWAYS) == "always"
    assert describe(parse({"any": []}, FIELDS)) == "never"
    assert describe(parse({"all": [{"any": [leaf("title", "eq", "a")]}]}, FIELDS)) == "title is a"
    spoken = {"any": [leaf("title", "contains", "x"), leaf("title", "eq", "y"), leaf("title", "is_empty")]}
    assert describe(parse(spoken, FIELDS)) == "title contains x or is y or empty"


def test_folding_needs_no_locale() -> None:
    assert fold("ÄÖÜ ΑΒΓ АБВ ABC") == "äöü αβγ абв abc"
    assert fold("İ") == "İ", "its small letter is two characters, so it stays"


def test_values_of_another_kind_are_empty() -> None:
    assert holds(parse(leaf("amount", "is_empty"), FIELDS), {"amount": True})
    assert holds(parse(leaf("custom.tags", "is_empty"), FIELDS), {"custom.tags": []})
    assert not holds(parse(leaf("amount", "lt", "1"), FIELDS), {"amount": [1]})


TEXTS = st.text(st.sampled_from("aAbBäÄΣσ %_\\'\"x" + string.digits), max_size=4)
NUMBERS = st.decimals(min_value=-999, max_value=999, places=2).map(lambda d: f"{d:.2f}")
INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2020, 1, 3), timezones=st.just(UTC)).map(lambda d: d.isoformat())
DAYS = st.sampled_from(["2026-01-01", "2026-01-02", "2026-12-31"])
AMOUNTS = st.sampled_from(["0", "5", "5.00", "12.5", "999999999999.99", "", "-1", "1.234", "x", "1 ", "5\n"])
MONEY = st.fixed_dictionaries(
    {"amount": AMOUNTS | st.integers(0, 9) | st.none()}, optional={"currency": st.just("EUR")}
)
VALUES: dict[Kind, Any] = {
    Kind.TEXT: TEXTS,
    Kind.CHOICE: st.sampled_from(["red", "blue"]),
    Kind.NUMBER: NUMBERS,
    Kind.BOOLEAN: st.booleans(),
    Kind.INSTANT: INSTANTS,
    Kind.DATE: DAYS,
    Kind.ID: st.integers(1, 3),
    Kind.LIST: TEXTS,
}


@st.composite
def leaf_of(draw: Any) -> dict[str, Any]:
    field = draw(st.sampled_from(list(FIELDS.values())))
    op = draw(st.sampled_from(OPERATORS[field.kind]))
    if op.startswith("is_"):
        return {"field": field.name, "op": op}
    value = st.sampled_from(field.choices) if field.choices else VALUES[field.kind]
    return {
        "field": field.name,
        "op": op,
        "value": draw(st.lists(value, min_size=1, max_size=3) if "in" in (op, op[4:]) else value),
    }


TREES = st.recursive(
    leaf_of(),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"all": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"any": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"not": inner}),
    ),
    max_leaves=6,
)
ROWS = st.fixed_dictionaries(
    {
        "title": st.none() | TEXTS,
        "amount": st.none() | NUMBERS.map(Decimal),
        "due": st.none() | INSTANTS.map(datetime.fromisoformat),
        "team_id": st.none() | st.integers(1, 3),
        "fields": st.fixed_dictionaries(
            {},
            optional={
                "note": st.none() | TEXTS | st.integers(),
                "size": st.none() | st.integers(-99, 99) | st.sampled_from([0.5, 1.25]) | TEXTS,
                "urgent": st.none() | st.booleans() | TEXTS,
                "day": st.none() | DAYS,
                "tags": st.none() | st.lists(TEXTS, max_size=2) | TEXTS,
                "colour": st.none() | st.sampled_from(["red", "blue"]),
                "price": st.none() | MONEY | st.integers(-3, 3) | TEXTS,
                "boss": st.none() | st.integers(-1, 3) | st.sampled_from([1.5, 10**17, 10**18]) | st.booleans() | TEXTS,
                "unit": st.none() | st.integers(1, 3),
                "extras": st.none() | st.lists(st.sampled_from(["a", "b", "c"]), max_size=2),
                "agreed": st.none() | st.booleans(),
            },
        ),
    }
)


@pytest.fixture(scope="module")
async def samples(database: Any) -> Any:
    engine = create_async_engine(get_settings().owner_url(), poolclass=NullPool)
    async with engine.begin() as owner:  # the application's own role makes no tables
        await owner.run_sync(TABLE.create)
        await owner.execute(text(f"GRANT ALL ON {TABLE.name} TO {APP_ROLE}"))
    yield database
    async with engine.begin() as owner:  # other tests look at all the tables there are
        await owner.run_sync(TABLE.drop)
    await engine.dispose()


@given(trees=st.lists(TREES, min_size=5, max_size=10), rows=st.lists(ROWS, min_size=5, max_size=20))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
async def test_evaluation_and_sql_agree(samples: Any, trees: list[Any], rows: list[dict[str, Any]]) -> None:
    conditions = [parse(t, FIELDS) for t in trees]
    async with samples.transaction() as session:
        await session.execute(TABLE.delete())
        await session.execute(insert(TABLE), [{"id": n, **row} for n, row in enumerate(rows)])
        for tree, condition in zip(trees, conditions, strict=True):
            found = set((await session.scalars(select(TABLE.c.id).where(compiled(condition, column)))).all())
            records = [
                {k: v for k, v in row.items() if k != "fields"} | {f"custom.{k}": v for k, v in row["fields"].items()}
                for row in rows
            ]
            expected = {n for n, record in enumerate(records) if holds(condition, record)}
            assert found == expected, (tree, [rows[n] for n in found ^ expected])
            for document in (None, TABLE.c.fields):
                shape, values = lifted(condition, by_document=document is not None)
                for pairs in (None, PAIRS) if document is not None else (None,):
                    by_shape = compiled_shape(shape, column, document=document, pairs=pairs)
                    found = set((await session.scalars(select(TABLE.c.id).where(by_shape), values)).all())
                    assert found == expected, (tree, shape, values)


@pytest.mark.parametrize("words", ["a", "B", "ab", " a", "é ", "%", "_", "\\", "é", "a%", "abc", ""])
async def test_a_few_letters_of_a_text(samples: Any, words: str) -> None:
    """Short words are looked for in another way than long ones, and what means something to LIKE means nothing here."""
    titles = ["Abc", "cab", "100 %", "a_b", "back\\slash", "É", "", None]
    condition = parse(leaf("title", "contains", words), FIELDS)
    shape, values = lifted(condition, by_document=False)
    async with samples.transaction() as session:
        await session.execute(TABLE.delete())
        await session.execute(insert(TABLE), [{"id": n, "title": t, "fields": {}} for n, t in enumerate(titles)])
        few = compiled_shape(shape, column, pairs=PAIRS)
        for statement in (compiled(condition, column), compiled_shape(shape, column), few):
            found = set((await session.scalars(select(TABLE.c.id).where(statement), values)).all())
            assert found == {n for n, title in enumerate(titles) if holds(condition, {"title": title})}


@pytest.mark.parametrize(
    "words", ["a", "ab", "abc", 'a"b', '"', "\\", "a\\b", "\n", "back\\sl", "É", "née", "%", "a_b", "{", "no", ""]
)
async def test_letters_inside_a_form_s_text(samples: Any, words: str) -> None:
    """The document's own text is asked first where it says the same letters, and never instead of the field's."""
    notes = ["abc", "xAbc", 'a"b', "back\\slash", "line\nbreak", "née", "a_b %", "{}", "", None]
    condition = parse(leaf("custom.note", "contains", words), FIELDS)
    shape, values = lifted(condition, by_document=True)
    rows = [{"id": n, "fields": {"other": "abc no"} | ({} if t is None else {"note": t})} for n, t in enumerate(notes)]
    async with samples.transaction() as session:
        await session.execute(TABLE.delete())
        await session.execute(insert(TABLE), rows)
        expected = {n for n, note in enumerate(notes) if holds(condition, {"custom.note": note})}
        for pairs in (None, PAIRS):
            by_shape = compiled_shape(shape, column, document=TABLE.c.fields, pairs=pairs)
            assert set((await session.scalars(select(TABLE.c.id).where(by_shape), values)).all()) == expected
        plain = select(TABLE.c.id).where(compiled(condition, column, document=TABLE.c.fields))
        assert set((await session.scalars(plain)).all()) == expected


def test_conditions_of_one_shape_are_equal_but_for_their_values() -> None:
    def shape(amount: str, words: list[str]) -> tuple[Any, dict[str, Any]]:
        parts = [leaf("amount", "gte", amount), {"not": leaf("title", "in", words)}, leaf("due", "is_empty")]
        return lifted(parse({"all": parts}, FIELDS), by_document=True)

    (one, first), (other, second) = shape("5", ["a", "b"]), shape("6", ["b", "c", "d"])
    assert one == other
    assert hash(one) == hash(other)
    assert first == {"condition_0": Decimal(5), "condition_1": ["a", "b"]}
    assert second == {"condition_0": Decimal(6), "condition_1": ["b", "c", "d"]}
    assert (
        shape("5", ["a"])[1]["condition_1"] == "a"
    )  # one value is compared with, so that an index gives it in an order
    assert lifted(parse(leaf("custom.colour", "eq", "red"), FIELDS), by_document=True)[1] == {
        "condition_0": {"colour": "red"}
    }
