"""A condition as a WHERE clause; every value is a bound parameter. The twin of `evaluate.holds`.

Where a part is only asked whether it is true, a comparison stays bare, so that PostgreSQL can use an index and knows
how many rows to expect. Below a `not` it is made to answer true or false, never unknown. What is asked of the same row of
another table is asked at once, so that an index over there can answer it.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    DateTime,
    Numeric,
    Text,
    all_,
    and_,
    any_,
    bindparam,
    case,
    cast,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, array
from sqlalchemy.types import TypeEngine

from waypost.kernel.conditions.evaluate import AMOUNT, MOST_DIGITS, fold
from waypost.kernel.conditions.fields import CUSTOM, Field, Kind
from waypost.kernel.conditions.tree import All, AnyOf, Condition, Leaf, Not


@dataclass(frozen=True, slots=True, eq=False)
class Beside:
    """Where a field stands that another table has: the row there that `belongs` to each of ours, and its `value`.

    A row of ours that has none there has the field empty; of one that has several, a comparison holds when it does of any
    one of them (and what is not so, when it is so of none), and what has to hold together does of the same one.
    """

    belongs: ColumnElement[bool]
    value: ColumnElement[Any]


Column = Callable[[Field], ColumnElement[Any] | Beside]
Value = Callable[["Leaf", bool], ColumnElement[Any]]
Document = ColumnElement[Any] | None
Pairs = ColumnElement[Any] | None
NEVER = AnyOf(())
_TEXTS = (Kind.TEXT, Kind.CHOICE, Kind.DATE)
_MANY = ("in", "not_in")
_OPPOSITES = {"ne": "eq", "not_in": "in", "is_empty": "is_not_empty"}  # of what holds where there is no value, too
_TRIGRAM = 3
_HOLDS_FEW = "holds_few"  # contains so few letters that an index of trigrams would be read as a whole
_HOLDS_ODD = "holds_odd"  # the same, of letters JSON writes otherwise
_HOLDS_PLAIN = "holds_plain"  # a form's text contains what stands in the document's own text in the same letters
_ESCAPED = re.compile(r'["\\\x00-\x1f]')  # what JSON writes otherwise (RFC 8259, section 7)
_ORDERS: dict[str, Callable[[Any, Any], Any]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}
_TYPES: dict[Kind, TypeEngine[Any]] = {
    Kind.TEXT: Text(),
    Kind.CHOICE: Text(),
    Kind.DATE: Text(),
    Kind.NUMBER: Numeric(),
    Kind.BOOLEAN: Boolean(),
    Kind.INSTANT: DateTime(timezone=True),
    Kind.ID: BigInteger(),
    Kind.LIST: JSONB(),
}


def compiled(condition: Condition, column: Column, *, document: Document = None) -> ColumnElement[bool]:
    """The rows that fulfil the condition. `column` gives the expression of a field, NULL where it is empty, or `Beside`.

    `document` is the JSON column that holds the form's fields, for comparisons an index on it can answer: by what it
    contains, and by trigrams of its folded text.
    """

    def value(leaf: Leaf, by_document: bool) -> ColumnElement[Any]:
        return literal(_sent(leaf, by_document), _type(leaf, by_document))

    return _compiled(simplified(condition), column, document, value, is_exact=False)


def lifted(condition: Condition, *, by_document: bool) -> tuple[Condition, dict[str, Any]]:
    """The condition's shape (names instead of values) and the values by name: equal shapes share one statement."""
    values: dict[str, Any] = {}

    def lift(part: Condition) -> Condition:
        if isinstance(part, Not):
            return Not(lift(part.part))
        if not isinstance(part, Leaf):
            return type(part)(tuple(lift(p) for p in part.parts))
        if part.value is None:
            return part
        name = f"condition_{len(values)}"
        values[name] = _sent(part, by_document and _is_contained(part))
        return replace(part, value=name)

    return lift(simplified(condition)), values


def compiled_shape(
    shape: Condition, column: Column, *, document: Document = None, pairs: Pairs = None
) -> ColumnElement[bool]:
    """`compiled` for a shape of `lifted`: over parameters of the names it gave.

    `pairs` are the folded letters, alone and in twos, of all texts a row has (`waypost_pairs`): what contains one or two
    letters is looked up there first, where an index can answer.
    """

    def value(leaf: Leaf, by_document: bool) -> ColumnElement[Any]:
        return bindparam(leaf.value, type_=_type(leaf, by_document))

    return _compiled(shape, column, document, value, is_exact=False, pairs=pairs)


