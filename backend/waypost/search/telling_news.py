"""What is new in views, found for those who want to hear of it: the log is followed, behind the index.

Each alert is asked as its owner, by what they may see at that moment; who has left is passed over. What is found is read
first, with no transaction open, and kept in one: a process that dies does a portion twice, and every ticket is told once.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, text, tuple_, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.access.actor import Actor
from waypost.access.queries import actors_of_users
from waypost.directory.models import User
from waypost.kernel.clock import now, zone_of
from waypost.kernel.db import Database
from waypost.kernel.events import SYSTEM, record
from waypost.kernel.logs import get_logger
from waypost.search import policy
from waypost.search.alerting import AT_ONCE, next_digest
from waypost.search.alerts import OUTDATED, keep_matches, seed
from waypost.search.errors import ViewOutdated
from waypost.search.models import SavedView, ViewAlert, ViewAlertMatch
from waypost.search.queries import filters_of
from waypost.tickets.events import TicketRead
from waypost.tickets.listing import listed_among
from waypost.tickets.views_matched import MOST_TOLD, ViewMatched

log = get_logger(__name__)
TASK = "search.alerts"
LOCK = 0x57415F54
BATCH = 500  # events
PORTION = 100  # tickets looked at together
PAGE = 200  # alerts read together
TIMEOUT = 1500  # milliseconds one view may take
A_RUN = 8.0  # seconds; then others have their turn
MOST_IN_DIGEST = 200

_UP_TO = text("SELECT txid::text AS txid, event_id FROM search_progress WHERE id = 1")
_AT = text("SELECT txid::text AS txid, event_id FROM view_alert_progress WHERE id = 1")
_EVENTS = text(
    "SELECT txid::text AS txid, id, type, object_type, object_id, actor_id FROM events"
    " WHERE (txid, id) > (CAST(CAST(:txid AS text) AS xid8), :id)"
    " AND (txid, id) <= (CAST(CAST(:to_txid AS text) AS xid8), :to_id) ORDER BY txid, id LIMIT :most"
)
_MOVE = text(
    "UPDATE view_alert_progress SET txid = CAST(CAST(:txid AS text) AS xid8), event_id = :id"
    " WHERE id = 1 AND (txid, event_id) < (CAST(CAST(:txid AS text) AS xid8), :id)"
)
_TO_THE_END = text(
    "UPDATE view_alert_progress p SET txid = s.txid, event_id = s.event_id FROM search_progress s"
    " WHERE p.id = 1 AND s.id = 1 AND (p.txid, p.event_id) < (s.txid, s.event_id)"
)


@dataclass(slots=True)
class _Portion:
    """What changed, by whom, and how far that is in the log."""

    txid: str
    event_id: int
    changed: dict[int, set[int | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Met:
    """What one alert has met; `own` of it by its owner's own doing: known, and not told."""

    alert: ViewAlert
    ids: list[int]
    own: list[int]


async def run_due(database: Database) -> bool:
    """Tell what is new. True when there is more to do than fits into one run."""
    until = time.monotonic() + A_RUN
    async with database.alone(LOCK) as is_alone:
        if not is_alone:
            return False
        if not await _is_wanted(database):
            return False
        await _seed_due(database)
        more = True
        while more and time.monotonic() < until:
            more = await _step(database)
        await _digests(database)
        return more


async def _is_wanted(database: Database) -> bool:
    """Whether anybody wants to hear of anything; until somebody does, what happens is passed by."""
    async with database.read() as session:
        if await session.scalar(select(ViewAlert.view_id).limit(1)) is not None:
            return True
    async with database.transaction() as session:
        await session.execute(_TO_THE_END)
    return False


# --- what has changed -------------------------------------------------------------------------------------------------


async def _step(database: Database) -> bool:
    async with database.read() as session:
        portion = await _changed(session)
    if portion is None:
        return False
    met = await _met(database, portion) if portion.changed else []
    async with database.transaction() as session:
        for one in met:
            await _keep(session, one)
        await session.execute(_MOVE, {"txid": portion.txid, "id": portion.event_id})
    return True


async def _changed(session: AsyncSession) -> _Portion | None:
    at, to = (await session.execute(_AT)).one(), (await session.execute(_UP_TO)).one()
    bounds = {"txid": at.txid, "id": at.event_id, "to_txid": to.txid, "to_id": to.event_id, "most": BATCH}
    portion = None
    for row in await session.execute(_EVENTS, bounds):
        portion = portion or _Portion(row.txid, row.id)
        portion.txid, portion.event_id = row.txid, row.id
        if row.object_type == "ticket" and row.type != TicketRead.type:
            portion.changed.setdefault(row.object_id, set()).add(row.actor_id)
            if len(portion.changed) >= PORTION:
                break
    return portion


async def _met(database: Database, portion: _Portion) -> list[_Met]:
    """What every alert has met in a portion, asked as its owner."""
    found: list[_Met] = []
    last = (0, 0)
    while True:
        async with database.read() as session:
            page = await _alerts(session, last)
            actors = await actors_of_users(session, sorted({alert.user_id for alert, _ in page}))
        for alert, view in page:
            actor = actors.get(alert.user_id)
            if actor is None or not policy.may_see(actor, view):
                continue
            wanted = [i for i in portion.changed if i > (alert.after_ticket_id or 0)]
            ids = await _listed(database, actor, alert, view, wanted)
            own = [i for i in ids if portion.changed[i] - {None} == {alert.user_id}]
            if ids:
                found.append(_Met(alert, [i for i in ids if i not in own], own))
        if len(page) < PAGE:
            return found
        last = (page[-1][0].user_id, page[-1][0].view_id)


