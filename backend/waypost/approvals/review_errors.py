"""Refusals of breaking glass and of reviews."""

from __future__ import annotations

from waypost.kernel.errors import Conflict, Forbidden, NotFound


class ReviewNotFound(NotFound):
    """There is no such review, or you may not see it."""

    code = "review_not_found"


class NotReviewer(Forbidden):
    """You may see this review, but it is not yours to decide."""

    code = "not_reviewer"


class ReviewDecided(Conflict):
    """This review has its verdict already."""

    code = "review_decided"


class GlassNotYours(Forbidden):
    """This request lies beyond those whose glass you may break."""

    code = "glass_not_yours"


class NotAnEmergency(Conflict):
    """Only what is critical is approved by breaking the glass."""

    code = "not_an_emergency"


class AskedYourself(Conflict):
    """You are asked to decide this: your own answer ends it, without breaking the glass."""

    code = "asked_yourself"
