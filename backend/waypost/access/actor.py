"""The Actor: who asks, and how far each of their permissions reaches."""

from __future__ import annotations

from dataclasses import dataclass, field

from waypost.access.errors import SecondFactorNeeded
from waypost.access.permissions import Permission, Scope
from waypost.kernel.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in person as services, policies and queries see them. Facts are at most a second old.

    `team_ids` are their teams, `department_ids` the departments they head with everything below, `report_ids` the
    people who report to them directly or through others. `must_enrol`: a role of theirs needs a second factor, and they
    have none yet; until then only what is about their own sign-in is open to them.
    """

    user_id: int
    username: str
    session_id: int | None
    permissions: dict[Permission, Scope]
    team_ids: frozenset[int] = frozenset()
    department_ids: frozenset[int] = frozenset()
    report_ids: frozenset[int] = frozenset()
    channel: str = "web"
    roles: tuple[str, ...] = field(default=())
    must_enrol: bool = False

    @property
    def person_id(self) -> int | None:
        return self.user_id

    def scope(self, permission: Permission) -> Scope | None:
        """How far this permission reaches for them; None when they do not have it at all."""
        return self.permissions.get(permission)

    def may(self, permission: Permission) -> bool:
        """Whether they have this permission with any scope."""
        return permission in self.permissions

    def require(self, permission: Permission) -> Scope:
        """The scope of a permission. Raises `Forbidden` when they do not have it, `SecondFactorNeeded` before they enrol."""
        scope = self.permissions.get(permission)
        if scope is None:
            raise Forbidden(f"This needs the permission {permission.value}.")
        if self.must_enrol and permission is not Permission.SESSIONS_OWN:
            raise SecondFactorNeeded
        return scope
