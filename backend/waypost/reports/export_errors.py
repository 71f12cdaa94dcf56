"""What a person can be refused about reports that are taken away as files."""

from __future__ import annotations

from waypost.kernel.errors import Conflict, NotFound

MOST_WAITING = 5
MOST_SCHEDULES = 50
MOST_RECIPIENTS = 50
MOST_IN_GROUPS = 500  # people of teams and roles, when a schedule is set


class ExportNotFound(NotFound):
    """There is no such export for you."""

    code = "export_not_found"


class ExportFileNotFound(NotFound):
    """There is no such file for you, or it is kept no longer. Export the report again."""

    code = "export_file_not_found"


class TooManyWaiting(Conflict):
    """Exports you asked for are still being made. Please wait until they are, or cancel one."""

    code = "too_many_exports_waiting"


class ExportIsOver(Conflict):
    """This export is over: there is nothing left of it to cancel."""

    code = "export_is_over"


class NobodyToSendTo(Conflict):
    """Nobody of those it is for may get the report now."""

    code = "nobody_to_send_to"


class ScheduleNotFound(NotFound):
    """There is no such schedule for you."""

    code = "schedule_not_found"


class TooManySchedules(Conflict):
    """You have as many schedules as one person can have. Delete one first."""

    code = "too_many_schedules"


class StillExporting(Conflict):
    """The last export of this schedule is still being made."""

    code = "still_exporting"
