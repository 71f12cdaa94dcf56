"""Phone numbers as the whole world writes them (E.164). Pure."""

from __future__ import annotations

import re

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def number_of(written: str, *, needs_plus: bool = True) -> str | None:
    """A number as `+` and digits, from how people and gateways write it; None when it is none."""
    bare = re.sub(r"[\s().\-/\u00a0]", "", written)
    if bare.startswith("00"):
        bare = "+" + bare[2:]
    elif not needs_plus and not bare.startswith("+"):
        bare = "+" + bare
    return bare if bare.isascii() and _E164.fullmatch(bare) else None


def hidden(number: str) -> str:
    """A number by which its owner knows it, and nobody else."""
    return f"{number[:3]}…{number[-3:]}"
