"""One process of the product: the web server, the reader of mailboxes, or the catcher of mails."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
from pathlib import Path

from waypost.commands.ground import UNUSABLE, check_encrypted, fail, sentence_of, settings_now
from waypost.kernel import embedded, processes
from waypost.kernel.settings import Settings
from waypost.kernel.supervisor import say


def serve_api() -> None:
    """Serve the web app and the API (DATABASE_URL and REDIS_URL must be set)."""
    from granian import Granian  # noqa: PLC0415
    from granian.constants import Interfaces, Loops, SSLProtocols  # noqa: PLC0415
    from granian.log import LogLevels  # noqa: PLC0415

    from waypost.demo.guarding import DemoRefused  # noqa: PLC0415

    settings = settings_now()
    check_encrypted(settings)
    try:
        asyncio.run(_check_demo(settings))
    except DemoRefused as reason:
        raise fail(str(reason)) from None
    processes.end_with_supervisor()
    _share_metrics(settings.data_dir.absolute() / "metrics")
    Granian(
        "waypost.app:app",
        address=socket.gethostbyname(settings.host) if settings.host == "localhost" else settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        workers=settings.workers or os.cpu_count() or 1,
        loop=Loops.uvloop,
        backlog=2048,
        respawn_failed_workers=True,
        workers_kill_timeout=5,
        websockets=False,
        ssl_cert=settings.tls_certificate,
        ssl_key=settings.tls_key,
        ssl_protocol_min=SSLProtocols.tls12,
        log_level=LogLevels.warning,
    ).serve()


def mail_catcher() -> None:
    """Take mails on SMTP_PORT and show them on MAIL_CATCHER_PORT, on this machine only."""
    from waypost.vendors import mail_catcher as catcher  # noqa: PLC0415

    settings = settings_now()
    processes.end_with_supervisor()
    asyncio.run(catcher.serve(settings.smtp_port, settings.mail_catcher_port or embedded.free_port()))


def mail_in() -> None:
    """Read the mailboxes and take in what comes (DATABASE_URL and REDIS_URL must be set)."""
    settings = settings_now()
    check_encrypted(settings)
    processes.end_with_supervisor()
    asyncio.run(_read_mailboxes(settings))


async def _read_mailboxes(settings: Settings) -> None:
    from waypost.kernel import hints, logs, queue  # noqa: PLC0415
    from waypost.kernel.db import Database, use_database  # noqa: PLC0415
    from waypost.kernel.events import use_wiring  # noqa: PLC0415
    from waypost.notifications.incoming import running, taking  # noqa: PLC0415
    from waypost.wiring import build_wiring  # noqa: PLC0415

    logs.configure(settings)
    use_wiring(build_wiring())
    hints.wake = queue.waker(queue.build(settings))
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    database = Database.connect(settings)
    use_database(database)
    try:
        async with hints.running(settings, database):
            await running.run(database, taking.take, stop)
    finally:
        await database.dispose()


async def _check_demo(settings: Settings) -> None:
    """What `run` looks at before it starts anything, where the web server is started apart from it."""
    from waypost.demo.guarding import check_people, check_said  # noqa: PLC0415
    from waypost.kernel.db import Database  # noqa: PLC0415

    check_said(settings)
    database = Database.connect(settings)
    try:
        await check_people(database, settings)
    except UNUSABLE as error:
        # a database that is away now is waited for by every request; it does not keep the web server from starting
        say(f"Whether the demo company is there could not be looked at. {sentence_of(settings, error)}")
    finally:
        await database.dispose()


def _share_metrics(folder: Path) -> None:
    """The web processes keep their measurements there, so that each can tell those of all; from zero at each start."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