def simplified(condition: Condition) -> Condition:
    """The same without comparisons with the empty text, which is no value: nothing equals it, everything contains it."""
    if isinstance(condition, Not):
        return Not(simplified(condition.part))
    if not isinstance(condition, Leaf):
        return type(condition)(tuple(simplified(p) for p in condition.parts))
    if condition.field.kind is Kind.LIST:
        return condition
    if condition.op in _MANY:
        wanted = tuple(v for v in condition.value if v != "")
        if len(wanted) == 1:  # an index gives one value in an order, and several in none
            return replace(condition, op="eq" if condition.op == "in" else "ne", value=wanted[0])
        if wanted:
            return replace(condition, value=wanted)
        return NEVER if condition.op == "in" else All(())
    if condition.value == "":
        if condition.op in ("contains", "starts_with"):
            return Leaf(condition.field, "is_not_empty", None)
        return NEVER if condition.op == "eq" else All(())
    if condition.op == "contains" and len(condition.value) < _TRIGRAM:
        is_plain = not condition.field.name.startswith(CUSTOM) or not _ESCAPED.search(condition.value)
        return replace(condition, op=_HOLDS_FEW if is_plain else _HOLDS_ODD)
    if condition.op == "contains" and condition.field.name.startswith(CUSTOM) and not _ESCAPED.search(condition.value):
        return replace(condition, op=_HOLDS_PLAIN)
    return condition


def custom_column(document: ColumnElement[Any], field: Field) -> ColumnElement[Any]:
    """A field of a form kept as JSON, typed; NULL when it is missing or of another type."""
    key = field.name.removeprefix(CUSTOM)
    value = document[key]
    json_type = {Kind.NUMBER: "number", Kind.BOOLEAN: "boolean", Kind.LIST: "array"}.get(field.kind, "string")
    if field.kind is Kind.ID:
        digits = cast(value, Text)
        is_id = and_(func.jsonb_typeof(value) == "number", digits.op("~")(f"^[1-9][0-9]{{0,{MOST_DIGITS - 1}}}$"))
        return case((is_id, cast(digits, BigInteger)))
    if field.kind is Kind.NUMBER:
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
    if field.kind is Kind.LIST:
        typed: ColumnElement[Any] = value
    elif field.kind is Kind.BOOLEAN:
        typed = value.as_boolean()
    else:
        typed = value.as_string()
    return case((func.jsonb_typeof(value) == json_type, typed))


def folded(value: ColumnElement[Any]) -> ColumnElement[Any]:
    """Text without the difference of upper and lower case, by the database's twin of `evaluate.fold`."""
    return func.waypost_fold(value)


def _compiled(
    condition: Condition,
    column: Column,
    document: Document,
    value: Value,
    *,
    is_exact: bool,
    pairs: Pairs = None,
) -> ColumnElement[bool]:
    if isinstance(condition, Leaf):
        place = column(condition.field)
        if isinstance(place, Beside):
            return _beside([(condition, place)], value)
        by_document = document is not None and _is_contained(condition)
        wanted = None if condition.value is None else value(condition, by_document)
        if by_document:
            assert document is not None
            assert wanted is not None
            found: ColumnElement[bool] = document.bool_op("@>")(any_(wanted) if condition.op == "in" else wanted)
            return found
        found = _leaf(condition, place, wanted)
        if document is not None and condition.op == _HOLDS_PLAIN:
            found = and_(folded(cast(document, Text)).like(wanted), found)
        if pairs is not None and condition.op == _HOLDS_FEW:
            found = and_(pairs.bool_op("@>")(array([cast(wanted, Text)])), found)
        # NULL would make `not` wrong: a comparison with an empty field is false, never unknown.
        return func.coalesce(found, false()) if is_exact else found
    if isinstance(condition, Not):
        return not_(_compiled(condition.part, column, document, value, is_exact=True, pairs=pairs))
    together = _together(condition, column)
    parts = [
        _compiled(p, column, document, value, is_exact=is_exact, pairs=pairs)
        for p in condition.parts
        if not any(p is leaf for leaves in together for leaf, _ in leaves)
    ]
    parts += [_beside(leaves, value) for leaves in together]
    return and_(true(), *parts) if isinstance(condition, All) else or_(false(), *parts)


