"""Reading one mailbox: mail by mail into the store, then out of its folder, then waiting for the next.

The order is what keeps a mail from being lost or taken twice: it is stored with its row, and only after that commit it
leaves the folder. Whatever ends in between finds it in the folder again, and knows it.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, TypeVar, cast

import httpx2
from sqlalchemy import update

from waypost.kernel.clock import now
from waypost.kernel.crypto import Damaged
from waypost.kernel.db import Database
from waypost.kernel.logs import get_logger
from waypost.kernel.outgoing import NotAllowed, resolve_host
from waypost.kernel.settings import get_settings
from waypost.notifications.incoming import standing
from waypost.notifications.incoming.models import Mailbox
from waypost.notifications.incoming.secrets import unseal
from waypost.notifications.incoming.storing import Came, known_uids, take_in
from waypost.vendors import imap
from waypost.vendors.object_store import StoreFailed

log = get_logger(__name__)
Result = TypeVar("Result")
PROCESSED, FAILED = "Processed", "Failed"
IDLE = 240.0  # seconds after which waiting begins anew: networks forget connections on which nothing is said
POLL = 30.0  # seconds between two looks where the server does not say by itself that something came
MOST_TRIES = 4  # of fetching one mail, after which it is left where it is and written down
MOST_AT_ONCE = 200  # mails between two looks at the folder


class WrongSettings(Exception):
    """Nothing can be read until somebody changes something; `str()` says what, for people."""


async def server_of(box: Mailbox, password: str | None = None) -> imap.Server:
    """Where to read a mailbox, with its own password or another.

    Raises `WrongSettings`, or `imap.Away` when its name cannot be looked up.
    """
    try:
        password = unseal(box) if password is None else password
    except Damaged as damaged:
        raise WrongSettings("its password cannot be opened any more; enter it anew") from damaged
    try:
        address = await resolve_host(box.host, box.port)
    except NotAllowed as inside:
        raise WrongSettings(f"{inside}; networks that may be called are named in OUTGOING_ALLOW") from inside
    except httpx2.ConnectError as unknown:
        raise imap.Away(str(unknown)) from unknown
    security = cast(Literal["tls", "starttls"], box.security)
    ca_file = get_settings().imap_ca_file
    return imap.Server(box.host, address, box.port, security, box.username, password or "", ca_file)


class Reader:
    """Reads one mailbox as it is set up now, until `stop`."""

    def __init__(self, database: Database, box: Mailbox, came: Callable[[], None]) -> None:
        """`came` is called whenever a mail was stored."""
        self._database, self._box, self._came = database, box, came
        self._over = threading.Event()
        self._stopped = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, f"mailbox-{box.id}")
        self._connection: imap.Connection | None = None
        self._tries: Counter[int] = Counter()
        self._stuck: set[int] = set()  # cannot be moved: left where they are until the next connection

    async def run(self) -> None:
        """Read and wait, over and over. Never raises for what a server or a mail can do to us."""
        try:
            while not self._over.is_set():
                if (until := self._box.open_until) is not None and (left := (until - now()).total_seconds()) > 0:
                    await self._sleep(left)
                    self._box.open_until = None
                    continue
                await self._turn()
        finally:
            if self._connection is not None:
                await self._do(self._connection.close)
            self._thread.shutdown(wait=False)

    def stop(self) -> None:
        """End within a second or so; what is being stored is stored."""
        self._over.set()
        self._stopped.set()

    def abort(self) -> None:
        """End also a connection whose server does not answer."""
        self.stop()
        if self._connection is not None:
            self._connection.abort()

    async def _turn(self) -> None:
        """One connection, from signing in until it ends."""
        try:
            server = await server_of(self._box)
            connection = await self._do(imap.Connection, server, self._box.folder)
            self._connection = connection
            after = await self._begin(connection)
            while not self._over.is_set():
                await self._sweep(connection, after)
                await standing.note_worked(self._database, self._box.id)
                after = max(after or 0, self._box.last_uid)
                await self._wait(connection)
        except (WrongSettings, imap.NotTrusted, imap.SignInRefused, imap.NoFolder) as wrong:
            await self._failed(str(wrong), is_wrong=True)
        except (imap.ImapError, StoreFailed) as away:
            if not self._over.is_set():
                await self._failed(str(away), is_wrong=False)
        except Exception as fault:  # a fault of ours, or of the database: as if the server were away, and never the end
            log.exception("reading a mailbox failed", mailbox_id=self._box.id)
            await self._sleep(2)
            await self._failed(f"{type(fault).__name__}: {fault}"[:300], is_wrong=False)
        finally:
            if self._connection is not None:
                await self._do(self._connection.close)
                self._connection = None

    async def _failed(self, why: str, *, is_wrong: bool) -> None:
        try:
            self._box.open_until = await standing.note_failed(
                self._database, self._box.id, self._box.version, why, is_wrong=is_wrong
            )
            if self._box.open_until is None:  # changed meanwhile: another reader begins
                await self._sleep(5)
        except Exception:
            log.exception("cannot write down how a mailbox goes", mailbox_id=self._box.id)
            await self._sleep(5)

    async def _begin(self, connection: imap.Connection) -> int | None:
        """Behind which number everything is new; None when its numbers mean nothing to us yet, or any more."""
        box = self._box
        self._stuck.clear()
        if box.uidvalidity == connection.uidvalidity:
            return box.last_uid
        last = await self._do(connection.next_uid) - 1
        log.info("folder has new numbers", mailbox_id=box.id, before=box.uidvalidity, now=connection.uidvalidity)
        box.uidvalidity, box.last_uid = connection.uidvalidity, last
        async with self._database.transaction() as session:
            values = {"uidvalidity": box.uidvalidity, "last_uid": last}
            await session.execute(update(Mailbox).where(Mailbox.id == box.id).values(**values))
        self._tries.clear()
        return None

    async def _sweep(self, connection: imap.Connection, after: int | None) -> None:
        """Take in everything that waits in the folder."""
        while not self._over.is_set():
            found = [u for u in await self._do(connection.waiting, after) if u not in self._stuck]
            if not found:
                return
            batch = found[:MOST_AT_ONCE]
            known = await known_uids(self._database, self._box.id, connection.uidvalidity, batch)
            for uid in batch:
                if self._over.is_set():
                    return
                await self._take(connection, uid, known.get(uid))

    async def _take(self, connection: imap.Connection, uid: int, known: bool | None) -> None:
        """Store a mail unless it is `known`, then move it."""
        box, is_whole = self._box, known if known is not None else True
        if known is None:
            came = await self._fetch(connection, uid)
            if came is None:
                self._stuck.add(uid)  # gone, or not to be had for now
                return
            is_whole = came.is_whole
            if await take_in(self._database, box, connection.uidvalidity, came) is not None:
                self._came()
        box.last_uid = max(box.last_uid, uid)
        try:
            await self._do(connection.move, uid, PROCESSED if is_whole else FAILED)
        except imap.Refused as refused:
            self._stuck.add(uid)
            await standing.note_trouble(self._database, box.id, f"a mail cannot be moved out of the folder: {refused}")

    async def _fetch(self, connection: imap.Connection, uid: int) -> Came | None:
        """A mail; None when it is gone. One that cannot be fetched is written down after some tries, without its text."""
        size, received_at = 0, None
        try:
            found = await self._do(connection.look, uid)
            if found is None:
                return None
            size, received_at = found.size, found.received_at
            most = get_settings().mail_in_max_bytes
            if size > most:
                headers = await self._do(connection.read_headers, uid)
                why = f"it is larger than the {most / 2**20:.3g} MB that are taken in ({size / 2**20:.1f} MB)"
                return Came(uid, headers or b"", size, received_at, is_whole=False, held_back=why)
            self._tries[uid] += 1
            raw = await self._do(connection.read, uid)
            return None if raw is None else Came(uid, raw, size, received_at)
        except imap.ImapError as failed:
            is_refused = isinstance(failed, imap.Refused)
            if is_refused and not size:
                self._tries[uid] += 1  # a look; of a connection that ends, only what ended while reading it counts
            if self._tries[uid] < MOST_TRIES:
                if is_refused:
                    return None
                raise
            came = Came(uid, None, size, received_at, is_whole=False, held_back=f"it cannot be fetched: {failed}")
            if is_refused:
                return came
            await take_in(self._database, self._box, connection.uidvalidity, came)
            raise

    async def _wait(self, connection: imap.Connection) -> None:
        if connection.can_idle:
            await self._do(connection.wait, IDLE, self._over.is_set)
        else:
            await self._sleep(POLL)
            if not self._over.is_set():
                await self._do(connection.check)
        # what was refused a moment ago is tried again with the next look, at most once in a while
        self._stuck.clear()

    async def _do(self, work: Callable[..., Result], *arguments: Any) -> Result:
        """Run what waits on the server in the mailbox's own thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopped.wait()
        except TimeoutError:
            return
