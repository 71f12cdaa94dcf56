"""What happens to API tokens; what is done with one names it in its own event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from waypost.access.events import AccessEvent


@dataclass(frozen=True, kw_only=True)
class TokenEvent(AccessEvent):
    """About a token of the person `user_id`."""

    token_id: int
    name: str


@dataclass(frozen=True, kw_only=True)
class TokenMade(TokenEvent):
    """Somebody made an API token: for so much, and until then."""

    type: ClassVar[str] = "auth.token_made"
    permissions: tuple[str, ...]
    is_read_only: bool
    expires_at: str


@dataclass(frozen=True, kw_only=True)
class TokenRevoked(TokenEvent):
    """An API token was revoked: by its person, by an administrator, or because its person left."""

    type: ClassVar[str] = "auth.token_revoked"
    reason: str
