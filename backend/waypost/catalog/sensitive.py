"""Fields whose answers are kept sealed: which they are, and what stands in a request in their answers' place. Pure.

An administrator marks a field (`x-sensitive`). What is answered then lies sealed in a place of its own; the request itself,
and with it its history, lists, exports and whatever approvers were shown, holds a mark only: `{"sealed": "<id>"}`. Another
answer has another id, so that one sees that it changed and never what it says.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from waypost.catalog.kinds import NAMED, SENSITIVE, FieldKind, bad, inside, kind_of

SEALED = "sealed"
HIDDEN_TEXT = "Hidden"
ERASED = "[erased]"  # what stands in the log where an answer stood before its field was sensitive (`audit.chain`)
# Whom or what these name is looked up, or lies elsewhere: sealing the answer would hide nothing.
_IMPOSSIBLE = NAMED | {FieldKind.FILE}


def sensitive_keys(form: Mapping[str, Any]) -> list[str]:
    """The keys of the fields a form marks as sensitive."""
    return sorted(k for k, s in (form.get("properties") or {}).items() if isinstance(s, Mapping) and s.get(SENSITIVE))


def sealed_keys(form: Mapping[str, Any], before: Collection[str]) -> list[str]:
    """The keys whose answers are kept sealed once a type has this form.

    A field that was taken away is still one of them: who brings it back, brings it back sealed. What was answered while a field
    was sensitive stays sealed in any case (`tickets.resealing`).
    """
    there = form.get("properties") or {}
    return sorted({*sensitive_keys(form), *(key for key in before if key not in there)})


def check_sensitive(form: Mapping[str, Any], pointer: str) -> None:
    """Raises `BadForm` for a field that cannot be sensitive."""
    for key, schema in form["properties"].items():
        if not isinstance(schema, Mapping) or SENSITIVE not in schema:
            continue
        where = inside(f"{pointer}/properties", key)
        kind = kind_of(schema)
        if kind is None or kind in _IMPOSSIBLE:
            raise bad(f"{where}/{SENSITIVE}", "is possible for text, numbers, money, days, choices and checkboxes only")
        if "default" in schema:
            raise bad(f"{where}/default", "is not possible for a sensitive field: everybody reads it in the form")


def mark_of(value: object) -> UUID | None:
    """The id of the sealed answer a mark stands for; None for everything else."""
    if not isinstance(value, Mapping) or set(value) != {SEALED} or not isinstance(value[SEALED], str):
        return None
    try:
        found = UUID(value[SEALED])
    except ValueError:
        return None
    return found if str(found) == value[SEALED] else None


def mark(answer: UUID) -> dict[str, str]:
    """What stands in a request in the place of a sealed answer."""
    return {SEALED: str(answer)}


def without_marks(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The answers that can be read by themselves."""
    return {key: value for key, value in fields.items() if mark_of(value) is None}
