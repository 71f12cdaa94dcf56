"""What crosses HTTP about the catalogue."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from waypost.kernel.ids import Id
from waypost.kernel.shapes import Line, NamedRef, PersonRef, Remark, Strict, Version

Keyword = Annotated[Line, Field(max_length=50, examples=["notebook"])]
PriorityWord = Literal["LOW", "MEDIUM", "HIGH", "CRITICAL"]
_FORM = {
    "type": "object",
    "required": ["budget_code"],
    "properties": {"budget_code": {"type": "string", "title": "Budget code", "maxLength": 40}},
    "additionalProperties": False,
}


class Answer(BaseModel):
    """One field as it was filled in. `kind` is the form's (`x-kind`), null for plain JSON Schema."""

    key: Annotated[str, Field(examples=["budget_code"])]
    title: Annotated[str, Field(examples=["Budget code"])]
    kind: Annotated[str | None, Field(examples=["text"])]
    value: Annotated[Any, Field(examples=["PROJ001"])]
    text: Annotated[str, Field(description="What people read: names and labels.", examples=["PROJ001"])]


class TicketTypeRead(BaseModel):
    """A kind of request. `form` is the JSON Schema of a ticket's `custom_fields`."""

    id: Annotated[int, Field(examples=[2])]
    key: Annotated[str, Field(examples=["IT_HARDWARE"])]
    name: Annotated[str, Field(examples=["IT hardware"])]
    description: Annotated[str, Field(examples=["Laptops, monitors, phones"])]
    category: Annotated[str, Field(examples=["IT"])]
    keywords: Annotated[list[str], Field(description="Everyday words people look for it by.", examples=[["notebook"]])]
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
    keywords: Annotated[list[Keyword], Field(max_length=50, examples=[["notebook", "macbook"]])] = []
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
    """The type as it is to be; `note` says why its form changes."""

    name: Annotated[Line, Field(max_length=100, examples=["Print order"])]
    form: Annotated[dict[str, Any], Field(examples=[_FORM])]
    is_active: bool = True
    note: Annotated[Remark, Field(max_length=500, examples=["Finance asks for a second quote"])] = ""
    version: Version


class CategoryRead(BaseModel):
    """A heading of the catalogue. `type_count` counts its types, inactive ones too."""

    id: Annotated[int, Field(examples=[1])]
    name: Annotated[str, Field(examples=["IT"])]
    position: Annotated[int, Field(examples=[1])]
    type_count: Annotated[int, Field(examples=[2])]
    version: Annotated[int, Field(examples=[1])]


class CategoryList(BaseModel):
    items: list[CategoryRead]
    next_cursor: None


CategoryName = Annotated[Line, Field(max_length=64, examples=["IT"])]
Place = Annotated[int | None, Field(ge=1, le=1000, strict=True, description="1 is the first.", examples=[1])]


class CategoryCreate(Strict):
    name: CategoryName
    position: Place = None


class CategoryUpdate(Strict):
    name: CategoryName
    position: Place = None
    version: Version


class FormChange(BaseModel):
    """One field of a form that differs."""

    what: Literal["added", "removed", "changed", "moved"]
    key: Annotated[str, Field(examples=["budget_code"])]
    title: Annotated[str, Field(examples=["Budget code"])]
    details: Annotated[list[str], Field(examples=[["required now"]])]


class FormVersionRead(BaseModel):
    """A form the type had; `changes` tell it from the one before."""

    version: Annotated[int, Field(examples=[2])]
    created_at: datetime
    created_by: PersonRef | None
    note: Annotated[str, Field(examples=["Finance asks for a second quote"])]
    restored_from: Annotated[int | None, Field(examples=[None])]
    is_current: bool
    changes: list[FormChange]


class FormVersionPage(BaseModel):
    items: list[FormVersionRead]
    next_cursor: str | None


class FormCompared(BaseModel):
    """`changes` lead from the version `against` to this one."""

    version: Annotated[int, Field(examples=[1])]
    form: Annotated[dict[str, Any], Field(examples=[_FORM])]
    against: Annotated[int, Field(examples=[2])]
    changes: list[FormChange]


class FormRestore(Strict):
    note: Annotated[Remark, Field(max_length=500, examples=["The second quote is not needed after all"])] = ""
    version: Version


class FormCheck(Strict):
    """`ticket_type` is the key of the type it is for; null for a new one."""

    ticket_type: Annotated[str | None, Field(max_length=64, examples=["IT_HARDWARE"])] = None
    form: Annotated[dict[str, Any], Field(examples=[_FORM])]


class FormChecked(BaseModel):
    form: Annotated[dict[str, Any], Field(examples=[_FORM])]
    changes: list[FormChange]


class FieldUse(BaseModel):
    """Something that speaks of a field. Tickets are only counted: `id` is null, `has_more` when there are more."""

    kind: Annotated[str, Field(examples=["approval_workflow"])]
    id: Annotated[int | None, Field(examples=[1])]
    name: Annotated[str, Field(examples=["Purchases by amount"])]
    count: Annotated[int, Field(examples=[1])]
    has_more: bool


class UsesAnswer(BaseModel):
    items: list[FieldUse]
    next_cursor: None
