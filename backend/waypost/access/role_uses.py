"""What names a role: asked before one is removed. The rooms above say so through finders, put in place by the wiring."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

# Each answers with the names of what names the role, as sentences such as "the workflow “Purchases”".
Finder = Callable[[AsyncSession, str], Awaitable[Sequence[str]]]
_finders: tuple[Finder, ...] = ()


def use_role_finders(finders: tuple[Finder, ...]) -> None:
    """Install the finders (called by the wiring)."""
    global _finders  # noqa: PLW0603
    _finders = finders


async def uses_of_role(session: AsyncSession, key: str) -> list[str]:
    """Everything that names a role by its key."""
    return [sentence for finder in _finders for sentence in await finder(session, key)]