async def _alerts(session: AsyncSession, last: tuple[int, int]) -> Sequence[Any]:
    key = tuple_(ViewAlert.user_id, ViewAlert.view_id)
    rows = await session.execute(
        select(ViewAlert, SavedView)
        .join(SavedView, SavedView.id == ViewAlert.view_id)
        .where(key > last, ViewAlert.is_seeded, ViewAlert.why.is_(None))
        .order_by(ViewAlert.user_id, ViewAlert.view_id)
        .limit(PAGE)
    )
    return rows.all()


async def _listed(database: Database, actor: Actor, alert: ViewAlert, view: SavedView, ids: Sequence[int]) -> list[int]:
    """Those of some tickets that the view shows them now. One that cannot be read any more waits until it is changed."""
    try:
        async with database.limited_read(TIMEOUT, by_index=True) as session:
            return sorted(await listed_among(session, actor, await filters_of(session, actor, view), ids))
    except ViewOutdated:
        why = OUTDATED
    except DBAPIError as wrong:
        log.error("a view with an alert cannot be asked", view_id=view.id, user_id=actor.user_id, why=str(wrong.orig))
        why = "failed"
    await _stop(database, alert, why)
    return []


async def _stop(database: Database, alert: ViewAlert, why: str) -> None:
    async with database.transaction() as session:
        await session.execute(update(ViewAlert).filter_by(user_id=alert.user_id, view_id=alert.view_id).values(why=why))


async def _keep(session: AsyncSession, met: _Met) -> None:
    whose = await session.get(ViewAlert, (met.alert.user_id, met.alert.view_id), with_for_update={"key_share": True})
    if whose is None:  # ended meanwhile
        return
    await keep_matches(session, whose.user_id, whose.view_id, met.own, told=True)
    news = await keep_matches(session, whose.user_id, whose.view_id, met.ids, told=whose.how == AT_ONCE)
    if news and whose.how == AT_ONCE:
        await _say(session, whose, news)


async def _say(session: AsyncSession, alert: ViewAlert, ids: list[int]) -> None:
    matched = ViewMatched(
        view_id=alert.view_id,
        user_id=alert.user_id,
        how=alert.how,
        ticket_ids=tuple(ids[:MOST_TOLD]),
        count=len(ids),
    )
    await record(session, matched, actor=SYSTEM)


# --- digests, and what is known from the start ------------------------------------------------------------------------


async def _digests(database: Database) -> None:
    """The digests whose time has come: what still stands in the view of who is told."""
    async with database.read() as session:
        due = select(ViewAlert.user_id, ViewAlert.view_id).where(ViewAlert.next_at <= now())
        keys = (await session.execute(due.order_by(ViewAlert.next_at).limit(PAGE))).all()
    for user_id, view_id in keys:
        async with database.transaction() as session:
            await _digest(session, user_id, view_id)


async def _digest(session: AsyncSession, user_id: int, view_id: int) -> None:
    alert = await session.get(ViewAlert, (user_id, view_id), with_for_update={"key_share": True})
    at = now()
    if alert is None or alert.next_at is None or alert.next_at > at:
        return
    zone = await session.scalar(select(User.timezone).where(User.id == user_id))
    alert.next_at = next_digest(alert.how, at, zone_of(zone or "UTC"))
    view = await session.get_one(SavedView, view_id)
    actor = (await actors_of_users(session, [user_id])).get(user_id)
    waiting = (
        ViewAlertMatch.user_id == user_id,
        ViewAlertMatch.view_id == view_id,
        ViewAlertMatch.told_at.is_(None),
    )
    newest = select(ViewAlertMatch.ticket_id).where(*waiting).order_by(ViewAlertMatch.ticket_id.desc())
    ids = (await session.scalars(newest.limit(MOST_IN_DIGEST))).all()
    if actor is None or not ids:  # who has left hears of it should they come back
        return
    if policy.may_see(actor, view):
        try:
            kept = await listed_among(session, actor, await filters_of(session, actor, view), ids)
        except ViewOutdated:
            alert.why = OUTDATED
            return
        if kept:
            await _say(session, alert, sorted(kept, reverse=True))
    await session.execute(update(ViewAlertMatch).where(*waiting).values(told_at=at))


async def _seed_due(database: Database) -> None:
    """Views that ask for something else now: what they show is known, and only what comes is news."""
    async with database.read() as session:
        due = (
            select(ViewAlert)
            .join(User, User.id == ViewAlert.user_id)
            .where(ViewAlert.is_seeded.is_(False), ViewAlert.why.is_(None), User.is_active)
        )
        rows = (await session.scalars(due.order_by(ViewAlert.view_id, ViewAlert.user_id).limit(PAGE))).all()
        actors = await actors_of_users(session, sorted({row.user_id for row in rows}))
    for alert in rows:
        if (actor := actors.get(alert.user_id)) is None:
            continue
        try:
            async with database.transaction() as session:
                view = await session.get_one(SavedView, alert.view_id)
                if policy.may_see(actor, view):
                    await seed(session, actor, view)
        except ViewOutdated:
            await _stop(database, alert, OUTDATED)
