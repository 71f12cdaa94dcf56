"""What a person can be refused about reports."""

from __future__ import annotations

from waypost.kernel.errors import NotFound


class DashboardNotFound(NotFound):
    """There is no such dashboard for you."""

    code = "dashboard_not_found"
