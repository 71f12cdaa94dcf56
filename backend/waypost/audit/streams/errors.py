"""Refusals about destinations of the trail."""

from __future__ import annotations

from waypost.kernel.errors import Conflict, NotFound


class StreamNotFound(NotFound):
    """There is no such destination."""

    code, title = "audit_stream_not_found", "Not found"


class StreamNameTaken(Conflict):
    """Another destination has this name."""

    code, title = "audit_stream_name_taken", "Name taken"


class TooManyStreams(Conflict):
    """There are as many destinations as there may be. Remove one first."""

    code = "too_many_audit_streams"
