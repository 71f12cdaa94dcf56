"""The chain over the log: what a row's hash is made of, how rows hang together, and where a chain is broken. Pure.

    header = H(1, every column but `data`, each with its name, its kind and its length)
    leaf   = H(2, salt of the leaf, its path, its kind, its value)        for every value in `data`
    row    = H(3, header, the leaves in the order of their paths)
    chain  = H(4, chain of the row before, position, row)

H is SHA-256. A leaf's salt is made from the row's (HMAC-SHA-256 over its path), which lies beside the seal. So a single
value can be taken out of a row, with its salt, and its leaf put in its place: the row's hash stays what it was, and from
what is left nobody can find the value by trying names. The format is described in `docs/auditors/chain.md`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

ERASED = "[erased]"  # what stands in `data` where a personal value stood
GENESIS = hashlib.sha256(b"waypost audit chain 1").digest()
COLUMNS = (
    "id",
    "txid",
    "type",
    "version",
    "object_type",
    "object_id",
    "actor_id",
    "on_behalf_of_id",
    "channel",
    "request_id",
    "at",
)


class Number(str):
    """A number as the database writes it: 1.0 and 1.00 are two values."""

    __slots__ = ()


Value = str | Number | bool | None | list["Value"] | dict[str, "Value"]
Column = int | str | None


@dataclass(frozen=True, slots=True)
class Row:
    """An event: the columns in the order of `COLUMNS` (`at` in microseconds since 1970), and `data`."""

    columns: tuple[Column, ...]
    data: Value

    @property
    def id(self) -> Column:
        return self.columns[0]


@dataclass(frozen=True, slots=True)
class Leaf:
    """What is kept for one value of a row from which something was erased: its salt, or the hash that replaces it."""

    salt: bytes | None = None
    hash: bytes | None = None


@dataclass(frozen=True, slots=True)
class Seal:
    """What lies beside an event. `salt` is the row's; after an erasure it is gone and `leaves` has what is left of it."""

    position: int
    event_id: int
    row_hash: bytes
    chain_hash: bytes
    salt: bytes | None
    leaves: Mapping[str, Leaf] | None = None


def read_data(text: str) -> Value:
    """`data` as the database prints it, its numbers untouched."""
    value: Value = json.loads(text, parse_int=Number, parse_float=Number)
    return value


def values_in(data: Value, path: str = "", keys: tuple[str, ...] = ()) -> Iterator[tuple[str, tuple[str, ...], Value]]:
    """Every value with its path (`."key"`, `[0]`) and the steps to it; an object or a list without members is a value."""
    if isinstance(data, dict) and data:
        for key, value in data.items():
            yield from values_in(value, f"{path}.{json.dumps(key)}", (*keys, key))
    elif isinstance(data, list) and data:
        for index, value in enumerate(data):
            yield from values_in(value, f"{path}[{index}]", (*keys, str(index)))
    else:
        yield path, keys, data


def _kind(value: Value) -> bytes:
    if value is None:
        return b"0"
    if isinstance(value, bool):
        return b"t" if value else b"f"
    if isinstance(value, Number):
        return b"n" + value.encode()
    if isinstance(value, str):
        return b"s" + value.encode("utf-8", "surrogatepass")
    return b"{" if isinstance(value, dict) else b"["


