"""Sealed files: every part opens again, and nothing that was changed opens at all."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.kernel import crypto
from waypost.kernel.settings import Settings

KEY = bytes(range(32))
EDGES = [0, 1, crypto.CHUNK - 1, crypto.CHUNK, crypto.CHUNK + 1, 2 * crypto.CHUNK, 3 * crypto.CHUNK + 17]


async def pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    for n in range(0, len(data), size):
        yield data[n : n + size]


async def sealed(data: bytes, piece: int = 10_000) -> bytes:
    return b"".join([c async for c in crypto.seal(KEY, pieces(data, piece))])


async def opened(stored: bytes, size: int, start: int, length: int, piece: int = 7000) -> bytes:
    _, offset, count = crypto.place_of(start, length, size)
    part = pieces(stored[offset : offset + count], piece)
    return b"".join([c async for c in crypto.open_part(KEY, part, start=start, length=length, size=size)])


@given(
    size=st.sampled_from(EDGES) | st.integers(0, 4 * crypto.CHUNK),
    put=st.integers(1, 200_000),
    got=st.integers(1, 200_000),
    data=st.data(),
)
def test_every_part_opens_again(size: int, put: int, got: int, data: Any) -> None:
    plain = os.urandom(64) * (size // 64 + 1)
    plain = plain[:size]
    stored = asyncio.run(sealed(plain, put))
    assert len(stored) == crypto.sealed_size(size)
    start = data.draw(st.integers(0, size))
    length = data.draw(st.integers(0, size - start))
    assert asyncio.run(opened(stored, size, start, length, got)) == plain[start : start + length]


def chunks_of(stored: bytes) -> list[bytes]:
    return [stored[n : n + crypto.SEALED_CHUNK] for n in range(0, len(stored), crypto.SEALED_CHUNK)]


@pytest.mark.parametrize("size", [5, crypto.CHUNK, 2 * crypto.CHUNK + 5])
async def test_what_was_changed_does_not_open(size: int) -> None:
    stored = await sealed(os.urandom(size))
    flipped = bytes([stored[0] ^ 1]) + stored[1:]
    shorter = stored[: -(crypto.TAG + 1)] if size < crypto.CHUNK else b"".join(chunks_of(stored)[:-1])
    swapped = b"".join([*chunks_of(stored)[1::-1], *chunks_of(stored)[2:]])
    for wrong in {flipped, shorter, swapped} - {stored}:
        with pytest.raises(crypto.Damaged):
            await opened(wrong, size, 0, size)
    with pytest.raises(crypto.Damaged):
        await opened(await sealed(os.urandom(size + crypto.CHUNK)), size, 0, size)


async def test_keys_are_wrapped_by_the_newest_and_open_with_theirs(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    ring = crypto.keyring(settings)
    old = ring.wrap(KEY, b"object")
    assert ring.unwrap(old, b"object") == KEY
    with pytest.raises(crypto.Damaged):
        ring.unwrap(old, b"another")
    assert crypto.add_key(settings) == "2"
    newer = crypto.keyring(settings)
    assert newer.current == "2"
    assert newer.unwrap(old, b"object") == KEY
    with pytest.raises(crypto.Damaged):
        ring.unwrap(newer.wrap(KEY, b"object"), b"object")
    kept = tmp_path / "secrets" / "keys.json"
    crypto._keep(kept, {"1": b"another"}, is_first=True)
    assert crypto.keyring(settings).current == "2", "of two who make the first key one wins"
    assert kept.stat().st_mode & 0o077 == 0
    assert list(json.loads(kept.read_text())) == ["1", "2"]
    assert list(kept.parent.iterdir()) == [kept], "nothing is left beside it"


def test_what_lies_beside_an_object_opens_with_its_key_and_place_only() -> None:
    key = crypto.new_key()
    sealed = crypto.seal_beside(key, b"words", b"here")
    assert crypto.open_beside(key, sealed, b"here") == b"words"
    assert crypto.seal_beside(key, b"words", b"here") != sealed
    for wrong in (
        (key, sealed, b"there"),
        (crypto.new_key(), sealed, b"here"),
        (key, b"", b"here"),
        (key, sealed[:-1], b"here"),
    ):
        with pytest.raises(crypto.Damaged):
            crypto.open_beside(*wrong)


def test_a_key_for_one_purpose_comes_from_each_key_and_from_nothing_else() -> None:
    ring = crypto.Keyring({"old": KEY, "new": bytes(32)})
    made = ring.derived(b"numbers")
    assert made.keys() == {"old", "new"}
    assert {len(key) for key in made.values()} == {64}
    assert made["old"] != made["new"]
    assert ring.derived(b"numbers") is made
    assert ring.derived(b"names")["old"] != made["old"]
    assert crypto.Keyring({"old": KEY}).derived(b"numbers") == {"old": made["old"]}
