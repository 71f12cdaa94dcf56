"""What happens to a ticket. Each is one line of its history."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from waypost.kernel.events import Event

IMPORT = "import"  # the channel of what a table brings in: nobody gets mails for it


@dataclass(frozen=True, kw_only=True)
class TicketEvent(Event):
    object_type: ClassVar[str] = "ticket"
    ticket_id: int

    @property
    def object_id(self) -> int:
        return self.ticket_id


@dataclass(frozen=True, kw_only=True)
class TicketRead(TicketEvent):
    """Somebody read a confidential ticket; once per person and five minutes."""

    type: ClassVar[str] = "ticket.read"
    session_id: int | None


@dataclass(frozen=True, kw_only=True)
class SensitiveAnswersRead(TicketEvent):
    """Somebody else than the requester was shown the answers to these sensitive fields."""

    type: ClassVar[str] = "ticket.sensitive_answers_read"
    fields: list[str]
    session_id: int | None


@dataclass(frozen=True, kw_only=True)
class SensitiveAnswersSealed(TicketEvent):
    """What was answered to these fields is kept sealed from now on: their form was changed. Nothing is `opened` any more.

    `titles` are what the sealed ones were ever called: sentences of before tell by them what changed.
    """

    type: ClassVar[str] = "ticket.sensitive_answers_sealed"
    sealed: list[str]
    opened: list[str]
    titles: list[str]


@dataclass(frozen=True, kw_only=True)
class TicketCreated(TicketEvent):
    """A ticket was written, as a draft; by somebody else than the requester, it was written for them."""

    type: ClassVar[str] = "ticket.created"
    ticket_number: str
    ticket_type: str
    title: str
    priority: str
    requester_id: int
    created_by_id: int | None = None

    @property
    def on_behalf_of_id(self) -> int | None:
        return None if self.created_by_id in (None, self.requester_id) else self.requester_id

    is_confidential: bool = False


@dataclass(frozen=True, kw_only=True)
class TicketUpdated(TicketEvent):
    """Fields were edited: `changes` holds `{field: [old, new]}` as JSON-ready values."""

    type: ClassVar[str] = "ticket.updated"
    ticket_version: int
    changes: dict[str, list[Any]]
    restarts_approval: bool = False
    was_draft: bool = False


@dataclass(frozen=True, kw_only=True)
class StatusChanged(TicketEvent):
    """The ticket moved from one status to another; subclasses say by which step of the lifecycle."""

    ticket_version: int
    old_status: str
    new_status: str
    comment: str = ""


@dataclass(frozen=True, kw_only=True)
class TicketSubmitted(StatusChanged):
    """The requester sent it off."""

    type: ClassVar[str] = "ticket.submitted"


@dataclass(frozen=True, kw_only=True)
class ReviewStarted(StatusChanged):
    """Approvers were asked."""

    type: ClassVar[str] = "ticket.review_started"


@dataclass(frozen=True, kw_only=True)
class TicketApproved(StatusChanged):
    """All approvals are there, or none was needed (`by_rule`)."""

    type: ClassVar[str] = "ticket.approved"
    by_rule: bool = False


@dataclass(frozen=True, kw_only=True)
class TicketRejected(StatusChanged):
    """The approvers said no; `comment` is the reason."""

    type: ClassVar[str] = "ticket.rejected"


@dataclass(frozen=True, kw_only=True)
class InfoRequested(StatusChanged):
    """An approver asked the requester a question (`comment`)."""

    type: ClassVar[str] = "ticket.info_requested"


@dataclass(frozen=True, kw_only=True)
class InfoProvided(StatusChanged):
    """The requester answered (`comment`)."""

    type: ClassVar[str] = "ticket.info_provided"


@dataclass(frozen=True, kw_only=True)
class WorkStarted(StatusChanged):
    """The team began to work on it."""

    type: ClassVar[str] = "ticket.work_started"


@dataclass(frozen=True, kw_only=True)
class TicketCompleted(StatusChanged):
    """The team says it is done."""

    type: ClassVar[str] = "ticket.completed"


@dataclass(frozen=True, kw_only=True)
class TicketDueSoon(TicketEvent):
    """Three quarters of its time are over. `due_date` is RFC 3339; `told_ids` are who works on it."""

    type: ClassVar[str] = "ticket.due_soon"
    due_date: str
    told_ids: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class TicketOverdue(TicketEvent):
    """Its due date has come, and it is not done."""

    type: ClassVar[str] = "ticket.overdue"
    due_date: str
    told_ids: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class TicketReopened(StatusChanged):
    """It was completed, and is not done after all."""

    type: ClassVar[str] = "ticket.reopened"


@dataclass(frozen=True, kw_only=True)
class TicketClosed(StatusChanged):
    """Nothing more will happen."""

    type: ClassVar[str] = "ticket.closed"


@dataclass(frozen=True, kw_only=True)
class TicketWithdrawn(StatusChanged):
    """The requester took it back before it was decided."""

    type: ClassVar[str] = "ticket.withdrawn"


@dataclass(frozen=True, kw_only=True)
class TicketAssigned(TicketEvent):
    """Responsibility moved; None means nobody. `how`: `claimed` or `released` by the person, or by a `rule` (`why`)."""

    type: ClassVar[str] = "ticket.assigned"
    ticket_version: int
    old_assignee_id: int | None
    new_assignee_id: int | None
    old_team_id: int | None
    new_team_id: int | None
    how: str = ""
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class TicketRouted(TicketEvent):
    """The routing rules looked at a request that was sent. `fired` are the rules that held, each with what it set and
    the condition in words; `skipped` those left out, with the reason.
    """

    type: ClassVar[str] = "ticket.routed"
    ticket_version: int
    rules_version: int
    fired: list[dict[str, Any]]
    skipped: list[dict[str, Any]]
    old_team_id: int | None
    new_team_id: int | None
    old_priority: str
    new_priority: str


@dataclass(frozen=True, kw_only=True)
class TicketLeftInQueue(TicketEvent):
    """A rule wanted to give the ticket to somebody, and could not (`reason`): it waits in its team's queue."""

    type: ClassVar[str] = "ticket.left_in_queue"
    team_id: int | None
    rule: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class RoutingRulesPublished(Event):
    """New routing rules are in force; `changes` says which rules were added, removed, changed or moved."""

    type: ClassVar[str] = "routing.published"
    object_type: ClassVar[str] = "routing"
    rules_version: int
    changes: list[dict[str, Any]]
    restored_from: int | None = None

    @property
    def object_id(self) -> int:
        return self.rules_version