def _together(condition: All | AnyOf, column: Column) -> list[list[tuple[Leaf, Beside]]]:
    """What is asked of the same row of another table, all of which has to hold."""
    found: dict[int, list[tuple[Leaf, Beside]]] = {}
    for part in condition.parts if isinstance(condition, All) else ():
        if isinstance(part, Leaf) and part.op not in _OPPOSITES:
            place = column(part.field)
            if isinstance(place, Beside):
                found.setdefault(id(place.belongs), []).append((part, place))
    return list(found.values())


def _beside(leaves: Sequence[tuple[Leaf, Beside]], value: Value) -> ColumnElement[bool]:
    """Whether the row over there fulfils all of these; a single one may be what holds where there is no such row."""
    (first, place), *_ = leaves
    if first.op in _OPPOSITES:
        return not_(_beside([(replace(first, op=_OPPOSITES[first.op]), place)], value))
    asked = [_leaf(leaf, at.value, None if leaf.value is None else value(leaf, False)) for leaf, at in leaves]
    return select(literal(1)).where(place.belongs, *asked).exists()


def _is_contained(leaf: Leaf) -> bool:
    """Whether this is asked of the whole document: it contains this field with this value."""
    if not leaf.field.name.startswith(CUSTOM):
        return False
    if leaf.field.kind is Kind.LIST:
        return leaf.op == "contains"
    return leaf.op in ("eq", "in") and leaf.field.kind in (*_TEXTS, Kind.BOOLEAN)


def _sent(leaf: Leaf, by_document: bool) -> Any:
    """The value as the database gets it."""
    wanted = leaf.value
    if by_document:
        key = leaf.field.name.removeprefix(CUSTOM)
        if leaf.op == "in":
            return [{key: v} for v in wanted]
        return {key: [wanted]} if leaf.field.kind is Kind.LIST else {key: wanted}
    if leaf.field.kind is Kind.LIST:
        return [wanted]
    if leaf.op in ("contains", "starts_with", _HOLDS_PLAIN):
        pattern = fold(wanted).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return f"{pattern}%" if leaf.op == "starts_with" else f"%{pattern}%"
    if leaf.op in (_HOLDS_FEW, _HOLDS_ODD):
        return fold(wanted)
    return list(wanted) if leaf.op in _MANY else wanted


def _type(leaf: Leaf, by_document: bool) -> TypeEngine[Any]:
    one = JSONB() if by_document else _TYPES[leaf.field.kind]
    return ARRAY(one) if leaf.op in _MANY else one


def _leaf(leaf: Leaf, value: ColumnElement[Any], wanted: Any) -> ColumnElement[bool]:
    if leaf.op == "eq":
        equal: ColumnElement[bool] = value == wanted
        return equal
    match leaf.op:
        case "is_empty" | "is_not_empty":
            if leaf.field.kind in _TEXTS:
                value = func.nullif(cast(value, Text), "")
            elif leaf.field.kind is Kind.LIST:
                value = func.nullif(value, cast(literal([], JSONB), JSONB))
            return value.is_(None) if leaf.op == "is_empty" else value.is_not(None)
        case "ne":
            return value.is_distinct_from(wanted)
        case "not_in":
            return or_(value.is_(None), value != all_(wanted))
        case "in":
            return value == any_(wanted)
        case "starts_with" | "contains" | "holds_plain" if leaf.field.kind is not Kind.LIST:
            return folded(cast(value, Text)).like(wanted)
        case "holds_few" | "holds_odd":
            return func.strpos(folded(cast(value, Text)), wanted) > 0
        case "contains":
            found: ColumnElement[bool] = value.bool_op("@>")(wanted)
            return found
    if leaf.field.kind is Kind.DATE:
        value = func.nullif(cast(value, Text), "").collate("C")  # by code points, as Python compares
    ordered: ColumnElement[bool] = _ORDERS[leaf.op](value, wanted)
    return ordered
