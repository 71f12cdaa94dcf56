"""What a provider said of somebody last: by it one knows what it has emptied or renamed, and what is a person's own. Pure.

A value that stands here because the provider said it goes when the provider has emptied it. That it says nothing does not
show that: it may not be asked for the value any more, or not be allowed to see it; so whoever read the answer says of which
values silence means that (`listened_for`). What somebody here wrote instead stays, and so does what it never spoke of. The
same with usernames: one that was made of what the provider called its person follows; one that was chosen here does not.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

CAN_BE_EMPTY = ("job_title", "department", "manager")
LONGEST_NAME = 58  # room for a number behind it


def username_from(said: str) -> str:
    """What a provider calls somebody, as a username: what stands before an @."""
    return re.sub(r"[^a-z0-9._-]", "", said.partition("@")[0].lower())[:LONGEST_NAME].strip("._-") or "person"


def emptied(
    before: Mapping[str, str],
    now: Mapping[str, str],
    here: Mapping[str, str | None],
    listened_for: Collection[str] = CAN_BE_EMPTY,
) -> list[str]:
    """What the provider said before and has emptied, where it is still what stands here."""
    return [
        n
        for n in CAN_BE_EMPTY
        if n in listened_for and before.get(n) and not now.get(n) and same(before[n], here.get(n))
    ]


def kept(before: Mapping[str, str], now: Mapping[str, str], listened_for: Collection[str]) -> dict[str, str]:
    """What it is known to say from now on: of what it was not listened to for, what it had said."""
    unheard = {n: before[n] for n in CAN_BE_EMPTY if n not in listened_for and n in before}
    return {**unheard, **{n: v for n, v in now.items() if v}}


def emptied_at(name: str) -> str:
    """Under which key it is kept when a provider emptied a value last: by that too many at once are noticed."""
    return f"{name}_emptied_at"


def same(one: str, other: str | None) -> bool:
    """Whether two values are the same but for capitals, which we may keep as they were here."""
    return other is not None and one.lower() == other.lower()


def renamed(before: Mapping[str, str], now: Mapping[str, str], username: str) -> str | None:
    """The username that follows a new name at the provider; None where it has none, or the one here was chosen here."""
    old, new = before.get("username"), now.get("username")
    if not old or not new or old == new:
        return None
    of_theirs = re.fullmatch(re.escape(username_from(old)) + r"\d*", username)
    wanted = username_from(new)
    return wanted if of_theirs and wanted != username and len(wanted) > 1 else None
