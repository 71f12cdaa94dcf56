"""The ways of telling people outside the app: a module for each, behind one small interface.

A new way is a module with a `Channel`, a line in `CHANNELS`, and what it needs to be set up in its `fields`; planning,
preferences, sending, retries and the log know none of them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol, runtime_checkable

from sqlalchemy.ext.asyncio import AsyncSession

from waypost.kernel.settings_form import Field
from waypost.notifications.people import Person
from waypost.notifications.words import Words
from waypost.vendors.fates import Fate

Config = Mapping[str, Any]  # an installation's settings for a channel, secrets among them


@dataclass(frozen=True, slots=True)
class Message:
    """What goes out at once to one person (or a team's channel, `user_id` None): a notice, or several as one.

    `id` is the same at every try, of which this is the `attempt`th; `since` is when it was made, before any of them.
    `headers` are a mail's. `ref` names an earlier message that this one replaces. `delivery_id` is its row in the log, or
    that of the first of its notices.
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
    delivery_id: int = 0


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
class Standing(Protocol):
    """A channel that is always on: without settings of an administrator it works as the environment has it."""

    is_always_on: ClassVar[bool]


def is_fixed(channel: Channel) -> bool:
    """Whether a channel cannot be switched off."""
    return not channel.fields or isinstance(channel, Standing)


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


@runtime_checkable
class Checked(Protocol):
    """A channel that needs some settings only with others: which, it says itself."""

    key: ClassVar[str]

    def faults(self, config: Config) -> Mapping[str, str]:
        """What keeps it from being switched on, by setting."""


@dataclass(frozen=True, slots=True)
class Caps:
    """How many messages go out within a day at most: to one person, and in all."""

    to_one: int
    in_all: int


@runtime_checkable
class Capped(Protocol):
    """A channel each message of which costs money: nothing, and nobody, makes it send without end."""

    key: ClassVar[str]

    def caps(self, config: Config) -> Caps:
        """How many it sends in a day."""


@runtime_checkable
class Inviting(Protocol):
    """A channel on which one answers in words: a message that asks for a decision says how."""

    key: ClassVar[str]

    async def invite(self, session: AsyncSession, user_id: int, recipient: str, words: Words) -> Words:
        """The words with what this recipient answers with, when they may; kept in the transaction that tells them."""


@runtime_checkable
class Optional(Protocol):
    """A channel set up from the environment that an installation can do without."""

    key: ClassVar[str]

    def is_available(self) -> bool:
        """Whether this installation has it."""
