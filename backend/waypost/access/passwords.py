"""Passwords: Argon2id hashes, and what may be one.

Parameters after OWASP ASVS 5.0, 11.4.2 (19 MiB, two passes, one lane): about 30 ms a hash, so a login storm does not
take the cores from everybody else. Hashing runs in a small thread pool for the same reason.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from waypost.access.errors import WeakPassword
from waypost.kernel.errors import FieldError

MIN_LENGTH = 15  # NIST SP 800-63B-4: at least 15 where the password is the only factor
MAX_LENGTH = 128
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")


async def hash_password(password: str) -> str:
    """The Argon2id hash to keep."""
    return await asyncio.get_running_loop().run_in_executor(_pool, _hasher.hash, password)


async def verify_password(kept: str | None, password: str) -> bool:
    """Whether this is the password. Takes the same time when there is none to compare with."""
    return await asyncio.get_running_loop().run_in_executor(_pool, _verify, kept, password[: MAX_LENGTH + 1])


def _verify(kept: str | None, password: str) -> bool:
    try:
        return _hasher.verify(kept or _nobodys(), password) and kept is not None
    except (Argon2Error, InvalidHashError):
        return False


@lru_cache
def _nobodys() -> str:
    return _hasher.hash("nobody's password")


def check_new_password(password: str, *, pointer: str, about: tuple[str, ...] = ()) -> None:
    """Refuse what is easy to guess: too short, too long, one repeated pattern, or made of the person's own names.

    Raises `WeakPassword` naming the field. There are no rules of composition (NIST SP 800-63B-4, 3.1.1.2).
    """
    problem = None
    if len(password) < MIN_LENGTH:
        problem = f"must have at least {MIN_LENGTH} characters"
    elif len(password) > MAX_LENGTH:
        problem = f"must have at most {MAX_LENGTH} characters"
    elif len(set(password.casefold())) < 5:
        problem = "must not repeat a few characters"
    else:
        rest = password.casefold()
        for word in sorted(
            (w.casefold() for w in (*about, "waypost", "password") if len(w) > 2), key=len, reverse=True
        ):
            rest = rest.replace(word, "")
        if len(rest) < 6:
            problem = "must not consist of your name, address or the word password"
    if problem:
        raise WeakPassword(f"The password {problem}.", errors=(FieldError(pointer, problem),))
