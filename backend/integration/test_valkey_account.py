"""Waypost works with an account at Valkey that may no more than `docs/operators/running.md` gives it."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from redis import Redis
from redis.exceptions import NoPermissionError

from integration.systems import ROOT, running
from waypost.kernel import hints, limits, queue
from waypost.kernel.clock import now
from waypost.kernel.embedded import Binaries, free_port
from waypost.kernel.processes import wait_until
from waypost.kernel.settings import Settings
from waypost.live import presence

PASSWORD = "of this test only"


def told() -> str:
    """The account as the page has it."""
    page = (ROOT / "docs" / "operators" / "running.md").read_text()
    (line,) = re.findall(r"^user waypost on >PASSWORD (.+)$", page, re.MULTILINE)
    return str(line)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder, chosen = tmp_path_factory.mktemp("valkey"), free_port()
    rules = folder / "users.acl"
    secret = PASSWORD.replace(" ", "-")
    rules.write_text(f"user default on >admin ~* &* +@all\nuser waypost on >{secret} {told()}\n")
    server = str(Binaries.of_wheels().valkey)
    where = ("--port", str(chosen), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder), "--aclfile", str(rules))
    with running(server, *where, ready="Ready to accept connections"):
        yield chosen


def url(port: int) -> str:
    return f"redis://waypost:{PASSWORD.replace(' ', '-')}@127.0.0.1:{port}/0"


def test_it_may_not_look_after_the_server(port: int) -> None:
    account = Redis.from_url(url(port))
    for words in (("CONFIG", "GET", "*"), ("FLUSHALL",), ("ACL", "LIST"), ("KEYS", "*"), ("SHUTDOWN",), ("MONITOR",)):
        with pytest.raises(NoPermissionError):
            account.execute_command(*words)


async def test_waking_counting_and_presence_work(port: int) -> None:
    valkey = hints.connect(Settings(redis_url=SecretStr(url(port))))
    try:
        async with valkey.pubsub() as heard:
            await heard.subscribe(hints.CHANNEL)
            await heard.get_message(timeout=2)
            await hints.give(valkey)
            async with limits.shared(valkey):
                limits.slow_down(limits.Policy("person", 5), "7")
                await asyncio.sleep(1.5)
        screen = presence.Screen(7, "a", "VIEWING", False, now() + timedelta(seconds=10))
        assert await presence.beat(valkey, 1, screen, now()) is not None
        assert [s.user_id for s in await presence.look(valkey, 1, now())] == [7]
        await presence.leave(valkey, 1, 7, "a")
        assert await presence.look(valkey, 1, now()) == []
    finally:
        await valkey.aclose()


def test_a_worker_takes_what_it_is_asked(port: int, template: dict[str, str], tmp_path: Path) -> None:
    settings = Settings(redis_url=SecretStr(url(port)))
    env = {
        **os.environ,
        **template,
        "REDIS_URL": url(port),
        "DATA_DIR": str(tmp_path),
        "PYTHONPATH": str(ROOT / "backend"),
    }
    command = (
        "celery",
        "-A",
        "waypost.worker",
        "worker",
        "-l",
        "INFO",
        "-c",
        "1",
        "--without-gossip",
        "--without-mingle",
    )
    said = tmp_path / "said"
    with said.open("w") as out:
        worker = subprocess.Popen([sys.executable, "-m", *command], env=env, stdout=out, stderr=out)
    try:
        queue.waker(queue.build(settings))("relay.drain")
        waiting = Redis(port=port, password="admin")
        assert waiting.llen("celery") == 1
        assert wait_until(lambda: waiting.llen("celery") == 0, 90, give_up=lambda: worker.poll() is not None), (
            said.read_text()
        )
        assert "NOPERM" not in said.read_text()
    finally:
        worker.terminate()
        worker.wait(30)
