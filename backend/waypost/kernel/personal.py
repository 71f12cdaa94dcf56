"""What is kept about people, told by each room in its `personal.py`: how it is shown to them, and what becomes of it.

One row says it of one way in which a table means somebody. `wiring.py` lists them all; a test fails for a new column that
refers to a person and is not among them, so that nothing personal is kept that nobody knows of.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

CALLED = "called"  # of `session.info`: what somebody who is being erased was called


class Then(StrEnum):
    """What becomes of rows about somebody when what is personal about them is erased."""

    DELETED = "DELETED"
    BLANKED = "BLANKED"  # the row stays, its personal values do not
    KEPT = "KEPT"


@dataclass(frozen=True, slots=True)
class Held:
    """That `table.column` means a person. `shown` are the columns they are given of it; none where `why` says so.

    `blanks` are SQL expressions by column. `only` narrows the rows, in SQL.
    """

    table: str
    column: str
    title: str
    then: Then
    why: str = ""
    shown: tuple[str, ...] = ()
    blanks: Mapping[str, str] = field(default_factory=dict)
    only: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """Texts in which others were told somebody's name: it gives way to the pseudonym. `is_json`: inside a document."""

    table: str
    column: str
    is_json: bool = False


@dataclass(frozen=True, slots=True)
class File:
    """A file somebody wrote."""

    name: str
    size: int
    read: Callable[[], Awaitable[AsyncIterator[bytes]]]


Files = Callable[[AsyncSession, int], Awaitable[list[File]]]
_held: list[Held] = []
_files: list[Files] = []
_told: list[Told] = []


def use_personal(held: tuple[Held, ...], told: tuple[Told, ...] = (), files: tuple[Files, ...] = ()) -> None:
    """What all rooms keep about people (`wiring.py`)."""
    _held[:] = held
    _told[:] = told
    _files[:] = files


def told_of() -> tuple[Told, ...]:
    """Where others were told names."""
    return tuple(_told)


def personal() -> tuple[Held, ...]:
    """What all rooms keep about people."""
    return tuple(_held)


async def files_of(session: AsyncSession, user_id: int) -> list[File]:
    """The files somebody wrote, of all rooms."""
    return [file for finder in _files for file in await finder(session, user_id)]
