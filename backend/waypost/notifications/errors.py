"""Refusals of the notifications."""

from __future__ import annotations

from waypost.kernel.errors import NotFound


class NotificationNotFound(NotFound):
    """There is no such notification among yours."""

    code = "notification_not_found"
