"""The command line's door: `python -m waypost.cli …`. Starts things, and decides nothing."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from asyncpg import InterfaceError, PostgresError
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from waypost.audit import commands as audit_commands
from waypost.kernel import embedded, processes
from waypost.kernel.cautions import cautions, in_the_open
from waypost.kernel.processes import Spec
from waypost.kernel.secret_files import UnusableFile
from waypost.kernel.settings import Settings, get_settings
from waypost.kernel.supervisor import DidNotStart, Stopped, Supervisor, say
from waypost.reports import commands as reports_commands
from waypost.search import commands as search_commands

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Waypost: requests, approvals, fulfilment.",
)
RUNTIME = "runtime.json"
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


def _fail(sentence: str) -> typer.Exit:
    sys.stderr.write(f"{sentence}\n")
    return typer.Exit(1)


def _settings() -> Settings:
    get_settings.cache_clear()
    try:
        return get_settings()
    except ValidationError as wrong:
        first = wrong.errors()[0]
        why = first["msg"].removeprefix("Value error, ")
        if not first["loc"]:  # of several together
            raise _fail(f"{why}.") from None
        raise _fail(f"The variable {str(first['loc'][0]).upper()} cannot be used: {why}.") from None
    except UnusableFile as wrong:
        raise _fail(f"{wrong}.") from None


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


@contextmanager
def _servers(settings: Settings) -> Iterator[None]:
    """The database and Valkey for a short command: configured ones, those of a running installation, or our own."""
    if settings.database_url and settings.redis_url:
        yield
        return
    try:
        with embedded.locked(settings.data_dir), embedded.running(settings.data_dir) as urls:
            os.environ.update({k: v for k, v in urls.items() if not os.environ.get(k)})
            _settings()
            yield
    except embedded.CannotStart as busy:
        runtime = settings.data_dir / RUNTIME
        if not runtime.exists():
            raise _fail(str(busy)) from None
        os.environ.update(json.loads(runtime.read_text()))
        _settings()
        yield


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


def _check_encrypted(settings: Settings) -> None:
    if words := in_the_open(settings):
        raise _fail(words)


async def _check_demo(settings: Settings) -> None:
    """What `run` looks at before it starts anything, where the web server is started apart from it."""
    from waypost.demo.guarding import check_people, check_said  # noqa: PLC0415
    from waypost.kernel.db import Database  # noqa: PLC0415

    check_said(settings)
    database = Database.connect(settings)
    try:
        await check_people(database, settings)
    except (OSError, SQLAlchemyError, PostgresError, InterfaceError) as error:
        # a database that is away now is waited for by every request; it does not keep the web server from starting
        say(f"Whether the demo company is there could not be looked at. {_sentence(settings, error)}")
    finally:
        await database.dispose()


@app.command()
def run() -> None:
    """Start everything and keep it running until Ctrl-C or SIGTERM."""
    from waypost.demo.guarding import DemoRefused, check_said  # noqa: PLC0415 - only where it is needed

    began = time.monotonic()
    settings = _settings()
    try:
        check_said(settings)
        _check_encrypted(settings)
        with embedded.locked(settings.data_dir):
            _check_port(settings.host, settings.port)
            _run(settings, began)
    except (embedded.CannotStart, DemoRefused) as reason:
        raise _fail(str(reason)) from None


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
        settings = _settings()
        try:
            _prepare_database(settings)
        except (OSError, ValueError, RuntimeError, SQLAlchemyError, PostgresError, InterfaceError) as error:
            raise DidNotStart(_sentence(settings, error)) from error
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
        raise _fail(str(reason)) from None
    finally:
        supervisor.stop()
        runtime.unlink(missing_ok=True)


def _sentence(settings: Settings, error: Exception) -> str:
    """What is wrong with the database, without its password."""
    address = urlsplit(settings.database_url.get_secret_value()) if settings.database_url else None
    where = f"{address.hostname}:{address.port or 5432}{address.path}" if address else "its address"
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return (
        f"The database at {where} cannot be used: {str(cause).splitlines()[0] if str(cause) else type(cause).__name__}"
    )


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
    asyncio.run(_seed(settings, is_start=True, is_guarded=True))


async def _seed(settings: Settings, *, is_start: bool = False, is_guarded: bool = False) -> None:
    from waypost.access.roles import ensure_system_roles  # noqa: PLC0415
    from waypost.audit.system import note_migration, note_start  # noqa: PLC0415
    from waypost.demo.guarding import check_people  # noqa: PLC0415
    from waypost.demo.loading import load  # noqa: PLC0415
    from waypost.kernel.db import Database  # noqa: PLC0415
    from waypost.kernel.events import use_wiring  # noqa: PLC0415
    from waypost.tickets.reviewing import complete_facts  # noqa: PLC0415
    from waypost.wiring import build_wiring  # noqa: PLC0415

    use_wiring(build_wiring())
    database = Database.connect(settings)
    try:
        if is_guarded:
            await check_people(database, settings)
        if settings.demo:
            if await load(database):
                say("Loaded the demo company.")
        else:
            async with database.transaction() as session:
                await ensure_system_roles(session)
        await complete_facts(database)
        if is_start:
            await note_start(database, settings)
        else:
            await note_migration(database)
    finally:
        await database.dispose()


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


def _share_metrics(folder: Path) -> None:
    """The web processes keep their measurements there, so that each can tell those of all; from zero at each start."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


