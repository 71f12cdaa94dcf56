"""What happens to the clocks of a ticket. Each is one line of its history; own times of teams are internal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from waypost.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class ClockEvent(Event):
    object_type: ClassVar[str] = "ticket"
    ticket_id: int

    @property
    def object_id(self) -> int:
        return self.ticket_id


@dataclass(frozen=True, kw_only=True)
class SlaAttached(ClockEvent):
    """From now on this version of a service level holds for the ticket, over its whole time; None: none holds any more.

    `why` is empty when the ticket's facts chose it, and says so when an administrator applied a newer version.
    """

    type: ClassVar[str] = "sla.attached"
    policy_id: int | None
    policy_version: int | None
    policy_name: str
    calendar_id: int | None
    calendar_version: int | None
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class SlaWarned(ClockEvent):
    """So many percent of a target's time are over. `told_ids` are who is told; `team_id` whose own time it is, or 0."""

    type: ClassVar[str] = "sla.warned"
    metric: str
    team_id: int
    percent: int
    due_at: str
    policy_id: int
    told_ids: tuple[int, ...]
    visibility: str


@dataclass(frozen=True, kw_only=True)
class SlaBreached(ClockEvent):
    """A target's time is over; `due_at` says since when."""

    type: ClassVar[str] = "sla.breached"
    metric: str
    team_id: int
    due_at: str
    policy_id: int
    told_ids: tuple[int, ...]
    visibility: str


@dataclass(frozen=True, kw_only=True)
class SlaEscalated(ClockEvent):
    """What a service level did because time ran short or out; `left_out` is what it wanted to do and could not, and why."""

    type: ClassVar[str] = "sla.escalated"
    metric: str
    percent: int
    done: list[str]
    left_out: list[str]
    visibility: str