@dataclass(frozen=True, kw_only=True)
class TicketToldByRule(TicketEvent):
    """An automation rule wants these people told something about it, as far as they see it. Its words are for them alone;
    their blanks are filled when they are told, so that nobody's name stands here.
    """

    type: ClassVar[str] = "ticket.told_by_rule"
    rule: str
    told_ids: tuple[int, ...]
    message: str
    visibility: str = "INTERNAL"  # whom a rule tells what is the team's business


@dataclass(frozen=True, kw_only=True)
class TicketMerged(StatusChanged):
    """It asks for the same as another, and was closed in favour of that one."""

    type: ClassVar[str] = "ticket.merged"
    into_ticket_id: int


@dataclass(frozen=True, kw_only=True)
class TicketAbsorbed(TicketEvent):
    """A duplicate was merged into this one: what was said there, and its files, are here now."""

    type: ClassVar[str] = "ticket.absorbed"
    ticket_version: int
    other_ticket_id: int
    comments: int
    files: int
    tags: list[str]
    comment_ids: list[int] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class TicketSplit(TicketEvent):
    """A part of it became a ticket of its own."""

    type: ClassVar[str] = "ticket.split"
    other_ticket_id: int
    comment_ids: list[int]


@dataclass(frozen=True, kw_only=True)
class TicketLinked(TicketEvent):
    """It was said how this ticket stands (`word`) to another; recorded on both."""

    type: ClassVar[str] = "ticket.linked"
    other_ticket_id: int
    link_id: int
    word: str


@dataclass(frozen=True, kw_only=True)
class TicketUnlinked(TicketEvent):
    """A link to another ticket was taken away; recorded on both."""

    type: ClassVar[str] = "ticket.unlinked"
    other_ticket_id: int
    link_id: int
    word: str


@dataclass(frozen=True, kw_only=True)
class ChecklistItemAdded(TicketEvent):
    """One more thing is to be done."""

    type: ClassVar[str] = "checklist.added"
    item_id: int
    text: str


