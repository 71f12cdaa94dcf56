"""Refusals at the door."""

from __future__ import annotations

from waypost.kernel.errors import Conflict, Forbidden, Invalid, Kind, NotFound, Refusal, Unauthenticated


class WrongCredentials(Unauthenticated):
    """The name or the password is not right."""

    code, title = "wrong_credentials", "Sign-in failed"


class TooManyAttempts(Refusal):
    """Too many sign-ins have failed. Please wait before you try again."""

    code, kind, title = "too_many_attempts", Kind.THROTTLED, "Please wait"


class SessionEnded(Unauthenticated):
    """Your session has ended. Please sign in again."""

    code, title = "session_ended", "Session ended"


class ForeignOrigin(Forbidden):
    """This request comes from another site."""

    code, title = "foreign_origin", "Foreign origin"


class StepUpNeeded(Forbidden):
    """Please confirm first that it is you."""

    code, title = "step_up_needed", "Confirmation needed"


class WrongProof(Invalid):
    """That is not right."""

    code, title = "wrong_proof", "Not confirmed"


class UnknownFactor(Invalid):
    """This is no way in which you can confirm that it is you."""

    code, title = "unknown_factor", "Not confirmed"


class SessionNotFound(NotFound):
    """There is no such session of yours."""

    code = "session_not_found"


class WeakPassword(Invalid):
    """This password is too easy to guess."""

    code = "weak_password"


class LinkUsedUp(NotFound):
    """This link has been used or is too old. Ask for a new one."""

    code = "link_used_up"


class RoleNotFound(NotFound):
    """There is no such role."""

    code = "role_not_found"


class LastAdministrator(Conflict):
    """This is the last administrator: make somebody else one first."""

    code = "last_administrator"
