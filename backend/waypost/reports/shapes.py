"""What a report asks for: measures, what they are told apart by, and how they are drawn. Pure.

A report is a small document: up to four measures, a dimension for its rows, one for its columns (then one measure), a
condition in the language of lists, a kind of chart. What it counts are tickets its reader may see.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from waypost.kernel.conditions.fields import CUSTOM, Catalogue, Field, Kind
from waypost.kernel.errors import FieldError, Invalid
from waypost.tickets.lifecycle import Priority, Status

MOST_MEASURES = 4
CHOSEN = (Kind.CHOICE, Kind.BOOLEAN)  # the kinds of a form's fields that have few values
# what each measure is worked out by, over `report_facts f`; instants and seconds as there
TOOK = "extract(epoch FROM f.completed_at - f.submitted_at)"
ANSWERED = "extract(epoch FROM f.responded_at - f.submitted_at)"


class Unit(StrEnum):
    """What a measure's number is."""

    COUNT = "COUNT"
    MONEY = "MONEY"
    SECONDS = "SECONDS"
    WORKED = "WORKED_SECONDS"  # of working time, which is said in hours: a day of work has no 24
    SHARE = "SHARE"


@dataclass(frozen=True, slots=True)
class Measure:
    key: str
    label: str
    unit: Unit
    sql: str


def _percentile(share: str, of: str) -> str:
    return f"percentile_cont({share}) WITHIN GROUP (ORDER BY {of})"


def _in_working_time(key: str, label: str) -> tuple[Measure, ...]:
    """The measures of a length of time that facts hold in working time, by its key."""
    said, of = f"{label} in working time", f"f.{key}_worked"
    return (
        Measure(f"{key}_worked_avg", f"{said}, average", Unit.WORKED, f"avg({of})"),
        Measure(f"{key}_worked_p50", f"{said}, half within", Unit.WORKED, _percentile("0.5", of)),
        Measure(f"{key}_worked_p90", f"{said}, 90% within", Unit.WORKED, _percentile("0.9", of)),
    )


# Money of several currencies is not added up: such a cell stays empty.
_ONE_CURRENCY = "count(DISTINCT f.currency) = 1"
MEASURES: dict[str, Measure] = {
    m.key: m
    for m in (
        Measure("count", "Requests", Unit.COUNT, "count(*)"),
        Measure(
            "open",
            "Open requests",
            Unit.COUNT,
            "count(*) FILTER (WHERE f.status IN ('SUBMITTED', 'IN_REVIEW', 'PENDING_INFO', 'APPROVED', 'IN_PROGRESS'))",
        ),
        Measure("completed", "Completed requests", Unit.COUNT, "count(f.completed_at)"),
        Measure("amount_sum", "Amount, sum", Unit.MONEY, f"CASE WHEN {_ONE_CURRENCY} THEN sum(f.amount) END"),
        Measure("amount_avg", "Amount, average", Unit.MONEY, f"CASE WHEN {_ONE_CURRENCY} THEN avg(f.amount) END"),
        Measure("response_p50", "First response, half within", Unit.SECONDS, _percentile("0.5", ANSWERED)),
        Measure("response_p90", "First response, 90% within", Unit.SECONDS, _percentile("0.9", ANSWERED)),
        Measure(
            "response_worked_p50",
            "First response in working time, half within",
            Unit.WORKED,
            _percentile("0.5", "f.response_worked"),
        ),
        Measure(
            "response_worked_p90",
            "First response in working time, 90% within",
            Unit.WORKED,
            _percentile("0.9", "f.response_worked"),
        ),
        Measure("response_kept_share", "First response in time, share", Unit.SHARE, "avg(f.response_kept::int)"),
        Measure("resolution_avg", "Resolution, average", Unit.SECONDS, f"avg({TOOK})"),
        Measure("resolution_p50", "Resolution, half within", Unit.SECONDS, _percentile("0.5", TOOK)),
        Measure("resolution_p90", "Resolution, 90% within", Unit.SECONDS, _percentile("0.9", TOOK)),
        *_in_working_time("resolution", "Resolution"),
        Measure("approval_avg", "Waiting for approval, average", Unit.SECONDS, "avg(f.approval_seconds)"),
        *_in_working_time("approval", "Waiting for approval"),
        Measure("work_avg", "With the team, average", Unit.SECONDS, "avg(f.work_seconds)"),
        Measure("requester_avg", "Waiting for the requester, average", Unit.SECONDS, "avg(f.requester_seconds)"),
        *_in_working_time("requester", "Waiting for the requester"),
        Measure(
            "kept_share",
            "Completed by the due date, share",
            Unit.SHARE,
            "avg(f.was_kept::int)",
        ),
        Measure("reopened", "Opened again", Unit.COUNT, "coalesce(sum(f.reopened), 0)"),
    )
}


