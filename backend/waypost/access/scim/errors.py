"""Refusals of a push, and how any refusal of ours is told in SCIM's own shape (RFC 7644, 3.12)."""

from __future__ import annotations

from scim2_models import (
    ConflictException,
    ForbiddenException,
    InvalidSyntaxException,
    InvalidValueException,
    NotFoundException,
    PayloadTooLargeException,
    PreconditionFailedException,
    SCIMException,
    UniquenessException,
)

from waypost.access.providers.errors import NotLetIn
from waypost.kernel.bodies import MalformedBody
from waypost.kernel.errors import Conflict, Kind, NotFound, Refusal
from waypost.kernel.problems import DATABASE_ERRORS, translate_database_error


class TooManyLeave(Refusal):
    """More people would be deactivated within an hour than this provider may: an administrator has to look at it."""

    code, kind, title = "too_many_leave", Kind.THROTTLED, "Stopped"


class TokensUsedUp(Conflict):
    """A provider has two tokens at most, so that one can take over from the other: revoke one first."""

    code = "scim_tokens_used_up"


class TokenNotFound(NotFound):
    """There is no such token."""

    code = "scim_token_not_found"


class NotStopped(Conflict):
    """Nothing is stopped here."""

    code = "provisioning_not_stopped"


class Throttled(SCIMException):
    """Please wait before you try again."""

    status = 429
    _default_detail = "Please wait before you try again."


class Busy(SCIMException):
    """A part of the system does not answer at the moment."""

    status = 503
    _default_detail = "A part of the system does not answer at the moment. Please try again shortly."


_SAID = {
    "account_exists": (
        UniquenessException,
        "There is an account with this name or address that this provider may not take.",
    ),
    "no_account": (ForbiddenException, "This provider may not create people."),
    "no_email": (InvalidValueException, "A person needs an e-mail address."),
    "not_active": (ConflictException, "This account is not active."),
}
_BY_KIND: dict[Kind, type[SCIMException]] = {
    Kind.FORBIDDEN: ForbiddenException,
    Kind.NOT_FOUND: NotFoundException,
    Kind.CONFLICT: ConflictException,
    Kind.STALE: PreconditionFailedException,
    Kind.TOO_LARGE: PayloadTooLargeException,
    Kind.THROTTLED: Throttled,
    Kind.UNAVAILABLE: Busy,
}


def scim_error(error: Exception) -> Exception:
    """An error as SCIM tells it; a defect of ours is given back as it is."""
    if isinstance(error, SCIMException):
        return error
    if isinstance(error, RecursionError):
        return InvalidSyntaxException(detail="This is nested too deeply.")
    if isinstance(error, NotLetIn):
        said = _SAID.get(error.reason)
        return said[0](detail=said[1]) if said else InvalidValueException(detail=error.detail)
    if isinstance(error, MalformedBody):
        return InvalidSyntaxException(detail=error.detail)
    if isinstance(error, DATABASE_ERRORS):
        return _of_database(translate_database_error(error))
    if isinstance(error, Refusal):
        return _BY_KIND.get(error.kind, InvalidValueException)(detail=error.detail)
    return error


def _of_database(refusal: Refusal) -> SCIMException:
    if refusal.code == "already_exists":
        return UniquenessException(detail="Somebody or something with this name or id is there already.")
    return Busy() if refusal.kind in (Kind.CONFLICT, Kind.UNAVAILABLE) else InvalidValueException(detail=refusal.detail)
