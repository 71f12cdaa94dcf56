"""Passwords everybody tries first: a list that comes with the product, so that nobody's password is asked anywhere.

`common_passwords.bin` holds, in order, the first six bytes of the SHA-256 of each of 48,743 passwords of at least six
characters, NFC, in lower case. They come from the lists of zxcvbn (Dropbox, MIT), zxcvbn-ts (MIT) and Django
(BSD-3-Clause), which were made of published breaches; `scripts/common_passwords.py` makes the file again.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from functools import lru_cache
from pathlib import Path

WIDTH = 6
FILE = Path(__file__).with_name("common_passwords.bin")


class _Beginnings:
    """The file as a sequence of its entries, without taking it apart."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __len__(self) -> int:
        return len(self.data) // WIDTH

    def __getitem__(self, n: int) -> bytes:
        return self.data[n * WIDTH : (n + 1) * WIDTH]


@lru_cache
def _kept() -> _Beginnings:
    return _Beginnings(FILE.read_bytes())


def is_common(word: str) -> bool:
    """Whether this, in lower case, is one of them."""
    wanted, kept = beginning(word), _kept()
    n = bisect_left(kept, wanted)
    return n < len(kept) and kept[n] == wanted


def beginning(word: str) -> bytes:
    """What the list holds of a password."""
    return hashlib.sha256(word.encode(errors="replace")).digest()[:WIDTH]
