"""What a kind of provider is: a module for each protocol, behind one small interface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, runtime_checkable

from waypost.kernel.settings_form import Field

Config = Mapping[str, Any]  # a provider's settings, secrets among them


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider as its kind sees it: a row without a session."""

    id: int
    key: str
    kind: str
    name: str
    config: Config
    is_on: bool = True
    trusts_second_factor: bool = False

    def get(self, setting: str, default: Any = None) -> Any:
        """A setting; `default` when it is not set."""
        value = self.config.get(setting)
        return default if value is None else value


@dataclass(frozen=True, slots=True)
class Found:
    """One thing a test found out: what, and whether it is as it should be."""

    label: str
    value: str
    is_good: bool = True


@dataclass(frozen=True, slots=True)
class Findings:
    """How far a test went. `error` is what was in the way, as a sentence; None when nothing was."""

    found: tuple[Found, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """An address of ours that the other side has to know. `is_document`: something to download stands there."""

    key: str
    label: str
    url: str
    help: str = ""
    is_document: bool = False


class Kind(Protocol):
    """A kind of provider.

    `fields`: the settings form. `check`: what keeps these settings from being used, by setting (a field that is needed
    and missing is found without it). `test`: what it finds out at the other side, for an administrator to read; it
    changes nothing and never raises for what others do.
    """

    key: ClassVar[str]
    label: ClassVar[str]
    fields: ClassVar[tuple[Field, ...]]

    def check(self, settings: Config) -> Mapping[str, str]: ...

    async def test(self, provider: Provider) -> Findings: ...


@runtime_checkable
class Addressed(Protocol):
    """A kind whose other side has to be told addresses of ours."""

    def addresses(self, provider: Provider) -> tuple[Address, ...]:
        """Those to copy."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """What goes with a browser to the provider: unguessable, kept here until it comes back."""

    state: str
    nonce: str
    verifier: str
    request_id: str


@runtime_checkable
class Redirecting(Protocol):
    """A kind by which people sign in at the provider's own page."""

    async def sign_in_address(self, provider: Provider, leaving: Leaving) -> str:
        """Where the browser goes. Raises `ProviderFails`."""


@dataclass(frozen=True, slots=True)
class Proven:
    """What a provider's answer showed, as it waits for the browser: `person` is an `ExternalPerson` as plain data.

    `session` and `hint` are kept for signing out; `is_vouched`: it says it asked for a second factor; `ends_at`: the
    sign-in there is over then, in RFC 3339. `claims` are shown to an administrator who tries.
    """

    person: dict[str, Any]
    session: str | None = None
    hint: str | None = None
    is_vouched: bool = False
    ends_at: str | None = None
    claims: dict[str, Any] = field(default_factory=dict)


@runtime_checkable
class SigningOut(Protocol):
    """A kind at which one can be signed out too."""

    async def sign_out_address(self, provider: Provider, session: str | None, hint: str | None) -> str | None:
        """Where the browser goes to sign out there; None when that is not offered."""
