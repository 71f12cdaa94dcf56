"""What crosses HTTP about looks at a directory."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from waypost.kernel.shapes import Strict

State = Literal["WAITING", "RUNNING", "DONE", "PLANNED", "STOPPED", "HELD", "FAILED", "APPLIED", "DISMISSED"]
Action = Literal["CREATE", "LINK", "UPDATE", "DEACTIVATE", "REACTIVATE", "SKIP"]
Reason = Literal[
    "NEW",
    "SAME_ADDRESS",
    "CHANGED",
    "GONE",
    "DISABLED",
    "BACK",
    "NOT_CREATED",
    "NOT_DEACTIVATED",
    "DEACTIVATED_HERE",
    "NAME_TAKEN",
    "UNUSABLE",
]


class RunAsked(Strict):
    is_dry: Annotated[
        bool, Field(strict=True, examples=[True], description="Whether the plan alone is wanted, and nothing is done.")
    ] = False


class RunAsker(BaseModel):
    id: Annotated[int, Field(examples=[7])]
    name: Annotated[str, Field(examples=["Jane Doe"])]


class StopRead(BaseModel):
    """Why a plan is not done by itself. `names` are the administrators who would be the last to go, or the
    value that `leaving` people would lose. `left_lately` left in the hour before, and count with who would leave."""

    kind: Annotated[Literal["TOO_MANY", "TOO_MANY_EMPTIED", "LAST_ADMINISTRATOR"], Field(examples=["TOO_MANY"])]
    leaving: Annotated[int, Field(examples=[40])]
    active: Annotated[int, Field(examples=[300])]
    percent: Annotated[int, Field(examples=[5])]
    names: list[str]
    left_lately: Annotated[int, Field(examples=[0])] = 0


class RunRead(BaseModel):
    """A look at a directory. `counts` are people by what becomes of them, `FAILED` among them once it is done."""

    id: Annotated[int, Field(examples=[12])]
    provider_id: Annotated[int, Field(examples=[1])]
    state: Annotated[State, Field(examples=["STOPPED"])]
    is_dry: bool
    is_whole: Annotated[bool, Field(description="Whether everything was read, or what changed since the last look.")]
    asked_by: RunAsker | None
    plan_of_id: Annotated[int | None, Field(description="The run that stopped and whose plan this one is about.")]
    asked_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    counts: Annotated[dict[str, int], Field(examples=[{"CREATE": 2, "UPDATE": 5, "DEACTIVATE": 40, "SAME": 260}])]
    stop: StopRead | None
    error: Annotated[str | None, Field(examples=[None])]
    settled_by: RunAsker | None
    settled_at: datetime | None
    allowed_actions: Annotated[list[Literal["apply", "dismiss"]], Field(examples=[["apply", "dismiss"]])]


class RunPage(BaseModel):
    items: list[RunRead]
    next_cursor: str | None


class ChangeRead(BaseModel):
    field: Annotated[str, Field(examples=["job_title"])]
    before: str | None
    after: str | None


class RunPersonRead(BaseModel):
    """What a run made, or would make, of one person, and why. `error` is what kept it from being done."""

    position: Annotated[int, Field(examples=[1])]
    action: Annotated[Action, Field(examples=["DEACTIVATE"])]
    reason: Annotated[Reason, Field(examples=["GONE"])]
    name: Annotated[str, Field(examples=["Jane Doe"])]
    user_id: Annotated[int | None, Field(examples=[7])]
    changes: list[ChangeRead]
    note: str
    error: str | None


class RunPeoplePage(BaseModel):
    items: list[RunPersonRead]
    next_cursor: str | None
