"""What is judged: a plain description, handed in by the room that owns it. Approvals know nothing else of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor


@dataclass(frozen=True, slots=True)
class Subject:
    """Something to be approved.

    `facts` are what conditions look at, `shown` is the snapshot approvers read (JSON-ready), `barred` are the people
    who may not say yes: who asked for it, wrote it or changed it. `urgency` runs from 1 to 4 (critical). Of `sealed` facts
    nothing is kept: they are judged, and forgotten.
    """

    type: str
    id: int
    round: int
    requester_id: int
    department_id: int | None
    urgency: int
    facts: Mapping[str, Any]
    custom_fields: Mapping[str, Any]
    shown: dict[str, Any]
    barred: frozenset[int] = field(default_factory=frozenset)
    sealed: frozenset[str] = frozenset()

    @property
    def lasting_facts(self) -> dict[str, Any]:
        """The facts that may be kept."""
        return {name: value for name, value in self.facts.items() if name not in self.sealed}

    @property
    def is_emergency(self) -> bool:
        """Whether everybody who may decide is asked at once."""
        return self.urgency >= 4


class SubjectRoom(Protocol):
    """What approvals ask of the room a subject belongs to."""

    async def lock(self, session: AsyncSession, subject_id: int) -> None:
        """Lock it before anything of its approval is locked: every use case takes the locks in this order."""
        ...

    async def versions_of(self, session: AsyncSession, subject_ids: Collection[int]) -> dict[int, int]:
        """Their versions now, as their own room counts them. One statement."""
        ...

    async def may_read(self, session: AsyncSession, actor: Actor, subject_id: int) -> bool:
        """Whether this person may see it."""
        ...

    async def those_read(self, session: AsyncSession, actor: Actor, subject_ids: Collection[int]) -> frozenset[int]:
        """Those of them this person may see. One statement."""
        ...

    async def beside(
        self, session: AsyncSession, actor: Actor, subject_ids: Collection[int]
    ) -> dict[int, dict[str, Any]]:
        """What this person reads beside these subjects before they decide, by subject: `is_confidential` and the
        `attachments` they may see. One statement; the caller has checked that they are asked."""
        ...


_rooms: dict[str, SubjectRoom] = {}


def use_subject_rooms(rooms: Mapping[str, SubjectRoom]) -> None:
    """Say which room owns which type of subject (called once, by the wiring)."""
    _rooms.clear()
    _rooms.update(rooms)


def room_of(subject_type: str) -> SubjectRoom:
    """The room a type of subject belongs to. Raises `KeyError` for a type nobody owns."""
    return _rooms[subject_type]
