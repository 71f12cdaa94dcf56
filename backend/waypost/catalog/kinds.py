"""The kinds of fields an administrator puts into a form, each as the JSON Schema it is kept as. Pure.

A field names its kind in `x-kind`; what such a schema may hold besides is listed here, and the rest is filled in, so
`{"x-kind": "money", "title": "Price"}` is a whole field. Fields without a kind are plain JSON Schema, as ever.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from waypost.catalog.errors import BadForm
from waypost.kernel.errors import FieldError, escape_pointer
from waypost.kernel.shapes import is_blank

MAX_TEXT = 20_000
MAX_CHOICES = 200
MAX_FILES = 20
MAX_NUMBER = 10**15
EARLIEST, LATEST = "1900-01-01", "2199-12-31"
AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,2})?", re.ASCII)
KEY = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
SHOW_WHEN = "x-show-when"
SENSITIVE = "x-sensitive"


class FieldKind(StrEnum):
    """What a field asks for."""

    TEXT = "text"  # one line
    LONG_TEXT = "long_text"
    NUMBER = "number"
    MONEY = "money"  # {"amount": "12.50", "currency": "EUR"}
    DATE = "date"
    CHOICE = "choice"
    MULTI_CHOICE = "multi_choice"
    PERSON = "person"  # the id of somebody who works here
    DEPARTMENT = "department"
    FILE = "file"  # ids of the ticket's own attachments
    CHECKBOX = "checkbox"


_MONEY = {
    "type": "object",
    "properties": {
        "amount": {"type": "string", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,2})?$"},
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
    },
    "required": ["amount", "currency"],
    "additionalProperties": False,
}
# What every field of a kind is; a schema may leave it out, and says nothing else.
_FIXED: dict[FieldKind, dict[str, Any]] = {
    FieldKind.TEXT: {"type": "string"},
    FieldKind.LONG_TEXT: {"type": "string"},
    FieldKind.NUMBER: {},
    FieldKind.MONEY: _MONEY,
    FieldKind.DATE: {"type": "string", "format": "date"},
    FieldKind.CHOICE: {"type": "string"},
    FieldKind.MULTI_CHOICE: {"type": "array", "uniqueItems": True},
    FieldKind.PERSON: {"type": "integer", "minimum": 1},
    FieldKind.DEPARTMENT: {"type": "integer", "minimum": 1},
    FieldKind.FILE: {"type": "array", "items": {"type": "integer", "minimum": 1}, "uniqueItems": True},
    FieldKind.CHECKBOX: {"type": "boolean"},
}
# What one may say of a field of a kind.
_LIMITS: dict[FieldKind, frozenset[str]] = {
    FieldKind.TEXT: frozenset({"minLength", "maxLength", "pattern"}),
    FieldKind.LONG_TEXT: frozenset({"minLength", "maxLength"}),
    FieldKind.NUMBER: frozenset({"type", "minimum", "maximum"}),
    FieldKind.MONEY: frozenset({"x-min", "x-max"}),
    FieldKind.DATE: frozenset({"x-min", "x-max"}),
    FieldKind.CHOICE: frozenset({"enum", "x-choices"}),
    FieldKind.MULTI_CHOICE: frozenset({"items", "x-choices", "minItems", "maxItems"}),
    FieldKind.PERSON: frozenset(),
    FieldKind.DEPARTMENT: frozenset(),
    FieldKind.FILE: frozenset({"minItems", "maxItems"}),
    FieldKind.CHECKBOX: frozenset(),
}
_ALWAYS = frozenset({"x-kind", "x-order", "x-widget", SHOW_WHEN, SENSITIVE, "title", "description", "default"})
_MOST_TEXT = {FieldKind.TEXT: 200, FieldKind.LONG_TEXT: 4000}
# Whom or what a value names is looked up when a ticket is written, so there is nothing to set beforehand.
NAMED = frozenset({FieldKind.PERSON, FieldKind.DEPARTMENT})  # what holds an id of somebody or something
_NO_DEFAULT = NAMED | {FieldKind.FILE}


def kind_of(schema: object) -> FieldKind | None:
    """The kind a field names; None for plain JSON Schema."""
    word = schema.get("x-kind") if isinstance(schema, Mapping) else None
    return FieldKind(word) if word in tuple(FieldKind) else None


def choices_of(schema: Mapping[str, Any]) -> list[str]:
    """The values of a choice or multi-choice, in order."""
    items = schema.get("items")
    words = items.get("enum") if isinstance(items, Mapping) else schema.get("enum")
    return [str(w) for w in words] if isinstance(words, list) else []


def label_of(schema: Mapping[str, Any], value: object) -> str:
    """What people read for a choice."""
    labels = schema.get("x-choices")
    return str(labels.get(value, value)) if isinstance(labels, Mapping) and isinstance(value, str) else str(value)


def complete(key: str, schema: Mapping[str, Any], pointer: str) -> dict[str, Any]:
    """A field of a kind as it is kept, with what its kind fixes. Raises `BadForm` naming the place."""
    kind = kind_of(schema)
    if kind is None:
        raise bad(f"{pointer}/x-kind", f"must be one of {', '.join(FieldKind)}")
    if not KEY.fullmatch(key):
        raise bad(pointer, "must be named with small letters, digits and _, beginning with a letter")
    fixed = _FIXED[kind]
    for word, value in schema.items():
        if word in fixed and value != fixed[word]:
            raise bad(f"{pointer}/{word}", f"does not belong to a {kind} field")
        if word not in _ALWAYS and word not in fixed and word not in _LIMITS[kind]:
            raise bad(f"{pointer}/{word}", f"is not part of a {kind} field")
    _line(schema.get("title"), f"{pointer}/title", 100)
    if not isinstance(schema.get("description", ""), str) or len(schema.get("description", "")) > 1000:
        raise bad(f"{pointer}/description", "must be a text of at most 1000 characters")
    order = schema.get("x-order", 0)
    if isinstance(order, bool) or not isinstance(order, (int, float)):
        raise bad(f"{pointer}/x-order", "must be a number")
    kept = {**schema, **fixed}
    if not isinstance(kept.get(SENSITIVE, False), bool):
        raise bad(f"{pointer}/{SENSITIVE}", "must be true or false")
    if not kept.get(SENSITIVE):
        kept.pop(SENSITIVE, None)
    _CHECKS.get(kind, _nothing)(kind, kept, pointer)
    if "default" in kept and kind in _NO_DEFAULT:
        raise bad(f"{pointer}/default", f"is not possible for a {kind} field")
    return kept


def bad(pointer: str, message: str) -> BadForm:
    """The refusal of one place of a form."""
    return BadForm(f"The form {message}.", errors=(FieldError(pointer, message),))


def inside(pointer: str, part: object) -> str:
    """The pointer one step further in (RFC 6901, section 3)."""
    return f"{pointer}/{escape_pointer(part)}"


def _nothing(kind: FieldKind, kept: dict[str, Any], pointer: str) -> None:
    """There are no limits to check."""


def _line(value: object, pointer: str, most: int) -> None:
    if not isinstance(value, str) or is_blank(value) or len(value) > most or "\n" in value:
        raise bad(pointer, f"must be one line of 1 to {most} characters")


def _limits(kept: dict[str, Any], low: str, high: str, pointer: str, most: int) -> None:
    """Two limits of a whole number each, in order."""
    for word in (low, high):
        value = kept.get(word)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most):
            raise bad(f"{pointer}/{word}", f"must be a whole number from 0 to {most}")
    _in_order(kept, low, high, pointer, lambda v: v)


def _in_order(kept: dict[str, Any], low: str, high: str, pointer: str, read: Any) -> None:
    if kept.get(low) is not None and kept.get(high) is not None and read(kept[low]) > read(kept[high]):
        raise bad(f"{pointer}/{high}", "must not be below the lower limit")


def _text(kind: FieldKind, kept: dict[str, Any], pointer: str) -> None:
    kept.setdefault("maxLength", max(_MOST_TEXT[kind], kept.get("minLength") or 0))
    _limits(kept, "minLength", "maxLength", pointer, MAX_TEXT)
    if kept["maxLength"] == 0:
        raise bad(f"{pointer}/maxLength", "must be at least 1")


def _number(kind: FieldKind, kept: dict[str, Any], pointer: str) -> None:
    if kept.setdefault("type", "number") not in ("number", "integer"):
        raise bad(f"{pointer}/type", "must be number or integer")
    for word in ("minimum", "maximum"):
        value = kept.get(word, 0)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > MAX_NUMBER:
            raise bad(f"{pointer}/{word}", f"must be a number of at most {MAX_NUMBER}")
    _in_order(kept, "minimum", "maximum", pointer, lambda v: v)


def _money(kind: FieldKind, kept: dict[str, Any], pointer: str) -> None:
    for word in ("x-min", "x-max"):
        value = kept.get(word, "0")
        if not isinstance(value, str) or not AMOUNT.fullmatch(value):
            raise bad(f"{pointer}/{word}", 'must be a decimal text such as "1250.00"')
    _in_order(kept, "x-min", "x-max", pointer, Decimal)


def _date(kind: FieldKind, kept: dict[str, Any], pointer: str) -> None:
    for word in ("x-min", "x-max"):
        if word in kept and not is_day(kept[word]):
            raise bad(f"{pointer}/{word}", f"must be a day between {EARLIEST} and {LATEST}")
    _in_order(kept, "x-min", "x-max", pointer, lambda v: v)


def is_day(value: object) -> bool:
    """Whether a value is a day of the years people mean."""
    if not isinstance(value, str) or len(value) != len(EARLIEST) or not EARLIEST <= value <= LATEST:
        return False
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _choice(kind: FieldKind, kept: dict[str, Any], pointer: str) -> None:
    if kind is FieldKind.MULTI_CHOICE:
        items = kept.get("items")
        if not isinstance(items, Mapping) or not set(items) <= {"type", "enum"}:
            raise bad(f"{pointer}/items", 'must hold the choices: {"enum": [...]}')
        kept["items"] = {"type": "string", "enum": items.get("enum")}
        where, words = f"{pointer}/items/enum", items.get("enum")
    else:
        where, words = f"{pointer}/enum", kept.get("enum")
    if not isinstance(words, list) or not 1 <= len(words) <= MAX_CHOICES:
        raise bad(where, f"must be a list of 1 to {MAX_CHOICES} choices")
    for n, word in enumerate(words):
        _line(word, f"{where}/{n}", 100)
    if len(set(words)) != len(words):
        raise bad(where, "must not hold a choice twice")
    labels = kept.get("x-choices", {})
    if not isinstance(labels, Mapping):
        raise bad(f"{pointer}/x-choices", "must name a label for each choice")
    for value, label in labels.items():
        if value not in words:
            raise bad(f"{pointer}/x-choices", f"labels {value}, which is no choice")
        _line(label, f"{pointer}/x-choices", 200)
    if kind is FieldKind.MULTI_CHOICE:
        _limits(kept, "minItems", "maxItems", pointer, len(words))


def _file(kind: FieldKind, kept: dict[str, Any], pointer: str) -> None:
    kept.setdefault("maxItems", max(5, kept.get("minItems") or 0))
    _limits(kept, "minItems", "maxItems", pointer, MAX_FILES)


_CHECKS = {
    FieldKind.TEXT: _text,
    FieldKind.LONG_TEXT: _text,
    FieldKind.NUMBER: _number,
    FieldKind.MONEY: _money,
    FieldKind.DATE: _date,
    FieldKind.CHOICE: _choice,
    FieldKind.MULTI_CHOICE: _choice,
    FieldKind.FILE: _file,
}
