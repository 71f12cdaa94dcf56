"""What was filled in, as people read it: in the form's order, with titles, and names where ids stand. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from waypost.catalog.kinds import FieldKind, kind_of, label_of
from waypost.catalog.sensitive import ERASED, HIDDEN_TEXT, mark_of


def ordered(form: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """The form's fields in the order in which people fill them in."""
    fields = [(k, s if isinstance(s, Mapping) else {}) for k, s in (form.get("properties") or {}).items()]
    return sorted(fields, key=lambda field: _order(field[1]))


def _order(schema: Mapping[str, Any]) -> float:
    order = schema.get("x-order")
    return float(order) if isinstance(order, (int, float)) and not isinstance(order, bool) else 1000.0


def title_of(key: str, schema: Mapping[str, Any]) -> str:
    """What people call a field."""
    return str(schema.get("title") or key)


def ids_in(form: Mapping[str, Any], fields: Mapping[str, Any], kind: FieldKind) -> dict[str, list[int]]:
    """The ids that fields of a kind hold, by key."""
    found: dict[str, list[int]] = {}
    for key, schema in (form.get("properties") or {}).items():
        if kind_of(schema) is kind and key in fields:
            value = fields[key]
            given = value if isinstance(value, list) else [value]
            found[key] = [i for i in given if isinstance(i, int) and not isinstance(i, bool)]
    return found


def answer_files(form: Mapping[str, Any], fields: Mapping[str, Any]) -> set[int]:
    """The files that answer a question: they are where the answer is for as long as it names them."""
    return {i for ids in ids_in(form, fields, FieldKind.FILE).values() for i in ids}


def answers(form: Mapping[str, Any], fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    """`{key, title, kind, value, text}` for each field that has a value; `text` of a person is for `with_names` to say.

    Of a sensitive field the value is its mark (`sensitive.mark_of`), and the text that it is hidden.
    """
    known = ordered(form)
    shown = [(key, schema) for key, schema in known if key in fields]
    shown += [(key, {}) for key in fields if key not in dict(known)]
    return [
        {
            "key": key,
            "title": title_of(key, schema),
            "kind": kind.value if (kind := kind_of(schema)) else None,
            "value": fields[key],
            "text": _text(kind, schema, fields[key]),
        }
        for key, schema in shown
    ]


def ids_named(given: Iterable[Mapping[str, Any]], kind: FieldKind) -> list[int]:
    """The ids of a kind among answers."""
    return [a["value"] for a in given if a["kind"] == kind and isinstance(a["value"], int)]


def with_names(
    given: Iterable[Mapping[str, Any]],
    people: Mapping[int | None, Mapping[str, Any]],
    departments: Mapping[int | None, Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """Answers whose ids are said by name."""
    known = {FieldKind.PERSON.value: people, FieldKind.DEPARTMENT.value: departments}
    return [
        {**answer, "text": str(known[answer["kind"]].get(answer["value"], {}).get("name", f"#{answer['value']}"))}
        if answer["kind"] in known
        else dict(answer)
        for answer in given
    ]


def differing(
    form: Mapping[str, Any], old: Mapping[str, Any], new: Mapping[str, Any]
) -> list[tuple[dict[str, Any] | None, dict[str, Any] | None]]:
    """The answers that are not the same before and after, in the form's order; None where a field had no value."""
    before = {a["key"]: a for a in answers(form, old)}
    after = {a["key"]: a for a in answers(form, new)}
    keys = [key for key, _ in ordered(form)] + [key for key in (*old, *new) if key not in form.get("properties", {})]
    return [
        (before.get(key), after.get(key))
        for key in dict.fromkeys(keys)
        if (old_value := (before.get(key) or {}).get("value")) != (after.get(key) or {}).get("value")
        or old_value == ERASED  # they differed: nobody knows any more by what
    ]


def _text(kind: FieldKind | None, schema: Mapping[str, Any], value: Any) -> str:
    if mark_of(value) is not None:
        return HIDDEN_TEXT
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if kind is FieldKind.MONEY and isinstance(value, Mapping):
        return f"{value.get('amount')} {value.get('currency')}"
    if kind is FieldKind.FILE and isinstance(value, list):
        return f"{len(value)} {'file' if len(value) == 1 else 'files'}"
    if isinstance(value, list):
        return ", ".join(label_of(schema, v) for v in value)
    return label_of(schema, value)
