"""Codes in text messages: one to prove that a phone is one's own, one to answer a request with. Pure.

A code is made from the installation's secret and what it is for, at the moment the message goes out; what is kept is a
keyed hash, so that nobody who reads the database has a code, nor can find one by trying them all.
"""

from __future__ import annotations

import hmac

# Upper-case letters and digits that look like no other one, and no vowels: a code is never a word.
ALPHABET = "34679CDFGHJKMNPQRTVWXY"
LENGTH = 5  # 22⁵: five million, of which a phone may try five
DIGITS = "0123456789"
PROOF_LENGTH = 6


def key_of(secret: bytes) -> bytes:
    """The key of all codes, from the installation's secret."""
    return hmac.digest(secret, b"waypost: codes in text messages", "sha256")


def reply_code(key: bytes, phone: str, step_id: int, version: int, salt: int) -> str:
    """The code with which this phone answers a step, as told in a version of the request."""
    return _written(key, f"reply|{phone}|{step_id}|{version}|{salt}", ALPHABET, LENGTH)


def proof_code(key: bytes, point_id: int, salt: int) -> str:
    """The code that proves a phone to be somebody's."""
    return _written(key, f"proof|{point_id}|{salt}", DIGITS, PROOF_LENGTH)


def hash_of(key: bytes, whose: str, code: str) -> bytes:
    """What is kept of a code of a phone's, or of a contact point's."""
    return hmac.digest(key, f"kept|{whose}|{code}".encode("utf-8", "replace"), "sha256")


def is_code(written: str) -> bool:
    """Whether this could be a code to answer with, in capitals."""
    return len(written) == LENGTH and all(c in ALPHABET for c in written)


def _written(key: bytes, what: str, alphabet: str, length: int) -> str:
    number = int.from_bytes(hmac.digest(key, what.encode(), "sha256"))
    signs = []
    for _ in range(length):
        number, n = divmod(number, len(alphabet))
        signs.append(alphabet[n])
    return "".join(signs)
