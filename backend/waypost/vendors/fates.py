"""What can become of a message that another system was asked to bring."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Delivered:
    """The system took the message; `ref` is what it calls it, to change it later.

    `address` is the account it found a person at, kept as theirs, so that they are looked for once. `segments` are the
    parts in which a text message goes out, each of which is paid for.
    """

    ref: str = ""
    why: str = ""
    address: str = ""
    segments: int | None = None


@dataclass(frozen=True, slots=True)
class TryLater:
    """Not now. `after` is the wait it asked for; with `for_all` it is the system that is away or busy, not this one."""

    why: str
    after: timedelta | None = None
    for_all: bool = False


@dataclass(frozen=True, slots=True)
class Rejected:
    """Never: this message or recipient is refused. `is_gone`: the address is no more, and is not used again."""

    why: str
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class Misconfigured:
    """Nothing can be sent until somebody changes the settings: a wrong password, a token taken back."""

    why: str


Fate = Delivered | TryLater | Rejected | Misconfigured
