"""What crosses HTTP about the audit trail."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from waypost.kernel.shapes import PersonRef


class AuditEntry(BaseModel):
    """One thing somebody (or the system: `actor` null) did."""

    id: Annotated[int, Field(examples=[1001])]
    at: datetime
    actor: PersonRef | None
    on_behalf_of: PersonRef | None
    action: Annotated[str, Field(examples=["ticket.submitted"])]
    object_type: Annotated[str, Field(examples=["ticket"])]
    object_id: Annotated[int, Field(examples=[42])]
    channel: Annotated[str, Field(examples=["web"])]
    request_id: str | None
    data: Annotated[dict[str, Any], Field(examples=[{"old_status": "DRAFT", "new_status": "SUBMITTED"}])]


class AuditPage(BaseModel):
    """Entries, newest first.

    `looked_back_to`: words were looked for back to this moment only, because time was over; the next page goes on from there, and
    this one may be empty.
    """

    items: list[AuditEntry]
    next_cursor: str | None
    looked_back_to: Annotated[datetime | None, Field(examples=[None])]


class AuditCount(BaseModel):
    """How many entries fit. `is_more`: there are more than were counted."""

    count: Annotated[int, Field(examples=[318])]
    is_more: Annotated[bool, Field(examples=[False])]


class ChainProblem(BaseModel):
    """Something that is wrong with the chain, and where it begins."""

    kind: Annotated[str, Field(examples=["ALTERED"])]
    position: Annotated[int | None, Field(examples=[1001])]
    event_id: Annotated[int | None, Field(examples=[1004])]
    sentence: Annotated[str, Field(examples=["Event 1004 does not say what it said when it was sealed."])]


class ChainCheck(BaseModel):
    """What going along the chain found. `is_guarded`: the application's database role cannot change the log."""

    valid: bool | None
    rows: int = 0
    position: int = 0
    start: int = 0
    checkpoints: int = 0
    anchored: int | None = None
    last_checkpoint_at: datetime | None = None
    erased: int = 0
    signatures: int = 0
    removed: int = 0
    removed_upto: int | None = None
    removed_at: datetime | None = None
    removals: int = 0
    waiting: int = 0
    is_guarded: bool = True
    began_at: datetime | None = None
    seconds: float = 0
    problem_count: int = 0
    first_problem: ChainProblem | None = None
    problems: list[ChainProblem] = []


class RunningCheck(BaseModel):
    """A check that was asked for and is not over."""

    asked_at: datetime
    done: int
    of: int


class ChainStanding(BaseModel):
    """Whether the log is the one that was sealed, as far as is known now."""

    valid: bool
    sealed_to: Annotated[int, Field(examples=[12045])]
    last_checkpoint_at: datetime | None
    quick: ChainCheck
    last_check: ChainCheck | None
    last_check_at: datetime | None
    running: RunningCheck | None


class AuditKey(BaseModel):
    """A public key, in hexadecimal."""

    key_id: Annotated[str, Field(examples=["9f86d081884c7d65"])]
    algorithm: Annotated[str, Field(examples=["Ed25519"])]
    public_key: str
    made_at: datetime
    is_current: bool


class AuditKeys(BaseModel):
    items: list[AuditKey]


class CheckAsked(BaseModel):
    """The worker will check the whole chain."""

    is_waiting: Annotated[bool, Field(examples=[True])]


class EvidenceRead(BaseModel):
    """The evidence of a request: `WAITING` until it is put together, then `READY`, or `FAILED`."""

    id: Annotated[int, Field(examples=[12])]
    ticket_id: Annotated[int, Field(examples=[42])]
    status: Annotated[str, Field(examples=["READY"])]
    asked_at: datetime
    size: Annotated[int | None, Field(examples=[48213])]
    sha256: str | None
