"""A condition as a WHERE clause; every value is a bound parameter. The twin of `evaluate.holds`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Numeric, Text, and_, case, cast, false, func, literal, not_, or_, true
from sqlalchemy.dialects.postgresql import JSONB

from waypost.kernel.conditions.evaluate import AMOUNT, LOWER, MOST_DIGITS, UPPER, fold
from waypost.kernel.conditions.fields import CUSTOM, Field, Kind
from waypost.kernel.conditions.tree import All, Condition, Leaf, Not

Column = Callable[[Field], ColumnElement[Any]]


def compiled(condition: Condition, column: Column) -> ColumnElement[bool]:
    """The rows that fulfil the condition. `column` gives the expression of a field, NULL where it is empty."""
    if isinstance(condition, Leaf):
        return _leaf(condition, column(condition.field))
    if isinstance(condition, Not):
        return not_(compiled(condition.part, column))
    parts = [compiled(p, column) for p in condition.parts]
    if isinstance(condition, All):
        return and_(true(), *parts)
    return or_(false(), *parts)


def custom_column(document: ColumnElement[Any], field: Field) -> ColumnElement[Any]:
    """A field of a form kept as JSON, typed; NULL when it is missing or of another type."""
    key = field.name.removeprefix(CUSTOM)
    value = document[key]
    json_type = {Kind.NUMBER: "number", Kind.BOOLEAN: "boolean", Kind.LIST: "array"}.get(field.kind, "string")
    if field.kind is Kind.ID:
        digits = cast(value, Text)
        is_id = and_(func.jsonb_typeof(value) == "number", digits.op("~")(f"^[1-9][0-9]{{0,{MOST_DIGITS - 1}}}$"))
        return case((is_id, cast(digits, BigInteger)))
    if field.kind is Kind.LIST:
        typed: ColumnElement[Any] = func.nullif(value, cast(literal([], JSONB), JSONB))
    elif field.kind is Kind.NUMBER:
        amount = value["amount"].as_string()
        is_money = and_(
            func.jsonb_typeof(value) == "object",
            func.jsonb_typeof(value["amount"]) == "string",
            amount.op("~")(f"^{AMOUNT}$"),
        )
        return case(
            (func.jsonb_typeof(value) == "number", value.as_numeric(40, 12)),
            (is_money, cast(amount, Numeric(40, 12))),
        )
    elif field.kind is Kind.BOOLEAN:
        typed = value.as_boolean()
    else:
        typed = value.as_string()
    return case((func.jsonb_typeof(value) == json_type, typed))


def _leaf(leaf: Leaf, value: ColumnElement[Any]) -> ColumnElement[bool]:
    wanted = leaf.value
    if leaf.field.kind in (Kind.TEXT, Kind.CHOICE, Kind.DATE):
        value = func.nullif(cast(value, Text), "").collate("C")  # by code points, as Python compares
    match leaf.op:
        case "is_empty":
            return value.is_(None)
        case "is_not_empty":
            return value.is_not(None)
        case "ne":
            return value.is_distinct_from(wanted)
        case "not_in":
            return or_(value.is_(None), value.not_in(wanted))
    found: ColumnElement[bool]
    match leaf.op:
        case "eq":
            found = value == wanted
        case "in":
            found = value.in_(wanted)
        case "lt":
            found = value < wanted
        case "lte":
            found = value <= wanted
        case "gt":
            found = value > wanted
        case "gte":
            found = value >= wanted
        case "starts_with":
            found = func.starts_with(_folded(value), fold(wanted))
        case _:  # contains
            if leaf.field.kind is Kind.LIST:
                found = value.op("@>")(cast(literal([wanted], JSONB), JSONB))
            else:
                found = func.strpos(_folded(value), fold(wanted)) > 0
    # NULL would make `not` wrong: a comparison with an empty field is false, never unknown.
    return func.coalesce(found, false())


def _folded(value: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.translate(value, UPPER, LOWER)
