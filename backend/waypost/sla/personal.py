"""What this room keeps about people (`kernel/personal.py`)."""

from __future__ import annotations

from waypost.kernel.personal import Held, Then

_WHO = "who did it, by number"
PERSONAL = (
    Held("sla_calendar_versions", "changed_by_id", "Working calendars they changed", Then.KEPT, _WHO),
    Held("sla_policy_versions", "changed_by_id", "Service levels they changed", Then.KEPT, _WHO),
    Held(
        "sla_working_calendars",
        "user_id",
        "Their working hours",
        Then.DELETED,
        shown=("calendar_id",),
    ),
)
