"""What happens to roles and to those who have them; before and after stand in the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from waypost.access.events import AccessEvent
from waypost.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class RoleTaken(AccessEvent):
    """A role was taken from a person."""

    type: ClassVar[str] = "role.taken"
    role_id: int
    role: str


@dataclass(frozen=True, kw_only=True)
class GrantEnding(AccessEvent):
    """A role somebody has for a time ends soon. `granted_by_id` gave it."""

    type: ClassVar[str] = "role.grant_ending"
    role_id: int
    role: str
    expires_at: str
    granted_by_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class GrantExpired(AccessEvent):
    """A role somebody had for a time has ended. `granted_by_id` gave it."""

    type: ClassVar[str] = "role.grant_expired"
    role_id: int
    role: str
    expires_at: str
    granted_by_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class RoleEvent(Event):
    """About a role."""

    object_type: ClassVar[str] = "role"
    role_id: int

    @property
    def object_id(self) -> int:
        return self.role_id


@dataclass(frozen=True, kw_only=True)
class RoleChanged(RoleEvent):
    """A role's name, words or permissions were changed; only what differs is kept. `asked_by_id` is set when it took two."""

    type: ClassVar[str] = "role.changed"
    before: dict[str, Any]
    after: dict[str, Any]
    asked_by_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class RoleRemoved(RoleEvent):
    """A role was removed; its people were given another one, or none."""

    type: ClassVar[str] = "role.removed"
    key: str
    people: int
    moved_to_id: int | None
    permissions: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class RoleRulesChanged(Event):
    """It was decided whether changes that give power take two administrators."""

    type: ClassVar[str] = "role.rules_changed"
    object_type: ClassVar[str] = "role"
    needs_two: bool

    @property
    def object_id(self) -> int:
        return 0


@dataclass(frozen=True, kw_only=True)
class ChangeEvent(Event):
    """About a change that one administrator asked for and another confirms."""

    object_type: ClassVar[str] = "role_change"
    change_id: int
    role_id: int | None
    user_id: int | None

    @property
    def object_id(self) -> int:
        return self.change_id


@dataclass(frozen=True, kw_only=True)
class RoleChangeAsked(ChangeEvent):
    """An administrator asked for a change that another has to confirm."""

    type: ClassVar[str] = "role.change_asked"
    what: str
    before: dict[str, Any]
    wanted: dict[str, Any]
    reason: str


@dataclass(frozen=True, kw_only=True)
class RoleChangeConfirmed(ChangeEvent):
    """A second administrator confirmed a change; it is in force."""

    type: ClassVar[str] = "role.change_confirmed"
    asked_by_id: int


@dataclass(frozen=True, kw_only=True)
class RoleChangeRefused(ChangeEvent):
    """A change was refused by another administrator (`REFUSED`), or let be by the one who asked (`DROPPED`)."""

    type: ClassVar[str] = "role.change_refused"
    outcome: str
    asked_by_id: int


@dataclass(frozen=True, kw_only=True)
class RoleChangeExpired(ChangeEvent):
    """Nobody answered in time what was asked for; it is not done."""

    type: ClassVar[str] = "role.change_expired"
    asked_by_id: int
