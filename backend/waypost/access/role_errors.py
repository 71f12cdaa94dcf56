"""Refusals about roles and who has them."""

from __future__ import annotations

from waypost.kernel.errors import Conflict, NotFound


class GrantNotFound(NotFound):
    """This person does not have this role."""

    code = "grant_not_found"


class GivenByProvider(Conflict):
    """A provider's groups give this role, and would give it again. Change their groups there, or what the groups give."""

    code = "given_by_provider"


class ChangeNotFound(NotFound):
    """There is no such change of roles to confirm, or it is settled."""

    code = "role_change_not_found"


class RoleIsSystem(Conflict):
    """This role belongs to every installation: its permissions can be changed, but it stays."""

    code = "role_is_system"


class RoleInUse(Conflict):
    """Something still names this role. Change that first."""

    code = "role_in_use"


class ChangeWaits(Conflict):
    """A change like this waits already for another administrator."""

    code = "role_change_waits"


class ChangeOutdated(Conflict):
    """The role was changed since this was asked for. Drop it, and ask again for what is wanted now."""

    code = "role_change_outdated"


class NobodyToConfirm(Conflict):
    """Changes like this need a second administrator, and there is nobody else who may configure roles. Make somebody one first."""

    code = "nobody_to_confirm"


class TwoNeeded(Conflict):
    """This role gives power, and here that takes two administrators: ask for it on the page of the role."""

    code = "two_needed"


class KeyTaken(Conflict):
    """There is a role with this key already."""

    code = "role_key_taken"
