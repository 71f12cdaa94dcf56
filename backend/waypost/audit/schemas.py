"""What crosses HTTP about the audit trail."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from waypost.kernel.shapes import PersonRef


class AuditEntry(BaseModel):
    """One thing somebody (or the system: `actor` null) did."""

    id: Annotated[int, Field(examples=[1001])]
    at: datetime
    actor: PersonRef | None
    on_behalf_of: PersonRef | None
    action: Annotated[str, Field(examples=["ticket.submitted"])]
    object_type: Annotated[str, Field(examples=["ticket"])]
    object_id: Annotated[int, Field(examples=[42])]
    channel: Annotated[str, Field(examples=["web"])]
    request_id: str | None
    data: Annotated[dict[str, Any], Field(examples=[{"old_status": "DRAFT", "new_status": "SUBMITTED"}])]


class AuditPage(BaseModel):
    items: list[AuditEntry]
    next_cursor: str | None
