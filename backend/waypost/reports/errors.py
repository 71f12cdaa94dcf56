"""What a person can be refused about reports."""

from __future__ import annotations

from waypost.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable

MOST_REPORTS = 200


class DashboardNotFound(NotFound):
    """There is no such dashboard for you."""

    code = "dashboard_not_found"


class ReportNotFound(NotFound):
    """There is no such report, or it is not shared with you."""

    code = "report_not_found"


class ReportNotYours(Forbidden):
    """Only who made a report changes it. You can save it under another name."""

    code = "report_not_yours"


class ReportTooLarge(Invalid):
    """This report has too many rows or columns to be read. Narrow it by a filter, or choose a coarser dimension."""

    code = "report_too_large"


class ReportTooSlow(Invalid):
    """This report took longer than ten seconds, and was stopped. Narrow it by a filter, such as when requests were created."""

    code = "report_too_slow"


class TooManyReports(Conflict):
    """You have as many reports as one person can have. Delete one first."""

    code = "too_many_reports"


class ReportsBusy(Unavailable):
    """Other reports are being worked out at the moment. Please try again shortly."""

    code = "reports_busy"
