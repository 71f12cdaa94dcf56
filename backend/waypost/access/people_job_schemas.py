"""What crosses HTTP when many people are changed at once."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from waypost.access.role_schemas import Reason
from waypost.kernel.ids import Id
from waypost.kernel.shapes import Instant, PersonRef, Strict


class Deactivate(Strict):
    type: Literal["deactivate"]


class Reactivate(Strict):
    type: Literal["reactivate"]


class ToDepartment(Strict):
    type: Literal["department"]
    department_id: Annotated[Id | None, Field(examples=[2])]


class ToManager(Strict):
    type: Literal["manager"]
    manager_id: Annotated[Id | None, Field(examples=[3])]


class GiveRole(Strict):
    type: Literal["give_role"]
    role_id: Annotated[Id, Field(examples=[4])]
    expires_at: Annotated[Instant | None, Field(examples=["2030-09-01T00:00:00Z"])] = None
    reason: Reason = ""


class TakeRole(Strict):
    type: Literal["take_role"]
    role_id: Annotated[Id, Field(examples=[4])]


PeopleAction = Annotated[
    Deactivate | Reactivate | ToDepartment | ToManager | GiveRole | TakeRole,
    Field(discriminator="type", examples=[{"type": "department", "department_id": 2}]),
]


class BulkPeople(Strict):
    """The same with each of these people. `leaving` says how many it deactivates, where that are many: a preview tells."""

    user_ids: Annotated[list[Id], Field(min_length=1, max_length=1000, examples=[[3, 4]])]
    action: PeopleAction
    leaving: Annotated[int | None, Field(ge=0, le=1_000_000, strict=True, examples=[None])] = None


class UndoPeople(Strict):
    """`leaving` says how many it deactivates, where that are many: the refusal tells."""

    leaving: Annotated[int | None, Field(ge=0, le=1_000_000, strict=True, examples=[None])] = None


class PeopleJobRead(BaseModel):
    id: Annotated[int, Field(examples=[7])]
    action: Annotated[dict[str, Any], Field(examples=[{"type": "department", "department_id": 2}])]
    status: Annotated[Literal["RUNNING", "FINISHED"], Field(examples=["RUNNING"])]
    total: Annotated[int, Field(examples=[40])]
    done: Annotated[int, Field(examples=[12])]
    failed: Annotated[int, Field(examples=[1])]
    is_undo: bool
    can_undo: Annotated[bool, Field(description="For an hour after it is done.", examples=[True])]
    created_at: datetime
    finished_at: datetime | None


class Refused(BaseModel):
    code: Annotated[str, Field(examples=["last_administrator"])]
    detail: Annotated[str, Field(examples=["This is the last administrator."])]


Outcome = Annotated[
    Literal["DONE", "SAME", "WAITS"] | None,
    Field(description="`SAME`: it was so already. `WAITS`: for a second administrator.", examples=["DONE"]),
]


class PeopleResult(BaseModel):
    user: PersonRef
    outcome: Outcome
    error: Refused | None


class PeoplePreview(BaseModel):
    """What would become of the first two hundred. `is_much`: so many would leave that their number has to be said."""

    results: list[PeopleResult]
    total: Annotated[int, Field(examples=[40])]
    leaving: Annotated[int, Field(examples=[0])]
    active: Annotated[int, Field(examples=[400])]
    is_much: bool


class PeopleJobItemRead(PeopleResult):
    status: Annotated[Literal["PENDING", "DONE", "FAILED"], Field(examples=["DONE"])]


class PeopleJobItems(BaseModel):
    items: list[PeopleJobItemRead]
    next_cursor: str | None
