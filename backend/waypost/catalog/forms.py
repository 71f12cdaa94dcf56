"""Forms: which JSON Schemas we take, and what is wrong with a filled-in one. Pure.

JSON Schema 2020-12 with kinds of fields (`kinds.py`) and conditions that show them (`showing.py`). The validator is a
compiled one whose regular expressions cannot run away, so a pattern an administrator wrote cannot hold up the server.
"""

from __future__ import annotations

import copy
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

import jsonschema_rs
import msgspec

from waypost.catalog.errors import FormNotFilled
from waypost.catalog.kinds import NAMED, SHOW_WHEN, FieldKind, bad, complete, inside, is_day, kind_of
from waypost.catalog.sensitive import check_sensitive
from waypost.catalog.showing import conditions, hidden
from waypost.kernel.conditions.tree import Condition
from waypost.kernel.errors import FieldError
from waypost.kernel.shapes import is_blank

MAX_BYTES = 64 * 1024
MAX_FIELDS = 200
MOST_ERRORS = 50  # enough for any form; a hostile body could have thousands
_FORBIDDEN = ("$ref", "$dynamicRef", "$id", "$anchor", "$dynamicAnchor")
DIALECT = "https://json-schema.org/draft/2020-12/schema"
NEEDED = "is needed"
HIDDEN = "is not asked for here"


# --- the form itself --------------------------------------------------------------------------------------------------


def check_form(form: dict[str, Any], *, pointer: str) -> dict[str, Any]:
    """The form as it is kept: an object schema that takes no unknown fields, its fields of a kind completed.

    Raises `BadForm` or `InvalidCondition` naming the place.
    """
    kept = {"type": "object", "properties": {}, "additionalProperties": False, **form}
    if len(msgspec.json.encode(kept)) > MAX_BYTES:
        raise bad(pointer, f"must be smaller than {MAX_BYTES // 1024} KiB")
    if kept["type"] != "object":
        raise bad(f"{pointer}/type", 'must be "object"')
    if not isinstance(kept["properties"], dict) or len(kept["properties"]) > MAX_FIELDS:
        raise bad(f"{pointer}/properties", f"must be an object of at most {MAX_FIELDS} fields")
    _no_references(kept, pointer)
    kept["properties"] = {
        key: complete(key, {"x-order": 1000 + n, **schema}, inside(f"{pointer}/properties", key))
        if isinstance(schema, dict) and "x-kind" in schema
        else schema
        for n, (key, schema) in enumerate(kept["properties"].items())  # what is kept loses the order of its members
    }
    _distinct_keys(kept["properties"], pointer)
    check_sensitive(kept, pointer)
    try:
        jsonschema_rs.meta.validate({**kept, "$schema": DIALECT})
        _schema_validator(msgspec.json.encode(kept))
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as wrong:
        path = "".join(f"/{p}" for p in getattr(wrong, "instance_path", []))
        raise bad(pointer + path, str(getattr(wrong, "message", wrong))[:300]) from wrong
    for n, key in enumerate(kept.get("required", [])):
        if key not in kept["properties"] and any(kind_of(s) for s in kept["properties"].values()):
            raise bad(f"{pointer}/required/{n}", "is not a field of this form")
    conditions(kept, pointer)
    _check_defaults(kept, pointer)
    return kept


def _distinct_keys(properties: dict[str, Any], pointer: str) -> None:
    seen: set[str] = set()
    for key, schema in properties.items():
        if key.casefold() in seen and kind_of(schema):
            raise bad(inside(f"{pointer}/properties", key), "differs from another field only by capitals")
        seen.add(key.casefold())


def _check_defaults(form: dict[str, Any], pointer: str) -> None:
    for key, schema in form["properties"].items():
        if kind_of(schema) and "default" in schema:
            alone = {**form, "properties": {key: _without_condition(schema)}, "required": []}
            wrong = next(_errors(alone, {key: schema["default"]}, {}, is_draft=True), None)
            if wrong is not None:
                raise bad(f"{inside(f'{pointer}/properties', key)}/default", f"does not fit: it {wrong.message}")


def _without_condition(schema: dict[str, Any]) -> dict[str, Any]:
    return {word: value for word, value in schema.items() if word != SHOW_WHEN}


def _no_references(value: object, pointer: str) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in _FORBIDDEN and isinstance(inner, str):
                raise bad(inside(pointer, key), "must not refer to other schemas")
            _no_references(inner, inside(pointer, key))
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            _no_references(inner, f"{pointer}/{n}")


# --- a filled-in one --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Form:
    """A form ready for use: its validator, and its conditions in the order in which they are judged."""

    validator: Any
    conditions: dict[str, Condition]


def check_fields(form: dict[str, Any], fields: dict[str, Any], *, facts: Mapping[str, Any], is_draft: bool) -> None:
    """Refuse custom fields that do not fit the form, all at once. A draft may still lack required ones.

    `facts` is what the ticket is (`showing.FACTS`). A hidden field is never required, and must not be given. Raises
    `FormNotFilled` with a JSON pointer under `/custom_fields` for each.
    """
    errors = []
    for error in _errors(form, fields, facts, is_draft=is_draft):
        errors.append(error)
        if len(errors) >= MOST_ERRORS:
            break
    if errors:
        raise FormNotFilled(errors=tuple(errors))


