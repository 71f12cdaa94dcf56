"""What people were refused is kept, for who looks for somebody trying doors; the same door once in five minutes.

So is a signature that is none, each. It is written when the request's own transaction is over: who waits for a lock beside
others must not need a second connection while they hold the first.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta

from fastapi import Request

from waypost.access import signing
from waypost.access.actor import Actor
from waypost.access.deps import caller_of
from waypost.access.errors import SignatureRefused
from waypost.access.events import AccessDenied
from waypost.kernel.clock import now
from waypost.kernel.db import database
from waypost.kernel.errors import Kind, Refusal
from waypost.kernel.events import record
from waypost.kernel.logs import get_logger

log = get_logger(__name__)
AGAIN_AFTER = timedelta(minutes=5)
MOST_REMEMBERED = 10_000
_told: OrderedDict[tuple[int, str, str, str], datetime] = OrderedDict()


async def note_denied(request: Request, refusal: Refusal) -> None:
    """Keep that the person behind this request was refused something that is there, but not theirs to do, or came with a
    signature that is none."""
    actor: Actor | None = getattr(request.state, "actor", None)
    if actor is None:
        return
    if isinstance(refusal, SignatureRefused):
        try:
            await signing.note_refused(database(), caller_of(request), actor)
        except Exception:  # as below
            log.exception("a refused signature could not be kept")
        return
    if refusal.kind is not Kind.FORBIDDEN:
        return
    path = str(getattr(request.scope.get("route"), "path", ""))[:200]
    at, key = now(), (actor.user_id, request.method, path, refusal.code)
    last = _told.get(key)
    if last is not None and abs(at - last) < AGAIN_AFTER:
        return
    _told[key] = at
    while len(_told) > MOST_REMEMBERED:
        _told.popitem(last=False)
    denied = AccessDenied(
        user_id=actor.user_id,
        method=request.method,
        path=path,
        code=refusal.code,
        detail=str(refusal.detail)[:200],
        ip_address=caller_of(request).ip_address,
    )
    try:
        async with database().transaction() as session:
            await record(session, denied, actor=actor, at=at)
    except Exception:  # the refusal stands, whether it can be written down or not; that it could not is an alarm
        log.exception("a refusal could not be kept")
