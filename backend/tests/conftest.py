"""Real servers for every test run: PostgreSQL and Valkey of our own, the demo company, the app in this process.

Each test process has servers of its own in a temporary folder, so tests run side by side. Tests commit for real and make
what they need, in a database that each file of tests begins anew; a test that counts everything takes a `fresh_database`.
"""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
import os
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import settings

from tests.measuring import leave_greenlets_out

# The same cases on every machine, however slow it is; HYPOTHESIS_PROFILE=search looks for new ones.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

_connect = socket.socket.connect


def _only_here(self: socket.socket, address: Any) -> Any:
    """Tests talk to this machine only."""
    if self.family in (socket.AF_INET, socket.AF_INET6) and not ipaddress.ip_address(address[0]).is_loopback:
        raise OSError(f"a test reaches out to {address[0]}")
    return _connect(self, address)


socket.socket.connect = _only_here  # type: ignore[method-assign,assignment]


def pytest_configure(config: pytest.Config) -> None:
    """Says to coverage, where there is any, what it need not look at."""
    if config.getoption("cov_source", None):
        leave_greenlets_out()


PASSWORD = "demo-Passw0rd-2026"
TOKEN_SECONDS = 420  # for so long an access token is used, of the ten minutes it has
ONWARD = """DO $$ DECLARE each record; BEGIN
    FOR each IN SELECT * FROM pg_sequences WHERE max_value > 2^40 LOOP
        PERFORM setval(format('%I.%I', each.schemaname, each.sequencename), coalesce(each.last_value, 1) + {by});
    END LOOP;
END $$"""
COPIED = "TEMPLATE model STRATEGY FILE_COPY"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def data_dir() -> Iterator[Path]:
    where = os.environ.get("SERVERS_FOLDER") or None  # `make test` names one in memory where there is room
    with tempfile.TemporaryDirectory(prefix="waypost-test-", dir=where, ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="session")
def servers(data_dir: Path) -> Iterator[dict[str, str]]:
    from waypost.kernel import embedded
    from waypost.kernel.settings import Settings, get_settings

    for name in Settings.model_fields:
        os.environ.pop(name.upper(), None)  # a developer's own settings are not the tests'
    with embedded.running(data_dir, durable=False) as urls:
        os.environ.update(
            urls,
            DATA_DIR=str(data_dir),
            LOG_LEVEL="ERROR",
            SMTP_HOST="127.0.0.1",
            SMTP_PORT="9",
            NOTIFY_GATHER_SECONDS="0",
        )
        os.environ["SMTP_SECURITY"] = "none"
        get_settings.cache_clear()
        yield urls


@pytest.fixture(scope="session")
def template(servers: dict[str, str]) -> dict[str, str]:
    """The migrated database with the demo company in it, before any test."""
    from waypost.demo.loading import load as load_demo
    from waypost.kernel import relay
    from waypost.kernel.db import Database
    from waypost.kernel.events import use_wiring
    from waypost.kernel.settings import get_settings
    from waypost.migrations.run import migrate
    from waypost.reports import keeping as counting
    from waypost.search import following
    from waypost.wiring import build_wiring

    migrate()
    use_wiring(build_wiring())

    async def load() -> None:
        database = Database.connect(get_settings())
        assert await load_demo(database)
        await relay.drain(database)  # what the demo set off has been told: tests see only their own events
        assert not await counting.run_due(database)  # and counted
        await following.run_all(database)
        await database.dispose()
        await _execute(
            servers["DATABASE_OWNER_URL"].removesuffix("/waypost") + "/postgres",
            "CREATE DATABASE model TEMPLATE waypost",
        )

    asyncio.run(load())
    return servers


