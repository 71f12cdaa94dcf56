"""Refusals about saved views and searches."""

from __future__ import annotations

from waypost.kernel.errors import Conflict, FieldError, Forbidden, NotFound, Unavailable

MOST_PINS = 5
MOST_VIEWS = 200
MOST_ALERTS = 20


class ViewNotFound(NotFound):
    """There is no such view, or it is not one of yours."""

    code = "view_not_found"


class ViewNotYours(Forbidden):
    """This view is changed by who made it, who leads its team, and administrators."""

    code = "view_not_yours"


class MayNotShare(Forbidden):
    """A view is shared with a team by its members, and with a role by administrators."""

    code = "may_not_share"

    def __init__(self, pointer: str) -> None:
        super().__init__(errors=(FieldError(pointer, "is not yours to share a view with"),))


class TooManyPins(Conflict):
    """Five views are pinned already. Please take one down first."""

    code = "too_many_pins"


class TooManyViews(Conflict):
    """You have two hundred views. Please delete one first."""

    code = "too_many_views"


class TooManyAlerts(Conflict):
    """You are told of what is new in twenty views already. Please end one of these first."""

    code = "too_many_alerts"


class ViewOutdated(Conflict):
    """This view asks for something that is not there any more. Please change it."""

    code = "view_outdated"


class SearchBusy(Unavailable):
    """Many people are searching at the moment. Please try again shortly."""

    code = "search_busy"