def _note(command: str) -> None:
    """Keep in the audit trail that this was run."""
    from waypost.audit.system import note_command  # noqa: PLC0415

    asyncio.run(note_command(_settings(), command))


@app.command()
def serve_api() -> None:
    """Serve the web app and the API (DATABASE_URL and REDIS_URL must be set)."""
    from granian import Granian  # noqa: PLC0415
    from granian.constants import Interfaces, Loops, SSLProtocols  # noqa: PLC0415
    from granian.log import LogLevels  # noqa: PLC0415

    from waypost.demo.guarding import DemoRefused  # noqa: PLC0415

    settings = _settings()
    _check_encrypted(settings)
    try:
        asyncio.run(_check_demo(settings))
    except DemoRefused as reason:
        raise _fail(str(reason)) from None
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


@app.command()
def mail_catcher() -> None:
    """Take mails on SMTP_PORT and show them on MAIL_CATCHER_PORT, on this machine only."""
    from waypost.vendors import mail_catcher as catcher  # noqa: PLC0415

    settings = _settings()
    processes.end_with_supervisor()
    asyncio.run(catcher.serve(settings.smtp_port, settings.mail_catcher_port or embedded.free_port()))


@app.command()
def mail_in() -> None:
    """Read the mailboxes and take in what comes (DATABASE_URL and REDIS_URL must be set)."""
    settings = _settings()
    _check_encrypted(settings)
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


@app.command()
def migrate() -> None:
    """Bring the database up to date."""
    with _servers(_settings()):
        from waypost.migrations.run import migrate as run_migrations  # noqa: PLC0415

        run_migrations()
        asyncio.run(_seed(_settings().model_copy(update={"demo": False})))  # the roles of this release


@app.command()
def database_grants(
    role: Annotated[str | None, typer.Option(help="The application's role; default the one in DATABASE_URL.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Carry them out as DATABASE_OWNER_URL.")] = False,
) -> None:
    """Print what the application's own database role is granted: all it needs, and no change to the audit trail."""
    from waypost.migrations import grants  # noqa: PLC0415

    settings = _settings()
    with _servers(settings) if apply else nullcontext():
        settings = _settings() if apply else settings
        name = role or grants.application_role(settings)
        if name is None:
            raise _fail("Name the application's role with --role, or set DATABASE_URL.")
        if apply:
            if settings.database_owner_url is None:
                raise _fail("Set DATABASE_OWNER_URL to the owner of the tables.")
            asyncio.run(grants.apply(settings, name))
            _note("database-grants")
        say("\n".join(f"{s};" for s in grants.statements(name)))


