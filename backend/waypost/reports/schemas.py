"""What crosses HTTP about reports."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field


class TrendDay(BaseModel):
    date: Annotated[str, Field(examples=["2026-11-23"])]
    created: Annotated[int, Field(examples=[12])]
    completed: Annotated[int, Field(examples=[9])]


class Dashboard(BaseModel):
    """What the reader may see, in numbers."""

    tickets_by_status: Annotated[dict[str, int], Field(examples=[{"IN_REVIEW": 4, "APPROVED": 2}])]
    tickets_by_priority: Annotated[dict[str, int], Field(examples=[{"HIGH": 3, "MEDIUM": 9}])]
    pending_approvals: Annotated[int, Field(description="Decisions waiting for the reader.", examples=[3])]
    sla_compliance: Annotated[
        float | None, Field(description="Share (0 to 1) of completed tickets done by their due date.", examples=[0.94])
    ]
    average_resolution_hours: Annotated[float | None, Field(examples=[17.5])]
    trend: Annotated[list[TrendDay], Field(description="The last 30 days, UTC.")]
