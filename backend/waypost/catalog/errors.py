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


class FormVersionNotFound(NotFound):
    """The form never had this version."""

    code = "form_version_not_found"


class CategoryNotFound(NotFound):
    """There is no such category."""

    code = "category_not_found"


class CategoryTaken(Conflict):
    """A category with this name exists already."""

    code = "category_exists"


class CategoryInUse(Conflict):
    """Ticket types belong to this category. Move them to another one first."""

    code = "category_in_use"


class BadForm(Invalid):
    """This form cannot be used."""

    code = "bad_form"


class FormNotFilled(Invalid):
    """The form is not filled in as it asks; the fields are named."""

    code = "form_not_filled"
