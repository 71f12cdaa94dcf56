"""Refusals about imports."""

from __future__ import annotations

from waypost.kernel.errors import Conflict, Forbidden, NotFound


class ImportNotFound(NotFound):
    """There is no such import of yours."""

    code = "import_not_found"


class NotNow(Conflict):
    """This import is at another point now."""

    code = "import_elsewhere"


class NotYourType(Forbidden):
    """You may import requests of your teams' types only."""

    code = "not_your_type"
