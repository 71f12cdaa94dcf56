"""What is decided about how long sign-ins last; before and after stand in the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from waypost.access.role_events import RoleEvent
from waypost.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class SessionRulesChanged(Event):
    """Sign-ins last longer or less long from now on, or there may be more or fewer of one person; times in minutes."""

    type: ClassVar[str] = "auth.session_rules_changed"
    object_type: ClassVar[str] = "session_rules"
    before: dict[str, int]
    after: dict[str, int]

    @property
    def object_id(self) -> int:
        return 1


@dataclass(frozen=True, kw_only=True)
class RoleSessionTimes(RoleEvent):
    """Sign-ins of a role's people got times of their own, or lost them; in minutes."""

    type: ClassVar[str] = "role.session_times"
    before: dict[str, int | None]
    after: dict[str, int | None]
