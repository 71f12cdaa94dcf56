"""What full-text search looks at, apart from the wide rows of tickets, and how far it has come."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, LargeBinary, SmallInteger, String, Text, func
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.db import Base
from waypost.kernel.events import Xid8


class SearchDocument(Base):
    """All texts of a ticket for one audience: what everybody on it reads, or (`is_inner`) that and the team's own words.

    The inner one is there only where the team said something. `is_fullest` is the one for those who read both. `marks`
    narrow a search inside the index: a hundred tickets made side by side, whose they are, the team's, the department's.
    """

    __tablename__ = "search_documents"

    ticket_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    is_inner: Mapped[bool] = mapped_column(Boolean, primary_key=True)
    is_fullest: Mapped[bool] = mapped_column(Boolean)
    language: Mapped[str] = mapped_column(String(8))
    words: Mapped[Any] = mapped_column(TSVECTOR)
    marks: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))

    __table_args__ = (Index("ix_search_documents_words", "words", "marks", postgresql_using="gin"),)


class SearchPending(Base):
    """A ticket whose texts changed by something that is not in its own history, such as somebody's name."""

    __tablename__ = "search_pending"

    ticket_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)


class SearchProgress(Base):
    """How far the index has come: in the log (`txid`, `event_id`), and downwards through the tickets when it is filled anew.

    `fill_below` is the ticket above which all are in; NULL when all are. `at` counts as the last look at the log.
    """

    __tablename__ = "search_progress"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    txid: Mapped[str] = mapped_column(Xid8)
    event_id: Mapped[int] = mapped_column(BigInteger)
    fill_below: Mapped[int | None] = mapped_column(BigInteger)
    filled: Mapped[int] = mapped_column(BigInteger, server_default="0")
    words_at: Mapped[datetime | None]


class SearchWord(Base):
    """A word that stands in several of the newest tickets: what a mistyped one may have meant."""

    __tablename__ = "search_words"

    word: Mapped[str] = mapped_column(Text, primary_key=True)
    documents: Mapped[int] = mapped_column(Integer)

    __table_args__ = (Index("ix_search_words_letters", sql("word gin_trgm_ops"), postgresql_using="gin"),)


class AttachmentText(Base):
    """The text of a file, read once by the worker. `state`: WAITING, READ, EMPTY (it has none), or FAILED for good.

    It stands in `sealed` (`file_texts.py`); `text` holds what an earlier release kept in the open, until it is sealed.
    """

    __tablename__ = "attachment_texts"

    attachment_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("attachments.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    state: Mapped[str] = mapped_column(String(8))
    text: Mapped[str] = mapped_column(Text, server_default="")
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    is_cut: Mapped[bool] = mapped_column(Boolean, server_default="false")
    why: Mapped[str | None] = mapped_column(String(200))
    tries: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    next_at: Mapped[datetime | None] = mapped_column(server_default=func.now())

    __table_args__ = (
        Index("ix_attachment_texts_waiting", "next_at", postgresql_where=sql("state = 'WAITING'")),
        Index("ix_attachment_texts_open", "attachment_id", postgresql_where=sql("text <> ''")),
    )