def with_defaults(form: dict[str, Any], fields: dict[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with the form's defaults where one that is shown was left out."""
    ready = _ready(msgspec.json.encode(form))
    filled = dict(fields)
    waiting = {
        key: schema["default"]
        for key, schema in form.get("properties", {}).items()
        if kind_of(schema) and "default" in schema and key not in fields
    }
    # What has no condition is there from the start; then each that its condition shows, in their order.
    for key in [k for k in waiting if k not in ready.conditions] + [k for k in ready.conditions if k in waiting]:
        if key not in hidden(ready.conditions, filled, facts):
            filled[key] = copy.deepcopy(waiting[key])
    return filled


def hidden_keys(form: dict[str, Any], fields: Mapping[str, Any], facts: Mapping[str, Any]) -> set[str]:
    """The keys of the fields the form does not ask for."""
    return hidden(_ready(msgspec.json.encode(form)).conditions, fields, facts)


def _errors(
    form: dict[str, Any], fields: dict[str, Any], facts: Mapping[str, Any], *, is_draft: bool
) -> Iterator[FieldError]:
    ready = _ready(msgspec.json.encode(form))
    gone = hidden(ready.conditions, fields, facts)
    properties: dict[str, Any] = form.get("properties", {})
    wrong: set[str] = set()
    for error in ready.validator.iter_errors(fields):
        keyword = str(error.schema_path[-1]) if error.schema_path else ""
        path = [*error.instance_path]
        if keyword == "required":
            missing = getattr(error.kind, "property", None)
            path += [] if missing is None else [str(missing)]
            if len(path) == 1 and (is_draft or path[0] in gone):
                continue
        if path and path[0] in gone:
            continue  # said below, once
        if keyword == "additionalProperties":
            names = list(getattr(error.kind, "unexpected", []))[:MOST_ERRORS]
            yield from (FieldError(_pointer([*path, name]), "is not a field of this form") for name in names)
            continue
        wrong.update(str(p) for p in path[:1])
        schema = properties.get(path[0]) if path else None
        yield FieldError(_pointer(path), _words(keyword, error, schema)[:300])
    for key, value in fields.items():
        schema = properties.get(key, {})
        kind = kind_of(schema)
        if key in gone:
            yield FieldError(_pointer([key]), HIDDEN)
        elif kind is not None and key not in wrong:
            is_required = key in form.get("required", ()) and not is_draft
            message = _beyond(kind, schema, value, is_required=is_required)
            if message is not None:
                yield FieldError(_pointer([key]), message)


def _beyond(kind: FieldKind, schema: Mapping[str, Any], value: Any, *, is_required: bool) -> str | None:
    """What is wrong with a value of the right type, as far as JSON Schema cannot say it."""
    if is_required and (value == [] or value is False or (isinstance(value, str) and is_blank(value))):
        return NEEDED
    match kind:
        case FieldKind.TEXT:
            return "must be one line" if any(unicodedata.category(c) == "Cc" for c in value) else None
        case FieldKind.DATE:
            return _between(schema, value, str) if is_day(value) else _TYPES[kind]
        case FieldKind.MONEY:
            return _between(schema, Decimal(value["amount"]), Decimal)
        case FieldKind.PERSON | FieldKind.DEPARTMENT | FieldKind.FILE:
            # for JSON Schema 3.0 is an integer too; an id is written without a point
            ids = value if isinstance(value, list) else [value]
            return None if all(isinstance(i, int) and i < 2**62 for i in ids) else _TYPES[kind]
        case _:
            return None


def _between(schema: Mapping[str, Any], value: Any, read: Any) -> str | None:
    if "x-min" in schema and value < read(schema["x-min"]):
        return f"must be at least {schema['x-min']}"
    if "x-max" in schema and value > read(schema["x-max"]):
        return f"must be at most {schema['x-max']}"
    return None


_TYPES = {
    FieldKind.NUMBER: "must be a number",
    FieldKind.MONEY: 'must be an amount and a currency: {"amount": "12.50", "currency": "EUR"}',
    FieldKind.DATE: "must be a day such as 2026-11-23",
    FieldKind.CHOICE: "must be one of the choices",
    FieldKind.MULTI_CHOICE: "must be a list of choices, each once",
    FieldKind.PERSON: "must be the id of a person",
    FieldKind.DEPARTMENT: "must be the id of a department",
    FieldKind.FILE: "must be a list of the request's files, each once",
    FieldKind.CHECKBOX: "must be true or false",
}


def _words(keyword: str, error: Any, schema: Any) -> str:
    """What a person reads beside the field."""
    kind = kind_of(schema)
    if keyword == "required":
        return NEEDED
    if kind is None:
        return str(error.message)
    if kind is FieldKind.NUMBER and keyword == "type" and schema.get("type") == "integer":
        return "must be a whole number"
    limits = {
        "minLength": "must have at least {} characters",
        "maxLength": "must have at most {} characters",
        "minimum": "must be at least {}",
        "maximum": "must be at most {}",
        "minItems": "must hold at least {}",
        "maxItems": "must hold at most {}",
    }
    if keyword in limits and keyword in schema and kind not in NAMED:
        return limits[keyword].format(schema[keyword])
    if keyword == "pattern" and kind is FieldKind.TEXT:
        return "does not have the form that is asked for"
    if keyword == "pattern":
        return "must be at least 0, with at most two decimals, and a currency such as EUR"
    return _TYPES.get(kind, "must be text")


@lru_cache(maxsize=512)
def _ready(encoded: bytes) -> _Form:
    schema = msgspec.json.decode(encoded)
    return _Form(_schema_validator(encoded), conditions({"properties": {}, **schema}))


@lru_cache(maxsize=512)
def _schema_validator(encoded: bytes) -> Any:
    schema = msgspec.json.decode(encoded)
    return jsonschema_rs.validator_for({**schema, "$schema": DIALECT}, validate_formats=True)


def _pointer(path: list[Any]) -> str:
    pointer = "/custom_fields"
    for part in path:
        pointer = inside(pointer, part)
    return pointer
