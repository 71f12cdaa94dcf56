"""Reading a condition: `{"all": [{"field": "amount", "op": "gte", "value": "1000"}, {"any": [...]}]}`. Pure.

A branch is `all`, `any` (lists) or `not` (one); a leaf is `field`, `op`, `value`. Every mistake is named by a JSON
pointer; size and depth are bounded, so a condition can be evaluated and compiled without further checks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Union

from waypost.kernel.conditions.fields import OPERATORS, Catalogue, Field, Kind
from waypost.kernel.errors import FieldError, Invalid, escape_pointer

MAX_DEPTH = 16
MAX_NODES = 200
MAX_VALUES = 100
MAX_TEXT = 500
_DECIMAL = re.compile(r"-?\d{1,18}(\.\d{1,9})?", re.ASCII)


class InvalidCondition(Invalid):
    """This condition cannot be understood."""

    code = "invalid_condition"


@dataclass(frozen=True, slots=True)
class Leaf:
    """One comparison. `value` is typed by the field's kind; a tuple for `in` and `not_in`, None for the empty tests."""

    field: Field
    op: str
    value: Any


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds; true when there is none."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds; false when there is none."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Condition


Condition = Union[All, AnyOf, Not, Leaf]  # noqa: UP007 - the classes refer to it before it exists
ALWAYS = All(())


def parse(value: object, fields: Catalogue, *, pointer: str = "", may_judge_sensitive: bool = False) -> Condition:
    """The condition a JSON value stands for; null means always. Raises `InvalidCondition` naming the place.

    Sensitive fields are for conditions that were published and look at one request as it is sent: `may_judge_sensitive`.
    """
    if value is None:
        return ALWAYS
    budget = [MAX_NODES]
    found = _parse(value, fields, pointer, 1, budget)
    if not may_judge_sensitive:
        _check_sensitive(found, pointer)
    return found


def _check_sensitive(condition: Condition, pointer: str) -> None:
    """Refuse a condition on what is kept sealed."""
    match condition:
        case Leaf(field=field) if field.is_sensitive:
            raise _refuse(f"{pointer}/field", "is on a sensitive field: sensitive fields cannot be filtered by")
        case All(parts=parts) | AnyOf(parts=parts):
            word = "all" if isinstance(condition, All) else "any"
            for n, part in enumerate(parts):
                _check_sensitive(part, f"{pointer}/{word}/{n}")
        case Not(part=part):
            _check_sensitive(part, f"{pointer}/not")


def _refuse(pointer: str, message: str) -> InvalidCondition:
    return InvalidCondition(f"The condition {message}.", errors=(FieldError(pointer, message),))


def _parse(value: object, fields: Catalogue, pointer: str, depth: int, budget: list[int]) -> Condition:
    budget[0] -= 1
    if budget[0] < 0:
        raise _refuse(pointer, f"must have at most {MAX_NODES} parts")
    if depth > MAX_DEPTH:
        raise _refuse(pointer, f"must not be nested deeper than {MAX_DEPTH} levels")
    if not isinstance(value, dict):
        raise _refuse(pointer, "must be an object")
    words = set(value)
    for word in ("all", "any"):
        if words == {word}:
            parts = value[word]
            if not isinstance(parts, list):
                raise _refuse(f"{pointer}/{word}", "must be a list")
            inner = tuple(_parse(p, fields, f"{pointer}/{word}/{n}", depth + 1, budget) for n, p in enumerate(parts))
            return All(inner) if word == "all" else AnyOf(inner)
    if words == {"not"}:
        return Not(_parse(value["not"], fields, f"{pointer}/not", depth + 1, budget))
    if "field" in words:
        return _leaf(value, fields, pointer)
    raise _refuse(pointer, 'must have exactly one of "all", "any", "not", or be {"field", "op", "value"}')


def _leaf(value: dict[str, Any], fields: Catalogue, pointer: str) -> Leaf:
    unknown = set(value) - {"field", "op", "value"}
    if unknown:
        raise _refuse(f"{pointer}/{escape_pointer(min(unknown))}", "is not part of a comparison")
    name, op = value["field"], value.get("op")
    field = fields.get(name) if isinstance(name, str) else None
    if field is None:
        raise _refuse(f"{pointer}/field", "is not a field one can ask for")
    if op not in OPERATORS[field.kind]:
        raise _refuse(f"{pointer}/op", f"must be one of {', '.join(OPERATORS[field.kind])} for {field.name}")
    given = value.get("value")
    if op in ("is_empty", "is_not_empty"):
        if given is not None:
            raise _refuse(f"{pointer}/value", "is not needed here")
        return Leaf(field, op, None)
    if op in ("in", "not_in"):
        if not isinstance(given, list) or not 0 < len(given) <= MAX_VALUES:
            raise _refuse(f"{pointer}/value", f"must be a list of 1 to {MAX_VALUES} values")
        return Leaf(field, op, tuple(_typed(v, field, f"{pointer}/value/{n}") for n, v in enumerate(given)))
    return Leaf(field, op, _typed(given, field, f"{pointer}/value"))