@dataclass(frozen=True, kw_only=True)
class ChecklistItemTicked(TicketEvent):
    """A thing was done, or is not done after all."""

    type: ClassVar[str] = "checklist.ticked"
    item_id: int
    text: str
    is_done: bool


@dataclass(frozen=True, kw_only=True)
class ChecklistItemChanged(TicketEvent):
    """A thing to do was put in other words."""

    type: ClassVar[str] = "checklist.changed"
    item_id: int
    old_text: str
    text: str


@dataclass(frozen=True, kw_only=True)
class ChecklistItemRemoved(TicketEvent):
    """A thing need not be done any more."""

    type: ClassVar[str] = "checklist.removed"
    item_id: int
    text: str


@dataclass(frozen=True, kw_only=True)
class WatcherAdded(TicketEvent):
    """Somebody is told from now on; `gives_sight`: the team let them in, and they see it."""

    type: ClassVar[str] = "ticket.watched"
    user_id: int
    gives_sight: bool


@dataclass(frozen=True, kw_only=True)
class WatcherRemoved(TicketEvent):
    """Somebody is not told any more."""

    type: ClassVar[str] = "ticket.unwatched"
    user_id: int


@dataclass(frozen=True, kw_only=True)
class CommentAdded(TicketEvent):
    """Somebody wrote a comment; its text stays in the comment, so an internal one leaks nowhere from the log.

    `speaks_for` says what they were to the ticket then: its `requester`, the `team` that works on it, or neither.
    """

    type: ClassVar[str] = "comment.created"
    comment_id: int
    visibility: str
    mentioned_ids: tuple[int, ...] = ()
    speaks_for: str | None = None


@dataclass(frozen=True, kw_only=True)
class CommentEdited(TicketEvent):
    """The author put a comment in other words; `mentioned_ids` are the people it names only now."""

    type: ClassVar[str] = "comment.edited"
    comment_id: int
    comment_version: int
    visibility: str
    mentioned_ids: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CommentRemoved(TicketEvent):
    """The author took a comment back; that there was one stays to be seen."""

    type: ClassVar[str] = "comment.removed"
    comment_id: int
    visibility: str


@dataclass(frozen=True, kw_only=True)
class AttachmentAdded(TicketEvent):
    """Somebody added a file; an internal one's name is seen by the team only, as the event is. `sha256` of its bytes."""

    type: ClassVar[str] = "attachment.added"
    attachment_id: int
    filename: str
    size: int
    visibility: str
    sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class AttachmentRemoved(TicketEvent):
    """A file was taken away again; its bytes are gone."""

    type: ClassVar[str] = "attachment.removed"
    attachment_id: int
    filename: str
    visibility: str


@dataclass(frozen=True, kw_only=True)
class AttachmentScanned(TicketEvent):
    """The virus scanner looked at a file: `result` is CLEAN, INFECTED (it opens for nobody) or FAILED."""

    type: ClassVar[str] = "attachment.scanned"
    attachment_id: int
    filename: str
    result: str
    visibility: str


@dataclass(frozen=True, kw_only=True)
class TicketsExported(Event):
    """Somebody took a list of tickets away as a file: which list, which columns, how many rows."""

    type: ClassVar[str] = "tickets.exported"
    object_type: ClassVar[str] = "user"
    user_id: int
    format: str
    filters: dict[str, Any]
    sort: str
    columns: list[str]
    rows: int
    is_cut: bool

    @property
    def object_id(self) -> int:
        return self.user_id


@dataclass(frozen=True, kw_only=True)
class ImportEvent(Event):
    object_type: ClassVar[str] = "ticket_import"
    import_id: int

    @property
    def object_id(self) -> int:
        return self.import_id


@dataclass(frozen=True, kw_only=True)
class ImportStarted(ImportEvent):
    """Somebody let a file's rows become tickets."""

    type: ClassVar[str] = "import.started"
    filename: str
    ticket_type: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class ImportFinished(ImportEvent):
    """All of a file's rows had their turn, or somebody stopped it (`is_cancelled`)."""

    type: ClassVar[str] = "import.finished"
    done: int
    failed: int
    duplicates: int
    is_cancelled: bool


@dataclass(frozen=True, kw_only=True)
class ScanAsked(TicketEvent):
    """Somebody let the virus scanner look once more at a file it could not judge."""

    type: ClassVar[str] = "attachment.scan_asked"
    attachment_id: int
    filename: str
    visibility: str
