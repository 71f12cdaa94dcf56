"""Rows of the log and of the seals, read as they are hashed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import TextClause, text

from waypost.audit.chain import Leaf, Row, Seal, read_data

EVENT = """
    e.id, e.txid::text::bigint AS txid, e.type, e.version, e.object_type, e.object_id, e.actor_id, e.on_behalf_of_id,
    e.channel, e.request_id, (extract(epoch FROM e.at) * 1000000)::bigint AS at, e.data::text AS told
"""
SEALED: TextClause = text(f"""
    SELECT s.position, s.event_id, s.row_hash, s.chain_hash, s.salt, s.leaves, s.removed_in, {EVENT}
    FROM audit_seals s LEFT JOIN events e ON e.id = s.event_id
    WHERE s.position > :after AND s.position <= :upto ORDER BY s.position LIMIT :most
""")  # noqa: S608 - our own columns


def event_of(row: Any) -> Row:
    """An event as it is hashed, from a row with `EVENT`'s columns."""
    columns = (
        row.id,
        row.txid,
        row.type,
        row.version,
        row.object_type,
        row.object_id,
        row.actor_id,
        row.on_behalf_of_id,
        row.channel,
        row.request_id,
        row.at,
    )
    return Row(columns, read_data(row.told))


def seal_of(row: Any) -> Seal:
    """A seal, from a row with its columns."""
    return Seal(row.position, row.event_id, row.row_hash, row.chain_hash, row.salt, read_leaves(row.leaves))


def read_leaves(kept: Any) -> dict[str, Leaf] | None:
    """What is kept for the values of a row from which something was erased."""
    if kept is None:
        return None
    told: Mapping[str, Mapping[str, str]] = kept if isinstance(kept, Mapping) else {}
    return {path: _leaf(value) for path, value in told.items()}


def _leaf(kept: Mapping[str, str]) -> Leaf:
    try:
        return Leaf(
            bytes.fromhex(kept["salt"]) if "salt" in kept else None, bytes.fromhex(kept.get("hash", "")) or None
        )
    except (ValueError, TypeError):  # somebody wrote something else there: nothing fits it
        return Leaf()


def write_leaves(leaves: Mapping[str, Leaf]) -> dict[str, dict[str, str]]:
    """The same, to be kept."""
    return {
        p: {"hash": x.hash.hex()} if x.hash is not None else {"salt": (x.salt or b"").hex()} for p, x in leaves.items()
    }
