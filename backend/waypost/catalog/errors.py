"""Refusals of the catalogue."""

from __future__ import annotations

from waypost.kernel.errors import Conflict, Invalid, NotFound


class TicketTypeNotFound(NotFound):
    """There is no such ticket type."""

    code = "ticket_type_not_found"


class UnknownTicketType(Invalid):
    """There is no such ticket type, or nobody can ask for it any more."""

    code = "unknown_ticket_type"


class KeyTaken(Conflict):
    """A ticket type with this key or prefix exists already."""

    code = "ticket_type_exists"


class BadForm(Invalid):
    """This form cannot be used."""

    code = "bad_form"


class FormNotFilled(Invalid):
    """The form is not filled in as it asks; the fields are named."""

    code = "form_not_filled"
