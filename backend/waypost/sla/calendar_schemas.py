"""What crosses HTTP about calendars of working hours."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, model_validator

from waypost.kernel.shapes import Instant, Line, PersonRef, Remark, Strict, Version

MOST_HOURS = 24  # intervals of a day
MOST_DAYS = 3_000
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MONTH_DAY = re.compile(r"\d{2}-\d{2}", re.ASCII)


def _time(value: Any) -> Any:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise ValueError("must be a time of day such as 08:30, or 24:00")
    return value


def _date(value: Any) -> Any:
    try:
        if not isinstance(value, str) or not _DAY.fullmatch(value):
            raise ValueError
        found = date.fromisoformat(value)
    except ValueError:
        raise ValueError("must be a date such as 2026-12-25") from None
    if not 1970 <= found.year <= 2200:
        raise ValueError("must lie between 1970 and 2200")
    return found


def _month_day(value: Any) -> Any:
    try:
        if not isinstance(value, str) or not _MONTH_DAY.fullmatch(value):
            raise ValueError
        date.fromisoformat(f"2024-{value}")  # a leap year
    except ValueError:
        raise ValueError("must be a month and a day such as 12-25") from None
    return value


TimeOfDay = Annotated[
    str, BeforeValidator(_time), Field(examples=["08:00"], json_schema_extra={"pattern": _TIME.pattern})
]
Date = Annotated[date, BeforeValidator(_date, json_schema_input_type=str), Field(examples=["2026-12-25"])]
MonthDay = Annotated[str, BeforeValidator(_month_day), Field(examples=["12-24"])]
DayKind = Literal["CLOSED", "YEARLY", "SPECIAL"]


def minutes(written: str) -> int:
    """A time of day in minutes."""
    return int(written[:2]) * 60 + int(written[3:])


class HoursBody(Strict):
    """From a time of day up to another one; 24:00 is the day's end."""

    from_: Annotated[TimeOfDay, Field(alias="from")]
    to: Annotated[TimeOfDay, Field(examples=["18:00"])]


DayHours = Annotated[list[HoursBody], Field(max_length=MOST_HOURS)]


class DayBody(Strict):
    """A day that is not as its weekday: CLOSED on `day`, YEARLY on `month_day` of every year, SPECIAL `hours` on `day`."""

    kind: DayKind
    day: Date | None = None
    month_day: MonthDay | None = None
    hours: DayHours | None = None
    name: Annotated[Remark, Field(max_length=200, examples=["Christmas Eve"])] = ""

    @model_validator(mode="after")
    def _fits(self) -> DayBody:
        if (self.kind == "YEARLY") != (self.month_day is not None) or (self.kind == "YEARLY") != (self.day is None):
            raise ValueError("names its `day`, or with YEARLY its `month_day`")
        if (self.kind == "SPECIAL") != (self.hours is not None):
            raise ValueError("has `hours` exactly when it is SPECIAL")
        return self


Week = Annotated[
    list[DayHours],
    Field(
        min_length=7,
        max_length=7,
        description="Monday first.",
        examples=[[[{"from": "08:00", "to": "12:00"}, {"from": "13:00", "to": "17:00"}]] * 5 + [[], []]],
    ),
]


class CalendarCreate(Strict):
    """A calendar: its hours by the clock of its zone, and the days set by hand. The days of its file stay as they are."""

    name: Annotated[Line, Field(max_length=100, examples=["Berlin office"])]
    zone: Annotated[Line, Field(max_length=64, examples=["Europe/Berlin"])]
    week: Week
    days: Annotated[list[DayBody], Field(max_length=MOST_DAYS)] = []
    in_persons_zone: Annotated[
        bool, Field(strict=True, description="As a person's calendar its hours are by the clock where they are.")
    ] = False
    is_default: Annotated[bool, Field(strict=True)] = False


class CalendarUpdate(CalendarCreate):
    version: Version


class HoursRead(BaseModel):
    from_: Annotated[str, Field(alias="from", examples=["08:00"])]
    to: Annotated[str, Field(examples=["18:00"])]


class CalendarHead(BaseModel):
    """A calendar without its days."""

    id: Annotated[int, Field(examples=[1])]
    name: Annotated[str, Field(examples=["Berlin office"])]
    zone: Annotated[str, Field(examples=["Europe/Berlin"])]
    week: list[list[HoursRead]]
    in_persons_zone: bool
    is_default: bool
    version: Annotated[int, Field(examples=[1])]
    updated_at: Annotated[str, Field(examples=["2026-11-26T09:30:00Z"])]
    allowed_actions: list[Literal["update", "import", "delete"]]


class CalendarListed(CalendarHead):
    day_count: Annotated[int, Field(examples=[12])]
    policy_count: Annotated[int, Field(examples=[2])]
    people_count: Annotated[int, Field(description="People and departments that work by it.", examples=[0])]
    file_name: Annotated[str | None, Field(examples=["calendars.example.com"])]
    is_failing: Annotated[bool, Field(description="Its file cannot be fetched; the days of the last one count.")]


