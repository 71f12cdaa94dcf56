"""What crosses HTTP about the mail behind a comment."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field


class MailSender(BaseModel):
    name: Annotated[str, Field(examples=["Jane Roe"])]
    email: Annotated[str, Field(examples=["jane.roe@example.com"])]


class OriginalMail(BaseModel):
    """A mail as it came, as plain text with what it quotes. Personal links in it are left out."""

    sender: MailSender
    recipients: Annotated[list[str], Field(examples=[["help@example.com"]])]
    subject: Annotated[str, Field(examples=["Re: [IT-2026-000042] Which model?"])]
    sent_at: Annotated[datetime | None, Field(description="When its writer's program says it was sent.")]
    received_at: datetime
    text: Annotated[str, Field(examples=["The smaller one.\n\n> Which model?"])]
    files: Annotated[list[str], Field(description="The names of its files.", examples=[["photo.png"]])]