def _sized(*parts: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def leaf_salt(row_salt: bytes, path: str) -> bytes:
    """The salt of one value; it tells nothing about the row's, nor about another's."""
    return hmac.digest(row_salt, path.encode(), "sha256")


def leaf_hash(salt: bytes, path: str, value: Value) -> bytes:
    """The hash of one value at its place."""
    return hashlib.sha256(b"\x02" + _sized(salt, path.encode(), _kind(value))).digest()


def header_hash(columns: Iterable[Column]) -> bytes:
    """The hash of everything but `data`."""
    told = b""
    for name, value in zip(COLUMNS, columns, strict=True):
        kind = b"0" if value is None else (b"n" if isinstance(value, int) else b"s") + str(value).encode()
        told += _sized(name.encode(), kind)
    return hashlib.sha256(b"\x01" + told).digest()


def leaf_hashes(row: Row, salt: bytes | None, leaves: Mapping[str, Leaf] | None) -> dict[str, bytes]:
    """The leaf of every value by its path. Raises `KeyError` for a value that nothing is kept for."""
    found: dict[str, bytes] = {}
    for path, _, value in values_in(row.data):
        if leaves is None:
            if salt is None:
                raise KeyError(path)
            found[path] = leaf_hash(leaf_salt(salt, path), path, value)
            continue
        kept = leaves[path]
        if kept.salt is not None:
            found[path] = leaf_hash(kept.salt, path, value)
        elif kept.hash is not None and value == ERASED:
            found[path] = kept.hash
        else:
            raise KeyError(path)
    return found


def row_hash(row: Row, salt: bytes | None, leaves: Mapping[str, Leaf] | None = None) -> bytes:
    """The hash of a whole event. Raises `KeyError` when what is kept beside it does not fit its values."""
    found = leaf_hashes(row, salt, leaves)
    told = b"".join(found[path] for path in sorted(found))
    return hashlib.sha256(b"\x03" + header_hash(row.columns) + told).digest()


def chain_hash(before: bytes, position: int, of_row: bytes) -> bytes:
    """The hash of the chain up to and with this row."""
    return hashlib.sha256(b"\x04" + before + struct.pack(">Q", position) + of_row).digest()


def seal(before: bytes, position: int, row: Row, salt: bytes) -> Seal:
    """The seal of the next event."""
    of_row = row_hash(row, salt)
    return Seal(position, int(row.columns[0] or 0), of_row, chain_hash(before, position, of_row), salt)


def erase(
    row: Row, kept: Seal, paths: Iterable[str]
) -> tuple[list[tuple[str, tuple[str, ...]]], dict[str, Leaf]] | None:
    """What to keep instead of the row's salt so that these values can go: (path, steps) of each, and the leaves.

    None when nothing of it is there to erase any more.
    """
    wanted = set(paths)
    hashes = leaf_hashes(row, kept.salt, kept.leaves)
    gone: list[tuple[str, tuple[str, ...]]] = []
    leaves: dict[str, Leaf] = {}
    for path, keys, _ in values_in(row.data):
        before = kept.leaves[path] if kept.leaves is not None else Leaf(salt=leaf_salt(kept.salt or b"", path))
        if path in wanted and before.salt is not None:
            leaves[path] = Leaf(hash=hashes[path])
            gone.append((path, keys))
        else:
            leaves[path] = before
    return (gone, leaves) if gone else None


class Kind(StrEnum):
    """What can be wrong with a chain."""

    ALTERED = "ALTERED"  # the event is not the one that was sealed
    REMOVED = "REMOVED"  # the seal stands, its event does not
    SEAL_REMOVED = "SEAL_REMOVED"  # positions are missing
    REORDERED = "REORDERED"  # event and seal fit, but not at this place of the chain
    INSERTED = "INSERTED"  # an event that nothing sealed, among such as were
    UNSEALED = "UNSEALED"  # the sealer is behind
    TRUNCATED = "TRUNCATED"  # the chain ends before a signed checkpoint
    REWRITTEN = "REWRITTEN"  # whole in itself, but not the chain that was signed
    CHECKPOINT_FALSE = "CHECKPOINT_FALSE"  # not signed by a key of ours, or not as it was signed
    CHECKPOINT_MISSING = "CHECKPOINT_MISSING"
    SIGNATURE_FALSE = "SIGNATURE_FALSE"  # an approver's signature is not right, or not of what was decided
    SIGNATURE_MISSING = "SIGNATURE_MISSING"  # the log says that a decision was signed, and there is no signature


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, where it begins, and what it means."""

    kind: Kind
    position: int | None
    event_id: int | None
    sentence: str


class Walk:
    """Goes along the chain seal by seal and says at which row it is broken. Holds one hash, whatever the length."""

    def __init__(self, position: int = 0, before: bytes = GENESIS) -> None:
        self.position = position
        self.chain = before
        self.erased = 0
        self.is_whole = True  # so far

    def step(self, found: Seal, row: Row | None) -> Problem | None:
        """Take the next seal and its event; what is wrong there, and then go on as if it were not."""
        problem = self._judge(found, row)
        if problem is not None:
            self.is_whole = False
        self.position, self.chain = found.position, found.chain_hash
        return problem

    def step_removed(self, found: Seal) -> Problem | None:
        """Take a seal whose event was removed by policy: it has to be at its place; its event nobody can look at."""
        problem = self._misplaced(found)
        if problem is None and chain_hash(self.chain, found.position, found.row_hash) != found.chain_hash:
            sentence = f"The seal of event {found.event_id}, which was removed by policy, does not fit this place."
            problem = Problem(Kind.REORDERED, found.position, found.event_id, sentence)
        if problem is not None:
            self.is_whole = False
        self.position, self.chain = found.position, found.chain_hash
        return problem

    def _misplaced(self, found: Seal) -> Problem | None:
        expected = self.position + 1
        if found.position != expected:
            missing = f"{expected}" if found.position == expected + 1 else f"{expected} to {found.position - 1}"
            return Problem(
                Kind.SEAL_REMOVED, expected, None, f"The seals of position {missing} are gone: rows were removed there."
            )
        return None

    def _judge(self, found: Seal, row: Row | None) -> Problem | None:
        expected = self.position + 1
        if (misplaced := self._misplaced(found)) is not None:
            return misplaced
        if row is None:
            return Problem(
                Kind.REMOVED,
                expected,
                found.event_id,
                f"Event {found.event_id} was sealed here and is gone from the log.",
            )
        try:
            of_row = row_hash(row, found.salt, found.leaves)
        except KeyError:
            of_row = b""
        if of_row != found.row_hash:
            return Problem(
                Kind.ALTERED,
                expected,
                found.event_id,
                f"Event {found.event_id} does not say what it said when it was sealed.",
            )
        if chain_hash(self.chain, expected, found.row_hash) != found.chain_hash:
            return Problem(
                Kind.REORDERED,
                expected,
                found.event_id,
                f"Event {found.event_id} and its seal fit each other but not this place: rows before it were exchanged, "
                "moved, put in or taken out, or the seals rewritten from here.",
            )
        self.erased += sum(leaf.hash is not None for leaf in found.leaves.values()) if found.leaves else 0
        return None
