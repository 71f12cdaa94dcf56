"""Refusals of the notifications."""

from __future__ import annotations

from waypost.kernel.errors import Conflict, Invalid, Kind, NotFound, Refusal, Unauthenticated


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


class NotSetUp(Conflict):
    """This channel is not set up yet: fill in what it needs, then try again."""

    code = "not_set_up"


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


class NoTextMessages(Conflict):
    """Text messages are not set up here."""

    code = "no_text_messages"


class PhoneKnown(Conflict):
    """This phone is yours already."""

    code = "phone_known"


class TooManyPhones(Conflict):
    """You have two phones here. Take one away first."""

    code = "too_many_phones"


class TooManyCodes(Refusal):
    """Too many codes were asked for lately. Please try again later."""

    code, kind, title = "too_many_codes", Kind.THROTTLED, "Please wait"


class NoCode(Conflict):
    """There is nothing to prove here."""

    code = "no_code"


class CodeExpired(Conflict):
    """This code is over. Ask for a new one."""

    code, title = "code_expired", "Too late"


class CodeSpent(Conflict):
    """Too many wrong codes were entered. Ask for a new one."""

    code, title = "code_spent", "Too often"


class WrongCode(Invalid):
    """This is not the code we sent."""

    code, title = "wrong_code", "Not the code"


class OriginalNotFound(NotFound):
    """No mail is kept that this comment came by."""

    code = "original_not_found"
