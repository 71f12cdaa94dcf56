"""What happens to providers and to the people who come by them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from waypost.access.events import AccessEvent
from waypost.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class ProviderEvent(Event):
    object_type: ClassVar[str] = "identity_provider"
    provider_id: int
    name: str

    @property
    def object_id(self) -> int:
        return self.provider_id


@dataclass(frozen=True, kw_only=True)
class ProviderAdded(ProviderEvent):
    """An administrator added an identity provider."""

    type: ClassVar[str] = "provider.added"
    key: str
    kind: str


@dataclass(frozen=True, kw_only=True)
class ProviderChanged(ProviderEvent):
    """An administrator changed an identity provider. `before` and `after` hold what changed; of secrets only that."""

    type: ClassVar[str] = "provider.changed"
    before: dict[str, object]
    after: dict[str, object]
    settings_version: int


@dataclass(frozen=True, kw_only=True)
class ProviderRemoved(ProviderEvent):
    """An administrator removed an identity provider; what its groups gave is taken away, its sign-ins end."""

    type: ClassVar[str] = "provider.removed"


@dataclass(frozen=True, kw_only=True)
class ProviderTested(ProviderEvent):
    """An administrator tried whether a provider can be reached as it is set up."""

    type: ClassVar[str] = "provider.tested"
    error: str | None


@dataclass(frozen=True, kw_only=True)
class ProviderGroupsSet(ProviderEvent):
    """An administrator said which roles a provider's groups give."""

    type: ClassVar[str] = "provider.groups_set"
    before: dict[str, list[str]]
    after: dict[str, list[str]]


@dataclass(frozen=True, kw_only=True)
class SignedOutThere(ProviderEvent):
    """A provider said that somebody signed out there; so many sign-ins ended here."""

    type: ClassVar[str] = "provider.signed_out"
    ended: int


@dataclass(frozen=True, kw_only=True)
class IdentityLinked(AccessEvent):
    """An account can be used by what a provider calls its person. `by`: `created`, `verified_email` or `themselves`."""

    type: ClassVar[str] = "identity.linked"
    provider_id: int
    by: str


@dataclass(frozen=True, kw_only=True)
class IdentityUnlinked(AccessEvent):
    """A person took a provider's access to their account away."""

    type: ClassVar[str] = "identity.unlinked"
    provider_id: int


@dataclass(frozen=True, kw_only=True)
class PersonFollowedProvider(AccessEvent):
    """A provider changed what it says of a person; these of theirs follow it."""

    type: ClassVar[str] = "identity.person_changed"
    provider_id: int
    changed: list[str]


@dataclass(frozen=True, kw_only=True)
class UsernameFollowed(AccessEvent):
    """A provider calls a person otherwise, and so does their username: they sign in here under another name now."""

    type: ClassVar[str] = "identity.username_changed"
    provider_id: int
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class ProviderRolesChanged(AccessEvent):
    """A person's groups at a provider changed what they may here."""

    type: ClassVar[str] = "identity.roles_changed"
    provider_id: int
    given: list[str]
    taken: list[str]


@dataclass(frozen=True, kw_only=True)
class DirectoryFollowed(ProviderEvent):
    """A look at a directory was over: how many people became what."""

    type: ClassVar[str] = "directory.followed"
    run_id: int
    counts: dict[str, int]
    failed: int


@dataclass(frozen=True, kw_only=True)
class DirectoryStopped(ProviderEvent):
    """What a directory's list would change is too much to be done unseen: an administrator is asked to look at it."""

    type: ClassVar[str] = "directory.stopped"
    run_id: int
    why: str
    leaving: int
    active: int


@dataclass(frozen=True, kw_only=True)
class DirectoryFailed(ProviderEvent):
    """A directory that is followed cannot be read any more."""

    type: ClassVar[str] = "directory.failed"
    run_id: int
    why: str


@dataclass(frozen=True, kw_only=True)
class DirectoryRunAsked(ProviderEvent):
    """An administrator asked for a look at a directory; for its plan only, or to do a plan that had stopped."""

    type: ClassVar[str] = "directory.run_asked"
    run_id: int
    is_dry: bool
    plan_of_id: int | None


@dataclass(frozen=True, kw_only=True)
class DirectoryPlanDismissed(ProviderEvent):
    """An administrator put away a plan that had stopped."""

    type: ClassVar[str] = "directory.plan_dismissed"
    run_id: int
