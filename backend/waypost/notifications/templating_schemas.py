"""What crosses HTTP about the words people are told in."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from waypost.kernel.ids import Id
from waypost.kernel.shapes import Line, PersonRef, Said, Strict, Text
from waypost.notifications.preferring_schemas import ChannelRef, Language, Version

Way = Literal["all", "in_app", "email", "slack", "teams", "sms", "push"]
Subject = Annotated[Line, Field(max_length=500, examples=["New comment: {{ ticket.title }}"])]
Body = Annotated[Said, Field(max_length=30_000, examples=["{{ actor }} wrote:\n\n{{ words }}"])]


class Fault(BaseModel):
    """Why the words could not be used when somebody was told; the built-in ones were."""

    message: Annotated[str, Field(examples=["line 2: there is no value ticket.colour"])]
    at: Annotated[str, Field(examples=["2026-11-23T09:30:00Z"])]


class WrittenRef(BaseModel):
    channel: Way
    language: Language
    version: Version
    updated_at: Annotated[str, Field(examples=["2026-11-23T09:30:00Z"])]
    updated_by: PersonRef | None
    fault: Fault | None


class TemplateRef(BaseModel):
    """A kind of notice; `written` are those of its words that are not the built-in ones any more."""

    key: Annotated[str, Field(examples=["comment.created"])]
    event: Annotated[str, Field(examples=["ticket.commented"])]
    subject: Annotated[str, Field(examples=["New comment: {{ ticket.title }}"])]
    is_default: bool
    written: list[WrittenRef]


class TemplateList(BaseModel):
    items: list[TemplateRef]
    next_cursor: None
    channels: list[ChannelRef]


class Variable(BaseModel):
    name: Annotated[str, Field(examples=["ticket.title"])]
    example: Annotated[str, Field(examples=["New laptop"])]


class BuiltIn(BaseModel):
    subject: Subject
    body: Body


class TemplateRead(BaseModel):
    """The words of a kind of notice on a channel in a language."""

    key: Annotated[str, Field(examples=["comment.created"])]
    event: Annotated[str, Field(examples=["ticket.commented"])]
    channel: Way
    language: Language
    subject: Subject
    body: Body
    version: Version
    is_default: bool
    built_in: BuiltIn
    variables: list[Variable]
    fault: Fault | None
    updated_at: Annotated[str | None, Field(examples=["2026-11-23T09:30:00Z"])]
    updated_by: PersonRef | None


class TemplateUpdate(Strict):
    """What `GET` gave, changed. Everything but the words and the version may come along and is not read."""

    subject: Subject
    body: Body
    version: Version
    key: Annotated[Any, Field(examples=["comment.created"])] = None
    event: Annotated[Any, Field(examples=["ticket.commented"])] = None
    channel: Annotated[Any, Field(examples=["all"])] = None
    language: Annotated[Any, Field(examples=["en"])] = None
    is_default: Annotated[Any, Field(examples=[True])] = None
    built_in: Annotated[Any, Field(examples=[None])] = None
    variables: Annotated[Any, Field(examples=[None])] = None
    fault: Annotated[Any, Field(examples=[None])] = None
    updated_at: Annotated[Any, Field(examples=[None])] = None
    updated_by: Annotated[Any, Field(examples=[None])] = None


class TrialAsk(Strict):
    """What to try. Without a request an example is taken; without words, those that are kept."""

    ticket_id: Annotated[Id | None, Field(examples=[42])] = None
    subject: Subject | None = None
    body: Body | None = None


class Shown(BaseModel):
    """What a message would say. `html_url` shows the mail for some minutes; null when it cannot be kept just now."""

    subject: Annotated[str, Field(examples=["[ITH-2026-000042] New comment: New laptop"])]
    title: Annotated[str, Field(examples=["New comment: New laptop"])]
    body: Annotated[Text, Field(examples=["Jane Doe wrote:\n\nWhich model?"])]
    text: Annotated[Text, Field(examples=["Jane Doe wrote:\n\nWhich model?\n"])]
    html_url: Annotated[str | None, Field(examples=["/api/v1/notification-previews/x"])]


class Sent(BaseModel):
    """A test on its way. `delivery_id` is its line in the log; null for a notice in the app, which is there at once."""

    channel: Annotated[str, Field(examples=["email"])]
    recipient: Annotated[str | None, Field(examples=["admin@example.com"])]
    delivery_id: Annotated[int | None, Field(examples=[512])]


class TemplateVersionRead(BaseModel):
    version: Version
    is_default: Annotated[bool, Field(description="Whether this took it back to the built-in words.")]
    subject: Subject
    body: Body
    updated_at: Annotated[str, Field(examples=["2026-11-23T09:30:00Z"])]
    updated_by: PersonRef | None


class TemplateVersions(BaseModel):
    items: list[TemplateVersionRead]
    next_cursor: str | None
