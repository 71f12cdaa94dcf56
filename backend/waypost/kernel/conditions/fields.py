"""What a condition may speak of: fields with a kind, some from the room, some from a form. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What sort of value a field holds; it decides which operators and values fit."""

    TEXT = "text"
    CHOICE = "choice"
    NUMBER = "number"  # compared as decimals, never as floats
    BOOLEAN = "boolean"
    INSTANT = "instant"  # a point in time
    DATE = "date"  # a day, ISO 8601 text
    ID = "id"
    LIST = "list"  # several texts


_ORDER = ("lt", "lte", "gt", "gte")
_EMPTY = ("is_empty", "is_not_empty")
_SAME = ("eq", "ne", "in", "not_in")
OPERATORS: dict[Kind, tuple[str, ...]] = {
    Kind.TEXT: (*_SAME, "contains", "starts_with", *_EMPTY),
    Kind.CHOICE: (*_SAME, *_EMPTY),
    Kind.NUMBER: (*_SAME, *_ORDER, *_EMPTY),
    Kind.BOOLEAN: ("eq", "ne", *_EMPTY),
    Kind.INSTANT: (*_ORDER, *_EMPTY),
    Kind.DATE: (*_SAME, *_ORDER, *_EMPTY),
    Kind.ID: (*_SAME, *_EMPTY),
    Kind.LIST: ("contains", *_EMPTY),
}
CUSTOM = "custom."


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name in a condition, its kind, the words it can hold (choices), and what people call it.

    `labels` are what people read for the choices, where that differs; `refers_to` says whose id it holds. What is
    `is_sensitive` is judged by rules that were published, and nothing is found by it.
    """

    name: str
    kind: Kind
    label: str
    choices: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    refers_to: str | None = None
    is_sensitive: bool = False


Catalogue = Mapping[str, Field]


def catalogue(*fields: Field) -> dict[str, Field]:
    """Fields by name."""
    return {f.name: f for f in fields}


def form_fields(form: Mapping[str, Any]) -> dict[str, Field]:
    """The fields of a form (JSON Schema) as `custom.<key>`; what no operator fits (files, objects) is left out."""
    found = {}
    for key, schema in (form.get("properties") or {}).items():
        kind = _kind_of(schema)
        if kind is not None:
            name = f"{CUSTOM}{key}"
            choices = _choices(schema) if kind in (Kind.CHOICE, Kind.LIST) else ()
            refers_to = schema.get("x-kind") if kind is Kind.ID else None
            found[name] = Field(
                name,
                kind,
                str(schema.get("title") or key),
                choices,
                _labels(schema, choices),
                refers_to,
                bool(schema.get("x-sensitive")),
            )
    return found


def fields_of_forms(forms: Iterable[Mapping[str, Any]]) -> dict[str, Field]:
    """The fields of several forms. What one of them calls sensitive is so in all of them."""
    found: dict[str, Field] = {}
    for form in forms:
        for name, field in form_fields(form).items():
            is_sensitive = field.is_sensitive or (name in found and found[name].is_sensitive)
            found[name] = replace(field, is_sensitive=is_sensitive)
    return found


# What the kinds of an administrator's fields (`x-kind`) hold, where their JSON type does not say it.
_BY_KIND = {"money": Kind.NUMBER, "person": Kind.ID, "department": Kind.ID, "file": None}


def _choices(schema: Mapping[str, Any]) -> tuple[str, ...]:
    items = schema.get("items")
    words = items.get("enum") if isinstance(items, dict) else schema.get("enum")
    return tuple(str(w) for w in words) if isinstance(words, list) else ()


def _labels(schema: Mapping[str, Any], choices: tuple[str, ...]) -> tuple[str, ...]:
    labels = schema.get("x-choices")
    return tuple(str(labels.get(c, c)) for c in choices) if isinstance(labels, dict) else ()


def _kind_of(schema: object) -> Kind | None:
    if not isinstance(schema, dict):
        return None
    if schema.get("x-kind") in _BY_KIND:
        return _BY_KIND[schema["x-kind"]]
    word = schema.get("type")
    if word == "string":
        if schema.get("enum"):
            return Kind.CHOICE
        return Kind.DATE if schema.get("format") == "date" else Kind.TEXT
    known = {"number": Kind.NUMBER, "integer": Kind.NUMBER, "boolean": Kind.BOOLEAN, "array": Kind.LIST}
    return known.get(word) if isinstance(word, str) else None
