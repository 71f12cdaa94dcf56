"""Refusals of the links in mails. Each says what can be done instead."""

from __future__ import annotations

from waypost.kernel.errors import Conflict, Forbidden, Kind, NotFound, Refusal, Unauthenticated


class LinkNotFound(NotFound):
    """There is no such link."""

    code = "link_not_found"


class NotYourLink(Forbidden):
    """This link is for somebody else than the one who is signed in here."""

    code, title = "wrong_person", "Not your link"


class LinkUsed(Conflict):
    """This link has been used already."""

    code, title = "link_used", "Used already"


class LinkExpired(Conflict):
    """This link is too old to decide with. Please sign in."""

    code, title = "link_expired", "Too old"


class LinkClosed(Conflict):
    """There is nothing to decide with this link any more."""

    code, title = "link_closed", "Nothing to decide"


class SignInFirst(Unauthenticated):
    """Please sign in to decide this."""

    code, title = "sign_in_first", "Please sign in"


class TooManyLinks(Refusal):
    """Too many links were opened from your address. Please wait a moment."""

    code, kind, title = "too_many_links", Kind.THROTTLED, "Please wait"
