"""What crosses HTTP when somebody leaves."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from waypost.access.directory_schemas import UserRead
from waypost.kernel.shapes import Strict


class ActiveSet(Strict):
    is_active: Annotated[bool, Field(strict=True, examples=[False])]


class MentionRead(BaseModel):
    """Something that names a person. Without `id` it stands for `count` things that are not named."""

    kind: Annotated[str, Field(examples=["approval_workflow"])]
    id: Annotated[int | None, Field(examples=[3])]
    name: Annotated[str, Field(examples=["Purchases by amount"])]
    how: Annotated[str, Field(description="What they are to it.", examples=["approver"])]
    count: Annotated[int, Field(examples=[1])]


class MentionList(BaseModel):
    user: UserRead
    is_last_administrator: bool
    items: list[MentionRead]
