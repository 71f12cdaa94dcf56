"""Which kinds of entries may ever be removed, after how long, and what a removal signs. Pure.

The same kinds stand in the database function that removes (`waypost_remove_events`), which takes nobody's word for it.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

FORMAT = "waypost-removal-1"
LEAST_YEARS, MOST_YEARS = 1, 30
YEAR = timedelta(days=365.25)
GROUPS: dict[str, tuple[str, ...]] = {
    "sign_ins": (
        "auth.denied",
        "auth.login",
        "auth.login_failed",
        "auth.session_ended",
        "auth.step_up",
        "auth.step_up_failed",
    ),
    "readings": ("audit.read", "evidence.asked", "evidence.taken", "ticket.read", "tickets.exported", "users.exported"),
    "messages": ("incoming_mail.answered", "notification.created", "notification.sent_again", "sms.answered"),
    "system": (
        "audit.check_asked",
        "audit_stream.tried",
        "channel.failed",
        "channel.tested",
        "directory.failed",
        "mailbox.failed",
        "provider.tested",
        "system.alarm",
        "system.started",
    ),
}
NOTHING = hashlib.sha256(b"waypost removal 1").digest()


@dataclass(frozen=True, slots=True)
class Removal:
    """Which rows went: `count` of them up to position `upto`, all before `before`; `digest` is over their places and hashes."""

    number: int
    group: str
    upto: int
    count: int
    before: str
    digest: str
    at: str
    key_id: str

    @property
    def body(self) -> str:
        """The line that is signed."""
        told = {
            "format": FORMAT,
            "number": self.number,
            "group": self.group,
            "upto": self.upto,
            "count": self.count,
            "before": self.before,
            "digest": self.digest,
            "at": self.at,
            "key_id": self.key_id,
        }
        return json.dumps(told, separators=(",", ":"))


class FalseRemoval(ValueError):
    """Not a removal of ours; the message says why."""


def digest_of(rows: Iterable[tuple[int, bytes]]) -> str:
    """What a removal signs of its rows: a hash over position and hash of each, in the order of the chain."""
    found = Digest()
    for position, row_hash in rows:
        found.add(position, row_hash)
    return found.told


class Digest:
    """The same, row by row."""

    def __init__(self) -> None:
        self._hash = NOTHING
        self.count = self.last = 0

    def add(self, position: int, row_hash: bytes) -> None:
        """The next row that is gone."""
        self._hash = hashlib.sha256(self._hash + struct.pack(">Q", position) + row_hash).digest()
        self.count, self.last = self.count + 1, position

    @property
    def told(self) -> str:
        return self._hash.hex()


def sign(removal: Removal, key: Ed25519PrivateKey) -> str:
    """The signature, in hexadecimal."""
    return key.sign(removal.body.encode()).hex()


def read(body: str, signature: str, keys: Mapping[str, bytes]) -> Removal:
    """What was signed, once it is certain that a key of `keys` signed it. Raises `FalseRemoval`."""
    try:
        told = json.loads(body)
        if told.pop("format") != FORMAT:
            raise FalseRemoval("its format is not one of ours")
        found = Removal(**told)
        public, signed = keys.get(found.key_id), bytes.fromhex(signature)
    except FalseRemoval:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise FalseRemoval("it is no removal at all") from wrong
    if public is None:
        raise FalseRemoval(f"the key {found.key_id!r} is none of ours")
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signed, body.encode())
    except InvalidSignature as wrong:
        raise FalseRemoval("its signature does not fit what it says") from wrong
    return found


def cutoff(years: int, at: datetime) -> datetime:
    """What is older than this may go. Raises `ValueError` for less than the least."""
    if not LEAST_YEARS <= years <= MOST_YEARS:
        raise ValueError(f"between {LEAST_YEARS} and {MOST_YEARS} years")
    return at - years * YEAR
