"""Refusals of the notifications."""

from __future__ import annotations

from waypost.kernel.errors import NotFound, Unauthenticated


class NotificationNotFound(NotFound):
    """There is no such notification among yours."""

    code = "notification_not_found"


class NotSigned(Unauthenticated):
    """This was not signed by the system it says it comes from, or too long ago."""

    code, title = "not_signed", "Not signed"
