"""What crosses HTTP about reports that are taken away as files."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from waypost.kernel.shapes import PersonRef, Strict
from waypost.reports.schemas import KindWord

Format = Literal["CSV", "XLSX", "PDF"]
Formats = Annotated[list[Format], Field(min_length=1, max_length=3, examples=[["PDF"]])]
ExportKind = Literal["NOW", "SCHEDULED", "MANUAL", "TEST"]
ExportStatus = Literal["QUEUED", "RUNNING", "DONE", "FAILED", "CANCELLED"]
DaysNumber = Literal[7, 30, 90, 365]
PartStatus = Literal["WAITING", "DONE", "FAILED", "CANCELLED"]
Why = Annotated[str | None, Field(description="Why there is nothing, in words.", examples=[None])]


class ExportAsked(Strict):
    formats: Formats


class BoardExportAsked(ExportAsked):
    days: Annotated[DaysNumber, Field(description="How far what is told of a time reaches back.", examples=[30])]


class ReportNamed(BaseModel):
    """A report as it was called then, or a dashboard and the days it told of; with neither it was deleted since."""

    id: Annotated[int | None, Field(examples=[7])]
    name: Annotated[str, Field(examples=["Requests by team"])]
    board: Annotated[KindWord | None, Field(examples=[None])]
    days: Annotated[int | None, Field(examples=[None])]


class ExportFileRead(BaseModel):
    id: Annotated[int, Field(examples=[31])]
    format: Annotated[Format, Field(examples=["PDF"])]
    name: Annotated[str, Field(examples=["Requests by team 2026-11-23.pdf"])]
    size: Annotated[int, Field(description="In bytes.", examples=[24326])]
    kept_until: Annotated[str, Field(examples=["2026-12-07T09:00:00Z"])]
    is_kept: Annotated[bool, Field(examples=[True])]


class ExportMine(BaseModel):
    """What the reader gets of an export."""

    status: Annotated[PartStatus, Field(examples=["DONE"])]
    rows: Annotated[int | None, Field(examples=[12])]
    error: Why
    files: list[ExportFileRead]


class ExportRead(BaseModel):
    """An export: `total` people get their part; so many are `done`, so many `failed`."""

    id: Annotated[int, Field(examples=[5])]
    kind: Annotated[ExportKind, Field(examples=["NOW"])]
    report: ReportNamed
    asked_by: PersonRef | None
    formats: Formats
    status: Annotated[ExportStatus, Field(examples=["DONE"])]
    total: Annotated[int, Field(examples=[1])]
    done: Annotated[int, Field(examples=[1])]
    failed: Annotated[int, Field(examples=[0])]
    created_at: Annotated[str, Field(examples=["2026-11-23T09:00:00Z"])]
    finished_at: Annotated[str | None, Field(examples=["2026-11-23T09:00:02Z"])]
    mine: ExportMine | None
    allowed_actions: Annotated[list[str], Field(examples=[[]])]


class ExportPartRead(BaseModel):
    """What one person got."""

    person: PersonRef | None
    status: Annotated[PartStatus, Field(examples=["DONE"])]
    rows: Annotated[int | None, Field(examples=[12])]
    size: Annotated[int | None, Field(description="In bytes.", examples=[24326])]
    error: Why
    finished_at: Annotated[str | None, Field(examples=["2026-11-23T09:00:02Z"])]


class ExportDetail(ExportRead):
    """An export with who got what of it; only who asked for it and administrators read that of others."""

    parts: list[ExportPartRead]


class ExportPage(BaseModel):
    items: list[ExportRead]
    next_cursor: Annotated[str | None, Field(examples=[None])]
