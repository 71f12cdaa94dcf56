"""All of it at once: servers of our own where none is named, the database up to date, and every process, watched over."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import replace

from waypost.commands.ground import RUNTIME, UNUSABLE, check_encrypted, fail, seed, sentence_of, settings_now
from waypost.kernel import embedded
from waypost.kernel.cautions import cautions
from waypost.kernel.processes import Spec
from waypost.kernel.settings import Settings
from waypost.kernel.supervisor import DidNotStart, Stopped, Supervisor, say

# The secrets a process is started without: what it does not do, it cannot give away.
_OWNER = "DATABASE_OWNER_URL"
NOT_FOR: dict[str, tuple[str, ...]] = {
    "web": (_OWNER, "SMTP_PASSWORD"),
    "worker": (_OWNER,),
    "scheduler": (_OWNER, "DATABASE_URL", "SECRET_KEY", "SMTP_PASSWORD", "S3_SECRET_KEY"),
    "mail-in": (_OWNER, "SMTP_PASSWORD"),
    "mails": (_OWNER, "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "SMTP_PASSWORD", "S3_SECRET_KEY"),
    "postgres": (_OWNER, "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "SMTP_PASSWORD", "S3_SECRET_KEY"),
    "valkey": (_OWNER, "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "SMTP_PASSWORD", "S3_SECRET_KEY"),
}


def run() -> None:
    """Start everything and keep it running until Ctrl-C or SIGTERM."""
    from waypost.demo.guarding import DemoRefused, check_said  # noqa: PLC0415 - only where it is needed

    began = time.monotonic()
    settings = settings_now()
    try:
        check_said(settings)
        check_encrypted(settings)
        with embedded.locked(settings.data_dir):
            _check_port(settings.host, settings.port)
            _run(settings, began)
    except (embedded.CannotStart, DemoRefused) as reason:
        raise fail(str(reason)) from None


def _run(settings: Settings, began: float) -> None:
    supervisor = Supervisor(settings.data_dir / "logs")
    runtime = settings.data_dir / RUNTIME
    try:
        env = _start_servers(supervisor, settings)
        mails = None
        if settings.smtp_host is None:
            env |= {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(embedded.free_port()), "SMTP_SECURITY": "none"}
            mails = settings.mail_catcher_port or embedded.free_port()
            env["MAIL_CATCHER_PORT"] = str(mails)
        os.environ.update(env)
        embedded.write_runtime(runtime, env | {"PUBLIC_URL": settings.origin})
        settings = settings_now()
        try:
            _prepare_database(settings)
        except (*UNUSABLE, ValueError, RuntimeError) as error:
            raise DidNotStart(sentence_of(settings, error)) from error
        for owner in ("DATABASE_OWNER_URL", "DATABASE_OWNER_URL_FILE"):
            os.environ.pop(owner, None)  # what runs from here on cannot change the audit trail
        say("Starting the web server, the worker, the scheduler and the reader of mailboxes …")
        host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104  # nosec B104
        host = f"[{host}]" if ":" in host else host
        for specs in _programs(settings, mails, f"{settings.scheme}://{host}:{settings.port}/api/v1/health/ready"):
            supervisor.start(specs)
        say(f"\nWaypost is ready at {settings.origin}   ({time.monotonic() - began:.1f} s)")
        for caution in cautions(settings).values():
            say(f"Note: {caution}")
        if mails is not None:
            say(f"The mails it sends can be read at http://127.0.0.1:{mails}")
        say("Stop it with Ctrl-C.")
        supervisor.watch()
    except Stopped:
        say("\nStopping …")
    except DidNotStart as reason:
        raise fail(str(reason)) from None
    finally:
        supervisor.stop()
        runtime.unlink(missing_ok=True)


def _start_servers(supervisor: Supervisor, settings: Settings) -> dict[str, str]:
    env: dict[str, str] = {}
    wanted: list[embedded.Postgres | embedded.Valkey] = []
    if settings.database_url is None:
        postgres = embedded.Postgres(settings.data_dir, embedded.Binaries.of_wheels())
        wanted.append(postgres)
        env |= postgres.urls()
    if settings.redis_url is None:
        valkey = embedded.Valkey(settings.data_dir, embedded.Binaries.of_wheels())
        wanted.append(valkey)
        env["REDIS_URL"] = valkey.url()
    if wanted:
        say("Starting " + " and ".join(s.spec().name.capitalize() for s in wanted) + " …")
        for server in wanted:
            server.prepare()
        supervisor.start([replace(spec, without=NOT_FOR[spec.name]) for spec in (s.spec() for s in wanted)])
    if settings.database_url is None:
        embedded.create_database(postgres)
    return env


def _prepare_database(settings: Settings) -> None:
    from waypost.migrations.run import migrate  # noqa: PLC0415 - only where it is needed: it takes a while to load

    say("Bringing the database up to date …")
    migrate()
    asyncio.run(seed(settings, is_start=True, is_guarded=True))


def _programs(settings: Settings, mails: int | None, ready: str) -> list[list[Spec]]:
    """What runs, in the order of starting: people wait for the first, so nothing else competes with it."""
    celery = ("celery", "-A", "waypost.worker")
    beat = str(settings.data_dir.absolute() / "beat-schedule")
    for old in settings.data_dir.glob("beat-schedule*"):
        old.unlink()  # all timers are intervals: there is nothing to remember, and a damaged file would stop them
    web = [Spec("web", _python("waypost.cli", "serve-api"), is_ready=_answers(ready), without=NOT_FOR["web"])]
    working = ("worker", "-l", "WARNING", "-c", "2", "--without-gossip", "--without-mingle")
    others = [
        Spec("worker", _python(*celery, *working), without=NOT_FOR["worker"]),
        Spec("scheduler", _python(*celery, "beat", "-l", "WARNING", "-s", beat), without=NOT_FOR["scheduler"]),
        Spec("mail-in", _python("waypost.cli", "mail-in"), without=NOT_FOR["mail-in"]),
    ]
    if mails is not None:
        catcher = _python("waypost.cli", "mail-catcher")
        web.append(Spec("mails", catcher, is_ready=_listening(mails), without=NOT_FOR["mails"]))
    return [web, others]


def _check_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind((host, port))
        except OSError as error:
            raise embedded.CannotStart(
                f"Cannot listen on {host} port {port}: {error.strerror}. Choose another with PORT=…"
            ) from error


# Our own web server, on this machine: never behind a proxy, and its certificate names another address. Nothing secret is
# sent there.
_direct = urllib.request.build_opener(
    urllib.request.ProxyHandler({}),
    urllib.request.HTTPSHandler(context=ssl._create_unverified_context()),  # noqa: S323  # nosec B323
)


def _answers(url: str) -> Callable[[], bool]:
    def ready() -> bool:
        try:
            with _direct.open(url, timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    return ready


def _listening(port: int) -> Callable[[], bool]:
    def ready() -> bool:
        with socket.socket() as s:
            s.settimeout(0.5)
            return s.connect_ex(("127.0.0.1", port)) == 0

    return ready


def _python(*arguments: str) -> list[str]:
    return [sys.executable, "-m", *arguments]
