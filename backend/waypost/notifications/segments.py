"""What a text costs as SMS, and how to make it cost less: the GSM-7 alphabet, UCS-2, and messages in parts. Pure.

GSM-7 (3GPP TS 23.038) takes 160 septets in one message, or 153 in each of several; one character outside of it makes the
whole text UCS-2, with 70 or 67 units. Characters of the extension table take two septets. Neither an escaped character
nor a surrogate pair is torn over two parts.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = "\f^{}\\[~]|€"
SEPTETS = {**dict.fromkeys(_BASIC, 1), **dict.fromkeys(_EXTENDED, 2)}
_ALIKE = {
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "`": "'", "´": "'",
    "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "″": '"', "‹": "'", "›": "'",
    "–": "-", "—": "-", "‐": "-", "‑": "-", "‒": "-", "―": "-", "−": "-", "•": "-", "·": "-",
    "…": "...", "→": "->", "←": "<-", "×": "x", "÷": "/", "©": "(c)", "®": "(R)", "™": "(TM)", "№": "No.", "⁄": "/", "\t": " ",
    "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "þ": "th", "Þ": "Th", "ı": "i", "œ": "oe", "Œ": "OE", "ẞ": "SS",
    "ħ": "h", "Ħ": "H", "ŧ": "t", "Ŧ": "T", "ĸ": "k", "ŋ": "n", "Ŋ": "N",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Size:
    """What a text costs: its alphabet, its length in that alphabet's units, and in how many parts it goes out."""

    alphabet: str
    units: int
    segments: int


def size_of(text: str) -> Size:
    """What a text costs as it stands."""
    if all(c in SEPTETS for c in text):
        return _size("GSM-7", [SEPTETS[c] for c in text], 160, 153)
    return _size("UCS-2", [2 if ord(c) > 0xFFFF else 1 for c in text], 70, 67)


def _size(alphabet: str, units: list[int], alone: int, each: int) -> Size:
    total = sum(units)
    if total <= alone:
        return Size(alphabet, total, 1)
    parts, room = 1, each
    for unit in units:
        if unit > room:
            parts, room = parts + 1, each
        room -= unit
    return Size(alphabet, total, parts)


def plainer(text: str) -> str:
    """The text with what GSM-7 lacks put as it can be read there: quotes, dashes, accents. Pictures are left out; a script
    that has no other letters stays as it is."""
    return "".join(_plain(c) for c in unicodedata.normalize("NFC", text))


@cache
def _plain(c: str) -> str:
    if c in SEPTETS:
        return " " if c in "\r\f" else c
    if c in _ALIKE:
        return _ALIKE[c]
    kind = unicodedata.category(c)
    if kind.startswith("Z"):
        return " "
    if kind in ("Cc", "Cf", "Cs", "Co", "Cn", "So", "Sk", "Mn", "Me"):
        return ""
    taken_apart = unicodedata.normalize("NFKD", c)
    base = "".join(_ALIKE.get(p, p) for p in taken_apart if not unicodedata.combining(p))
    return base if base and all(p in SEPTETS for p in base) else c


def cut_to(text: str, fits: int, head: str = "", tail: str = "") -> str:
    """`head`, as much of the text as goes into `fits` parts with both around it, and `tail`; cut at its end, which then
    says so. What must be there is there, whether or not it fits."""
    whole = f"{head}{text}{tail}"
    if size_of(whole).segments <= fits:
        return whole
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if size_of(f"{head}{text[:middle].rstrip()}...{tail}").segments <= fits:
            low = middle
        else:
            high = middle - 1
    return f"{head}{text[:low].rstrip()}{'...' if low else ''}{tail}"
