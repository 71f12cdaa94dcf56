"""`Idempotency-Key`: the same key and body within 24 hours answers the first answer again (contract, Conventions).

The key is claimed in the transaction that does the work and the answer is stored in it, so of two parallel requests
the second waits for the first and then answers the same; a crash before the commit leaves neither work nor key. After
draft-ietf-httpapi-idempotency-key-header-07: another body with a used key is 422.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Depends, Header, Request, Response
from sqlalchemy import BigInteger, Index, LargeBinary, SmallInteger, String, delete, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from waypost.kernel.clock import now
from waypost.kernel.db import Base
from waypost.kernel.errors import FieldError, Invalid
from waypost.kernel.sealing import SealedBytes

LIFE = timedelta(hours=24)


class KeyReused(Invalid):
    """This Idempotency-Key was used with another request. Use a new key."""

    code = "idempotency_key_reused"
    needs_guard = True


class IdempotencyRow(Base):
    """A key a person used, with the answer it got, sealed: it holds whatever was told. Removed after 24 hours."""

    __tablename__ = "idempotency_keys"

    person_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int | None] = mapped_column(SmallInteger)
    headers: Mapped[dict[str, str] | None] = mapped_column(JSONB)
    body: Mapped[bytes | None] = mapped_column(SealedBytes("idempotency_keys.body"))
    created_at: Mapped[datetime]

    __table_args__ = (Index("ix_idempotency_keys_created_at", "created_at"),)


class Once:
    """Does a request's work once per key. Without a key it just does it."""

    def __init__(self, request: Request, key: str | None) -> None:
        self.request = request
        self.key = key

    async def answer(
        self,
        session: AsyncSession,
        person_id: int,
        work: Callable[[], Awaitable[Response]],
        *,
        content: bytes | None = None,
    ) -> Response:
        """The work's answer, or the first one when this person used the key before. Raises `KeyReused`.

        `content` stands for a body that was read as a stream: what makes it the same one.
        """
        if self.key is None:
            return await work()
        url = self.request.url
        body = await self.request.body() if content is None else content
        seen = f"{self.request.method} {url.path}{f'?{url.query}' if url.query else ''}\n".encode() + body
        fingerprint = hashlib.sha256(seen).digest()
        at = now()
        claim = (
            insert(IdempotencyRow)
            .values(person_id=person_id, key=self.key, fingerprint=fingerprint, created_at=at)
            .on_conflict_do_update(
                index_elements=["person_id", "key"],
                set_={"fingerprint": fingerprint, "created_at": at, "status": None, "headers": None, "body": None},
                where=IdempotencyRow.created_at < at - LIFE,
            )
            .returning(IdempotencyRow.key)
        )
        if await session.scalar(claim) is None:
            first = await session.scalar(
                select(IdempotencyRow).where(IdempotencyRow.person_id == person_id, IdempotencyRow.key == self.key)
            )
            if first is None or first.fingerprint != fingerprint or first.status is None:
                raise KeyReused(errors=(FieldError("Idempotency-Key", "was used with another request"),))
            return Response(
                first.body,
                first.status,
                {**(first.headers or {}), "Idempotency-Replayed": "true"},
                media_type="application/json",
            )
        response = await work()
        kept = {k: v for k, v in response.headers.items() if k in ("etag", "location")}
        await session.execute(
            update(IdempotencyRow)
            .where(IdempotencyRow.person_id == person_id, IdempotencyRow.key == self.key)
            .values(status=response.status_code, headers=kept, body=bytes(response.body))
        )
        return response


def _once(
    request: Request,
    given: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            min_length=1,
            max_length=255,
            pattern=r"^[\x21-\x7e]+$",
            description="Same key and body within 24 h: the first answer again.",
        ),
    ] = None,
) -> Once:
    return Once(request, given)


OnceOnly = Annotated[Once, Depends(_once)]


async def forget_old_keys(session: AsyncSession) -> None:
    """Remove keys older than 24 hours."""
    await session.execute(delete(IdempotencyRow).where(IdempotencyRow.created_at < now() - LIFE))
