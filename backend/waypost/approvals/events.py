"""What happens in an approval. The events stand in the history of the subject that is judged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from waypost.kernel.events import Event

BY_LINK = "mail_link"  # the channel of what was decided with a link from a mail


@dataclass(frozen=True, kw_only=True)
class ApprovalEvent(Event):
    """About a subject: `subject_type` (such as `ticket`) and its id."""

    subject_type: str
    subject_id: int
    workflow_id: int

    @property
    def object_type(self) -> str:  # type: ignore[override]
        return self.subject_type

    @property
    def object_id(self) -> int:
        return self.subject_id


@dataclass(frozen=True, kw_only=True)
class ApprovalStarted(ApprovalEvent):
    """A workflow began to judge the subject; `reason` says why this one."""

    type: ClassVar[str] = "approval.started"
    workflow_name: str
    round: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class StepEvent(ApprovalEvent):
    """About one step. `approver_id` is the person who is, or was, to decide it."""

    step_id: int
    stage_name: str
    approver_id: int


@dataclass(frozen=True, kw_only=True)
class ApprovalRequested(StepEvent):
    """Somebody was asked to decide by `due_at` (UTC)."""

    type: ClassVar[str] = "approval.requested"
    for_id: int | None
    due_at: datetime
    reason: str


@dataclass(frozen=True, kw_only=True)
class StepDecided(StepEvent):
    """A step was answered. `for_id` is the person the approver stood in for, `confirmed_by` with what they confirmed that
    it is them, where that was asked for."""

    comments: str
    for_id: int | None
    confirmed_by: str | None = None

    @property
    def on_behalf_of_id(self) -> int | None:
        return self.for_id


@dataclass(frozen=True, kw_only=True)
class ApprovalApproved(StepDecided):
    """An approver said yes."""

    type: ClassVar[str] = "approval.approved"


@dataclass(frozen=True, kw_only=True)
class ApprovalRejected(StepDecided):
    """An approver said no."""

    type: ClassVar[str] = "approval.rejected"


@dataclass(frozen=True, kw_only=True)
class InfoRequested(StepDecided):
    """An approver asked the requester a question (`comments`)."""

    type: ClassVar[str] = "approval.info_requested"


@dataclass(frozen=True, kw_only=True)
class InfoAnswered(ApprovalEvent):
    """No question is open any more; `lapsed` when it was decided without an answer."""

    type: ClassVar[str] = "approval.info_answered"
    asker_ids: tuple[int, ...]
    comments: str
    lapsed: bool


@dataclass(frozen=True, kw_only=True)
class ApprovalDelegated(StepEvent):
    """The approver handed this one decision to somebody else."""

    type: ClassVar[str] = "approval.delegated"
    to_id: int
    comments: str


@dataclass(frozen=True, kw_only=True)
class ApprovalEscalated(StepEvent):
    """The decision went further up; `by_time` when nobody answered in time, and the approver may still decide.

    `again`: to several people at once, of whom this is not the first. `for_id` is the person a deputy acted for.
    """

    type: ClassVar[str] = "approval.escalated"
    to_id: int
    comments: str
    by_time: bool = False
    again: bool = False
    for_id: int | None = None

    @property
    def on_behalf_of_id(self) -> int | None:
        return self.for_id


@dataclass(frozen=True, kw_only=True)
class ApproverAdded(StepEvent):
    """An approver had one more person decide. `for_id` is the person a deputy acted for."""

    type: ClassVar[str] = "approval.approver_added"
    to_id: int
    comments: str
    for_id: int | None = None

    @property
    def on_behalf_of_id(self) -> int | None:
        return self.for_id


@dataclass(frozen=True, kw_only=True)
class ApprovalRerouted(StepEvent):
    """The approver can not decide any more, so somebody else was asked."""

    type: ClassVar[str] = "approval.rerouted"
    to_id: int
    comments: str


@dataclass(frozen=True, kw_only=True)
class ApprovalReminded(StepEvent):
    """Somebody who has not answered was reminded; `due_at` in UTC."""

    type: ClassVar[str] = "approval.reminded"
    due_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class ApprovalSeen(StepEvent):
    """Somebody who is asked opened the request for the first time; `for_id` when it was their deputy."""

    type: ClassVar[str] = "approval.seen"
    for_id: int | None = None

    @property
    def on_behalf_of_id(self) -> int | None:
        return self.for_id


@dataclass(frozen=True, kw_only=True)
class StageReopened(ApprovalEvent):
    """What a stage judged has changed: its answers do not count any more and it is asked anew."""

    type: ClassVar[str] = "approval.reopened"
    stage_name: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class StageDropped(ApprovalEvent):
    """After a change of what is judged, a stage does not apply any more."""

    type: ClassVar[str] = "approval.dropped"
    stage_name: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class DecisionSigned(ApprovalEvent):
    """A decision was signed with a passkey, `together` with so many; `record_sha256` is the hash of what is kept of it.

    `step_id` is None for what ended the workflow past its approvers; `for_id` is whom the signer stood in for.
    """

    type: ClassVar[str] = "approval.signed"
    step_id: int | None
    decision: str
    together: int
    record_sha256: str
    for_id: int | None

    @property
    def on_behalf_of_id(self) -> int | None:
        return self.for_id


@dataclass(frozen=True, kw_only=True)
class ApprovalOverridden(ApprovalEvent):
    """Somebody who was not asked ended the workflow by their own word, with the right to."""

    type: ClassVar[str] = "approval.overridden"
    status: str
    comments: str


@dataclass(frozen=True, kw_only=True)
class ApprovalCancelled(ApprovalEvent):
    """The workflow ended without a decision: the request was withdrawn, or is judged anew."""

    type: ClassVar[str] = "approval.cancelled"
    reason: str


@dataclass(frozen=True, kw_only=True)
class ApprovalDecided(ApprovalEvent):
    """The workflow came to its end: `status` is `APPROVED` or `REJECTED`, `comments` the deciding words."""

    type: ClassVar[str] = "approval.decided"
    status: str
    comments: str


@dataclass(frozen=True, kw_only=True)
class DefinitionEvent(Event):
    """About a workflow definition."""

    object_type: ClassVar[str] = "approval_workflow"
    definition_id: int
    definition_version: int
    name: str

    @property
    def object_id(self) -> int:
        return self.definition_id


@dataclass(frozen=True, kw_only=True)
class DefinitionCreated(DefinitionEvent):
    """A workflow was defined: published as its version 1, or begun as a draft (version 0)."""

    type: ClassVar[str] = "workflow.created"


@dataclass(frozen=True, kw_only=True)
class DefinitionPublished(DefinitionEvent):
    """A workflow got a new version; running ones keep theirs. `note` says why."""

    type: ClassVar[str] = "workflow.published"
    note: str


@dataclass(frozen=True, kw_only=True)
class DefinitionRestored(DefinitionEvent):
    """What an earlier version said is in force again, as a new version."""

    type: ClassVar[str] = "workflow.restored"
    restored_from: int
    note: str


@dataclass(frozen=True, kw_only=True)
class DefinitionActivated(DefinitionEvent):
    """From now on requests may be judged by this workflow."""

    type: ClassVar[str] = "workflow.activated"


@dataclass(frozen=True, kw_only=True)
class DefinitionDeactivated(DefinitionEvent):
    """New requests are not judged by this workflow any more; running ones go on."""

    type: ClassVar[str] = "workflow.deactivated"


@dataclass(frozen=True, kw_only=True)
class DraftDiscarded(DefinitionEvent):
    """What was being written was thrown away; with version 0 the workflow is gone with it."""

    type: ClassVar[str] = "workflow.draft_discarded"


@dataclass(frozen=True, kw_only=True)
class DefinitionChanged(DefinitionEvent):
    """As `DefinitionPublished`; recorded before drafts there were."""

    type: ClassVar[str] = "workflow.updated"
