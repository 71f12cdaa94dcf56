"""What crosses HTTP about passwords."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from waypost.kernel.shapes import Strict

_Password = Annotated[str, Field(min_length=1, max_length=512, examples=["correct horse battery staple"])]


class PasswordChange(Strict):
    """A new password; with the one before, unless one has just shown to be oneself (`POST /auth/step-up`)."""

    password: _Password
    current_password: Annotated[str | None, Field(min_length=1, max_length=512, examples=["demo-Passw0rd-2026"])] = None


class PasswordForgotten(Strict):
    """A username or an e-mail address."""

    username: Annotated[str, Field(min_length=1, max_length=254, examples=["employee"])]


class NotMe(Strict):
    """The token of the link in a mail about a new sign-in."""

    token: Annotated[str, Field(min_length=8, max_length=200, examples=["wpn_4fT…"])]


class PasswordState(BaseModel):
    """Whether one has a password here, since when, and how long a new one has to be."""

    has_password: bool
    changed_at: datetime | None
    least: Annotated[int, Field(description="Characters; fewer with a second factor in force.", examples=[15])]
    most: Annotated[int, Field(examples=[128])]