class CalendarList(BaseModel):
    items: list[CalendarListed]
    next_cursor: str | None
    allowed_actions: list[Literal["create"]]


class CalendarDay(BaseModel):
    kind: DayKind
    day: Annotated[str | None, Field(examples=["2026-12-25"])]
    month_day: Annotated[str | None, Field(examples=[None])]
    hours: list[HoursRead] | None
    name: Annotated[str, Field(examples=["Christmas Day"])]
    source: Literal["MANUAL", "ICAL"]


class CalendarFileRead(BaseModel):
    """Where some of the days come from. An address is never told again, only its host."""

    name: Annotated[str, Field(examples=["calendars.example.com"])]
    is_fetched: bool
    read_at: Annotated[str, Field(examples=["2026-11-26T09:30:00Z"])]
    next_at: Annotated[str, Field(examples=["2026-11-27T09:30:00Z"])]
    failing_since: Annotated[str | None, Field(examples=[None])]
    error: Annotated[str | None, Field(examples=[None])]


class CalendarRead(CalendarHead):
    days: list[CalendarDay]
    file: CalendarFileRead | None


class YearDay(BaseModel):
    """A day of a year. HOLIDAY is closed out of turn; SPECIAL has hours of its own, or none."""

    day: Annotated[str, Field(examples=["2026-12-25"])]
    state: Literal["OPEN", "CLOSED", "HOLIDAY", "SPECIAL"]
    is_open: bool
    hours: list[HoursRead]
    usual_hours: list[HoursRead]
    name: Annotated[str, Field(examples=["Christmas Day"])]


class CalendarYear(BaseModel):
    year: Annotated[int, Field(examples=[2026])]
    days: list[YearDay]


class CalendarVersion(BaseModel):
    version: Annotated[int, Field(examples=[3])]
    changed_at: Annotated[str, Field(examples=["2026-11-26T09:30:00Z"])]
    changed_by: PersonRef | None
    changes: Annotated[list[str], Field(examples=[["days", "week"]])]


class CalendarVersionPage(BaseModel):
    items: list[CalendarVersion]
    next_cursor: str | None


class TargetBody(Strict):
    """An amount of working time; `days` says what a day is: up to its end, or 24 hours of working time."""

    amount: Annotated[int, Field(strict=True, ge=1, le=86_400, examples=[8])]
    unit: Annotated[Literal["MINUTES", "HOURS", "DAYS"], Field(examples=["HOURS"])]
    days: Annotated[Literal["END_OF_DAY", "BLOCKS"], AfterValidator(str)] = "END_OF_DAY"


class CalendarTry(Strict):
    start: Instant
    target: TargetBody


class TriedLine(BaseModel):
    """A stretch of time; those of kind RUNNING add up to the target."""

    start: Annotated[str, Field(examples=["2026-11-27T15:00:00Z"])]
    end: Annotated[str, Field(examples=["2026-11-27T17:00:00Z"])]
    kind: Literal["RUNNING", "CLOSED", "HOLIDAY"]
    minutes: Annotated[int, Field(examples=[120])]
    why: Annotated[str, Field(examples=[""])]


class CalendarTried(BaseModel):
    zone: Annotated[str, Field(examples=["Europe/Berlin"])]
    due_at: Annotated[str, Field(examples=["2026-11-30T13:00:00Z"])]
    due_local: Annotated[str, Field(examples=["2026-11-30T14:00:00+01:00"])]
    working_minutes: Annotated[int, Field(examples=[480])]
    elapsed_minutes: Annotated[int, Field(examples=[4200])]
    ledger: list[TriedLine]


class FeedBody(Strict):
    """Where a calendar file is fetched from, daily. `webcal://` is read as `https://`."""

    address: Annotated[Line, Field(max_length=2000, examples=["https://calendars.example.com/berlin.ics"])]


class FeedSetup(FeedBody):
    version: Version


class FileDay(BaseModel):
    day: Annotated[str, Field(examples=["2026-12-25"])]
    name: Annotated[str, Field(examples=["Christmas Day"])]
    is_new: bool


class FileGone(BaseModel):
    day: Annotated[str, Field(examples=["2026-12-24"])]
    name: Annotated[str, Field(examples=["Christmas Eve"])]


class FileIgnored(BaseModel):
    name: Annotated[str, Field(examples=["Team meeting"])]
    reason: Annotated[str, Field(examples=["has hours of a day, and closes none"])]


class FilePreview(BaseModel):
    """What a file would close from one day to another; nothing of it is kept."""

    first: Annotated[str, Field(examples=["2025-01-01"])]
    last: Annotated[str, Field(examples=["2029-12-31"])]
    days: list[FileDay]
    gone: list[FileGone]
    ignored: list[FileIgnored]
    ignored_count: Annotated[int, Field(examples=[0])]
