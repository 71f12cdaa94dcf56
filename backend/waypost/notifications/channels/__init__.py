"""The ways of telling people outside the app: a module for each, behind one small interface.

A new way is a module with a `Channel`, a line in `CHANNELS`, and what it needs to be set up in its `fields`; planning,
preferences, sending, retries and the log know none of them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

from waypost.notifications.people import Person
from waypost.notifications.words import Words
from waypost.vendors.fates import Fate

Config = Mapping[str, Any]  # an installation's settings for a channel, secrets among them


@dataclass(frozen=True, slots=True)
class Field:
    """A setting an administrator fills in. Secrets are kept sealed and never shown again."""

    key: str
    label: str
    kind: Literal["text", "secret", "url", "choice", "boolean"] = "text"
    help: str = ""
    required: bool = True
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """What goes out at once to one person (or a team's channel, `user_id` None): a notice, or several as one.

    `id` is the same at every try, of which this is the `attempt`th; `since` is when it was made, before any of them.
    `headers` are a mail's. `ref` names an earlier message that this one replaces.
    """

    id: str
    user_id: int | None
    recipient: str
    subject: str
    notices: tuple[Words, ...]
    headers: Mapping[str, str]
    bundle: str | None = None
    is_urgent: bool = False
    ref: str | None = None
    attempt: int = 1
    since: datetime | None = None


class Channel(Protocol):
    """A way of telling people.

    `pace`: least seconds between two messages. `fields`: what an administrator sets up; without any, it is set up from
    the environment and is always on.
    """

    key: ClassVar[str]
    fields: ClassVar[tuple[Field, ...]]
    pace: ClassVar[float]

    def recipients(self, person: Person) -> Sequence[str]:
        """Where somebody is reached; none when they are not."""

    def send(self, config: Config, messages: Sequence[Message]) -> AsyncGenerator[Fate]:
        """Send each, and say each one's fate as soon as it is known, in order. Never raises for what others do."""


@runtime_checkable
class Announcing(Protocol):
    """A channel in which teams have places of their own, where what comes to a team is told to all who are there."""

    key: ClassVar[str]

    def reaches_people(self, config: Config) -> bool:
        """Whether it is set up for people too, and not for teams' places only."""

    def has_room(self, config: Config, team: str) -> bool:
        """Whether the team of this name has one. A message to it has no `user_id`, and the name as its `recipient`."""


@runtime_checkable
class Changing(Protocol):
    """A channel whose messages can be changed once they are sent: they say it when a step is decided elsewhere."""

    key: ClassVar[str]
    changes_messages: ClassVar[bool]
