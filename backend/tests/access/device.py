"""A device that makes passkeys and signs with them, as WebAuthn says (Level 3, 6): for tests of who is believed."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, WITH_KEY = 0x01, 0x04, 0x40


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Device:
    """One key pair for one address. `is_verified`: its owner unlocked it."""

    def __init__(self, origin: str, rp_id: str, *, is_verified: bool = True) -> None:
        self.origin, self.rp_id, self.is_verified = origin, rp_id, is_verified
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(32)
        self.handle = b""
        self.count = 0

    def _data(self, extra: bytes = b"", flags: int = 0) -> bytes:
        self.count += 1
        flags |= PRESENT | (VERIFIED if self.is_verified else 0)
        return hashlib.sha256(self.rp_id.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big") + extra

    def _client(self, kind: str, options: dict[str, Any]) -> bytes:
        said = {"type": f"webauthn.{kind}", "challenge": options["challenge"], "origin": self.origin}
        return json.dumps({**said, "crossOrigin": False}).encode()

    def make(self, options: dict[str, Any]) -> dict[str, Any]:
        self.handle = base64.urlsafe_b64decode(options["user"]["id"] + "==")
        numbers = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cbor2.dumps(cose)
        made = {"fmt": "none", "attStmt": {}, "authData": self._data(attested, WITH_KEY)}
        response = {"clientDataJSON": encoded(self._client("create", options))}
        return self._credential(
            {**response, "attestationObject": encoded(cbor2.dumps(made)), "transports": ["internal"]}
        )

    def sign(self, options: dict[str, Any]) -> dict[str, Any]:
        client, data = self._client("get", options), self._data()
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        response = {"clientDataJSON": encoded(client), "authenticatorData": encoded(data)}
        return self._credential({**response, "signature": encoded(signature), "userHandle": encoded(self.handle)})

    def _credential(self, response: dict[str, Any]) -> dict[str, Any]:
        return {"id": encoded(self.id), "rawId": encoded(self.id), "type": "public-key", "response": response}
