"""What happens to people and groups that are pushed, and to a provider's tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from waypost.access.providers.events import ProviderEvent
from waypost.directory.events import UserEvent


@dataclass(frozen=True, kw_only=True)
class PersonPushed(UserEvent):
    """A provider said something new of somebody. `changed` are the attributes, by their names there."""

    type: ClassVar[str] = "scim.person_pushed"
    provider_id: int
    changed: list[str]


@dataclass(frozen=True, kw_only=True)
class PersonLetGo(UserEvent):
    """A provider does not know somebody any more; their account stays, deactivated and without the link."""

    type: ClassVar[str] = "scim.person_let_go"
    provider_id: int


@dataclass(frozen=True, kw_only=True)
class GroupPushed(ProviderEvent):
    """A provider made a group, or changed it; `added` and `removed` are the people, at most a hundred of each."""

    type: ClassVar[str] = "scim.group_pushed"
    group_id: int
    group: str
    changed: list[str]
    added: list[int]
    removed: list[int]
    added_count: int
    removed_count: int


@dataclass(frozen=True, kw_only=True)
class GroupLetGo(ProviderEvent):
    """A provider removed a group; what it gave is taken away."""

    type: ClassVar[str] = "scim.group_let_go"
    group_id: int
    group: str


@dataclass(frozen=True, kw_only=True)
class ScimTokenMade(ProviderEvent):
    """An administrator made a token for a provider."""

    type: ClassVar[str] = "scim.token_made"
    token_id: int
    prefix: str
    expires_at: str


@dataclass(frozen=True, kw_only=True)
class ScimTokenRevoked(ProviderEvent):
    """An administrator took a provider's token back."""

    type: ClassVar[str] = "scim.token_revoked"
    token_id: int
    prefix: str


@dataclass(frozen=True, kw_only=True)
class ProvisioningStopped(ProviderEvent):
    """A provider wanted to deactivate more people at once than it may; nobody else was."""

    type: ClassVar[str] = "scim.stopped"
    why: str


@dataclass(frozen=True, kw_only=True)
class ProvisioningAllowed(ProviderEvent):
    """An administrator looked at what a stopped provider wants, and lets it go on for a while."""

    type: ClassVar[str] = "scim.allowed"
    until: str