@dataclass(frozen=True, slots=True)
class Dimension:
    """`field` is the condition's field that leads to the tickets of a value; empty when there is none."""

    key: str
    label: str
    sql: str
    field: str = ""
    refers_to: str = ""  # user, team or department, whose names are shown
    step: str = ""  # day, week, month or quarter, of instants
    order: tuple[str, ...] = ()  # of its values, where they have one of their own


def _since(step: str) -> str:
    return f"CAST(date_trunc('{step}', timezone('UTC', f.created_at)) AS date)"


DIMENSIONS: dict[str, Dimension] = {
    d.key: d
    for d in (
        Dimension("status", "Status", "f.status", "status", order=tuple(Status)),
        Dimension("priority", "Priority", "f.priority", "priority", order=tuple(reversed(Priority))),
        Dimension("ticket_type", "Type", "f.ticket_type", "ticket_type"),
        Dimension("team", "Team", "f.team_id", "team_id", "team"),
        Dimension("assignee", "Assignee", "f.assignee_id", "assignee_id", "user"),
        Dimension("requester", "Requester", "f.requester_id", "requester_id", "user"),
        Dimension("department", "Department", "f.department_id", "department_id", "department"),
        Dimension("requester_department", "Requester's department now", "u.department_id", "", "department"),
        Dimension("currency", "Currency", "f.currency", "currency"),
        Dimension("created_day", "Created by day", _since("day"), "created_at", step="day"),
        Dimension("created_week", "Created by week", _since("week"), "created_at", step="week"),
        Dimension("created_month", "Created by month", _since("month"), "created_at", step="month"),
        Dimension("created_quarter", "Created by quarter", _since("quarter"), "created_at", step="quarter"),
    )
}


def dimension_of(key: str, fields: Catalogue) -> Dimension | None:
    """A dimension by its key; also of a form's field that has few values and is not sensitive."""
    if key in DIMENSIONS:
        return DIMENSIONS[key]
    field = fields.get(key)
    if field is None or not _is_chosen(field):
        return None
    name = key.removeprefix(CUSTOM)
    if not all(c.isalnum() or c in "_-" for c in name):
        return None
    return Dimension(key, field.label, f"t.custom_fields ->> '{name}'", key)


def _is_chosen(field: Field) -> bool:
    return field.name.startswith(CUSTOM) and field.kind in CHOSEN and not field.is_sensitive


def chosen_fields(fields: Catalogue) -> list[Dimension]:
    """The dimensions that forms bring."""
    found = (dimension_of(key, fields) for key, field in sorted(fields.items()) if _is_chosen(field))
    return [d for d in found if d is not None]


def check(document: dict[str, object], fields: Catalogue) -> None:
    """Raises `Invalid` naming the places of what is not there, or does not fit together."""
    wrong = []
    measures = document["measures"]
    assert isinstance(measures, list)
    for n, key in enumerate(measures):
        if key not in MEASURES:
            wrong.append(FieldError(f"/definition/measures/{n}", "is no measure"))
    if len(set(measures)) != len(measures):
        wrong.append(FieldError("/definition/measures", "names one twice"))
    for place in ("rows", "columns"):
        key = document.get(place)
        if key is not None and dimension_of(str(key), fields) is None:
            wrong.append(FieldError(f"/definition/{place}", "is no dimension"))
    if document.get("columns") is not None:
        if document.get("rows") is None:
            wrong.append(FieldError("/definition/rows", "is needed where there are columns"))
        if document["columns"] == document.get("rows"):
            wrong.append(FieldError("/definition/columns", "is the same as the rows"))
        if len(measures) > 1:
            wrong.append(FieldError("/definition/measures", "is one where there are columns"))
    if wrong:
        raise Invalid("This report can't be made.", errors=tuple(wrong))
