"""Checkpoints: every minute, when something is new, where the chain is, signed with Ed25519. Pure.

A checkpoint is a line of JSON, signed as it is written: its number, how far the chain is and what its hash is there, when,
with which key, and the hash of the checkpoint before. It is kept in the database and in a file outside of it. A checkpoint
of the kind `PRUNED` says from where the chain begins after old events were removed by policy.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

FORMAT = "waypost-checkpoint-1"
SEALED, PRUNED = "SEALED", "PRUNED"
NOTHING_BEFORE = "0" * 64


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where the chain was. `previous` is the hash of the checkpoint before; `count` the events sealed in all."""

    number: int
    kind: str
    position: int
    chain_hash: str
    count: int
    at: str
    previous: str
    key_id: str

    @property
    def body(self) -> str:
        """The line that is signed."""
        told = {
            "format": FORMAT,
            "number": self.number,
            "kind": self.kind,
            "position": self.position,
            "chain_hash": self.chain_hash,
            "count": self.count,
            "at": self.at,
            "previous": self.previous,
            "key_id": self.key_id,
        }
        return json.dumps(told, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint as it is kept: the line, and the signature in hexadecimal."""

    body: str
    signature: str

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.body.encode()).hexdigest()

    @property
    def line(self) -> str:
        """As it stands in the file outside the database."""
        return json.dumps({"body": self.body, "signature": self.signature}, separators=(",", ":"))


class FalseCheckpoint(ValueError):
    """Not a checkpoint of ours; the message says why."""


def sign(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> Signed:
    """Sign a checkpoint."""
    body = checkpoint.body
    return Signed(body, key.sign(body.encode()).hex())


def key_id_of(public: bytes) -> str:
    """What a key is called: the beginning of its hash."""
    return hashlib.sha256(public).hexdigest()[:16]


def read_line(line: str) -> Signed:
    """A line of the file outside the database. Raises `FalseCheckpoint`."""
    try:
        told = json.loads(line)
        return Signed(str(told["body"]), str(told["signature"]))
    except (ValueError, KeyError, TypeError) as wrong:
        raise FalseCheckpoint("it is not a checkpoint at all") from wrong


def read(signed: Signed, keys: Mapping[str, bytes]) -> Checkpoint:
    """What was signed, once it is certain that a key of `keys` (public ones, by id) signed it. Raises `FalseCheckpoint`."""
    try:
        told = json.loads(signed.body)
        if told.pop("format") != FORMAT:
            raise FalseCheckpoint("its format is not one of ours")
        found = Checkpoint(**told)
        signature = bytes.fromhex(signed.signature)
    except FalseCheckpoint:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise FalseCheckpoint("it is not a checkpoint at all") from wrong
    public = keys.get(found.key_id)
    if public is None:
        raise FalseCheckpoint(f"the key {found.key_id!r} is none of ours")
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, signed.body.encode())
    except InvalidSignature as wrong:
        raise FalseCheckpoint("its signature does not fit what it says") from wrong
    return found
