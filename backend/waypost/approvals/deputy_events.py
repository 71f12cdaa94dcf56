"""What happens to standing delegations. Why somebody is away stays in the row: the log tells it to nobody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from waypost.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class DelegationEvent(Event):
    """About a delegation: `delegate_id` may decide for `delegator_id`."""

    object_type: ClassVar[str] = "delegation"
    delegation_id: int
    delegator_id: int
    delegate_id: int
    starts_at: datetime
    ends_at: datetime
    for_id: int | None = None

    @property
    def object_id(self) -> int:
        return self.delegation_id

    @property
    def on_behalf_of_id(self) -> int | None:
        """The delegator, when somebody else did it for them."""
        return self.for_id


@dataclass(frozen=True, kw_only=True)
class DelegationCreated(DelegationEvent):
    """Somebody lets another decide for them. `waiting`: how much waits already, when it began at once."""

    type: ClassVar[str] = "delegation.created"
    has_begun: bool
    waiting: int


@dataclass(frozen=True, kw_only=True)
class DelegationBegun(DelegationEvent):
    """The window of a delegation opened; `waiting` is how much waits for the deputy."""

    type: ClassVar[str] = "delegation.begun"
    waiting: int


@dataclass(frozen=True, kw_only=True)
class DelegationChanged(DelegationEvent):
    """A delegation was changed; `changed` are the words for what."""

    type: ClassVar[str] = "delegation.changed"
    changed: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class DelegationCancelled(DelegationEvent):
    """A delegation was ended before its time; `why`: by hand, with its absence, or because one of the two left."""

    type: ClassVar[str] = "delegation.cancelled"
    why: str
