"""Refusals about people who come from a table."""

from __future__ import annotations

from waypost.kernel.errors import Conflict, NotFound


class PeopleImportNotFound(NotFound):
    """There is no such import of yours."""

    code = "people_import_not_found"


class PeopleImportElsewhere(Conflict):
    """This import is at another point now."""

    code = "people_import_elsewhere"


class TakesLastAdministrator(Conflict):
    """Nobody would administer any more: this table deactivates every administrator there is."""

    code = "takes_last_administrator"


class ChangedMeanwhile(Conflict):
    """Somebody changed this since the file was looked at."""

    code = "changed_since"


class ManagerNotMade(Conflict):
    """Their manager is new in this file, and was not made."""

    code = "manager_not_made"
