"""Work on many things, one after another: each is done and marked in one transaction, exactly once.

A job is a row, and a row for each thing it is to be done with. A worker that dies leaves the rest to the next one and
repeats nothing; what is refused says why, and stops none of the others. What is done is a room's own affair.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.errors import Refusal
from waypost.kernel.logs import get_logger

log = get_logger(__name__)
TURN = 5.0  # seconds a worker process gives to jobs at a time
ROUND = 100  # things of one job before the next one has its turn
DEFECT = {"code": "internal_error", "detail": "Something went wrong on our side."}


class Rehearsed(Exception):
    """Ends a rehearsal, so that nothing of it is kept."""


@dataclass(frozen=True, slots=True)
class Jobs:
    """Jobs of one kind. `job` has `status`, `total`, `done`, `failed`, `finished_at`; `item` has `job_id`, `position`,
    `status`, `error`, and what it is about in the column `about`.

    `work` does it with one item and says what to keep on its row; whatever it refuses is the item's `error`.
    """

    job: type[Any]
    item: type[Any]
    about: str
    work: Callable[[AsyncSession, Any, Any], Awaitable[Mapping[str, Any]]]

    async def begin(self, session: AsyncSession, job: Any, items: list[dict[str, Any]]) -> None:
        """Write down what is to be done: a job that has its own values, and its items in their order."""
        job.status, job.total, job.done, job.failed = "RUNNING", len(items), 0, 0
        job.created_at, job.finished_at = now(), None
        session.add(job)
        await session.flush()
        rows = [{**item, "job_id": job.id, "position": n, "status": "PENDING"} for n, item in enumerate(items)]
        await session.execute(insert(self.item), rows)

    async def retry(self, session: AsyncSession, job: Any) -> None:
        """Let what failed be tried again. The caller holds the job's lock."""
        failed = (self.item.job_id == job.id, self.item.status == "FAILED")
        again = await session.execute(
            update(self.item)
            .where(*failed)
            .values(status="PENDING", error=None)
            .returning(getattr(self.item, self.about))
        )
        if count := len(again.all()):
            job.failed -= count
            job.status, job.finished_at = "RUNNING", None
        await session.flush()

    async def run(self, database: Database, job_id: int) -> None:
        """Do what is left of a job; several at once share it. Ends when nothing is left that nobody else holds."""
        while await self._one(database, job_id):
            pass

    async def run_due(self, database: Database, *, seconds: float = TURN) -> int:
        """Go on with the jobs that are not finished, in turns; returns how many things were done.

        It ends after some seconds, so that mails and everything else the worker does have their turn too, and when
        others hold all that is left.
        """
        done, in_round, last, until = 0, 0, 0, time.monotonic() + seconds
        while time.monotonic() < until:
            running = select(self.job.id).where(self.job.status == "RUNNING", self.job.id > last)
            async with database.read() as session:
                following = await session.scalar(running.order_by(self.job.id).limit(1))
            if following is None:
                if not in_round:
                    break
                last = in_round = 0
                continue
            last = following
            for _ in range(ROUND):
                if time.monotonic() >= until or not await self._one(database, following):
                    break
                done, in_round = done + 1, in_round + 1
        return done

    async def finished(self, database: Database, job_id: int) -> None:
        """Do the job here and now, and wait for what others hold of it."""
        while True:
            await self.run(database, job_id)
            async with database.read() as session:
                if await session.scalar(select(self.job.status).where(self.job.id == job_id)) != "RUNNING":
                    return
            await asyncio.sleep(0.05)

    async def _one(self, database: Database, job_id: int) -> bool:
        async with database.transaction() as session:
            waiting = select(self.item).where(self.item.job_id == job_id, self.item.status == "PENDING")
            item = await session.scalar(
                waiting.order_by(self.item.position).limit(1).with_for_update(skip_locked=True, of=self.item)
            )
            if item is None:
                await self._finish(session, job_id)
                return False
            job, about = await session.get_one(self.job, job_id), getattr(item, self.about)
            kept: Mapping[str, Any]
            try:
                async with session.begin_nested():
                    kept = await self.work(session, job, item)
            except Refusal as refused:
                status, kept = "FAILED", {"error": {"code": refused.code, "detail": refused.detail}}
            except Exception:  # a defect must not stop the others, nor be tried for ever
                log.exception("item of a job failed", kind=self.job.__tablename__, job_id=job_id, about=about)
                status, kept = "FAILED", {"error": DEFECT}
            else:
                status = "DONE"
            mine = (self.item.job_id == job_id, getattr(self.item, self.about) == about)
            await session.execute(
                update(self.item)
                .where(*mine)
                .values(status=status, **kept)
                .execution_options(synchronize_session=False)
            )
            counted = self.job.done if status == "DONE" else self.job.failed
            await session.execute(
                update(self.job)
                .where(self.job.id == job_id)
                .values({counted: counted + 1})
                .execution_options(synchronize_session=False)
            )
            return True

    async def _finish(self, session: AsyncSession, job_id: int) -> None:
        left = select(self.item.job_id).where(self.item.job_id == job_id, self.item.status == "PENDING").exists()
        await session.execute(
            update(self.job)
            .where(self.job.id == job_id, self.job.status == "RUNNING", ~left)
            .values(status="FINISHED", finished_at=now())
        )
