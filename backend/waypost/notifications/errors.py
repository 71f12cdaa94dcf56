"""Refusals of the notifications."""

from __future__ import annotations

from waypost.kernel.errors import Conflict, NotFound, Unauthenticated


class NotificationNotFound(NotFound):
    """There is no such notification among yours."""

    code = "notification_not_found"


class NotSigned(Unauthenticated):
    """This was not signed by the system it says it comes from, or too long ago."""

    code, title = "not_signed", "Not signed"


class TemplateNotFound(NotFound):
    """There is no notice of this kind."""

    code = "template_not_found"


class PreviewGone(NotFound):
    """This preview is over. Ask for it again."""

    code = "preview_gone"


class NotReached(Conflict):
    """This channel does not reach you yet: say where, then try again."""

    code = "not_reached"


class ChannelNotFound(NotFound):
    """There is no such channel."""

    code = "channel_not_found"


class DeliveryNotFound(NotFound):
    """There is no such message in the log."""

    code = "delivery_not_found"


class NotFailed(Conflict):
    """Only what was given up can be sent again."""

    code = "not_failed"


class ContactPointNotFound(NotFound):
    """There is no such address among yours."""

    code = "contact_point_not_found"


class PushIsOff(Conflict):
    """Messages in the browser are switched off in this installation."""

    code = "push_is_off"


class TooManyBrowsers(Conflict):
    """You are told in ten browsers already. Take one away first."""

    code = "too_many_browsers"
