"""What crosses HTTP when somebody signs in at a provider's page."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field

from waypost.access.providers.schemas import SignInWay
from waypost.access.schemas import RoleRef
from waypost.kernel.shapes import Strict


def own_path(value: str) -> str:
    """A path of our own web app, so that nobody is sent elsewhere. Raises `ValueError`."""
    # browsers read a backslash as a slash, and drop tabs and line breaks: what they would make of it counts
    if (
        not value.startswith("/")
        or value.startswith("//")
        or "\\" in value
        or any(ord(c) <= 32 or ord(c) == 127 for c in value)
    ):
        raise ValueError("must be a path of this site, such as /tickets")
    return value


class Leave(Strict):
    """Where one wants to be afterwards."""

    next: Annotated[str, Field(max_length=2000, examples=["/tickets"]), AfterValidator(own_path)] = "/"


class LeaveFor(BaseModel):
    """The provider's page."""

    url: Annotated[str, Field(examples=["https://id.example.com/authorize?client_id=waypost&state=…"])]


class TicketGiven(Strict):
    """The ticket with which a browser came back."""

    ticket: Annotated[str, Field(min_length=8, max_length=200, examples=["wpt_4fT…"])]


class SignedOut(BaseModel):
    """Where the browser goes to sign out at the provider too; null when there is nowhere to go."""

    url: Annotated[str | None, Field(examples=["https://id.example.com/logout?client_id=waypost"])]


class Claim(BaseModel):
    name: Annotated[str, Field(examples=["email"])]
    value: Annotated[str, Field(examples=["jane.doe@example.com"])]


Outcome = Literal["FOUND", "LINKED", "CREATED", "NO_ACCOUNT", "ACCOUNT_EXISTS", "NOT_ACTIVE", "NO_EMAIL", "NO_SUBJECT"]


class TriedRead(BaseModel):
    """What a sign-in would have done. Nothing of it was done."""

    provider_id: Annotated[int, Field(examples=[1])]
    outcome: Annotated[Outcome, Field(examples=["CREATED"])]
    user: Annotated[str | None, Field(description="The username it would be.", examples=["jane.doe"])]
    claims: list[Claim]
    groups: Annotated[list[str] | None, Field(description="Null when nothing is said about groups.")]
    roles: list[RoleRef]
    is_vouched: Annotated[bool, Field(description="No second factor would be asked for here.")]
    email_verified: bool


class IdentityItem(BaseModel):
    """A provider by which one signs in."""

    id: Annotated[int, Field(examples=[1])]
    provider: SignInWay
    is_on: bool
    created_at: datetime
    used_at: datetime | None


class IdentityList(BaseModel):
    items: list[IdentityItem]
    more: Annotated[list[SignInWay], Field(description="Those by which one could sign in too.")]
    next_cursor: str | None