async def _execute(url: str, statement: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
async def whole_database(template: dict[str, str]) -> AsyncIterator[Any]:
    """The process's database, with the wiring in force."""
    from waypost.kernel.db import Database, use_database
    from waypost.kernel.settings import get_settings

    made = Database.connect(get_settings())
    use_database(made)
    yield made
    await made.dispose()


@pytest.fixture(scope="module")
async def database(template: dict[str, str], whole_database: Any) -> Any:
    """The process's database as it was after the demo company came: no file of tests meets what another left."""
    from waypost.access import denials
    from waypost.approvals import definitions
    from waypost.audit import queries as audit_queries
    from waypost.directory.names import names
    from waypost.live import presence_router
    from waypost.sla import clocks
    from waypost.tickets import reading_log

    await whole_database.dispose()  # its connections; it opens others
    root = template["DATABASE_OWNER_URL"].removesuffix("/waypost")
    await _execute(f"{root}/postgres", "DROP DATABASE waypost WITH (FORCE)")
    await _execute(f"{root}/postgres", f"CREATE DATABASE waypost {COPIED}")
    # What is kept in memory by number: what comes has other numbers, and what came with the demo is read again.
    await _execute(template["DATABASE_OWNER_URL"], ONWARD.format(by=next(_numbers) * 1_000_000))
    names.forget()
    clocks.forget()
    kept: tuple[Any, ...] = (definitions._parsed, denials._told, audit_queries._told, presence_router._rights)
    for each in (*kept, reading_log._told):
        each.clear()
    return whole_database


@asynccontextmanager
async def clone(urls: dict[str, str]) -> AsyncIterator[Any]:
    from waypost.directory.names import names
    from waypost.kernel.db import Database, use_database
    from waypost.kernel.db import database as current
    from waypost.kernel.settings import get_settings

    name = f"fresh_{next(_numbers)}"
    root = urls["DATABASE_OWNER_URL"].removesuffix("/waypost")
    await _execute(f"{root}/postgres", f"CREATE DATABASE {name} {COPIED}")
    before, old_urls = current(), {k: os.environ[k] for k in ("DATABASE_URL", "DATABASE_OWNER_URL")}
    os.environ.update({k: f"{urls[k].removesuffix('/waypost')}/{name}" for k in old_urls})
    get_settings.cache_clear()
    made = Database.connect(get_settings())
    use_database(made)
    try:
        yield made
    finally:
        await made.dispose()
        names.forget()  # people have the same numbers here and there, and other names perhaps
        use_database(before)
        os.environ.update(old_urls)
        get_settings.cache_clear()
        await _execute(f"{root}/postgres", f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def fresh_database(template: dict[str, str], database: Any) -> AsyncIterator[Any]:
    """A database nobody else uses, with the demo company and nothing else."""
    async with clone(template) as made:
        yield made


@pytest.fixture(scope="session")
async def whole_app(whole_database: Any) -> AsyncIterator[Any]:
    from waypost.app import create_app

    made = create_app()
    async with made.router.lifespan_context(made):
        from waypost.kernel.db import use_database

        use_database(whole_database)
        yield made


@pytest.fixture(scope="module")
async def app(whole_app: Any, database: Any) -> Any:
    """The application on the file's `database`."""
    return whole_app


class Api:
    """One person's view of the API."""

    def __init__(self, app: Any, username: str | None = None) -> None:
        self.username = username
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        self.http = httpx2.AsyncClient(transport=transport, base_url="http://waypost.test/api/v1")
        self.me: dict[str, Any] = {}
        self.keeps = False  # a tests' whole run with one sign-in, which its token does not last for
        self.since = 0.0

    async def sign_in(self) -> Api:
        answer = await self.http.post("/auth/login", json={"username": self.username, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        self.http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        self.since = time.monotonic()
        self.me = (await self.http.get("/auth/me")).json()
        return self

    @property
    def id(self) -> int:
        return int(self.me["id"])

    async def call(self, method: str, path: str, body: object = None, expect: int | None = 200, **more: Any) -> Any:
        """The JSON of the answer, which must have the expected status (None: the answer itself)."""
        if self.keeps and time.monotonic() - self.since > TOKEN_SECONDS:
            await self.sign_in()
        if body is not None:
            more["json"] = body
        answer = await self.http.request(method, path, **more)
        if expect is None:
            return answer
        assert answer.status_code == expect, f"{method} {path} -> {answer.status_code} {answer.text[:600]}"
        assert answer.headers["x-request-id"]
        if expect >= 400:
            assert answer.headers["content-type"].startswith("application/problem+json")
        return answer.json() if answer.content else None

    async def get(self, path: str, expect: int | None = 200, **more: Any) -> Any:
        return await self.call("GET", path, None, expect, **more)

    async def post(self, path: str, body: object = None, expect: int | None = 200, **more: Any) -> Any:
        return await self.call("POST", path, body, expect, **more)

    async def put(self, path: str, body: object = None, expect: int | None = 200, **more: Any) -> Any:
        return await self.call("PUT", path, body, expect, **more)

    async def delete(self, path: str, expect: int | None = 204, **more: Any) -> Any:
        return await self.call("DELETE", path, None, expect, **more)


@pytest.fixture(scope="module")
async def who(app: Any) -> AsyncIterator[Any]:
    """`await who("manager")`: somebody of the demo company, signed in; `await who(None)` is nobody."""
    known: dict[str | None, Api] = {}

    async def get(username: str | None) -> Api:
        if username not in known:
            known[username] = Api(app, username)
            if username:
                known[username].keeps = True
                await known[username].sign_in()
        return known[username]

    yield get
    for api in known.values():
        await api.http.aclose()


@pytest.fixture
async def fresh_who(fresh_database: Any, app: Any) -> AsyncIterator[Any]:
    """Like `who`, on the `fresh_database`."""
    from waypost.access.queries import actors

    made: list[Api] = []

    async def get(username: str) -> Api:
        made.append(Api(app, username))
        return await made[-1].sign_in()

    yield get
    for api in made:
        await api.http.aclose()
    actors._kept.clear()  # its sessions have the numbers of other databases' sessions


HARDWARE = {"budget_code": "MKT-1", "justification": "For the tests"}


@pytest.fixture(scope="session")
def hardware() -> Any:
    """The body of a hardware request; its amount decides who is asked."""

    def body(amount: str | None = "500.00", **more: Any) -> dict[str, Any]:
        return {
            "title": f"Laptop {next(_numbers)}",
            "ticket_type": "IT_HARDWARE",
            "custom_fields": dict(HARDWARE),
            "amount": amount,
            "currency": "USD" if amount else None,
            "submit": True,
            **more,
        }

    return body


async def step_of(api: Api, ticket_id: int) -> dict[str, Any] | None:
    """The step of this ticket that waits for this person, from their queue."""
    cursor = None
    while True:
        page = await api.get("/approvals/pending", params={"limit": 100, **({"cursor": cursor} if cursor else {})})
        for item in page["items"]:
            if item["ticket"]["id"] == ticket_id:
                return dict(item)
        cursor = page["next_cursor"]
        if cursor is None:
            return None


@pytest.fixture(scope="session")
def find_step() -> Any:
    return step_of
