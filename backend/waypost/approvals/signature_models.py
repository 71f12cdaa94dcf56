"""Signatures kept beside the decisions they were given for; never changed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from waypost.access.assertions import Assertion
from waypost.approvals.statements import Record
from waypost.kernel.db import Base, BigId


class ApprovalSignature(Base):
    """A passkey's signature of one decision: what was signed, and all that is needed to check it (`statements.verify`).

    The public key stands here as it was then, so a passkey may be removed. `event_id` is the event that carries the hash of
    this record in the audit trail. `passkey` is only what its owner called it; the record does without.
    """

    __tablename__ = "approval_signatures"

    id: Mapped[BigId]
    workflow_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("approval_workflows.id", ondelete="CASCADE"))
    step_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("approval_steps.id", ondelete="CASCADE"))
    subject_type: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[int] = mapped_column(BigInteger)
    subject_version: Mapped[int] = mapped_column(Integer)
    decision: Mapped[str] = mapped_column(String(20))
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    statement: Mapped[str] = mapped_column(Text)
    hashes: Mapped[list[str]] = mapped_column(ARRAY(String(64)))
    credential_id: Mapped[bytes] = mapped_column(LargeBinary)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    authenticator_data: Mapped[bytes] = mapped_column(LargeBinary)
    client_data: Mapped[bytes] = mapped_column(LargeBinary)
    signature: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    rp_id: Mapped[str] = mapped_column(Text)
    algorithm: Mapped[int] = mapped_column(Integer)
    passkey: Mapped[str] = mapped_column(String(60), server_default="")
    event_id: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]

    __table_args__ = (
        Index("ix_approval_signatures_workflow", "workflow_id", "id"),
        Index("ix_approval_signatures_step", "step_id", postgresql_where=text("step_id IS NOT NULL")),
        Index("ix_approval_signatures_subject", "subject_type", "subject_id", "id"),
        Index("ix_approval_signatures_user", "user_id"),
        Index("uq_approval_signatures_event", "event_id", unique=True),
    )

    @property
    def record(self) -> Record:
        """As it is checked."""
        return Record(
            decision=self.decision,
            workflow_id=self.workflow_id,
            step_id=self.step_id,
            subject_type=self.subject_type,
            subject_id=self.subject_id,
            user_id=self.user_id,
            statement=self.statement,
            hashes=tuple(self.hashes),
            assertion=Assertion(
                credential_id=self.credential_id,
                public_key=self.public_key,
                authenticator_data=self.authenticator_data,
                client_data=self.client_data,
                signature=self.signature,
                sign_count=self.sign_count,
                rp_id=self.rp_id,
                algorithm=self.algorithm,
            ),
        )
