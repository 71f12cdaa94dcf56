"""What happens in the directory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from waypost.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class UserEvent(Event):
    object_type: ClassVar[str] = "user"
    user_id: int

    @property
    def object_id(self) -> int:
        return self.user_id


@dataclass(frozen=True, kw_only=True)
class UserCreated(UserEvent):
    """A person was added."""

    type: ClassVar[str] = "user.created"
    username: str
    email: str
    department_id: int | None
    manager_id: int | None


@dataclass(frozen=True, kw_only=True)
class DepartmentCreated(Event):
    """A department was added."""

    type: ClassVar[str] = "department.created"
    object_type: ClassVar[str] = "department"
    department_id: int
    name: str
    parent_id: int | None
    head_id: int | None

    @property
    def object_id(self) -> int:
        return self.department_id


@dataclass(frozen=True, kw_only=True)
class TeamCreated(Event):
    """A team was added, with its first members."""

    type: ClassVar[str] = "team.created"
    object_type: ClassVar[str] = "team"
    team_id: int
    name: str
    member_ids: tuple[int, ...]

    @property
    def object_id(self) -> int:
        return self.team_id


@dataclass(frozen=True, kw_only=True)
class TeamMembershipChanged(Event):
    """Somebody came into a team, left it, or began or ceased to lead it."""

    type: ClassVar[str] = "team.membership_changed"
    object_type: ClassVar[str] = "team"
    team_id: int
    user_id: int
    is_member: bool
    is_lead: bool

    @property
    def object_id(self) -> int:
        return self.team_id


@dataclass(frozen=True, kw_only=True)
class AbsenceSet(UserEvent):
    """Somebody will be away; why stays in the absence, so that the log tells nobody."""

    type: ClassVar[str] = "absence.set"
    absence_id: int
    starts_at: str
    ends_at: str


@dataclass(frozen=True, kw_only=True)
class AbsenceRemoved(UserEvent):
    """An absence was taken back, or ended early."""

    type: ClassVar[str] = "absence.removed"
    absence_id: int
    starts_at: str
    ends_at: str


@dataclass(frozen=True, kw_only=True)
class UserDeactivated(UserEvent):
    """A person does not work here any more: they cannot sign in, and nothing new comes to them."""

    type: ClassVar[str] = "user.deactivated"


@dataclass(frozen=True, kw_only=True)
class UserReactivated(UserEvent):
    """A person works here again. What went to others stays theirs."""

    type: ClassVar[str] = "user.reactivated"
