"""What crosses HTTP when an administrator looks after somebody's account."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, EmailStr, Field

from waypost.access.session_schemas import SessionItem
from waypost.kernel.ids import Id
from waypost.kernel.shapes import Line, PersonRef, Remark, Strict, Version

USERNAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$"


class UserUpdate(Strict):
    """The fields to change; what is left out stays. Another address or username asks to confirm first."""

    version: Version | None = None
    username: Annotated[str, Field(pattern=USERNAME, examples=["jdoe"])] = ""
    email: Annotated[EmailStr, Field(max_length=254, examples=["jdoe@example.com"])] = ""
    first_name: Annotated[Line, Field(max_length=100, examples=["Jane"])] = ""
    last_name: Annotated[Line, Field(max_length=100, examples=["Doe"])] = ""
    department_id: Annotated[Id | None, Field(examples=[2])] = None
    manager_id: Annotated[Id | None, Field(examples=[3])] = None
    job_title: Annotated[Remark, Field(max_length=100, examples=["Marketing specialist"])] = ""
    timezone: Annotated[str, Field(max_length=64, examples=["Europe/Berlin"])] = "UTC"
    locale: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}$", max_length=16, examples=["en"])] = (
        "en"
    )


class PasskeyState(BaseModel):
    name: Annotated[str, Field(examples=["Jane's phone"])]
    created_at: datetime
    used_at: datetime | None


class UserSecurity(BaseModel):
    """How a person signs in. `link_expires_at`: a link to set their first password waits until then."""

    signed_in_at: datetime | None
    password_set_at: datetime | None
    authenticator_since: datetime | None
    passkeys: list[PasskeyState]
    recovery_codes_left: Annotated[int, Field(examples=[8])]
    link_expires_at: datetime | None


class PasswordLink(BaseModel):
    """Shown this once; whoever has it sets the password."""

    link: Annotated[str, Field(examples=["https://waypost.example.com/welcome#wpl_4fT…"])]
    expires_at: datetime


class SessionsEnded(BaseModel):
    ended: Annotated[int, Field(examples=[2])]


class UserSessionPage(BaseModel):
    items: list[SessionItem]
    next_cursor: str | None


class HistoryItem(BaseModel):
    """Something that happened to a person's account."""

    id: Annotated[int, Field(examples=[4711])]
    type: Annotated[str, Field(examples=["user.changed"])]
    at: datetime
    actor: PersonRef | None
    channel: Annotated[str, Field(examples=["web"])]
    data: Annotated[dict[str, Any], Field(examples=[{"before": {"job_title": ""}, "after": {"job_title": "Editor"}}])]


class HistoryPage(BaseModel):
    items: list[HistoryItem]
    next_cursor: str | None
