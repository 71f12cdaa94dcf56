"""Refusals about calendars and service levels."""

from __future__ import annotations

from waypost.kernel.errors import Conflict, FieldError, Invalid, NotFound


class CalendarNotFound(NotFound):
    """There is no such calendar."""

    code = "calendar_not_found"


class PolicyNotFound(NotFound):
    """There is no such service level policy."""

    code = "sla_policy_not_found"


class VersionNotFound(NotFound):
    """There is no such version."""

    code = "version_not_found"


class NameTaken(Invalid):
    """Another one has this name."""

    code = "name_taken"

    def __init__(self) -> None:
        super().__init__(errors=(FieldError("/name", "is another one's"),))


class CalendarInUse(Conflict):
    """Something goes by this calendar. Let it go by another one first."""

    code = "calendar_in_use"


class TooMany(Conflict):
    """There are as many of these as there can be."""

    code = "too_many"
