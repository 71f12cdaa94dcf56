"""What is kept beside a ticket while it is worked on: watchers, tags, the checklist, links to other tickets."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base, BigId


class TicketWatcher(Base):
    """Somebody who is told what happens. `gives_sight`: the team let them in, so they see it whatever else they may see."""

    __tablename__ = "ticket_watchers"

    ticket_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"), primary_key=True, autoincrement=False)
    gives_sight: Mapped[bool] = mapped_column(Boolean)
    added_by_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    created_at: Mapped[datetime]

    __table_args__ = (Index("ix_ticket_watchers_user", "user_id", "ticket_id"),)


class TicketTag(Base):
    """A ticket's tags once more, by tag: what the type-ahead walks. `tickets.tags` is what counts."""

    __tablename__ = "ticket_tags"

    tag: Mapped[str] = mapped_column(String(40, collation="C"), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )

    __table_args__ = (Index("ix_ticket_tags_ticket", "ticket_id"),)


class ChecklistItem(Base):
    """One thing to do before a ticket is done."""

    __tablename__ = "checklist_items"

    id: Mapped[BigId]
    ticket_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("tickets.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(Integer)
    text: Mapped[str] = mapped_column(String(300))
    is_done: Mapped[bool] = mapped_column(Boolean)
    done_by_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id"))
    done_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    __table_args__ = (Index("ix_checklist_items_ticket", "ticket_id", "position"),)


class TicketLink(Base):
    """How one ticket stands to another: `from` is the PARENT of `to`, a DUPLICATE of it, BLOCKS it, or RELATES to it."""

    __tablename__ = "ticket_links"

    id: Mapped[BigId]
    kind: Mapped[str] = mapped_column(String(9))
    from_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("tickets.id", ondelete="CASCADE"))
    to_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("tickets.id", ondelete="CASCADE"))
    created_by_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id"))
    created_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("kind IN ('PARENT', 'DUPLICATE', 'BLOCKS', 'RELATES')", name="kind"),
        CheckConstraint("from_id <> to_id", name="two"),
        Index("ix_ticket_links_from", "from_id", "kind", "to_id", unique=True),
        Index("ix_ticket_links_to", "to_id"),
        Index("ix_ticket_links_one_parent", "to_id", unique=True, postgresql_where=text("kind = 'PARENT'")),
    )
