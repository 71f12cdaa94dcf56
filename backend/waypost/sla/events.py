"""What is set up about calendars and service levels stands in the trail, with what it was before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from waypost.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class CalendarEvent(Event):
    """About one calendar of working hours. Of days only those that differ are told, by date."""

    object_type: ClassVar[str] = "sla_calendar"
    calendar_id: int
    name: str

    @property
    def object_id(self) -> int:
        return self.calendar_id


@dataclass(frozen=True, kw_only=True)
class CalendarAdded(CalendarEvent):
    """Somebody added a calendar of working hours."""

    type: ClassVar[str] = "sla_calendar.added"
    after: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class CalendarChanged(CalendarEvent):
    """Somebody changed working hours, or its calendar file did; what runs keeps those it began with."""

    type: ClassVar[str] = "sla_calendar.changed"
    before: dict[str, Any]
    after: dict[str, Any]
    calendar_version: int


@dataclass(frozen=True, kw_only=True)
class CalendarRemoved(CalendarEvent):
    """Somebody removed a calendar nothing went by."""

    type: ClassVar[str] = "sla_calendar.removed"
    before: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class PolicyEvent(Event):
    """About one service level policy."""

    object_type: ClassVar[str] = "sla_policy"
    policy_id: int
    name: str

    @property
    def object_id(self) -> int:
        return self.policy_id


@dataclass(frozen=True, kw_only=True)
class PolicyAdded(PolicyEvent):
    """Somebody added a service level policy."""

    type: ClassVar[str] = "sla_policy.added"
    after: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class PolicyChanged(PolicyEvent):
    """Somebody changed a service level policy; what runs keeps the version it began with."""

    type: ClassVar[str] = "sla_policy.changed"
    before: dict[str, Any]
    after: dict[str, Any]
    policy_version: int


@dataclass(frozen=True, kw_only=True)
class PolicyRemoved(PolicyEvent):
    """Somebody took a service level policy out of the list; what runs by it goes on."""

    type: ClassVar[str] = "sla_policy.removed"
    before: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class PolicyRunBegan(PolicyEvent):
    """Somebody began to have running requests go by a policy's newest version. `before`: how many ran by which version."""

    type: ClassVar[str] = "sla_policy.run_began"
    run_id: int
    policy_version: int
    total: int
    before: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class PolicyRunEnded(PolicyEvent):
    """It came to its end, was stopped, or could not go on (`outcome`). `before` and `after`: how many ran by which version;
    `counts`: what became of their clocks."""

    type: ClassVar[str] = "sla_policy.run_ended"
    run_id: int
    policy_version: int
    outcome: str
    done: int
    counts: dict[str, int]
    before: dict[str, int]
    after: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class PoliciesOrdered(Event):
    """Somebody changed in which order policies are asked: `before` and `after` are their numbers."""

    type: ClassVar[str] = "sla_policies.ordered"
    object_type: ClassVar[str] = "sla_policy"
    before: list[int]
    after: list[int]

    @property
    def object_id(self) -> int:
        return 0


@dataclass(frozen=True, kw_only=True)
class WorkingCalendarSet(Event):
    """Somebody said by which calendar a person, or a department's people, work; None: by no calendar of their own."""

    type: ClassVar[str] = "sla_working_calendar.set"
    object_type: ClassVar[str] = "sla_working_calendar"
    whose: str
    whose_id: int
    before: int | None
    after: int | None

    @property
    def object_id(self) -> int:
        return self.whose_id
