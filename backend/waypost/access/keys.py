"""What a key looks like that a program carries: a prefix, 256 random bits, and a checksum. Pure.

`wp_pat_` and 49 letters and digits: a scanner for leaked secrets finds it by its look (`wp_[a-z]+_[0-9A-Za-z]{49}`) and by the
checksum knows a real one from a look-alike without asking us. A double click takes all of it. Only its SHA-256 is kept.
"""

from __future__ import annotations

import secrets
import zlib

PERSONAL = "wp_pat_"  # of a person
SERVICE = "wp_svc_"  # of a service account
CLIENT_SECRET = "wp_cls_"  # noqa: S105 - a prefix; of an OAuth client
PREFIXES = (PERSONAL, SERVICE)
SHOWN = 4  # characters behind the prefix by which somebody recognises theirs
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM = 43  # base-62 digits that hold 256 bits
_CHECK = 6  # and those that hold 32


def _base62(number: int, length: int) -> str:
    digits = ""
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits = _DIGITS[digit] + digits
    return digits


def _checksum(text: str) -> str:
    return _base62(zlib.crc32(text.encode()), _CHECK)


def new_key(prefix: str) -> str:
    """A key nobody can guess."""
    body = prefix + _base62(secrets.randbits(256), _RANDOM)
    return body + _checksum(body)


def is_key(text: str, prefix: str) -> bool:
    """Whether this can be a key of ours at all; a typing error or an invention is told without asking the database."""
    if len(text) != len(prefix) + _RANDOM + _CHECK or not text.startswith(prefix) or not text.isascii():
        return False
    return secrets.compare_digest(text[-_CHECK:], _checksum(text[:-_CHECK]))


def beginning(key: str, prefix: str) -> str:
    """So much of a key as may be shown later."""
    return key[: len(prefix) + SHOWN]
