"""Encryption at rest: a key for each object, kept wrapped by a key of the installation (envelope), and files in chunks.

AES-256-GCM (NIST SP 800-38D) throughout. A file is sealed chunk by chunk under its own random key, so a number used once
is simply the chunk's index; which chunk is the last one is part of what is authenticated, so nothing can be cut off,
swapped or repeated unseen (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015).
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from waypost.kernel.settings import Settings, get_settings

CHUNK = 64 * 1024  # bytes of a file that are sealed together
TAG = 16
SEALED_CHUNK = CHUNK + TAG


class Damaged(RuntimeError):
    """What is stored is not what was written: an alarm, never something a person did."""


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """An object's key as it is kept: `key_id` names the installation's key that wraps it."""

    key_id: str
    value: bytes


class Keyring:
    """The installation's keys; the last one wraps what is new, the earlier ones open what is old."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        self._keys = keys
        self._derived: dict[bytes, dict[str, bytes]] = {}

    @property
    def current(self) -> str:
        """The id of the key that wraps what is new."""
        return next(reversed(self._keys))

    def derived(self, purpose: bytes) -> dict[str, bytes]:
        """A key of 64 bytes for one purpose, from each of the installation's keys (HKDF-SHA-512), by its id."""
        if purpose not in self._derived:
            self._derived[purpose] = {
                key_id: HKDF(SHA512(), 64, salt=None, info=purpose).derive(key) for key_id, key in self._keys.items()
            }
        return self._derived[purpose]

    def wrap(self, key: bytes, about: bytes) -> WrappedKey:
        """Wrap a key; `about` names what it belongs to, and must be given again to unwrap it."""
        nonce = secrets.token_bytes(12)
        return WrappedKey(self.current, nonce + AESGCM(self._keys[self.current]).encrypt(nonce, key, about))

    def unwrap(self, wrapped: WrappedKey, about: bytes) -> bytes:
        """The key again. Raises `Damaged`, also when the installation's key is missing."""
        try:
            return AESGCM(self._keys[wrapped.key_id]).decrypt(wrapped.value[:12], wrapped.value[12:], about)
        except (KeyError, InvalidTag, ValueError) as wrong:  # ValueError: too short to be anything
            raise Damaged(f"the key {wrapped.key_id!r} does not open {about!r}") from wrong


@lru_cache
def _read_keyring(path: Path, stamp: int) -> Keyring:
    kept = json.loads(path.read_text())
    return Keyring({key_id: base64.b64decode(value) for key_id, value in kept.items()})


def keyring(settings: Settings | None = None) -> Keyring:
    """The installation's keys, read anew when a rotation added one; the first is made on first use."""
    path = (settings or get_settings()).data_dir / "secrets" / "keys.json"
    if not path.exists():
        _keep(path, {"1": secrets.token_bytes(32)}, is_first=True)
    return _read_keyring(path, path.stat().st_mtime_ns)


def add_key(settings: Settings | None = None) -> str:
    """Add a new installation key and make it the current one; returns its id. Old ones stay, to open what is old."""
    keys = dict(keyring(settings)._keys)
    key_id = str(max(int(k) for k in keys) + 1)
    _keep((settings or get_settings()).data_dir / "secrets" / "keys.json", keys | {key_id: secrets.token_bytes(32)})
    return key_id


def _keep(path: Path, keys: dict[str, bytes], *, is_first: bool = False) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({k: base64.b64encode(v).decode() for k, v in keys.items()}, file)
        file.flush()
        os.fsync(file.fileno())
    try:
        if is_first:
            path.hardlink_to(part)  # of several processes at once one makes the first key, and all read the same
        else:
            part.replace(path)
    except FileExistsError:
        pass
    finally:
        part.unlink(missing_ok=True)


def new_key() -> bytes:
    """A key for one object."""
    return secrets.token_bytes(32)


def sealed_size(size: int) -> int:
    """How many bytes a file of so many becomes."""
    return size + TAG * max(1, -(-size // CHUNK))


def seal_beside(key: bytes, plain: bytes, about: bytes) -> bytes:
    """Something that belongs to an object, sealed by a key made from the object's own; `about` says what it is."""
    nonce = secrets.token_bytes(12)
    return nonce + AESGCM(_beside(key)).encrypt(nonce, plain, about)


def open_beside(key: bytes, sealed: bytes, about: bytes) -> bytes:
    """What `seal_beside` sealed. Raises `Damaged`."""
    try:
        return AESGCM(_beside(key)).decrypt(sealed[:12], sealed[12:], about)
    except (InvalidTag, ValueError) as wrong:
        raise Damaged(f"{about!r} is not what was written") from wrong


def _beside(key: bytes) -> bytes:
    return HKDF(SHA512(), 32, salt=None, info=b"waypost beside an object").derive(key)


def _nonce(index: int, *, is_last: bool) -> bytes:
    return index.to_bytes(11, "big") + (b"\x01" if is_last else b"\x00")


async def seal(key: bytes, plain: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The sealed chunks of a file, as it comes in; holds one chunk."""
    cipher, held, index = AESGCM(key), bytearray(), 0
    async for data in plain:
        held += data
        while len(held) > CHUNK:  # the last chunk is known only when nothing follows it
            yield cipher.encrypt(_nonce(index, is_last=False), bytes(held[:CHUNK]), None)
            del held[:CHUNK]
            index += 1
    yield cipher.encrypt(_nonce(index, is_last=True), bytes(held), None)


def place_of(start: int, length: int, size: int) -> tuple[int, int, int]:
    """Where a part of a file lies in its sealed form: (first chunk's index, offset in bytes, number of bytes)."""
    first = start // CHUNK
    last = max(first, (start + length - 1) // CHUNK) if length else first
    offset = first * SEALED_CHUNK
    return first, offset, min(sealed_size(size) - offset, (last - first + 1) * SEALED_CHUNK)


async def open_part(
    key: bytes, sealed: AsyncIterator[bytes], *, start: int, length: int, size: int
) -> AsyncIterator[bytes]:
    """The plain bytes `start` to `start + length` of a file of `size` bytes, from the sealed bytes `place_of` names.

    Raises `Damaged` when a chunk is not the one that was written there.
    """
    cipher, held = AESGCM(key), bytearray()
    index = start // CHUNK
    skip, left = start % CHUNK, length
    last = max(0, -(-size // CHUNK) - 1)
    async for data in sealed:
        held += data
        while len(held) >= SEALED_CHUNK or (index == last and len(held) == sealed_size(size) - last * SEALED_CHUNK):
            chunk = bytes(held[:SEALED_CHUNK])
            del held[:SEALED_CHUNK]
            try:
                plain = cipher.decrypt(_nonce(index, is_last=index == last), chunk, None)
            except InvalidTag as wrong:
                raise Damaged(f"chunk {index} is not what was written") from wrong
            index += 1
            part = plain[skip : skip + left]
            skip, left = 0, left - len(part)
            if part:
                yield part
            if index > last:
                break
    if left:
        raise Damaged("the file ends too early")
