"""What happens in the directory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

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
class UserChanged(UserEvent):
    """What is known of a person was changed: the fields that differ, before and after."""

    type: ClassVar[str] = "user.changed"
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class UserEmailChanged(UserEvent):
    """A person is reached at another address from now on; both addresses are told."""

    type: ClassVar[str] = "user.email_changed"
    email_before: str
    email: str


@dataclass(frozen=True, kw_only=True)
class DepartmentEvent(Event):
    object_type: ClassVar[str] = "department"
    department_id: int

    @property
    def object_id(self) -> int:
        return self.department_id


@dataclass(frozen=True, kw_only=True)
class DepartmentCreated(DepartmentEvent):
    """A department was added."""

    type: ClassVar[str] = "department.created"
    name: str
    parent_id: int | None
    head_id: int | None


@dataclass(frozen=True, kw_only=True)
class DepartmentChanged(DepartmentEvent):
    """A department got another name, head, or place in the tree: what differs, before and after."""

    type: ClassVar[str] = "department.changed"
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class DepartmentDeleted(DepartmentEvent):
    """A department is no more; what was in it is in another one, where there was anything."""

    type: ClassVar[str] = "department.deleted"
    name: str
    moved_to_id: int | None
    people: int
    departments: int


@dataclass(frozen=True, kw_only=True)
class TeamEvent(Event):
    object_type: ClassVar[str] = "team"
    team_id: int

    @property
    def object_id(self) -> int:
        return self.team_id


@dataclass(frozen=True, kw_only=True)
class TeamCreated(TeamEvent):
    """A team was added, with its first members."""

    type: ClassVar[str] = "team.created"
    name: str
    member_ids: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class TeamChanged(TeamEvent):
    """A team got another name or description, before and after."""

    type: ClassVar[str] = "team.changed"
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class TeamDeleted(TeamEvent):
    """A team is no more; what was its work is another team's, where there was any."""

    type: ClassVar[str] = "team.deleted"
    name: str
    moved_to_id: int | None


@dataclass(frozen=True, kw_only=True)
class TeamMembershipChanged(TeamEvent):
    """Somebody came into a team, left it, or began or ceased to lead it."""

    type: ClassVar[str] = "team.membership_changed"
    user_id: int
    is_member: bool
    is_lead: bool
    was_member: bool | None = None  # None in events of before this was kept
    was_lead: bool | None = None


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
