"""What happens to service accounts and their clients."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from waypost.access.events import AccessEvent


@dataclass(frozen=True, kw_only=True)
class ServiceAccountMade(AccessEvent):
    """A service account was added; somebody answers for it."""

    type: ClassVar[str] = "service_account.made"
    owner_id: int
    purpose: str


@dataclass(frozen=True, kw_only=True)
class ServiceAccountChanged(AccessEvent):
    """A service account was given to another owner, switched on or off, or described anew."""

    type: ClassVar[str] = "service_account.changed"
    owner_id: int
    is_on: bool
    reason: str
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class OAuthClientMade(AccessEvent):
    """A service account got an OAuth client."""

    type: ClassVar[str] = "oauth_client.made"
    client_id: str
    name: str
    permissions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class OAuthClientRevoked(AccessEvent):
    """An OAuth client was revoked, and with it every access token it got."""

    type: ClassVar[str] = "oauth_client.revoked"
    client_id: str


@dataclass(frozen=True, kw_only=True)
class OAuthSecretMade(AccessEvent):
    """A client got another secret."""

    type: ClassVar[str] = "oauth_secret.made"
    client_id: str
    secret_id: int


@dataclass(frozen=True, kw_only=True)
class OAuthSecretRevoked(AccessEvent):
    """A client's secret was revoked, and with it every access token it was traded for."""

    type: ClassVar[str] = "oauth_secret.revoked"
    client_id: str
    secret_id: int


@dataclass(frozen=True, kw_only=True)
class OAuthTokenRefused(AccessEvent):
    """Somebody asked for an access token with a secret that is not right; `user_id` 0 where the client is not known."""

    type: ClassVar[str] = "oauth_token.refused"
    client_id: str
    ip_address: str


@dataclass(frozen=True, kw_only=True)
class OAuthTokenRevoked(AccessEvent):
    """A client gave an access token of its own back before it ended."""

    type: ClassVar[str] = "oauth_token.revoked"
    client_id: str
