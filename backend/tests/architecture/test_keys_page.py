"""The inventory of keys and algorithms holds what there is: every secret, every sealed table, every algorithm of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from waypost.kernel.db import Base
from waypost.kernel.sealing import SealedText
from waypost.kernel.secret_files import is_secret
from waypost.kernel.settings import Settings
from waypost.migrations import tables  # noqa: F401 - every table there is

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "operators" / "keys.md").read_text()
CODE = "\n".join(path.read_text() for path in sorted((ROOT / "backend" / "waypost").rglob("*.py")))
# How algorithms look in the code, and the words the page has for them.
_LOOKS = re.compile(
    r"\bhashlib\.(\w+)|\bhashes\.(SHA\w+|MD5)|\b(AESGCM|ChaCha20\w*|AESCCM|AESSIV|Fernet|TripleDES|ARC4)\b|\bmodes\.([A-Z]\w+)"
    r"|\b(Ed25519PrivateKey|Ed448PrivateKey|X25519PrivateKey|PasswordHasher)\b|\"((?:HS|RS|ES|PS)\d{3})\"|\bec\.(SECP\w+)"
)
WORDS = {
    "sha1": "SHA-1",
    "sha256": "SHA-256",
    "sha384": "SHA-384",
    "sha512": "SHA-512",
    "aesgcm": "AES-256-GCM",
    "aessiv": "AES-SIV",
    "md5": "MD5",
    "ed25519privatekey": "Ed25519",
    "passwordhasher": "Argon2id",
}


def algorithms() -> set[str]:
    """Every algorithm the code names."""
    return {next(name for name in found if name).lower() for found in _LOOKS.findall(CODE)}


def test_every_algorithm_of_the_code_is_on_the_page() -> None:
    found = algorithms()
    assert {"sha256", "aesgcm", "ed25519privatekey"} <= found, "it sees what is there"
    assert [name for name in found if WORDS.get(name, name.upper()) not in PAGE] == []


@pytest.mark.parametrize("gone", ["sha", "fernet", "tripledes", "arc4", "ecb", "hs256"])
def test_what_is_refused_is_not_in_the_code(gone: str) -> None:
    assert gone not in algorithms()


def test_md5_is_for_indexes_only() -> None:
    assert len(re.findall(r"hashlib\.md5\(", CODE)) == len(
        re.findall(r"hashlib\.md5\([^\n]*usedforsecurity=False", CODE)
    )


def test_every_secret_of_the_settings_is_on_the_page() -> None:
    secrets = [name.upper() for name, field in Settings.model_fields.items() if is_secret(field)]
    assert secrets
    assert [name for name in secrets if f"`{name}`" not in PAGE] == []


def test_every_file_of_secrets_is_on_the_page() -> None:
    files = set(re.findall(r'"secrets" / "(\w+(?:\.json)?)"', CODE))
    assert {"keys.json", "secret_key", "audit_keys.json"} <= files
    assert [name for name in files if f"secrets/{name}" not in PAGE] == []


def test_every_table_with_something_sealed_is_on_a_page() -> None:
    data = (ROOT / "docs" / "operators" / "data.md").read_text()
    sealed = {m.local_table.name for m in Base.registry.mappers if hasattr(m.class_, "sealed_columns")}  # type: ignore[attr-defined]
    texts = {t.name for t in Base.metadata.tables.values() if any(isinstance(c.type, SealedText) for c in t.columns)}
    assert {"totp_secrets", "attachments"} <= sealed
    assert [name for name in sealed if f"`{name}`" not in PAGE] == []
    assert [name for name in texts if f"`{name}`" not in data] == []
