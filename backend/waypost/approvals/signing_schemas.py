"""What crosses HTTP about signing decisions."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, model_validator

from waypost.access.passkey_schemas import Credential
from waypost.approvals.queue_schemas import SeenVersion
from waypost.kernel.ids import Id
from waypost.kernel.shapes import Remark, Strict

Decision = Literal[
    "APPROVE", "REJECT", "DELEGATE", "ADD_APPROVER", "OVERRIDE_APPROVE", "OVERRIDE_REJECT", "BREAK_GLASS"
]


GivenSignature = Annotated[
    Credential | None,
    Field(description="What one's passkey signed of exactly this decision (`POST /approvals/signing`)."),
]


class Signing(Strict):
    """What one is about to decide: an answer to steps, or the end of a workflow past its approvers (`workflow_id`).

    Everything must be as it is sent afterwards with the decision: else the signature is of something else.
    """

    decision: Annotated[Decision, Field(examples=["APPROVE"])]
    step_ids: Annotated[list[Id], Field(max_length=200, examples=[[11]])] = []
    workflow_id: Annotated[Id | None, Field(examples=[None])] = None
    versions: Annotated[
        dict[str, Annotated[int, Field(ge=1, le=2**31 - 1)]] | None,
        Field(max_length=200, examples=[{"11": 1}], description="The `version` one looked at, by step."),
    ] = None
    version: SeenVersion = None
    comments: Annotated[Remark | None, Field(max_length=10_000, examples=["Fits the budget."])] = None
    to_id: Annotated[
        Id | None, Field(examples=[None], description="To whom it is handed on, or who decides as well.")
    ] = None

    @model_validator(mode="after")
    def _is_about_steps_or_a_workflow(self) -> Self:
        is_past = self.decision in ("OVERRIDE_APPROVE", "OVERRIDE_REJECT", "BREAK_GLASS")
        if is_past != (self.workflow_id is not None) or is_past == bool(self.step_ids):
            raise ValueError("name the steps that are answered, or the workflow that is ended past its approvers")
        return self


class StatementRead(BaseModel):
    """One decision that is signed: in words, and the very text whose SHA-256 the device signs."""

    step_id: Annotated[int | None, Field(examples=[11])]
    workflow_id: Annotated[int, Field(examples=[7])]
    ticket_number: Annotated[str | None, Field(examples=["WP-1042"])]
    title: Annotated[str | None, Field(examples=["Ten screens"])]
    amount: Annotated[str | None, Field(examples=["2000.00"])]
    currency: Annotated[str | None, Field(examples=["USD"])]
    version: Annotated[int, Field(examples=[1])]
    text: Annotated[str, Field(examples=['{"amount":"2000.00","approver":4,"…":"…"}'])]


class SigningAnswer(BaseModel):
    """What is signed, and what the browser needs for it (`parseRequestOptionsFromJSON`)."""

    statements: list[StatementRead]
    options: Annotated[dict[str, Any], Field(examples=[{"challenge": "q83v…", "rpId": "waypost.example.com"}])]


class SignatureRead(BaseModel):
    """A passkey's signature that is kept beside a decision, and whether it still stands for it."""

    decision: Annotated[str, Field(examples=["APPROVE"])]
    passkey: Annotated[
        str,
        Field(
            examples=["YubiKey"],
            description="What its owner called it, for them and for who may read the trail; else, and once erased, empty.",
        ),
    ]
    at: Annotated[str, Field(examples=["2026-11-26T09:30:00Z"])]
    is_right: Annotated[bool, Field(examples=[True])]
    why: Annotated[str | None, Field(examples=[None], description="What is wrong with it.")]
    together: Annotated[int, Field(examples=[1], description="How many decisions were signed with it at once.")]
