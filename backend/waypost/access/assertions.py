"""What a passkey signed for, as it can be checked at any later time, with nothing but what was kept. Pure.

The number a device signs is a random half and the SHA-256 of what is signed for, so the signature stands for those words
and for no others. Of several statements signed at once it is the SHA-256 of their hashes, sorted, one a line.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from webauthn.helpers import base64url_to_bytes, decode_credential_public_key, decoded_public_key_to_cryptography
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.verify_signature import verify_signature

NONCE, DIGEST = 32, 32
_PRESENT, _VERIFIED = 0x01, 0x04
_BROKEN = (WebAuthnException, UnsupportedAlgorithm, ValueError, KeyError, TypeError, IndexError, RecursionError)


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a device answered, and the public key it was believed by then. `algorithm` is COSE's number of it."""

    credential_id: bytes
    public_key: bytes
    authenticator_data: bytes
    client_data: bytes
    signature: bytes
    sign_count: int
    rp_id: str
    algorithm: int


def hash_of(statement: str) -> str:
    """What stands for a statement, in hexadecimal."""
    return hashlib.sha256(statement.encode()).hexdigest()


def digest_of(hashes: Sequence[str]) -> bytes:
    """What stands for all of them in the number that is signed."""
    if len(hashes) == 1:
        return bytes.fromhex(hashes[0])
    return hashlib.sha256("\n".join(sorted(hashes)).encode()).digest()


def challenge_for(statements: Sequence[str], nonce: bytes) -> bytes:
    """The number a device signs for these statements."""
    return nonce + digest_of([hash_of(s) for s in statements])


def algorithm_of(public_key: bytes) -> int:
    """COSE's number of the algorithm a public key is for."""
    return int(decode_credential_public_key(public_key).alg)


def wrong_with(signed: Assertion, hashes: Sequence[str]) -> str | None:
    """Why this is no signature for the statements with these hashes; None when it is one."""
    try:
        return _client(signed, hashes) or _device(signed) or _signature(signed)
    except _BROKEN as wrong:
        return f"what was kept of it can not be read ({type(wrong).__name__})"


def _client(signed: Assertion, hashes: Sequence[str]) -> str | None:
    said = json.loads(signed.client_data)
    if said["type"] != "webauthn.get":
        return "what was signed is not the use of a passkey"
    challenge = base64url_to_bytes(said["challenge"])
    if len(challenge) != NONCE + DIGEST or challenge[NONCE:] != digest_of(hashes):
        return "it was signed for something else"
    host = urlsplit(said["origin"]).hostname or ""
    if host != signed.rp_id and not host.endswith(f".{signed.rp_id}"):
        return "it was signed at another address"
    return None


def _device(signed: Assertion) -> str | None:
    data = signed.authenticator_data
    if data[:32] != hashlib.sha256(signed.rp_id.encode()).digest():
        return "the device signed for another address"
    if not data[32] & _PRESENT or not data[32] & _VERIFIED:
        return "the device did not make sure that its owner is there"
    if int.from_bytes(data[33:37], "big") != signed.sign_count:
        return "the count of the device is not the one that was kept"
    return None


def _signature(signed: Assertion) -> str | None:
    key = decode_credential_public_key(signed.public_key)
    if int(key.alg) != signed.algorithm:
        return "the key is for another algorithm"
    try:
        verify_signature(
            public_key=decoded_public_key_to_cryptography(key),
            signature_alg=key.alg,
            signature=signed.signature,
            data=signed.authenticator_data + hashlib.sha256(signed.client_data).digest(),
        )
    except InvalidSignature:
        return "the signature is not right"
    return None
