"""What crosses HTTP about the fields a condition may speak of."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

KindWord = Literal["text", "choice", "number", "boolean", "instant", "date", "id", "list"]


class FieldChoice(BaseModel):
    value: Annotated[str, Field(examples=["HIGH"])]
    label: Annotated[str, Field(examples=["High"])]


class FieldOwner(BaseModel):
    """A type of request whose form has the field."""

    key: Annotated[str, Field(examples=["IT_HARDWARE"])]
    name: Annotated[str, Field(examples=["IT hardware"])]


class TicketField(BaseModel):
    """A field a condition may speak of. `types` is empty for what every ticket has."""

    name: Annotated[str, Field(examples=["priority"])]
    label: Annotated[str, Field(examples=["Priority"])]
    kind: KindWord
    operators: Annotated[list[str], Field(examples=[["eq", "ne", "in", "not_in", "is_empty", "is_not_empty"]])]
    choices: Annotated[list[FieldChoice], Field(description="The values it can have; empty: any that fits its kind.")]
    refers_to: Annotated[
        Literal["person", "team", "department"] | None,
        Field(description="Whose id it holds.", examples=[None]),
    ]
    currency: Annotated[
        str | None, Field(description="What an amount of money is judged in, converted where needed.", examples=[None])
    ]
    types: list[FieldOwner]


class TicketFields(BaseModel):
    items: list[TicketField]
