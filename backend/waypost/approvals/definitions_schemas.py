"""What crosses HTTP about workflow definitions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field

from waypost.kernel.shapes import PersonRef, Remark, Strict, Version, nfc

CONDITION = {"all": [{"field": "ticket_type", "op": "eq", "value": "IT_HARDWARE"}]}
STAGE = {
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
DOCUMENT = {"name": "Purchases by amount", "condition": CONDITION, "stages": [STAGE], "one_by_one_above": "5000.00"}
FILE = {"format": "waypost.workflow", "format_version": 1, "workflow": DOCUMENT}

Condition = Annotated[dict[str, Any] | None, AfterValidator(nfc), Field(examples=[CONDITION])]
Document = Annotated[
    dict[str, Any], AfterValidator(nfc), Field(description="A workflow, finished or not.", examples=[DOCUMENT])
]
OneByOneAbove = Annotated[
    str | None,
    Field(
        max_length=20,
        examples=["5000.00"],
        description="What is worth more, in the company's currency, is decided one by one; null stands for 5000.",
    ),
]
Note = Annotated[Remark, Field(max_length=500, examples=["Finance decides from 4,000 on"])]
SeenDraft = Annotated[
    int, Field(ge=0, le=2**31 - 1, strict=True, examples=[3], description="The draft's version you read; 0 at first.")
]


class DefinitionBody(Strict):
    """A workflow: for which tickets (`condition`), and its stages in order."""

    name: Annotated[str, Field(min_length=1, max_length=100, examples=["Purchases by amount"])]
    condition: Condition = None
    stages: Annotated[list[dict[str, Any]], AfterValidator(nfc), Field(max_length=20, examples=[[STAGE]])]
    one_by_one_above: OneByOneAbove = None

    def document(self) -> dict[str, Any]:
        """What is kept of it."""
        return self.model_dump(include={"name", "condition", "stages", "one_by_one_above"})


class DefinitionWrite(DefinitionBody):
    """With `publish` false only a draft is kept: it may be unfinished, and judges nothing."""

    publish: Annotated[bool, Field(strict=True, examples=[True])] = True


class DefinitionUpdate(DefinitionBody):
    version: Version
    note: Note = ""


class DefinitionRead(BaseModel):
    id: int
    version: Annotated[int, Field(examples=[2], description="0: never published.")]
    is_active: bool
    has_draft: Annotated[bool, Field(examples=[False])]
    name: str
    condition: Condition
    stages: Annotated[list[dict[str, Any]], Field(examples=[[STAGE]])]
    one_by_one_above: OneByOneAbove
    updated_at: str


class DefinitionPage(BaseModel):
    items: list[DefinitionRead]
    next_cursor: str | None


class DocumentProblem(BaseModel):
    """Something wrong with a workflow. An error keeps it from being published."""

    pointer: Annotated[str, Field(examples=["/stages/0/approvers/0/user_id"])]
    level: Literal["error", "warning"]
    code: Annotated[str, Field(description="Stable; what a program should look at.", examples=["unknown_person"])]
    message: Annotated[str, Field(examples=["does not exist, or is not active"])]


class Draft(BaseModel):
    """What is being written; where nothing is (`is_kept` false), what is in force."""

    document: Document
    draft_version: SeenDraft
    is_kept: Annotated[bool, Field(examples=[True])]
    based_on: Annotated[int, Field(examples=[2], description="The published version it was begun from.")]
    saved_at: Annotated[str | None, Field(examples=["2026-11-23T09:30:00Z"])]
    saved_by: PersonRef | None
    problems: list[DocumentProblem]


class DraftWrite(Strict):
    document: Document
    draft_version: SeenDraft


class CheckBody(Strict):
    document: Document
    workflow_id: Annotated[
        int | None,
        Field(ge=1, le=2**62, strict=True, examples=[1], description="The workflow it is a next version of."),
    ] = None


class ImportBody(Strict):
    """A workflow's file. With `dry_run` nothing is kept; without `publish` it is kept as a draft."""

    file: Annotated[dict[str, Any], AfterValidator(nfc), Field(description="What `…/export` gave.", examples=[FILE])]
    dry_run: Annotated[bool, Field(strict=True, examples=[True])] = True
    publish: Annotated[bool, Field(strict=True, examples=[False])] = False
    replace_draft: Annotated[bool, Field(strict=True, examples=[False])] = False


class Checked(BaseModel):
    problems: list[DocumentProblem]


class PublishBody(Strict):
    draft_version: SeenDraft
    note: Note = ""


class RestoreBody(Strict):
    version: Version
    note: Note = ""


class ActiveBody(Strict):
    is_active: Annotated[bool, Field(strict=True, examples=[True])]
    version: Version


class VersionRead(BaseModel):
    """A version, and who published it why."""

    version: Annotated[int, Field(examples=[2])]
    note: Annotated[str, Field(examples=["Finance decides from 4,000 on"])]
    restored_from: Annotated[int | None, Field(examples=[None])]
    published_by: PersonRef | None
    published_at: Annotated[str, Field(examples=["2026-11-23T09:30:00Z"])]


class VersionDocument(VersionRead):
    document: Document


class VersionPage(BaseModel):
    items: list[VersionRead]
    next_cursor: str | None


class DocumentChange(BaseModel):
    """One difference in words. What was removed is at the place where it stood."""

    pointer: Annotated[str, Field(examples=["/stages/1/quorum"])]
    kind: Literal["added", "removed", "changed", "moved"]
    what: Annotated[str, Field(examples=["Stage “Finance Committee”: who must say yes"])]
    before: Annotated[str | None, Field(examples=["2 of them"])]
    after: Annotated[str | None, Field(examples=["everybody"])]


class Comparison(BaseModel):
    changes: list[DocumentChange]


class WorkflowFile(BaseModel):
    """A workflow with names instead of ids, for another installation or for keeping."""

    format: Literal["waypost.workflow"]
    format_version: Literal[1]
    workflow: Document


class Imported(BaseModel):
    """What a file creates or changes. A workflow of the same name is changed."""

    action: Literal["create", "change", "none"]
    is_kept: Annotated[bool, Field(examples=[False])]
    workflow_id: Annotated[int | None, Field(examples=[1])]
    name: Annotated[str | None, Field(examples=["Purchases by amount"])]
    has_draft: Annotated[bool, Field(description="Somebody was writing on it already.", examples=[False])]
    changes: list[DocumentChange]
    problems: list[DocumentProblem]
