"""What crosses HTTP about routing rules."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from waypost.kernel.ids import Id
from waypost.kernel.shapes import Line, NamedRef, PersonRef, Remark, Strict
from waypost.tickets.schemas import PriorityWord, StatusWord

WayWord = Literal["PERSON", "ROUND_ROBIN", "LEAST_LOADED", "NOBODY"]
Version = Annotated[int, Field(ge=0, le=2**31 - 1, strict=True, examples=[3])]
MOST_RULES = 200


class RuleBody(Strict):
    """One rule. What is null it leaves to the rules below; `stops` ends the search when it holds."""

    key: Annotated[
        str | None,
        Field(pattern=r"^[a-z0-9-]{1,36}$", description="Given by us; null for a new one.", examples=["b7c1d2e3f4a5"]),
    ] = None
    name: Annotated[Line, Field(max_length=100, examples=["Large marketing requests"])]
    condition: Annotated[
        dict[str, Any] | None,
        Field(
            description="A condition over `GET /ticket-fields?use=routing`; null holds always.",
            examples=[{"all": [{"field": "amount", "op": "gte", "value": "1000"}]}],
        ),
    ] = None
    team_id: Annotated[Id | None, Field(examples=[1])] = None
    priority: PriorityWord | None = None
    assign: Annotated[WayWord | None, Field(examples=["ROUND_ROBIN"])] = None
    assignee_id: Annotated[Id | None, Field(description="For `PERSON`.", examples=[None])] = None
    stops: Annotated[bool, Field(strict=True, examples=[True])] = True
    is_active: Annotated[bool, Field(strict=True, examples=[True])] = True


Rules = Annotated[list[RuleBody], Field(max_length=MOST_RULES)]


class RulesPublish(Strict):
    """All rules, in their order, instead of those of the version one read."""

    version: Version
    rules: Rules
    note: Annotated[Remark, Field(max_length=500, examples=["Marketing's hardware goes to its own people"])] = ""


class RulesRestore(Strict):
    """`instead_of` is the version one read."""

    instead_of: Version


class RulesDraft(Strict):
    rules: Rules


class RuleRead(BaseModel):
    """A rule as it was published; `broken` says what it names and is not there any more."""

    key: Annotated[str, Field(examples=["b7c1d2e3f4a5"])]
    name: Annotated[str, Field(examples=["Large marketing requests"])]
    condition: Annotated[
        dict[str, Any] | None, Field(examples=[{"all": [{"field": "amount", "op": "gte", "value": "1000"}]}])
    ]
    team_id: Annotated[int | None, Field(examples=[1])]
    priority: PriorityWord | None
    assign: Annotated[WayWord | None, Field(examples=["ROUND_ROBIN"])]
    assignee_id: Annotated[int | None, Field(examples=[None])]
    stops: Annotated[bool, Field(examples=[True])]
    is_active: Annotated[bool, Field(examples=[True])]
    broken: Annotated[str | None, Field(examples=[None])]
    unreachable: Annotated[str | None, Field(description="Why it can never take effect.", examples=[None])]


class RulesRead(BaseModel):
    """The routing rules of a version; 0 is the empty set before any was published."""

    version: Annotated[int, Field(examples=[3])]
    rules: list[RuleRead]
    note: Annotated[str, Field(examples=["Marketing's hardware goes to its own people"])]
    published_by: PersonRef | None
    published_at: datetime | None


class RuleFieldChange(BaseModel):
    field: Annotated[str, Field(examples=["priority"])]
    old: Any
    new: Any


class RuleChange(BaseModel):
    kind: Literal["added", "removed", "changed", "moved"]
    name: Annotated[str, Field(examples=["Large marketing requests"])]
    fields: list[RuleFieldChange]


class RulesVersion(BaseModel):
    """A version, and what it changed of the one before."""

    version: Annotated[int, Field(examples=[3])]
    note: Annotated[str, Field(examples=["Marketing's hardware goes to its own people"])]
    restored_from: Annotated[int | None, Field(examples=[None])]
    published_by: PersonRef | None
    published_at: datetime
    changes: list[RuleChange]


class RulesVersionPage(BaseModel):
    items: list[RulesVersion]
    next_cursor: str | None


class RehearsedRule(BaseModel):
    """How often a rule held among the tickets looked at, and how often something of it took effect."""

    key: Annotated[str, Field(examples=["b7c1d2e3f4a5"])]
    name: Annotated[str, Field(examples=["Large marketing requests"])]
    held: Annotated[int, Field(examples=[41])]
    took_effect: Annotated[int, Field(examples=[41])]
    skipped: Annotated[int, Field(examples=[0])]
    unreachable: Annotated[str | None, Field(examples=[None])]
    broken: Annotated[str | None, Field(examples=[None])]


class RehearsedTicket(BaseModel):
    id: Annotated[int, Field(examples=[42])]
    ticket_number: Annotated[str, Field(examples=["ITH-2026-000123"])]
    title: Annotated[str, Field(examples=["New laptop request"])]
    status: StatusWord


class RehearsedState(BaseModel):
    team: NamedRef | None
    priority: PriorityWord
    way: WayWord | None


class SkippedRule(BaseModel):
    rule: Annotated[str, Field(examples=["To Amir"])]
    reason: Annotated[str, Field(examples=["the person it names is not active any more"])]


class RehearsedItem(BaseModel):
    """What the rules would have done with a ticket."""

    ticket: RehearsedTicket
    rules: Annotated[list[str], Field(examples=[["Large marketing requests"]])]
    skipped: list[SkippedRule]
    differs: list[Literal["team", "priority", "way"]]
    now: RehearsedState
    then: RehearsedState


class Rehearsal(BaseModel):
    """`items` are the tickets of which the rules say something, or which would be different; newest first."""

    looked_at: Annotated[int, Field(examples=[500])]
    routed: Annotated[int, Field(examples=[41])]
    different: Annotated[int, Field(examples=[12])]
    rules: list[RehearsedRule]
    items: list[RehearsedItem]
