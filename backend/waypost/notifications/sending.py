"""Sending what is due, by every channel: taken, sent without a transaction open, then marked sent, tried again, or
given up.

Channels go side by side, each with one sender at a time: while one system is slow or away, the others are served. What
a sender takes is put off to its next try in the same moment, so a sender that dies leaves everything to the next one.
A system that is away or refuses us is left alone for a while (`ChannelSettings.open_until`), then tried with one message.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from waypost.kernel.clock import now
from waypost.kernel.db import Database
from waypost.kernel.events import SYSTEM, record
from waypost.kernel.logs import get_logger
from waypost.kernel.relay import wait_before
from waypost.notifications import capping, settling, still_theirs
from waypost.notifications.accounts import keep_point, note_used
from waypost.notifications.channels import Capped, Channel, Config, Message
from waypost.notifications.channels.registry import CHANNELS, config_of
from waypost.notifications.choices import EMAIL
from waypost.notifications.events import ChannelFailed
from waypost.notifications.incoming import answerable
from waypost.notifications.kinds import OPENS_ONCE
from waypost.notifications.layouts import LAYOUT
from waypost.notifications.models import ChannelSettings, ContactPoint, Delivery
from waypost.notifications.rendering import one_line
from waypost.notifications.texts import layout_in_force
from waypost.notifications.words import words_of
from waypost.vendors.fates import Delivered, Fate, Misconfigured, Rejected, TryLater

log = get_logger(__name__)
BATCH = 20
PUT_OFF = 3  # the wait, as of a third try, after which what a sender took and did not live to speak of is taken again
MOST_AT_ONCE = 50  # notices in one message
LONGEST_RUN = 60.0  # seconds after which a run ends, however much there is to send
MAX_ATTEMPTS = 60  # with waits that double up to an hour, two days of a system being away
LONGEST_PAUSE = timedelta(minutes=5)
WORTH_TELLING = 6  # failures in a row after which administrators are told
LOOK = 1.0  # seconds between two looks for other channels' messages while one is being sent
LONGEST_WATCH = 240.0  # seconds after which no channel is begun any more: the worker ends a task at ten minutes
SENDING_LOCK = 0x57415960  # and those behind it, one for each channel
SENDER_LOCK = SENDING_LOCK + 1


@dataclass(frozen=True, slots=True)
class Letter:
    """A message taken to be sent, and the deliveries it is made of."""

    ids: tuple[int, ...]
    attempts: int
    message: Message


async def send_due(database: Database) -> int:
    """Send what is due, batch by batch; returns how many messages were tried.

    One process sends for all: while a slow system holds up its own channel here, what comes due for the others is sent
    meanwhile, and no second process of the worker's ends up waiting as well. Where one is at it, this returns at once.
    """
    tried, began = 0, time.monotonic()
    looked = began - LOOK
    running: dict[str, asyncio.Task[int]] = {}
    async with database.alone(SENDING_LOCK) as is_alone:
        try:
            while is_alone:
                tick = time.monotonic()
                is_time = tick - looked >= LOOK and tick - began < LONGEST_WATCH
                if is_time and (running or looked < began):
                    looked = tick
                    for number, channel in await _due(database):
                        if channel.key not in running:
                            running[channel.key] = asyncio.create_task(_run(database, number, channel))
                if not running:
                    break
                done, _ = await asyncio.wait(
                    running.values(), timeout=looked + LOOK - tick, return_when=asyncio.FIRST_COMPLETED
                )
                for key in [key for key, task in running.items() if task in done]:
                    tried += _result(key, running.pop(key))
        finally:
            for task in running.values():
                task.cancel()
            await asyncio.gather(*running.values(), return_exceptions=True)
    return tried


def _result(key: str, task: asyncio.Task[int]) -> int:
    """How many a channel's run tried. A defect in one is no other channel's business."""
    if (error := task.exception()) is None:
        return task.result()
    if not isinstance(error, Exception):
        raise error
    log.error("a channel's sender failed", channel=key, exc_info=error)
    return 0


async def _due(database: Database) -> list[tuple[int, Channel]]:
    """The channels for which something is due, and which are not left alone."""
    at = now()
    async with database.read() as session:
        waiting = select(Delivery.channel).where(Delivery.status == "PENDING", Delivery.next_at <= at).distinct()
        due = set(await session.scalars(waiting))
        shut = select(ChannelSettings.key).where(ChannelSettings.open_until > at)
        due -= set(await session.scalars(shut))
    return [(n, c) for n, c in enumerate(CHANNELS.values()) if c.key in due]


async def _run(database: Database, number: int, channel: Channel) -> int:
    tried, began = 0, time.monotonic()
    async with database.alone(SENDER_LOCK + number) as is_alone:
        while is_alone and time.monotonic() - began < LONGEST_RUN:
            async with database.read() as session:
                row = await session.get(ChannelSettings, channel.key)
                config, failures = config_of(row), row.failures if row else 0
                if channel.key == EMAIL:
                    config = {**config, LAYOUT: await layout_in_force(session)}
            letters = await take(database, channel.key, BATCH if not failures else 1)
            if letters is None:
                break
            sent, has_trouble = await _send(database, channel, config, letters, is_probe=failures > 0)
            tried += sent
            if has_trouble:
                break  # the rest is due at the next timer
    return tried


async def _send(
    database: Database, channel: Channel, config: Config, letters: list[Letter], *, is_probe: bool
) -> tuple[int, bool]:
    """How many were tried, and whether it is better to stop for now."""
    letters, held = await _within_caps(database, channel, config, letters)
    too_many = [letter for letter, fate in held if isinstance(fate, Misconfigured)]
    for letter, fate in held:
        if letter not in too_many[1:]:
            await _mark(database, channel.key, letter, fate, is_probe=False)
    await _give_back(database, too_many[1:])
    has_trouble = bool(too_many)
    async with aclosing(channel.send(config, [letter.message for letter in letters])) as fates:
        for n, letter in enumerate(letters):
            if n and channel.pace:
                await asyncio.sleep(channel.pace)
            fate = await anext(fates)
            # at once: whoever ends this process must not make others send again what has arrived
            await _mark(database, channel.key, letter, fate, is_probe=is_probe)
            has_trouble = has_trouble or isinstance(fate, (TryLater, Misconfigured))
            if isinstance(fate, Misconfigured) or (isinstance(fate, TryLater) and fate.for_all):
                await _give_back(database, letters[n + 1 :])
                return n + 1, True
    return len(letters) + len(held), has_trouble


async def _within_caps(
    database: Database, channel: Channel, config: Config, letters: list[Letter]
) -> tuple[list[Letter], list[tuple[Letter, Fate]]]:
    """What may go out, and what may not by a channel that costs money, each with why."""
    if not isinstance(channel, Capped):
        return letters, []
    refused = await capping.over(database, channel, channel.caps(config), [letter.message for letter in letters])
    held = [(letter, fate) for letter, fate in zip(letters, refused, strict=True) if fate is not None]
    return [letter for letter, fate in zip(letters, refused, strict=True) if fate is None], held


async def take(database: Database, key: str, most: int = BATCH) -> list[Letter] | None:
    """The next letters of a channel; None when nothing is due. Those of a bundle are taken whole, due or not."""
    at = now()
    waiting = (Delivery.channel == key, Delivery.status == "PENDING")
    async with database.transaction() as session:
        rows = list(
            await session.scalars(
                select(Delivery)
                .where(*waiting, Delivery.next_at <= at)
                .order_by(Delivery.is_urgent.desc(), Delivery.next_at, Delivery.id)
                .limit(most)
                .with_for_update()
            )
        )
        if not rows:
            return None
        groups = await _with_their_bundles(session, rows, waiting)
        gone = await still_theirs.not_theirs(session, [row for group in groups for row in group])
        for row in (row for group in groups for row in group if row.id in gone):
            row.status, row.last_error = "FAILED", still_theirs.WHY
            row.words = {k: v for k, v in row.words.items() if k != "decide_link"}
        groups = [kept for group in groups if (kept := [row for row in group if row.id not in gone])]
        for group in groups:
            for row in group:
                row.attempts += 1
                row.next_at = at + wait_before(min(row.attempts, PUT_OFF))
                if row.bundle and "#" not in row.bundle:  # closed: what comes now makes a message of its own
                    row.bundle = f"{row.bundle}#{group[0].id}"
        return [_letter(group) for group in groups]


async def _with_their_bundles(session: AsyncSession, rows: list[Delivery], waiting: Any) -> list[list[Delivery]]:
    """Rows that go out together, in the order of the first of each."""
    names = {(r.user_id, r.bundle) for r in rows if r.bundle}
    if not names:
        return [[row] for row in rows]
    same = tuple_(Delivery.user_id, Delivery.bundle).in_(names)
    bundled = await session.scalars(select(Delivery).where(*waiting, same).order_by(Delivery.id).with_for_update())
    members: dict[tuple[int | None, str, str | None], list[Delivery]] = {}
    for row in bundled:
        members.setdefault((row.user_id, row.recipient, row.bundle), []).append(row)
    groups: list[list[Delivery]] = []
    for row in rows:
        if row.bundle is None:
            groups.append([row])
            continue
        whole = members.pop((row.user_id, row.recipient, row.bundle), [])
        groups += [whole[n : n + MOST_AT_ONCE] for n in range(0, len(whole), MOST_AT_ONCE)]
    return groups


def _letter(rows: list[Delivery]) -> Letter:
    first = rows[0]
    notices = tuple(words_of(row.words) for row in rows)
    message = Message(
        id=first.message_id,
        user_id=first.user_id,
        recipient=first.recipient,
        subject=first.subject if len(rows) == 1 else one_line(_title(rows)),
        notices=notices,
        headers=answerable.of_all([row.headers for row in rows]),
        bundle=first.bundle,
        is_urgent=first.is_urgent,
        ref=first.provider_ref,
        attempt=first.attempts,
        since=first.created_at,
        delivery_id=first.id,
    )
    return Letter(tuple(row.id for row in rows), first.attempts, message)


def _title(rows: list[Delivery]) -> str:
    """Of a request's updates the one that tells most (the newest that is more than a comment) and how many more there
    are; of a summary only their number."""
    if (rows[0].bundle or "").startswith("ticket:"):
        tells = next((row for row in reversed(rows) if row.kind != "comment.created"), rows[-1])
        return f"{tells.subject[:150]} (and {len(rows) - 1} more)"
    return f"{len(rows)} updates from Waypost"


async def _give_back(database: Database, letters: list[Letter]) -> None:
    """What was taken but not tried is due as before."""
    ids = [i for letter in letters for i in letter.ids]
    if ids:
        async with database.transaction() as session:
            back = {"attempts": Delivery.attempts - 1, "next_at": now()}
            await session.execute(update(Delivery).where(Delivery.id.in_(ids)).values(**back))


async def _mark(database: Database, channel: str, letter: Letter, fate: Fate, *, is_probe: bool) -> None:
    at = now()
    values: dict[str, Any]
    if isinstance(fate, Delivered):
        values = {"status": "SENT", "sent_at": at, "last_error": None, "provider_ref": fate.ref or None}
        values["segments"] = fate.segments
    elif isinstance(fate, Rejected) or letter.attempts >= MAX_ATTEMPTS:
        values = {"status": "FAILED", "last_error": fate.why}
        log.error("message given up", channel=channel, delivery_ids=letter.ids, why=fate.why)
    else:
        wait = wait_before(letter.attempts)
        if isinstance(fate, TryLater) and fate.after is not None:
            wait = max(wait, fate.after)
        values = {"next_at": at + wait, "last_error": fate.why}
        log.warning("message postponed", channel=channel, delivery_ids=letter.ids, why=fate.why)
    if "status" in values:  # a link to decide by is the reader's alone from now on, or nobody's
        rest = Delivery.words.op("-")("decide_link")
        values["words"] = case((Delivery.kind.in_(OPENS_ONCE), rest.op("-")("link")), else_=rest)
    async with database.transaction() as session:
        # its network may have said already that it did not arrive
        mine = (Delivery.id.in_(letter.ids), Delivery.status != "FAILED")
        await session.execute(update(Delivery).where(*mine).values(**values))
        if isinstance(fate, Rejected) and fate.is_gone:
            gone = (ContactPoint.channel == channel, ContactPoint.address == letter.message.recipient)
            await session.execute(update(ContactPoint).where(*gone).values(stopped_at=at))
            # who was looked for by mail address and not found, is not looked for again for a while
            if letter.message.user_id is not None and letter.message.ref is None and "@" in letter.message.recipient:
                await keep_point(session, letter.message.user_id, channel, letter.message.recipient, stopped_at=at)
        if isinstance(fate, Delivered):
            if fate.address and letter.message.user_id is not None:
                learned = {"verified_at": at, "stopped_at": None}
                await keep_point(session, letter.message.user_id, channel, fate.address, **learned)
            if letter.message.user_id is not None and channel != EMAIL:
                await note_used(session, letter.message.user_id, channel, fate.address or letter.message.recipient, at)
            if any(notice.decide for notice in letter.message.notices):
                await settling.catch_up(session, letter.ids, at)
        if isinstance(fate, Misconfigured) or (isinstance(fate, TryLater) and fate.for_all):
            await _pause(session, channel, fate, at)
        elif is_probe:
            await session.execute(
                update(ChannelSettings)
                .where(ChannelSettings.key == channel)
                .values(failures=0, open_until=None, worked_at=at)
            )


async def _pause(session: AsyncSession, key: str, fate: TryLater | Misconfigured, at: datetime) -> None:
    """Leave the system alone for a while, longer each time; administrators hear of what does not pass by itself."""
    row = await session.get(ChannelSettings, key, with_for_update=True)
    failures = min((row.failures if row else 0) + 1, 30)
    pause = min(timedelta(seconds=2.0 ** min(failures, 12)), LONGEST_PAUSE)
    if isinstance(fate, TryLater) and fate.after is not None:
        pause = max(pause, min(fate.after, timedelta(hours=1)))
    values = {"failures": failures, "open_until": at + pause, "last_error": fate.why[:500], "failed_at": at}
    await session.execute(
        insert(ChannelSettings)
        .values(key=key, updated_at=at, **values)
        .on_conflict_do_update(index_elements=["key"], set_=values)
    )
    worth_telling = 1 if isinstance(fate, Misconfigured) else WORTH_TELLING
    if failures == worth_telling:
        await record(session, ChannelFailed(channel=key, why=fate.why[:500]), actor=SYSTEM, at=at)