_MEANT = {
    Kind.TEXT: "must be a text",
    Kind.CHOICE: "must be one of the field's words",
    Kind.NUMBER: "must be a number such as 12.50",
    Kind.BOOLEAN: "must be true or false",
    Kind.INSTANT: "must be a time with its offset, such as 2026-01-31T08:00:00Z",
    Kind.DATE: "must be a day such as 2026-01-31",
    Kind.ID: "must be an id",
    Kind.LIST: "must be a text",
}


def _typed(value: object, field: Field, pointer: str) -> Any:
    typed = _READ[field.kind](value)
    if typed is None:
        raise _refuse(pointer, _MEANT[field.kind])
    if field.choices and typed not in field.choices:
        raise _refuse(pointer, f"must be one of {', '.join(field.choices[:20])}")
    return typed


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and len(value) <= MAX_TEXT and "\x00" not in value else None


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    text = str(value)
    if not _DECIMAL.fullmatch(text):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:  # pragma: no cover - the pattern lets nothing through that Decimal refuses
        return None


def _boolean(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _instant(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
        return at.astimezone(UTC) if at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _day(value: object) -> str | None:
    if not isinstance(value, str) or len(value) != len("2026-11-23"):
        return None
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        return None


def _id(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**62 else None


_READ: dict[Kind, Callable[[object], Any]] = {
    Kind.TEXT: _text,
    Kind.CHOICE: _text,
    Kind.LIST: _text,
    Kind.NUMBER: _number,
    Kind.BOOLEAN: _boolean,
    Kind.INSTANT: _instant,
    Kind.DATE: _day,
    Kind.ID: _id,
}


def leaves(condition: Condition) -> Iterator[Leaf]:
    """Every comparison in it, in order."""
    if isinstance(condition, Leaf):
        yield condition
    elif isinstance(condition, Not):
        yield from leaves(condition.part)
    else:
        for part in condition.parts:
            yield from leaves(part)


_WORDS = {
    "eq": "is",
    "ne": "is not",
    "in": "is one of",
    "not_in": "is none of",
    "lt": "is below",
    "lte": "is at most",
    "gt": "is above",
    "gte": "is at least",
    "contains": "contains",
    "starts_with": "starts with",
    "is_empty": "is empty",
    "is_not_empty": "is not empty",
}


def describe(condition: Condition, name: Callable[[Field, object], str | None] | None = None) -> str:
    """The condition in words, as people read why somebody was asked: "amount is at least 1,000 and at most 5,000".

    `name` may say what a value is called: the department of an id, the name of a type.
    """
    if isinstance(condition, Leaf):
        return f"{condition.field.label} {_said(condition, name)}"
    if isinstance(condition, Not):
        return f"not ({describe(condition.part, name)})"
    if not condition.parts:
        return "always" if isinstance(condition, All) else "never"
    words = []
    before: Condition | None = None
    for part in condition.parts:
        if isinstance(part, Leaf) and isinstance(before, Leaf) and part.field == before.field:
            said = _said(part, name)  # the same field is not named again, nor is "is"
            words.append(said.removeprefix("is ") if _said(before, name).startswith("is ") else said)
        else:
            many = isinstance(part, (All, AnyOf)) and len(part.parts) > 1
            words.append(f"({describe(part, name)})" if many else describe(part, name))
        before = part
    return (" and " if isinstance(condition, All) else " or ").join(words)


def _said(leaf: Leaf, name: Callable[[Field, object], str | None] | None) -> str:
    if leaf.value is None:
        return _WORDS[leaf.op]
    values = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
    shown = [(name and name(leaf.field, v)) or _shown(v) for v in values]
    return f"{_WORDS[leaf.op]} {', '.join(shown)}"


def _shown(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:,}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.strftime("%Y-%m-%d %H:%M UTC") if isinstance(value, datetime) else str(value)
