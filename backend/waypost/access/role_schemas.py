"""What crosses HTTP about roles, who has them, and changes that wait for a second administrator."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from waypost.access.permissions import Permission, Scope
from waypost.access.reach import PLAIN_SCOPE, reach_of
from waypost.access.roles import Wanted
from waypost.kernel.ids import Id
from waypost.kernel.shapes import Instant, Line, PersonRef, Remark, Strict, Version

Word = Literal["OWN", "LINE", "TEAM", "DEPARTMENT", "ALL"]
Name = Annotated[Line, Field(max_length=100, examples=["Facility lead"])]
Description = Annotated[Remark, Field(max_length=500, examples=["Looks after the building's requests"])]
Reason = Annotated[
    Remark,
    Field(max_length=500, description="Why; whoever confirms it reads this.", examples=["Covers for Sam in August"]),
]


class PermissionItem(BaseModel):
    """A permission, the room it belongs to, and the scopes that make a difference (none: it is had or not)."""

    permission: Annotated[str, Field(examples=["tickets:read"])]
    room: Annotated[str, Field(examples=["tickets"])]
    label_key: Annotated[str, Field(examples=["tickets.read"])]
    scopes: Annotated[list[Word], Field(examples=[["OWN", "LINE", "TEAM", "DEPARTMENT", "ALL"]])]
    is_privileged: Annotated[bool, Field(description="Whoever has it can give power.", examples=[False])]
    is_kept_by_administrators: Annotated[bool, Field(examples=[False])]


class Permissions(BaseModel):
    items: list[PermissionItem]


class RoleName(BaseModel):
    id: Annotated[int, Field(examples=[4])]
    key: Annotated[str, Field(examples=["agent"])]
    name: Annotated[str, Field(examples=["Agent"])]


class RoleRead(RoleName):
    """A role: permissions with their scopes, and how many active people have it."""

    description: Annotated[str, Field(examples=["Works on a team's requests"])]
    is_system: bool
    is_privileged: Annotated[bool, Field(description="Marked by an administrator as one that gives power.")]
    gives_power: Annotated[bool, Field(description="Marked so, or something it grants gives power.")]
    needs_second_factor: bool
    session_idle_minutes: Annotated[
        int | None, Field(description="Its people's sign-ins end unused after so many minutes.", examples=[30])
    ]
    session_absolute_minutes: Annotated[int | None, Field(description="And in all.", examples=[720])]
    permissions: Annotated[dict[str, Word], Field(examples=[{"tickets:read": "TEAM"}])]
    people_count: Annotated[int, Field(examples=[12])]
    version: Version
    allowed_actions: Annotated[list[Literal["edit", "grant", "remove"]], Field(examples=[["edit", "grant"]])]


class RolePage(BaseModel):
    items: list[RoleRead]
    next_cursor: str | None


class RoleCreate(Strict):
    """A new role. A permission may be a word (its nearest scope) or a word with its scope."""

    key: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,62}$", examples=["facility_lead"])]
    name: Name
    description: Description = ""
    is_privileged: Annotated[bool, Field(strict=True, examples=[False])] = False
    permissions: Annotated[
        list[Permission] | dict[Permission, Word], Field(max_length=200, examples=[{"tickets:read": "TEAM"}])
    ]
    reason: Reason = ""

    def wanted(self) -> Wanted:
        """The role as it is to be."""
        if isinstance(self.permissions, list):
            granted = {p: min(reach_of(p), default=PLAIN_SCOPE) for p in self.permissions}
        else:
            granted = {p: Scope[s] for p, s in self.permissions.items()}
        return Wanted(self.name, self.description, self.is_privileged, granted)


class RoleWanted(Strict):
    """The whole role as it is to be; what is left out of `permissions` it does not grant."""

    version: Version
    name: Name
    description: Description = ""
    is_privileged: Annotated[bool, Field(strict=True, examples=[False])] = False
    permissions: Annotated[dict[Permission, Word], Field(max_length=200, examples=[{"tickets:read": "TEAM"}])]
    reason: Reason = ""

    def wanted(self) -> Wanted:
        """The role as it is to be."""
        granted = {p: Scope[s] for p, s in self.permissions.items()}
        return Wanted(self.name, self.description, self.is_privileged, granted)


class GivingProvider(BaseModel):
    id: Annotated[int, Field(examples=[2])]
    name: Annotated[str, Field(examples=["Entra ID"])]


class Grant(BaseModel):
    """That somebody has a role: who gave it, why, and until when (null: for good).

    With a `provider` that provider's groups give it: it is taken away there, or in what its groups give.
    """

    user: PersonRef
    is_active: bool
    role: RoleName
    granted_at: datetime | None
    granted_by: PersonRef | None
    reason: Annotated[str, Field(examples=["Covers for Sam in August"])]
    expires_at: Annotated[datetime | None, Field(examples=["2030-09-01T00:00:00Z"])]
    provider: GivingProvider | None
    allowed_actions: Annotated[list[Literal["take"]], Field(examples=[["take"]])]


class GrantPage(BaseModel):
    items: list[Grant]
    next_cursor: str | None


class GrantCreate(Strict):
    """A role for somebody. Who has it already has it until the new end from now on."""

    user_id: Annotated[Id, Field(examples=[3])]
    expires_at: Annotated[Instant | None, Field(examples=["2030-09-01T00:00:00Z"])] = None
    reason: Reason = ""


class RoleSide(BaseModel):
    """A role as it was, or is to be."""

    name: Annotated[str, Field(examples=["Agent"])]
    description: Annotated[str, Field(examples=[""])]
    is_privileged: bool
    permissions: Annotated[dict[str, Word], Field(examples=[{"tickets:read": "TEAM"}])]


class RoleChangeRead(BaseModel):
    """A change one administrator asked for, with what was and what is wanted; `outcome` is null while it waits."""

    id: Annotated[int, Field(examples=[9])]
    kind: Annotated[Literal["ROLE", "REMOVAL", "GRANT", "RULE"], Field(examples=["ROLE"])]
    role: RoleName | None
    user: PersonRef | None
    move_to: RoleName | None
    until: Annotated[datetime | None, Field(description="Of a grant: until when.", examples=[None])]
    before: RoleSide | None
    after: RoleSide | None
    reason: Annotated[str, Field(examples=["The new team reads internal comments"])]
    asked_by: PersonRef | None
    created_at: datetime
    expires_at: datetime
    outcome: Annotated[Literal["CONFIRMED", "REFUSED", "DROPPED", "EXPIRED"] | None, Field(examples=[None])]
    settled_by: PersonRef | None
    settled_at: datetime | None
    is_outdated: Annotated[bool, Field(description="The role has changed since: ask again.", examples=[False])]
    waits_for: Annotated[list[PersonRef], Field(description="While it waits: who may confirm it; ten at most.")]
    allowed_actions: Annotated[list[Literal["confirm", "refuse"]], Field(examples=[["confirm", "refuse"]])]


class UserRoles(BaseModel):
    """The roles somebody has, and those that wait for a second administrator."""

    items: list[Grant]
    waiting: list[RoleChangeRead]
    needs_two: Annotated[bool, Field(description="A role that gives power waits for a second administrator here.")]
    allowed_actions: Annotated[list[Literal["give"]], Field(examples=[["give"]])]


class RoleChangePage(BaseModel):
    items: list[RoleChangeRead]
    next_cursor: str | None


class RoleDone(BaseModel):
    """The role as it is now; `change` is set when the change waits for another administrator."""

    role: RoleRead | None
    change: RoleChangeRead | None


class RoleMade(RoleRead):
    """The new role; `change` is set when what it is to grant waits for another administrator."""

    change: RoleChangeRead | None


class GrantDone(BaseModel):
    """How they have the role now; `change` is set when that waits for another administrator."""

    grant: Grant | None
    change: RoleChangeRead | None


class RoleRulesRead(BaseModel):
    """`needs_two`: what gives power waits for a second administrator. `others` could confirm what the reader asks."""

    needs_two: bool
    version: Version
    others: Annotated[int, Field(examples=[2])]
    waits: Annotated[bool, Field(description="That it does not take two any more waits for a second administrator.")]
    administrator_key: Annotated[str, Field(examples=["admin"])]
    may_change: bool


class RoleRulesSet(Strict):
    needs_two: Annotated[bool, Field(strict=True, examples=[True])]
    version: Version
    reason: Reason = ""
