"""Calling other systems for rules: signed, bounded in time and size, only outside this house, tried again for a day.

Each call is put off to its next try in the moment it is taken, and no session is open while it goes out: a process that
dies leaves it to that try, so a call may come twice with the same `id`, and none is lost.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx2
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.automation.models import AutomationCall, AutomationRule
from waypost.kernel import outgoing
from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.relay import wait_before
from waypost.vendors import answers

TASK = "automation.calls"
BATCH, AT_ONCE = 40, 8
LONGEST = 10.0  # seconds for one call
MOST_ATTEMPTS = 14  # about half a day
MOST_BYTES = 32_768
KEPT = timedelta(days=30)
SIGNATURE = "X-Waypost-Signature"


@dataclass(frozen=True, slots=True)
class Taken:
    """A call on its way."""

    id: int
    attempts: int
    url: str
    secret: str
    body: dict[str, Any]


def signed(secret: str, at: int, body: bytes) -> str:
    """What proves that a call is ours and from now: HMAC-SHA256 of `<seconds>.<body>`."""
    proof = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={proof}"


async def run_due(database: Database) -> bool:
    """Make the calls that are due. True when there may be more."""
    taken = await _take(database)
    if not taken:
        return False
    gate = asyncio.Semaphore(AT_ONCE)
    async with answers.client(transport=outgoing.guarded()) as http:

        async def one(call: Taken) -> tuple[Taken, str | None]:
            async with gate:
                return call, await _bring(http, call)

        done = await asyncio.gather(*(one(call) for call in taken))
    async with database.transaction() as session:
        at = now()
        for call, wrong in done:
            is_over = wrong is None or call.attempts >= MOST_ATTEMPTS
            await session.execute(
                update(AutomationCall)
                .where(AutomationCall.id == call.id, AutomationCall.status == "WAITING")
                .values(
                    status="DONE" if wrong is None else "FAILED" if is_over else "WAITING",
                    last_error=wrong,
                    finished_at=at if is_over else None,
                )
            )
    return len(taken) == BATCH


async def _take(database: Database) -> list[Taken]:
    at = now()
    due = (
        select(AutomationCall, AutomationRule.secret)
        .join(AutomationRule, AutomationRule.id == AutomationCall.rule_id)
        .where(AutomationCall.status == "WAITING", AutomationCall.next_at <= at)
        .order_by(AutomationCall.next_at)
        .limit(BATCH)
        .with_for_update(of=AutomationCall, skip_locked=True)
    )
    async with database.transaction() as session:
        taken = []
        for call, secret in (await session.execute(due)).all():
            call.attempts += 1
            call.next_at = at + max(wait_before(call.attempts), timedelta(seconds=LONGEST * 3))
            taken.append(Taken(call.id, call.attempts, call.url, secret, call.body))
        return taken


async def _bring(http: httpx2.AsyncClient, call: Taken) -> str | None:
    """Make one call; what was in the way, or None."""
    body = json.dumps(call.body, ensure_ascii=False, separators=(",", ":")).encode()
    if len(body) > MOST_BYTES:
        return "the call would be too large"
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Waypost",
        SIGNATURE: signed(call.secret, int(now().timestamp()), body),
    }
    try:
        outgoing.check_url(call.url)
        answer = await answers.ask(http, "POST", call.url, within=LONGEST, content=body, headers=headers)
    except outgoing.NotAllowed as refused:
        return f"the address may not be called: {refused}"
    except (answers.Away, httpx2.HTTPError) as away:
        return str(away)[:300] or type(away).__name__
    return None if 200 <= answer.status < 300 else f"it answered {answer.status}"


async def forget_old(session: AsyncSession) -> None:
    """Remove calls that ended a while ago."""
    await session.execute(delete(AutomationCall).where(AutomationCall.finished_at < now() - KEPT))
