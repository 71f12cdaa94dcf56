"""What lists of tickets can be narrowed by that is counted of tickets here, so that a number leads to exactly its tickets.

A list asks the same facts the sums were made from, each under the permission of lists: number and list are equal, also
while the worker has not come to the newest events yet. Durations are told in hours, as people write them. Whom a ticket
waits for are several people at times: a condition holds when it does of one of them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Numeric, and_, cast

from waypost.kernel.conditions.fields import Field, Kind
from waypost.kernel.conditions.sql import Beside
from waypost.reports.models import ReportDecision, ReportFact
from waypost.tickets.models import Ticket

_facts = ReportFact.__table__.alias("counted")
_belongs = _facts.c.ticket_id == Ticket.__table__.c.id
_asked = ReportDecision.__table__.alias("asked_now")
# each approver who has not answered: whoever they are and in which stage is asked of the same one
_waits = and_(_asked.c.ticket_id == Ticket.__table__.c.id, _asked.c.is_open)


def _hours(seconds: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(seconds, Numeric) / 3600


# name, kind, what people call it, where it stands
_FIELDS: tuple[tuple[str, Kind, str, ColumnElement[Any]], ...] = (
    ("first_response_at", Kind.INSTANT, "first response", _facts.c.responded_at),
    ("first_response_clock_at", Kind.INSTANT, "first response by service level", _facts.c.answered_at),
    ("first_response_in_time", Kind.BOOLEAN, "first response in time", _facts.c.response_kept),
    ("first_response_hours", Kind.NUMBER, "first response, working hours", _hours(_facts.c.response_worked)),
    ("completed_in_time", Kind.BOOLEAN, "completed in time", _facts.c.was_kept),
    ("resolution_hours", Kind.NUMBER, "resolution, working hours", _hours(_facts.c.resolution_worked)),
    ("approval_hours", Kind.NUMBER, "waited for approval, hours", _hours(_facts.c.approval_seconds)),
)
COUNTED: dict[Field, Beside] = {
    **{Field(name, kind, label): Beside(_belongs, at) for name, kind, label, at in _FIELDS},
    Field("waits_for_id", Kind.ID, "approver it waits for", refers_to="person"): Beside(_waits, _asked.c.approver_id),
    Field("waits_in_stage", Kind.TEXT, "approval stage it waits in"): Beside(_waits, _asked.c.stage),
}
