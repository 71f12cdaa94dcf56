"""What crosses HTTP about approvals."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from waypost.approvals.queue_schemas import Change
from waypost.kernel.ids import Id
from waypost.kernel.shapes import PersonRef, Remark, Strict, Version

ActionWord = Literal["APPROVE", "REJECT", "REQUEST_INFO", "DELEGATE", "ESCALATE"]
SeenVersion = Annotated[
    int | None,
    Field(
        ge=1,
        le=2**31 - 1,
        strict=True,
        examples=[1],
        description="The `version` one looked at: when the request reads differently by now, 412 and nothing is decided.",
    ),
]
Words = Annotated[Remark | None, Field(max_length=10_000, examples=["Fits the budget."])]
_STAGE = {
    "name": "Manager",
    "condition": {"all": [{"field": "amount", "op": "lt", "value": "1000"}]},
    "approvers": [{"kind": "REQUESTER_MANAGER"}],
    "mode": "PARALLEL",
    "quorum": "ALL",
    "due_in_minutes": 2880,
    "escalation": {
        "remind_before_minutes": [1440, 0],
        "after_minutes": 1440,
        "to": {"kind": "NEXT_MANAGER"},
        "repeat": 3,
        "finally": "ADMINISTRATORS",
    },
    "fallback": [{"kind": "DEPARTMENT_HEAD"}],
    "judges": ["amount"],
}
OneByOneAbove = Annotated[
    str | None,
    Field(
        max_length=20,
        examples=["5000.00"],
        description="What is worth more, in the company's currency, is decided one by one; null stands for 5000.",
    ),
]
_CONDITION = {"all": [{"field": "ticket_type", "op": "eq", "value": "IT_HARDWARE"}]}


class StepAction(Strict):
    """An answer to a step (specification, Approval Action). `action` may be left out: the path says it."""

    action: ActionWord | None = None
    comments: Words = None
    delegate_to: Annotated[Id | None, Field(examples=[None])] = None
    version: SeenVersion = None


class BulkAction(Strict):
    """The same answer to many steps, each decided on its own."""

    step_ids: Annotated[list[Id], Field(min_length=1, max_length=200, examples=[[11, 12]])]
    action: Annotated[Literal["APPROVE", "REJECT"], Field(examples=["APPROVE"])]
    comments: Words = None
    versions: Annotated[
        dict[str, Annotated[int, Field(ge=1, le=2**31 - 1)]] | None,
        Field(max_length=200, examples=[{"11": 1}], description="The `version` one looked at, by step."),
    ] = None


class StepRead(BaseModel):
    id: int
    step_order: int
    approver: PersonRef | None
    on_behalf_of: PersonRef | None
    status: Annotated[str, Field(examples=["PENDING"])]
    requested_at: str | None
    due_at: str | None
    decided_at: str | None
    decided_by: PersonRef | None
    comments: str
    reason: str
    is_outdated: Annotated[bool, Field(description="The request was changed after this decision.")]
    allowed_actions: list[str]


class StageRead(BaseModel):
    name: str
    order: int
    mode: Annotated[str, Field(examples=["PARALLEL"])]
    quorum: Annotated[str | int, Field(examples=["ALL"])]
    needed: int
    status: Annotated[str, Field(examples=["OPEN"])]
    reason: str
    steps: list[StepRead]


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
    stages: list[StageRead]


class WorkflowsAnswer(BaseModel):
    items: list[WorkflowRead]


class WorkflowRef(BaseModel):
    id: int
    status: Annotated[str, Field(examples=["APPROVED"])]


class DecisionAnswer(BaseModel):
    """The step as decided, and what became of the workflow."""

    step: StepRead
    workflow: WorkflowRef


class BulkError(BaseModel):
    code: Annotated[str, Field(examples=["one_by_one"])]
    detail: str
    changes: Annotated[list[Change], Field(description="What reads differently than in the version that was named.")]


class BulkResult(BaseModel):
    step_id: int
    ok: bool
    error: BulkError | None


class BulkAnswer(BaseModel):
    results: list[BulkResult]


class DefinitionWrite(Strict):
    """A workflow: for which tickets (`condition`), and its stages in order."""

    name: Annotated[str, Field(min_length=1, max_length=100, examples=["Purchases by amount"])]
    condition: Annotated[dict[str, Any] | None, Field(examples=[_CONDITION])] = None
    stages: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=20, examples=[[_STAGE]])]
    one_by_one_above: OneByOneAbove = None


class DefinitionUpdate(DefinitionWrite):
    version: Version


class DefinitionRead(BaseModel):
    id: int
    version: int
    is_active: bool
    name: str
    condition: Annotated[dict[str, Any] | None, Field(examples=[_CONDITION])]
    stages: Annotated[list[dict[str, Any]], Field(examples=[[_STAGE]])]
    one_by_one_above: OneByOneAbove
    updated_at: str


class DefinitionPage(BaseModel):
    items: list[DefinitionRead]
    next_cursor: str | None
