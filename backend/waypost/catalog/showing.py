"""Which fields of a form are asked for, given what is filled in and what the ticket is. Pure.

A field with `x-show-when` is shown when its condition holds on its siblings (`custom.<key>`) and on the ticket's own
facts. A hidden field counts as empty for the others, so fields are judged in the order in which they depend on each
other; a circle is refused when the form is written. The web app's twin is `features/tickets/formModel.ts`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from waypost.catalog.kinds import SHOW_WHEN, bad, inside
from waypost.kernel.conditions.evaluate import holds
from waypost.kernel.conditions.fields import CUSTOM, Field, Kind, catalogue, form_fields
from waypost.kernel.conditions.tree import Condition, leaves, parse

# What a form's conditions may ask of the ticket itself: known while it is written, so that the form can show it.
FACTS = catalogue(
    Field("priority", Kind.CHOICE, "priority", ("LOW", "MEDIUM", "HIGH", "CRITICAL")),
    Field("amount", Kind.NUMBER, "amount"),
    Field("currency", Kind.TEXT, "currency"),
    Field("title", Kind.TEXT, "title"),
    Field("department_id", Kind.ID, "department"),
    Field("requester_id", Kind.ID, "requester"),
)


def conditions(form: Mapping[str, Any], pointer: str = "/form") -> dict[str, Condition]:
    """The fields' conditions, those first that others depend on. Raises `InvalidCondition` or `BadForm`."""
    properties = form["properties"]
    known = {**form_fields(form), **FACTS}
    read: dict[str, Condition] = {}
    for key, schema in properties.items():
        if isinstance(schema, Mapping) and schema.get(SHOW_WHEN) is not None:
            others = {name: field for name, field in known.items() if name != f"{CUSTOM}{key}"}
            where = f"{inside(f'{pointer}/properties', key)}/{SHOW_WHEN}"
            read[key] = parse(schema[SHOW_WHEN], others, pointer=where)
    return {key: read[key] for key in _in_order(read, pointer)}


def depends_on(condition: Condition) -> set[str]:
    """The keys of the fields a condition looks at."""
    names = (leaf.field.name for leaf in leaves(condition))
    return {name.removeprefix(CUSTOM) for name in names if name.startswith(CUSTOM)}


def _in_order(read: Mapping[str, Condition], pointer: str) -> Iterator[str]:
    done: set[str] = set()

    def visit(key: str, way: tuple[str, ...]) -> Iterator[str]:
        if key in way:
            round_trip = " → ".join((*way[way.index(key) :], key))
            where = f"{inside(f'{pointer}/properties', way[-1])}/{SHOW_WHEN}"
            raise bad(where, f"goes round in a circle: {round_trip}")
        if key in done or key not in read:
            return
        for other in sorted(depends_on(read[key])):
            yield from visit(other, (*way, key))
        done.add(key)
        yield key

    for key in read:
        yield from visit(key, ())


def hidden(ordered: Mapping[str, Condition], fields: Mapping[str, Any], facts: Mapping[str, Any]) -> set[str]:
    """The keys of the fields that are not asked for; `ordered` comes from `conditions`."""
    record = {**facts, **{f"{CUSTOM}{key}": value for key, value in fields.items()}}
    found = set()
    for key, condition in ordered.items():
        if not holds(condition, record):
            found.add(key)
            record.pop(f"{CUSTOM}{key}", None)
    return found
