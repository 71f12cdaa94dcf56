"""What crosses HTTP about who will be asked: the path of something that is not asked for yet."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from waypost.kernel.shapes import PersonRef

ProblemWord = Literal["nobody_to_ask"]


class PathPerson(BaseModel):
    """Somebody who will be asked. In one stage the same `order` means at the same time."""

    person: PersonRef
    why: Annotated[str, Field(examples=["head of the department"])]
    order: Annotated[int, Field(examples=[1])]
    due_at: Annotated[
        datetime | None,
        Field(description="By when they have to answer if it was sent now; null for who is asked after others."),
    ]
    away_until: Annotated[datetime | None, Field(description="They are away now, and until when.")]
    deputy: Annotated[PersonRef | None, Field(description="Who may decide in their place while they are away.")]


class PathStage(BaseModel):
    """A stage, whether it applies or not; `why` is its condition in words."""

    name: Annotated[str, Field(examples=["Finance Committee"])]
    applies: bool
    why: Annotated[str, Field(examples=["amount is above 5,000"])]
    mode: Annotated[Literal["SEQUENTIAL", "PARALLEL"], Field(examples=["PARALLEL"])]
    quorum: Annotated[Any, Field(examples=[2], description="As the workflow says it; `needed` is what it comes to.")]
    needed: Annotated[int, Field(examples=[2], description="How many must say yes.")]
    first_answer_counts: bool
    due_in_minutes: Annotated[int, Field(examples=[2880])]
    counts: Annotated[
        Literal["CLOCK", "WORKING_TIME"],
        Field(description="By the clock, or in the working hours of each who is asked."),
    ]
    problem: ProblemWord | None
    people: list[PathPerson]


class PathWorkflow(BaseModel):
    """The workflow it would be judged by, and why this one. Without an id it is the one nobody had to define."""

    id: Annotated[int | None, Field(examples=[1])]
    version: Annotated[int | None, Field(examples=[3])]
    name: Annotated[str, Field(examples=["Purchases by amount"])]
    why: Annotated[str, Field(examples=["type is one of IT_HARDWARE, FINANCE"])]


class PathFact(BaseModel):
    """A fact that decides which stages apply."""

    field: Annotated[str, Field(examples=["amount"])]
    label: Annotated[str, Field(examples=["amount"])]


class Path(BaseModel):
    """Who will be asked and why, from the plan that sending it begins with. Nothing is stored."""

    workflow: PathWorkflow | None
    is_emergency: Annotated[bool, Field(description="Everybody is asked at once; the first answer counts.")]
    problem: Annotated[ProblemWord | None, Field(description="Why it could not begin, or null.")]
    depends_on: list[PathFact]
    stages: list[PathStage]
