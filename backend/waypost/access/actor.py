"""The Actor: who asks, and how far each of their permissions reaches."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime

from waypost.access.errors import SecondFactorNeeded
from waypost.access.permissions import Permission, Scope
from waypost.kernel.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in person as services, policies and queries see them. Facts are at most a second old.

    `team_ids` are their teams, `department_ids` the departments they head with everything below, `report_ids` the
    people who report to them directly or through others. `must_enrol`: a role of theirs needs a second factor, and they
    have none yet; until then only what is about their own sign-in is open to them. `good_until` is when the first of their
    roles ends, or their sign-in does: from then on this is not what they may any more. What was issued to them before
    `renewed_at` opens nothing.

    `by` names the token a program shows for them (`token:7`), whose words `limited_to` are all it may; with
    `is_read_only` it changes nothing.
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
    by: str | None = None
    limited_to: frozenset[str] | None = None
    is_read_only: bool = False
    good_until: datetime | None = None
    renewed_at: datetime | None = None

    @property
    def person_id(self) -> int | None:
        return self.user_id

    def is_good(self, at: datetime) -> bool:
        """Whether neither a role of theirs nor their sign-in has ended since this was read."""
        return self.good_until is None or at < self.good_until

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

    def limited(self, words: Collection[str] | None, *, by: str | None = None, is_read_only: bool = False) -> Actor:
        """The same person, with no more than these permissions; None limits nothing."""
        if words is None:
            return self
        kept = {p: scope for p, scope in self.permissions.items() if p.value in words}
        return replace(self, permissions=kept, by=by, limited_to=frozenset(words), is_read_only=is_read_only)

    @property
    def limits(self) -> list[str] | None:
        """What is kept with work that goes on later, so that it may no more then than now."""
        return None if self.limited_to is None else sorted(self.limited_to)
