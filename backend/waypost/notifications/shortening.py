"""Texts that fit where another system has a limit. Pure."""

from __future__ import annotations

from collections.abc import Callable


def cut(text: str, most: int, escape: Callable[[str], str] = str) -> str:
    """The text as `escape` writes it, at most so long; cut between its own characters, so no escape is torn apart."""
    whole = escape(text)
    if len(whole) <= most:
        return whole
    low, high = 0, min(len(text), most)
    while low < high:
        middle = (low + high + 1) // 2
        if len(escape(text[:middle])) < most:
            low = middle
        else:
            high = middle - 1
    return escape(text[:low].rstrip()) + "…"
