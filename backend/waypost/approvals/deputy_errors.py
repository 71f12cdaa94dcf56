"""Refusals of standing delegations."""

from __future__ import annotations

from waypost.kernel.errors import Conflict, Invalid, NotFound


class DelegationNotFound(NotFound):
    """There is no such delegation, or it is not yours to see."""

    code = "delegation_not_found"


class BadDelegation(Invalid):
    """This delegation cannot be made."""

    code = "bad_delegation"


class DelegationOver(Conflict):
    """This delegation is over, or was ended."""

    code = "delegation_over"
