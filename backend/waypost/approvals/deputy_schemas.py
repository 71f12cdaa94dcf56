"""What crosses HTTP about standing delegations."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field

from waypost.kernel.ids import Id
from waypost.kernel.shapes import Instant, Money, PersonRef, Remark, Strict, Version, nfc

_CONDITION = {"all": [{"field": "ticket_type", "op": "eq", "value": "IT_HARDWARE"}]}
ScopeCondition = Annotated[
    dict[str, Any] | None,
    AfterValidator(nfc),
    Field(examples=[_CONDITION], description="What it covers, in the condition language; null: everything."),
]
Ceiling = Annotated[
    Money | None,
    Field(examples=["5000.00"], description="In the company's currency. What has no amount is below it."),
]
IncludeWaiting = Annotated[
    bool, Field(strict=True, description="Whether it covers what waits already, or only what is asked from then on.")
]


class DelegationTerms(Strict):
    """Who decides, when (the end not included), and what. A beginning in the past is now."""

    delegate_id: Annotated[Id, Field(examples=[4])]
    starts_at: Instant
    ends_at: Annotated[Instant, Field(examples=["2030-01-19T00:00:00Z"])]
    reason: Annotated[Remark, Field(max_length=500, examples=["On holiday"])] = ""
    condition: ScopeCondition = None
    amount_up_to: Ceiling = None
    include_waiting: IncludeWaiting = True


class DelegationCreate(DelegationTerms):
    delegator_id: Annotated[
        Id | None, Field(examples=[None], description="For whom; for somebody else with a permission of its own.")
    ] = None


class DelegationUpdate(DelegationTerms):
    version: Version


class DelegationRead(BaseModel):
    """A standing delegation. `reason` only for the delegator and those who may change it."""

    id: Annotated[int, Field(examples=[7])]
    delegator: PersonRef | None
    delegate: PersonRef | None
    starts_at: Annotated[str, Field(examples=["2030-01-15T00:00:00Z"])]
    ends_at: Annotated[str, Field(examples=["2030-01-19T00:00:00Z"])]
    ended_at: Annotated[str | None, Field(description="When it was ended before its time.", examples=[None])]
    status: Annotated[Literal["PLANNED", "OPEN", "OVER", "CANCELLED"], Field(examples=["OPEN"])]
    reason: str | None
    condition: ScopeCondition
    condition_text: Annotated[str | None, Field(examples=["type is IT_HARDWARE"])]
    amount_up_to: Annotated[str | None, Field(examples=["5000.00"])]
    include_waiting: bool
    is_with_absence: Annotated[bool, Field(description="Made together with an absence, and ends with it.")]
    made_by: Annotated[PersonRef | None, Field(description="Who made it, when that was somebody else.")]
    version: int
    allowed_actions: Annotated[list[str], Field(examples=[["edit", "delete"]])]


class DelegationPage(BaseModel):
    items: list[DelegationRead]
    next_cursor: str | None


class StandIn(BaseModel):
    """Somebody who stands in for another now. `is_limited`: not for everything."""

    person: PersonRef | None
    until: Annotated[str, Field(examples=["2030-01-19T00:00:00Z"])]
    is_limited: bool
    is_through_others: Annotated[bool, Field(description="By way of somebody who is away as well.")]
    delegation_id: Annotated[int, Field(description="The first of the delegations it comes from.")]


class StandingNow(BaseModel):
    for_others: Annotated[list[StandIn], Field(description="For whom the caller stands in.")]
    for_me: Annotated[list[StandIn], Field(description="Who stands in for the caller.")]


class DelegationPreview(Strict):
    delegator_id: Annotated[Id | None, Field(examples=[None])] = None
    condition: ScopeCondition = None
    amount_up_to: Ceiling = None


class PreviewItem(BaseModel):
    step_id: int
    ticket_id: int
    ticket_number: Annotated[str, Field(examples=["ITH-2026-000123"])]
    title: str
    amount: str | None
    currency: str | None
    is_covered: bool


class PreviewAnswer(BaseModel):
    """What waits now; at most 100 are looked at. `items` only for the caller's own."""

    waiting: int
    covered: int
    has_more: bool
    items: list[PreviewItem]


class Deputy(Strict):
    """Who decides while somebody is away."""

    delegate_id: Annotated[Id, Field(examples=[4])]
    condition: ScopeCondition = None
    amount_up_to: Ceiling = None
    include_waiting: IncludeWaiting = True


class AwayCreate(Strict):
    """An absence, and who decides meanwhile. Without `user_id` it is one's own."""

    user_id: Annotated[Id | None, Field(examples=[None])] = None
    starts_at: Instant
    ends_at: Annotated[Instant, Field(description="Not included.", examples=["2030-01-29T00:00:00Z"])]
    reason: Annotated[Remark, Field(max_length=200, examples=["Parental leave"])] = ""
    deputy: Deputy | None = None


class AwayRead(BaseModel):
    absence_id: Annotated[int, Field(examples=[12])]
    delegation: DelegationRead | None
