"""Standing delegations, and the rights they give."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    String,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base, BigId


class ApprovalDelegation(Base):
    """One person lets another decide for them: from `starts_at` up to but not including `ends_at`.

    `field_kinds` are the form fields its condition speaks of. `begun_at` is when both were told that it began.
    `absence_id` is the absence it was made with, which may be gone.
    """

    __tablename__ = "approval_delegations"

    id: Mapped[BigId]
    delegator_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    delegate_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(String(500), server_default="")
    condition: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    field_kinds: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    amount_up_to: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    include_waiting: Mapped[bool] = mapped_column(Boolean, server_default="true")
    absence_id: Mapped[int | None] = mapped_column(BigInteger)
    created_by_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    created_at: Mapped[datetime]
    begun_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(Integer, server_default="1")

    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="window"),
        CheckConstraint("delegate_id <> delegator_id", name="not_oneself"),
        Index("ix_approval_delegations_delegator", "delegator_id", "id"),
        Index("ix_approval_delegations_delegate", "delegate_id", "id"),
        Index("ix_approval_delegations_absence", "absence_id"),
        Index("ix_approval_delegations_live", "ends_at", "id", postgresql_where=text("cancelled_at IS NULL")),
    )


class ApprovalDeputy(Base):
    """A right that delegations give, one by one or in a chain, worked out when they are written (`deputies.rights`).

    `scope` is a JSON path over a workflow's kept facts, NULL when it covers everything; `through_ids` are those between
    the two. Nothing is written here when a window opens or ends: whoever reads compares with the clock.
    """

    __tablename__ = "approval_deputies"

    id: Mapped[BigId]
    approver_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
    deputy_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    asked_from: Mapped[datetime | None]
    scope: Mapped[str | None] = mapped_column(Text)
    delegation_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    through_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{}")

    __table_args__ = (
        Index("ix_approval_deputies_deputy", "deputy_id", "ends_at"),
        Index("ix_approval_deputies_approver", "approver_id", "ends_at"),
    )
