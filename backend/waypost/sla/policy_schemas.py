"""What crosses HTTP about service level policies."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from waypost.kernel.ids import Id
from waypost.kernel.shapes import Fields, Line, NamedRef, PersonRef, Remark, Strict, Version

PriorityWord = Literal["LOW", "MEDIUM", "HIGH", "CRITICAL"]
MetricWord = Literal["FIRST_RESPONSE", "NEXT_UPDATE", "RESOLUTION", "OWN_TIME"]
TargetedWord = Literal["FIRST_RESPONSE", "NEXT_UPDATE", "RESOLUTION"]
PausedWord = Literal["PENDING_INFO", "APPROVED", "IN_PROGRESS"]
DoWord = Literal["TELL_ASSIGNEE", "TELL_LEADS", "TELL_PERSON", "TELL_MANAGER", "RAISE_PRIORITY", "HAND_TO_TEAM"]


class TargetWish(Strict):
    """By when. A day is up to its end (END_OF_DAY), or 24 hours of working time (BLOCKS)."""

    amount: Annotated[int, Field(strict=True, ge=1, le=86_400, examples=[4])]
    unit: Annotated[Literal["MINUTES", "HOURS", "DAYS"], Field(examples=["HOURS"])]
    days: Annotated[Literal["END_OF_DAY", "BLOCKS"] | None, Field(examples=[None])] = None


ByPriority = dict[PriorityWord, TargetWish | None]


class OwnTimeWish(Strict):
    """What a team gives itself: how long a request may be with it."""

    team_id: Annotated[Id, Field(examples=[1])]
    targets: ByPriority


class ActionWish(Strict):
    """What is done when a clock warns or is late. No `metrics` are all of them; no `percent` each warning."""

    on: Annotated[Literal["WARNING", "BREACH"], Field(examples=["BREACH"])]
    do: Annotated[DoWord, Field(examples=["TELL_LEADS"])]
    metrics: Annotated[list[MetricWord], Field(max_length=4, examples=[["RESOLUTION"]])] = []
    percent: Annotated[int | None, Field(strict=True, ge=1, le=99, examples=[None])] = None
    user_id: Annotated[Id | None, Field(examples=[None])] = None
    team_id: Annotated[Id | None, Field(examples=[None])] = None


class PolicyDocument(Strict):
    """What a policy says. `calendar_id` null is the default calendar; `condition` null is every request."""

    condition: Annotated[
        Fields | None,
        Field(
            description="A condition over `GET /ticket-fields?use=service_levels`; null holds always.",
            examples=[{"all": [{"field": "ticket_type", "op": "eq", "value": "IT_SUPPORT"}]}],
        ),
    ] = None
    calendar_id: Annotated[Id | None, Field(examples=[None])] = None
    targets: Annotated[
        dict[TargetedWord, ByPriority | None],
        Field(examples=[{"RESOLUTION": {"HIGH": {"amount": 8, "unit": "HOURS"}}}]),
    ] = {}
    own_time: Annotated[list[OwnTimeWish], Field(max_length=50)] = []
    paused: Annotated[list[PausedWord], Field(max_length=3, examples=[["PENDING_INFO"]])] = []
    counts_approval: Annotated[bool, Field(strict=True, description="Whether waiting for approval counts.")] = False
    reopening: Annotated[Literal["RESUME", "RESTART", "STAY"], Field(examples=["RESUME"])] = "RESUME"
    warnings: Annotated[
        list[Annotated[int, Field(strict=True, ge=1, le=99)]],
        Field(max_length=10, description="Percents of a target.", examples=[[50, 75]]),
    ] = []
    actions: Annotated[list[ActionWish], Field(max_length=50)] = []

    def document(self) -> dict[str, Any]:
        """The parts that are kept together."""
        return self.model_dump(include=set(PolicyDocument.model_fields))


class PolicyCreate(PolicyDocument):
    name: Annotated[Line, Field(max_length=100, examples=["IT support"])]
    is_active: Annotated[bool, Field(strict=True)] = True
    note: Annotated[Remark, Field(max_length=500, examples=["As agreed with the works council"])] = ""
    position: Annotated[int | None, Field(strict=True, ge=1, le=100, description="1 is asked first.")] = None


class PolicyUpdate(PolicyDocument):
    name: Annotated[Line, Field(max_length=100, examples=["IT support"])]
    is_active: Annotated[bool, Field(strict=True)] = True
    note: Annotated[Remark, Field(max_length=500, examples=["As agreed with the works council"])] = ""
    version: Version


class PolicyOrder(Strict):
    """The policies in the order they are to be asked, instead of the order one read."""

    order: Annotated[list[Id], Field(max_length=100, examples=[[2, 1]])]
    instead_of: Annotated[list[Id], Field(max_length=100, examples=[[1, 2]])]


class TargetRead(BaseModel):
    amount: Annotated[int, Field(examples=[4])]
    unit: Literal["MINUTES", "HOURS", "DAYS"]
    days: Literal["END_OF_DAY", "BLOCKS"] | None


class OwnTimeRead(BaseModel):
    team_id: Annotated[int, Field(examples=[1])]
    targets: dict[PriorityWord, TargetRead | None]


class ActionRead(BaseModel):
    on: Literal["WARNING", "BREACH"]
    do: DoWord
    metrics: list[MetricWord]
    percent: Annotated[int | None, Field(examples=[None])]
    user_id: Annotated[int | None, Field(examples=[None])]
    team_id: Annotated[int | None, Field(examples=[None])]


class Broken(BaseModel):
    """What a policy names and is not there any more."""

    pointer: Annotated[str, Field(examples=["/actions/0/user_id"])]
    message: Annotated[str, Field(examples=["is nobody's who is active"])]


class PolicyText(BaseModel):
    """What a policy says, in one version."""

    condition: Annotated[dict[str, Any] | None, Field(examples=[None])]
    calendar_id: Annotated[int | None, Field(examples=[None])]
    targets: dict[TargetedWord, dict[PriorityWord, TargetRead | None]]
    own_time: list[OwnTimeRead]
    paused: list[PausedWord]
    counts_approval: bool
    reopening: Literal["RESUME", "RESTART", "STAY"]
    warnings: Annotated[list[int], Field(examples=[[75]])]
    actions: list[ActionRead]


class PolicyRead(PolicyText):
    """A policy as it is now."""

    id: Annotated[int, Field(examples=[1])]
    name: Annotated[str, Field(examples=["IT support"])]
    position: Annotated[int, Field(examples=[1])]
    is_active: bool
    version: Annotated[int, Field(examples=[1])]
    updated_at: Annotated[str, Field(examples=["2026-11-26T09:30:00Z"])]
    calendar: NamedRef
    people: list[PersonRef]
    teams: list[NamedRef]
    broken: list[Broken]
    allowed_actions: list[Literal["update", "delete"]]


class PolicyList(BaseModel):
    items: list[PolicyRead]
    next_cursor: str | None
    allowed_actions: list[Literal["create", "order"]]


class PolicyVersion(BaseModel):
    version: Annotated[int, Field(examples=[3])]
    changed_at: Annotated[str, Field(examples=["2026-11-26T09:30:00Z"])]
    changed_by: PersonRef | None
    note: Annotated[str, Field(examples=["As agreed with the works council"])]
    name: Annotated[str, Field(examples=["IT support"])]
    changes: Annotated[list[str], Field(examples=[["targets", "warnings"]])]


class PolicyVersionRead(PolicyText):
    """A policy as it was in one version; `differs` are the parts that say something else now."""

    version: Annotated[int, Field(examples=[2])]
    changed_at: Annotated[str, Field(examples=["2026-11-26T09:30:00Z"])]
    note: Annotated[str, Field(examples=["As agreed with the works council"])]
    name: Annotated[str, Field(examples=["IT support"])]
    differs: Annotated[list[str], Field(examples=[["targets", "warnings"]])]


class PolicyVersionPage(BaseModel):
    items: list[PolicyVersion]
    next_cursor: str | None
