"""Refusals: what a person can be told when something is not done.

A room raises one class per refusal. The HTTP door turns it into RFC 9457 problem details; a mail or a chat door can
phrase the same refusal in its own way. Everything that is not a `Refusal` is a defect and an alarm.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class Kind(StrEnum):
    """What sort of refusal it is. Each maps to one HTTP status (contract, Conventions)."""

    UNAUTHENTICATED = "unauthenticated"  # 401
    FORBIDDEN = "forbidden"  # 403: visible, but not yours to do
    NOT_FOUND = "not_found"  # 404: does not exist, or not visible to you
    CONFLICT = "conflict"  # 409: no longer possible in this state
    STALE = "stale"  # 412: somebody changed it since you read it
    TOO_LARGE = "too_large"  # 413
    UNSUPPORTED = "unsupported"  # 415
    RANGE = "range"  # 416
    INVALID = "invalid"  # 422
    PRECONDITION_REQUIRED = "precondition_required"  # 428
    THROTTLED = "throttled"  # 429
    UNAVAILABLE = "unavailable"  # 503


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field. `pointer` is a JSON pointer (RFC 6901) into the body, or `?name` for a query."""

    pointer: str
    message: str


def escape_pointer(part: object) -> str:
    """One reference token of a JSON pointer (RFC 6901, section 3)."""
    return str(part).replace("~", "~0").replace("/", "~1")


class Refusal(Exception):
    """Something was not done, for a reason a person can act on. Nothing has been changed when it is raised."""

    code: ClassVar[str] = "refused"
    kind: ClassVar[Kind] = Kind.INVALID
    title: ClassVar[str] = "Not possible"
    needs_guard: ClassVar[bool] = False  # raised before the work looked at permissions: told only behind the guard

    def __init__(self, detail: str | None = None, *, errors: tuple[FieldError, ...] = (), **facts: object) -> None:
        self.detail = detail or (self.__doc__ or self.title).strip().splitlines()[0]
        self.errors = errors
        self.facts = facts
        super().__init__(self.detail)


class NotFound(Refusal):
    """There is nothing here, or you may not see it."""

    code, kind, title = "not_found", Kind.NOT_FOUND, "Not found"


class Forbidden(Refusal):
    """You may see this, but you may not do that."""

    code, kind, title = "forbidden", Kind.FORBIDDEN, "Not allowed"


class Unauthenticated(Refusal):
    """Please sign in."""

    code, kind, title = "not_signed_in", Kind.UNAUTHENTICATED, "Not signed in"


class Invalid(Refusal):
    """Something in the request is not right; the fields are named."""

    code, kind, title = "invalid", Kind.INVALID, "Invalid request"


class StaleVersion(Refusal):
    """Somebody changed this since you read it. Read it again and repeat your change."""

    code, kind, title = "stale_version", Kind.STALE, "Changed in the meantime"


class VersionRequired(Refusal):
    """Say which version you are changing, in `If-Match` or in the body's `version`."""

    code, kind, title = "version_required", Kind.PRECONDITION_REQUIRED, "Version missing"


class Conflict(Refusal):
    """That is not possible any more."""

    code, kind, title = "conflict", Kind.CONFLICT, "No longer possible"


class Unavailable(Refusal):
    """A part of the system does not answer at the moment. Please try again shortly."""

    code, kind, title = "unavailable", Kind.UNAVAILABLE, "Temporarily unavailable"


def invalid_field(pointer: str, message: str) -> Invalid:
    """The refusal of one field; `pointer` is a JSON pointer into the body."""
    return Invalid(message, errors=(FieldError(pointer, message),))
