"""What crosses HTTP about conversation."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from waypost.kernel.ids import MAX_ID
from waypost.kernel.shapes import PersonRef, Said, Strict
from waypost.tickets.schemas import Comment, VisibilityWord

Version = Annotated[int, Field(ge=1, le=2**31 - 1, strict=True, examples=[1])]


class CommentCreate(Strict):
    """`after_comment_id` asks for a warning: when somebody else has said something after it, nothing is sent.

    `after_version`, beside it, warns of replies that a merge has brought since.
    """

    body: Comment
    visibility: VisibilityWord = "PUBLIC"
    after_comment_id: Annotated[
        int | None,
        Field(ge=0, le=MAX_ID, strict=True, description="The last comment the writer has seen; 0: none.", examples=[6]),
    ] = None
    after_version: Annotated[
        int | None,
        Field(
            ge=0, le=2**31 - 1, strict=True, description="The version of the ticket the writer has seen.", examples=[3]
        ),
    ] = None


class CommentEdit(Strict):
    """Other words for a comment, and the version of it one read."""

    body: Comment
    version: Version


class CommentRead(BaseModel):
    """One comment. `body` is Markdown, empty once it is removed; `@username` in it stands for a person of `mentions`."""

    id: Annotated[int, Field(examples=[7])]
    author: Annotated[PersonRef | None, Field(description="Null for what an automation rule wrote.")]
    by_rule: Annotated[str | None, Field(description="The automation rule that wrote it.", examples=[None])]
    body: Annotated[str, Field(examples=["Which model do you need, @employee?"])]
    visibility: VisibilityWord
    channel: Annotated[
        str | None,
        Field(description="What it came by, when not the web app; `email`: there is a mail.", examples=["email"]),
    ]
    version: Version
    mentions: list[PersonRef]
    created_at: datetime
    edited_at: datetime | None
    removed_at: datetime | None
    editable_until: Annotated[datetime | None, Field(description="Until when the caller may change or remove it.")]
    allowed_actions: Annotated[list[Literal["edit", "remove"]], Field(examples=[["edit", "remove"]])]


class CommentPage(BaseModel):
    items: list[CommentRead]
    next_cursor: str | None


class CommentVersionRead(BaseModel):
    version: Version
    body: Annotated[str, Field(examples=["Which model do you need?"])]
    written_at: datetime


class CommentVersions(BaseModel):
    """Every text of a comment, oldest first; the last is the one of now."""

    items: list[CommentVersionRead]
    next_cursor: str | None


class CommentDraftKeep(Strict):
    body: Annotated[Said, Field(max_length=20_000, examples=["I looked into it and"])]


class CommentDraftRead(BaseModel):
    visibility: VisibilityWord
    body: Annotated[str, Field(examples=["I looked into it and"])]
    updated_at: datetime


class CommentDraftPage(BaseModel):
    items: list[CommentDraftRead]
    next_cursor: str | None
