"""Making our key pair when the first provider needs it, and keeping it sealed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from sqlalchemy import func, select

from waypost.access.providers.saml.models import SamlKey
from waypost.kernel.clock import now
from waypost.kernel.crypto import WrappedKey, keyring
from waypost.kernel.db import Database

BITS = 3072
LIFE = timedelta(days=3650)  # identity providers pin it; its dates are for show


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A key (PEM, never shown) and its certificate (PEM)."""

    private_key: bytes
    certificate: str


async def key_pairs(database: Database) -> list[KeyPair]:
    """Ours, the current one first; the first is made now when there is none."""
    async with database.read() as session:
        rows = list(await session.scalars(_newest_first()))
    return [_opened(row) for row in rows] or [await _first(database)]


async def _first(database: Database) -> KeyPair:
    at = now()
    made = await asyncio.to_thread(make, at)
    async with database.transaction() as session:
        await session.execute(select(func.pg_advisory_xact_lock(func.hashtext("saml_keys"))))
        there = await session.scalar(_newest_first().limit(1))
        if there is not None:  # two at once: the first one counts
            return _opened(there)
        row = SamlKey(certificate=made.certificate, created_at=at)
        wrapped = keyring().wrap(made.private_key, row.about)
        row.sealed, row.sealed_with = wrapped.value, wrapped.key_id
        session.add(row)
    return made


def make(at: datetime) -> KeyPair:
    """A new pair; takes about a second."""
    key = rsa.generate_private_key(65537, BITS)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Waypost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + LIFE)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return KeyPair(pem, certificate.public_bytes(Encoding.PEM).decode())


def _newest_first() -> Any:
    return select(SamlKey).order_by(SamlKey.id.desc())


def _opened(row: SamlKey) -> KeyPair:
    private_key = keyring().unwrap(WrappedKey(row.sealed_with, row.sealed), row.about)
    return KeyPair(private_key, row.certificate)
