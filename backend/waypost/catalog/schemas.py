"""What crosses HTTP about ticket types."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from waypost.kernel.ids import Id
from waypost.kernel.shapes import Line, NamedRef, Strict

PriorityWord = Literal["LOW", "MEDIUM", "HIGH", "CRITICAL"]
_FORM = {
    "type": "object",
    "required": ["budget_code"],
    "properties": {"budget_code": {"type": "string", "title": "Budget code", "maxLength": 40}},
    "additionalProperties": False,
}


class TicketTypeRead(BaseModel):
    """A kind of request. `form` is the JSON Schema of a ticket's `custom_fields`."""

    id: Annotated[int, Field(examples=[2])]
    key: Annotated[str, Field(examples=["IT_HARDWARE"])]
    name: Annotated[str, Field(examples=["IT hardware"])]
    description: Annotated[str, Field(examples=["Laptops, monitors, phones"])]
    category: Annotated[str, Field(examples=["IT"])]
    icon: Annotated[str, Field(examples=["laptop"])]
    prefix: Annotated[str, Field(examples=["ITH"])]
    form: Annotated[dict[str, Any], Field(examples=[_FORM])]
    form_version: Annotated[int, Field(examples=[1])]
    has_amount: bool
    requires_approval: bool
    team: NamedRef | None
    default_priority: Annotated[str, Field(examples=["MEDIUM"])]
    is_active: bool
    version: Annotated[int, Field(examples=[1])]


class TicketTypePage(BaseModel):
    items: list[TicketTypeRead]
    next_cursor: str | None


class TicketTypeValues(Strict):
    """What both a new and a changed type may say."""

    description: Annotated[str, Field(max_length=2000, examples=["Laptops, monitors, phones"])] = ""
    category: Annotated[Line, Field(max_length=64, examples=["IT"])] = "Other"
    icon: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$", examples=["laptop"])] = "inbox"
    has_amount: bool = False
    requires_approval: bool = True
    team_id: Annotated[Id | None, Field(examples=[1])] = None
    default_priority: PriorityWord = "MEDIUM"


class TicketTypeCreate(TicketTypeValues):
    key: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{1,62}$", examples=["PRINT_ORDER"])]
    name: Annotated[Line, Field(max_length=100, examples=["Print order"])]
    form: Annotated[dict[str, Any], Field(examples=[_FORM])]
    prefix: Annotated[str | None, Field(pattern=r"^[A-Z]{2,5}$", examples=["PRT"])] = None


class TicketTypeUpdate(TicketTypeValues):
    name: Annotated[Line, Field(max_length=100, examples=["Print order"])]
    form: Annotated[dict[str, Any], Field(examples=[_FORM])]
    is_active: bool = True
    version: Annotated[int, Field(ge=1, examples=[1], description="The version you read.")]
