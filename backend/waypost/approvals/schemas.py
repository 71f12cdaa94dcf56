"""What crosses HTTP about approvals."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from waypost.approvals.queue_schemas import SeenVersion, SubjectChange, WorkflowRef
from waypost.approvals.review_schemas import ReviewBrief
from waypost.approvals.signing_schemas import GivenSignature, SignatureRead
from waypost.kernel.ids import Id
from waypost.kernel.shapes import PersonRef, Remark, Strict

ActionWord = Literal["APPROVE", "REJECT", "REQUEST_INFO", "DELEGATE", "ESCALATE"]
Words = Annotated[Remark | None, Field(max_length=10_000, examples=["Fits the budget."])]


class StepAction(Strict):
    """An answer to a step (specification, Approval Action). `action` may be left out: the path says it."""

    action: ActionWord | None = None
    comments: Words = None
    delegate_to: Annotated[Id | None, Field(examples=[None])] = None
    version: SeenVersion = None
    signature: GivenSignature = None


class Addition(Strict):
    """One more person who decides."""

    approver_id: Annotated[Id, Field(examples=[8])]
    comments: Words = None
    version: SeenVersion = None
    signature: GivenSignature = None


class Override(Strict):
    """A decision of somebody who was not asked, with the right to."""

    action: Annotated[Literal["APPROVE", "REJECT"], Field(examples=["APPROVE"])]
    comments: Annotated[Remark, Field(max_length=10_000, examples=["The whole committee is at the off-site."])]
    version: SeenVersion = None
    signature: GivenSignature = None


class BulkAction(Strict):
    """The same answer to many steps, each decided on its own."""

    step_ids: Annotated[list[Id], Field(min_length=1, max_length=200, examples=[[11, 12]])]
    action: Annotated[Literal["APPROVE", "REJECT"], Field(examples=["APPROVE"])]
    comments: Words = None
    versions: Annotated[
        dict[str, Annotated[int, Field(ge=1, le=2**31 - 1)]] | None,
        Field(max_length=200, examples=[{"11": 1}], description="The `version` one looked at, by step."),
    ] = None
    signature: GivenSignature = None


NextWord = Annotated[
    Literal["REMIND", "ASK_FURTHER", "ASK_ADMINISTRATORS", "REJECT"],
    Field(examples=["REMIND"], description="Nothing is ever approved by time."),
]


ConfirmedBy = Annotated[
    str | None,
    Field(
        examples=["password+totp"],
        description="With what who decided confirmed that it is them; none where that was not asked for.",
    ),
]


class QuestionRead(BaseModel):
    """What an approver asked the requester, and the answer; one that lapsed has none."""

    question: Annotated[str, Field(examples=["Which model?"])]
    asked_at: str
    answer: Annotated[str | None, Field(examples=["The light one"])]
    answered_at: Annotated[str | None, Field(description="When it was answered, or decided without an answer.")]
    answered_by: PersonRef | None


class NextRead(BaseModel):
    """What happens by itself while nobody answers, and when."""

    at: str
    what: NextWord


class AheadRead(BaseModel):
    """One thing that happens by itself if nobody answers."""

    at: Annotated[str, Field(examples=["2026-11-25T09:30:00Z"])]
    what: NextWord
    stage_name: Annotated[str, Field(examples=["Finance Committee"])]
    late: Annotated[list[PersonRef], Field(description="Who has not answered by then.")]
    people: Annotated[list[PersonRef], Field(description="Who is reminded, or asked as well then.")]


class StepRead(BaseModel):
    id: int
    step_order: int
    approver: PersonRef | None
    on_behalf_of: PersonRef | None
    status: Annotated[str, Field(examples=["PENDING"])]
    seat: Annotated[int, Field(examples=[1], description="Steps of one seat share one answer: the first counts.")]
    reminders: Annotated[int, Field(examples=[0], description="How many reminders are behind.")]
    is_late_substitute: Annotated[bool, Field(description="Asked beside somebody who did not answer in time.")]
    requested_at: str | None
    seen_at: Annotated[str | None, Field(description="When somebody who may decide it first opened it.")]
    due_at: str | None
    next: NextRead | None
    away_until: Annotated[str | None, Field(description="Who is asked is away now, and until when.")]
    deputy: Annotated[PersonRef | None, Field(description="Who may decide in their place now.")]
    decided_at: str | None
    decided_by: PersonRef | None
    comments: str
    reason: str
    confirmed_by: ConfirmedBy
    signature: SignatureRead | None
    questions: list[QuestionRead]
    is_outdated: Annotated[bool, Field(description="The request was changed after this decision.")]
    allowed_actions: list[str]


class StageRead(BaseModel):
    name: str
    order: int
    mode: Annotated[str, Field(examples=["PARALLEL"])]
    quorum: Annotated[str | int, Field(examples=["ALL"], description="`ALL`, `ANY`, `FIRST`, or how many.")]
    needed: Annotated[int, Field(examples=[2], description="How many seats must say yes.")]
    seats: Annotated[int, Field(examples=[3], description="How many answers there can be, whoever gives them.")]
    approved: Annotated[int, Field(examples=[1], description="How many seats have said yes.")]
    first_answer_counts: Annotated[bool, Field(examples=[False], description="One answer ends it, yes or no.")]
    status: Annotated[str, Field(examples=["OPEN"])]
    reason: str
    steps: list[StepRead]


class OverrideRead(BaseModel):
    """Who ended it without the approvers' word, and why. In an emergency the glass was broken: it is reviewed."""

    by: PersonRef
    reason: Annotated[str, Field(examples=["The whole committee is at the off-site."])]
    review: ReviewBrief | None
    confirmed_by: ConfirmedBy
    signature: SignatureRead | None


class WorkflowRead(BaseModel):
    """One round of judging a ticket."""

    id: int
    workflow_name: str
    reason: str
    status: Annotated[str, Field(examples=["RUNNING"])]
    round: int
    started_at: str
    ended_at: str | None
    version: Annotated[int, Field(examples=[1], description="Grows with every edit while it is judged.")]
    step_up: Annotated[bool, Field(description="Approving asks for a confirmation that it is the person signed in.")]
    override: OverrideRead | None
    may_override: Annotated[bool, Field(description="Whether the caller may end it without its approvers' word.")]
    may_break_glass: Annotated[
        bool, Field(description="Whether the caller may approve this emergency at once without being asked.")
    ]
    is_emergency: Annotated[bool, Field(description="Everybody is asked at once, and the first answer counts.")]
    ahead: Annotated[
        list[AheadRead],
        Field(description="What happens by itself if nobody answers, to the end; empty while nothing runs."),
    ]
    stages: list[StageRead]


class WorkflowsAnswer(BaseModel):
    items: list[WorkflowRead]


class DecisionAnswer(BaseModel):
    """The step as decided, and what became of the workflow."""

    step: StepRead
    workflow: WorkflowRef


class OverrideAnswer(BaseModel):
    """What became of the workflow."""

    workflow: WorkflowRef


class BulkError(BaseModel):
    code: Annotated[str, Field(examples=["one_by_one"])]
    detail: str
    changes: Annotated[
        list[SubjectChange], Field(description="What reads differently than in the version that was named.")
    ]


class BulkResult(BaseModel):
    step_id: int
    ok: bool
    error: BulkError | None


class BulkAnswer(BaseModel):
    results: list[BulkResult]
