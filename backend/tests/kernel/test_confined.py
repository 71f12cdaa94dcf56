"""Work in a process of its own: it answers, or is ended when it wants more than it may have."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from waypost.kernel.confined import AT_ONCE, Bounds, TooLong, TooMuch, confined

BOUNDS = Bounds(memory=256 * 1024 * 1024, seconds=1, patience=30.0)


def backwards(data: bytes) -> bytes:
    return data[::-1]


def surroundings(_: bytes) -> bytes:
    return repr((os.getpid(), sorted(os.environ))).encode()


def spins(_: bytes) -> bytes:
    while True:
        pass


def sleeps(_: bytes) -> bytes:
    time.sleep(60)
    return b""


def hoards(_: bytes) -> bytes:
    return bytes(400 * 1024 * 1024)


def writes(path: bytes) -> bytes:
    Path(os.fsdecode(path)).write_text("something")
    return b""


def breaks(_: bytes) -> bytes:
    raise ValueError


@pytest.fixture(autouse=True)
def _found_by_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child finds what is beside `waypost`; that is where the tests are."""
    for work in (backwards, surroundings, spins, sleeps, hoards, writes, breaks):
        monkeypatch.setattr(work, "__module__", "tests.kernel.test_confined")


async def test_it_answers() -> None:
    assert await confined(backwards, b"abc" * 1_000_000, BOUNDS) == b"cba" * 1_000_000


async def test_it_knows_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "x")
    said = (await confined(surroundings, b"", BOUNDS)).decode()
    assert "SECRET_KEY" not in said
    assert str(os.getpid()) not in said


@pytest.mark.parametrize("work", [spins, hoards, breaks])
async def test_what_wants_too_much_is_ended(work: object) -> None:
    with pytest.raises(TooMuch):
        await confined(work, b"", BOUNDS)  # type: ignore[arg-type]


async def test_what_takes_too_long_is_ended_and_makes_room() -> None:
    begun = time.monotonic()
    for _ in range(AT_ONCE + 1):
        with pytest.raises(TooLong):
            await confined(sleeps, b"", Bounds(memory=BOUNDS.memory, seconds=1, patience=0.3))
    assert time.monotonic() - begun < 30
    assert await confined(backwards, b"ab", BOUNDS) == b"ba"


async def test_it_writes_no_file(tmp_path: Path) -> None:
    with pytest.raises(TooMuch):
        await confined(writes, os.fsencode(tmp_path / "file"), BOUNDS)
    assert (tmp_path / "file").read_bytes() == b""
