"""The keys that checkpoints are signed with: in `DATA_DIR/secrets/audit_keys.json`, never in the database.

Whoever can write to the database must not be able to sign, nor to say whose signature counts.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from waypost.audit.checkpoints import key_id_of
from waypost.kernel.clock import now, rfc3339
from waypost.kernel.settings import Settings, get_settings


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The key that signs, and the public ones of all that ever did, by id."""

    current: str
    private: Ed25519PrivateKey
    public: dict[str, bytes]
    made_at: dict[str, str]


def _path(settings: Settings | None) -> Path:
    return (settings or get_settings()).data_dir / "secrets" / "audit_keys.json"


def signing_keys(settings: Settings | None = None) -> SigningKeys:
    """The keys of this installation; the first is made on first use."""
    path = _path(settings)
    if not path.exists():
        _keep(path, _with_new_key({}), is_first=True)
    told = json.loads(path.read_text())
    keys: dict[str, Any] = told["keys"]
    private = base64.b64decode(keys[told["current"]]["private"])
    return SigningKeys(
        told["current"],
        Ed25519PrivateKey.from_private_bytes(private),
        {key_id: base64.b64decode(key["public"]) for key_id, key in keys.items()},
        {key_id: str(key["made_at"]) for key_id, key in keys.items()},
    )


def public_keys(settings: Settings | None = None) -> dict[str, bytes]:
    """The public keys whose signatures count, by id; none where nothing was ever signed."""
    return signing_keys(settings).public if _path(settings).exists() else {}


def rotate(settings: Settings | None = None) -> str:
    """Sign with a new key from now on; returns its id. The old one is destroyed, its public half stays."""
    signing_keys(settings)
    path = _path(settings)
    told = json.loads(path.read_text())
    for key in told["keys"].values():
        key.pop("private", None)
    made = _with_new_key(told["keys"])
    _keep(path, made)
    return str(made["current"])


def _with_new_key(keys: dict[str, Any]) -> dict[str, Any]:
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    told = {
        "private": base64.b64encode(private.private_bytes_raw()).decode(),
        "public": base64.b64encode(public).decode(),
        "made_at": rfc3339(now()),
    }
    return {"current": key_id_of(public), "keys": {**keys, key_id_of(public): told}}


def _keep(path: Path, told: dict[str, Any], *, is_first: bool = False) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(told, file)
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
