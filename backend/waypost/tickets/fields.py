"""What a condition may say of a ticket, and where it stands: for one row, and as SQL. A property test holds both equal.

Saved views, routing rules and their dry runs speak of tickets in these words; a form's fields are `custom.<key>`. Lists,
and what is made of lists, know fields besides that are counted of tickets elsewhere: those have no twin for one row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.permissions import Permission
from waypost.approvals.definition import FIELDS as SUBJECT_FIELDS
from waypost.approvals.wording import whose
from waypost.catalog.models import TicketType
from waypost.catalog.sensitive import without_marks
from waypost.kernel.conditions.fields import (
    CUSTOM,
    OPERATORS,
    Catalogue,
    Field,
    Kind,
    catalogue,
    fields_of_forms,
    form_fields,
)
from waypost.kernel.conditions.sql import Beside, custom_column
from waypost.kernel.settings import get_settings
from waypost.sla.measuring import State
from waypost.sla.policies import FIELDS as POLICY_FIELDS
from waypost.tickets.lifecycle import Status
from waypost.tickets.models import Ticket

FIELDS: Catalogue = {
    **SUBJECT_FIELDS,
    **catalogue(
        Field("status", Kind.CHOICE, "status", tuple(s.value for s in Status)),
        Field("assignee_id", Kind.ID, "assignee"),
        Field("team_id", Kind.ID, "team"),
        Field("ticket_number", Kind.TEXT, "number"),
        Field("tags", Kind.LIST, "tags"),
        Field("created_at", Kind.INSTANT, "created"),
        Field("updated_at", Kind.INSTANT, "updated"),
        Field("submitted_at", Kind.INSTANT, "submitted"),
        Field("completed_at", Kind.INSTANT, "completed"),
        Field("sla_due_at", Kind.INSTANT, "service level: next due"),
        Field("sla_state", Kind.CHOICE, "service level", tuple(s.value for s in State)),
    ),
}


class _Counted:
    fields: Catalogue = {}
    places: Mapping[str, Beside] = {}


def use_counted_fields(fields: Mapping[Field, Beside]) -> None:
    """Say what lists can be narrowed by that is counted of tickets elsewhere (`wiring.py` brings it in)."""
    _Counted.fields = catalogue(*fields)
    _Counted.places = {field.name: place for field, place in fields.items()}


def fields_of_lists() -> Catalogue:
    """A ticket's own fields and those that are counted of it."""
    return {**FIELDS, **_Counted.fields}


async def known_fields(session: AsyncSession) -> Catalogue:
    """Every field a ticket has now: its own, and those of all types' current forms."""
    known = fields_of_forms(await session.scalars(select(TicketType.form)))
    return {**known, **FIELDS}


def column(field: Field) -> ColumnElement[Any] | Beside:
    """Where a field stands in the table, NULL where it is empty, or beside it (for `conditions.sql.compiled`)."""
    if (place := _Counted.places.get(field.name)) is not None:
        return place
    if field.name.startswith(CUSTOM):
        return custom_column(Ticket.__table__.c.custom_fields, field)
    found: ColumnElement[Any] = Ticket.__table__.c[field.name]
    return found


def record_of(ticket: Ticket) -> dict[str, Any]:
    """A ticket as `conditions.evaluate.holds` looks at it."""
    return {name: getattr(ticket, name) for name in FIELDS} | {
        f"{CUSTOM}{key}": value for key, value in without_marks(ticket.custom_fields).items()
    }


# --- for people who put conditions together --------------------------------------------------------------------------

# What a rule judges when a request is sent; everything else is still to come then, or is what rules themselves set.
AT_SUBMISSION = frozenset(SUBJECT_FIELDS)
OF_USE: dict[str, frozenset[str]] = {"routing": AT_SUBMISSION, "service_levels": frozenset(POLICY_FIELDS)}


async def field_list(
    session: AsyncSession, actor: Actor, *, only: frozenset[str] | None, has_counted: bool = False
) -> list[dict[str, Any]]:
    """Every field a condition may speak of, with its operators and choices in words: a ticket's own first, what is counted
    of it where that is wanted, then those of the forms, each with the types that have it. One statement.
    """
    statement = select(TicketType.key, TicketType.name, TicketType.form).order_by(TicketType.name, TicketType.id)
    if not actor.may(Permission.CATALOG_CONFIGURE):
        statement = statement.where(TicketType.is_active)
    types = (await session.execute(statement)).all()
    known = fields_of_lists() if has_counted else FIELDS
    own = [f for f in known.values() if only is None or f.name in only]
    custom = fields_of_forms(kind.form for kind in types)
    if only is not AT_SUBMISSION:  # nothing is found by what is kept sealed
        custom = {name: field for name, field in custom.items() if not field.is_sensitive}
    belongs: dict[str, list[dict[str, str]]] = {name: [] for name in custom}
    for kind in types:
        for name, field in form_fields(kind.form).items():
            if name in custom and field.kind is custom[name].kind:
                belongs[name].append({"key": kind.key, "name": kind.name})
    choices = [{"value": t.key, "label": t.name} for t in types]
    return [_described(f, choices if f.name == "ticket_type" else None, []) for f in own] + [
        _described(f, None, belongs[f.name]) for f in sorted(custom.values(), key=lambda f: (f.label.lower(), f.name))
    ]


def _described(field: Field, choices: list[dict[str, str]] | None, types: list[dict[str, str]]) -> dict[str, Any]:
    is_custom = field.name.startswith(CUSTOM)
    kind = Kind.CHOICE if choices is not None else field.kind
    labels = field.labels or tuple(c if is_custom else c.replace("_", " ").capitalize() for c in field.choices)
    words = [{"value": c, "label": label} for c, label in zip(field.choices, labels, strict=True)]
    return {
        "name": field.name,
        "label": field.label[:1].upper() + field.label[1:],
        "kind": kind.value,
        "operators": list(OPERATORS[kind]),
        "choices": words if choices is None else choices,
        "refers_to": whose(field),
        "currency": get_settings().currency if field.name == "amount" else None,
        "types": types,
    }
