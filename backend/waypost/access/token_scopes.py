"""What a token can be made for, in groups people understand. Pure.

Whoever makes a token can give it nothing they may not do themselves, and some things to no token at all: what is about
signing in, other tokens, and who may do what. Those are done by a person who is there.
"""

from __future__ import annotations

from collections.abc import Iterable

from waypost.access.permissions import Permission as P

NEVER = frozenset({P.SESSIONS_OWN, P.TOKENS_OWN, P.TOKENS_CONFIGURE, P.ROLES_CONFIGURE})
OTHERS = "administration"
GROUPS: dict[str, tuple[P, ...]] = {
    "read": (
        P.TICKETS_READ,
        P.TICKETS_READ_INTERNAL,
        P.TICKETS_READ_CONFIDENTIAL,
        P.CATALOG_READ,
        P.DIRECTORY_LOOK_UP,
    ),
    "ask": (P.TICKETS_CREATE, P.TICKETS_UPDATE, P.TICKETS_COMMENT),
    "work": (P.TICKETS_WORK, P.TICKETS_ASSIGN, P.TICKETS_COMMENT_INTERNAL, P.TICKETS_MANAGE_REPLIES, P.TICKETS_IMPORT),
    "approve": (
        P.APPROVALS_DECIDE,
        P.APPROVALS_BREAK_GLASS,
        P.APPROVALS_OVERRIDE,
        P.APPROVALS_DELEGATE_FOR,
        P.ABSENCES_SET,
    ),
    "reports": (P.REPORTS_READ, P.AUDIT_READ),
    "notifications": (P.NOTIFICATIONS_READ,),
}
_GROUPED = {permission for group in GROUPS.values() for permission in group}


def possible(held: Iterable[P]) -> list[P]:
    """Of what somebody may, what a token of theirs may too, in alphabetical order."""
    return sorted(set(held) - NEVER, key=lambda p: p.value)


def groups(held: Iterable[P]) -> dict[str, list[P]]:
    """The same in groups; a permission nobody has put into one is with what is for administrators."""
    mine = possible(held)
    found = {key: [p for p in members if p in mine] for key, members in GROUPS.items()}
    found[OTHERS] = [p for p in mine if p not in _GROUPED]
    return {key: members for key, members in found.items() if members}
