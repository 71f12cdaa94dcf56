"""What is done with the audit trail stands in the audit trail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from waypost.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class AuditEvent(Event):
    """About the trail as a whole."""

    object_type: ClassVar[str] = "audit"

    @property
    def object_id(self) -> int:
        return 0


@dataclass(frozen=True, kw_only=True)
class AuditCheckAsked(AuditEvent):
    """Somebody had the whole chain checked."""

    type: ClassVar[str] = "audit.check_asked"


@dataclass(frozen=True, kw_only=True)
class AuditChecked(AuditEvent):
    """The whole chain was checked; `problem` is the first kind of problem that was found."""

    type: ClassVar[str] = "audit.checked"
    valid: bool
    rows: int
    position: int
    problem: str | None


@dataclass(frozen=True, kw_only=True)
class ValuesErased(AuditEvent):
    """Personal values of a person were taken out of so many events; their hashes stay."""

    type: ClassVar[str] = "audit.values_erased"
    user_id: int
    events: int
    values: int


@dataclass(frozen=True, kw_only=True)
class AuditRead(AuditEvent):
    """Somebody read or counted the trail, narrowed by these; told once in five minutes, searches each."""

    type: ClassVar[str] = "audit.read"
    filters: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class AuditExported(AuditEvent):
    """Somebody took a part of the trail away as a file. `is_cut`: there was more than a file may have."""

    type: ClassVar[str] = "audit.exported"
    filters: dict[str, Any]
    format: str
    rows: int
    is_cut: bool
    sha256: str


@dataclass(frozen=True, kw_only=True)
class RetentionChanged(AuditEvent):
    """Somebody chose for how many years entries are kept, by groups of kinds; null is for ever."""

    type: ClassVar[str] = "audit.retention_changed"
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class EntriesRemoved(AuditEvent):
    """Entries of a group that were older than it is kept were removed: so many, up to this position. Signed as `number`."""

    type: ClassVar[str] = "audit.removed"
    number: int
    group: str
    count: int
    upto: int
    before: str


@dataclass(frozen=True, kw_only=True)
class SystemEvent(Event):
    """About the installation as a whole."""

    object_type: ClassVar[str] = "system"

    @property
    def object_id(self) -> int:
        return 0


@dataclass(frozen=True, kw_only=True)
class SystemStarted(SystemEvent):
    """The installation was started, with these settings; of secrets only that they are set."""

    type: ClassVar[str] = "system.started"
    release: str
    settings: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class DatabaseMigrated(SystemEvent):
    """The database was brought from one release's state to another's."""

    type: ClassVar[str] = "system.migrated"
    before: str | None
    after: str


@dataclass(frozen=True, kw_only=True)
class CommandRun(SystemEvent):
    """Somebody with an account on the server ran a command that changes something."""

    type: ClassVar[str] = "system.command"
    command: str
    username: str


@dataclass(frozen=True, kw_only=True)
class EvidenceEvent(Event):
    """About the evidence of one request; auditors see it, its history does not tell it."""

    object_type: ClassVar[str] = "evidence"
    ticket_id: int

    @property
    def object_id(self) -> int:
        return self.ticket_id


@dataclass(frozen=True, kw_only=True)
class EvidenceAsked(EvidenceEvent):
    """Somebody had the evidence of a request put together; `object_id` is the request's."""

    type: ClassVar[str] = "evidence.asked"


@dataclass(frozen=True, kw_only=True)
class EvidenceTaken(EvidenceEvent):
    """Somebody took the evidence of a request away."""

    type: ClassVar[str] = "evidence.taken"
    sha256: str
