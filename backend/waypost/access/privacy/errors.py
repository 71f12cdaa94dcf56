"""Refusals about personal data."""

from __future__ import annotations

from waypost.kernel.errors import Conflict, Kind, NotFound, Refusal


class ExportNotFound(NotFound):
    """There is no such copy of yours, or it is kept no longer."""

    code = "export_not_found"


class ExportWaits(Conflict):
    """A copy is being made already."""

    code = "export_waits"


class TooManyCopies(Refusal):
    """A few copies a day are made, and no more. Please use the one that is there."""

    code, kind, title = "too_many_copies", Kind.THROTTLED, "Too many copies"


class ExportNotReady(Conflict):
    """This copy is not ready yet."""

    code = "export_not_ready"


class ErasureNotFound(NotFound):
    """There is no such request to erase, or it is settled."""

    code = "erasure_not_found"


class ErasureWaits(Conflict):
    """A request to erase this person's data waits already."""

    code = "erasure_waits"


class StillHere(Conflict):
    """This person works here: deactivate them first."""

    code = "still_here"


class OnHold(Conflict):
    """A legal hold keeps everything about this person."""

    code = "on_hold"
