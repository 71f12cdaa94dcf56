"""Passwords: Argon2id hashes, and what may be one.

Parameters after OWASP ASVS 5.0, 11.4.2 (19 MiB, two passes, one lane): about 30 ms a hash, so a login storm does not
take the cores from everybody else. Hashing runs in a small thread pool for the same reason.
"""

from __future__ import annotations

import asyncio
import re
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from waypost.access.common_passwords import is_common
from waypost.access.errors import WeakPassword
from waypost.kernel.errors import FieldError

LEAST_ALONE = 15  # NIST SP 800-63B-4, 3.1.1.2: where the password is the only factor
LEAST_BESIDE = 8  # and where a second one is asked for
MAX_LENGTH = 128
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")


async def hash_password(password: str) -> str:
    """The Argon2id hash to keep."""
    return await asyncio.get_running_loop().run_in_executor(_pool, _hasher.hash, nfc(password))


async def verify_password(kept: str | None, password: str) -> bool:
    """Whether this is the password. Takes the same time when there is none to compare with."""
    given = password[: MAX_LENGTH + 1]
    tidy = nfc(given)
    run = asyncio.get_running_loop().run_in_executor
    if await run(_pool, _verify, kept, tidy):
        return True
    # one kept before letters were composed is compared as it was typed
    return tidy != given and await run(_pool, _verify, kept, given)


def _verify(kept: str | None, password: str) -> bool:
    try:
        return _hasher.verify(kept or _nobodys(), password) and kept is not None
    except (Argon2Error, InvalidHashError):
        return False


@lru_cache
def _nobodys() -> str:
    return _hasher.hash("nobody's password")


def nfc(password: str) -> str:
    """A password as it is hashed: what looks the same is the same, whichever keyboard wrote it."""
    return unicodedata.normalize("NFC", password)


def is_short(password: str) -> bool:
    """Whether this is long enough beside a second factor only."""
    return len(nfc(password)) < LEAST_ALONE


def check_new_password(
    password: str, *, pointer: str, about: tuple[str, ...] = (), has_second_factor: bool = False
) -> None:
    """Refuse what is easy to guess: too short, common, a pattern, or made of the person's, the company's or our name.

    Raises `WeakPassword` naming the field. There are no rules of composition (NIST SP 800-63B-4, 3.1.1.2).
    """
    least = LEAST_BESIDE if has_second_factor else LEAST_ALONE
    problem = problem_with(nfc(password), about=about, least=least)
    if problem:
        raise WeakPassword(f"The password {problem}.", errors=(FieldError(pointer, problem),))


def problem_with(password: str, *, about: tuple[str, ...], least: int) -> str | None:
    """What is wrong with a password, or None. Pure."""
    if len(password) < least:
        return f"must have at least {least} characters"
    if len(password) > MAX_LENGTH:
        return f"must have at most {MAX_LENGTH} characters"
    plain = password.casefold()
    if len(set(plain)) < 5:
        return "must not repeat a few characters"
    if _is_sequence(plain):
        return "must not be a row of letters or numbers"
    if _is_known(plain):
        return "is one of those that are tried first"
    rest = plain
    words = (nfc(w).casefold() for w in (*about, "waypost", "password") if len(w) > 2)
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, "")
    if len(rest) < 6:
        return "must not consist of your name, address, company or the word password"
    return None


def _is_known(plain: str) -> bool:
    """A common one: as it is, repeated, or with numbers and signs around it."""
    repeated = _REPEATED.fullmatch(plain)
    core = _AROUND.sub("", plain)
    return any(is_common(word) for word in {plain, repeated[1] if repeated else plain, core or plain} if len(word) > 5)


_REPEATED = re.compile(r"(.+?)\1+")
_AROUND = re.compile(r"^[\W\d_]+|[\W\d_]+$")


def _is_sequence(plain: str) -> bool:
    """Nearly every character is the next one, the one before, or the same again: `abcdefgh…`, `123456789012345`."""
    steps = [(ord(b) - ord(a)) for a, b in pairwise(plain)]
    return sum(step in (-9, -1, 0, 1, 9) for step in steps) > 0.8 * len(steps)
