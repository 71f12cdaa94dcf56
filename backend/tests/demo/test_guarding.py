"""The demo company is not there by oversight: not at an address for others, not among real people, not beside real work."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from tests.conftest import PASSWORD, Api
from waypost.access.models import Credential
from waypost.demo.guarding import DemoRefused, check_people, check_said, lock
from waypost.directory.models import User
from waypost.kernel.settings import Settings


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DEMO", "PUBLIC_URL", "TLS_CERTIFICATE", "TLS_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "address",
    [
        {"public_url": "https://waypost.example.org"},
        {"public_url": "http://10.0.0.7:8000"},
        {"public_url": "https://[2001:db8::1]:8000/"},
        {"tls_certificate": Path("cert.pem"), "tls_key": Path("key.pem")},
    ],
)
def test_an_address_for_others_wants_it_said(address: dict[str, Any]) -> None:
    with pytest.raises(DemoRefused, match=r"DEMO=0 .* DEMO=1"):
        check_said(Settings(**address))
    check_said(Settings(demo=True, **address))
    check_said(Settings(demo=False, **address))


@pytest.mark.parametrize(
    "address",
    [
        {},
        {"host": "0.0.0.0"},
        {"public_url": "http://localhost:8000"},
        {"public_url": "http://127.0.0.1:8000"},
        {"public_url": "http://[::1]:8000"},
    ],
)
def test_on_this_machine_it_is_there_by_itself(address: dict[str, Any]) -> None:
    check_said(Settings(**address))


async def test_it_is_not_loaded_among_real_people_by_oversight(fresh_database: Any) -> None:
    await check_people(fresh_database, Settings())
    async with fresh_database.transaction() as session:
        await session.execute(update(User).where(User.username == "admin").values(email="ada@real.example"))
    with pytest.raises(DemoRefused, match="DEMO=0"):
        await check_people(fresh_database, Settings())
    await check_people(fresh_database, Settings(demo=True))


async def test_no_account_with_the_known_password_is_left_beside_real_work(
    app: Any, fresh_database: Any, fresh_who: Any
) -> None:
    async with fresh_database.transaction() as session:
        ids = select(User.id).where(User.username.not_in(["employee", "admin"]))
        await session.execute(delete(Credential).where(Credential.user_id.in_(ids)))  # it takes a while to try them all
    employee = await fresh_who("employee")
    with pytest.raises(DemoRefused, match=r"admin, employee.*lock-demo"):
        await check_people(fresh_database, Settings(demo=False))
    assert await lock(fresh_database) == ["admin", "employee"]
    await check_people(fresh_database, Settings(demo=False))
    await employee.get("/auth/me", expect=401)
    tried = {"username": "employee", "password": PASSWORD}
    assert (await Api(app).post("/auth/login", tried, expect=401))["code"] == "wrong_credentials"
    assert await lock(fresh_database) == []


def _started(*command: str, **more: str) -> tuple[int, str]:
    """What one of the processes says that are started apart, when it does not start."""
    ran = subprocess.run(
        [sys.executable, *command],
        env={**os.environ, "PYTHONPATH": "backend", **more},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return ran.returncode, ran.stdout + ran.stderr


def test_the_web_server_started_apart_looks_too(template: dict[str, str]) -> None:
    code, said = _started("-m", "waypost.cli", "serve-api", DEMO="0")
    assert (code, "lock-demo" in said, "Traceback" in said) == (1, True, False), said
    code, said = _started("-m", "waypost.cli", "serve-api", PUBLIC_URL="https://waypost.example.org")
    assert (code, "DEMO=0" in said, "Traceback" in said) == (1, True, False), said


@pytest.mark.parametrize(
    "command", [("-m", "waypost.cli", "serve-api"), ("-m", "waypost.cli", "mail-in"), ("-c", "import waypost.worker")]
)
def test_nothing_starts_that_would_speak_in_the_open(template: dict[str, str], command: tuple[str, ...]) -> None:
    code, said = _started(*command, REQUIRE_TLS="1", REDIS_URL="redis://10.0.0.7:6379/0", DEMO="1")
    assert (code, "rediss://" in said, "Traceback" in said) == (1, True, False), said
