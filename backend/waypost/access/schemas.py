"""What crosses HTTP at the door."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from waypost.kernel.shapes import NamedRef, PersonRef, Strict


class Login(Strict):
    """A username or an e-mail address, and the password."""

    username: Annotated[str, Field(min_length=1, max_length=254, examples=["employee"])]
    password: Annotated[str, Field(min_length=1, max_length=512, examples=["demo-Passw0rd-2026"])]


class FirstPassword(Strict):
    """The token of a one-time link and the password to set."""

    token: Annotated[str, Field(min_length=8, max_length=200, examples=["wpl_4fT…"])]
    password: Annotated[str, Field(min_length=1, max_length=512, examples=["correct horse battery staple"])]


class RoleRef(BaseModel):
    key: Annotated[str, Field(examples=["employee"])]
    name: Annotated[str, Field(examples=["Employee"])]


class Me(BaseModel):
    """The signed-in person."""

    id: Annotated[int, Field(examples=[1])]
    username: Annotated[str, Field(examples=["employee"])]
    email: Annotated[str, Field(examples=["jane.doe@example.com"])]
    first_name: Annotated[str, Field(examples=["Jane"])]
    last_name: Annotated[str, Field(examples=["Doe"])]
    name: Annotated[str, Field(examples=["Jane Doe"])]
    roles: list[RoleRef]
    permissions: Annotated[list[str], Field(examples=[["tickets:create", "tickets:read"]])]
    department: NamedRef | None
    manager: PersonRef | None
    teams: list[NamedRef]
    timezone: Annotated[str, Field(examples=["Europe/Berlin"])]
    locale: Annotated[str, Field(examples=["en"])]
    must_enrol: Annotated[
        bool, Field(description="A role needs a second factor, and there is none yet: nothing else is open until then.")
    ]
    is_open_demo: Annotated[
        bool, Field(description="The demo company, whose passwords everybody knows, can be reached by others.")
    ] = False


class Refresh(Strict):
    """For how long the person at this browser has done nothing; a page that is only open keeps nobody signed in."""

    idle_seconds: Annotated[int, Field(ge=0, le=10_000_000, examples=[40])] = 0


class Lasts(BaseModel):
    """How long a sign-in lasts: unused for so many seconds, and until then in any case."""

    idle_seconds: Annotated[int, Field(examples=[43200])]
    ends_at: Annotated[datetime, Field(examples=["2026-12-26T09:30:00Z"])]


class Tokens(BaseModel):
    """An access token for the `Authorization` header; the refresh token comes in a cookie scripts can't read."""

    access_token: Annotated[str, Field(examples=["eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCJ9…"])]
    token_type: Annotated[str, Field(examples=["bearer"])]
    expires_in: Annotated[int, Field(description="Seconds.", examples=[600])]
    session: Lasts


class SignedInAnswer(Tokens):
    """An access token, and who is signed in by it."""

    user: Me


class SecondFactorAsked(BaseModel):
    """The first factor was right; `POST /auth/mfa/verify` goes on with a code of one of these methods."""

    mfa_required: Annotated[bool, Field(examples=[True])]
    mfa_token: Annotated[str, Field(examples=["wpm_4fT…"])]
    methods: Annotated[list[str], Field(examples=[["totp", "recovery_code"]])]
