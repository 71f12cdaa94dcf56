"""What crosses HTTP about saved views."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from waypost.kernel.ids import Id
from waypost.kernel.shapes import Instant, Line, NamedRef, PersonRef, Strict, Version
from waypost.search.asking import MOST_TEXT
from waypost.tickets.list_query import TypeKey, Who
from waypost.tickets.schemas import PriorityWord, SortWord, StatusWord

ScopeWord = Literal["PERSONAL", "TEAM", "ROLE"]
GroupWord = Literal["status", "assignee"]
# What the search reads of a text; what stands in a view is kept, so it is no longer than that.
Words = Annotated[str, Field(max_length=MOST_TEXT, pattern=r"^[^\x00]*$")]
ColumnWord = Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,40}(\.[A-Za-z0-9_-]{1,64})?$", examples=["title"])]
Condition = Annotated[
    dict[str, Any] | None,
    Field(
        description="A condition on a ticket's fields; values may be words such as `me`, `my_teams` or `-7d`.",
        examples=[{"all": [{"field": "assignee_id", "op": "eq", "value": "me"}]}],
    ),
]


class ViewFilters(Strict):
    """The plain filters of the list, as `GET /tickets` takes them."""

    status: Annotated[list[StatusWord], Field(max_length=9)] = []
    priority: Annotated[list[PriorityWord], Field(max_length=4)] = []
    ticket_type: Annotated[list[TypeKey], Field(max_length=50)] = []
    assignee_id: Annotated[list[Who], Field(max_length=50)] = []
    requester_id: Annotated[list[Who], Field(max_length=50)] = []
    department_id: Annotated[list[Id], Field(max_length=50, examples=[[]])] = []
    team_id: Annotated[list[Id], Field(max_length=50, examples=[[]])] = []
    q: Annotated[Words | None, Field(examples=["laptop"])] = None
    created_from: Instant | None = None
    created_to: Instant | None = None
    due_before: Instant | None = None


class ViewValues(Strict):
    """What a view says. `columns` empty: the usual ones; `group` "status" shows a board. A column is one of the list
    (`number`, `title`, `status`, `priority`, `type`, `amount`, `requester`, `assignee`, `team`, `department`, `tags`, `due`, `sla`,
    `updated`, `created`) or a form's field (`custom.budget_code`).
    """

    name: Annotated[Line, Field(max_length=100, examples=["My open laptops"])]
    condition: Condition = None
    filters: ViewFilters = ViewFilters()
    sort: SortWord = "-created_at"
    columns: Annotated[list[ColumnWord], Field(max_length=30)] = []
    group: GroupWord | None = None
    scope: ScopeWord = "PERSONAL"
    team_id: Annotated[Id | None, Field(examples=[None])] = None
    role: Annotated[str | None, Field(max_length=64, pattern=r"^[a-z][a-z0-9_]*$", examples=[None])] = None
    is_default: Annotated[
        bool, Field(strict=True, description="What the list opens with, for oneself or for a role.")
    ] = False


class ViewCreate(ViewValues):
    pinned: Annotated[bool, Field(strict=True, description="In one's own side bar; five at most.")] = False


class ViewUpdate(ViewValues):
    pinned: Annotated[bool | None, Field(strict=True, examples=[None])] = None
    version: Version


AlertWord = Literal["AT_ONCE", "DAILY", "WEEKLY"]


class ViewAlertRead(BaseModel):
    """How the caller is told of what is new in a view. `is_stopped`: it asks for what is not there any more."""

    how: AlertWord
    next_at: Annotated[datetime | None, Field(description="When the next digest is due.")]
    is_stopped: bool


class Alert(Strict):
    how: Annotated[
        AlertWord | None, Field(description="At once, at eight each day, or on Mondays at eight; null ends it.")
    ]


class ViewRead(BaseModel):
    """A saved view. `pinned` and `alert` are the caller's own."""

    id: Annotated[int, Field(examples=[4])]
    name: Annotated[str, Field(examples=["My open laptops"])]
    scope: ScopeWord
    owner: PersonRef
    team: NamedRef | None
    role: Annotated[str | None, Field(examples=[None])]
    condition: Condition
    filters: dict[str, Any]
    sort: SortWord
    columns: list[ColumnWord]
    group: GroupWord | None
    is_default: bool
    pinned: bool
    alert: ViewAlertRead | None
    version: Annotated[int, Field(examples=[1])]
    created_at: datetime
    updated_at: datetime
    allowed_actions: Annotated[list[str], Field(examples=[["edit", "delete"]])]


class ViewPage(BaseModel):
    items: list[ViewRead]
    next_cursor: str | None


class Pin(Strict):
    pinned: Annotated[bool, Field(strict=True)]


class ViewCount(BaseModel):
    """`more`: there are more than `count`, or may be: of more than 1,000, or where looking at all takes too long, not all are
    counted. `count` is null for a view that is out of date, or of which nothing is known in time.
    """

    id: Annotated[int, Field(examples=[4])]
    count: Annotated[int | None, Field(examples=[37])]
    more: bool


class ViewCounts(BaseModel):
    items: list[ViewCount]
