"""How far each permission can reach, which of them give power over others, and what an administrator never loses. Pure.

A scope that a room's policy makes no difference for is not offered: a permission either counts (`PLAIN`), or it counts as
far as one of the scopes named here says. A test reads the policies' own functions and holds this table to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from waypost.access.permissions import Permission, Scope

P = Permission
OWN, LINE, TEAM, DEPARTMENT, ALL = Scope.OWN, Scope.LINE, Scope.TEAM, Scope.DEPARTMENT, Scope.ALL

# Those whose scope says something. What is not named here is had or not; what it is about is said by its room.
REACH: dict[Permission, tuple[Scope, ...]] = {
    P.ABSENCES_SET: (OWN, ALL),
    P.APPROVALS_BREAK_GLASS: (LINE, DEPARTMENT, ALL),
    P.TICKETS_ASSIGN: (TEAM, ALL),
    P.TICKETS_COMMENT_INTERNAL: (TEAM, ALL),
    P.TICKETS_CREATE: (OWN, LINE, DEPARTMENT, ALL),
    P.TICKETS_IMPORT: (TEAM, ALL),
    P.TICKETS_MANAGE_REPLIES: (TEAM, ALL),
    P.TICKETS_READ: (OWN, LINE, TEAM, DEPARTMENT, ALL),
    P.TICKETS_READ_CONFIDENTIAL: (LINE, DEPARTMENT, ALL),
    P.TICKETS_READ_INTERNAL: (TEAM, ALL),
    P.TICKETS_WORK: (TEAM, ALL),
}
# Of these the scope stored is kept as it is; it makes no difference.
PLAIN_SCOPE = ALL

# Whoever has one of these can give power, take it, or see what is kept from nearly everybody.
PRIVILEGED: frozenset[Permission] = frozenset(
    p
    for p in Permission
    if p.value
    in {
        "approvals:override",
        "audit:configure",
        "audit:read",
        "directory:configure",
        "identity:configure",
        "roles:configure",
        "tickets:read_confidential",
        "tokens:configure",
    }
)

# Without these nobody could put a house in order again.
KEPT_BY_ADMINISTRATORS: frozenset[Permission] = frozenset(
    {
        P.DIRECTORY_CONFIGURE,
        P.DIRECTORY_LOOK_UP,
        P.DIRECTORY_READ,
        P.ROLES_CONFIGURE,
        P.ROLES_READ,
        P.SESSIONS_OWN,
    }
)
ADMINISTRATOR = "admin"

Granted = Mapping[Permission, Scope]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one permission of a role that is to be."""

    permission: Permission
    message: str


def reach_of(permission: Permission) -> tuple[Scope, ...]:
    """The scopes that make a difference for a permission; empty when it is only had or not."""
    return REACH.get(permission, ())


def settled(granted: Granted) -> dict[Permission, Scope]:
    """The same permissions with the scopes they count as: a plain one always has the same."""
    return {p: s if reach_of(p) else PLAIN_SCOPE for p, s in sorted(granted.items())}


def counts_as(permission: Permission, scope: Scope) -> Scope | None:
    """The scope of those offered that a stored one amounts to; None when it amounts to nothing."""
    offered = reach_of(permission)
    if not offered:
        return PLAIN_SCOPE
    reached = [s for s in offered if s <= scope]
    return max(reached) if reached else None


def faults(key: str, granted: Granted) -> list[Fault]:
    """What keeps a role with this key from granting these permissions."""
    found = []
    for permission, scope in sorted(granted.items()):
        offered = reach_of(permission)
        if offered and scope not in offered:
            words = ", ".join(s.name for s in offered)
            found.append(Fault(permission, f"reaches {words}: {scope.name} would make no difference"))
    if key == ADMINISTRATOR:
        lost = [p for p in sorted(KEPT_BY_ADMINISTRATORS) if granted.get(p) is not PLAIN_SCOPE]
        found += [Fault(p, "an administrator always has this: nobody could change it back") for p in lost]
    return found


def gives_power(granted: Granted, *, is_marked: bool) -> bool:
    """Whether a role is privileged: an administrator says so, or something it grants does."""
    return is_marked or any(p in PRIVILEGED for p in granted)


def gains(held: Granted, before: Granted, after: Granted) -> bool:
    """Whether somebody with these permissions, a part of them through a role, would be able to do more by its change.

    `held` is what they have from everywhere, `before` and `after` what the role gives them then and now.
    """
    for permission, scope in after.items():
        if before.get(permission) is not None and before[permission] >= scope:
            continue
        if held.get(permission) is None or held[permission] < scope:
            return True
    return False
