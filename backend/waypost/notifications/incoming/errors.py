"""Refusals about mail that comes in."""

from __future__ import annotations

from waypost.kernel.errors import Conflict, NotFound


class MailboxNotFound(NotFound):
    """There is no such mailbox."""

    code = "mailbox_not_found"


class AddressTaken(Conflict):
    """Another mailbox has this address already."""

    code = "mailbox_address_taken"


class MailNotFound(NotFound):
    """There is no such mail."""

    code = "mail_not_found"


class NotQuarantined(Conflict):
    """This mail is not in quarantine any more."""

    code = "not_quarantined"


class MailNotWhole(Conflict):
    """Only the headers of this mail are kept, so it cannot be taken. It lies in its mailbox, in the folder Failed."""

    code = "mail_not_whole"


class MailNotReadable(Conflict):
    """This mail cannot be read, so it cannot be put anywhere. Discard it, or look at it where it lies."""

    code = "mail_not_readable"


class MailboxGone(Conflict):
    """The mailbox this mail came by is no more. Put it on a ticket, or discard it."""

    code = "mailbox_gone"
