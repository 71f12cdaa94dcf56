"""Refusals about imports."""

from __future__ import annotations

from waypost.kernel.errors import Conflict, FieldError, Forbidden, Invalid, Kind, NotFound, Refusal


class ImportNotFound(NotFound):
    """There is no such import of yours."""

    code = "import_not_found"


class ImportTooLarge(Refusal):
    """An import takes files of 10 MB at most."""

    code, kind, title = "import_too_large", Kind.TOO_LARGE, "Too large"


class BadFile(Invalid):
    """The file is no table that can be read."""

    code = "bad_file"

    def __init__(self, why: str = "is no table that can be read") -> None:
        super().__init__(f"The file {why}.", errors=(FieldError("/file", why),))


class NotNow(Conflict):
    """This import is at another point now."""

    code = "import_elsewhere"


class NotYourType(Forbidden):
    """You may import requests of your teams' types only."""

    code = "not_your_type"
