"""Refusals about providers and the people who come by them."""

from __future__ import annotations

from waypost.kernel.errors import Conflict, Forbidden, Kind, NotFound, Refusal, Unauthenticated


class ProviderNotFound(NotFound):
    """There is no such identity provider."""

    code = "provider_not_found"


class KeyTaken(Conflict):
    """There is a provider with this key already."""

    code = "provider_key_taken"


class TooManyProviders(Conflict):
    """There are as many providers as there can be: remove one first."""

    code = "too_many_providers"


class ProviderOff(Conflict):
    """This way to sign in is switched off."""

    code = "provider_off"


class ProviderFails(Refusal):
    """The identity provider does not answer as it should. Please try again, or ask your administrator."""

    code, kind, title = "provider_fails", Kind.UNAVAILABLE, "The identity provider fails"


class SignInRefused(Unauthenticated):
    """This sign-in could not be finished. Please begin again."""

    code, title = "sign_in_refused", "Sign-in failed"


class NotLetIn(Forbidden):
    """You are known there, but there is no account here that you may use. Please ask your administrator.

    `reason` is for the log: `no_account`, `account_exists`, `not_active`, `no_email`.
    """

    code, title = "not_let_in", "No account here"

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class IdentityNotFound(NotFound):
    """This account is not linked like that."""

    code = "identity_not_found"


class IdentityTaken(Conflict):
    """This identity belongs to another account here."""

    code = "identity_taken"


class LastWayIn(Conflict):
    """This is the only way in which you can sign in: set a password or a passkey up first."""

    code = "last_way_in"