@app.command()
def seed_demo() -> None:
    """Load the demo company into an empty database."""
    with _servers(_settings()):
        asyncio.run(_seed(_settings().model_copy(update={"demo": True})))


@app.command()
def lock_demo() -> None:
    """Take their password from all accounts that still have the demo company's, and sign them out."""
    from waypost.demo.guarding import lock  # noqa: PLC0415
    from waypost.kernel.db import Database  # noqa: PLC0415
    from waypost.kernel.events import use_wiring  # noqa: PLC0415
    from waypost.wiring import build_wiring  # noqa: PLC0415

    async def locked() -> list[str]:
        use_wiring(build_wiring())
        database = Database.connect(_settings())
        try:
            return await lock(database)
        finally:
            await database.dispose()

    with _servers(_settings()):
        names = asyncio.run(locked())
        _note("lock-demo")
        say(f"Locked: {', '.join(names)}." if names else "Nobody has the demo company's password.")


@app.command()
def admin(email: Annotated[str, typer.Argument(help="Address of the new administrator.")]) -> None:
    """Make an administrator, and print a one-time link with which they set their password."""
    from waypost.access.bootstrap import create_administrator  # noqa: PLC0415
    from waypost.kernel.db import Database  # noqa: PLC0415
    from waypost.kernel.errors import Refusal  # noqa: PLC0415

    async def create() -> str:
        database = Database.connect(_settings())
        try:
            return await create_administrator(database, email)
        finally:
            await database.dispose()

    with _servers(_settings()):
        from waypost.migrations.run import migrate as run_migrations  # noqa: PLC0415

        run_migrations()  # the very first command on an empty folder may be this one
        try:
            say(asyncio.run(create()))
            _note("admin")
        except Refusal as refused:
            raise _fail(refused.detail) from None


@app.command()
def rotate_keys() -> None:
    """Make a new key of the installation, and change everything sealed over to it: files, mails, secrets, private texts."""
    from waypost.kernel import crypto, sealing  # noqa: PLC0415
    from waypost.kernel.db import Database  # noqa: PLC0415
    from waypost.migrations import tables  # noqa: F401, PLC0415 - every table there is

    async def rotate() -> int:
        database = Database.connect(_settings())
        try:
            return await sealing.rewrap_all(database)
        finally:
            await database.dispose()

    with _servers(_settings()):
        key_id = crypto.add_key(_settings())
        _note("rotate-keys")
        say(f"Key {key_id} is in use; {asyncio.run(rotate())} sealed values were changed over to it.")


@app.command()
def openapi(path: Annotated[Path, typer.Argument(help="Where to write the document.")]) -> None:
    """Write the API's OpenAPI document."""
    from waypost.app import create_app  # noqa: PLC0415

    path.write_text(json.dumps(create_app().openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n")


sla = typer.Typer(help="Service levels.", no_args_is_help=True)


@sla.command("rebuild")
def sla_rebuild() -> None:
    """Measure the clocks of all requests anew from the event log; the numbers are the same, or were wrong."""
    from waypost.kernel.db import Database  # noqa: PLC0415
    from waypost.kernel.events import use_wiring  # noqa: PLC0415
    from waypost.tickets import clocking  # noqa: PLC0415
    from waypost.wiring import build_wiring  # noqa: PLC0415

    async def rebuilt() -> int:
        use_wiring(build_wiring())
        database = Database.connect(_settings())
        try:
            return await clocking.rebuild(database)
        finally:
            await database.dispose()

    with _servers(_settings()):
        count = asyncio.run(rebuilt())
        _note("sla-rebuild")
        say(f"The clocks of {count} requests were measured anew.")


app.add_typer(sla, name="sla")
audit_commands.use_servers(lambda: _servers(_settings()))
app.add_typer(audit_commands.app, name="audit")
reports_commands.use_servers(lambda: _servers(_settings()))
app.add_typer(reports_commands.app, name="reports")
search_commands.use_servers(lambda: _servers(_settings()))
app.add_typer(search_commands.app, name="search")

if __name__ == "__main__":
    app()
