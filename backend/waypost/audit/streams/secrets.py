"""The secrets of a destination (a token, the key of our own certificate): kept sealed, opened only to send."""

from __future__ import annotations

import json

from waypost.audit.streams.models import AuditStream
from waypost.kernel.crypto import WrappedKey, keyring


def seal(row: AuditStream, secrets: dict[str, str]) -> None:
    """Keep them, sealed with the installation's key. The destination has its id already."""
    if not secrets:
        row.sealed = row.sealed_with = None
        return
    wrapped = keyring().wrap(json.dumps(secrets).encode(), row.about)
    row.sealed, row.sealed_with = wrapped.value, wrapped.key_id


def unseal(row: AuditStream) -> dict[str, str]:
    """A destination's secrets. Raises `Damaged`."""
    if row.sealed is None or row.sealed_with is None:
        return {}
    secrets: dict[str, str] = json.loads(keyring().unwrap(WrappedKey(row.sealed_with, row.sealed), row.about))
    return secrets
