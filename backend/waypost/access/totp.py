"""Codes of an authenticator app (RFC 6238) and recovery codes. Pure.

A code counts for its own step of 30 seconds and one on either side (clocks differ; RFC 6238, 5.2), and only for a step
newer than the last one a code was taken for: somebody who looks over a shoulder cannot use it again.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime

import pyotp
import segno

STEP = 30  # seconds
DRIFT = 1  # steps a clock may be off
ISSUER = "Waypost"
RECOVERY_CODES = 10
_RECOVERY_SIGNS = 28  # 140 bits: a plain hash of it cannot be guessed back, ever
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"  # five bits a sign, and none that looks like another


def new_secret() -> str:
    """160 random bits, as an authenticator app takes them (base32)."""
    return pyotp.random_base32(32)


def uri(secret: str, username: str) -> str:
    """The address an authenticator app reads out of the picture (Key URI format)."""
    return pyotp.TOTP(secret, interval=STEP).provisioning_uri(name=username, issuer_name=ISSUER)


def picture(address: str) -> str:
    """A QR code of it, as SVG: dark on light in either theme, with the quiet zone cameras need."""
    return str(segno.make(address, error="m").svg_inline(scale=4, border=4, light="#fff", dark="#0f172a"))


def step_of(secret: str, code: str, at: datetime, *, after: int) -> int | None:
    """The step a code is right for, newer than `after`; None when it is for none. Every step is compared."""
    now_step = int(at.timestamp()) // STEP
    totp = pyotp.TOTP(secret, interval=STEP)
    found: int | None = None
    for step in range(now_step - DRIFT, now_step + DRIFT + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), code.encode(errors="replace")) and step > after:
            found = step
    return found


def new_recovery_codes() -> list[str]:
    """Codes to write down, four by four. Those of earlier releases are shorter, and count until they are renewed."""
    return [_grouped("".join(secrets.choice(_ALPHABET) for _ in range(_RECOVERY_SIGNS))) for _ in range(RECOVERY_CODES)]


def _grouped(code: str) -> str:
    return "-".join(code[n : n + 4] for n in range(0, len(code), 4))


def hash_recovery_code(typed: str) -> bytes:
    """What is kept of a recovery code, however it was typed: with or without strokes, spaces and capitals."""
    plain = "".join(c for c in typed.lower() if c.isalnum())
    return hashlib.sha256(plain.encode(errors="replace")).digest()
